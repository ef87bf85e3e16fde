# SPDX-License-Identifier: Apache-2.0
"""What of a peer's overhead ours is, with its spread: arithmetic on times that are noisy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import TypedDict

LEAST = 0.01  # a smaller share is noise, and would drag a geometric mean to nothing
WEAK = 0.05  # a peer that adds less than this part of the plain time gives no share


class Share(TypedDict):
    value: float  # the median of the rounds
    lowest: float
    highest: float


def of_overhead(
    plain: Sequence[float], ours: Sequence[float], peer: Sequence[float]
) -> Share | None:
    """(ours - plain) / (peer - plain), round by round: what disturbs the machine for a while is
    then in all three. None where the peer adds too little to divide by."""
    base = statistics.median(plain)
    if statistics.median(peer) - base < WEAK * base:
        return None
    rounds = [
        (mine - bare) / (theirs - bare)
        for bare, mine, theirs in zip(plain, ours, peer, strict=False)
        if theirs - bare >= WEAK * bare
    ]
    if not rounds:
        return None
    return Share(value=statistics.median(rounds), lowest=min(rounds), highest=max(rounds))


def geometric_mean(shares: Iterable[Share | None]) -> Share | dict[str, float]:
    """Of the values, of the lowest and of the highest, which is wider than the means of whole
    rounds. Empty where there is no share."""
    found = [share for share in shares if share]
    if not found:
        return {}
    return Share(
        value=_mean([share["value"] for share in found]),
        lowest=_mean([share["lowest"] for share in found]),
        highest=_mean([share["highest"] for share in found]),
    )


def _mean(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(max(value, LEAST)) for value in values))
