# SPDX-License-Identifier: Apache-2.0
"""Who called a function, or whom it called, with the share of its time that each accounts for."""

from fettle import _core
from fettle.problem import USAGE, Problem
from fettle.report import names, notes, order, overview, screen, selection, table
from fettle.report.row import cumulative, own, waited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import EdgeRow, FunctionRow, Profile, Stats
    from fettle.report.flat import Choice
    from fettle.report.row import Row
    from fettle.report.table import Line

COLUMNS = ("ncalls", "tottime", "cumtime", "%", "waiting")
NOBODY = "(no recorded function)"
UNTIMED = "module profile, which wrote this, does not time callers: beside their calls stands 0."


class Neighbour:
    """A caller or callee: what a function is called, and the numbers of the edge to it."""

    __slots__ = (
        "calls",
        "cumulative",
        "cumulative_awaited",
        "cumulative_waiting",
        "file",
        "line",
        "name",
        "own",
        "own_awaited",
        "primitive",
    )

    def __init__(self, function: "FunctionRow | None", edge: "EdgeRow") -> None:
        self.file = function.file if function else names.C_FILE
        self.line = function.line if function else 0
        self.name = function.name if function else NOBODY
        self.calls = edge.calls
        self.primitive = edge.primitive
        self.own = edge.own
        self.cumulative = edge.cumulative
        self.cumulative_waiting = edge.cumulative_waiting
        self.own_awaited = edge.own_awaited
        self.cumulative_awaited = edge.cumulative_awaited


def show(
    profile: "Profile | Stats",
    wanted: str,
    callers: bool,
    choice: "Choice",
    stream: "TextIO",
    remarks: list[str],
) -> None:
    """Prints all functions that wanted means, each with its callers or callees."""
    if not wanted:
        what = "callers" if callers else "callees"
        raise Problem(USAGE, f"{what} of which function? Name it: --{what} NAME, of=NAME.")
    overview.need_calls(profile, choice.source)
    functions = profile.functions()
    files = names.Files([row.file for row in functions])
    places = selection.chosen(functions, wanted, files)
    found = _neighbours(profile.edges(), functions, set(places), callers)
    by_key = order.key_of(choice.key, files)
    places.sort(key=lambda at: by_key(functions[at]), reverse=choice.reverse)
    lines: list[Line] = []
    for at in places:
        lines.append(_line(functions[at], "", files.label(functions[at])))
        found[at].sort(key=by_key, reverse=choice.reverse)
        lines += _beneath(functions[at], found[at], "<-" if callers else "->", choice, files)
    heading = table.heading(profile, "", names.visible(choice.source))
    screen.page(heading, lines, "", stream, COLUMNS)
    if isinstance(profile, _core.Stats) and profile.untimed:
        remarks = [*remarks, UNTIMED]
    screen.sentences([*remarks, *notes.sentences(profile)], stream)


def _neighbours(
    edges: "list[EdgeRow]", functions: "list[FunctionRow]", places: set[int], callers: bool
) -> dict[int, list[Neighbour]]:
    """Those of each of the functions at places."""
    found: dict[int, list[Neighbour]] = {at: [] for at in places}
    for edge in edges:
        at, other = (edge.callee, edge.caller) if callers else (edge.caller, edge.callee)
        if at in found:
            found[at].append(Neighbour(functions[other] if other >= 0 else None, edge))
    return found


def _beneath(
    function: "FunctionRow",
    every: list[Neighbour],
    arrow: str,
    choice: "Choice",
    files: names.Files,
) -> "list[Line]":
    """The lines below a function; what is left out is counted."""
    rows = [row for row in every if not choice.within or files.match(row, choice.within)]
    kept = rows[: choice.rows] if choice.rows else rows
    whole = cumulative(function)
    lines = [
        _line(row, table.share(cumulative(row), whole), f"  {arrow} {files.label(row)}")
        for row in kept
    ]
    if len(kept) < len(rows):
        left = f"  {arrow} ({len(rows) - len(kept)} more; -n 0 shows all)"
        lines.append(("", "", "", "", "", left))
    elif len(rows) < len(every):
        left = f"  {arrow} ({len(every) - len(rows)} outside of {names.visible(choice.within)})"
        lines.append(("", "", "", "", "", left))
    return lines or [("", "", "", "", "", f"  {arrow} (nothing)")]


def _line(row: "Row", share: str, name: str) -> "Line":
    return (
        table.calls(row),
        f"{own(row):.3f}",
        f"{cumulative(row):.3f}",
        share,
        table.waiting(waited(row), cumulative(row)),
        name,
    )
