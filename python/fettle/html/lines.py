# SPDX-License-Identifier: Apache-2.0
"""The tables of lines, and the sources that the recordings hold."""

from fettle import sourcetext
from fettle.html.naming import Files, Side
from fettle.report.linetable import LineTable
from fettle.report.listing import TAB
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.html.moving import Moves


def tables(
    files: Files, new: Side, old: Side | None, moves: "Moves | None"
) -> list[dict[str, object]] | None:
    """The part "lines": each function that was recorded line by line; None where none was. Of two
    recordings rows0 are the old one's, by the lines of the new one."""
    found: dict[tuple[int, str, int], dict[str, object]] = {}
    for side in [side for side in (new, old) if side]:
        is_old, seen = side is old, dict[tuple[int, str], int]()
        suffix = "0" * is_old
        for table in side.lines:
            one = LineTable(table)
            file = files.index(one.file, is_old)
            name = file, one.qualname
            seen[name] = seen.get(name, 0) + 1
            label = f"{files.labels[file]}:{one.line} {visible(one.qualname)}"
            empty = {"file": file, "line": one.line, "label": label, "calls": 0, "rows": []}
            both = {"calls0": 0, "rows0": []} if old else {}
            into = found.setdefault((*name, seen[name]), {**empty, **both})
            into[f"calls{suffix}"] = one.calls
            into[f"rows{suffix}"] = [
                [_line(row[0], one, moves if is_old else None), *row[1:]] for row in one.rows
            ]
    return list(found.values()) or None


def _line(line: int, one: LineTable, moves: "Moves | None") -> int:
    return moves.line(one.file, line, one.line, one.qualname) if moves else line


def sources(files: Files, new: Side, old: Side | None) -> dict[str, str]:
    """The text of each file, by its index: what the recording of the new side holds, else of the
    old one."""
    found: dict[str, str] = {}
    for side in [side for side in (new, old) if side and side.model]:
        for path in side.paths():
            at = str(files.index(path, side is old))
            text = side.model.source(path) if side.model and at not in found else None
            if text is not None:
                found[at] = shown(text)
    return found


def shown(text: str) -> str:
    """A text whose characters all can be seen, with the lines that it has.

    >>> shown("\\tx = 1  # \\u202e\\ny")
    '        x = 1  # \\\\u202e\\ny'
    """
    return "\n".join(visible(line.expandtabs(TAB)) for line in text.split("\n"))


def late(new: Side) -> list[str]:
    """What must be said of sources that may be others than ran."""
    if new.model is None:
        return []
    return [
        f"{visible(path)} was written while the program ran: what ran may have been other source;"
        " record again."
        for path in sourcetext.late(new.model, new.paths())
    ]
