# SPDX-License-Identifier: Apache-2.0
"""A signal's handler is called wherever the interpreter looks for signals.

expect handler 3
expect <built-in method _signal.raise_signal> 0
expect <built-in method _signal.signal> 1
edge handler -> inner 3
expect inner 3
"""

import _signal as signal
import os


def inner():
    pass


def handler(number, frame):
    inner()


signal.signal(signal.SIGUSR1, handler)
for _ in range(3):
    os.kill(os.getpid(), signal.SIGUSR1)
