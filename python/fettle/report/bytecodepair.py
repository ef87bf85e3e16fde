# SPDX-License-Identifier: Apache-2.0
"""Two sides of bytecode, aligned: what is the same stands in one row, what differs is marked."""

from difflib import SequenceMatcher

from fettle.report import screen
from fettle.report.names import visible
from fettle.report.unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle.bytecode.pairs import Operation, Pair, Side

    Row = tuple[Operation | None, Operation | None]
    Styled = tuple[str, str]

NARROW = 72  # columns of a terminal; below, one side stands under the other
_WIDEST = 60  # of a side where nothing says how wide the paper is
_COUNT, _COUNTS, _UNIT = 9, ("Hits", "Time"), Unit()
_NAME, _ARGUMENT, _LABEL, _LINE = 20, 5, 5, 6


def show(pairs: "list[Pair]", stream: "TextIO") -> None:
    """Prints all of them, and below how much is the same."""
    width = screen.room(stream)
    lines: list[Styled] = []
    same = differing = 0
    for left, right in pairs:
        rows = aligned(left.operations, right.operations)
        lines += [("", "")] * bool(lines)
        counts = [_Counts(left), _Counts(right)]
        if width is not None and width < NARROW + sum(each.width for each in counts):
            lines += _below(left.title, right.title, rows, counts)
        else:
            lines += _beside(left.title, right.title, rows, counts, width)
        equal = sum(map(_is_same, rows))
        same += equal
        differing += len(rows) - equal
    lines += [("", ""), (f"{same} instructions are the same, {differing} are not", "bold")]
    screen.styled(lines, stream)


def aligned(left: "tuple[Operation, ...]", right: "tuple[Operation, ...]") -> "list[Row]":
    """Rows of two, of which one may be missing."""
    first, second = ([each.alike() for each in side] for side in (left, right))
    rows: list[Row] = []
    for tag, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        one: list[Operation | None] = list(left[i:j])
        other: list[Operation | None] = list(right[k:m])
        if tag != "equal":
            longest = max(len(one), len(other))
            one += [None] * (longest - len(one))
            other += [None] * (longest - len(other))
        rows += zip(one, other, strict=True)
    return rows


def _is_same(row: "Row") -> bool:
    return row[0] is not None and row[1] is not None and row[0].alike() == row[1].alike()


class _Counts:
    """How often each line of a side ran and its time, beside its first instruction."""

    def __init__(self, side: "Side") -> None:
        self.head = "".join(f"{name:>{_COUNT}}" for name in _COUNTS) if side.table else ""
        self.width = len(self.head)
        self._cells: dict[int, str] = {}  # by offset
        rows = dict(side.table.rows) if side.table else {}
        for each in side.operations:
            hits, time, _ = rows.pop(each.line or 0, (0, 0, 0))
            if hits or time:
                self._cells[each.offset] = f"{hits:>{_COUNT}}{_UNIT.cell(time):>{_COUNT}}"

    def cells(self, operation: "Operation | None") -> str:
        """What is known of its line."""
        cells = self._cells.get(operation.offset, "") if operation else ""
        return f"{cells:<{self.width}}"


def _beside(
    left: str, right: str, rows: "list[Row]", counts: "list[_Counts]", width: int | None
) -> "list[Styled]":
    sides = zip(zip(*rows, strict=True), counts, strict=False)
    texts = [[known.cells(each) + _texts(each) for each in side] for side, known in sides]
    texts = texts or [[], []]
    widest = max(map(len, [left, *texts[0]]))
    most = _WIDEST + counts[0].width if width is None else (width - 3) // 2
    room = min(widest, most)
    result = [(f"{_cut(left, room):<{room}}   {_other(right, width, room)}".rstrip(), "bold")]
    if counts[0].head or counts[1].head:
        result.append((f"{counts[0].head:<{room}}   {counts[1].head}".rstrip(), "cyan"))
    for row, one, other in zip(rows, *texts, strict=True):
        is_same = _is_same(row)
        mark = " " if is_same else "|" if None not in row else "<" if row[1] is None else ">"
        text = f"{_cut(one, room):<{room}} {mark} {_other(other, width, room)}".rstrip()
        result.append((text, "" if is_same else "yellow"))
    return result


def _other(text: str, width: int | None, room: int) -> str:
    return _cut(text, width - room - 3) if width else text


def _below(left: str, right: str, rows: "list[Row]", counts: "list[_Counts]") -> "list[Styled]":
    """As a diff has it, but for the counts of both, which stand side by side."""

    def line(mark: str, one: "Operation | None", other: "Operation | None", style: str) -> "Styled":
        text = _texts(one or other)
        return f"{mark} {counts[0].cells(one)}{counts[1].cells(other)}{text}", style

    result = [(f"- {left}", "bold"), (f"+ {right}", "bold")]
    if counts[0].head or counts[1].head:
        result.append((f"  {counts[0].head}{counts[1].head}", "cyan"))
    gone: list[Styled] = []
    new: list[Styled] = []
    for one, other in [*rows, (None, None)]:
        if one is not None and other is not None and one.alike() == other.alike():
            result += [*gone, *new, line(" ", one, other, "")]
            gone, new = [], []
            continue
        gone += [line("-", one, None, "yellow")] if one else []
        new += [line("+", None, other, "yellow")] if other else []
    return [*result, *gone, *new]


def _texts(operation: "Operation | None") -> str:
    if operation is None:
        return ""
    line = "" if operation.line is None else str(operation.line)
    label = f"L{operation.label}:" if operation.label else ""
    text = operation.name
    if operation.argument is not None:
        text = f"{text:<{_NAME}} {operation.argument:>{_ARGUMENT}}"
        text += f" ({visible(operation.meaning)})" if operation.meaning else ""
    return f"{line:>{_LINE}}{label:>{_LABEL}} {text}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."
