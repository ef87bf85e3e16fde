# SPDX-License-Identifier: Apache-2.0
import sys

sys.setrecursionlimit(5000)


def down(n):
    return [n, down(n - 1)] if n else []


def up(n):
    held = [n]
    return (held, up(n - 1)) if n else held


kept = [down(900), up(900), down(10), up(12)]


def forever(n):
    return [n, forever(n + 1)]


try:
    forever(0)
except RecursionError as error:
    kept.append(str(error))
del kept[0]
measure()
