# SPDX-License-Identifier: Apache-2.0
"""The fixtures: fettle, and benchmark where pytest-benchmark is not."""

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest
from fettle import _core
from fettle.testing.benchresults import Statistics

from .harness import Project

sys.path.append(str(Path(__file__).parents[1]))  # what other folders use too
from contract import consumers


def test_fettle(project: Project) -> None:
    project.write(
        "test_app.py",
        """
import fettle as module

def work(n, more=0): return sum(range(n + more))

def test_functions(fettle):
    assert fettle.sizeof(1) == module.sizeof(1)
    assert fettle.stopwatch is module.stopwatch
    assert set(module.__all__) <= set(dir(fettle))

def test_time(fettle):
    called = []
    def count(n, name=""): called.append((n, name))
    assert fettle.time(count, 3, budget=0.05).median > 0
    assert set(called) == {(3, "")}
    assert fettle.time(lambda: work(1000), lambda: work(10), budget=0.2).ratio > 1
    assert len(fettle.time("1 + 1", "2 + 2", budget=0.05, processes=0).series) == 2

def test_run(fettle):
    with fettle.run() as recording:
        work(3)
    assert [row.calls for row in recording.stats() if row.name == "work"] == [1]
""",
    )
    for words in ((), ("--fettle",)):
        session = project.pytest(*words)
        assert set(session.outcomes.values()) == {"passed"}, session.messages


BENCHMARKS = """
import pytest

def work(n): return sum(range(n))

pytestmark = pytest.mark.benchmark(max_time=0.05)

def test_call(benchmark):
    assert benchmark(work, 100) == 4950
    stats = benchmark.stats
    assert 0 < stats["min"] <= stats["median"] <= stats["max"] == stats.stats.max
    assert stats.stats.rounds == len(stats.stats.data) >= 5
    benchmark.extra_info["items"] = 100

@pytest.mark.benchmark(group="sums", max_time=0.01, min_rounds=7, disable_gc=True, warmup=True)
@pytest.mark.parametrize("n", [10, 1000])
def test_options(benchmark, n):
    benchmark(work, n=n)
    assert benchmark.group == "sums"
    assert benchmark.params == {"n": n}
    assert benchmark.stats["rounds"] >= 7

def test_pedantic(benchmark):
    calls, ends = [], []
    def setup():
        calls.append("setup")
        return (len(calls),), {"more": 1}
    def target(n, more): calls.append((n, more)); return n
    def teardown(n, more): ends.append(n)
    result = benchmark.pedantic(target, setup=setup, teardown=teardown, rounds=3, warmup_rounds=2)
    assert calls == [each for n in range(1, 10, 2) for each in ("setup", (n, 1))]
    assert (result, ends) == (9, [1, 3, 5, 7, 9])
    assert (benchmark.stats["rounds"], benchmark.stats.iterations) == (3, 1)

def test_iterations(benchmark):
    calls = []
    benchmark.pedantic(calls.append, (1,), rounds=2, iterations=50)
    assert len(calls) == 101  # and one for the result

def test_a_clock_of_ones_own(benchmark):
    now = [0.0]
    benchmark.options["timer"] = lambda: now[0]
    def step(): now[0] += 0.5
    benchmark.pedantic(step, rounds=4, iterations=3)
    assert benchmark.stats["mean"] == 0.5
    assert benchmark.stats["ops"] == 2.0
    assert benchmark.stats["stddev"] == 0.0

def test_twice(benchmark):
    benchmark.pedantic(work, (1,))
    with pytest.raises(Exception, match="one thing a test"):
        benchmark(work, 1)

@pytest.mark.parametrize("options", [{"rounds": 0}, {"iterations": 0}, {"warmup_rounds": -1},
                                     {"setup": int, "iterations": 2}])
def test_wrong(benchmark, options):
    with pytest.raises(ValueError):
        benchmark.pedantic(work, (), **options)

def test_raises(benchmark):
    with pytest.raises(ZeroDivisionError):
        benchmark(lambda: 1 / 0)

def test_unused(benchmark): pass

@pytest.mark.benchmark(rounds=3)
def test_option_that_is_none(benchmark): benchmark(work, 1)
"""


@pytest.mark.once
@pytest.mark.parametrize("workers", [0, 2])
def test_benchmark(project: Project, workers: int) -> None:
    project.write("test_app.py", BENCHMARKS)
    xdist = ("-n", str(workers)) if workers else ()
    session = project.pytest(*xdist, plugins=("xdist",) if workers else ())
    assert session.outcomes.pop("test_option_that_is_none") == "error"
    wrong = session.messages.pop("test_option_that_is_none")
    assert "has no option 'rounds'; there are group, min_time, " in wrong
    assert set(session.outcomes.values()) == {"passed"}, session.messages
    sums = session.stdout.partition("fettle: benchmark sums")[2]
    fast, slow = (sums.index(f"test_options[{n}]") for n in (10, 1000))
    assert fast < slow
    assert "items=100" in session.stdout
    assert "test_app.py::test_unused has the fixture benchmark and did not use it" in session.stdout


@pytest.mark.once
def test_nothing_of_ours_is_shown_of_a_benchmark(project: Project) -> None:
    """Neither in the traceback of what raises, nor among the functions of the test, nor an
    interval that so few rounds do not have."""
    project.write(
        "test_app.py",
        "def test_bad(benchmark): benchmark(lambda: 1 / 0)\n"
        "def test_few(benchmark): benchmark.pedantic(sum, ([1],), rounds=5)\n",
    )
    session = project.pytest("--fettle")
    assert session.outcomes == {"test_bad": "failed", "test_few": "passed"}
    assert "ZeroDivisionError" in session.messages["test_bad"]
    assert "benchmark.py" not in session.stdout + session.messages["test_bad"]
    table = session.stdout.partition("fettle: benchmark, 1 test ")[2].partition("fettle: the")[0]
    assert "95 % interval" in table and " to " not in table


def test_a_recording_costs_a_benchmark_nothing(project: Project) -> None:
    """While the session is recorded, what the benchmark calls is not."""
    project.write(
        "test_app.py",
        "def leaf(): pass\n"
        "def test(benchmark): benchmark.pedantic(leaf, rounds=10, iterations=100)\n",
    )
    project.pytest("--fettle")
    rows = _core.Profile.read(str(project.path / "pytest.fettle")).functions()
    (calls,) = [row.calls for row in rows if row.name == "leaf"]
    assert calls == 1  # that for the result


BESIDE = """
import itertools, json, pathlib, random
import pytest

dice = random.Random(3)
now = 0.0

def clock(): return now

def step(name="x"):
    global now
    now += dice.choice([1, 1, 1.25, 1.5, 2, 9])
    return name

@pytest.mark.benchmark(timer=clock, group="g", min_rounds=3, max_time=0.5)
@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 5, 6, 7, 40, 41, 42, 43])
@pytest.mark.parametrize("iterations", [1, 3])
def test(benchmark, rounds, iterations):
    result = benchmark.pedantic(step, ("y",), rounds=rounds, iterations=iterations)
    stats = benchmark.stats
    assert stats["iterations"] == iterations
    told = {
        "told": [result, now, stats.name, stats.fullname, stats.group, stats.param, rounds],
        "stats": stats.stats.as_dict(),
        "module": type(benchmark).__module__,
    }
    with open("told.json", "a") as file: print(json.dumps(told), file=file)
"""


@pytest.mark.once
def test_beside_pytest_benchmark(project: Project) -> None:
    """The same rounds on the same clock give the same results. Where that plugin is, it wins."""
    there = {"PYTHONPATH": consumers.path("pytest-benchmark")}
    project.write("test_app.py", BESIDE)
    ours, of = told(project)
    theirs, of_theirs = told(project, **there)
    _, of_ours_again = told(project, "-p", "no:benchmark", **there)
    assert of == of_ours_again == {"fettle.testing.benchmark"}
    assert of_theirs == {"pytest_benchmark.fixture"}
    assert len(ours) == 22
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["told"] == other["told"]
        assert mine["stats"] == pytest.approx(other["stats"])


def told(project: Project, *words: str, **extra: str) -> tuple[list[Any], set[str]]:
    """What each test said, and whose the fixture was."""
    session = project.pytest(*words, **extra)
    assert set(session.outcomes.values()) == {"passed"}, session.messages
    file = project.path / "told.json"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.unlink()
    for row in rows:
        assert row["stats"].keys() >= {"min", "max", "mean", "stddev", "median", "q1", "q3", "ops"}
        row["told"].append(row["stats"].pop("outliers"))
    return rows, {row["module"] for row in rows}


@pytest.mark.once
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 41])
def test_statistics(count: int) -> None:
    data = [(each * 7919) % 101 / 10 + 1 for each in range(count)]
    found = Statistics(data)
    assert found.mean == pytest.approx(statistics.mean(data))
    assert found.median == statistics.median(data)
    assert found.stddev == pytest.approx(statistics.stdev(data) if count > 1 else 0.0)
    assert found.ops == pytest.approx(1 / statistics.mean(data))
    assert found.total == pytest.approx(math.fsum(data))
    inside = [each for each in data if found.q1 <= each <= found.q3]
    assert len(inside) >= count / 2 - 1
    assert found.ld15iqr in data
    assert found.hd15iqr in data
    assert set(found.as_dict()) >= {"min", "max", "mean", "rounds", "iqr", "outliers"}
