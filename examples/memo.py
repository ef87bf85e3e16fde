# SPDX-License-Identifier: Apache-2.0
"""Fibonacci and factorial, computed again and again or once for each number. To find: how few
computations are left, and how much longer the functions without a memory take."""

from timeit import timeit

import fettle


@fettle.cache
def nth_fibonacci(n):
    """The sum of the two before it"""
    return n if n < 2 else nth_fibonacci(n - 1) + nth_fibonacci(n - 2)


@fettle.cache
def factorial(n):
    """Computed once for each number"""
    return n * factorial(n - 1) if n else 1


def factorial_old(n):
    """Computed whenever somebody asks"""
    return n * factorial_old(n - 1) if n else 1


def main():
    """Print the results, and what they cost"""
    print(nth_fibonacci(10))
    print(dict(sorted(nth_fibonacci.cache_export())))
    print(factorial(10), factorial_old(10))
    info = factorial.cache_info()
    print(f"factorial: {info.misses} computed, {info.hits} remembered")
    cached = timeit(lambda: factorial(10), number=10000)
    uncached = timeit(lambda: factorial_old(10), number=10000)
    print(f"10000 times factorial(10): cached {cached * 1000:.2f} ms, not {uncached * 1000:.2f} ms")


if __name__ == "__main__":
    main()
