# SPDX-License-Identifier: Apache-2.0
"""A Timing on its way into a file and back: all of it, also in a session of several files."""

import random
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from fettle._core import Profile
from fettle.timing import saving
from fettle.timing.series import Series
from fettle.timing.timing import Timing, judged


def timed(seed: int, candidates: int = 2, groups: int = 4) -> Timing:
    """A Timing such as `fettle time` has: as many samples of each candidate in each process."""
    rng = random.Random(seed)
    counts = [rng.randint(1, 20) for _ in range(groups)]
    series = tuple(
        Series(
            f"candidate {at}\n\N{SNOWMAN}",
            rng.choice(["cpu", "wall"]),
            rng.randint(1, 10**6),
            rng.random() * 1e-8,
            tuple(array("d", [rng.lognormvariate(-14, 0.1) for _ in range(n)]) for n in counts),
            rng.choice([None, (3, 4)]),
            rng.choice([None, 5]),
            rng.choice([{}, {"instructions": rng.random() * 1e6}]),
        )
        for at in range(candidates)
    )
    return judged(series, ("a note.", 'one with "quotes"\nand \ud800.'), looks=7)


@pytest.mark.parametrize("seed", range(10))
def test_all_of_it_comes_back(tmp_path: Path, seed: int) -> None:
    timing = timed(seed, candidates=1 + seed % 4)
    path = tmp_path / "time.fettle"
    timing.save(str(path))
    (back,) = saving.read(Profile.read(str(path)))
    assert back == timing


def test_comparisons_are_those_that_were_shown() -> None:
    """How often the session looked is not in the samples."""
    timing = timed(1)
    shown = replace(timing.comparisons[0], ratio=2.0, low=1.0, high=float("inf"), verdict="same")
    timing = replace(timing, comparisons=(shown,))
    assert saving.read(saving.written(timing)) == (timing,)


def test_sessions_stay_apart() -> None:
    first, second = timed(1, candidates=2), timed(2, candidates=3)
    whole = saving.written(first)
    whole.merge(saving.written(second))
    one, other = saving.read(whole)
    assert one == first
    assert (other.series, other.descriptions) == (second.series, second.descriptions)
    assert [each.label for each in other.comparisons] == [each.label for each in second.comparisons]


def test_what_stands_there_becomes_the_one_before(tmp_path: Path) -> None:
    first, second = timed(1), timed(2)
    for timing in (first, second):
        timing.save(str(tmp_path / "time.fettle"))
    assert {entry.name for entry in tmp_path.iterdir()} == {"time.fettle", "time.prev.fettle"}
    assert saving.read(Profile.read(str(tmp_path / "time.prev.fettle"))) == (first,)
    assert saving.read(Profile.read(str(tmp_path / "time.fettle"))) == (second,)


def test_other_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match="not a fettle recording and stays"):
        timed(1).save(str(path))
    with pytest.raises(FileNotFoundError):
        timed(1).save(str(tmp_path / "nowhere" / "time.fettle"))
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_more_than_a_file_holds(tmp_path: Path) -> None:
    (one,) = timed(1, candidates=1).series
    many = Timing(tuple(replace(one, label=str(at)) for at in range(4097)))
    with pytest.raises(OSError, match="no room"):
        many.save(str(tmp_path / "time.fettle"))
    assert [*tmp_path.iterdir()] == []


def test_series_without_samples_are_left_out() -> None:
    (one,) = timed(1, candidates=1).series
    empty = replace(one, groups=(array("d"), array("d")))
    assert saving.read(saving.written(Timing((empty,)))) == ()
    assert saving.read(saving.written(Timing(()))) == ()
    assert saving.read(Profile()) == ()


def test_what_the_meta_of_a_recording_says(tmp_path: Path) -> None:
    path = tmp_path / "time.fettle"
    timed(1).save(str(path))
    profile = Profile.read(str(path))
    meta = profile.meta()
    assert profile.ended
    assert (meta["state"], meta["recorded"], meta["options"]) == ("ended", "timing", "time")
    assert {"python", "machine", "git", "command", "started", "fettle"} <= meta.keys()
