# SPDX-License-Identifier: Apache-2.0
"""Whether a time changed: what the runs of either side say.

Each run is one observation, for all that makes a run fast or slow (its layout in memory, the
machine's mood) is alike in all of it. Many functions are looked at together, so their intervals are
made so wide that all of them hold at once with 95 %: equal programs then differ in at most one of
twenty comparisons, however many functions they have. What takes little of the time is not judged.
"""

from array import array

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle._core import Compared

CONFIDENCE = 0.95
LEAST_RUNS = 2  # of either side
LEAST_SHARE = 0.01  # of the time of the whole: what takes less is not judged
_FLOOR = 1e-6  # seconds: what a recording does not tell from nothing


def enough(old: int, new: int) -> bool:
    """Are so many runs of either side enough to say anything?"""
    return min(old, new) >= LEAST_RUNS


def compared(old: "Sequence[float]", new: "Sequence[float]", together: int = 1) -> "Compared":
    """The seconds of each run of either side; together: how many such claims are made at once.

    >>> print(compared([1.0, 1.01, 0.99, 1.0, 1.0], [2.0, 2.01, 1.99, 2.0, 2.0]).verdict)
    slower
    >>> print(compared([1.0], [2.0]).verdict)
    unclear
    """
    before, now = ([array("d", [seconds]) for seconds in side] for side in (old, new))
    confidence = 1 - (1 - CONFIDENCE) / max(together, 1)
    return _core.compare(before, now, paired=False, confidence=confidence, floor=_FLOOR)


def growth(of: "Compared") -> float:
    """By what share of the old time the new one surely is longer; 0 where that is not sure."""
    if of.verdict != "slower" or not of.high > 0:
        return 0.0
    return max(1 / of.high - 1, 0.0)


def median(seconds: "Sequence[float]") -> float:
    """Of the runs.

    >>> median([3.0, 1.0, 2.0]), median([1.0, 2.0])
    (2.0, 1.5)
    """
    ordered = sorted(seconds)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
