# SPDX-License-Identifier: Apache-2.0
"""An exception out of a key function, through sorted().

expect key 3
expect <built-in method builtins.sorted> 1
edge <built-in method builtins.sorted> -> key 3
expect after 1
edge <module> -> after 1
"""


def key(n):
    return 1 // (2 - n)


def after():
    pass


try:
    sorted([0, 1, 2, 3], key=key)
except ZeroDivisionError:
    after()
