# SPDX-License-Identifier: Apache-2.0
"""The table of one function's lines: kernprof's columns, and what part of a line's time was waiting
or spent in functions that it called.
"""

from fettle.report.listing import last_line, shown
from fettle.report.names import visible
from fettle.report.table import counted, waiting
from fettle.report.unit import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle.report.names import Files
    from fettle.report.unit import Unit

    Row = tuple[int, int, int, int, int]  # line, hits, time, waiting, callees (ns)

COLUMNS = ("Line #", "Hits", "Time", "Per Hit", "% Time", "Waiting")
CALLEES = "In callees"
LAST_COLUMN = "Line Contents"
_LEAST = (7, 4, 9, 8, 6, 7)  # widths: tables of one recording look alike
_DISPENSABLE = ("Per Hit", "Waiting", CALLEES, "Hits", "% Time")  # the first goes first
_SOURCE = 24  # letters of a line's text that are worth a number
_HOT = 0.1  # the share of a function's time from which on a line stands out


class LineTable:
    """A function and its lines, as _core.Profile.lines() gives them."""

    __slots__ = ("calls", "file", "line", "name", "qualname", "rows", "time", "waited", "whole")

    def __init__(
        self, found: "tuple[str, int, str, str, int, list[Row]]", whole: bool = True
    ) -> None:
        self.whole = whole  # there is a row for the function's last line, which may not have run
        self.file, self.line, self.name, self.qualname, self.calls, self.rows = found
        self.time = sum(row[2] for row in self.rows)
        self.waited = sum(row[3] for row in self.rows)

    def ran(self) -> bool:
        return self.calls > 0 or any(row[1] or row[2] for row in self.rows)

    def has_callees(self) -> bool:
        return any(row[4] for row in self.rows)

    def label(self, files: "Files") -> str:
        return f"{files.shown(self.file)}:{self.line} {visible(self.qualname)}"

    def heading(self, files: "Files", unit: "Unit") -> str:
        """login_lines.py:12 login_user    2 calls    6.054 s"""
        label = self.label(files)
        if not self.ran():
            return f"{label}    never called"
        note = f"    {unit.note}" if unit.note else ""
        return f"{label}    {counted(self.calls, 'call')}    {total(self.time)}{note}"

    def lines(
        self,
        listing: list[str],
        unit: "Unit",
        callees: bool,
        room: int | None = None,
        left_out: "set[str] | None" = None,
    ) -> list[tuple[str, bool]]:
        """Head and lines as they are printed, each with whether it took much of the time. In a room
        that is narrow there are fewer numbers, for without its text a line is none; left_out is
        given their names."""
        columns: tuple[str, ...] = (*COLUMNS, CALLEES) if callees else COLUMNS
        cells = {row[0]: self._cells(row, unit, callees) for row in self.rows if row[1] or row[2]}
        hot = {row[0] for row in self.rows if self.time and row[2] >= _HOT * self.time}
        widths = _widths(columns, cells.values())
        kept = _kept(columns, widths, room)
        if left_out is not None:
            left_out.update(head for at, head in enumerate(columns) if at not in kept)
        columns = tuple(columns[at] for at in kept)
        cells = {line: tuple(row[at] for at in kept) for line, row in cells.items()}
        widths = [widths[at] for at in kept]
        form = "  ".join(f"{{:>{width}}}" for width in widths).format
        blank = " " * (sum(widths[1:]) + 2 * (len(widths) - 1))
        result = [(f"{form(*columns)}  {LAST_COLUMN}", False)]
        for number in self._numbers(listing):
            found = cells.get(number)
            text = f"  {shown(listing[number - 1])}" if number <= len(listing) else ""
            left = form(*found) if found else f"{number:>{widths[0]}}{blank}"
            result.append(((left + text).rstrip(), number in hot))
        return result

    def _numbers(self, listing: list[str]) -> list[int]:
        """From the first line to the last; without their source, only those that have code."""
        numbers = {row[0] for row in self.rows}
        last = max(numbers, default=0)
        if listing and not self.whole and not self.name.startswith("<"):
            last = max(last, last_line(listing, self.line))  # line_profiler has what ran, no more
        return sorted({*range(self.line, min(last, len(listing)) + 1), *numbers})

    def _cells(self, row: "Row", unit: "Unit", callees: bool) -> tuple[str, ...]:
        line, hits, time, waited, called = row
        cells = (
            str(line),
            str(hits),
            unit.cell(time),
            unit.cell(time / hits) if hits else "",
            f"{100 * time / self.time:.1f}" if self.time else "",
            waiting(waited, time) if waited else "",
        )
        return (*cells, waiting(called, time) if called else "") if callees else cells


def _widths(columns: tuple[str, ...], rows: "Iterable[tuple[str, ...]]") -> list[int]:
    least = (*_LEAST, len(CALLEES))
    found = (max(map(len, each)) for each in zip(columns, *rows, strict=True))
    return list(map(max, found, least))


def _kept(columns: tuple[str, ...], widths: list[int], room: int | None) -> list[int]:
    """Which columns there is room for, beside a text."""
    kept = list(range(len(columns)))
    for head in _DISPENSABLE:
        if room is None or sum(widths[at] + 2 for at in kept) + _SOURCE <= room:
            break
        kept = [at for at in kept if columns[at] != head]
    return kept
