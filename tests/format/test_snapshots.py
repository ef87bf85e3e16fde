# SPDX-License-Identifier: Apache-2.0
"""read_snapshot, write_snapshot: what tracemalloc pickles, and files of fettle's own.

Python's own pickle and tracemalloc are the judges of the one, a second reader of the other."""

import os
import pickle
import pickletools
import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from fettle._core import FileError, read_snapshot, write_snapshot

from tests.leaks import least_growth

try:
    from .snapshot_reader import SnapshotError, read
except ImportError:
    pytest.skip("needs zstandard, or Python 3.14", allow_module_level=True)

A, B, ODD = ("/a/b.py", 3), ("/größe\U0001f40d.py", 2**32 - 1), ("\udcff\0.py", 0)
STACK = (A, B)
RAW = [
    (0, 10, STACK, 3),
    (0, 10, STACK, 3),
    (389047, 2**63 - 1, (B, B, ODD), 65535),
    (2**32 - 1, 0, (), 0),
    (0, 7, (("<unknown>", 0),), 1),
]
ATTRIBUTES = {
    "traceback_limit": 2,
    "größe": "\udcff",
    "real": -1.5e-9,
    "yes": True,
    "no": False,
    "none": None,
    "large": 2**63 - 1,
    "small": -(2**63),
}


def theirs(traces: Any, **attributes: Any) -> tracemalloc.Snapshot:
    snapshot = tracemalloc.Snapshot(traces, 2)
    vars(snapshot).update(attributes)
    return snapshot


def expanded(groups: list[tuple[Any, int]]) -> list[Any]:
    return [raw for raw, count in groups for _ in range(count)]


def put(folder: Path, data: bytes) -> Path:
    path = folder / "snapshot"
    path.write_bytes(data)
    return path


def random_groups(rng: random.Random) -> list[tuple[Any, int]]:
    frames = [
        (f"/{rng.choice('abcäö🐍')}.py", rng.getrandbits(rng.randrange(1, 33))) for _ in "1" * 9
    ]
    stacks = [tuple(rng.choices(frames, k=rng.randrange(6))) for _ in range(7)]
    groups: list[tuple[Any, int]] = []
    for _ in range(rng.randrange(40)):
        total = rng.choice([None, 0, 1, 25, 65535])
        raw = (
            rng.choice([0, 0, 7]),
            rng.getrandbits(rng.randrange(1, 64)),
            rng.choice(stacks),
            total,
        )
        if not groups or groups[-1][0] != raw:
            groups.append((raw, 1 + rng.getrandbits(rng.randrange(1, 30))))
    return groups


# ---- tracemalloc's pickles ----


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_tracemalloc_pickles_is_read(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(theirs(RAW, **ATTRIBUTES), protocol)
    groups, attributes = read_snapshot(put(tmp_path, data))
    assert expanded(groups) == RAW
    assert [count for _, count in groups] == [2, 1, 1, 1]
    if protocol < 2:  # where True is the number 1
        assert attributes == ATTRIBUTES
    else:
        assert repr(sorted(attributes.items())) == repr(sorted(ATTRIBUTES.items()))


def test_what_tracemalloc_dumps_of_this_process_is_read(tmp_path: Path) -> None:
    tracing = tracemalloc.is_tracing()
    tracemalloc.start(5)
    kept = [bytearray(100) for _ in range(3000)]
    snapshot = tracemalloc.take_snapshot()
    if not tracing:
        tracemalloc.stop()
    snapshot.dump(tmp_path / "theirs")
    groups, attributes = read_snapshot(str(tmp_path / "theirs"))
    assert len(kept) <= len(expanded(groups))
    assert expanded(groups) == snapshot.traces._traces
    assert attributes == {"traceback_limit": 5}


def test_other_forms_of_a_pickle(tmp_path: Path) -> None:
    data = pickletools.optimize(pickle.dumps(theirs(RAW), 4))
    assert expanded(read_snapshot(put(tmp_path, data))[0]) == RAW
    data = pickle.dumps(theirs(tuple(RAW)), 5)
    assert expanded(read_snapshot(put(tmp_path, data))[0]) == RAW
    old = [trace[:3] for trace in RAW]  # before Python 3.9
    groups, _ = read_snapshot(os.fsencode(put(tmp_path, pickle.dumps(theirs(old), 2))))
    assert expanded(groups) == [(*trace, None) for trace in old]


class Calls:
    """What pickle would call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, Any]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (Calls(os.system, "touch called"), "the name posix.system at byte"),
        (theirs([Calls(exec, "open('called', 'w')")]), "the name builtins.exec at byte"),
        (theirs([], note=Calls(open, "called", "w")), "the name io.open at byte"),
        (theirs([], note=[1]), "an attribute that is no number"),
        (theirs([(0, 1)]), "a trace of another form"),
        (theirs([(0, -1, (A,), 1)]), "a trace of another form"),
        (theirs([(0, 2**64, (A,), 1)]), "a number of more than 64 bits at byte"),
        (theirs({}), "no list of traces"),
        (tracemalloc.Filter(True, "x"), "the name tracemalloc.Filter at byte"),
        ([1], "no snapshot"),
    ],
)
def test_what_no_snapshot_has_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any, detail: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for protocol in (3, 5):
        path = put(tmp_path, pickle.dumps(value, protocol))
        with pytest.raises(FileError) as caught:
            read_snapshot(path)
        kind, named, found = caught.value.args
        assert (kind, named) == ("corrupt", path)
        assert found.startswith(detail) or "_io.open" in found
    assert os.listdir(tmp_path) == ["snapshot"]


# ---- fettle's files ----


def test_what_is_written_is_read_back_by_both_readers(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(200):
        groups = random_groups(rng)
        attributes = dict(rng.sample(sorted(ATTRIBUTES.items()), rng.randrange(8)))
        data = write_snapshot(groups, attributes)
        for found in (read(data), read_snapshot(put(tmp_path, data))):
            assert found[0] == groups
            assert repr(sorted(found[1].items())) == repr(sorted(attributes.items()))


def test_many_groups_are_several_chunks(tmp_path: Path) -> None:
    groups: list[tuple[Any, int]] = [
        ((0, size, ((f"{size % 1000}.py", size + 2**28),), None), 1 + size % 3)
        for size in range(180_000)
    ]
    data = write_snapshot(groups, {})
    assert data.count(b"STAK") > 1
    assert read(data) == (groups, {})
    assert read_snapshot(put(tmp_path, data)) == (groups, {})


def test_what_both_readers_refuse(tmp_path: Path) -> None:
    data = bytearray(write_snapshot([(raw, 1) for raw in RAW], dict(ATTRIBUTES)))
    for at in range(8, len(data), 3):
        data[at] ^= 0x40
        with pytest.raises(FileError):
            read_snapshot(put(tmp_path, data))
        with pytest.raises((SnapshotError, struct.error)):
            read(bytes(data))
        data[at] ^= 0x40
    assert read_snapshot(put(tmp_path, data)) == read(bytes(data))


def test_shared_stacks_are_shared_again(tmp_path: Path) -> None:
    data = write_snapshot([((0, size, STACK, 2), 1) for size in (1, 2, 3)], {})
    groups, _ = read_snapshot(put(tmp_path, data))
    first, *others = [raw[2] for raw, _ in groups]
    assert all(stack is first for stack in others)


def test_neighbours_are_joined_and_empty_groups_left_out(tmp_path: Path) -> None:
    one, two = (0, 5, STACK, None), (0, 6, STACK, None)
    data = write_snapshot([(one, 2), (one, 3), (two, 0), (two, 1), (one, 1)], {})
    assert read_snapshot(put(tmp_path, data))[0] == [(one, 5), (two, 1), (one, 1)]


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        ([((0, 1, (A,), 1), 1, 1)], TypeError),
        ([(0, 1)], TypeError),
        ([((0, 1), 1)], TypeError),
        ([((0, 1.5, (A,), 1), 1)], TypeError),
        ([((0, 1, [A], 1), 1)], TypeError),
        ([((0, 1, ((b"a", 1),), 1), 1)], TypeError),
        ([((0, 1, (("a", "1"),), 1), 1)], TypeError),
        ([((0, 1, (("a",),), 1), 1)], TypeError),
        ([((0, 1, (A,), "1"), 1)], TypeError),
        ([((-1, 1, (A,), 1), 1)], OverflowError),
        ([((2**32, 1, (A,), 1), 1)], OverflowError),
        ([((0, 2**63, (A,), 1), 1)], OverflowError),
        ([((0, 2**64, (A,), 1), 1)], OverflowError),
        ([((0, 1, (("a", 2**32),), 1), 1)], OverflowError),
        ([((0, 1, (A,), 2**31), 1)], OverflowError),
        ([((0, 1, (A,), 1), 2**41)], OverflowError),
        ([((0, 1, (("a" * 2**21, 1),), 1), 1)], FileError),
        ([((0, 1, (A,), 1), 2**40), ((0, 2, (A,), 1), 1)], FileError),
    ],
)
def test_what_can_not_be_written(groups: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        write_snapshot(groups, {})


def test_attributes_that_can_not_be_written() -> None:
    with pytest.raises(TypeError, match=r"^The attribute 'tags' of the snapshot is of type list, "):
        write_snapshot([], {"tags": []})
    with pytest.raises(TypeError):
        write_snapshot([], {1: 1})  # type: ignore[dict-item]
    with pytest.raises(OverflowError):
        write_snapshot([], {"large": 2**63})
    with pytest.raises(TypeError):
        write_snapshot((), {})  # type: ignore[arg-type]


# ---- files that can not be read ----


def refusal(path: Path) -> tuple[str, ...]:
    with pytest.raises(FileError) as caught:
        read_snapshot(path)
    return (caught.value.args[0], caught.value.args[2])


def test_files_of_others(tmp_path: Path) -> None:
    assert refusal(put(tmp_path, b""))[0] == "empty"
    assert refusal(put(tmp_path, b"\x89PNG\r\n\x1a\n"))[0] == "foreign"
    assert refusal(put(tmp_path, b"\x89FTL\r\n\x1a\n" + bytes(8)))[0] == "foreign"  # a recording
    assert refusal(put(tmp_path, b"print('hello')\n"))[0] == "foreign"
    assert refusal(put(tmp_path, b"\x89FTS\r\n\x1a\n" + bytes(8)))[0] == "corrupt"
    with pytest.raises(FileNotFoundError):
        read_snapshot(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_snapshot(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="Not a regular file"):
        read_snapshot(tmp_path / "fifo")
    with pytest.raises(TypeError):
        read_snapshot(5)  # type: ignore[arg-type]


def test_a_text_that_is_none_of_pythons(tmp_path: Path) -> None:
    data = pickle.dumps(theirs([(0, 1, (("\udcff!", 1),), 1)]), 4)
    assert b"\xed\xb3\xbf!" in data
    path = put(tmp_path, data.replace(b"\xed\xb3\xbf!", b"\xff\xff\xff!"))
    assert refusal(path) == ("corrupt", "a text that is no UTF-8")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    good = put(tmp_path, write_snapshot([(raw, 1) for raw in RAW], dict(ATTRIBUTES)))
    bad = tmp_path / "bad"
    bad.write_bytes(pickle.dumps(theirs([(0, 1)])))

    def work() -> None:
        read_snapshot(good)
        write_snapshot([(raw, 1) for raw in RAW], dict(ATTRIBUTES))
        for fail in (lambda: read_snapshot(bad), lambda: write_snapshot([(RAW[0], "x")], {})):
            with pytest.raises((FileError, TypeError)):
                fail()

    assert least_growth(work, 100, 49) < 50
