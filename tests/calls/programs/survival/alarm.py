# SPDX-License-Identifier: Apache-2.0
"""SIGALRM during a call of C code.

signal 14
expect outer 1
expect <built-in method time.sleep> 1
"""

import signal
import time


def outer():
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    time.sleep(10)


outer()
