# SPDX-License-Identifier: Apache-2.0
"""functools' C caches call the function on a miss only, and are called by no C function's row.

expect square 3
expect fib 21 1
expect once 1
expect general 1
expect special 2
edge <module> -> square 3
edge fib -> fib 20 1
"""

import functools


@functools.lru_cache(maxsize=None)
def square(n):
    return n * n


@functools.cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Lazy:
    @functools.cached_property
    def once(self):
        return 1


@functools.singledispatch
def general(value):
    return "general"


@general.register
def special(value: int):
    return "special"


print(square(1), square(2), square(3), square(1), square(2), fib(20))
lazy = Lazy()
print(lazy.once, lazy.once, general("a"), general(1), general(2))
