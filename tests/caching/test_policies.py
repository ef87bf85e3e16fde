# SPDX-License-Identifier: Apache-2.0
"""Which result a full cache drops: each policy in C beside its model, call by call."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

import fettle
import pytest
from fettle import _core

from .policy_models import MODELS

pytestmark = pytest.mark.once  # the policies are the engine's

SIZES = (1, 2, 3, 5, 8, 64, 300)
Needs = Callable[[int], Iterable[int]]  # what a key's computation asks for; smaller numbers only

Operation = tuple[str, int]  # call or forget that key, or clear


def seeds(size: int) -> range:
    """Each call compares all that is kept, so large sizes take longer."""
    return range(12 if size < 10 else 4 if size < 100 else 2)


class Beside:
    """A cached function and the model of its policy, which do the same and must agree."""

    def __init__(self, size: int, policy: str, needs: Needs = lambda key: ()) -> None:
        self.needs = needs
        self.model = MODELS[policy](size)
        self.computed: list[int] = []
        self.hits = self.misses = self.evictions = 0
        self.function = fettle.cache(maxsize=size, policy=policy)(self.compute)

    def compute(self, key: int) -> str:
        self.computed.append(key)
        for need in self.needs(key):
            self.call(need)
        return str(key)

    def call(self, key: int) -> None:
        hit = self.model.look(key)
        before = len(self.computed)
        assert self.function(key) == str(key)
        assert hit == (len(self.computed) == before), f"{key} is a {'hit' if hit else 'miss'}"
        self.hits += hit
        if not hit:
            assert self.computed[before] == key
            kept = len(self.model.kept())
            self.model.insert(key)
            self.misses += 1
            self.evictions += kept + 1 - len(self.model.kept())
        self.compare()

    def forget(self, key: int) -> None:
        assert self.function.cache_forget(key) == (key in self.model.kept())
        self.model.forget(key)
        self.compare()

    def clear(self) -> None:
        self.function.cache_clear()
        self.model.clear()
        self.hits = self.misses = self.evictions = 0
        self.compare()

    def compare(self) -> None:
        pairs = self.function.cache_export()
        kept = self.model.kept()
        assert (len(pairs), dict(pairs).keys()) == (len(kept), kept)

    def compare_counts(self) -> None:
        """When nothing computes, so that all calls have been counted."""
        info = self.function.cache_info()
        assert (info.hits, info.misses, info.currsize, info.evictions) == (
            self.hits,
            self.misses,
            len(self.model.kept()),
            self.evictions,
        )

    def run(self, operations: Iterable[Operation]) -> None:
        for number, (what, key) in enumerate(operations):
            try:
                if what == "clear":
                    self.clear()
                else:
                    (self.call if what == "call" else self.forget)(key)
            except AssertionError as error:
                raise AssertionError(f"operation {number}, {what} {key}: {error}") from error
        self.compare_counts()


# ---- what is asked for ----


def uniform(size: int, rng: random.Random) -> Iterator[int]:
    range_ = rng.choice([size, size + 1, 2 * size, 5 * size])
    while True:
        yield rng.randrange(range_ + 1)


def frequent(size: int, rng: random.Random) -> Iterator[int]:
    """Small numbers far more often."""
    while True:
        yield int(8 * size * rng.random() ** rng.choice([3, 5]))


def windows(size: int, rng: random.Random) -> Iterator[int]:
    """A working set, then another, and back to one of those before: ghosts come back."""
    while True:
        start, width = rng.randrange(4) * size, rng.randrange(size + 2) + 1
        for _ in range(rng.randrange(4 * size) + 1):
            yield start + rng.randrange(width)


def loops_and_scans(size: int, rng: random.Random) -> Iterator[int]:
    fresh = 10 * size
    while True:
        period = rng.randrange(2 * size) + 1
        for at in range(period * rng.randrange(1, 4)):
            yield at % period
        for _ in range(rng.randrange(size + 1)):
            yield fresh
            fresh += 1


def mixed(size: int, rng: random.Random) -> Iterator[int]:
    each = [make(size, rng) for make in (uniform, frequent, windows, loops_and_scans)]
    while True:
        yield next(rng.choice(each))


KEYS = {each.__name__: each for each in (uniform, frequent, windows, loops_and_scans, mixed)}


def operations(keys: Iterator[int], size: int, rng: random.Random, count: int) -> list[Operation]:
    """Calls above all; with some seeds keys are forgotten, or all of them now and then."""
    forgets, clears = rng.choice([0, 0.05, 0.2]), rng.choice([0, 0, 1 / (6 * size)])
    found: list[Operation] = []
    for _ in range(count):
        at = rng.random()
        what = "forget" if at < forgets else "clear" if at < forgets + clears else "call"
        found.append((what, next(keys)))
    return found


# ---- the comparison ----


def test_each_policy_has_a_model() -> None:
    assert sorted(_core.policies) == sorted(MODELS)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("policy", MODELS)
def test_a_policy_does_as_its_model(policy: str, size: int, kind: str) -> None:
    for seed in seeds(size):
        rng = random.Random(f"{policy} {size} {kind} {seed}")
        both = Beside(size, policy)
        both.run(operations(KEYS[kind](size, rng), size, rng, 12 * size + 100))


def coins(key: int) -> Iterator[int]:
    if key > 3:
        yield from (key // 2, key // 3, key // 4)


def rows(key: int) -> Iterator[int]:
    """Of a grid ten wide, the neighbours to the left and above."""
    if key % 10:
        yield key - 1
    if key >= 10:
        yield key - 10


def chain(key: int) -> Iterator[int]:
    if key:
        yield key - 1


def predecessors(key: int) -> Iterator[int]:
    if key > 1:
        yield from (key - 1, key - 2)


# With the largest key: where little is kept, the time these take is exponential.
RECURSIONS: dict[str, tuple[Needs, int]] = {
    "coins": (coins, 500),
    "rows": (rows, 55),
    "predecessors": (predecessors, 14),
}


@pytest.mark.parametrize("recursion", RECURSIONS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("policy", MODELS)
def test_a_recursive_function_does_as_its_model(policy: str, size: int, recursion: str) -> None:
    needs, largest = RECURSIONS[recursion]
    for seed in seeds(size):
        rng = random.Random(f"{policy} {size} {recursion} {seed}")
        keys = (rng.randrange(largest + 1) for _ in iter(int, 1))
        Beside(size, policy, needs).run(operations(keys, size, rng, 12))


@pytest.mark.parametrize("policy", MODELS)
def test_a_deep_recursion_does_as_its_model(policy: str) -> None:
    """Hundreds of calls that have not ended when the first result comes."""
    for size in (2, 8, 64, 300):
        both = Beside(size, policy, chain if size == 2 else predecessors)
        both.run([("call", 150), ("call", 150), ("call", 149), ("forget", 150), ("call", 150)])
