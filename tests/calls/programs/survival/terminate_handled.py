# SPDX-License-Identifier: Apache-2.0
"""SIGTERM to itself, with a handler that exits in good order.

status 5
expect outer 1
expect leaf 100
expect handler 1
expect cleanup 1
edge outer -> cleanup 1
"""

import os
import signal
import sys
import time


def leaf():
    pass


def cleanup():
    pass


def handler(number, frame):
    sys.exit(5)


def outer():
    for _ in range(100):
        leaf()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    finally:
        cleanup()


signal.signal(signal.SIGTERM, handler)
outer()
