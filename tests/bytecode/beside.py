# SPDX-License-Identifier: Apache-2.0
"""Rows of fettle._core.Bytecode beside those of the standard library's dis."""

from __future__ import annotations

import dis
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from fettle import _core

WITH_LABELS = sys.version_info >= (3, 13)  # and without rows of caches
# 3.13.0 gives each field of the caches the bytes of the first one.
WITH_CACHE_BYTES = sys.version_info >= (3, 14)


def sources(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if "-packages" not in str(p.relative_to(folder)))


def compiled(source: Path) -> CodeType | None:
    """None: it is not written in this version of Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None


def inside(code: CodeType) -> Iterator[CodeType]:
    """The code object and all that are in it."""
    to_do = [code]
    while to_do:
        code = to_do.pop()
        yield code
        to_do.extend(const for const in code.co_consts if isinstance(const, CodeType))


def comparable(value: object) -> tuple[type, object]:
    """A nan is not equal to itself, 0.0 is to -0.0 and 0, and sets may have any order."""
    shown = isinstance(value, float | complex | tuple)
    return type(value), repr(value) if shown else value


def about(row: Any) -> tuple[object, ...]:
    """What every version has, and by the same names."""
    texts = (row.opname, row.opcode, row.arg, row.argrepr)
    value = comparable(row.argval)
    return (*texts, *value, row.offset, row.is_jump_target, tuple(row.positions))


def ours(row: Any) -> tuple[object, ...]:
    """What dis gives of an instruction, out of a row."""
    common = about(row)
    if not WITH_LABELS:
        return (*common, row.line if row.starts_line else None)
    cache = row.cache and [field if WITH_CACHE_BYTES else field[:2] for field in row.cache]
    return (
        *common,
        *(row.start_offset, row.line, row.starts_line, row.label, cache),
        *(row.baseopname, row.baseopcode, row.jump_target),
    )


def theirs(row: Any) -> tuple[object, ...]:
    common = about(row)
    if not WITH_LABELS:
        return (*common, row.starts_line)
    cache = row.cache_info and [f if WITH_CACHE_BYTES else f[:2] for f in row.cache_info]
    return (
        *common,
        *(row.start_offset, row.line_number, row.starts_line, row.label, cache),
        *(row.baseopname, row.baseopcode, row.jump_target),
    )


def check_rows(mine: Iterable[Any], other: Iterable[Any], code: object) -> int:
    """How many there are."""
    left, right = list(map(ours, mine)), list(map(theirs, other))
    if left != right:
        for one, another in zip(left, right, strict=False):
            assert one == another, code
        assert len(left) == len(right), code
    return len(left)


def check(code: CodeType, adaptive: bool = False) -> int:
    """Everything of one code object. How many instructions it has."""
    unknown: Any = dis.UNKNOWN  # type: ignore[attr-defined]
    plain = _core.Bytecode(code, adaptive=adaptive, unknown=unknown)
    count = check_rows(plain, dis.get_instructions(code, adaptive=adaptive), code)
    if not WITH_LABELS:
        with_caches = _core.Bytecode(code, adaptive=adaptive, caches=True, unknown=unknown)
        check_rows(
            with_caches, dis.get_instructions(code, adaptive=adaptive, show_caches=True), code
        )
    first = code.co_firstlineno + 1000
    moved = _core.Bytecode(code, adaptive, first, handlers=True, unknown=unknown)
    check_rows(moved, dis.Bytecode(code, adaptive=adaptive, first_line=first), code)
    entries: Any = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    assert plain.exceptions == tuple(map(tuple, entries)), code
    assert plain.lines == tuple(dis.findlinestarts(code)), code
    labels = _core.Bytecode(code).labels
    assert labels == tuple(sorted(dis.findlabels(code.co_code))), code
    return count
