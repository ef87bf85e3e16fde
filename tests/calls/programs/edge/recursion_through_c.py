# SPDX-License-Identifier: Apache-2.0
"""Recursion with C functions in between, each of them on the stack several times.
The outermost sum counts twice with no count around it: for 3, and for the 0 beside it.

expect count 7 2
expect <built-in method builtins.sum> 4 1
expect total 4 1
edge total -> <built-in method builtins.sum> 4 1
edge count -> total 3 1
"""


def total(n):
    return sum(map(count, [n, 0] if n else [0]))


def count(n):
    return 1 + total(n - 1) if n else 0


print(total(3))
