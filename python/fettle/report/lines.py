# SPDX-License-Identifier: Apache-2.0
"""The report of lines: a table for each function, or one line for each."""

from fettle import runs
from fettle.report import names, screen, table
from fettle.report.columns import no_room
from fettle.report.linetable import CALLEES, COLUMNS, LineTable
from fettle.report.listing import Listings
from fettle.report.unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile

SUMMARY_COLUMNS = ("calls", "time", "percall", "waiting")


class Choice:
    """Which tables, in which order, and how their times are written."""

    __slots__ = ("by_time", "rows", "skip_zero", "source", "summary", "target", "unit", "within")

    def __init__(
        self,
        rows: int = 30,
        within: str = "",
        unit: Unit | None = None,
        by_time: bool = False,
        skip_zero: bool = False,
        summary: bool = False,
        source: str = "",
        target: str = "",
    ) -> None:
        self.rows = rows  # how many functions (0: all)
        self.within = within  # GLOB
        self.unit = unit or Unit()
        self.by_time = by_time
        self.skip_zero = skip_zero  # functions that never ran
        self.summary = summary  # one line for each function
        self.source = source
        self.target = target


def show(profile: "Profile", choice: Choice, stream: "TextIO") -> list[str]:
    """Prints the tables. Gives what must be said below. Problem if nothing is in choice.within."""
    recorded = bool(profile.processes())  # not so what line_profiler wrote
    tables = [LineTable(found, recorded) for found in profile.lines()]
    files = names.Files([each.file for each in tables])
    if choice.within:
        tables = [each for each in tables if files.match(each, choice.within)]
        if not tables:
            raise names.no_match(choice.within)
    if choice.skip_zero:
        tables = [each for each in tables if each.ran()]
    shown = _chosen(tables, choice)
    heading = _heading(tables, choice, runs.words(profile))
    rest = table.remainder(len(tables), len(shown))
    if choice.summary:
        lines = [_summary(each, files, choice.unit) for each in shown]
        screen.page(heading, lines, rest, stream, SUMMARY_COLUMNS)
        return []
    listings = Listings(profile)
    left_out: set[str] = set()
    body = _body(shown, files, listings, choice.unit, screen.room(stream), left_out)
    note = no_room([head for head in (*COLUMNS, CALLEES) if head in left_out])
    foot = [(f" {line}", "foot") for line in (rest, note) if line]
    screen.styled([(heading, "bold"), *body, *foot], stream)
    return listings.remarks


def _chosen(tables: list[LineTable], choice: Choice) -> list[LineTable]:
    """The functions that took the most time, if not all are shown; else all as they stand."""
    by_time = sorted(tables, key=lambda each: -each.time)
    kept = by_time[: choice.rows] if choice.rows else by_time
    if choice.by_time:
        return kept
    places = set(map(id, kept))
    return [each for each in tables if id(each) in places]


def _heading(tables: list[LineTable], choice: Choice, of_runs: str) -> str:
    """lines of 1 function    -> app.fettle"""
    text = f"lines of {table.counted(len(tables), 'function')}{of_runs}"
    if choice.target:
        return f"{text}    -> {names.visible(choice.target)}"
    return f"{names.visible(choice.source)}: {text}" if choice.source else text


def _body(
    tables: list[LineTable],
    files: names.Files,
    listings: Listings,
    unit: Unit,
    room: int | None,
    left_out: set[str],
) -> list[tuple[str, str]]:
    """Each printed line with its style."""
    callees = any(each.has_callees() for each in tables)
    result: list[tuple[str, str]] = []
    for before, each in zip([None, *tables], tables, strict=False):
        if before and (each.ran() or before.ran()):
            result.append(("", ""))
        result.append((each.heading(files, unit), "bold"))
        if each.ran():
            head, *lines = each.lines(listings.lines(each.file), unit, callees, room, left_out)
            result.append((head[0], "cyan"))
            result += [(line, "yellow" if hot else "") for line, hot in lines]
    return result


def _summary(each: LineTable, files: names.Files, unit: Unit) -> "table.Line":
    return (
        str(each.calls),
        unit.cell(each.time),
        unit.cell(each.time / each.calls) if each.calls else "",
        table.waiting(each.waited, each.time),
        f"{files.shown(each.file)}:{each.line}({names.visible(each.qualname)})",
    )
