# SPDX-License-Identifier: Apache-2.0
"""The chunks of timings: the engine against the reader and writer made from docs/format.md alone,
in what random recordings do not reach."""

import random
import struct
from array import array
from pathlib import Path

import pytest

try:
    from . import fettle_reader, fettle_writer
except ImportError:
    pytest.skip("needs zstandard, or Python 3.14", allow_module_level=True)
from .fettle_reader import SKIPPABLE, Recording, Series

_core = pytest.importorskip("fettle._core")


def engine_bytes(profile: "_core.Profile", folder: Path) -> bytes:
    path = folder / "written.fettle"
    with path.open("wb") as file:
        profile.begin(file.fileno())
        profile.append(file.fileno())
    return path.read_bytes()


def engine_read(data: bytes, folder: Path) -> "_core.Profile | str":
    path = folder / "read.fettle"
    path.write_bytes(data)
    try:
        return _core.Profile.read(str(path))
    except _core.FileError as error:
        return str(error.args[0])


def chunks_of(data: bytes) -> "list[fettle_reader.Chunk]":
    found, at = [], 16
    while at < len(data):
        if data.startswith(fettle_reader.MAGIC, at):
            at += 16
            continue
        chunk = fettle_reader.chunk_at(data, at)
        assert chunk is not None
        found.append(chunk)
        at += 28 + len(chunk.stored)
    return found


def test_a_long_series_goes_on_in_further_chunks(tmp_path: Path) -> None:
    rng = random.Random(1)
    groups = [[rng.random() for _ in range(count)] for count in (5, 400_000, 0, 7, 131_071)]
    profile = _core.Profile()
    profile.add_timing("x", "wall", 3, 1e-9, [array("d", group) for group in groups])
    profile.add_timing("y", "cpu", 1, 0.0, [array("d", groups[1][:200_000])])
    data = engine_bytes(profile, tmp_path)
    first, second = fettle_reader.read(data).series
    assert (first.groups, second.groups) == (groups, [groups[1][:200_000]])
    samples = [chunk for chunk in chunks_of(data) if chunk.type == b"SMPL"]
    assert len(samples) > 5
    assert all(chunk.flags == SKIPPABLE and chunk.raw_length <= 1 << 20 for chunk in samples)


def test_every_double_is_kept_bit_by_bit(tmp_path: Path) -> None:
    rng = random.Random(2)
    drawn = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(5000)]
    group = array("d", [one for one in drawn if abs(one) < float("inf")] + [0.0, -0.0, 5e-324])
    profile = _core.Profile()
    profile.add_timing("x", "cpu", 1, 5e-324, [group], counters={"a": -0.0})
    data = engine_bytes(profile, tmp_path)
    (plain,) = fettle_reader.read(data).series
    assert array("d", plain.groups[0]).tobytes() == group.tobytes()
    assert (plain.empty, str(plain.counters[b"a"])) == (5e-324, "-0.0")
    back = engine_read(data, tmp_path)
    assert back.timings()[0].groups[0].tobytes() == group.tobytes()


def test_what_an_old_reader_skips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three are skippable, and what is left is a whole recording."""
    profile = _core.Profile()
    profile.add_timing("x", "cpu", 1, 0.0, [array("d", [1.0])], counters={"a": 1.0})
    data = engine_bytes(profile, tmp_path)
    for kind in (b"TIME", b"CNTR", b"SMPL"):
        monkeypatch.delitem(fettle_reader.TAKERS, kind)
    old = fettle_reader.read(data)
    assert (old.newer_chunks, old.ended, old.torn, old.series) == (3, True, False, [])


def test_labels_of_any_bytes(tmp_path: Path) -> None:
    """Lone surrogates as their three bytes, NULs, bytes that are no UTF-8."""
    labels = [b"a\0b", "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe", b"", b"\n"]
    recording = Recording(series=[Series(label, 1, 1, 0.0) for label in labels])
    profile = engine_read(fettle_writer.write(recording, 1), tmp_path)
    assert [row.label for row in profile.timings()] == [
        label.decode("utf-8", "backslashreplace") for label in labels
    ]
    assert [one.label for one in fettle_reader.read(engine_bytes(profile, tmp_path)).series] == (
        labels
    )


def test_segments_stand_side_by_side(tmp_path: Path) -> None:
    profile = _core.Profile()
    profile.add_timing("x", "cpu", 1, 0.0, [array("d", [1.0])])
    profile.add_timing("y", "cpu", 1, 0.0, [array("d", [2.0])], together=True)
    data = engine_bytes(profile, tmp_path)
    back = engine_read(data + data, tmp_path)
    assert back.timings() == profile.timings() * 2
    assert [series.together for series in fettle_reader.read(data + data).series] == (
        [False, True] * 2
    )


@pytest.mark.parametrize("what", ["flip", "cut"])
def test_the_readers_agree_on_damage(tmp_path: Path, what: str) -> None:
    """Each byte changed, and each end cut off: never more than what stands before it."""
    profile = _core.Profile()
    for label in "ab":
        group = array("d", [1.0, 2.0, 3.0])
        profile.add_timing(label, "cpu", 5, 1e-9, [group, group], (1, 2), 3, {"c": 4.0})
    rows, data = profile.timings(), engine_bytes(profile, tmp_path)
    for at in range(8, len(data)):
        damaged = data[:at]
        if what == "flip":
            damaged += bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        read = engine_read(damaged, tmp_path)
        try:
            plain = fettle_reader.read(damaged)
        except fettle_reader.FettleError as error:
            assert read == error.args[0]
            continue
        assert read.torn or what == "cut"
        assert not read.ended
        seen = read.timings()
        assert len(seen) == len(plain.series)
        assert [row.label for row in seen] == [row.label for row in rows[: len(seen)]]
        for row, series, whole in zip(seen, plain.series, rows, strict=False):
            assert [group.tolist() for group in row.groups] == series.groups
            assert row.groups == whole.groups[: len(row.groups)]


def test_the_bounds(tmp_path: Path) -> None:
    """4096 series in a file, over its segments; 65 536 groups in a series."""
    most = Recording(series=[Series(b"x", 1, 1, 0.0) for _ in range(4096)])
    data = fettle_writer.write(most, 1)
    assert len(engine_read(data, tmp_path).timings()) == 4096
    one = fettle_writer.write(Recording(series=[Series(b"y", 1, 1, 0.0)]), 2)
    assert engine_read(data + one, tmp_path) == "limit"
    for groups, read in ((65_536, 65_536), (65_537, "limit")):
        many = Recording(series=[Series(b"x", 1, 1, 0.0, groups=[[1.0]] * groups)])
        found = engine_read(fettle_writer.write(many, 3), tmp_path)
        assert (found if isinstance(found, str) else len(found.timings()[0].groups)) == read
