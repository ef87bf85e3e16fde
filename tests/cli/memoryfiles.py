# SPDX-License-Identifier: Apache-2.0
"""Recordings of memory made by hand, as files: the least of docs/format.md that holds them."""

import struct
import sys
from pathlib import Path
from typing import Any

from .linefiles import PYTHON, SKIPPABLE, _chunk, _chunks, _varints, _word

sys.path.append(str(Path(__file__).parents[1]))  # the checksum and the recipes are shared
from contract.synthetic import crc32c
from report.memories import Memory, Site

HEAP = (
    "sample",
    "total_count",
    "total_bytes",
    "peak_bytes",
    "peak_time",
    "alive_count",
    "alive_bytes",
)


class _Texts:
    """The texts of a file, each with its number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def written(path: Path, made: Memory) -> Path:
    path.write_bytes(_file(made))
    return path


def _code(site: Site) -> tuple[str, str, int] | None:
    return (site.file, site.qualname, site.first_line) if site.file else None


def _file(made: Memory) -> bytes:
    text = _Texts()
    codes = dict.fromkeys(code for code in map(_code, made.site_list) if code)
    numbers = {None: 0} | {code: at for at, code in enumerate(codes, 1)}
    records: dict[bytes, list[bytes]] = {
        b"CODE": [
            _varints(
                PYTHON, text(code[0]), text(code[1].rpartition(".")[2]), text(code[1]), code[2]
            )
            for code in codes
        ],
        b"SITE": [_site(site, numbers[_code(site)]) for site in made.site_list],
    } | _of_processes(made, text)
    sources = [_varints(text(file), text(source)) for file, source in made.sources.items()]
    meta = [_word(word) for pair in made.properties.items() for word in pair]
    processes = len(made.processes())
    process = [
        _varints(100 + at, 0, text("python"), text("3.11"), 0, 10**9) for at in range(processes)
    ]
    threads = [_varints(at, 0, 1) for at in range(processes)]
    chunks = [
        *_chunks(b"META", meta),
        *_chunks(b"TEXT", [_word(word) for word in text.known][1:]),
        *_chunks(b"CODE", records.pop(b"CODE")),
        *_chunks(b"PROC", process),
        *_chunks(b"THRD", threads),
        *_chunks(b"SRCE", sources, SKIPPABLE),
        *(each for kind, rows in records.items() for each in _chunks(kind, rows, SKIPPABLE)),
    ]
    end = _varints(len(text.known) - 1, len(codes), processes, processes, 0, 0)
    head = b"\x89FTL\r\n\x1a\n\x01\0\x02\0"
    whole = head + struct.pack("<I", crc32c(head))
    whole += b"".join(_chunk(*each, at) for at, each in enumerate(chunks))
    return whole + _chunk(b"END ", end, 0, len(chunks))


def _site(site: Site, code: int) -> bytes:
    pairs = (site.total, site.peak, site.alive, site.temporary)
    numbers = (number for pair in pairs for number in pair)
    return _varints(code, site.line, site.parent + 1, site.domain, *numbers)


def _of_processes(made: Memory, text: _Texts) -> dict[bytes, list[bytes]]:
    heaps = [vars(each) | {"peak_time": _ns(each.peak_time)} for each in made.heaps()]
    points = list(enumerate(made.point_list))
    return {
        b"HEAP": [
            _varints(each["process"], each["frames"], *(each[name] for name in HEAP))
            for each in heaps
        ],
        b"MOMT": [_numbers(each, _ns(each.time), "live rss") for each in made.moment_list],
        b"PONT": [
            _numbers(each, text(each.name), _ns(each.time), "count bytes rss") for _, each in points
        ],
        b"PROW": [
            _varints(at, site + 1, count, size)
            for at, each in points
            for site, count, size in each.rows
        ],
        b"OBJS": [
            _numbers(each, text(each.type), each.site + 1, "count bytes")
            for each in made.object_list
        ],
        b"CLAS": [
            _numbers(each, text(each.type), text(each.why), "instances bytes plain slotted")
            for each in made.class_list
        ],
    }


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _numbers(row: Any, *numbers: Any) -> bytes:
    """The process, the numbers, and the items whose names come last."""
    *first, names = numbers
    return _varints(row.process, *first, *(getattr(row, name) for name in names.split()))
