# SPDX-License-Identifier: Apache-2.0
"""An exception that unwinds 50 frames at once; then the same function again, unharmed.

expect fall 102 2
edge <module> -> fall 2
edge fall -> fall 100 2
expect after 2
edge <module> -> after 2
"""


def fall(n):
    if n == 0:
        raise LookupError
    fall(n - 1)


def after():
    pass


for _ in range(2):
    try:
        fall(50)
    except LookupError:
        after()
