# SPDX-License-Identifier: Apache-2.0
"""Caches beside functools.lru_cache: how fast calls are, what an entry takes, and a stampede.

A load is a loop that calls one cached function, with nothing else in it but what makes the call;
its time is the loop's, which is the same for all and makes every ratio a little smaller than that
of the calls alone. Each way runs its own copy of the loop, for the interpreter adapts code to what
it calls. The ways take turns, and again; ratios are of neighbours in time, and of these the median.
"""

from __future__ import annotations

import functools
import gc
import math
import random
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from effort import Effort

KEYS = 1000
ROOM = 1024  # entries, where all keys fit
LITTLE = 500  # where they go round and round and none is there again
MANY = 300_000
ROUNDS = 3  # times those asked for: they are short
GOAL_MEAN = 1.7
GOAL_BYTES = 60
SIZES = (100, 1000, 10_000, 100_000)  # of which the bytes are measured
THREADS, COMPUTING = 8, 0.2  # seconds
PEER = "lru_cache"

Function = Callable[..., Any]


def ways() -> dict[str, Callable[[int], Callable[[Function], Any]]]:
    """What makes a decorator, for so many entries."""
    import fettle
    from fettle.compat import functools as compat

    return {
        PEER: lambda size: functools.lru_cache(maxsize=size),
        "fettle": lambda size: fettle.cache(maxsize=size),
        "fettle lru": lambda size: fettle.cache(maxsize=size, policy="lru"),
        "compat": lambda size: compat.lru_cache(maxsize=size),
    }


# ---- what is called ----


def one(key: object) -> None:
    pass


def none() -> None:
    pass


def two(a: object, b: object) -> None:
    pass


def four(a: object, b: object, c: object, d: object) -> None:
    pass


def method_of(decorate: Callable[[Function], Any]) -> Any:
    """An object with a cached method: ours keep its results in the instance, the others, in one
    cache for all instances, by the instance too."""

    class Holder:
        @decorate
        def one(self, key: object) -> None:
            pass

    return Holder()


@dataclass(frozen=True)
class Load:
    why: str
    goal: float | None  # times as fast as lru_cache, at least
    keys: Callable[[random.Random], Sequence[Any]]
    call: str = "f(key)"  # for each `key`
    target: str = "key"
    function: Function = one
    size: int = ROOM
    fill: Callable[[random.Random], Sequence[Any]] | None = None  # what is kept; else the keys


def integers(rng: random.Random) -> list[int]:
    return rng.sample(range(10**6), KEYS)


def texts(rng: random.Random) -> list[str]:
    return [f"key {number}" for number in integers(rng)]


def tuples(rng: random.Random) -> list[tuple[int, str]]:
    return [(number, str(number)) for number in integers(rng)]


def floats(rng: random.Random) -> list[float]:
    return [rng.random() for _ in range(KEYS)]


def pairs(rng: random.Random) -> list[tuple[int, ...]]:
    return list(zip(integers(rng), integers(rng), strict=True))


def fours(rng: random.Random) -> list[tuple[int, ...]]:
    return list(zip(*(integers(rng) for _ in range(4)), strict=True))


def never_again(rng: random.Random) -> list[int]:
    return [rng.getrandbits(60) for _ in range(100 * KEYS)]


def many(rng: random.Random) -> list[int]:
    return rng.sample(range(10**9), MANY)


LOADS = {
    "int": Load("hits, one int", 1.5, integers),
    "str": Load("hits, one str, the object that is kept", 1.5, texts),
    "equal str": Load("hits, one str that equals the one that is kept", None, texts, fill=texts),
    "tuple": Load("hits, one tuple of two", 1.7, tuples),
    "equal tuple": Load("hits, a tuple that equals the one kept", None, tuples, fill=tuples),
    "float": Load("hits, one float", 1.7, floats),
    "no argument": Load("hits", 1.35, integers, "f()", function=none),
    "two": Load("hits, two ints", 1.65, pairs, "f(a, b)", "a, b", two),
    "four": Load("hits, four ints", 1.4, fours, "f(a, b, c, d)", "a, b, c, d", four),
    "keyword": Load("hits, one int by its name", 2.7, integers, "f(key=key)"),
    "method": Load("hits of one instance's method, an int", 1.6, integers, "f.one(key)"),
    "misses": Load("1 000 ints in turn, room for half", 1.8, integers, size=LITTLE),
    "random misses": Load("ints that never come again", 1.8, never_again),
    "abs misses": Load("a builtin, 1 000 ints in turn", 1.8, integers, function=abs, size=LITTLE),
    "abs random": Load("a builtin, ints that never come again", 1.8, never_again, function=abs),
    "300 000": Load("hits, any of so many ints: what memory allows", 1.0, many, size=MANY),
}

LOOP = """
def loop(f, keys, repeats):
    for _ in range(repeats):
        for {target} in keys:
            {call}
"""


def loop_of(load: Load) -> Callable[[Any, Sequence[Any], int], None]:
    names: dict[str, Any] = {}
    exec(LOOP.format(target=load.target, call=load.call), names)
    found: Callable[[Any, Sequence[Any], int], None] = names["loop"]
    return found


class Runner:
    """A load in one of the ways."""

    def __init__(self, load: Load, decorate: Callable[[Function], Any]) -> None:
        self.loop = loop_of(load)
        is_method = load.call.startswith("f.one")
        self.called = method_of(decorate) if is_method else decorate(load.function)
        self.cached = self.called.one if is_method else self.called

    def run(self, keys: Sequence[Any], repeats: int) -> float:
        begun = time.process_time()
        self.loop(self.called, keys, repeats)
        return time.process_time() - begun

    def counts(self) -> tuple[int, int]:
        info = self.cached.cache_info()
        return info.hits, info.misses


def calibrate(runner: Runner, keys: Sequence[Any], seconds: float) -> int:
    """How often the keys are called for that long."""
    repeats = 1
    while (spent := runner.run(keys, repeats)) < seconds:
        repeats = math.ceil(repeats * min(1.1 * seconds / max(spent, 1e-6), 30)) + 1
    return repeats


def measure_load(load: Load, effort: Effort) -> dict[str, Any]:
    keys = load.keys(random.Random(1))
    runners = {way: Runner(load, make(load.size)) for way, make in ways().items()}
    for runner in runners.values():
        runner.run(load.fill(random.Random(1)) if load.fill else keys, 1)
        runner.run(keys, 1)
    # The quickest decides, so that all of them run long enough.
    repeats = max(calibrate(runner, keys, effort.seconds) for runner in runners.values())
    before = {way: runner.counts() for way, runner in runners.items()}
    gc.collect()
    cpu: dict[str, list[float]] = {way: [] for way in runners}
    for _ in range(1 if effort.tiny else ROUNDS * effort.rounds):
        for way, runner in runners.items():
            cpu[way].append(runner.run(keys, repeats))
    found = {}
    for way, runner in runners.items():
        hits, misses = (now - then for now, then in zip(runner.counts(), before[way], strict=True))
        found[way] = {"cpu": cpu[way], "hits": hits / (hits + misses)}
    return {"why": load.why, "goal": load.goal, "calls": repeats * len(keys), "ways": found}


def speed(peer: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """How many times as fast, by rounds."""
    rounds = [theirs / max(mine, 1e-9) for theirs, mine in zip(peer, ours, strict=True)]
    return {"value": statistics.median(rounds), "lowest": min(rounds), "highest": max(rounds)}


def compare(loads: dict[str, Any], way: str) -> dict[str, Any]:
    found = {
        name: speed(load["ways"][PEER]["cpu"], load["ways"][way]["cpu"])
        for name, load in loads.items()
    }
    values = [max(each["value"], 1e-3) for each in found.values()]
    return {"ours": way, "loads": found, "geometric_mean": statistics.geometric_mean(values)}


# ---- what an entry takes ----


def traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def bytes_of(make: Callable[[int], Callable[[Function], Any]], size: int) -> dict[str, float]:
    """For each entry, the key and the value themselves not counted: when the cache is full, and
    when as many entries again have been dropped."""
    keys = list(range(10**6, 10**6 + 2 * size))
    tracemalloc.start()
    try:
        cached = make(size)(one)
        empty = traced()
        for key in keys[:size]:
            cached(key)
        full = traced() - empty
        for key in keys[size:]:
            cached(key)
        return {"full": full / size, "evicting": (traced() - empty) / size}
    finally:
        tracemalloc.stop()


# ---- a stampede ----


def stampede(make: Callable[[int], Callable[[Function], Any]], seconds: float) -> dict[str, Any]:
    """All threads ask for one key that is not there."""
    computed: list[int] = []
    ready = threading.Barrier(THREADS + 1)

    def compute(key: int) -> None:
        computed.append(key)
        time.sleep(seconds)

    cached = make(ROOM)(compute)

    def ask() -> None:
        ready.wait()
        cached(1)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"computations": len(computed), "seconds": time.perf_counter() - begun}


def measure(effort: Effort) -> dict[str, Any]:
    here = ways()
    loads = {name: measure_load(LOADS[name], effort) for name in effort.chosen(LOADS)}
    sizes = SIZES[:1] if effort.tiny else SIZES
    computing = COMPUTING / 10 if effort.tiny else COMPUTING
    return {
        "loads": loads,
        "speed": [compare(loads, way) for way in here if way != PEER],
        "goal_mean": GOAL_MEAN,
        "bytes": {
            way: {str(size): bytes_of(make, size) for size in sizes} for way, make in here.items()
        },
        "goal_bytes": GOAL_BYTES,
        "stampede": {
            "threads": THREADS,
            "computing": computing,
            "ways": {way: stampede(make, computing) for way, make in here.items()},
        },
    }


# ---- the tables ----


def speed_table(result: dict[str, Any]) -> Iterator[str]:
    pairs = result["speed"]
    yield "cache: times as fast as lru_cache, median (lowest - highest of the rounds)"
    heads = "".join(f"{each['ours']:>22}" for each in pairs)
    yield f"{'':14}{'ns a call':>10}{heads}{'goal':>8}"
    for name, load in result["loads"].items():
        took = statistics.median(load["ways"][PEER]["cpu"]) / load["calls"] * 1e9
        cells = "".join(f"{cell(each['loads'][name]):>22}" for each in pairs)
        goal = f"{load['goal']:.2f}" if load["goal"] else "-"
        yield f"{name:14}{took:10.1f}{cells}{goal:>8}"
    means = "".join(f"{each['geometric_mean']:22.2f}" for each in pairs)
    yield f"{'geometric mean':14}{'':10}{means}{result['goal_mean']:8.2f}"


def cell(each: dict[str, float]) -> str:
    return f"{each['value']:.2f} ({each['lowest']:.2f} - {each['highest']:.2f})"


def bytes_table(result: dict[str, Any]) -> Iterator[str]:
    sizes = list(result["bytes"][PEER])
    yield "bytes for each entry of one argument: full (and when it has dropped as many)"
    yield f"{'':14}" + "".join(f"{size:>16}" for size in sizes)
    for way, found in result["bytes"].items():
        cells = (f"{found[size]['full']:.0f} ({found[size]['evicting']:.0f})" for size in sizes)
        yield f"{way:14}" + "".join(f"{each:>16}" for each in cells)
    yield f"goal: at most {result['goal_bytes']}"


def stampede_table(result: dict[str, Any]) -> Iterator[str]:
    found = result["stampede"]
    yield f"stampede: {found['threads']} threads ask for what takes {found['computing']} s"
    for way, each in found["ways"].items():
        yield f"{way:14}{each['computations']:3} computations, {each['seconds']:.2f} s"


def table(result: dict[str, Any]) -> list[str]:
    return [*speed_table(result), "", *bytes_table(result), "", *stampede_table(result)]
