# SPDX-License-Identifier: Apache-2.0
"""The text that `dis` prints of one code object, letter by letter, in the layout of the running
CPython: from 3.13 on labels have numbers, before they are a mark beside the offset.
"""

import dis as _peer
import sys
from collections.abc import Iterator

from fettle._core import Bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from fettle._core import Instruction

NUMBERED = hasattr(_peer, "Formatter")  # labels have numbers (3.13)
_NAME_WIDTH = 20  # of an opcode
_ARGUMENT_WIDTH = 5
_LINE_WIDTH = 3  # at least
_OFFSET_WIDTH = 4  # at least
_NO_LINE = "  --"
_CURRENT = {True: "-->", False: "   "}
# 3.12: an offset in the caches points at the instruction, and what these hold is shown of any.
_KNOWS_CACHES = hasattr(_peer, "hasarg")


def text(
    code: "CodeType",
    lasti: int = -1,
    *,
    first_line: int | None = None,
    adaptive: bool = False,
    show_caches: bool = False,
    show_offsets: bool = False,
    show_positions: bool = False,
) -> str:
    """All lines, each with its end. lasti: the offset of the current instruction.

    >>> text(compile("x", "", "eval")).split()[-1]
    'RETURN_VALUE'
    """
    decoded = Bytecode(code, adaptive, first_line, handlers=True)
    if NUMBERED:
        lines = _Numbered(code, decoded, show_caches, show_offsets, show_positions)
        return "".join(lines.all(decoded, lasti))
    shift = 0 if first_line is None else first_line - code.co_firstlineno
    starts = [line + shift for _, line in line_starts(code) if line is not None]
    width = max(_LINE_WIDTH, len(str(max(starts)))) if starts else 0
    marked = _Marked(width, len(code.co_code), show_caches)
    return "".join(marked.all(decoded, lasti))


def text_of_bytes(code: bytes, show_caches: bool = False, show_offsets: bool = False) -> str:
    """The same of bytes of which nothing else is known: no names, no constants, no lines.

    >>> import opcode
    >>> text_of_bytes(bytes([opcode.opmap["RETURN_VALUE"], 0])).split()[-1]
    'RETURN_VALUE'
    """
    decoded = Bytecode.from_bytes(code)
    if NUMBERED:
        numbered = _Numbered(None, decoded, show_caches, show_offsets, False, len(code))
        return "".join(numbered.all(decoded, -1))
    return "".join(_Marked(0, len(code), show_caches).all(decoded, -1))


def line_starts(code: "CodeType") -> "Iterator[tuple[int, int | None]]":
    """Offset and line wherever another line begins; since 3.13 also where none does.

    >>> list(line_starts(compile("1", "", "eval")))[-1][1]
    1
    """
    last: object = line_starts if NUMBERED else None  # at first no line, not even None
    for start, _, line in code.co_lines():
        if line != last and (NUMBERED or line is not None):
            last = line
            yield start, line


def _cache_texts(row: "Instruction") -> Iterator[str]:
    """What is said of each code unit of an instruction's inline caches."""
    is_said = _KNOWS_CACHES or row.opname != row.baseopname
    for name, size, data in row.cache or ():
        yield f"{name}: {int.from_bytes(data, sys.byteorder)}" if is_said else ""
        yield from [""] * (size - 1)


def _operation(row: "Instruction") -> str:
    """Name, argument and what this stands for."""
    if row.arg is None:
        return row.opname
    named = f"{row.opname:<{_NAME_WIDTH}}"
    width = _ARGUMENT_WIDTH
    if NUMBERED:
        width -= len(named) - _NAME_WIDTH  # a long name takes of the argument's place
    argument = f"{row.arg!r:>{max(width, 0)}}"
    return f"{named} {argument} ({row.argrepr})" if row.argrepr else f"{named} {argument}"


def _cache_operation(said: str) -> str:
    argument = f"{'CACHE':<{_NAME_WIDTH}} {0:>{_ARGUMENT_WIDTH}}"
    return f"{argument} ({said})" if said else argument


def _is_current(row: "Instruction", lasti: int, covers_caches: bool) -> bool:
    if lasti < row.offset:
        return False
    units = sum(size for _, size, _ in row.cache or ()) if covers_caches else 0
    return lasti <= row.offset + 2 * units


class _Marked:
    """The layout before 3.13."""

    def __init__(self, line_width: int, size: int, show_caches: bool) -> None:
        self._line_width = line_width  # 0: no lines are shown
        self._offset_width = max(_OFFSET_WIDTH, len(str(size - 2)))
        self._show_caches = show_caches

    def all(self, decoded: Bytecode, lasti: int) -> Iterator[str]:
        blank = " " * self._line_width
        covers_caches = _KNOWS_CACHES and not self._show_caches
        for row in decoded:
            line = blank
            if self._line_width and row.starts_line:
                line = f"{row.line:>{self._line_width}}"
                if row.offset > 0:
                    yield "\n"
            current = _is_current(row, lasti, covers_caches)
            yield self._line(line, current, row.is_jump_target, row.offset, _operation(row))
            if self._show_caches and row.cache:
                for offset, said in enumerate(_cache_texts(row), 1):
                    at = row.offset + 2 * offset
                    yield self._line(blank, at == lasti, False, at, _cache_operation(said))
        yield from _exception_lines(
            (f"{start} to {end - 2} -> {target}", depth, lasti)
            for start, end, target, depth, lasti in decoded.exceptions
        )

    def _line(self, line: str, current: bool, target: bool, offset: int, operation: str) -> str:
        left = f"{line} " if line else ""
        mark = ">>" if target else "  "
        shown = f"{left}{_CURRENT[current]} {mark} {offset:>{self._offset_width}} {operation}"
        return shown.rstrip() + "\n"


class _Numbered:
    """The layout since 3.13."""

    def __init__(
        self,
        code: "CodeType | None",
        decoded: Bytecode,
        show_caches: bool,
        show_offsets: bool,
        show_positions: bool,
        size: int = 0,
    ) -> None:
        size = len(code.co_code) if code else size
        self._line_width = 0
        if code:
            self._line_width = _positions_width(code) if show_positions else _lines_width(code)
        self._label_width = 4 + len(str(len(decoded.labels)))
        self._offset_width = len(str(max(size - 2, 9999))) if show_offsets else 0
        self._show_caches = show_caches
        self._show_positions = show_positions

    def all(self, decoded: Bytecode, lasti: int) -> Iterator[str]:
        no_line = " " * self._line_width
        no_label = " " * self._label_width
        for row in decoded:
            line = self._place(row)
            if self._line_width and row.starts_line and row.offset > 0:
                yield "\n"
            label = no_label if row.label is None else f"{f'L{row.label}:':>{self._label_width}}"
            current = _is_current(row, lasti, True)
            yield self._line(line, label, row.offset, current, _operation(row))
            if self._show_caches and row.cache:
                line = line if self._show_positions else no_line
                for offset, said in enumerate(_cache_texts(row), 1):
                    at = row.offset + 2 * offset
                    yield self._line(line, no_label, at, False, _cache_operation(said))
        numbers = {offset: number for number, offset in enumerate(decoded.labels, 1)}
        yield from _exception_lines(
            (f"L{numbers[start]} to L{numbers[end]} -> L{numbers[target]}", depth, lasti)
            for start, end, target, depth, lasti in decoded.exceptions
        )

    def _place(self, row: "Instruction") -> str:
        """The column of the line, or of all positions."""
        width = self._line_width
        if self._show_positions and width:
            line, end_line, column, end_column = (
                "?" if each is None else each for each in row.positions
            )
            shown = f"{line}:{column}-{end_line}:{end_column}"
            return f"{_NO_LINE if shown == '?:?-?:?' else shown:<{width}}"
        if not width or not row.starts_line:
            return " " * width
        return f"{_NO_LINE if row.line is None else row.line:>{width}}"

    def _line(self, line: str, label: str, offset: int, current: bool, operation: str) -> str:
        left = f"{line} " if line else ""
        at = f"{offset:>{self._offset_width}}   " if self._offset_width else ""
        return f"{left}{label} {at}{_CURRENT[current]} {operation}".rstrip() + "\n"


def _exception_lines(table: "Iterator[tuple[str, int, bool]]") -> Iterator[str]:
    for index, (covered, depth, lasti) in enumerate(table):
        if index == 0:
            yield "ExceptionTable:\n"
        yield f"  {covered} [{depth}]{' lasti' if lasti else ''}\n"


def _lines_width(code: "CodeType") -> int:
    lines = [line for _, line in line_starts(code)]
    greatest = max(filter(None, lines), default=None)
    if greatest is None:
        return 0
    width = max(_LINE_WIDTH, len(str(greatest)))
    return max(width, len(_NO_LINE)) if None in lines else width


def _positions_width(code: "CodeType") -> int:
    widest = 0
    known = False
    for place in code.co_positions():
        known = known or place != (None, None, None, None)
        widest = max(widest, sum(1 if each is None else len(str(each)) for each in place))
    return 1 + max(len(_NO_LINE), widest + len(":-:")) if known else 0
