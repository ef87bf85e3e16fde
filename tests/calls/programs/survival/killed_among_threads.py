# SPDX-License-Identifier: Apache-2.0
"""SIGKILL while other threads are blocked in their own calls.

signal 9
expect work 3
expect leaf 300
expect block 3
edge work -> block 3
edge work -> leaf 300
"""

import os
import signal
import threading


def leaf():
    pass


def block():
    arrived.wait()
    threading.Event().wait()


def work():
    for _ in range(100):
        leaf()
    block()


arrived = threading.Barrier(4)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
arrived.wait()
os.kill(os.getpid(), signal.SIGKILL)
