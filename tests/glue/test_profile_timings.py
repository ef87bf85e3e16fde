# SPDX-License-Identifier: Apache-2.0
"""Profile.add_timing and timings: what goes in comes out, in the file and in memory; what can not
be is refused and leaves nothing behind."""

import gc
import random
import sys
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle._core import FileError, Profile, TimingRow

SOUND: dict[str, Any] = {"label": "x", "clock": "cpu", "loops": 1, "empty": 0.0, "groups": ()}


def written(profile: Profile, folder: Path) -> Profile:
    """The same after its way through a file."""
    path = folder / "timings.fettle"
    with path.open("wb") as file:
        profile.begin(file.fileno())
        profile.append(file.fileno())
    back = Profile.read(str(path))
    assert back.ended and not back.torn
    return back


def random_series(rng: random.Random) -> tuple[Any, ...]:
    groups = tuple(
        array("d", [rng.lognormvariate(-14, 3) for _ in range(rng.randint(0, 30))])
        for _ in range(rng.randint(0, 4))
    )
    return (
        "".join(rng.choices("ab \n\N{SNOWMAN}\0", k=rng.randint(0, 9))),
        rng.choice(["cpu", "wall"]),
        rng.getrandbits(rng.randint(1, 64)) or 1,
        rng.random() * 1e-8,
        groups,
        rng.choice([None, (0, 0), (2**64 - 1, rng.getrandbits(20))]),
        rng.choice([None, 0, 2**64 - 1]),
        {name: rng.uniform(-1, 1e12) for name in rng.sample("abcdef", rng.randint(0, 4))},
        rng.random() < 0.5,
    )


def test_what_was_added_comes_out(tmp_path: Path) -> None:
    rng = random.Random(1)
    for _ in range(30):
        profile, added = Profile(), [random_series(rng) for _ in range(rng.randint(0, 5))]
        for series in added:
            profile.add_timing(*series)
        added[:1] = [(*series[:-1], False) for series in added[:1]]  # together with none
        assert [tuple(row) for row in profile.timings()] == added
        assert [tuple(row) for row in written(profile, tmp_path).timings()] == added


def test_keywords_and_what_is_left_out() -> None:
    profile = Profile()
    profile.add_timing(
        groups=[array("d", [1.0])], empty=0, loops=2, clock="wall", label="f", counters={"a": 3}
    )
    (row,) = profile.timings()
    assert isinstance(row, TimingRow)
    assert (row.label, row.clock, row.loops, row.empty) == ("f", "wall", 2, 0.0)
    assert (row.memory, row.peak, row.counters) == (None, None, {"a": 3.0})
    assert isinstance(row.groups[0], array) and row.groups[0].typecode == "d"


def test_a_million_samples(tmp_path: Path) -> None:
    rng = random.Random(2)
    long = array("d", (rng.random() for _ in range(1_000_000)))
    profile, short = Profile(), array("d", [2.0])
    profile.add_timing("x", "cpu", 1, 0.0, [short, long, short])
    profile.add_timing("y", "cpu", 1, 0.0, [long[:131_070], array("d"), short])
    first, second = written(profile, tmp_path).timings()
    assert first.groups == (short, long, short)
    assert second.groups == (long[:131_070], array("d"), short)


@pytest.mark.parametrize("more", range(4))
def test_groups_that_just_fill_a_chunk(tmp_path: Path, more: int) -> None:
    """Whatever the sum of the beginning is: many short groups before a long one."""
    for length in range(131_000, 131_073, 9):
        profile = Profile()
        group = array("d", range(length + more))
        profile.add_timing("x", "cpu", 1, 0.0, [array("d", [1.0])] * 10 + [group] + [group[:3]])
        (row,) = written(profile, tmp_path).timings()
        assert row.groups[10:] == (group, group[:3])


def test_any_buffer_of_doubles() -> None:
    profile, group = Profile(), array("d", [1.0, 2.0, 3.0])
    view = memoryview(group)
    profile.add_timing("x", "cpu", 1, 0.0, [view, view[1:], view.toreadonly()])
    assert [*map(list, profile.timings()[0].groups)] == [[1, 2, 3], [2, 3], [1, 2, 3]]
    view.release()
    group.append(4.0)  # no buffer is kept


@pytest.mark.parametrize("first", range(8))
def test_groups_that_begin_anywhere(first: int) -> None:
    room = bytearray(first) + array("d", [1.0, 2.0, 3.0]).tobytes()
    profile = Profile()
    profile.add_timing(**SOUND | {"groups": [memoryview(room)[first:].cast("d")]})
    assert [*profile.timings()[0].groups[0]] == [1.0, 2.0, 3.0]


class Items:
    """A mapping that lies."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def items(self) -> list[Any]:
        return self._items


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"clock": "sun"}, ValueError),
        ({"clock": "cpu\0"}, ValueError),
        ({"clock": 1}, TypeError),
        ({"label": b"x"}, TypeError),
        ({"loops": 0}, ValueError),
        ({"loops": -1}, ValueError),
        ({"loops": 2**64}, ValueError),
        ({"loops": 1.0}, TypeError),
        ({"empty": -1e-9}, ValueError),
        ({"empty": float("nan")}, ValueError),
        ({"empty": float("inf")}, ValueError),
        ({"empty": "0"}, TypeError),
        ({"groups": 1}, TypeError),
        ({"groups": [[1.0]]}, TypeError),
        ({"groups": [b"12345678"]}, TypeError),
        ({"groups": [array("f", [1.0])]}, TypeError),
        ({"groups": [memoryview(array("d", [1.0, 2.0, 3.0]))[::2]]}, BufferError),
        ({"groups": [memoryview(array("d", range(4))).cast("B").cast("d", (2, 2))]}, TypeError),
        ({"groups": [array("d", [1.0]), array("d", [float("nan")])]}, ValueError),
        ({"groups": [array("d", [-float("inf")])]}, ValueError),
        ({"memory": 1}, TypeError),
        ({"memory": (1,)}, TypeError),
        ({"memory": [1, 2]}, TypeError),
        ({"memory": (1, -1)}, ValueError),
        ({"memory": (2**64, 1)}, ValueError),
        ({"peak": -1}, ValueError),
        ({"peak": 0.5}, TypeError),
        ({"counters": {"a": float("nan")}}, ValueError),
        ({"counters": {"a": "many"}}, TypeError),
        ({"counters": {1: 1.0}}, TypeError),
        ({"counters": {str(at): 1.0 for at in range(65)}}, ValueError),
        ({"counters": {"\ud800": 1.0, "\\ud800": 1.0}}, ValueError),  # one text in the file
        ({"counters": 1}, AttributeError),
        ({"counters": Items([3])}, TypeError),
        ({"counters": Items([("a",)])}, TypeError),
        ({"counters": Items(["ab"])}, TypeError),
    ],
)
def test_what_can_not_be_leaves_nothing(wrong: dict[str, Any], error: type[Exception]) -> None:
    profile = Profile()
    profile.add_timing(**SOUND)
    with pytest.raises(error):
        profile.add_timing(**SOUND | wrong)
    assert len(profile.timings()) == 1


def test_lone_surrogates_are_spelled() -> None:
    profile = Profile()
    profile.add_timing(**SOUND | {"label": "\ud800x", "counters": {"\udcff": 1.0}})
    (row,) = profile.timings()
    assert (row.label, row.counters) == ("\\ud800x", {"\\udcff": 1.0})


def test_past_the_limit_of_series() -> None:
    profile = Profile()
    for _ in range(4096):
        profile.add_timing(**SOUND)
    with pytest.raises(FileError):
        profile.add_timing(**SOUND)
    assert len(profile.timings()) == 4096


def test_code_that_runs_meanwhile_sees_all_or_nothing() -> None:
    profile, seen = Profile(), []

    def groups() -> Iterator["array[float]"]:
        yield array("d", [1.0])
        seen.append(len(profile.timings()))
        profile.add_timing(**SOUND)
        yield array("d", [2.0])

    profile.add_timing(**SOUND | {"label": "outer", "groups": groups()})
    assert seen == [0]
    assert [row.label for row in profile.timings()] == ["x", "outer"]


def test_merge_and_prune_keep_them() -> None:
    first, second = Profile(), Profile()
    first.add_timing(**SOUND)
    second.add_timing(**SOUND | {"groups": [array("d", [1.0])], "counters": {"a": 1.0}})
    rows = [*first.timings(), *second.timings()]
    first.merge(second)
    assert first.timings() == rows
    pruned, *_ = first.prune(1, 1)
    assert pruned.timings() == rows
    assert second.timings() == rows[1:]


def test_the_state_of_the_profile_stays(tmp_path: Path) -> None:
    assert not Profile().ended
    profile = written(Profile(), tmp_path)
    profile.add_timing(**SOUND)
    assert profile.ended


def test_no_reference_is_lost_or_kept() -> None:
    group, label = array("d", [1.0]), "a label of " + "its own"
    counters = {"name": 1.5}
    given = {"label": label, "groups": [group, group], "counters": counters}

    def work() -> None:
        profile = Profile()
        profile.add_timing(**SOUND | given)
        profile.timings()
        with pytest.raises(ValueError, match="finite"):
            profile.add_timing(**SOUND | given | {"counters": counters | {"b": float("nan")}})

    work()
    gc.collect()
    before = [*map(sys.getrefcount, (group, label, counters, array))]
    for _ in range(50):
        work()
    gc.collect()
    after = [*map(sys.getrefcount, (group, label, counters, array))]
    assert after == before


def test_threads_get_all_or_an_error() -> None:
    """One Profile is one call's at a time; nothing is lost that did not raise."""
    profile, added, group = Profile(), [], array("d", range(1000))

    def add() -> None:
        for _ in range(50):
            try:
                profile.add_timing(**SOUND | {"groups": [group]})
                added.append(1)
            except RuntimeError:
                pass

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(profile.timings()) == len(added) > 0
    assert all(row.groups == (group,) for row in profile.timings())
