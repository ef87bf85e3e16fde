# SPDX-License-Identifier: Apache-2.0
"""The hooks that measure tests: those with limits, and with --fettle-baseline all.

What is judged is a test function that returned: a test that fails or is skipped stays what it is. A
limit that is passed fails the test, so a test marked xfail is then one that was expected to fail.
"""

from __future__ import annotations

import warnings

import pytest

from fettle.problem import Problem
from fettle.testing import figures, limits, marks
from fettle.testing.take import Again, Take, in_place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any, Literal

    from fettle.testing.baseline import Baseline
    from fettle.testing.marks import Limits

_NAME = "fettle-measuring"
_MEASURES = {"benchmark", "fettle"}  # fixtures
_AGAIN = pytest.StashKey[Again]()
COUNTS = pytest.StashKey["dict[str, Any]"]()  # what the reports of a test carry


class Measuring:
    """limits: by test."""

    def __init__(self, is_recorded: bool) -> None:
        self.limits: dict[pytest.Item, Limits] = {}
        self.wrong: dict[pytest.Item, str] = {}  # marks that are no limits
        self.baseline: Baseline | None = None
        self.is_recorded = is_recorded  # the session: then nothing is said of times

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item in self.wrong:
            _fail([self.wrong[item]])

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        allowed = self.limits.get(item, {})
        baseline = self.baseline if _counts_alike(item) else None
        if not (allowed or baseline) or not isinstance(item, pytest.Function):
            yield
            return
        function = item.obj
        take = Take(function, _calls(allowed, baseline), _has_memory(allowed, baseline))
        again = Again(function) if "leaks" in allowed else None
        if again is not None:
            item.stash[_AGAIN] = again
        with in_place_of(item, _both(take, again, function)):
            yield
        if not take.ended:
            said = f"{item.nodeid} was not measured: what calls its function is not known"
            warnings.warn(said, stacklevel=1)
        else:
            _judge(item, allowed, take, baseline, is_timed=not self.is_recorded)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        again = item.stash.get(_AGAIN, None)
        if again is None:
            yield
            return
        del item.stash[_AGAIN]
        try:
            yield
            getattr(item, "funcargs", {}).clear()  # what the test's own fixtures gave is over
            wrong = limits.leaks(self.limits[item]["leaks"], again) if again.ended else []
        finally:
            again.finish()
        _fail(wrong)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        counts = item.stash.get(COUNTS, None)
        if counts is not None and report.when == "call":
            vars(report)["fettle_counts"] = counts
        if self.is_recorded and report.when == "call" and "time" in self.limits.get(item, {}):
            vars(report)["fettle_untimed"] = True
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.baseline is not None and hasattr(report, "fettle_counts"):
            self.baseline.take(report.nodeid, report.fettle_counts)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        sentences = self.baseline.end() if self.baseline is not None else []
        for sentence in sentences:
            terminalreporter.write_line(f"fettle: {sentence}")


def _counts_alike(item: pytest.Item) -> bool:
    """Does it count the same in each run? What measures times calls as often as there is time."""
    return not _MEASURES.intersection(getattr(item, "fixturenames", ()))


def _calls(allowed: Limits, baseline: Baseline | None) -> Literal["all", "python", ""]:
    if baseline is not None or "calls" in allowed:
        return "all"
    return "python" if "time" in allowed else ""


def _has_memory(allowed: Limits, baseline: Baseline | None) -> bool:
    return baseline is not None or "mem" in allowed or "allocations" in allowed


def _judge(
    item: pytest.Item, allowed: Limits, take: Take, baseline: Baseline | None, is_timed: bool
) -> None:
    counted = figures.Figures(take)
    wrong = limits.judge(allowed, take, counted, is_timed)
    if baseline is not None:
        item.stash[COUNTS] = baseline.entry(counted)
        wrong += baseline.judge(item.nodeid, counted)
    _fail(wrong)


def _both(take: Take, again: Again | None, function: Any) -> Any:
    """The function measured, and then, for its leaks, called once more."""
    measured = take.of(function)
    return measured if again is None else again.of(measured)


def _fail(wrong: list[str]) -> None:
    if wrong:
        pytest.fail("fettle: " + "\nfettle: ".join(wrong), pytrace=False)


def _registered(config: pytest.Config) -> Measuring:
    found = config.pluginmanager.getplugin(_NAME)
    if not isinstance(found, Measuring):
        found = Measuring(config.option.fettle is not None)
        config.pluginmanager.register(found, _NAME)
    return found


def begin_limits(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Reads the limits of all that was collected. pytest.UsageError for what is none; in a worker,
    which can not end the run, the test is an error."""
    measuring = _registered(config)
    for item in items:
        try:
            measuring.limits[item] = marks.read(item.iter_markers("fettle"), item.nodeid)
        except Problem as problem:
            if not hasattr(config, "workerinput"):
                raise pytest.UsageError(f"fettle: {problem.sentence}") from None
            measuring.wrong[item] = problem.sentence


def begin_baseline(config: pytest.Config, baseline: Baseline) -> None:
    _registered(config).baseline = baseline
