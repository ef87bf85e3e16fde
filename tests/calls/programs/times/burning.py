# SPDX-License-Identifier: Apache-2.0
"""Pure computation, in one long slice and in many short ones."""


def long_slice():
    total = 0
    for i in range(6_000_000):
        total += i
    return total


def short():
    return 1


def many_short():
    total = 0
    for _ in range(400_000):
        total += short()
    return total


def main():
    long_slice()
    many_short()


main()
