# SPDX-License-Identifier: Apache-2.0
"""Two sides of bytecode, aligned: what is the same stands in one row, what differs is marked."""

from difflib import SequenceMatcher

from fettle.report import screen
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle.bytecode.pairs import Operation, Pair

    Row = tuple[Operation | None, Operation | None]
    Styled = tuple[str, str]

NARROW = 72  # columns of a terminal; below, one side stands under the other
_WIDEST = 60  # of a side where nothing says how wide the paper is
_NAME, _ARGUMENT, _LABEL, _LINE = 20, 5, 5, 6


def show(pairs: "list[Pair]", stream: "TextIO") -> None:
    """Prints all of them, and below how much is the same."""
    width = screen.room(stream)
    lines: list[Styled] = []
    same = differing = 0
    for left, right in pairs:
        rows = aligned(left.operations, right.operations)
        lines += [("", "")] * bool(lines)
        if width is not None and width < NARROW:
            lines += _below(left.title, right.title, rows)
        else:
            lines += _beside(left.title, right.title, rows, width)
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


def _beside(left: str, right: str, rows: "list[Row]", width: int | None) -> "list[Styled]":
    texts = [[_texts(each) for each in side] for side in zip(*rows, strict=True)] or [[], []]
    widest = max(map(len, [left, *texts[0]]))
    room = min(widest, _WIDEST) if width is None else min(widest, (width - 3) // 2)
    result = [(f"{_cut(left, room):<{room}}   {_other(right, width, room)}".rstrip(), "bold")]
    for row, one, other in zip(rows, *texts, strict=True):
        is_same = _is_same(row)
        mark = " " if is_same else "|" if None not in row else "<" if row[1] is None else ">"
        text = f"{_cut(one, room):<{room}} {mark} {_other(other, width, room)}".rstrip()
        result.append((text, "" if is_same else "yellow"))
    return result


def _other(text: str, width: int | None, room: int) -> str:
    return _cut(text, width - room - 3) if width else text


def _below(left: str, right: str, rows: "list[Row]") -> "list[Styled]":
    """As a diff has it."""
    result = [(f"- {left}", "bold"), (f"+ {right}", "bold")]
    gone: list[Styled] = []
    new: list[Styled] = []
    for one, other in [*rows, (None, None)]:
        if one is not None and other is not None and one.alike() == other.alike():
            result += [*gone, *new, (f"  {_texts(one)}", "")]
            gone, new = [], []
            continue
        gone += [(f"- {_texts(one)}", "yellow")] if one else []
        new += [(f"+ {_texts(other)}", "yellow")] if other else []
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
