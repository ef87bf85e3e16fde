# SPDX-License-Identifier: Apache-2.0
"""A fork by a thread while another thread is busy: the child goes on with the one that forked.

processes 2
expect work 1
expect child_work 50
expect busy 1
edge work -> child_work 50
"""

import os
import threading
import warnings

warnings.simplefilter("ignore", DeprecationWarning)


def child_work():
    pass


def work():
    pid = os.fork()
    if pid == 0:
        for _ in range(50):
            child_work()
        os._exit(0)
    os.waitpid(pid, 0)
    done.set()


def busy():
    while not done.is_set():
        pass


done = threading.Event()
threads = [threading.Thread(target=busy), threading.Thread(target=work)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
