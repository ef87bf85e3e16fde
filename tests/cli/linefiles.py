# SPDX-License-Identifier: Apache-2.0
"""Recordings of lines made by hand, as files: the least of docs/format.md that holds them."""

import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fettle import _core

sys.path.append(str(Path(__file__).parents[1]))  # the checksum is shared
from contract.synthetic import crc32c

SKIPPABLE = 1
PYTHON = 1  # the kind of code
BLOCK = 100_000  # bytes of a block and of a chunk: either may hold more

Rows = dict[int, tuple[int, int, int, int]]  # by line: hits, time, waiting, callees (ns)


@dataclass(frozen=True)
class Function:
    """What was recorded of one function; it ends at the last line of rows."""

    file: str
    line: int
    qualname: str
    calls: int = 1
    rows: Rows = field(default_factory=dict)


@dataclass
class Recording:
    functions: tuple[Function, ...]
    sources: dict[str, str]
    meta: dict[str, str]
    has_calls: bool


def recording(
    *functions: Function,
    sources: dict[str, str] | None = None,
    meta: dict[str, str] | None = None,
    calls: bool = False,
) -> Recording:
    return Recording(functions, sources or {}, meta or {}, calls)


def written(path: Path, made: Recording) -> Path:
    path.write_bytes(_file(made))
    return path


def profile(path: Path, made: Recording) -> _core.Profile:
    return _core.Profile.read(str(written(path, made)))


def _file(made: Recording) -> bytes:
    texts: dict[str, int] = {"": 0}

    def text(word: str) -> int:
        return texts.setdefault(word, len(texts))

    codes, lines = [], []
    for code, each in enumerate(made.functions, 1):
        name = each.qualname.rpartition(".")[2]
        codes.append(_varints(PYTHON, *map(text, (each.file, name, each.qualname)), each.line))
        lines.append(_varints(code, 0, each.calls, 0, 0, 0))
        lines += [_varints(code, line, *row) for line, row in each.rows.items()]
    sources = [_varints(text(file), text(source)) for file, source in made.sources.items()]
    process = _varints(1, 0, text("python"), text("3.11"), 0, 10**9)
    called = range(1, len(codes) + 1) if made.has_calls else ()
    nodes = len(called) + 1
    columns = [[0, *called], [0, *called], [0, *(1 for _ in called)], [0] * nodes, [0] * nodes]
    tree = _varints(0, nodes, *(value for column in columns for value in column))
    chunks = [
        *_chunks(b"META", [_word(word) for pair in made.meta.items() for word in pair]),
        *_chunks(b"TEXT", [_word(word) for word in texts][1:]),
        *_chunks(b"CODE", codes),
        *_chunks(b"PROC", [process]),
        *_chunks(b"THRD", [_varints(0, text(""), 1)]),
        (b"TREE", tree, 0),
        *_chunks(b"LINE", lines, SKIPPABLE),
        *_chunks(b"SRCE", sources, SKIPPABLE),
        (b"END ", _varints(len(texts) - 1, len(codes), 1, 1, nodes, 0), 0),
    ]
    head = b"\x89FTL\r\n\x1a\n\x01\0\x01\0"
    whole = head + struct.pack("<I", crc32c(head))
    return whole + b"".join(_chunk(*each, at) for at, each in enumerate(chunks))


def _chunks(
    kind: bytes, records: Iterable[bytes], flags: int = 0
) -> Iterable[tuple[bytes, bytes, int]]:
    """The records in chunks of a bearable size."""
    raw = b""
    for record in records:
        raw += record
        if len(raw) > BLOCK and kind != b"META":
            yield kind, raw, flags
            raw = b""
    if raw:
        yield kind, raw, flags


def _chunk(kind: bytes, raw: bytes, flags: int, sequence: int) -> bytes:
    stored = _zstd_frame(raw)
    head = struct.pack("<4s5I", kind, flags, len(raw), len(stored), 0, sequence)
    return head + struct.pack("<I", crc32c(head + stored)) + stored


def _zstd_frame(raw: bytes) -> bytes:
    """One frame of raw blocks that states its size."""
    out = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(raw))
    for start in range(0, len(raw), BLOCK):
        block = raw[start : start + BLOCK]
        last = start + BLOCK >= len(raw)
        out += (len(block) << 3 | last).to_bytes(3, "little") + block
    return out


def _word(text: str) -> bytes:
    data = text.encode()
    return _varints(len(data)) + data


def _varints(*values: int) -> bytes:
    out = bytearray()
    for value in values:
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)
