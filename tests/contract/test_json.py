# SPDX-License-Identifier: Apache-2.0
"""The json format, field by field as docs/export.md has it."""

import json
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile

from . import oracle
from .spelling import text
from .synthetic import SAMPLES, Recording, Thread

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = ["root", "python", "c", "folded", "folded again", "task", "awaited"]
LINE = ["code", "line", "hits", "time_ns", "waiting_ns", "callees_ns"]
COUNTS = [
    f"{what}_{unit}"
    for what in ("total", "peak", "alive", "temporary")
    for unit in ("count", "bytes")
]
MEMORY = {
    "heaps": [
        "process",
        "frames",
        "sample_bytes",
        "total_count",
        "total_bytes",
        "peak_bytes",
        "peak_ns",
        "alive_count",
        "alive_bytes",
    ],
    "sites": ["code", "line", "parent", "domain", *COUNTS],
    "moments": ["process", "time_ns", "live_bytes", "rss_bytes"],
    "points": ["process", "name", "time_ns", "live_count", "live_bytes", "rss_bytes"],
    "point_rows": ["point", "site", "count", "bytes"],
    "objects": ["process", "type", "site", "count", "bytes"],
    "classes": ["process", "type", "instances", "bytes", "plain_bytes", "slotted_bytes", "why"],
}
COLLECTION = ["process", "generation", "start_ns", "duration_ns", "collected", "uncollectable"]
COLLECTION_SUM = [
    "process",
    "generation",
    "count",
    "time_ns",
    "longest_ns",
    "collected",
    "uncollectable",
]
NOTES = {
    1: "folded",
    2: "disk full",
    3: "no tool id",
    4: "hook taken",
    5: "still running",
    6: "torn",
    7: "deep stack",
    8: "out of memory",
    9: "children lost",
    10: "never started",
    11: "too many lines",
    12: "tracer taken",
    13: "allocator taken",
    14: "no shadow",
    15: "interpreters",
    16: "collections",
}


def export(recording: Recording, folder: Path) -> bytes:
    return Profile.read(str(recording.write(folder))).export("json")


def table_row(sums: oracle.Sums) -> dict[str, int]:
    return {
        name if name in ("calls", "primitive") else f"{name}_ns": n
        for name, n in vars(sums).items()
    }


def nodes(thread: Thread) -> dict[str, list[int]]:
    return {
        "parent": [node.parent for node in thread.nodes],
        "code": [node.code for node in thread.nodes],
        "calls": [node.calls for node in thread.nodes],
        "own_ns": [node.own for node in thread.nodes],
        "waiting_ns": [node.waiting for node in thread.nodes],
    }


def process_rows(r: Recording) -> list[dict[str, Any]]:
    return [
        {
            "pid": p.pid,
            "parent_pid": p.parent_pid,
            "command": [text(word) for word in p.command.split(b"\0")] if p.command else [],
            "python": text(p.python),
            "started_ns": p.started,
            "elapsed_ns": p.elapsed,
        }
        for p in r.processes
    ]


def line_rows(r: Recording) -> list[dict[str, int]]:
    return [
        dict(zip(LINE, (*place, *numbers), strict=True))
        for place, numbers in sorted(oracle.lines(r).items())
    ]


def memory_rows(r: Recording) -> dict[str, list[dict[str, Any]]]:
    tables = {name: list(getattr(r.memory, name)) for name in MEMORY}
    tables["sites"].insert(0, (0,) * 12)
    tables["classes"] = [(*row[:2], *row[3:], row[2]) for row in r.memory.classes]
    return {
        name: [
            dict(zip(fields, (text(v) if isinstance(v, bytes) else v for v in row), strict=True))
            for row in tables[name]
        ]
        for name, fields in MEMORY.items()
    }


def span_rows(r: Recording) -> dict[str, list[dict[str, int]]]:
    return {
        "collections": [dict(zip(COLLECTION, row, strict=True)) for row in r.collections],
        "collection_sums": [
            dict(zip(COLLECTION_SUM, row, strict=True)) for row in r.collection_sums
        ],
        "spans": [
            {"thread": thread, "uses": uses, "start_ns": start}
            | ({"end_ns": start + lasted - 1} if lasted else {})
            for thread, uses, start, lasted in r.spans
        ],
    }


def document(r: Recording) -> dict[str, Any]:
    functions, edges = oracle.tables(r)
    return (
        {
            "format": "fettle",
            "version": 1,
            "meta": {text(key): text(value) for key, value in r.meta},
            "processes": process_rows(r),
            "threads": [
                {"process": t.process, "name": text(t.name), "uses": t.uses, "nodes": nodes(t)}
                for t in r.threads
            ],
            "codes": [
                {
                    "kind": KINDS[c.kind],
                    "file": text(c.file),
                    "line": c.line,
                    "name": text(c.name),
                    "qualname": text(c.qualname),
                }
                for c in r.codes
            ],
            "functions": [
                {"code": code, **table_row(functions[code])} for code in sorted(functions)
            ],
            "edges": [
                {"caller": edge[0], "callee": edge[1], **table_row(edges[edge])}
                for edge in sorted(edges, key=lambda edge: edge[::-1])
            ],
            "notes": [
                {"kind": NOTES.get(kind, f"note {kind}"), "process": process, "count": count}
                for kind, process, count in r.notes
            ],
            "lines": line_rows(r),
        }
        | memory_rows(r)
        | span_rows(r)
        | {"timings": []}
    )


def ordered(value: Any) -> Any:
    """value with each object as the list of its members: their order is part of the format."""
    if isinstance(value, dict):
        return [(key, ordered(member)) for key, member in value.items()]
    return [ordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_document_is_what_was_recorded(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    assert ordered(json.loads(export(recording, tmp_path))) == ordered(document(recording))


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_is_printable_ascii(sample: str, tmp_path: Path) -> None:
    lines = export(SAMPLES[sample](), tmp_path).decode("ascii").split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)


def test_every_character_comes_back(tmp_path: Path) -> None:
    points = [*range(0xD800), *range(0xE000, 0x110000)]
    names = ["".join(map(chr, points[i : i + 50_000])) for i in range(0, len(points), 50_000)]
    r = Recording()
    r.process()
    for name in names:
        r.code(b"", 0, name.encode())
    codes = json.loads(export(r, tmp_path))["codes"]
    assert [code["name"] for code in codes[1:]] == names


def test_every_pair_of_bytes_is_spelled_as_backslashreplace(tmp_path: Path) -> None:
    r = Recording()
    r.process()
    names = [bytes([a, b, ord("/")]) for a in range(256) for b in range(256)]
    for name in names:
        r.code(b"", 0, name)
    codes = json.loads(export(r, tmp_path))["codes"]
    assert [code["name"] for code in codes[1:]] == [text(name) for name in names]


def test_rows_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    lines = export(recording, tmp_path).splitlines()
    codes = [line for line in lines if line.startswith(b'  {"kind":"python"')]
    assert [json.loads(line.rstrip(b",]}") + b"}")["line"] for line in codes] == [1, 26, 14, 40]


def test_golden(tmp_path: Path) -> None:
    assert export(SAMPLES["login"](), tmp_path) == (GOLDEN / "login.json").read_bytes()
