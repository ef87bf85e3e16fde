# SPDX-License-Identifier: Apache-2.0
"""make_snapshot_corpus.py FOLDER: writes the first inputs of fuzz/corpus/snapshot: tracemalloc's
pickles of every protocol, fettle's files, recipes of chunks, and cut, damaged and hostile ones."""

import os
import pickle
import struct
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

from fettle.compat import tracemalloc as ours

A, B = ("/a/b.py", 3), ("\udcff/größe\U0001f40d.py", 2**31)
USUAL = [
    (0, 10, (A, B), 3),
    (0, 10, (A, B), 3),
    (389047, 2**40, (B,), None),
    (0, 7, (("<unknown>", 0),), 1),
]
TEXT, STACK, GROUP, ATTRIBUTE, END, LATE = range(6)  # types of a recipe's records


class Calls:
    """What pickle would call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, Any]:
        return self.call[0], self.call[1:]


def snapshot(kind: Any, traces: Any, **attributes: Any) -> Any:
    made = kind([], 2)
    if kind is tracemalloc.Snapshot:
        made.traces = tracemalloc._Traces(traces)
    else:
        made = kind(traces, 2)
    vars(made).update(attributes)
    return made


def pickles() -> dict[str, Any]:
    cycle: list[Any] = []
    cycle.append((0, 1, (cycle,), 1))
    theirs = tracemalloc.Snapshot
    return {
        "usual": snapshot(theirs, USUAL, note="é", real=1.5, yes=True, no=False, none=None),
        "ours": snapshot(ours.Snapshot, USUAL),
        "old": snapshot(theirs, [trace[:3] for trace in USUAL]),
        "nothing": snapshot(theirs, []),
        "wrong": snapshot(theirs, [(1, 2), None, "x"]),
        "cycle": snapshot(theirs, cycle),
        "attribute": snapshot(theirs, [], tags=["x"]),
        "calls": Calls(os.system, "true"),
        "calls-within": snapshot(theirs, [Calls(eval, "1")]),
        "no-snapshot": {"traces": USUAL, "traceback_limit": 1},
    }


def recipe(*records: tuple[int, bytes]) -> bytes:
    parts = (struct.pack("<BBH", kind, 0, len(raw)) + raw for kind, raw in records)
    return b"".join(parts)


def recipes() -> dict[str, bytes]:
    text, stack = (TEXT, b"\1a\2bc"), (STACK, b"\1\1\5\2\2\7\1\1\0")
    group = (GROUP, b"\0\7\3\0\2\0\x80\1\1\1\0")
    attribute = (ATTRIBUTE, b"\1\0" + bytes(8) + b"\2\5\1" + bytes(7) + b"\1\4" + bytes(8))
    end = (END, b"\2\3\2\3")
    return {
        "whole": recipe(text, stack, group, attribute, end),
        "late": recipe(text, (LATE, b"x"), stack, end),
        "backwards": recipe(stack, text, end),
        "twice": recipe(text, text, end),
        "no-end": recipe(text, stack, group),
        "after-the-end": recipe((END, bytes(4)), text),
        "far-stack": recipe(text, (GROUP, b"\0\1\1\x7f\0"), end),
        "many-frames": recipe(text, (STACK, b"\xff\xff\x3f\1\1"), end),
        "long-text": recipe((TEXT, b"\xff\xff\x7fa"), end),
        "long-number": recipe((STACK, b"\xff" * 12), end),
        "nothing": recipe((END, bytes(4))),
    }


def dumped() -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        snapshot(ours.Snapshot, USUAL, note="é", real=1.5, yes=True).dump(file.name)
        return Path(file.name).read_bytes()


def main(folder: Path) -> None:
    for name, value in pickles().items():
        for protocol in range(6):
            (folder / f"pickle-{name}-{protocol}").write_bytes(pickle.dumps(value, protocol))
    for name, data in recipes().items():
        (folder / f"recipe-{name}").write_bytes(data)
    sources = {"pickle": pickle.dumps(pickles()["usual"], 4), "dump": dumped()}
    sources["recipe"] = recipes()["whole"]
    for name, data in sources.items():
        whole = bytearray(data)
        for at in range(1, len(whole), 23):
            (folder / f"{name}-cut-{at}").write_bytes(whole[:at])
            whole[at] ^= 0x11
            (folder / f"{name}-damaged-{at}").write_bytes(whole)
            whole[at] ^= 0x11
    (folder / "dump").write_bytes(dumped())
    (folder / "empty").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
