# SPDX-License-Identifier: Apache-2.0
"""A thread that works on after the main module's last line.

expect late 100
expect work 1
edge work -> late 100
"""

import threading


def late():
    pass


def work():
    threading.main_thread().join()
    for _ in range(100):
        late()


threading.Thread(target=work).start()
