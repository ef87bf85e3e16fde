# SPDX-License-Identifier: Apache-2.0
"""fettle._core.Stats: what cProfile, profile and pstats write, and what pstats makes of it.

Whatever is read here is compared with the standard library's reading of the same bytes."""

import cProfile
import gc
import marshal
import profile
import pstats
import random
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fettle._core import FileError, Profile, Stats

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract import synthetic
from contract.spelling import text

Key = tuple[str, int, str]
Table = dict[Key, tuple[int, int, float, float, dict[Key, tuple[int, int, float, float]]]]

LARGEST = 2**64 - 1  # counts and nanoseconds saturate there


def tables(stats: Stats) -> Table:
    """As pstats has it: primitive calls, calls, own, cumulative, callers (the other order)."""
    functions = stats.functions()
    keys = [(row.file, row.line, row.name) for row in functions]
    found: Table = {
        key: (row.primitive, row.calls, row.own, row.cumulative, {})
        for key, row in zip(keys, functions, strict=True)
    }
    assert len(found) == len(functions)
    for edge in stats.edges():
        callers = found[keys[edge.callee]][4]
        assert keys[edge.caller] not in callers
        callers[keys[edge.caller]] = (edge.calls, edge.primitive, edge.own, edge.cumulative)
    return found


def spelled(key: Any) -> Key:
    file, line, name = key
    names = [text(name.encode("utf-8", "surrogatepass")) for name in (file, name)]
    return names[0], line, names[1]


def clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), LARGEST / 1e9)


def expected(stats: dict[Any, Any]) -> Table:
    """What pstats holds, with a row of zeros for who is a caller only."""
    found: Table = {
        spelled(caller): (0, 0, 0.0, 0.0, {}) for row in stats.values() for caller in row[4]
    }
    for key, (primitive, calls, own, cumulative, callers) in stats.items():
        edges = {}
        for caller, edge in callers.items():
            counts = edge if isinstance(edge, tuple) else (edge, edge, 0.0, 0.0)
            edges[spelled(caller)] = (
                *(min(count, LARGEST) for count in counts[:2]),
                *map(clamped, counts[2:]),
            )
        found[spelled(key)] = (
            min(primitive, LARGEST),
            min(calls, LARGEST),
            clamped(own),
            clamped(cumulative),
            edges,
        )
    return found


def assert_same(ours: Table, theirs: Table) -> None:
    assert ours.keys() == theirs.keys()
    for key, (primitive, calls, own, cumulative, callers) in theirs.items():
        assert ours[key][:2] == (primitive, calls)
        assert ours[key][2:4] == pytest.approx((own, cumulative), abs=1e-9)
        assert ours[key][4].keys() == callers.keys()
        for caller, edge in callers.items():
            assert ours[key][4][caller] == pytest.approx(edge, abs=1e-9)


def assert_read(path: Path) -> Stats:
    """Reads path, which must be as pstats sees it; gives it."""
    theirs: Any = pstats.Stats(str(path))
    ours = Stats.read(str(path))
    assert_same(tables(ours), expected(theirs.stats))
    totals = ours.totals()
    assert (totals.calls, totals.primitive) == (theirs.total_calls, theirs.prim_calls)
    assert totals.own == pytest.approx(theirs.total_tt, rel=1e-12, abs=1e-9 * len(theirs.stats))
    return ours


# ---- what others write ----


def work(depth: int = 4) -> int:
    if depth == 0:
        return len([abs(x) for x in (3, 1, 2)])
    return work(depth - 1) + max(map(work, range(depth)), key=lambda n: -n)


def cprofiled() -> cProfile.Profile:
    profiler = cProfile.Profile()
    profiler.runcall(work)
    return profiler


def test_cprofile(tmp_path: Path) -> None:
    cprofiled().dump_stats(tmp_path / "prof.out")
    stats = assert_read(tmp_path / "prof.out")
    assert (stats.sampled, stats.untimed) == (False, False)
    assert any(row.calls > row.primitive for row in stats.functions())


def test_profile(tmp_path: Path) -> None:
    profiler = profile.Profile()
    profiler.runcall(work)
    profiler.dump_stats(str(tmp_path / "prof.out"))
    stats = assert_read(tmp_path / "prof.out")
    assert (stats.sampled, stats.untimed) == (False, True)
    assert ("profile", 0, "profiler") in tables(stats)


def test_profile_with_a_timer_of_whole_numbers(tmp_path: Path) -> None:
    ticks = iter(range(0, 10**9, 3))
    profiler = profile.Profile(timer=lambda: next(ticks), bias=0)
    profiler.runcall(work)
    profiler.dump_stats(str(tmp_path / "prof.out"))
    assert_read(tmp_path / "prof.out")


def test_profile_whose_bias_is_larger_than_what_it_timed(tmp_path: Path) -> None:
    profiler = profile.Profile(timer=lambda: 0.0, bias=0.5)
    profiler.runcall(work)
    profiler.dump_stats(str(tmp_path / "prof.out"))
    assert any(row[2] < 0 for row in marshal.loads((tmp_path / "prof.out").read_bytes()).values())
    stats = Stats.read(str(tmp_path / "prof.out"))
    assert {row.own for row in stats.functions()} == {0.0}


def test_pstats(tmp_path: Path) -> None:
    """What pstats.Stats.dump_stats writes of several that were added and stripped of folders."""
    stats = pstats.Stats(cprofiled(), cprofiled())
    stats.strip_dirs().dump_stats(tmp_path / "prof.out")
    assert_read(tmp_path / "prof.out")


def test_the_sampling_profiler(tmp_path: Path) -> None:
    collector = pytest.importorskip("profiling.sampling.pstats_collector").PstatsCollector(1000)
    frames = [
        SimpleNamespace(filename="a.py", location=(line, line, 0, 0), funcname=name)
        for line, name in [(9, "leaf"), (5, "middle"), (1, "<module>")]
    ]
    for count, first in [(5, 0), (3, 1), (1, 2)]:
        for _ in range(count):
            collector._process_frames(frames[first:])
    collector.export(str(tmp_path / "prof.out"))
    stats = assert_read(tmp_path / "prof.out")
    assert (stats.sampled, stats.untimed) == (True, True)
    assert stats.totals().primitive == 9


WITH_CALLS = [name for name in synthetic.SAMPLES if name not in synthetic.WITHOUT_CALLS]


@pytest.mark.parametrize("sample", WITH_CALLS)
def test_our_own_export_comes_back(sample: str, tmp_path: Path) -> None:
    recording = Profile.read(str(synthetic.SAMPLES[sample]().write(tmp_path)))
    (tmp_path / "prof.out").write_bytes(recording.export("pstats"))
    ours, totals = assert_read(tmp_path / "prof.out").totals(), recording.totals()
    if totals.calls < 2**62:  # no sum saturates
        assert ours[:2] == totals[:2]
        assert ours.own == pytest.approx(totals.own)


# ---- marshal ----


def drawn_texts(draw: random.Random) -> list[str]:
    letters = "ab\0\n'<>\u00e9\u202e\ud800\udcff\U0001f40d"
    return [
        "~",
        "",
        "x" * 300,
        *("".join(draw.choices(letters, k=draw.randrange(9))) for _ in range(6)),
    ]


def drawn_stats(draw: random.Random) -> dict[Any, Any]:
    """Statistics that no program made; their texts, numbers and tuples are shared as it comes."""
    texts = drawn_texts(draw)
    numbers = [0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**45, 2**64 - 1, 2**64, 2**90]
    seconds = [0, 7, 0.0, 5e-324, 1e-9, 0.1, 1 / 3, 12345.678901234, 1e9, 1e300, float("inf")]

    def edge() -> Any:
        counts = draw.choice(numbers), draw.choice(numbers)
        return draw.choice([(*counts, draw.choice(seconds), draw.random()), counts[0]])

    keys = [
        (draw.choice(texts), draw.choice(numbers[:6]), draw.choice(texts))
        for _ in range(draw.randrange(1, 12))
    ]
    edges = [edge() for _ in range(5)]
    callers = [
        {draw.choice(keys): draw.choice(edges) for _ in range(draw.randrange(5))} for _ in range(4)
    ]
    return {
        key: (draw.choice(numbers), draw.choice(numbers), draw.choice(seconds), draw.random(),
              draw.choice(callers))
        for key in keys[draw.randrange(len(keys)) :]
    }  # fmt: skip


@pytest.mark.parametrize("version", range(marshal.version + 1))
def test_any_statistics_in_any_version_of_marshal(version: int, tmp_path: Path) -> None:
    path = tmp_path / "prof.out"
    for seed in range(150):
        stats = drawn_stats(random.Random(seed))
        path.write_bytes(marshal.dumps(stats, version))
        assert_same(tables(Stats.read(str(path))), expected(stats))


@pytest.mark.parametrize("seed", range(20))
def test_merging_is_adding(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths:
        stats = {
            key: (*row[:4], {who: edge for who, edge in row[4].items() if isinstance(edge, tuple)})
            for key, row in drawn_stats(draw).items()
        }
        Path(path).write_bytes(marshal.dumps(stats))
    ours = Stats.read(paths[0])
    for path in paths[1:]:
        ours.merge(Stats.read(path))
    theirs: Any = pstats.Stats(*paths)
    assert_same(tables(ours), expected(theirs.stats))


def test_statistics_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "prof.out").write_bytes(marshal.dumps({}))
    stats = Stats.read(str(tmp_path / "prof.out"))
    assert (stats.functions(), stats.edges()) == ([], [])
    assert stats.totals() == (0, 0, 0.0, 0.0, 0)
    for table in [stats.processes, stats.threads, stats.notes]:
        assert table() == []
    assert stats.meta() == {}


def test_counts_that_are_not_known_are_none(tmp_path: Path) -> None:
    """Sampling profilers write -1."""
    (tmp_path / "prof.out").write_bytes(marshal.dumps({("a", 1, "f"): (-1, -1, 0.5, 1.0, {})}))
    (row,) = Stats.read(str(tmp_path / "prof.out")).functions()
    assert (row.calls, row.primitive, row.own, row.cumulative) == (0, 0, 0.5, 1.0)


# ---- bytes that nobody should write ----


def kind_of_error(data: bytes, path: Path) -> str | None:
    """None where it is read."""
    path.write_bytes(data)
    try:
        Stats.read(str(path))
    except FileError as error:
        kind, where, detail = error.args
        assert where == str(path) and detail
        return str(kind)
    return None


SMALL = {("a.py", 1, "f"): (1, 1, 0.5, 1.5, {("b.py", 2, "g"): (1, 1, 0.5, 1.5)})}
KEY = b"\xa9\x03\xda\x01ai\1\0\0\0\xda\x01f"
ROW = b")\x05i\1\0\0\0i\1\0\0\0g" + bytes(8) + b"g" + bytes(8)
HUGE = struct.pack("<i", 2**31 - 1)


@pytest.mark.parametrize("version", range(5))
def test_cut_at_every_byte(version: int, tmp_path: Path) -> None:
    data = marshal.dumps(SMALL, version)
    assert kind_of_error(data, tmp_path / "cut") is None
    kinds = [kind_of_error(data[:length], tmp_path / "cut") for length in range(len(data))]
    assert kinds[:2] == ["empty", "foreign"]
    assert set(kinds[2:]) == {"corrupt"}


@pytest.mark.parametrize("version", range(5))
def test_every_bit_flipped(version: int, tmp_path: Path) -> None:
    """It is refused, or it is sound marshal and means what marshal says it does."""
    data = bytearray(marshal.dumps(SMALL, version))
    path = tmp_path / "flipped"
    accepted = 0
    for at in range(8 * len(data)):
        data[at // 8] ^= 1 << at % 8
        if kind_of_error(bytes(data), path) is None:
            accepted += 1
            stats = loads(bytes(data))
            if stats is not None:
                assert_same(tables(Stats.read(str(path))), expected(stats))
        data[at // 8] ^= 1 << at % 8
    assert accepted > 10


def loads(data: bytes) -> dict[Any, Any] | None:
    """By marshal, which only sees what we accepted. None for what it refuses and we need not (texts
    that are not UTF-8), and where we differ on purpose: bytes above 127 in ASCII texts, negative
    lines and counts."""
    try:
        stats = marshal.loads(data)
    except (UnicodeDecodeError, ValueError):
        return None
    keys = [*stats, *(caller for row in stats.values() for caller in row[4])]
    plain = all(f.isascii() and n.isascii() and 0 <= line < 2**32 for f, line, n in keys)
    counts = [count for row in stats.values() for count in row[:2]]
    counts += [count for row in stats.values() for edge in row[4].values() for count in edge[:2]]
    return stats if plain and min(counts) >= 0 else None


HOSTILE = {
    "small tuples nested": b"{" + b")\x01" * 100_000,
    "tuples nested": b"{" + b"(\1\0\0\0" * 100_000,
    "dictionaries nested": b"{)\x03" + b"{" * 100_000,
    "a huge tuple": b"{(" + HUGE,
    "a huge text": b"{)\x03u" + HUGE + b"a",
    "a huge number": b"{)\x03z\x01al" + HUGE,
    "a key that holds itself": b"\xfb\xa9\x03r\1\0\0\0",
    "callers that are the whole": b"\xfb" + KEY + ROW + b"r\0\0\0\x000",
    "a reference to nothing": b"{" + KEY + ROW + b"r\xff\xff\xff\x7f0",
    "code": b"{" + KEY + b"c" + bytes(100) + b"0",
    "a byte behind the end": b"{00",
    "a time that is no number": marshal.dumps({("a", 1, "f"): (1, 1, float("nan"), 0.0, {})}),
    "a list": marshal.dumps({("a", 1, "f"): [1, 1, 0.0, 0.0, {}]}),
    "a key of four": marshal.dumps({("a", 1, "f", "g"): (1, 1, 0.0, 0.0, {})}),
    "bytes": marshal.dumps({("a", 1, b"f"): (1, 1, 0.0, 0.0, {})}),
    "an edge of three": marshal.dumps(
        {("a", 1, "f"): (1, 1, 0.0, 0.0, {("a", 1, "f"): (1, 1, 0.0)})}
    ),
    "a broken count": marshal.dumps({("a", 1, "f"): (1.5, 1, 0.0, 0.0, {})}),
    "not sampled": marshal.dumps({("__sampled__",): False}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path) -> None:
    assert kind_of_error(HOSTILE[name], tmp_path / "hostile") == "corrupt"


@pytest.mark.parametrize("data", [b"[\0\0\0\0", b'{"a": 1}', b"{\n}", b"{}", b"#!/bin/sh\n", b"{i"])
def test_other_files_are_foreign(data: bytes, tmp_path: Path) -> None:
    assert kind_of_error(data, tmp_path / "other") == "foreign"


def test_a_file_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(b"{)")
        file.truncate((1 << 30) + 1)  # sparse: it takes no room
    with pytest.raises(FileError) as caught:
        Stats.read(str(path))
    assert caught.value.args[0] == "limit"


def test_shared_callers_are_bounded(tmp_path: Path) -> None:
    """A dictionary that thousands of functions share: millions of edges out of a small file."""
    callers = {("a", line, "f"): 1 for line in range(5000)}
    stats = {("b", line, "f"): (1, 1, 0.0, 0.0, callers) for line in range(5000)}
    assert kind_of_error(marshal.dumps(stats), tmp_path / "shared") == "limit"


# ---- the object ----


def test_stats_are_read_only() -> None:
    with pytest.raises(TypeError, match=r"Stats\.read"):
        Stats()
    with pytest.raises(TypeError):
        type("Mine", (Stats,), {})


def test_what_can_not_be_merged(tmp_path: Path) -> None:
    (tmp_path / "prof.out").write_bytes(marshal.dumps(SMALL))
    stats = Stats.read(str(tmp_path / "prof.out"))
    with pytest.raises(ValueError, match="themselves"):
        stats.merge(stats)
    for wrong in [None, Profile(), {}]:
        with pytest.raises(TypeError):
            stats.merge(wrong)  # type: ignore[arg-type]
    assert_same(tables(stats), expected(SMALL))


def test_paths_that_can_not_be_read(tmp_path: Path) -> None:
    for path, error in [
        (tmp_path / "missing", FileNotFoundError),
        (tmp_path, IsADirectoryError),
        (Path("/dev/null"), OSError),
    ]:
        with pytest.raises(error) as caught:
            Stats.read(str(path))
        assert caught.value.filename == str(path)
    with pytest.raises(TypeError):
        Stats.read(None)  # type: ignore[arg-type]


def test_no_references_leak(tmp_path: Path) -> None:
    (tmp_path / "prof.out").write_bytes(marshal.dumps(SMALL))
    (tmp_path / "bad").write_bytes(marshal.dumps(SMALL)[:-1])

    def once() -> None:
        stats = Stats.read(str(tmp_path / "prof.out"))
        stats.merge(Stats.read(str(tmp_path / "prof.out")))
        tables(stats)
        kind_of_error(marshal.dumps(SMALL)[:-1], tmp_path / "bad")

    for _ in range(3):
        once()
    gc.collect()
    before = sys.getrefcount(Stats)
    for _ in range(50):
        once()
    gc.collect()
    assert sys.getrefcount(Stats) == before
