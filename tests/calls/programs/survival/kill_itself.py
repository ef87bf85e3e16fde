# SPDX-License-Identifier: Apache-2.0
"""SIGKILL to itself, from nested calls, after some time spent.

signal 9
expect outer 1
expect inner 1
expect leaf 100
expect <built-in method time.sleep> 1
edge inner -> leaf 100
"""

import os
import signal
import time


def leaf():
    pass


def inner():
    for _ in range(100):
        leaf()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def outer():
    inner()


outer()
