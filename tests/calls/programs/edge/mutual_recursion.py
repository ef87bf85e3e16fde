# SPDX-License-Identifier: Apache-2.0
"""Two functions that call each other: only the first call of each is primitive.

expect even 11 1
expect odd 10 1
edge even -> odd 10 1
edge odd -> even 10 1
edge <module> -> even 1
"""


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


print(even(20))
