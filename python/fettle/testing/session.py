# SPDX-License-Identifier: Apache-2.0
"""`pytest --fettle`: one recording of all tests, and where the slowest spent their time.

It is on while a test function or that of a fixture runs: these stand at the top of the call tree.
With memory it is on all the time, since what dies in between must be heard of; then pytest's own
functions are left out, but not the functions in C that these call. With pytest-xdist each worker
records its own, and the controller puts them together.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import contextmanager
from sysconfig import get_path

import pytest

from fettle import _core
from fettle.inside import Run
from fettle.testing import subtree, take
from fettle.testing.recorded import Finished, Row, gathered, hot_of, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from fettle.testing.options import Asked

_LEFT_OUT = ("_pytest", "pluggy", "pytest", "xdist", "execnet", "pytest_asyncio", "anyio")


class Recording:
    """The hooks. Of the tests of this process it knows the frames in which they run."""

    def __init__(self, asked: Asked, output: str, rows: int) -> None:
        self.output = output
        self.count = max(rows, 0)
        self.stays_on = asked.mem
        self.selectors = list(asked.lines)
        self.run = Run(calls=asked.calls, lines=list(asked.lines) or asked.has_lines, mem=asked.mem)
        self.places: dict[str, subtree.Place] = {}  # by test
        self.shared: Counter[Any] = Counter()  # tests of each code
        self.rows: dict[str, Row] = {}
        self.finished: list[Finished] = []  # workers, or this process
        self.lost: list[str] = []  # workers that ended without their recording
        self.untimed = 0  # tests whose limit of time was not judged

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.shared.update(take.code_of(getattr(item, "obj", None)) for item in session.items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if not self.stays_on or _is_controller(session.config):
            return (yield)
        _leave_out_pytest()
        self.run.start()
        try:
            return (yield)
        finally:
            self.run.stop()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        function = fixturedef.func
        fixturedef.func = take.Fixture(*self._switched()).of(function)
        try:
            return (yield)
        finally:
            fixturedef.func = function

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        watch = item.stash[_WATCH] = _core.Stopwatch()
        around = take.Around(watch, *self._switched())
        if not isinstance(item, pytest.Function):
            with around:
                yield
            return
        with take.in_place_of(item, around.of(self._framed(item))):
            yield

    def _switched(self) -> list[Run]:
        """What is on while a function runs, and off in between."""
        return [] if self.stays_on else [self.run]

    def _framed(self, item: pytest.Function) -> Any:
        """The test's function, with a frame of its own where another test has the same."""
        function = item.obj
        code = take.code_of(function)
        if code is not None and self.shared[code] > 1:
            name = item.nodeid.partition("::")[2]
            function = take.named(function, code, name)
            self.places[item.nodeid] = code.co_filename, code.co_firstlineno, name
        elif code is not None:
            self.places[item.nodeid] = subtree.place_of(code)
        return function

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        watch = item.stash.get(_WATCH, None)
        if watch is not None and report.when == "call":
            vars(report)["fettle_times"] = [watch.wall, watch.cpu, watch.waiting]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = self.rows.setdefault(report.nodeid, Row(report.nodeid))
        if report.when != "call":
            row.fixtures += report.duration
        row.wall, row.cpu, row.waiting = getattr(report, "fettle_times", row.times())
        self.untimed += getattr(report, "fettle_untimed", False)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Not recorded: what measures times itself."""
        is_on = self.run.active
        if is_on:
            self.run.pause()
        try:
            yield
        finally:
            if is_on:
                self.run.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if _is_controller(session.config):
            return
        slowest = self._slowest()
        profile = gathered(self.run)
        places = {row.test: self.places.get(row.test) for row in slowest}
        mine = Finished(profile, hot_of(profile, places))
        workeroutput: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if workeroutput is None:
            self.finished.append(mine)
        else:
            workeroutput["fettle"] = mine.sent()

    def _slowest(self) -> list[Row]:
        return sorted(self.rows.values(), key=lambda row: row.wall, reverse=True)[: self.count]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        try:
            self.finished.append(Finished.received(node.workeroutput["fettle"]))
        except (AttributeError, KeyError, OSError, MemoryError, _core.FileError):
            self.lost.append(node.gateway.id)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from fettle.report.size import counted

        slowest = self._slowest()
        if slowest:
            of = f"{len(slowest)} of {counted(len(self.rows), 'test')}"
            terminalreporter.section(f"fettle: the slowest {of}")
            hot = {test: rows for each in self.finished for test, rows in each.hot.items()}
            for line in table(slowest, hot):
                terminalreporter.write_line(line)
        for sentence in self._save():
            terminalreporter.write_line(f"fettle: {sentence}")

    def _save(self) -> list[str]:
        from fettle import selectors
        from fettle.problem import reason
        from fettle.report.size import counted
        from fettle.testing.recorded import save

        sentences = [
            f"worker {name} ended without its recording, so what it ran is not in the file; run it"
            " without -n for that."
            for name in self.lost
        ]
        if self.untimed:
            sentences.append(
                f"{counted(self.untimed, 'limit')} of time not judged, since recording the session"
                " takes time: run without --fettle for that."
            )
        if not self.finished or not self.rows:
            return [*sentences, "nothing was recorded, for no test ran."]
        name = os.path.relpath(self.output)
        try:
            save(self.finished, self.output, self.run)
        except OSError as error:
            lost = f"cannot write {name}: {reason(error)}"
            return [*sentences, f"{lost}; name another file with --fettle-output."]
        unmatched = selectors.unmatched(self.finished[0].profile, self.selectors, "")
        sentences += [sentence.replace("--", "--fettle=", 1) for sentence in unmatched]
        return [*sentences, f"the recording is in {name}: `fettle view {name}` shows it."]


_WATCH = pytest.StashKey[_core.Stopwatch]()


def _is_controller(config: pytest.Config) -> bool:
    """Do other processes run the tests?"""
    return config.pluginmanager.hasplugin("dsession")


def _leave_out_pytest() -> None:
    """Of the recordings of this process."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and (
            name.partition(".")[0] in _LEFT_OUT or name.startswith("fettle.testing")
        ):
            _core.leave_out(file)
    _core.leave_out(os.path.join(get_path("stdlib"), "contextlib.py"))


def begin(config: pytest.Config, asked: Asked, output: str, rows: int) -> None:
    """Problem where the recording could not be written."""
    from fettle import output as outputs
    from fettle.problem import USAGE, Problem

    try:
        if not hasattr(config, "workerinput"):
            outputs.check(output)
        recording = Recording(asked, output, rows)
        with Recording(asked, output, rows).run:  # is there room for another tool?
            pass
    except (RuntimeError, ValueError) as error:
        raise Problem(USAGE, f"--fettle can not record: {error}.") from None
    except Problem as problem:
        raise Problem(
            problem.code, problem.sentence.replace("with -o", "with --fettle-output")
        ) from None
    config.pluginmanager.register(recording, "fettle-session")
