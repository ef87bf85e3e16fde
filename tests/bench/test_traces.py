# SPDX-License-Identifier: Apache-2.0
"""The traces that hit ratios are measured on, and what they are compared with."""

from __future__ import annotations

import functools
import importlib
import random
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.once  # the policies are the engine's

BENCH = Path(__file__).resolve().parents[2] / "bench"


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(BENCH))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCH))


traces, policies, caches = (load(name) for name in ("traces", "bench_policies", "bench_cache"))


def lru_cache(size: int, policy: str, function: Callable[[Any], None]) -> Any:
    return functools.lru_cache(maxsize=size)(function)


# ---- Belady ----


def fewest(calls: Sequence[Hashable], size: int) -> int:
    """By trying: whatever may be kept after each call, and the misses till then."""
    states = {frozenset[Hashable](): 0}
    for key in calls:
        after: dict[frozenset[Hashable], int] = {}
        for kept, misses in states.items():
            if key in kept:
                following = [kept]
            elif len(kept) < size:
                following = [kept | {key}]
            else:
                following = [kept - {out} | {key} for out in kept]
            for each in following:
                now = misses + (key not in kept)
                after[each] = min(after.get(each, now), now)
        states = after
    return min(states.values())


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_optimum_is_what_trying_finds(size: int) -> None:
    for seed in range(150):
        rng = random.Random(seed)
        calls = [rng.randrange(size + rng.randrange(1, 4)) for _ in range(rng.randrange(25))]
        assert policies.belady(calls, size) == (fewest(calls, size) if calls else 0), calls


def test_the_optimum_by_hand() -> None:
    # a b c: b goes, for a is called before it; then a, b (a miss, the fourth).
    assert policies.belady("abcab", 2) == 4
    assert policies.belady("abab", 2) == 2
    assert policies.belady("abab", 1) == 4


def needed(key: int) -> Iterator[int]:
    if key > 1:
        yield key - 1
        yield key - 2


def test_references_of_a_recursion_by_hand() -> None:
    trace = traces.Trace("", lambda size, rng: iter([3, 3]), needed)
    assert policies.references(trace, 64) == [1, 0, 2, 1, 3, 3]


# ---- traces ----


@pytest.mark.parametrize("name", traces.TRACES)
def test_a_trace_is_the_same_each_time_and_ends(name: str) -> None:
    trace = traces.TRACES[name]
    assert trace.why
    calls = list(trace.calls(64))
    assert calls == list(trace.calls(64))
    assert 0 < len(calls) <= traces.length(64)
    if trace.needs:
        assert all(need != key for key in calls for need in trace.needs(key))


def test_working_sets_take_as_many_turns_at_each_size() -> None:
    for size in (64, 1024):
        calls = list(traces.TRACES["back and forth"].calls(size))
        first = [key < size * 4 // 5 for key in calls]
        assert sum(a != b for a, b in pairwise(first)) == traces.TURNS - 1 >= 11
        assert len(set(calls)) == 2 * (size * 4 // 5)


def test_exponents_are_of_the_frequencies() -> None:
    calls = list(traces.TRACES["zipf 100"].calls(64))
    counts = [calls.count(rank) for rank in (0, 9)]
    assert counts[0] / counts[1] == pytest.approx(10, rel=0.15)


# Plain, with a recursion, and mixed ones.
SOME = ("scans", "loop 110", "back and forth", "edit 30", "binomials", "flights", "exchange, zipf")


@pytest.mark.parametrize("name", SOME)
def test_our_lru_computes_as_often_as_lru_cache(name: str) -> None:
    trace = traces.TRACES[name]
    assert policies.run(trace, 64, "lru") == policies.run(trace, 64, "lru", lru_cache)


@pytest.mark.parametrize("name", SOME)
def test_no_policy_computes_less_often_than_the_optimum(name: str) -> None:
    found = policies.measure_size(traces.TRACES[name], 64)
    for counts in found["policies"].values():
        assert counts["misses"] >= found["optimum"]["misses"] > 0
        assert counts["ended"]


def test_a_recursion_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "ENOUGH", 0.01)
    trace = traces.Trace("", lambda size, rng: iter([100]), needed)
    found = policies.run(trace, 1, "lru")
    assert not found["ended"]
    # A miss counts when it is over, and the last one has no end.
    assert found["misses"] <= 0.01 * traces.length(1) + 1


# ---- arithmetic ----


def test_a_comparison_with_lru_by_hand() -> None:
    def case(ours: tuple[int, int], lru: tuple[int, int], ended: bool = True) -> dict[str, Any]:
        counts = {
            policy: {"hits": hits, "misses": misses, "ended": ended}
            for policy, (hits, misses) in (("car", ours), ("lru", lru))
        }
        return {"policies": counts}

    measured = {
        "a": {"sizes": {"64": case((60, 40), (80, 20)), "128": case((50, 50), (50, 50))}},
        "b": {"sizes": {"64": case((75, 25), (50, 50), ended=False)}},
    }
    found = policies.compare(measured, "car")
    assert found["geometric_mean"] == pytest.approx(1)
    assert found["arithmetic_mean"] == pytest.approx((2 + 1 + 0.5) / 3)
    assert found["most_misses"] == {"trace": "a, 64", "value": 2}
    assert found["points_lost"] == {"trace": "a, 64", "value": pytest.approx(20)}
    assert (found["over"], found["endless"]) == (["a, 64"], ["b, 64"])


def test_a_speed_by_hand() -> None:
    found = caches.speed([2.0, 4.0, 6.0], [1.0, 1.0, 2.0])
    assert found == {"value": 3.0, "lowest": 2.0, "highest": 4.0}


def test_each_load_calls_what_it_says() -> None:
    for name, load in caches.LOADS.items():
        keys = load.keys(random.Random(1))
        assert len(set(keys)) == len(keys), name
        assert load.why, name
    equal = caches.LOADS["equal str"]
    kept, asked = equal.fill(random.Random(1)), equal.keys(random.Random(1))
    assert kept == asked
    assert not any(a is b for a, b in zip(kept, asked, strict=True))
