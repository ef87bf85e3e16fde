# SPDX-License-Identifier: Apache-2.0
"""A generator expression is a generator, entered from the C function that consumes it.

expect <genexpr> 11
expect square 10
edge <built-in method builtins.sum> -> <genexpr> 11
edge <genexpr> -> square 10
"""


def square(n):
    return n * n


print(sum(square(n) for n in range(10)))
