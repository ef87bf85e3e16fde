# SPDX-License-Identifier: Apache-2.0
"""The same with joblib's interface, by another import. To find: what it prints of each computation
and of none, and where its results lie (fettle memo ls FOLDER)."""

import sys

from fettle.compat.joblib import Memory


def factorial_cache(n):
    """Computed once for each number"""
    return n * factorial_cache(n - 1) if n else 1


def main(folder=".cache-of-joblib", n="10"):
    """Print a factorial, computed in this run or in an earlier one"""
    global factorial_cache
    factorial_cache = Memory(folder, verbose=1).cache(factorial_cache)
    print(factorial_cache(int(n)))


if __name__ == "__main__":
    main(*sys.argv[1:])
