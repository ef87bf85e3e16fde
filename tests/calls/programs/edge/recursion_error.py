# SPDX-License-Identifier: Apache-2.0
"""The interpreter's own limit: as many frames as fit below it, then RecursionError, then on.

expect down 1
expect endless 2 1
expect after 1
edge <module> -> after 1
cprofile how many frames fit depends on the runner's own
"""

import sys


def after():
    pass


def down(n):
    pass


def endless(n):
    deepest[0] = n
    if n < 1:
        endless(n + 1)
    else:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(60)
        try:
            more(n)
        except RecursionError:
            print("limit")
        sys.setrecursionlimit(limit)


def more(n):
    deepest[0] = n
    more(n + 1)


deepest = [0]
down(0)
endless(0)
after()
print(1 < deepest[0] < 60)
