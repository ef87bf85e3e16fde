# SPDX-License-Identifier: Apache-2.0
"""pytest --fettle: the recording holds what the tests did, the table says where their time went."""

import re
from pathlib import Path

import pytest
from fettle import _core
from fettle.testing import marks

from .harness import Project

APP = """
import time

def leaf(n): return n

def load(n): return [leaf(each) for each in range(n)]

def nap(): time.sleep(0.3)

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
"""

TESTS = """
import pytest
from app import leaf, load, nap, spin

@pytest.fixture
def loaded():
    load(7)
    yield
    load(11)

@pytest.fixture(scope="module")
def once(): return load(1000)

@pytest.mark.parametrize("n", [200, 300])
def test_case(n, loaded): load(n)

def test_nap(once): nap()

def test_spin(once): spin(0.02)

class Common:
    def setup_method(self): load(100)
    def test_common(self): load(self.count)

class TestOne(Common):
    count = 200

class TestTwo(Common):
    count = 400

def test_failing(): load(3); assert 0

def test_skipped(): load(5); pytest.skip()
"""
# Of leaf: the cases and their fixture twice, once, setup_method and the tests.
LEAVES = 200 + 300 + 2 * (7 + 11) + 1000 + 2 * 100 + 200 + 400 + 3 + 5


def started(project: Project) -> Project:
    project.write("app.py", APP)
    project.write("test_app.py", TESTS)
    return project


def calls_of(path: Path, name: str) -> int:
    return sum(row.calls for row in _core.Profile.read(str(path)).functions() if row.name == name)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_recording_holds_tests_and_fixtures(project: Project, workers: int) -> None:
    started(project)
    xdist = ("-n", str(workers), "--dist", "loadfile") if workers else ()
    session = project.pytest("--fettle", *xdist, plugins=("xdist",) if workers else ())
    assert session.outcomes["test_failing"] == "failed"
    assert "6 passed, 1 skipped" in session.stdout
    assert calls_of(project.path / "pytest.fettle", "leaf") == LEAVES
    assert "fettle: the recording is in pytest.fettle: `fettle view " in session.stdout


def test_the_top_of_the_tree(project: Project) -> None:
    started(project).pytest("--fettle")
    rows = _core.Profile.read(str(project.path / "pytest.fettle")).tree()
    top = {row.name for row in rows if row.kind == "call" and rows[row.parent].kind != "call"}
    assert {"test_case[200]", "test_case[300]", "test_nap", "test_failing"} <= top
    assert {"loaded", "once"} <= {row.name for row in rows}
    assert "pytest_pyfunc_call" not in {row.name for row in rows}


def table(stdout: str) -> dict[str, list[str]]:
    """The lines of each test's functions, by test."""
    found: dict[str, list[str]] = {}
    lines = stdout.partition("fettle: the slowest")[2].partition("fettle: the recording")[0]
    name = ""
    for line in lines.splitlines()[2:]:
        test = re.search(r"test_app\.py::(\S+)", line)
        if test:
            name = test[1]
            found[name] = [line]
        else:
            found[name].append(line.strip())
    return found


def test_the_slowest_tests_and_their_functions(project: Project) -> None:
    session = started(project).pytest("--fettle", "--fettle-rows=7")
    assert "the slowest 7 of 8 tests" in session.stdout
    rows = table(session.stdout)
    texts = [re.sub(r"^ *([\d.]+) (\w+) .*", r"\1\2", row[0]) for row in rows.values()]
    walls = [marks.seconds(text) for text in texts]
    assert walls == sorted(walls, key=lambda wall: -(wall or 0.0))
    head, hottest, *_ = rows["test_nap"]
    assert re.search(r"(9\d|100) %", head), head
    assert re.fullmatch(r"[\d.]+ ms in \{built-in method time.sleep\}, 1 call", hottest)
    assert "%" not in rows["test_spin"][0]
    assert "app.py:10(spin), 1 call" in "".join(rows["test_spin"][1:])


def leaves_below(rows: list[_core.TreeRow], test: str) -> list[int]:
    """The calls of leaf below each test of this name."""
    found = {at: 0 for at, row in enumerate(rows) if row.name == test}
    for row in rows:
        above = row.parent
        while row.name == "leaf" and above >= 0:
            if above in found:
                found[above] += row.calls
            above = rows[above].parent
    return sorted(found.values())


def test_cases_are_told_apart(project: Project) -> None:
    printed = table(started(project).pytest("--fettle", "--fettle-rows=9").stdout)
    tests = {"TestOne::test_common", "TestTwo::test_common", "test_case[200]", "test_case[300]"}
    assert tests <= printed.keys()
    rows = _core.Profile.read(str(project.path / "pytest.fettle")).tree()
    assert leaves_below(rows, "test_case[200]") == [200]
    assert leaves_below(rows, "test_case[300]") == [300]
    assert leaves_below(rows, "test_common") == [200, 400]


def test_lines_and_memory(project: Project) -> None:
    project.write("app.py", APP + "\ndef hold(): return bytearray(3_000_000)\n")
    project.write(
        "test_app.py", "from app import hold, load\ndef test(): load(5)\ndef test_hold(): hold()\n"
    )
    session = project.pytest("--fettle=lines=app.py:load,mem", "--fettle-output", "x.fettle")
    assert session.code == 0
    profile = _core.Profile.read(str(project.path / "x.fettle"))
    (of_lines,) = profile.lines()
    assert of_lines[3] == "load"
    assert of_lines[4] == 1
    assert max(row.peak_bytes for row in profile.sites()) == pytest.approx(3_000_000, rel=0.01)
    assert profile.totals().calls == 0


def test_lines_of_nothing_are_said(project: Project) -> None:
    project.write("app.py", APP)
    project.write("test_app.py", "from app import load\ndef test(): load(5)\n")
    session = project.pytest("--fettle=calls,lines=app.py:laod")
    assert "the slowest 1 of 1 test " in session.stdout
    said = "fettle: --fettle=lines=app.py:laod matched nothing; near: app.py:load."
    assert said in session.stdout


def test_asynchronous_tests_are_recorded(project: Project) -> None:
    project.write("app.py", APP)
    project.write(
        "test_app.py",
        """
import asyncio, pytest
from app import load

@pytest.fixture
async def loaded(): load(20); yield; load(20)

@pytest.mark.asyncio
async def test(loaded): await asyncio.sleep(0.01); load(3)
""",
    )
    session = project.pytest("--fettle", "-o", "asyncio_mode=auto", plugins=("asyncio",))
    assert session.outcomes == {"test": "passed"}
    assert calls_of(project.path / "pytest.fettle", "leaf") in {23, 43}


@pytest.mark.once
def test_a_recording_before_is_kept(project: Project) -> None:
    started(project)
    project.pytest("--fettle", "-k", "case")
    project.pytest("--fettle", "-k", "spin")
    assert calls_of(project.path / "pytest.prev.fettle", "spin") == 0
    assert calls_of(project.path / "pytest.fettle", "spin") == 1


@pytest.mark.once
def test_no_test_ran(project: Project) -> None:
    session = started(project).pytest("--fettle", "-k", "nonesuch")
    assert "fettle: nothing was recorded, for no test ran." in session.stdout
    assert not (project.path / "pytest.fettle").exists()


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fettle", "test_app.py"), "--fettle takes calls, lines, lines=SEL and mem, "),
        (("--fettle=calls,time",), "not 'time'"),
        (("--fettle=mem=all",), "not 'mem=all'"),
        (("--fettle", "--fettle-output=app.py"), "app.py is not a fettle recording and stays as"),
        (("--fettle", "--fettle-output=no/x.fettle"), "No such file or directory; name another "),
        (("--fettle-update",), "--fettle-update needs the file that it shall write: "),
        (("--fettle-baseline=none.json",), "none.json; --fettle-update writes it."),
        (("--fettle-baseline=app.py",), "app.py is no JSON; name another file with "),
        (("--fettle-baseline=b", "--fettle-update", "--fettle-tolerance=x"), "a percentage of 0"),
    ],
)
def test_options_that_can_not_be(project: Project, words: tuple[str, ...], said: str) -> None:
    session = started(project).pytest(*words)
    assert session.code == 4
    assert said in session.sentence()
    assert session.outcomes == {}


@pytest.mark.once
def test_a_worker_that_dies_is_said(project: Project) -> None:
    project.write("app.py", APP)
    project.write(
        "test_app.py",
        "import os\nfrom app import load\ndef test_a(): load(3)\ndef test_b(): os._exit(3)\n",
    )
    session = project.pytest("--fettle", "-n1", "--max-worker-restart=0", plugins=("xdist",))
    assert "fettle: worker gw0 ended without its recording, " in session.stdout


IDLE = """
import sys
def test_nothing(): pass
def test_unasked(request):
    names = sorted(name for name in sys.modules if name.partition(".")[0] == "fettle")
    assert names == ["fettle", "fettle.pytest_plugin"]
    hooks = request.config.pluginmanager.hook
    for name in ("pytest_runtest_call", "pytest_runtest_makereport", "pytest_runtest_logreport",
                 "pytest_runtest_protocol", "pytest_fixture_setup", "pytest_runtestloop"):
        for each in getattr(hooks, name).get_hookimpls():
            assert "fettle" not in each.plugin_name, name
"""


def test_modules_of_fettle_keep_their_loader(project: Project) -> None:
    """pytest's own, for what has a plugin, can not be run by runpy."""
    project.write(
        "test_loader.py",
        "def test_it():\n    import fettle.compat.kernprof as found\n"
        "    assert hasattr(found.__loader__, 'get_code')\n",
    )
    assert project.pytest().outcomes == {"test_it": "passed"}


def test_unasked_it_loads_and_hooks_nothing(project: Project) -> None:
    project.write("test_idle.py", IDLE)
    assert project.pytest().outcomes == {"test_nothing": "passed", "test_unasked": "passed"}


@pytest.mark.once
def test_no_warning_where_fettle_is_imported_first(project: Project) -> None:
    project.write("test_idle.py", "def test_nothing(): pass\n")
    program = "import fettle, pytest; pytest.main(['-q', '-p', 'no:asyncio'])"
    done = project.python("-W", "error", "-c", program)
    assert "1 passed" in done.stdout, done.stdout
    assert "warning" not in done.stdout
