# SPDX-License-Identifier: Apache-2.0
"""A forked child that starts threads of its own.

processes 3
expect work 8
expect leaf 80
edge work -> leaf 80
"""

import os
import threading


def leaf():
    pass


def work():
    for _ in range(10):
        leaf()


for _ in range(2):
    pid = os.fork()
    if pid == 0:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
    os.waitpid(pid, 0)
