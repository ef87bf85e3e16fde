# SPDX-License-Identifier: Apache-2.0
"""Calls of cached functions, generated: what hit ratios are measured on.

A trace is a program. It calls a cached function with one key after another (`keys`), and where that
is a miss the function calls itself with others (`needs`): a hit calls nothing, so which calls there
are depends on what the cache kept. Traces without `needs` are plain sequences.

Each is made for a cache of some size, with sets, rows and tables that are so and so large beside
it, and has about 100 000 calls, more for large caches; or, where working sets take turns, as many
turns at each size. The same size gives the same calls, on any machine.

Of tables that are filled by a recursion, only such are here as LRU can fill: when the rows that are
in use do not fit, results are gone before they are used, computing them again drives others out,
and the time grows exponentially, whatever the policy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count, islice
from typing import Any

SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
CALLS = 100_000
PER_ENTRY = 20  # calls, at least: else most of what is seen is the cache filling
TURNS = 24  # of two working sets
DEEPEST = 400  # in each dimension of a table: what Python's own limit of recursion allows

Key = Any  # and hashable
Keys = Callable[[int, random.Random], Iterator[Key]]  # by the size of the cache
Needs = Callable[[Key], Iterable[Key]]


@dataclass(frozen=True)
class Trace:
    why: str
    keys: Keys
    needs: Needs | None = None

    def calls(self, size: int) -> Iterable[Key]:
        """Those of the program itself, for a cache of that size."""
        return self.keys(size, random.Random(size))


def length(size: int) -> int:
    return max(CALLS, PER_ENTRY * size)


# ---- plain sequences ----


def zipf(exponent: float) -> Keys:
    """Of ten times as many keys as fit, the i-th is called i ** -exponent times as often."""

    def generate(size: int, rng: random.Random) -> Iterator[Key]:
        weights = accumulate((rank + 1) ** -exponent for rank in range(10 * size))
        yield from rng.choices(range(10 * size), cum_weights=list(weights), k=length(size))

    return generate


def loop(share: float) -> Keys:
    def generate(size: int, rng: random.Random) -> Iterator[Key]:
        period = round(share * size)
        yield from (at % period for at in range(length(size)))

    return generate


def scans(size: int, rng: random.Random) -> Iterator[Key]:
    once = count(size)
    for turn in range(length(size)):
        if turn % (6 * size) < 4 * size:
            yield rng.randrange(size // 2)
        else:
            yield next(once)


def once_between(size: int, rng: random.Random) -> Iterator[Key]:
    once = count(size)
    for _ in range(length(size)):
        yield rng.randrange(size * 3 // 4) if rng.random() < 0.6 else next(once)


def phases(size: int, rng: random.Random) -> Iterator[Key]:
    working = size * 4 // 5
    for turn in range(length(size)):
        yield turn // (8 * size) * working + rng.randrange(working)


def back_and_forth(size: int, rng: random.Random) -> Iterator[Key]:
    working = size * 4 // 5
    for turn in range(TURNS):
        for _ in range(4 * size):
            yield turn % 2 * working + rng.randrange(working)


def drift(size: int, rng: random.Random) -> Iterator[Key]:
    for turn in range(length(size)):
        yield turn // 8 + int(rng.expovariate(4 / size))


def changing_favourites(size: int, rng: random.Random) -> Iterator[Key]:
    for turn, key in enumerate(zipf(1.0)(size, rng)):
        yield (key + turn // (10 * size) * 3 * size) % (10 * size)


# ---- dynamic programming: tables filled by a recursion from the end ----


def edit_distances(share: float) -> Keys:
    """Texts of so many letters that a row of the table is that share of the cache."""

    def generate(size: int, rng: random.Random) -> Iterator[Key]:
        width = min(round(share * size), DEEPEST)
        height = min(DEEPEST, length(size) // (3 * width))
        for problem in range(max(1, length(size) // (3 * width * height))):
            yield (problem, height, width)

    return generate


def edit_needs(key: Key) -> Iterator[Key]:
    problem, i, j = key
    if i and j:
        yield (problem, i - 1, j)
        yield (problem, i, j - 1)
        yield (problem, i - 1, j - 1)


def grid_paths(share: float) -> Keys:
    def generate(size: int, rng: random.Random) -> Iterator[Key]:
        width = min(round(share * size), DEEPEST)
        height = min(width, length(size) // (2 * width))
        for problem in range(max(1, length(size) // (2 * width * height))):
            yield (problem, height, width)

    return generate


def path_needs(key: Key) -> Iterator[Key]:
    problem, i, j = key
    if i:
        yield (problem, i - 1, j)
    if j:
        yield (problem, i, j - 1)


def cubes(size: int, rng: random.Random) -> Iterator[Key]:
    side = round((0.3 * size) ** 0.5)
    height = min(DEEPEST, length(size) // (3 * side * side))
    for problem in range(max(1, length(size) // (3 * side * side * height))):
        yield (problem, height, side, side)


def cube_needs(key: Key) -> Iterator[Key]:
    problem, i, j, k = key
    if i and j and k:
        yield (problem, i - 1, j, k)
        yield (problem, i, j - 1, k)
        yield (problem, i, j, k - 1)


def chains(share: float) -> Keys:
    """Of n matrices: a table of n * n / 2 results, which takes n * n * n / 3 calls."""

    def generate(size: int, rng: random.Random) -> Iterator[Key]:
        matrices = min(round((2 * share * size) ** 0.5), 120)
        for problem in range(max(1, 3 * length(size) // matrices**3)):
            yield (problem, 0, matrices)

    return generate


def chain_needs(key: Key) -> Iterator[Key]:
    problem, low, high = key
    for middle in range(low + 1, high):
        yield (problem, low, middle)
        yield (problem, middle, high)


# ---- recursion ----


def recurrences(size: int, rng: random.Random) -> Iterator[Key]:
    for _ in range(length(size) // 20):
        yield (rng.randrange(size // 64), rng.randrange(128))


def recurrence_needs(key: Key) -> Iterator[Key]:
    which, n = key
    if n > 1:
        yield (which, n - 1)
        yield (which, n - 2)


def binomials(size: int, rng: random.Random) -> Iterator[Key]:
    top = min(round((6 * size) ** 0.5), DEEPEST)
    for _ in range(length(size) // (4 * top)):
        n = rng.randrange(top)
        yield (n, rng.randrange(n + 1))


def binomial_needs(key: Key) -> Iterator[Key]:
    n, k = key
    if 0 < k < n:
        yield (n - 1, k - 1)
        yield (n - 1, k)


def partitions(size: int, rng: random.Random) -> Iterator[Key]:
    top = min(round((3 * size) ** 0.5), DEEPEST)
    for _ in range(length(size) // 4):
        n = rng.randrange(top)
        yield (n, n)


def partition_needs(key: Key) -> Iterator[Key]:
    """Of n into parts of at most k."""
    n, k = key
    if n and k > 1:
        yield (n, k - 1)
        if n >= k:
            yield (n - k, min(k, n - k))


def exchanges(size: int, rng: random.Random) -> Iterator[Key]:
    for _ in range(length(size) // 300):
        yield rng.randrange(10**6, 10**7)


def exchange_needs(key: Key) -> Iterator[Key]:
    """A coin of n is worth its half, third and quarter."""
    if key > 11:
        yield key // 2
        yield key // 3
        yield key // 4


def flights(size: int, rng: random.Random) -> Iterator[Key]:
    yield from range(1, length(size) // 20)


def flight_needs(key: Key) -> Iterator[Key]:
    """3 n + 1."""
    if key > 1:
        yield key // 2 if key % 2 == 0 else 3 * key + 1


# ---- mixtures ----


def mixed(why: str, *parts: tuple[float, Trace]) -> Trace:
    """Calls of several traces in random turns, as often as the weights say, till one has ended."""

    def keys(size: int, rng: random.Random) -> Iterator[Key]:
        sources = [iter(part.keys(size, rng)) for _, part in parts]
        weights = [weight for weight, _ in parts]
        for which in rng.choices(range(len(parts)), weights, k=length(size)):
            yield from ((which, key) for key in islice(sources[which], 1))

    def needs(key: Key) -> Iterator[Key]:
        which, inner = key
        needed = parts[which][1].needs
        yield from ((which, need) for need in needed(inner)) if needed else ()

    return Trace(why, keys, needs)


TRACES: dict[str, Trace] = {
    "zipf 60": Trace("frequencies fall slowly: exponent 0.6", zipf(0.6)),
    "zipf 80": Trace("exponent 0.8, as in many logs of requests", zipf(0.8)),
    "zipf 100": Trace("exponent 1, as words of a language", zipf(1.0)),
    "zipf 120": Trace("few keys are nearly all of it: exponent 1.2", zipf(1.2)),
    "loop 90": Trace("round and round, and all of it fits", loop(0.9)),
    "loop 110": Trace("a tenth more than fits: LRU never hits", loop(1.1)),
    "loop 150": Trace("half more than fits", loop(1.5)),
    "loop 300": Trace("thrice what fits", loop(3)),
    "scans": Trace("half of the cache in use, and now and then twice its size called once", scans),
    "once between": Trace("three quarters in use, and four calls in ten never again", once_between),
    "phases": Trace("a working set that fits, then another, never again the first", phases),
    "back and forth": Trace("two working sets in turn, each fits", back_and_forth),
    "drift": Trace("a window that moves on slowly", drift),
    "favourites": Trace("exponent 1, and others become the frequent ones", changing_favourites),
    "edit 30": Trace("edit distance, a row is 30 % of the cache", edit_distances(0.3), edit_needs),
    "edit 45": Trace("edit distance, a row is 45 % of the cache", edit_distances(0.45), edit_needs),
    "paths 50": Trace("paths over a grid, a row is half the cache", grid_paths(0.5), path_needs),
    "paths 90": Trace("paths over a grid, a row is 90 % of it", grid_paths(0.9), path_needs),
    "cube": Trace("three texts at once, a layer is 30 % of the cache", cubes, cube_needs),
    "chain 75": Trace("the best way to multiply matrices, 75 % of it", chains(0.75), chain_needs),
    "chain 100": Trace("the same, with a table as large as the cache", chains(1.0), chain_needs),
    "fibonacci": Trace("twice as many numbers as fit", recurrences, recurrence_needs),
    "binomials": Trace("any of a triangle thrice as large as the cache", binomials, binomial_needs),
    "partitions": Trace("of any number, a triangle of 1.5 caches", partitions, partition_needs),
    "exchange": Trace("n calls its half, third and quarter", exchanges, exchange_needs),
    "flights": Trace("how long 3 n + 1 takes for one n after another", flights, flight_needs),
}
TRACES |= {
    "zipf, scans": mixed(
        "frequent ones beside scans", (1, TRACES["zipf 80"]), (1, TRACES["scans"])
    ),
    "zipf, loop": mixed(
        "frequent ones beside a loop", (2, TRACES["zipf 100"]), (1, TRACES["loop 90"])
    ),
    "drift, once": mixed(
        "a window beside what is called once", (1, TRACES["drift"]), (1, TRACES["once between"])
    ),
    "exchange, zipf": mixed(
        "recursion beside frequent ones", (1, TRACES["exchange"]), (50, TRACES["zipf 100"])
    ),
}
