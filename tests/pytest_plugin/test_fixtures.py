# SPDX-License-Identifier: Apache-2.0
"""The fixtures: fettle, and benchmark where pytest-benchmark is not."""

import math
import statistics

import pytest
from fettle.testing.benchresults import Statistics

from .harness import Project


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
    assert len(calls) == 100

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


@pytest.mark.parametrize("workers", [0, 2])
def test_benchmark(project: Project, workers: int) -> None:
    project.write("test_app.py", BENCHMARKS)
    xdist = ("-n", str(workers)) if workers else ()
    session = project.pytest(*xdist, plugins=("xdist",))
    assert session.outcomes.pop("test_option_that_is_none") == "error"
    wrong = session.messages.pop("test_option_that_is_none")
    assert "has no option 'rounds'; there are group, min_time, " in wrong
    assert set(session.outcomes.values()) == {"passed"}, session.messages
    sums = session.stdout.partition("fettle: benchmark sums")[2]
    fast, slow = (sums.index(f"test_options[{n}]") for n in (10, 1000))
    assert fast < slow
    assert "items=100" in session.stdout
    assert "test_app.py::test_unused has the fixture benchmark and did not use it" in session.stdout


def test_a_recording_costs_a_benchmark_nothing(project: Project) -> None:
    """While the session is recorded, what the benchmark calls is not."""
    project.write(
        "test_app.py",
        "def leaf(): pass\n"
        "def test(benchmark): benchmark.pedantic(leaf, rounds=10, iterations=100)\n",
    )
    project.pytest("--fettle")
    view = project.python("-m", "fettle", "view", "pytest.fettle", "-n", "0").stdout
    assert "benchmark.py" in view
    assert "(leaf)" not in view


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
