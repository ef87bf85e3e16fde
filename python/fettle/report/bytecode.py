# SPDX-License-Identifier: Apache-2.0
"""The report of bytecode: as `dis` prints it, or each line of source above its instructions."""

import dis as peer
import sys
from io import StringIO
from types import CodeType

from fettle._core import Bytecode
from fettle.bytecode.codes import plain, within
from fettle.compat import dis
from fettle.report import screen
from fettle.report.listing import shown
from fettle.report.names import visible
from fettle.report.table import counted
from fettle.report.unit import Unit, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from fettle._core import Instruction
    from fettle.bytecode.counts import Counts, Table
    from fettle.bytecode.find import Target

    Styled = tuple[str, str]  # a line and its style

_HOT = 0.1  # the share of a function's time from which on a line stands out
_NAME, _ARGUMENT, _LABEL, _OFFSET, _LINE = 20, 5, 5, 6, 7  # widths
_COUNTS = (("Hits", 9), ("Time", 9), ("Own", 9))


class Choice:
    """What is shown of each instruction, and beside it."""

    __slots__ = ("adaptive", "caches", "counts", "offsets", "positions", "source")

    def __init__(
        self,
        caches: bool = False,
        offsets: bool = False,
        positions: bool = False,
        adaptive: bool = False,
        source: bool = False,
        counts: "Counts | None" = None,
    ) -> None:
        self.caches = caches
        self.offsets = offsets
        self.positions = positions
        self.adaptive = adaptive
        self.source = source or counts is not None
        self.counts = counts


def show(targets: "list[Target]", choice: Choice, stream: "TextIO") -> None:
    """Prints all of them."""
    if not choice.source:
        screen.write("".join(_plain(each, choice) for each in targets), stream)
        return
    lines: list[Styled] = []
    for target in targets:
        listing = target.unit.source.split("\n") if target.unit.source else []
        for code in within(target.code):
            lines += [("", "")] * bool(lines)
            lines += _Function(code, choice, listing).lines()
    screen.styled(lines, stream)


def _plain(target: "Target", choice: Choice) -> str:
    """As dis prints it."""
    file = StringIO()
    options: dict[str, Any] = {"show_caches": choice.caches, "adaptive": choice.adaptive}
    for option, wanted in (("show_offsets", choice.offsets), ("show_positions", choice.positions)):
        if wanted and takes(option):  # else offsets are shown in any case
            options[option] = True
    dis.dis(target.code, file=file, **options)
    text = file.getvalue()
    return f"Disassembly of {target.name}:\n{text}\n" if target.name else text


def takes(option: str) -> bool:
    """Has the dis of this Python that option?

    >>> takes("show_caches"), takes("no_such")
    (True, False)
    """
    return option in (peer.dis.__kwdefaults__ or {})


def operation(row: "Instruction", labels: dict[int, int]) -> str:
    """Name, argument and what this stands for; places by their label.

    >>> decoded = Bytecode(compile("x", "", "eval"))
    >>> operation(decoded[len(decoded) - 2], {}).split()
    ['LOAD_NAME', '0', '(x)']
    """
    if row.arg is None:
        return row.opname
    text = f"{row.opname:<{_NAME}} {row.arg:>{_ARGUMENT}}"
    said = meaning(row, labels)
    return f"{text} ({said})" if said else text


def meaning(row: "Instruction", labels: dict[int, int]) -> str:
    """What the argument stands for; of code its name, for it lies elsewhere each time."""
    if row.jump_target in labels and row.argrepr.startswith("to "):
        return f"to L{labels[row.jump_target]}"
    if isinstance(row.argval, CodeType):
        return f"<code {visible(row.argval.co_name)}>"
    return row.argrepr


def numbered(decoded: Bytecode) -> dict[int, int]:
    """The number of each label, by its offset."""
    jumps = {row.jump_target for row in decoded if row.jump_target is not None}
    return {offset: number for number, offset in enumerate(sorted({*decoded.labels, *jumps}), 1)}


def heading(code: CodeType, table: "Table | None") -> str:
    """login.py:8 fetch_user_password    2 calls    2.003 s"""
    name = visible(plain(code.co_qualname))
    text = f"{visible(code.co_filename)}:{code.co_firstlineno} {name}"
    if table is None:
        return text
    if not table.calls:
        return f"{text}    never called"
    return f"{text}    {counted(table.calls, 'call')}    {total(table.time)}"


class _Function:
    """One code object, line by line."""

    def __init__(self, code: CodeType, choice: Choice, listing: list[str]) -> None:
        self._code = code
        self._choice = choice
        self._listing = listing
        self._table: Table | None = choice.counts.of(code) if choice.counts else None
        self._decoded = Bytecode(code, choice.adaptive, handlers=True)
        self._labels = numbered(self._decoded)
        self._unit = Unit()
        self._counts = _COUNTS[: 2 + bool(self._table and self._table.has_callees)]
        self._left = _LINE + sum(width for _, width in self._counts) if choice.counts else _LINE

    def lines(self) -> "list[Styled]":
        result = [(heading(self._code, self._table), "bold")]
        if self._table:
            names = "".join(f"{name:>{width}}" for name, width in self._counts)
            result.append((f"{'Line #':>{_LINE}}{names}", "cyan"))
        told: set[int] = set()
        last: int | None = None
        for row in self._decoded:
            if row.line != last and row.line:
                result.append((self._source(row.line, row.line in told), self._style(row.line)))
                told.add(row.line)
            last = row.line
            result += self._instruction(row)
        return result + self._handlers()

    def _style(self, line: int) -> str:
        found = self._table.rows.get(line) if self._table else None
        if self._table and found and found[1] >= _HOT * self._table.time > 0:
            return "yellow"
        return ""

    def _source(self, line: int, again: bool) -> str:
        """A line of source; its numbers stand where it comes first."""
        text = shown(self._listing[line - 1]) if 0 < line <= len(self._listing) else ""
        cells = ""
        if self._table and not again and (found := self._table.rows.get(line)):
            hits, time, own = found
            values = (str(hits), self._unit.cell(time), self._unit.cell(own))
            ran = bool(hits or time)
            both = zip(self._counts, values, strict=False)
            cells = "".join(f"{value if ran else '':>{width}}" for (_, width), value in both)
        left = f"{line:>{_LINE}}{cells}"
        return f"{left:<{self._left}}  {text}".rstrip()

    def _instruction(self, row: "Instruction") -> "list[Styled]":
        style = self._style(row.line) if row.line is not None else ""
        number = self._labels.get(row.offset)
        label = f"L{number}:" if number else ""
        result = [(self._beside(label, row.offset, operation(row, self._labels), row), style)]
        if self._choice.caches:
            offset = row.offset
            for name, units, data in row.cache or ():
                value = int.from_bytes(data, sys.byteorder)
                text = f"{'CACHE':<{_NAME}} {'':>{_ARGUMENT}} ({name}: {value})"
                result.append((self._beside("", offset + 2, text, row), "dim"))
                offset += 2 * units
        return result

    def _beside(self, label: str, offset: int, text: str, row: "Instruction") -> str:
        at = f"{offset:>{_OFFSET}}" if self._choice.offsets else ""
        place = f"  {_place(row)}" if self._choice.positions else ""
        return f"{'':<{self._left}}{label:>{_LABEL}}{at}{place}  {text}"

    def _handlers(self) -> "list[Styled]":
        """The exception table."""
        result = []
        labels = self._labels
        for start, end, target, depth, lasti in self._decoded.exceptions:
            first, last, there = (
                f"L{labels[offset]}" if offset in labels else str(offset)
                for offset in (start, end, target)
            )
            mark = " lasti" if lasti else ""
            result.append((f"{'':<{self._left}}  {first} to {last} -> {there} [{depth}]{mark}", ""))
        title = (f"{'':<{self._left}}  exception table", "")
        return [title, *result] if result else []


def _place(row: "Instruction") -> str:
    line, end_line, column, end_column = ("?" if each is None else each for each in row.positions)
    return f"{f'{line}:{column}-{end_line}:{end_column}':<16}"


def rows(targets: "list[Target]", choice: Choice) -> "list[dict[str, Any]]":
    """Each instruction as JSON has it."""
    result = []
    for target in targets:
        for code in within(target.code):
            table = choice.counts.of(code) if choice.counts else None
            decoded = Bytecode(code, choice.adaptive, handlers=True)
            labels = numbered(decoded)
            result += [_row(code, row, labels, table, choice) for row in decoded]
    return result


def _row(
    code: CodeType,
    row: "Instruction",
    labels: dict[int, int],
    table: "Table | None",
    choice: Choice,
) -> "dict[str, Any]":
    found: dict[str, Any] = {
        "function": code.co_qualname,
        "file": code.co_filename,
        "offset": row.offset,
        "opname": row.opname,
        "opcode": row.opcode,
        "arg": row.arg,
        "meaning": meaning(row, labels),
        "line": row.line,
        "positions": list(row.positions),
        "label": labels.get(row.offset),
        "jump_target": row.jump_target,
        "base": row.baseopname,
    }
    if choice.caches:
        found["cache"] = [[name, units, data.hex()] for name, units, data in row.cache or ()]
    if table:
        hits, time, own = table.rows.get(row.line or 0, (0, 0, 0))
        found |= {"hits": hits, "nanoseconds": time, "own_nanoseconds": own}
    return found
