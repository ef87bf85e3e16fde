# SPDX-License-Identifier: Apache-2.0
"""The call tree: who called whom on whose behalf, down to what is worth a line.

The core folds (engine/model/outline.h); here siblings are put in order and the lines are written.
A tree may be deeper than a screen is wide, and than Python may recurse.
"""

from fettle import _core
from fettle.problem import CHECK_FAILED, Problem
from fettle.report import links, names, notes, order, overview, screen, table
from fettle.report.row import cumulative, own, waited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from fettle._core import FunctionRow, Profile, Stats, TreeRow
    from fettle.report.flat import Choice
    from fettle.report.table import Line

CALLS = {"call", "task"}
COLUMNS = ("cumtime", "%", "ncalls", "tottime", "waiting")
INDENT = "  "
LEVELS = 12  # from here on the number of the level stands for more indentation
PAST_CAP = {
    "folded": "[past the cap of call paths: by caller and callee]",
    "folded again": "[past the cap, recursive: by caller and callee]",
}


def show(
    profile: "Profile | Stats",
    fold: float,
    choice: "Choice",
    stream: "TextIO",
    remarks: list[str],
) -> None:
    """Prints the tree; what takes less than the share fold (0 to 1) of all time is counted only."""
    if isinstance(profile, _core.Stats):
        raise Problem(
            CHECK_FAILED,
            f"{names.visible(choice.source)} has no call tree: such a file knows callers and"
            " callees only; record with `fettle run` for one.",
        )
    overview.need_calls(profile, choice.source)
    functions = profile.functions()
    files = names.Files([row.file for row in functions])
    wanted = _wanted(functions, choice.within, files) if choice.within else None
    rows = profile.tree(fold, choice.rows, wanted)
    tree = Tree(profile, rows, files)
    lines = list(tree.lines(choice))
    heading = table.heading(profile, "", names.visible(choice.source))
    rest = _remainder(rows, choice.within)
    behind = links.uris(tree.files, profile) if choice.links else []
    screen.page(heading, lines, rest, stream, COLUMNS, tree.shares, behind)
    screen.sentences([*remarks, *notes.sentences(profile)], stream)


def _wanted(functions: "list[FunctionRow]", glob: str, files: names.Files) -> bytes:
    wanted = bytes(files.match(row, glob) for row in functions)
    if not any(wanted):
        raise names.no_match(glob)
    return wanted


def _remainder(rows: "list[TreeRow]", within: str) -> str:
    """What is folded, together, and how to see it."""
    if not any(row.folded_functions for row in rows):
        return ""
    calls = table.counted(sum(row.folded_calls for row in rows), "call")
    seconds = sum(row.folded for row in rows)
    share = table.share(seconds, rows[0].cumulative) or "0.0"
    way = "--fold 0 -n 0 without --in" if within else "--fold 0 -n 0"
    return f"(folded: {calls}, {seconds:.3f} s, {share} %; {way} shows all)"


class Tree:
    """The rows of a tree on their way to lines."""

    def __init__(self, profile: "Profile", rows: "list[TreeRow]", files: names.Files) -> None:
        self._rows = rows
        self._files = files
        self._processes = profile.processes()
        self._threads = profile.threads()
        self.files: list[str] = []  # the file of each line that lines() gave; "" of what is folded
        self.shares: list[float] = []  # and its share of all time
        self._below: list[list[int]] = [[] for _ in rows]
        for at, row in enumerate(rows):
            if at:
                self._below[row.parent].append(at)

    def lines(self, choice: "Choice") -> "Iterator[Line]":
        """Each row, then the rows below it, then what was folded into it."""
        rows = self._rows
        by_key = order.key_of(order.of_paths(choice.key), self._files)
        left: list[tuple[int, int, bool]] = [(0, -1, False)]
        while left:
            at, depth, is_fold = left.pop()
            if is_fold:
                self._note("", rows[at].folded)
                yield self._fold(rows[at], depth)
                continue
            if at:
                self._note(rows[at].file, rows[at].cumulative)
                yield self._line(rows[at], depth)
            if rows[at].folded_functions:
                left.append((at, depth + 1, True))
            below = self._below[at]
            below.sort(key=lambda one: by_key(rows[one]), reverse=not choice.reverse)
            left += [(one, depth + 1, False) for one in below]

    def _note(self, file: str, seconds: float) -> None:
        whole = self._rows[0].cumulative
        self.files.append(file)
        self.shares.append(seconds / whole if whole > 0 else 0.0)

    def _line(self, row: "TreeRow", depth: int) -> "Line":
        return (
            f"{cumulative(row):.3f}",
            table.share(row.cumulative, self._rows[0].cumulative),
            str(row.calls) if row.kind in CALLS else "",
            f"{own(row):.3f}" if row.kind in CALLS else "",
            table.waiting(waited(row), cumulative(row)),
            indented(depth) + self._label(row),
        )

    def _fold(self, row: "TreeRow", depth: int) -> "Line":
        folded = row.folded + row.folded_awaited
        functions = table.counted(row.folded_functions, "function")
        return (
            f"{folded:.3f}",
            table.share(row.folded, self._rows[0].cumulative),
            "",
            "",
            table.waiting(row.folded_waiting + row.folded_awaited, folded),
            f"{indented(depth)}({functions}, {table.counted(row.folded_calls, 'call')})",
        )

    def _label(self, row: "TreeRow") -> str:
        if row.kind == "process":
            process = self._processes[row.place]
            command = names.visible(" ".join(process.command))
            return f"[process {process.pid}: {names.shortened(command)}]"
        if row.kind == "thread":
            uses = self._threads[row.place].uses
            return f"[{names.visible(row.name)}{f', {uses} in turn' if uses > 1 else ''}]"
        label = PAST_CAP.get(row.kind) or self._files.label(row)
        return f"[task] {label}" if row.kind == "task" else label


def indented(depth: int) -> str:
    return INDENT * depth if depth <= LEVELS else f"{INDENT * LEVELS}[{depth}] "
