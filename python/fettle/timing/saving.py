# SPDX-License-Identifier: Apache-2.0
"""A timing as a .fettle file, and back.

The samples stand in the file as they are; what follows from them is computed again, but for the
comparisons: how often a session looked at them before it was satisfied is no property of samples.
Those, and the notes, are JSON in the META "timing". A file of a stranger may say anything there:
what does not fit the series is as if it were not there.
"""

import json
import sys
from itertools import zip_longest

from fettle._core import FileError, Profile
from fettle.timing.series import Series
from fettle.timing.timing import Comparison, Timing, judged

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from fettle._core import TimingRow

_META = "timing"
_VERDICTS = ("faster", "slower", "same", "unclear")
_LONGEST_META = 1 << 20  # characters: some thousand comparisons
_KINDS = (str, float, float, float, int, str)  # of the fields of a Comparison


def save(timing: Timing, path: "str | os.PathLike[str]") -> None:
    """See Timing.save."""
    from fettle import output, properties

    try:
        profile = written(timing)
    except (ValueError, FileError):
        raise OSError("a recording has no room for so many candidates or processes") from None
    for key, value in properties.gather(sys.orig_argv, "time").items():
        profile.set_meta(key, value)
    profile.set_meta("state", "ended")
    profile.set_meta("recorded", "timing")
    output.save(profile, path)


def written(timing: Timing) -> Profile:
    """A recording of the timing alone.

    >>> from array import array
    >>> one = Series("f()", "cpu", 10, 0.0, (array("d", [1.0, 2.0]), array("d", [1.5])))
    >>> [back.median for back in read(written(judged((one,))))]
    [1.5]
    """
    profile = Profile()
    for at, series in enumerate(timing.series):
        profile.add_timing(
            series.label,
            series.clock,
            series.loops,
            series.empty,
            series.groups,
            series.memory,
            series.peak,
            series.counters,
            together=at > 0,
        )
    comparisons = [
        [each.label, each.ratio, each.low, each.high, each.pairs, each.verdict]
        for each in timing.comparisons
    ]
    told = {"comparisons": comparisons, "notes": list(timing.notes)}
    profile.set_meta(_META, json.dumps(told))
    return profile


def read(profile: Profile) -> tuple[Timing, ...]:
    """What was timed: for each session of `fettle time` in the recording, one after the other. A
    series without any sample is left out."""
    sessions: list[list[Series]] = []
    for row in profile.timings():
        if not row.together or not sessions or not _are_pairs(sessions[-1][0], row):
            sessions.append([])
        sessions[-1].append(_series(row))
    comparisons, notes = _told(profile)
    found: list[Timing] = []
    told = [each.label for each in comparisons]
    for at, session in enumerate(sessions):
        measured = tuple(series for series in session if series.count)
        if not measured:
            continue
        again = judged(measured, () if at else notes)
        if at == 0 and told == [each.label for each in measured[1:]]:
            again = Timing(measured, again.notes, again.descriptions, comparisons)
        found.append(again)
    return tuple(found)


def _are_pairs(first: Series, row: "TimingRow") -> bool:
    """Only a strange file says that samples are of the same rounds and has not as many of both."""
    groups = zip_longest(first.groups, row.groups, fillvalue=())
    return all(len(one) == len(other) for one, other in groups)


def _series(row: "TimingRow") -> Series:
    return Series(
        label=row.label,
        clock=row.clock,
        loops=row.loops,
        empty=row.empty,
        groups=row.groups,
        memory=row.memory,
        peak=row.peak,
        counters=row.counters,
    )


def _told(profile: Profile) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """The comparisons and notes of the (first) session; nothing where they are not in order."""
    text = profile.meta().get(_META, "")
    if len(text) > _LONGEST_META:
        return (), ()
    try:
        told = json.loads(text)
        comparisons = tuple(_comparison(row) for row in told["comparisons"])
        notes = tuple(note for note in told["notes"] if isinstance(note, str))
    except (ValueError, TypeError, KeyError, RecursionError):
        return (), ()
    return comparisons, notes


def _comparison(row: object) -> Comparison:
    if not isinstance(row, list) or len(row) != len(_KINDS):
        raise ValueError
    if not all(isinstance(cell, kind) for cell, kind in zip(row, _KINDS, strict=True)):
        raise ValueError
    if row[-1] not in _VERDICTS or not 0 <= row[2] <= row[1] <= row[3]:
        raise ValueError
    return Comparison(*row)
