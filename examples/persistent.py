# SPDX-License-Identifier: Apache-2.0
"""Factorials that the next run finds: python persistent.py [FOLDER [N...|clear]]. To find: how few
computations are left when it runs again, and what lies in the folder (fettle memo ls)."""

import sys

import fettle


def remembering(folder):
    """What the folder remembers, and the function that it is of"""
    memo = fettle.Memo(folder)

    @memo
    def factorial_cache(n):
        """Computed once for each number, in whatever run that was"""
        print(f"computing factorial_cache({n})")
        return n * factorial_cache(n - 1) if n else 1

    return memo, factorial_cache


def main(folder=".cache", *words):
    """Print the factorials of some numbers, or forget all of them"""
    memo, factorial_cache = remembering(folder)
    if words == ("clear",):
        print(f"{memo.clear()} results forgotten")
        return
    for n in map(int, words or ["10"]):
        print(f"{n}! = {factorial_cache(n)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
