# SPDX-License-Identifier: Apache-2.0
"""100 000 frames deep, twice, and an exception from down there.

expect down 300003 3
expect bottom 3
edge down -> down 300000 3
edge down -> bottom 3
edge <module> -> down 3
"""

import sys

sys.setrecursionlimit(150_000)


def bottom(fail):
    if fail:
        raise LookupError


def down(n, fail):
    if n:
        down(n - 1, fail)
    else:
        bottom(fail)


down(100_000, False)
down(100_000, False)
try:
    down(100_000, True)
except LookupError:
    print("up again")
