# SPDX-License-Identifier: Apache-2.0
"""Recursion that another function interrupts: still recursion. And a second, separate entry:
each goes walk 3, left, walk 2, right, walk 1, left, walk 0.

expect walk 8 2
expect left 4 2
expect right 2
edge left -> walk 4 2
edge right -> walk 2
edge <module> -> walk 2
edge walk -> left 4 2
edge walk -> right 2
"""


def walk(n):
    if n > 0:
        (left if n % 2 else right)(n)


def left(n):
    walk(n - 1)


def right(n):
    walk(n - 1)


walk(3)
walk(3)
