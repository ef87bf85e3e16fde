# SPDX-License-Identifier: Apache-2.0
"""A suspended generator whose last reference goes: its finally runs where that happened.

expect values 2
expect cleanup 1
expect drop 1
edge drop -> values 2
"""


def cleanup():
    pass


def values():
    try:
        yield 1
    finally:
        cleanup()


def drop():
    for value in values():
        return value


print(drop())
