# SPDX-License-Identifier: Apache-2.0
"""make_lprof_corpus.py FOLDER [FILE...]: writes the first inputs of fuzz/corpus/lprof: pickled line
statistics of every protocol, cut ones, damaged ones and hostile ones; each FILE, one that
line_profiler itself wrote, is copied."""

import os
import pickle
import pickletools
import shutil
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = "line_profiler"


class LineStats:
    """Stands where line_profiler's stands."""

    def __init__(self, timings: Any, unit: Any) -> None:
        self.timings = timings
        self.unit = unit


LineStats.__module__ = f"{FOLDER}._line_profiler"
for name in (FOLDER, LineStats.__module__):
    sys.modules[name] = ModuleType(name)
sys.modules[LineStats.__module__].LineStats = LineStats  # type: ignore[attr-defined]

USUAL = {
    ("/a/b.py", 3, "outer"): [(4, 1, 20), (5, 301, 2**40), (6, 300, 0)],
    ("/a/b.py", 9, "C.größe"): [(10, 2**31, 2**63 - 1), (11, -1, -(2**63))],
    ("\udcff\U0001f40d", 1, "never"): [],
}
LONG = {("a.py", 1, "f"): [(line, line, 7) for line in range(1100)]}


class Calls:
    """What pickle would call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, Any]:
        return self.call[0], self.call[1:]


def shared(count: int) -> LineStats:
    """Every function has the first one's lines."""
    lines = [(line, 1, 1) for line in range(count)]
    return LineStats({("a.py", line, "f"): lines for line in range(count)}, 1)


def cycle() -> LineStats:
    lines: list[Any] = [(1, 2, 3)]
    lines.append(lines)
    return LineStats({("a.py", 1, "f"): lines}, 1)


def values() -> dict[str, Any]:
    return {
        "usual": LineStats(USUAL, 1e-6),
        "nothing": LineStats({}, 1),
        "calls": Calls(os.system, "true"),
        "calls-within": LineStats({("a.py", 1, "f"): Calls(eval, "1")}, 1),
        "cycle": cycle(),
        "wrong-rows": LineStats({("a.py", 1, "f"): [(1, 2), None, "x"]}, 1),
        "no-statistics": [{"timings": USUAL}, (1.5, b"x", {1, 2}, frozenset(), True)],
    }


def hostile() -> dict[str, bytes]:
    """Bytes that no pickler writes."""
    huge = struct.pack("<I", 2**32 - 1)
    start = b"\x80\x04"
    kind = b"cline_profiler._line_profiler\nLineStats\n)\x81"
    return {
        "marks": start + b"(" * 5000,
        "lists-in-lists": start + b"]" * 2500 + b"a" * 2499 + b".",
        "tuples-in-tuples": start + b"N" + b"\x85" * 5000 + b".",
        "text-of-many": start + b"X" + huge + b"a",
        "text-of-more": start + b"\x8d" + huge + huge + b"a",
        "number-of-many": start + b"\x8b" + huge + b"a",
        "frame-of-many": start + b"\x95" + huge + huge + b"N.",
        "memo-of-many": start + b"Nr" + huge + b".",
        "memo-at-the-end": start + b"]r\x0b\0\0\0" + b"j\x0b\0\0\0" + b"a.",
        "memo-of-each": start + b"]" + b"\x94" * 5000 + b".",
        "holds-itself": start + kind + b"\x94h\0b.",
        "no-class": start + b"N)\x81}b.",
        "two-states": start + kind + b"}b}b.",
        "two-pickles": start + b"N." + start + b"N.",
        "later-protocol": b"\x80\x09N.",
        "persistent": start + b"Pid\n.",
        "escapes": b"ccopy_reg\nV\\u00e9\\U0001f40d\\ud800\\\n\\u00zz\n.",
        "decimals": start + kind + b"}(V unit\nF1e-400\nVtimings\nF1e9999999999\nI-00\nL12L\nu",
    }


def main(folder: Path, real: list[Path]) -> None:
    for name, value in values().items():
        for protocol in range(6):
            (folder / f"{name}-{protocol}").write_bytes(pickle.dumps(value, protocol))
    usual = pickle.dumps(LineStats(USUAL, 1e-6), 4)
    (folder / "optimized").write_bytes(pickletools.optimize(usual))
    (folder / "long").write_bytes(pickle.dumps(LineStats(LONG, 1e-9), 2))
    (folder / "shared").write_bytes(pickle.dumps(shared(20)))
    (folder / "shared-by-many").write_bytes(pickle.dumps(shared(300)))
    whole = bytearray(usual)
    for at in range(1, len(whole), 13):
        (folder / f"cut-{at}").write_bytes(whole[:at])
        whole[at] ^= 0x11
        (folder / f"damaged-{at}").write_bytes(whole)
        whole[at] ^= 0x11
    for name, data in hostile().items():
        (folder / name).write_bytes(data)
    for path in real:
        shutil.copy(path, folder)
    (folder / "empty").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
