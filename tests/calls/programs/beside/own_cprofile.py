# SPDX-License-Identifier: Apache-2.0
"""The program profiles a part of itself with cProfile, twice.

yields inner 7
expect before 10
expect main 1
"""

import cProfile
import pstats


def before():
    pass


def inner():
    pass


def profiled(n):
    for _ in range(n):
        inner()


def main():
    for _ in range(10):
        before()
    for n in (3, 4):
        profile = cProfile.Profile()
        profile.enable()
        profiled(n)
        profile.disable()
        stats = pstats.Stats(profile).stats
        print(sorted((key[2], row[:2]) for key, row in stats.items() if key[2] in ("inner", "profiled")))


main()
