# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.timeit beside timeit: the same calls, the same command lines, with a clock that is
told what to say, so that what is printed can be compared word by word."""

import contextlib
import doctest
import inspect
import io
import subprocess
import sys
import timeit as peer
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fettle.compat import timeit as ours

BOTH = (peer, ours)
ENDS_WITH_ITS_OWN_NAMES = "fettle.compat.timeit is that, and adds:"


class Clock:
    """Each reading is that much later than the one before; more and more, if it drifts."""

    def __init__(self, step: float = 0.01, drift: float = 1.0) -> None:
        self.now, self.step, self.drift, self.wrapped = 100.0, step, drift, None

    def __call__(self) -> float:
        self.now += self.step
        self.step *= self.drift
        return self.now

    def wrap(self, timer: Any) -> "Clock":
        self.wrapped = timer
        return self


def end_of(act: Callable[[], object]) -> object:
    """What it gives or raises."""
    try:
        return act()
    except Exception as error:
        return type(error), str(error)


def test_examples() -> None:
    tried = doctest.testmod(ours, optionflags=doctest.ELLIPSIS)
    assert tried.failed == 0
    assert tried.attempted > 3


# ---- names ----


def test_every_name_is_there() -> None:
    assert ours.__all__ == peer.__all__
    assert {name for name in dir(peer) if not name.startswith("__")} <= set(dir(ours))
    assert set(dir(peer.Timer)) <= set(dir(ours.Timer))
    assert issubclass(ours.Timer, peer.Timer)
    for name in ("default_timer", "default_number", "default_repeat", "template", "dummy_src_name"):
        assert getattr(ours, name) is getattr(peer, name)


@pytest.mark.parametrize("name", ["timeit", "repeat", "reindent", "main"])
def test_functions_take_what_the_peers_take(name: str) -> None:
    if name != "main":
        assert inspect.signature(getattr(ours, name)) == inspect.signature(getattr(peer, name))
    else:
        assert list(inspect.signature(ours.main).parameters) == ["args", "_wrap_timer"]
    assert getattr(ours, name).__module__ == ours.__name__


def test_methods_take_what_the_peers_take() -> None:
    for name in ("__init__", "timeit", "repeat", "autorange", "print_exc"):
        mine, theirs = getattr(ours.Timer, name), getattr(peer.Timer, name)
        assert inspect.signature(mine) == inspect.signature(theirs)
        assert mine.__doc__ == theirs.__doc__


def test_names_that_are_set_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: Any = peer
    template = theirs.template.replace("return _t1 - _t0", "return 'ours'")
    monkeypatch.setattr(ours, "template", template, raising=False)
    assert ours.timeit("pass", number=1) == "ours"
    assert peer.timeit("pass", number=1) != "ours"

    class Other(ours.Timer):
        def timeit(self, number: int = 3) -> float:
            return float(number)

    monkeypatch.setattr(ours, "Timer", Other)
    assert ours.repeat("pass", number=7, repeat=2) == [7.0, 7.0]


# ---- calls ----

CALLS: dict[str, Callable[[ModuleType], object]] = {
    "timeit": lambda m: m.timeit("pass", timer=Clock(), number=5),
    "setup": lambda m: m.timeit("a.append(1)", "a = []", Clock(), 5),
    "functions": lambda m: m.timeit(lambda: None, lambda: None, Clock(), 5),
    "many lines": lambda m: m.timeit("if 1:\n  a = 2\nelse:\n  a = 3", "b = 3\nc = 4", Clock(), 5),
    "repeat": lambda m: m.repeat("pass", "pass", Clock(0.25), 3, 4),
    "none": lambda m: m.repeat("pass", timer=Clock(), repeat=0),
    "no loops": lambda m: m.timeit("1/0", timer=Clock(), number=0),
    "globals": lambda m: m.timeit("x + 1", timer=Clock(), number=2, globals={"x": 3}),
    "no globals": lambda m: m.timeit("no_such_name", timer=Clock(), number=2),
    "its own names": lambda m: m.timeit("default_timer; __name__", timer=Clock(), number=2),
    "autorange": lambda m: m.Timer("pass", timer=Clock(0.05, 1.3)).autorange(),
    "told": lambda m: (told := [], m.Timer("pass", timer=Clock(0.05, 1.3)).autorange(
        lambda *each: told.append(each)), told),
    "no statement": lambda m: m.Timer(None),
    "no setup": lambda m: m.Timer("pass", 3),
    "bad statement": lambda m: m.Timer("1 +"),
    "bad setup": lambda m: m.Timer("pass", "return"),
    "outside a loop": lambda m: m.Timer("break"),
    "raises": lambda m: m.timeit("1/0", number=3),
    "not a number": lambda m: m.timeit("pass", number="3"),
    "fraction": lambda m: m.timeit("pass", number=2.5),
    "clock fails": lambda m: m.timeit("pass", timer=lambda: 1 / 0, number=1),
    "not a clock": lambda m: m.timeit("pass", timer=3, number=1),
    "nonsense": lambda m: m.timeit("pass", nonsense=1),
    "reindent": lambda m: m.reindent("a\n  b\nc", 3),
    "source": lambda m: m.Timer("pass\npass", "a = 1").src,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_same_results_and_errors(name: str) -> None:
    theirs, mine = (end_of(lambda module=module: CALLS[name](module)) for module in BOTH)
    assert mine == theirs


def test_garbage_is_collected_again_afterwards() -> None:
    import gc

    assert ours.timeit("import gc; assert not gc.isenabled()", number=1) > 0
    assert gc.isenabled()


@pytest.mark.parametrize("setup", ["pass", "import sys"])
def test_the_traceback_shows_the_source(setup: str) -> None:
    shown = []
    for module in BOTH:
        timer, stream = module.Timer("a = 1\n1/0", setup), io.StringIO()
        try:
            timer.timeit(1)
        except ZeroDivisionError:
            timer.print_exc(file=stream)
        shown.append(stream.getvalue().splitlines()[3:])
    assert shown[0] == shown[1]
    assert any("1/0" in line for line in shown[1])


# ---- command lines ----

LINES: dict[str, list[str]] = {
    "nothing": [],
    "statement": ["pass"],
    "lines": ["if 1:", "  pass"],
    "number": ["-n", "4", "pass"],
    "joined": ["-n4", "-r2", "pass"],
    "long": ["--number=4", "--repeat", "2", "--setup", "a = 1", "--unit", "msec", "a"],
    "setups": ["-s", "a = 1", "-s", "b = a", "-n1", "b"],
    "raises": ["1/0"],
    "raises with a number": ["-n1", "1/0"],
    "verbose": ["-v", "pass"],
    "more verbose": ["-vvv", "pass"],
    "few": ["-r", "-3", "pass"],
    "units": ["-u", "nsec", "-n1", "pass"],
    "unknown unit": ["-u", "parsec", "pass"],
    "unknown option": ["--nonsense"],
    "process": ["-p", "-n1", "pass"],
    "old clock": ["-c", "-n1", "pass"],
    "old time": ["-t", "-n1", "pass"],
    "a dash": ["-n1", "--", "-1"],
    "no number": ["-n", "x"],
    "missing": ["-s"],
    "does not compile": ["1 +"],
    "spread is a statement": ["-n1", "--", "--spread"],
    "spread is a setup": ["-n1", "-s", "--spread", "pass"],
}


def run_main(module: ModuleType, args: list[str], drift: float) -> tuple[object, ...]:
    """What it prints, warns of, gives or raises, and the clock that it took."""
    clock, path = Clock(0.25 if drift < 1.1 else 0.03, drift), sys.path[:]
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        try:
            code = end_of(lambda: module.main(args, _wrap_timer=clock.wrap))
        except SystemExit as exit:
            code = exit.code
    sys.path[:] = path
    errors = [line for line in err.getvalue().splitlines() if "__main__" not in line]
    errors = [line for line in errors if not line.startswith("usage:")]
    return code, out.getvalue(), errors, [str(each.message) for each in warned], clock.wrapped


@pytest.mark.parametrize("drift", [1.0, 1.2])
@pytest.mark.parametrize("name", LINES)
def test_the_same_output(name: str, drift: float) -> None:
    theirs, mine = (run_main(module, LINES[name], drift) for module in BOTH)
    assert mine == theirs


def test_help_is_the_peers_and_what_we_add() -> None:
    theirs, mine = (str(run_main(module, ["-h"], 1.0)[1]) for module in BOTH)
    if theirs.startswith("usage:"):
        assert mine == theirs
    else:
        assert mine.startswith(theirs.rstrip())
        assert ENDS_WITH_ITS_OWN_NAMES in mine


def python_m(module: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_run_as_a_program() -> None:
    done = python_m("fettle.compat.timeit", "-n", "5", "-r", "1", "-u", "sec", "pass")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5 loops, best of 1: ")
    for args in (
        ["1/0"],
        ["--nonsense"],
        ["-u", "parsec"],
        ["-s", "import no_such_module", "pass"],
    ):
        theirs, mine = (python_m(name, *args) for name in ("timeit", "fettle.compat.timeit"))
        assert mine.returncode == theirs.returncode != 0
        assert mine.stdout == theirs.stdout
        assert mine.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


# ---- --spread ----


@pytest.mark.parametrize("drift", [1.0, 1.01])
@pytest.mark.parametrize(
    "args",
    [["--spread"], ["-r", "20", "--spread", "-n3"], ["-vn", "3", "--spread"], ["-n3", "--spread"]],
)
def test_spread_adds_a_line(args: list[str], drift: float) -> None:
    without = [each for each in args if each != "--spread"]
    theirs = run_main(peer, [*without, "pass"], drift)
    mine = run_main(ours, [*args, "pass"], drift)
    assert mine[0] is None and mine[2:] == theirs[2:]
    printed = str(mine[1])
    assert printed.startswith(str(theirs[1]))
    (line,) = printed[len(str(theirs[1])) :].splitlines()
    assert line.startswith("median ")
    assert "% certain)" in line
    assert ("the runs differ: " in line) == (drift > 1)


def test_spread_is_silent_where_nothing_was_measured() -> None:
    theirs, mine = run_main(peer, ["1/0"], 1.0), run_main(ours, ["--spread", "1/0"], 1.0)
    assert mine[:2] == theirs[:2] == (1, "")
    assert list(mine[2])[-1:] == list(theirs[2])[-1:]  # type: ignore[call-overload]


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    import random

    source = random.Random(8)
    for count in (1, 2, 5, 6, 20, 51):
        outside, sure = ours._interval(count)
        trials, inside = 4000, 0
        for _ in range(trials):
            each = sorted(source.random() for _ in range(count))
            inside += each[outside] <= 0.5 <= each[-1 - outside]
        assert abs(inside / trials - sure) < 0.02
        assert sure >= 0.95 or outside == 0
