# SPDX-License-Identifier: Apache-2.0
"""An exception that nobody catches: recorded up to there, reported by the interpreter, status 1.

expect outer 1
expect inner 3
edge outer -> inner 3
"""

import sys

sys.tracebacklimit = 0


def inner(n):
    return 1 // n


def outer():
    inner(2)
    inner(1)
    inner(0)


outer()
