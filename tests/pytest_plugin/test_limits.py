# SPDX-License-Identifier: Apache-2.0
"""@pytest.mark.fettle: what is counted is what others count, and who passes a limit is named."""

import cProfile
import pstats
import tracemalloc
from types import CodeType, SimpleNamespace
from typing import Any, Literal

import pytest
from fettle import _core
from fettle.testing import cost, limits

from .harness import Project

APP = """
import time

KEPT = []

def leaf(n):
    return len(str(n))

def branch(n):
    return sum(leaf(each) for each in range(n))

def hold(n):
    return [bytearray(1000) for _ in range(n)]

def keep():
    KEPT.append(bytearray(100))

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
"""


def calls_of(statement: str) -> int:
    """What cProfile counts below a statement."""
    names: dict[str, Any] = {}
    exec(compile(APP, "app.py", "exec"), names)
    code: CodeType = compile(f"def body():\n    {statement}\n", "body.py", "exec")
    exec(code, names)
    profile = cProfile.Profile()
    profile.enable()
    names["body"]()
    profile.disable()
    stats: Any = pstats.Stats(profile)
    ours = ("body", "<method 'disable' of '_lsprof.Profiler' objects>")
    return sum(row[1] for (_, _, name), row in stats.stats.items() if name not in ours)


def peak_of(statement: str) -> int:
    """What tracemalloc says of it."""
    names: dict[str, Any] = {}
    exec(compile(APP, "app.py", "exec"), names)
    code = compile(statement, "body.py", "exec")
    exec(code, names)
    tracemalloc.start()
    exec(code, names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def write_test(project: Project, body: str, *marks: str) -> None:
    """A test for each limit, test_0 and so on."""
    project.write("app.py", APP)
    tests = [
        f"@pytest.mark.fettle({mark})\ndef test_{number}():\n    {body}\n"
        for number, mark in enumerate(marks)
    ]
    names = "from app import branch, hold, keep, leaf, spin"
    project.write("test_app.py", f"import pytest\n{names}\n\n" + "\n".join(tests))


@pytest.mark.parametrize("statement", ["branch(20)", "leaf(3)", "sorted([3, 1], key=leaf)", "0"])
def test_calls_are_those_that_cprofile_counts(project: Project, statement: str) -> None:
    calls = calls_of(statement)
    fewer = f"calls={max(calls - 1, 0)}"
    write_test(project, statement, f"calls={calls}", fewer)
    session = project.pytest()
    assert session.outcomes["test_0"] == "passed", session.messages
    assert session.outcomes["test_1"] == ("failed" if calls else "passed"), session.messages
    if calls:
        assert f"{calls} calls, {calls - 1} allowed: " in session.messages["test_1"]


def test_the_function_that_is_called_most_is_named_first(project: Project) -> None:
    write_test(project, "branch(50)", "calls=10")
    message = project.pytest().messages["test_0"]
    named = message.partition("allowed: ")[2]
    assert named.startswith(("51 of app.py:10(<genexpr>)", "50 of app.py:6(leaf)")), message
    assert "50 of app.py:6(leaf)" in message


def test_a_name_that_python_keeps_is_no_leak(project: Project) -> None:
    project.write(
        "test_app.py",
        "import pytest\n@pytest.mark.fettle(leaks=0)\n"
        "def test_open(tmp_path):\n"
        "    for _ in range(5):\n"
        "        (tmp_path / 'x').write_text('a')\n",
    )
    session = project.pytest()
    assert session.outcomes == {"test_open": "passed"}, session.messages


def test_the_peak_is_that_of_tracemalloc(project: Project) -> None:
    peak = peak_of("hold(300)")
    write_test(project, "hold(300)", f"mem={peak + 8000}", f"mem={peak - 8000}", 'mem="1kB"')
    session = project.pytest()
    assert session.outcomes == {"test_0": "passed", "test_1": "failed", "test_2": "failed"}
    assert "1.0 kB allowed: " in session.messages["test_2"]
    assert "at app.py:13 hold" in session.messages["test_2"]


def test_allocations_name_their_line(project: Project) -> None:
    write_test(project, "hold(300)", "allocations=599", "allocations=800")
    session = project.pytest()
    assert session.outcomes == {"test_0": "failed", "test_1": "passed"}, session.messages
    assert "at app.py:13 hold" in session.messages["test_0"]


def test_time_is_spent_on_the_cpu_or_waiting(project: Project) -> None:
    write_test(project, "spin(0.05)", 'time="20ms"', 'time="20s"', "time=20.0")
    project.write(
        "test_wait.py",
        "import pytest, time\n"
        "@pytest.mark.fettle(time='20ms')\n"
        "def test_wait(): time.sleep(0.05)\n",
    )
    session = project.pytest()
    wanted = {"test_0": "failed", "test_1": "passed", "test_2": "passed", "test_wait": "failed"}
    assert session.outcomes == wanted
    assert "20.0 ms allowed: " in session.messages["test_0"]
    assert "in app.py:18(spin)" in session.messages["test_0"]
    assert "of it waiting), 20.0 ms allowed" in session.messages["test_wait"]


@pytest.mark.parametrize(
    ("calls", "blocks", "limit", "passed"),
    [
        (100, 50, 0.61, False),  # recorded in two tenths of the second, at most in four
        (100, 50, 0.59, True),
        (600, 0, 0.21, False),  # six tenths: twice that is more than the second
        (600, 0, 0.19, True),
        (1200, 0, 0.0, False),
    ],
)
def test_recording_breaks_no_limit_of_time(
    monkeypatch: pytest.MonkeyPatch, calls: int, blocks: int, limit: float, passed: bool
) -> None:
    monkeypatch.setattr(cost, "per_event", lambda calls, mem: (1e-3, 2e-3))
    watch = SimpleNamespace(waiting=0.0)
    take: Any = SimpleNamespace(spent=1.0, calls="all", watch=watch, code=None)
    take.profile = _core.Profile
    counts: Any = SimpleNamespace(calls=calls - 1, allocations=blocks)
    assert len(limits.judge({"time": limit}, take, counts, is_timed=True)) == passed
    assert limits.judge({"time": limit}, take, counts, is_timed=False) == []


@pytest.mark.parametrize("calls", ["all", "python", ""])
@pytest.mark.parametrize("mem", [False, True])
def test_what_recording_costs(calls: Literal["all", "python", ""], mem: bool) -> None:
    a_call, a_block = cost.per_event(calls, mem)
    assert a_call >= 0 if calls else a_call == 0
    assert a_block >= 0 if mem else a_block == 0
    assert cost.per_event(calls, mem) == (a_call, a_block)  # measured once


LEAKS = """
import functools, pytest
from app import hold, keep

@functools.lru_cache
def cached(n): return [n] * 100

class Node:
    pass

@pytest.fixture
def shelf(): return []

@pytest.mark.fettle(leaks=0)
def test_leaking(): keep()

@pytest.mark.fettle(leaks=0)
def test_nothing_stays(): hold(100)

@pytest.mark.fettle(leaks=0)
def test_a_cache_is_filled_once(): cached(3)

@pytest.mark.fettle(leaks=0)
def test_an_import_is_done_once(): import colorsys; assert colorsys.rgb_to_hls(0, 0, 0)

@pytest.mark.fettle(leaks=0)
def test_cycles_are_collected():
    for _ in range(100):
        node = Node(); node.me = node

@pytest.mark.fettle(leaks=0)
def test_fixtures_end(shelf): shelf.append(hold(100))

@pytest.mark.fettle(leaks=0)
def test_freed_objects_in_reserve():
    several = [[float(n), (n, str(n)), {n: n}, [n], 10**n] for n in range(200)]
    del several

@pytest.mark.fettle(leaks=0)
def test_printing(): print('x' * 10_000)

@pytest.mark.fettle(leaks=2)
def test_two_are_allowed(): keep()
"""


def test_leaks(project: Project) -> None:
    project.write("app.py", APP)
    project.write("test_leaks.py", LEAKS)
    session = project.pytest()
    assert session.outcomes.pop("test_leaking") == "error"
    assert set(session.outcomes.values()) == {"passed"}, session.messages
    message = session.messages["test_leaking"]
    assert "2 blocks (" in message
    assert "still alive, 0 allowed: 2 at app.py:16 keep" in message


KINDS = """
import unittest
from unittest import mock
import pytest
from app import branch, leaf

@pytest.fixture
def work(): branch(50); yield; branch(50)

@pytest.mark.fettle(calls=CALLS)
@pytest.mark.parametrize("n", [1, 2])
def test_cases(n): branch(5)

@pytest.mark.fettle(calls=CALLS)
def test_fixtures_do_not_count(work): branch(5)

@pytest.mark.fettle(calls=CALLS)
class TestClass:
    def setup_method(self): branch(50)
    def test_method(self): branch(5)
    @pytest.mark.fettle(calls=10_000)
    def test_the_nearest_counts(self): branch(50)

class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.mark.fettle(calls=CALLS)
    async def test_async(self): branch(5)

class TestUnit(unittest.TestCase):
    def setUp(self): branch(50)
    @pytest.mark.fettle(calls=CALLS)
    def test_unit(self): branch(5)

@pytest.mark.fettle(calls=CALLS)
@mock.patch("app.KEPT", [])
def test_decorated(): branch(5)
"""


@pytest.mark.parametrize("less", [0, 1])
def test_kinds_of_tests(project: Project, less: int) -> None:
    project.write("app.py", APP)
    project.write("test_kinds.py", KINDS.replace("CALLS", str(calls_of("branch(5)") - less)))
    session = project.pytest()
    assert len(session.outcomes) == 8
    assert session.outcomes.pop("test_the_nearest_counts") == "passed"
    assert set(session.outcomes.values()) == {"failed" if less else "passed"}, session.messages


OUTCOMES = """
import pytest
from app import branch

@pytest.mark.fettle(calls=0, mem=0, time=0, leaks=0)
def test_skipped(): branch(5); pytest.skip("not today")

@pytest.mark.fettle(calls=0, leaks=0)
@pytest.mark.skip
def test_never(): branch(5)

@pytest.mark.fettle(calls=0, mem=0, time=0, leaks=0)
def test_failing(): branch(5); assert 1 == 2, "its own"

@pytest.mark.fettle(calls=0, leaks=0)
@pytest.mark.xfail(raises=KeyError)
def test_expected(): branch(5); raise KeyError

@pytest.mark.fettle(calls=0)
@pytest.mark.xfail(reason="too many calls", strict=True)
def test_expected_limit(): branch(5)

@pytest.fixture
def broken(): raise OSError

@pytest.mark.fettle(calls=0, leaks=0)
def test_broken(broken): branch(5)

def test_without(): branch(5)
"""


def test_what_did_not_pass_is_not_judged(project: Project) -> None:
    project.write("app.py", APP)
    project.write("test_outcomes.py", OUTCOMES)
    session = project.pytest()
    assert session.outcomes == {
        "test_skipped": "skipped",
        "test_never": "skipped",
        "test_failing": "failed",
        "test_expected": "skipped",
        "test_expected_limit": "skipped",
        "test_broken": "error",
        "test_without": "passed",
    }
    assert "its own" in session.messages["test_failing"]
    assert "allowed" not in session.messages["test_failing"]
    assert "2 xfailed" in session.stdout


TASKS = """
import asyncio
import pytest
from app import leaf

async def half(n):
    await asyncio.sleep(0)
    return leaf(n)

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.KIND
@pytest.mark.fettle(calls=100)
async def test_few():
    await half(1); await asyncio.sleep(0.001)

@pytest.mark.KIND
@pytest.mark.fettle(calls=100)
async def test_many():
    await asyncio.sleep(0)
    for n in range(200): leaf(n)

@pytest.mark.KIND
@pytest.mark.fettle(calls=100)
async def test_tasks():
    await asyncio.gather(*(half(n) for n in range(100)))

@pytest.mark.KIND
@pytest.mark.fettle(time="20ms")
async def test_waiting(): await asyncio.sleep(0.05)

@pytest.mark.KIND
@pytest.mark.fettle(leaks=0)
async def test_leaks():
    kept.append(bytearray(100))
kept = []
"""


@pytest.mark.parametrize("kind", ["asyncio", "anyio"])
def test_asynchronous_tests(project: Project, kind: str) -> None:
    project.write("app.py", APP)
    project.write("test_tasks.py", TASKS.replace("KIND", kind))
    session = project.pytest(plugins=(kind,))
    assert session.outcomes == {
        "test_few": "passed",
        "test_many": "failed",
        "test_tasks": "failed",
        "test_waiting": "failed",
        "test_leaks": "error",
    }, session.messages
    assert "200 of app.py:6(leaf)" in session.messages["test_many"]
    assert "200 of test_tasks.py:6(half)" in session.messages["test_tasks"]
    assert "at test_tasks.py:36 test_leaks" in session.messages["test_leaks"]


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ('time="soon"', "needs time=\"5ms\" (or seconds, as a number), not 'soon'"),
        ("mem=1.5", 'needs mem="1MB" (or bytes, as a whole number), not 1.5'),
        ("calls=-1", "needs calls= a whole number of 0 or more, not -1"),
        ('calls="3"', "needs calls= a whole number of 0 or more, not '3'"),
        ("leaks=True", "needs leaks= a whole number of 0 or more, not True"),
        ("seconds=3", "has no limit 'seconds'"),
        ("5", "takes limits by name"),
        ("", "takes limits by name"),
    ],
)
@pytest.mark.once
def test_marks_that_mean_nothing(project: Project, mark: str, said: str) -> None:
    write_test(project, "pass", mark)
    session = project.pytest()
    assert session.code == 4
    assert session.sentence().startswith(f"test_app.py::test_0: @pytest.mark.fettle {said}; write ")


@pytest.mark.once
def test_a_mark_that_means_nothing_in_a_worker(project: Project) -> None:
    write_test(project, "pass", "calls=1", "calls=-1")
    session = project.pytest("-n1", plugins=("xdist",))
    assert session.outcomes == {"test_0": "passed", "test_1": "error"}
    assert "needs calls= a whole number of 0 or more" in session.messages["test_1"]
