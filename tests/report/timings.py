# SPDX-License-Identifier: Apache-2.0
"""Timings made by hand: fixed numbers, and what statistics would say of them."""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from fettle.timing.series import Series
from fettle.timing.timing import Comparison, Timing


class Said(NamedTuple):
    """What is said of one candidate's samples."""

    median: float
    low: float
    high: float
    spread: float = 0.021
    least: float = 1e-6
    most: float = 2e-5
    count: int = 0


def series(label: str, *groups: Sequence[float], **more: object) -> Series:
    """A candidate on the CPU clock, with 2000 calls a sample and an empty loop of 9 ns."""
    known: dict[str, object] = {"clock": "cpu", "loops": 2000, "empty": 9e-9}
    samples = tuple(array("d", group) for group in groups or [[1e-6] * 9] * 5)
    return Series(label, groups=samples, **{**known, **more})  # type: ignore[arg-type]


def timing(
    candidates: Sequence[tuple[Series, Said]],
    *comparisons: Comparison,
    notes: tuple[str, ...] = (),
) -> Timing:
    every = tuple(one for one, _ in candidates)
    said = tuple(said for _, said in candidates)
    return Timing(every, notes, said, comparisons)  # type: ignore[arg-type]


COMPREHENSION = (series("[0 for _ in range(1000)]"), Said(14.4e-6, 14.2e-6, 14.6e-6))
REPEATED = (series("[0]*1000"), Said(1.424e-6, 1.397e-6, 1.452e-6))
FASTER = Comparison("[0]*1000", 10.12, 9.81, 10.43, 41, "faster")
