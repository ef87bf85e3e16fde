# SPDX-License-Identifier: Apache-2.0
"""The pstats format, as the standard library's own module sees it."""

import ast
import cProfile
import io
import marshal
import pstats
import struct
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile

from . import oracle
from .synthetic import SAMPLES, WITHOUT_CALLS, Recording

GOLDEN = Path(__file__).parents[1] / "golden"
NOT_EMPTY = [name for name in SAMPLES if name not in WITHOUT_CALLS]


def export(recording: Recording, folder: Path) -> Path:
    path = folder / "out.pstats"
    path.write_bytes(Profile.read(str(recording.write(folder))).export("pstats"))
    return path


def load(path: Path, stream: io.StringIO) -> Any:
    return pstats.Stats(str(path), stream=stream)


@pytest.mark.parametrize("sample", NOT_EMPTY)
def test_totals_are_those_of_the_tree(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    functions, _ = oracle.tables(recording)
    stats = load(export(recording, tmp_path), io.StringIO())
    assert stats.total_calls == sum(f.calls for f in functions.values())
    assert stats.prim_calls == sum(f.primitive for f in functions.values())
    assert stats.total_tt == pytest.approx(sum(f.own for f in functions.values()) / 1e9)


@pytest.mark.parametrize("sample", NOT_EMPTY)
def test_every_table_can_be_printed(sample: str, tmp_path: Path) -> None:
    out = io.StringIO()
    stats = load(export(SAMPLES[sample](), tmp_path), out)
    for key in ["cumulative", "tottime", "ncalls", "name", "file", "nfl", "stdname", "pcalls"]:
        stats.sort_stats(key).print_stats()
    stats.print_callers()
    stats.print_callees()
    stats.strip_dirs().print_stats(5)
    assert out.getvalue().count("function calls") == 9


def test_a_table_reads_as_cprofiles_does(tmp_path: Path) -> None:
    out = io.StringIO()
    stats = load(export(SAMPLES["login"](), tmp_path), out)
    stats.sort_stats("cumulative").print_stats("sleep|fact")
    stats.print_callers("sleep")
    printed = " ".join(out.getvalue().split())
    assert "18 function calls (12 primitive calls) in 7.006 seconds" in printed
    assert "5 7.000 1.400 7.000 1.400 {built-in method time.sleep}" in printed
    assert "9/3 0.000 0.000 1.000 0.333 login.py:40(fact)" in printed
    assert "<- 4 6.000 6.000 login.py:14(login_user) 1 1.000 1.000 login.py:40(fact)" in printed


def test_recordings_can_be_added(tmp_path: Path) -> None:
    path = export(SAMPLES["login"](), tmp_path)
    stats = pstats.Stats(str(path), str(path))
    assert stats.total_calls == 2 * 18  # type: ignore[attr-defined]


def shape(stats: dict[Any, Any]) -> set[object]:
    """The types of all that a file of stats holds."""
    types: set[object] = set()
    for key, (*numbers, callers) in stats.items():
        types.add(("key", type(key), *map(type, key)))
        types.add(("row", *map(type, numbers), type(callers)))
        for caller, edge in callers.items():
            types.add(("caller", type(caller), *map(type, caller)))
            types.add(("edge", type(edge), *map(type, edge)))
    return types


def test_the_structure_is_cprofiles(tmp_path: Path) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(sorted, [3, 1, 2], key=lambda number: abs(number))
    profiler.dump_stats(tmp_path / "theirs")
    theirs = marshal.loads((tmp_path / "theirs").read_bytes())
    ours = marshal.loads(export(SAMPLES["login"](), tmp_path).read_bytes())
    assert shape(ours) == shape(theirs)


def test_the_numbers_are_cprofiles(tmp_path: Path) -> None:
    """A recursive program under cProfile, and its tree as we would record it."""

    def down(n: int) -> None:
        if n:
            down(n - 1)
            abs(n)

    def top() -> None:
        down(3)
        down(1)

    profiler = cProfile.Profile()
    profiler.runcall(top)
    profiler.create_stats()
    theirs = profiler.stats

    r = Recording()
    r.process()
    here = __file__.encode()
    line = down.__code__.co_firstlineno, top.__code__.co_firstlineno
    codes = r.code(here, line[1], b"top"), r.code(here, line[0], b"down")
    builtin = r.code(b"~", 0, b"<built-in method builtins.abs>", kind=2)
    thread = r.thread()
    at = thread.add(0, codes[0], 1)
    for calls, inner in [(2, 2), (2, 1), (1, 1), (1, 0)]:
        at = thread.add(at, codes[1], calls)
        if inner:
            thread.add(at, builtin, inner)
    ours = marshal.loads(export(r, tmp_path).read_bytes())

    def counts(stats: dict[Any, Any]) -> dict[Any, Any]:
        return {
            key: (row[0], row[1], {caller: edge[:2] for caller, edge in row[4].items()})
            for key, row in stats.items()
            if "disable" not in key[2]
        }

    assert counts(ours) == counts(theirs)


def test_keys_are_shared(tmp_path: Path) -> None:
    """A key is written once: a file with many edges stays small, in memory too."""
    stats = marshal.loads(export(SAMPLES["login"](), tmp_path).read_bytes())
    keys = {key: id(key) for key in stats}
    assert all(id(caller) == keys[caller] for row in stats.values() for caller in row[4])


def test_nothing_recorded_is_an_empty_dictionary() -> None:
    assert marshal.loads(Profile().export("pstats")) == {}


def test_numbers_beyond_31_bits(tmp_path: Path) -> None:
    r = Recording()
    r.process()
    thread = r.thread()
    numbers = [1, 2**15, 2**31 - 1, 2**31, 2**32 - 1]
    big = [*numbers, 2**45 - 1, 2**45, 2**60, 2**62]
    for line in numbers:
        for i, calls in enumerate(big):
            thread.add(0, r.code(b"n.py", line, b"f%d" % i), calls, 1)
    stats = marshal.loads(export(r, tmp_path).read_bytes())
    assert stats == {
        ("n.py", line, f"f{i}"): (calls, calls, 1e-9, 1e-9, {})
        for line in numbers
        for i, calls in enumerate(big)
    }


@pytest.mark.parametrize("sample", SAMPLES)
def test_marshal_of_any_version_reads_it(sample: str, tmp_path: Path) -> None:
    """Nothing but the type codes below, all of which Python 3.4 knew, whatever this one writes."""
    exported = export(SAMPLES[sample](), tmp_path).read_bytes()
    assert Unmarshal(exported).whole() == marshal.loads(exported)


class Unmarshal:
    """marshal.loads for what the export may hold, by the notes in CPython's marshal.c."""

    END = object()

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)
        self.refs: list[Any] = []

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.stream.read(size), "little", signed=True)

    def whole(self) -> Any:
        value = self.value()
        assert self.stream.read() == b""
        return value

    def value(self) -> Any:
        code = self.stream.read(1)[0]
        slot = len(self.refs)
        if code & 0x80:
            self.refs.append(None)
        value = self.of_type(chr(code & 0x7F))
        if code & 0x80:
            self.refs[slot] = value
        return value

    def of_type(self, kind: str) -> Any:
        match kind:
            case "{":
                pairs = {}
                while (key := self.value()) is not self.END:
                    assert key not in pairs
                    pairs[key] = self.value()
                return pairs
            case "0":
                return self.END
            case "(":
                return tuple(self.value() for _ in range(self.number()))
            case "i":
                return self.number()
            case "l":
                digits = [self.number(2) for _ in range(self.number())]
                assert digits[-1] and all(0 <= digit < 2**15 for digit in digits)
                return sum(digit << 15 * i for i, digit in enumerate(digits))
            case "g":
                return struct.unpack("<d", self.stream.read(8))[0]
            case "u":
                return self.stream.read(self.number()).decode("utf-8")
            case "r":
                return self.refs[self.number()]
        raise AssertionError(f"type code {kind!r}")


def test_golden(tmp_path: Path) -> None:
    golden = ast.literal_eval((GOLDEN / "login.pstats.txt").read_text())
    assert marshal.loads(export(SAMPLES["login"](), tmp_path).read_bytes()) == golden
