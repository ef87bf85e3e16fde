# SPDX-License-Identifier: Apache-2.0
"""SIGTERM to itself, without a handler.

signal 15
expect outer 1
expect leaf 100
"""

import os
import signal


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    os.kill(os.getpid(), signal.SIGTERM)


outer()
