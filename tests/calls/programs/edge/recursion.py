# SPDX-License-Identifier: Apache-2.0
"""A function that calls itself, twice on each level.

expect <module> 1
expect fib 177 1
expect depth 51 1
edge <module> -> fib 1
edge fib -> fib 176 2
edge depth -> depth 50 1
"""


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print(fib(10), depth(50))
