# SPDX-License-Identifier: Apache-2.0
"""fettle.run(mem=True): a program records its own memory."""

import io
import re
from pathlib import Path

import fettle
import pytest


def held(size: int) -> list[bytearray]:
    return [bytearray(size)]


def shown(recording: fettle.run, what: str = "", **options: object) -> str:
    out = io.StringIO()
    recording.view(what, file=out, **options)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_block_and_its_table() -> None:
    with fettle.run(mem=True) as recording:
        kept = held(1_000_000)
        held(3_000_000)
    text = shown(recording)
    assert "function call" not in text
    assert re.match(
        r"peak 4\.0 MB after \d\.\d{3} s, 4\.0 MB of it at test_inside_memory\.py:", text
    )
    assert re.search(r" held +return \[bytearray\(size\)\]$", text, re.MULTILINE)
    assert shown(recording, "peak") == shown(recording, "mem") == text
    alive = shown(recording, "alive", rows=1).splitlines()
    assert alive[1].split()[0] == "alive"
    assert alive[2].startswith("  1.0 MB")
    assert kept


def test_calls_and_paths() -> None:
    with fettle.run(calls=True, mem=True) as recording:
        kept = held(1_000_000)
    assert [heap.frames for heap in recording.profile().heaps()] == [32]
    text = shown(recording)
    assert text.index("function call") < text.index("still alive")
    with fettle.run(mem=True, frames=4) as recording:
        kept = held(1_000_000)
    remarks = (
        "fettle:",
        " (",
    )  # 3.13.0's tracemalloc keeps its tracer when it stops, and we say so
    tree = [line for line in shown(recording, "tree").splitlines() if not line.startswith(remarks)]
    assert any("held" in line for line in tree)
    assert kept


def test_objects_and_time() -> None:
    class Thing:
        def __init__(self) -> None:
            self.name = 1

    with fettle.run(mem=True) as recording:
        kept = [Thing() for _ in range(1000)]
    assert re.search(r"1 000  \S*Thing", shown(recording, "objects"))
    assert "RSS" in shown(recording, "timeline")
    assert len(kept) == 1000


def test_one_recording_and_another(tmp_path: Path) -> None:
    with fettle.run(mem=True) as old:
        kept = held(1_000_000)
    with fettle.run(mem=True) as new:
        more = held(3_000_000)
    out = io.StringIO()
    new.diff(old, file=out, rows=1)
    assert out.getvalue().startswith("the other -> this: peak 1.0 MB -> 3.0 MB (+2.0 MB, +")
    old.save(str(tmp_path / "old.fettle"))
    again = io.StringIO()
    new.diff(str(tmp_path / "old.fettle"), file=again, rows=1)
    assert again.getvalue().splitlines()[1:] == out.getvalue().splitlines()[1:]
    assert kept
    assert more


def test_what_can_not_be_compared_is_told(tmp_path: Path) -> None:
    with fettle.run() as calls:
        pass
    with fettle.run(mem=True) as memory:
        pass
    for old, new in ((calls, memory), (memory, calls)):
        with pytest.raises(ValueError, match="can not be compared"):
            new.diff(old)
    with pytest.raises(ValueError, match="cannot read"):
        memory.diff(tmp_path / "none.fettle")
    with pytest.raises(TypeError, match="int"):
        memory.diff(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sort"):
        memory.diff(memory, sort="time")
    with pytest.raises(ValueError, match="rows"):
        memory.diff(memory, rows=-1)


def test_points_from_inside() -> None:
    fettle.mark("nobody hears it")
    with fettle.run(mem=True) as recording:
        first = held(1_000_000)
        fettle.mark("first")
        second = held(2_000_000)
        fettle.mark("second")
    points = recording.profile().points()
    assert [point.name for point in points] == ["first", "second"]
    assert points[1].bytes - points[0].bytes == pytest.approx(2_000_000, abs=2000)
    assert first
    assert second


def test_a_point_may_be_called_anything() -> None:
    names = ["\ud800", "a\0b", "x" * 100_000, "\N{SNOWMAN}", ""]
    with fettle.run(mem=True) as recording:
        for name in names:
            fettle.mark(name)
    found = [point.name for point in recording.profile().points()]
    assert found[0] == "\\ud800"
    assert found[1] == "a\0b"
    assert set(found[2]) == {"x"} and 1000 < len(found[2]) < 100_000
    assert found[3:] == names[3:]


def test_a_recording_of_nothing_says_so() -> None:
    with fettle.run(mem=True) as recording:
        pass
    assert "still alive" in shown(recording)
