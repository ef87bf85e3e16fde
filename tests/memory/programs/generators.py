# SPDX-License-Identifier: Apache-2.0
import functools


def count(n):
    for i in range(n):
        yield [i]


def both(n):
    yield from count(n)
    got = yield
    yield got


def closure(n):
    def inner(x, *args, **kwargs):
        return n, x, args, kwargs

    return inner


running = [count(i) for i in range(200)]
firsts = [next(each, None) for each in running]
through = [list(both(5)) for _ in range(100)]
lazy = (i * 2.5 for i in range(100))
part = [next(lazy) for _ in range(50)]
functions = [closure(i) for i in range(100)]
results = [f(1, 2, a=3) for f in functions]
partials = [functools.partial(f, 1, b=2) for f in functions]
bound = [[].append for _ in range(100)] + [str(i).upper for i in range(100)]


@functools.lru_cache(maxsize=64)
def cached(n):
    return [n]


for i in range(200):
    cached(i)
decorated = [functools.wraps(f)(lambda: None) for f in functions]
del running[::2], firsts[::3]
measure()
