# SPDX-License-Identifier: Apache-2.0
"""Code decoded for fettle.compat.dis: instructions, the offsets that have a label, the exception
table; and what the versions of CPython see differently in them.
"""

import dis as _peer
import opcode
import sys
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    Row = Any
    Exceptions = tuple[tuple[int, int, int, int, bool], ...]

NUMBERED = sys.version_info >= (3, 13)  # labels are numbers; before, a mark beside the offset


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


class Decoded:
    """One code object. handlers: where handlers begin, and what they cover, has labels as well."""

    def __init__(
        self,
        code: "CodeType",
        *,
        adaptive: bool = False,
        first_line: int | None = None,
        handlers: bool = False,
    ) -> None:
        peer: Any = _peer
        shown = peer.Bytecode if handlers else peer.get_instructions
        table = peer.Bytecode(code).exception_entries
        self.exceptions: Exceptions = tuple(tuple(entry) for entry in table)
        labels = set(peer.findlabels(code.co_code))
        if handlers:
            labels.update(offset for entry in self.exceptions for offset in entry[:3])
        self.labels = tuple(sorted(labels))
        peer_code: Any = code
        raw = peer_code._co_code_adaptive if adaptive else code.co_code
        found = shown(code, adaptive=adaptive, first_line=first_line)
        self._rows = [_row(each, raw) for each in found]

    @classmethod
    def of_bytes(cls, code: bytes) -> "Decoded":
        """Bytes of which nothing else is known."""
        peer: Any = _peer
        new = cls.__new__(cls)
        new.exceptions = ()
        new.labels = tuple(sorted(set(peer.findlabels(code))))
        resolver = {}
        if NUMBERED:
            resolver["arg_resolver"] = peer.ArgResolver(labels_map=peer._make_labels_map(code))
        new._rows = [_row(each, code) for each in peer._get_instructions_bytes(code, **resolver)]
        return new

    def __iter__(self) -> "Iterator[Row]":
        return iter(self._rows)


_Row: "Any" = namedtuple(
    "_Row",
    "opname opcode arg argval argrepr offset start_offset line starts_line is_jump_target"
    " jump_target label positions cache baseopname baseopcode",
)


def _row(each: "Any", raw: bytes) -> "Row":
    base = each.opname
    table: Any = opcode
    for name, family in table._specializations.items():
        if base in family:
            base = name
    cache, at = [], each.offset + 2
    for name, size in table._cache_format.get(base, {}).items():
        cache.append((name, size, raw[at : at + 2 * size]))
        at += 2 * size
    is_jump = opcode.opmap[base] in (*opcode.hasjrel, *opcode.hasjabs)
    make: Any = _Row
    return make(
        *each[:6],
        getattr(each, "start_offset", 0),
        each.line_number if NUMBERED else each.starts_line,
        each.starts_line if NUMBERED else each.starts_line is not None,
        each.is_jump_target,
        each.argval if is_jump else None,
        getattr(each, "label", None),
        tuple(each.positions),
        tuple(cache) or None,
        base,
        opcode.opmap[base],
    )
