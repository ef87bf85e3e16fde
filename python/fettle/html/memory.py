# SPDX-License-Identifier: Apache-2.0
"""The tree of allocations as columns, and what each line of source allocated by itself."""

from fettle.html import union
from fettle.html.naming import Files, Functions, Side
from fettle.report import sitelines
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import SiteRow
    from fettle.html.moving import Moves

    Numbers = tuple[int, ...]

COLUMNS = ("totalBytes", "totalCount", "peakBytes", "peakCount", "aliveBytes", "aliveCount")


class Places:
    """Lines of functions, each once: the part "places" of the payload."""

    def __init__(self, files: Files, functions: Functions) -> None:
        self._files = files
        self._functions = functions
        self._found: dict[tuple[int, int, str, int], int] = {}
        self._columns: dict[str, list[object]] = {
            "file": [],
            "line": [],
            "name": [],
            "function": [],
        }

    def index(self, row: "SiteRow", is_old: bool, line: int) -> int:
        """The place of a site; line: where its line is on the new side."""
        file = self._files.index(row.file, is_old)
        key = file, line, row.qualname, row.domain
        at = self._found.get(key)
        if at is None:
            at = self._found[key] = len(self._found)
            name = visible(row.qualname or row.name)
            if row.domain:
                name = f"{name} {sitelines.domain(row.domain)}".lstrip()
            function = self._functions.at(file, row.first_line, row.qualname, is_old)
            for column, value in zip(
                self._columns.values(), (file, abs(line), name, function), strict=True
            ):
                column.append(value)
        return at

    def columns(self) -> dict[str, list[object]]:
        return self._columns


def numbers(row: "SiteRow") -> "Numbers":
    """Those of COLUMNS."""
    return (
        row.total_bytes,
        row.total_count,
        row.peak_bytes,
        row.peak_count,
        row.alive_bytes,
        row.alive_count,
    )


def columns(
    places: Places, new: Side, old: Side | None, moves: "Moves | None"
) -> dict[str, object] | None:
    """The part "memory"; None where none was recorded."""
    if not any(each and each.typical and each.typical.heaps() for each in (new, old)):
        return None
    at_new = [places.index(row, False, row.line) for row in new.sites]
    rows = [numbers(row) for row in new.sites]
    if old is None:
        parts: dict[str, object] = {"parent": [row.parent for row in new.sites], "place": at_new}
        return parts | {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}
    at_old = [places.index(row, True, moved(moves, row)) for row in old.sites]
    rows_old = [numbers(row) for row in old.sites]
    both = union.Union(
        [row.parent for row in new.sites], at_new, [row.parent for row in old.sites], at_old
    )
    found: dict[str, object] = {"parent": both.parent, "place": both.key}
    for at, name in enumerate(COLUMNS):
        found[name] = both.summed([row[at] for row in rows], both.of_new)
        found[f"{name}0"] = both.summed([row[at] for row in rows_old], both.of_old)
    return found


def moved(moves: "Moves | None", row: "SiteRow") -> int:
    """Where the line of an old site is by now; a negative number: nowhere."""
    if moves is None or row.line <= 0:
        return row.line
    return moves.line(row.file, row.line, row.first_line, row.qualname)


def line_bytes(
    files: Files, side: Side, is_old: bool = False, moves: "Moves | None" = None
) -> list[list[int]]:
    """[file, line, total, peak, alive] of each line that allocated."""
    sums: dict[tuple[int, int], list[int]] = {}
    for row in side.sites:
        file = files.index(row.file, is_old)
        if file < 0 or row.line <= 0:
            continue
        found = sums.setdefault((file, moved(moves, row)), [0, 0, 0])
        for at, number in enumerate((row.total_bytes, row.peak_bytes, row.alive_bytes)):
            found[at] += number
    return [[*key, *found] for key, found in sorted(sums.items()) if any(found)]
