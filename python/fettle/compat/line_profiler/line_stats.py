# SPDX-License-Identifier: Apache-2.0
"""LineStats: what was recorded, to be added, shown, and kept in .lprof files.

Such a file is a pickle. It is written and decoded by the engine, which knows what one can hold and
executes nothing.
"""

from os import PathLike, fspath
from typing import Protocol, Self, TextIO

from fettle import _core

from . import _line_profiler
from ._line_profiler import Label, Row, Timings
from .text import Config, show_text

File = str | PathLike[str]


class StatsLike(Protocol):
    """What can be added to a LineStats: a table for each function, and the unit of its times."""

    timings: Timings
    unit: float


class LineStats(_line_profiler.LineStats):
    """{(file, first line, name): [(line, hits, time), ...]}, and the unit of the times in seconds.

    >>> one = LineStats({("app.py", 1, "main"): [(2, 3, 900)]}, 1e-6)
    >>> one + one
    LineStats({('app.py', 1, 'main'): [(2, 6, 1800)]}, 1E-06)
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.timings}, {self.unit:.2G})"

    def __eq__(self, other: object) -> bool:
        try:
            theirs = (other.timings, other.unit)  # type: ignore[attr-defined]
            return (self.timings, self.unit) == theirs
        except AttributeError:
            return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __add__(self, other: StatsLike) -> Self:
        return type(self)(*_sum(self, other))

    def __iadd__(self, other: StatsLike) -> Self:
        self.timings, self.unit = _sum(self, other)
        return self

    def print(
        self,
        stream: TextIO | None = None,
        output_unit: float | None = None,
        stripzeros: bool = False,
        details: bool = True,
        summarize: bool = False,
        sort: bool = False,
        rich: bool = False,
        *,
        config: Config = None,
    ) -> None:
        """Writes the tables to stream, or stdout; see show_text()."""
        show_text(
            self.timings,
            self.unit,
            output_unit,
            stream,
            stripzeros,
            details,
            summarize,
            sort,
            rich,
            config=config,
        )

    def to_file(self, filename: File) -> None:
        """Writes an .lprof file, which line_profiler reads too. OSError if it cannot be written."""
        content = _core.write_lprof(self.timings, self.unit)
        with open(filename, "wb") as stream:
            stream.write(content)

    @classmethod
    def from_files(cls, file: File, /, *files: File) -> Self:
        """The sum of what .lprof files hold. OSError, and FileError for a file that is none."""
        read = (_core.read_lprof(fspath(each)) for each in (file, *files))
        return cls.from_stats_objects(*(cls(timings, unit) for timings, unit in read))

    @classmethod
    def from_stats_objects(cls, stats: StatsLike, /, *more_stats: StatsLike) -> Self:
        """The sum of several, a copy of one.

        >>> fine = LineStats({("app.py", 1, "main"): [(2, 1, 5000)]}, 1e-9)
        >>> coarse = LineStats({("app.py", 1, "main"): [(2, 1, 10), (3, 1, 2)]}, 1e-6)
        >>> LineStats.from_stats_objects(fine, coarse)
        LineStats({('app.py', 1, 'main'): [(2, 2, 15), (3, 1, 2)]}, 1E-06)
        """
        return cls(*_sum(stats, *more_stats))


load_stats = LineStats.from_files


def _sum(first: StatsLike, *others: StatsLike) -> tuple[Timings, float]:
    """Times in the coarsest of the units, rounded once; a single one's are left as they are."""
    if not others:
        return {key: list(rows) for key, rows in first.timings.items()}, first.unit
    ascending = sorted((first, *others), key=lambda stats: stats.unit)
    unit = ascending[-1].unit
    tables: dict[Label, dict[int, tuple[int, float]]] = {}
    for stats in ascending:  # the small ones first: the least is lost to rounding
        for key, rows in stats.timings.items():
            table = tables.setdefault(key, {})
            for line, hits, time in rows:
                hits_before, time_before = table.get(line, (0, 0))
                table[line] = (hits_before + hits, time_before + time * (stats.unit / unit))
    return {key: _rows(table) for key, table in tables.items()}, unit


def _rows(table: dict[int, tuple[int, float]]) -> list[Row]:
    return [(line, hits, round(time)) for line, (hits, time) in sorted(table.items())]
