# SPDX-License-Identifier: Apache-2.0
"""SIGINT to itself: KeyboardInterrupt, reported by the interpreter, and the death of it.

signal 2
expect outer 1
expect leaf 100
"""

import os
import signal
import time


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)


signal.signal(signal.SIGINT, signal.default_int_handler)
outer()
