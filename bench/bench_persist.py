# SPDX-License-Identifier: Apache-2.0
"""Results that outlive the process: fettle.Memo beside joblib.Memory and diskcache.

A load is a loop that calls one function whose results are kept, as in bench_cache.py: each way has
its own copy of the loop, and its own number of calls, for the ways are far apart. They take turns;
ratios are of calls that are neighbours in time, and of these the median. The function computes next
to nothing, so a miss is what keeping takes.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import persist_ways
from bench_cache import cell, loop_of
from effort import Effort
from persist_ways import OURS

KEYS = 256
ARRAY = 1_000_000  # float64: 8 MB
HASHED = 12_500_000  # float64: 100 MB
FEW, MANY = 1_000, 1_000_000  # entries
SHARED = 1_000  # results on a server
WATCHED = 1_000  # functions that one calls
PAIR = 2  # of writers, and of readers
SECONDS = 2.0  # that they work
ROUNDS = 3  # times those asked for: they are short
GOALS = {"entries": 2.0, "watched": 2.0, "reduce": 5.0, "readers": 100_000, "redis": 1.5}

Function = Callable[..., Any]


# ---- what is called ----


def one(key: object) -> object:
    return key


def two(a: object, b: object) -> object:
    return b


def count(key: dict[str, object]) -> int:
    return len(key)


def text(key: int) -> str:
    return str(key)


def array(key: int) -> Any:
    return _array()


_made: list[Any] = []


def _array() -> Any:
    if not _made:
        import numpy

        _made.append(numpy.random.default_rng(1).random(ARRAY))
    return _made[0]


@dataclass(frozen=True)
class Load:
    why: str
    goals: dict[str, float]  # by peer: times as fast, at least
    keys: Callable[[random.Random], Sequence[Any]]
    call: str = "f(key)"  # for each `target`
    target: str = "key"
    function: Function = one
    hits: bool = True
    mapped: bool = False
    bytes: int = 0  # of a result so large that all go after each round


def integers(rng: random.Random) -> list[int]:
    return rng.sample(range(10**9), KEYS)


def pairs(rng: random.Random) -> list[tuple[str, float]]:
    return [(f"name {number}", rng.random()) for number in integers(rng)]


def dicts(rng: random.Random) -> list[dict[str, Any]]:
    return [{"size": number, "names": ["a", "b"], "scale": 0.5} for number in integers(rng)]


def three(rng: random.Random) -> list[int]:
    return integers(rng)[:3]


HITS = {"joblib": 60.0, "diskcache": 15.0}
LOADS = {
    "int": Load("hits, one int", HITS, integers),
    "str float": Load("hits, a str and a float", HITS, pairs, "f(a, b)", "a, b", two),
    "dict": Load("hits, a dict of an int, a list and a float", HITS, dicts, function=count),
    "misses": Load("ints that never come again", {"joblib": 20.0}, integers, hits=False),
    "array": Load(
        "hits, 8 MB of float64, of which the first is read",
        {"joblib": 100.0},
        three,
        "f(key)[0]",
        "key",
        array,
    ),
    "array mapped": Load(
        "the same where joblib maps it too", {}, three, "f(key)[0]", "key", array, mapped=True
    ),
    "array misses": Load(
        "8 MB of float64 to keep",
        {"joblib": 2.0},
        integers,
        function=array,
        hits=False,
        bytes=8 * ARRAY,
    ),
}
SECTIONS = ("hashing", "entries", "watched", "readers", "redis")
PARTS = (*LOADS, *SECTIONS)


class Runner:
    """A load in one of the ways."""

    def __init__(self, load: Load, way: str, folder: Path) -> None:
        self.load = load
        self.loop = loop_of(load)  # type: ignore[arg-type]
        self.called = persist_ways.decorator(way, folder, load.mapped)(load.function)
        self.empty = persist_ways.emptier(way, self.called)
        self.keys = load.keys(random.Random(1))
        self.fresh = itertools.count(1)
        self.calls = 1
        if load.hits:
            self.loop(self.called, self.keys, 2)

    def run(self) -> float:
        """CPU seconds of so many calls, to keys that are all new where they are to miss."""
        keys, repeats = self.keys, math.ceil(self.calls / len(self.keys))
        if not self.load.hits:
            keys, repeats = list(itertools.islice(self.fresh, self.calls)), 1
        self.calls = len(keys) * repeats
        begun = time.process_time()
        self.loop(self.called, keys, repeats)
        spent = time.process_time() - begun
        if self.load.bytes:
            self.empty()
        return spent

    def calibrate(self, seconds: float) -> None:
        while (spent := self.run()) < seconds:
            self.calls = math.ceil(self.calls * min(1.1 * seconds / max(spent, 1e-6), 30)) + 1


def measure_load(load: Load, folder: Path, effort: Effort) -> dict[str, Any]:
    runners = {way: Runner(load, way, folder / way) for way in persist_ways.available()}
    for runner in runners.values():
        runner.calibrate(effort.seconds)
    gc.collect()
    spent: dict[str, list[float]] = {way: [] for way in runners}
    rounds = 1 if effort.tiny else effort.rounds if load.bytes else ROUNDS * effort.rounds
    for _ in range(rounds):
        for way, runner in runners.items():
            spent[way].append(runner.run())
    return {
        "why": load.why,
        "goals": load.goals,
        "ways": {
            way: {"calls": runner.calls, "cpu": spent[way]} for way, runner in runners.items()
        },
        "speed": {
            way: speed(per_call(runners[way], spent[way]), per_call(runners[OURS], spent[OURS]))
            for way in runners
            if way != OURS
        },
    }


def per_call(runner: Runner, spent: Sequence[float]) -> list[float]:
    return [each / runner.calls for each in spent]


def speed(peer: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """How many times as fast, by rounds."""
    rounds = [theirs / max(mine, 1e-12) for theirs, mine in zip(peer, ours, strict=True)]
    return {"value": statistics.median(rounds), "lowest": min(rounds), "highest": max(rounds)}


# ---- what a digest takes ----


def measure_hashing(folder: Path, effort: Effort) -> dict[str, Any]:
    import numpy

    values = numpy.random.default_rng(1).random(HASHED // 1000 if effort.tiny else HASHED)
    kept = persist_ways.decorator(OURS, folder)(one)
    hashers: dict[str, Callable[[Any], Any]] = {OURS: lambda value: kept.key((value,), None)}
    if "joblib" in persist_ways.available():
        import joblib

        hashers["joblib"] = joblib.hash
    spent: dict[str, list[float]] = {way: [] for way in hashers}
    for _ in range(effort.rounds):
        for way, hasher in hashers.items():
            begun = time.process_time()
            hasher(values)
            spent[way].append(time.process_time() - begun)
    ways = {way: {"cpu": each} for way, each in spent.items()}
    found: dict[str, Any] = {"bytes": values.nbytes, "ways": ways}
    if "joblib" in spent:
        found["speed"] = {"joblib": speed(spent["joblib"], spent[OURS])}
    return {**found, "goal": 6.0}


# ---- how a hit grows ----


def turns(
    first: Callable[[int], None], second: Callable[[int], None], effort: Effort
) -> tuple[list[float], list[float]]:
    """CPU seconds of a call of each, the two by turns; they are told how many calls to make."""

    def timed(do: Callable[[int], None], calls: int) -> float:
        begun = time.process_time()
        do(calls)
        return time.process_time() - begun

    calls = 100
    while (spent := min(timed(first, calls), timed(second, calls))) < effort.seconds:
        calls = math.ceil(calls * min(1.1 * effort.seconds / max(spent, 1e-6), 30))
    rounds = 1 if effort.tiny else ROUNDS * effort.rounds
    found = [(timed(first, calls), timed(second, calls)) for _ in range(rounds)]
    return [each[0] / calls for each in found], [each[1] / calls for each in found]


def asking(kept: Any, entries: int) -> Callable[[int], None]:
    """Hits of any of so many."""
    rng = random.Random(1)
    keys = [rng.randrange(entries) for _ in range(min(entries, 100_000))]

    def ask(calls: int) -> None:
        for key in itertools.islice(itertools.cycle(keys), calls):
            kept(key)

    return ask


def measure_entries(folder: Path, effort: Effort) -> dict[str, Any]:
    import fettle

    few, many = (FEW // 10, MANY // 1000) if effort.tiny else (FEW, MANY)
    small = fettle.Memo(folder / "few", max_bytes=None)
    large = fettle.Memo(folder / "many", max_bytes=None)
    kept = [small(text), large(text)]
    begun = time.perf_counter()
    for function, entries in zip(kept, (few, many), strict=True):
        for key in range(entries):
            function(key)
    filling = time.perf_counter() - begun
    spent = turns(asking(kept[0], few), asking(kept[1], many), effort)
    size = large.stats().bytes
    begun, begun_cpu = time.perf_counter(), time.process_time()
    removed = large.reduce(max_items=many // 2)
    return {
        "entries": [few, many],
        "bytes": size,
        "filling": filling,
        "cpu": {"few": spent[0], "many": spent[1]},
        "growth": speed(spent[1], spent[0]),
        "goal": GOALS["entries"],
        "reduce": {
            "removed": removed,
            "seconds": time.perf_counter() - begun,
            "cpu": time.process_time() - begun_cpu,
            "goal": GOALS["reduce"],
        },
    }


CALLING = """
{functions}

def calling(key):
    if not key:
        return {sum}
    return key

def alone(key):
    return key
"""


def measure_watched(folder: Path, effort: Effort) -> dict[str, Any]:
    """A hit of a function that calls so many others by their global names, and of one that calls
    none."""
    names = [f"helper_{i}" for i in range(WATCHED)]
    source = CALLING.format(
        functions="\n\n".join(f"def {name}(): return {i}" for i, name in enumerate(names)),
        sum=" + ".join(f"{name}()" for name in names),
    )
    folder.mkdir()
    (folder / "bench_watched.py").write_text(source)
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module("bench_watched")
    finally:
        sys.path.remove(str(folder))
    keep = persist_ways.decorator(OURS, folder / "kept")
    calling, alone = keep(module.calling), keep(module.alone)
    for key in range(1, FEW):
        calling(key), alone(key)
    spent = turns(asking(alone, FEW), asking(calling, FEW), effort)
    return {
        "names": WATCHED,
        "cpu": {"none": spent[0], "all": spent[1]},
        "growth": speed(spent[1], spent[0]),
        "goal": GOALS["watched"],
    }


# ---- several processes ----

WORKER = """
import itertools, sys, time
from pathlib import Path
sys.path.insert(0, {bench!r})
import bench_persist, persist_ways
kept = persist_ways.decorator({way!r}, Path({folder!r}))(bench_persist.one)
base = {number} * 10**9 + 10**6
keys = itertools.count(base) if {writes} else itertools.cycle(range({keys}))
if not {writes}:
    for key in range({keys}):
        kept(key)
print("ready", flush=True)
sys.stdin.readline()
calls, begun, begun_cpu = 0, time.perf_counter(), time.process_time()
while (now := time.perf_counter()) - begun < {seconds}:
    for key in itertools.islice(keys, 20):
        kept(key)
    calls += 20
print(calls, now - begun, time.process_time() - begun_cpu, flush=True)
"""


def measure_readers(folder: Path, effort: Effort) -> dict[str, Any]:
    """Calls a second, of processes of which two only keep what is new, and two only hit."""
    seconds = 0.05 if effort.tiny else SECONDS
    found: dict[str, Any] = {}
    for way in persist_ways.available():
        persist_ways.decorator(way, folder / way)(one)(0)
        rates = [
            rates_of(way, folder / way, number, seconds)
            for number in range(1 if effort.tiny else min(effort.rounds, 3))
        ]
        found[way] = {
            kind: {
                "each_second": [each[at] for each in rates],
                "each_cpu_second": [each[at + 1] for each in rates],
            }
            for kind, at in (("hits", 0), ("misses", 2))
        }
    return {"processes": PAIR, "seconds": seconds, "ways": found, "goal": GOALS["readers"]}


def rates_of(way: str, folder: Path, number: int, seconds: float) -> tuple[float, ...]:
    workers = []
    for i in range(2 * PAIR):
        facts = {"bench": str(Path(__file__).parent), "way": way, "folder": str(folder)}
        source = WORKER.format(
            **facts, number=number * 2 * PAIR + i, writes=i < PAIR, keys=KEYS, seconds=seconds
        )
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", source],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = [[float(word) for word in worker.communicate()[0].split()] for worker in workers]
    rates: list[float] = []
    for some in (said[PAIR:], said[:PAIR]):
        rates.append(sum(calls / wall for calls, wall, _ in some))
        rates.append(sum(calls for calls, _, _ in some) / max(sum(cpu for _, _, cpu in some), 1e-9))
    return tuple(rates)


# ---- a server ----


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def measure_redis(folder: Path, effort: Effort) -> dict[str, Any]:
    """Results that the server has and this machine not yet, each asked for once; beside a bare GET
    of the same values."""
    program = persist_ways.server_program()
    if program is None:
        return {}
    import fettle
    import redis

    folder.mkdir()
    count = SHARED // 20 if effort.tiny else SHARED
    spent: dict[str, list[tuple[float, float]]] = {"hit": [], "get": []}
    with (
        environment(FETTLE_CACHE_DIR=str(folder / "local")),
        persist_ways.server(program, folder) as port,
    ):
        memo = fettle.Memo(f"redis://127.0.0.1:{port}/0", key="a key of 32 bytes for the bench..")
        kept = memo(text)
        for key in range(count):
            kept(key)
        client = redis.Redis(host="127.0.0.1", port=port)
        names = [name for name in client.scan_iter() if client.type(name) == b"string"]
        for _ in range(1 if effort.tiny else ROUNDS * effort.rounds):
            memo._place.store.clear()  # what lies on this machine's disk
            spent["hit"].append(timed_all(kept, range(count)))
            spent["get"].append(timed_all(client.get, names))
        stats = kept.remote.stats()
        memo.close()
        client.close()
    walls = {what: [wall / count for wall, _ in rows] for what, rows in spent.items()}
    cpus = {what: [cpu / count for _, cpu in rows] for what, rows in spent.items()}
    return {
        "keys": count,
        "names": len(names),
        "hits": stats.hits,
        "wall": walls,
        "cpu": cpus,
        "ratio": speed(walls["hit"], walls["get"]),
        "ratio_cpu": speed(cpus["hit"], cpus["get"]),
        "goal": GOALS["redis"],
    }


def timed_all(call: Callable[[Any], Any], keys: Sequence[Any]) -> tuple[float, float]:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    for key in keys:
        call(key)
    return time.perf_counter() - begun, time.process_time() - begun_cpu


# ---- all of it ----

MEASURES = {
    "hashing": measure_hashing,
    "entries": measure_entries,
    "watched": measure_watched,
    "readers": measure_readers,
    "redis": measure_redis,
}


def measure(effort: Effort) -> dict[str, Any]:
    base = effort.folder / "persist"
    base.mkdir()
    found: dict[str, Any] = {"loads": {}}
    for number, name in enumerate(effort.chosen(LOADS)):
        found["loads"][name] = measure_load(LOADS[name], base / f"load{number}", effort)
    for name in effort.chosen(SECTIONS):
        found[name] = MEASURES[name](base / name, effort)
    return found


# ---- the tables ----


def loads_table(loads: dict[str, Any]) -> Iterator[str]:
    peers = [way for way in persist_ways.available() if way != OURS]
    yield "persist: times as fast as the peers, median (lowest - highest of the rounds)"
    heads = "".join(f"{peer:>28}{'goal':>6}" for peer in peers)
    yield f"{'':14}{'us a call':>12}{heads}"
    for name, load in loads.items():
        ours = load["ways"][OURS]
        took = statistics.median(ours["cpu"]) / ours["calls"] * 1e6
        cells = "".join(
            f"{cell(load['speed'][peer]):>28}{load['goals'].get(peer, '-'):>6}" for peer in peers
        )
        yield f"{name:14}{took:12.2f}{cells}"


def microseconds(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1e6:.2f} us"


def sections(result: dict[str, Any]) -> Iterator[str]:
    if found := result.get("hashing"):
        took = statistics.median(found["ways"][OURS]["cpu"])
        beside = f", joblib / ours: {cell(found['speed']['joblib'])}" if "speed" in found else ""
        yield f"hashing {found['bytes'] / 1e6:.0f} MB: {took * 1e3:.1f} ms{beside}; goal 6"
    if found := result.get("entries"):
        few, many = found["entries"]
        less, more = (microseconds(each) for each in found["cpu"].values())
        yield f"entries: a hit of {few} {less}, of {many} {more}: {cell(found['growth'])}; goal 2"
        reduced = found["reduce"]
        yield (
            f"reduce: {reduced['removed']} of them went in {reduced['seconds']:.2f} s "
            f"({reduced['cpu']:.2f} s of CPU time); goal {reduced['goal']:.0f} s"
        )
    if found := result.get("watched"):
        less, more = (microseconds(each) for each in found["cpu"].values())
        names = found["names"]
        yield f"watched: a hit {less}, watching {names} {more}: {cell(found['growth'])}; goal 2"
    if found := result.get("readers"):
        for way, each in found["ways"].items():
            hits, misses = (
                statistics.median(each[kind]["each_second"]) for kind in ("hits", "misses")
            )
            busy = statistics.median(each["hits"]["each_cpu_second"])
            yield (
                f"readers: {way}: {hits:.0f} hits a second ({busy:.0f} for each CPU second) beside "
                f"{misses:.0f} misses"
            )
    if found := result.get("redis"):
        hit, get = (microseconds(found["wall"][what]) for what in ("hit", "get"))
        yield (
            f"redis: a hit {hit}, a bare GET {get}: {cell(found['ratio'])}, of CPU time "
            f"{cell(found['ratio_cpu'])}; goal {found['goal']}"
        )


def table(result: dict[str, Any]) -> list[str]:
    return [*loads_table(result["loads"]), "", *sections(result)]
