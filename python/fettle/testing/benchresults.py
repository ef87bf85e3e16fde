# SPDX-License-Identifier: Apache-2.0
"""What the fixture benchmark measured: statistics under pytest-benchmark's names, and the table at
the end of the session."""

from __future__ import annotations

import math
import statistics
from array import array
from functools import cached_property

import pytest

from fettle import _core
from fettle.report.columns import aligned
from fettle.report.names import visible
from fettle.report.size import counted
from fettle.timing.stopwatch import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any

    from fettle.testing.benchmark import Benchmark

_NAME = "fettle-benchmark-results"
_FEWEST = 6  # rounds: of fewer not even the least and the most have the median between them
# with 95 %
_FIELDS = (
    "min",
    "max",
    "mean",
    "stddev",
    "rounds",
    "median",
    "iqr",
    "q1",
    "q3",
    "iqr_outliers",
    "stddev_outliers",
    "outliers",
    "ld15iqr",
    "hd15iqr",
    "ops",
    "total",
)


class Statistics:
    """Of the rounds of one benchmark; times are seconds a call.

    >>> found = Statistics([3.0, 1.0, 2.0])
    >>> found.min, found.max, found.mean, found.median, found.rounds, found.stddev, found.ops
    (1.0, 3.0, 2.0, 2.0, 3, 1.0, 0.5)
    """

    def __init__(self, data: Sequence[float]) -> None:
        self.data = list(data)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}

    @cached_property
    def sorted_data(self) -> list[float]:
        return sorted(self.data)

    @property
    def rounds(self) -> int:
        return len(self.data)

    @cached_property
    def total(self) -> float:
        return sum(self.data)

    @cached_property
    def min(self) -> float:
        return min(self.data)

    @cached_property
    def max(self) -> float:
        return max(self.data)

    @cached_property
    def mean(self) -> float:
        return statistics.fmean(self.data)

    @cached_property
    def median(self) -> float:
        return statistics.median(self.data)

    @cached_property
    def stddev(self) -> float:
        if len(self.data) < 2:
            return 0.0
        squares = math.fsum((each - self.mean) ** 2 for each in self.data)
        return math.sqrt(squares / (len(self.data) - 1))

    @property
    def ops(self) -> float:
        """Calls a second."""
        return self.rounds / self.total if self.total else 0.0

    @cached_property
    def _quartiles(self) -> tuple[float, float]:
        """Of an even number the medians of the halves; of an odd one the mean of the medians of the
        halves with the middle and without it."""
        data, half = self.sorted_data, len(self.data) // 2
        if len(data) == 1:
            return data[0], data[0]
        median = statistics.median
        if len(data) % 2 == 0:
            return median(data[:half]), median(data[half:])
        least, most = data[:half], data[half + 1 :]
        with_least, with_most = data[: half + 1], data[half:]
        return (
            (median(least) + median(with_least)) / 2,
            (median(most) + median(with_most)) / 2,
        )

    @property
    def q1(self) -> float:
        return self._quartiles[0]

    @property
    def q3(self) -> float:
        return self._quartiles[1]

    @property
    def iqr(self) -> float:
        return self.q3 - self.q1

    @property
    def ld15iqr(self) -> float:
        """The least that is no outlier: at most 1.5 quartile ranges below the first quartile."""
        return next(each for each in self.sorted_data if each >= self.q1 - 1.5 * self.iqr)

    @property
    def hd15iqr(self) -> float:
        """The most that is no outlier."""
        return next(each for each in self.sorted_data[::-1] if each <= self.q3 + 1.5 * self.iqr)

    @property
    def iqr_outliers(self) -> int:
        low, high = self.q1 - 1.5 * self.iqr, self.q3 + 1.5 * self.iqr
        return sum(not low <= each <= high for each in self.data)

    @property
    def stddev_outliers(self) -> int:
        low, high = self.mean - self.stddev, self.mean + self.stddev
        return sum(not low <= each <= high for each in self.data)

    @property
    def outliers(self) -> str:
        return f"{self.stddev_outliers};{self.iqr_outliers}"


class Metadata:
    """benchmark.stats: the statistics as items, attributes and .stats, and what they are of."""

    def __init__(self, fixture: Benchmark, samples: Sequence[float], iterations: int) -> None:
        self.stats = Statistics(samples)
        self.iterations = iterations
        self.name, self.fullname = fixture.name, fixture.fullname
        self.param, self.params = fixture.param, fixture.params
        self.options = fixture.options
        self.has_error = False
        self._fixture = fixture  # group and extra_info may be set later

    @property
    def group(self) -> str | None:
        return self._fixture.group

    @property
    def extra_info(self) -> dict[str, Any]:
        return self._fixture.extra_info

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "stats":
            raise AttributeError(name)
        return getattr(self.stats, name)

    def row(self) -> dict[str, Any]:
        """What the table has of it, as a report carries it."""
        found = _core.describe([array("d", self.stats.data)])
        return {
            "group": self.group or "",
            "name": self._fixture.name,
            "median": self.stats.median,
            "low": found.low,
            "high": found.high,
            "min": self.stats.min,
            "mean": self.stats.mean,
            "stddev": self.stats.stddev,
            "rounds": self.stats.rounds,
            "iterations": self.iterations,
            "ops": self.stats.ops,
            "extra": {str(name): str(value) for name, value in self.extra_info.items()},
        }


_STATS = pytest.StashKey[Metadata]()


class Results:
    """The hooks: results of tests that passed, wherever they ran."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def keep(self, node: pytest.Item, stats: Metadata) -> None:
        node.stash[_STATS] = stats

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        stats = item.stash.get(_STATS, None)
        if stats is not None and report.when == "teardown" and report.passed:
            vars(report)["fettle_benchmark"] = stats.row()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = getattr(report, "fettle_benchmark", None)
        if row is not None:
            self.rows.append(row)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for group in sorted({row["group"] for row in self.rows}):
            rows = [row for row in self.rows if row["group"] == group]
            name = f" {visible(group)}" if group else ""
            terminalreporter.section(f"fettle: benchmark{name}, {counted(len(rows), 'test')}")
            for line in table(rows):
                terminalreporter.write_line(line)


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The fastest first; with how many times its median each takes."""
    ordered = sorted(rows, key=lambda row: row["median"])
    least = ordered[0]["median"]
    head = ["median", "", "95 % interval", "min", "mean", "stddev", "rounds", "calls", "test", ""]
    cells = []
    for row in ordered:
        has_interval = row["rounds"] >= _FEWEST and row["high"] < float("inf")
        cells.append(
            [
                said(row["median"]),
                f"{row['median'] / least:.2f}x" if least and len(rows) > 1 else "",
                f"{said(row['low'])} to {said(row['high'])}" if has_interval else "",
                said(row["min"]),
                said(row["mean"]),
                said(row["stddev"]),
                str(row["rounds"]),
                str(row["iterations"]),
                visible(row["name"]),
                visible(" ".join(f"{name}={value}" for name, value in row["extra"].items())),
            ]
        )
    return aligned(head, cells)


def table_of(config: pytest.Config) -> Results:
    """The results of this session."""
    found = config.pluginmanager.getplugin(_NAME)
    if not isinstance(found, Results):
        found = Results()
        config.pluginmanager.register(found, _NAME)
    return found
