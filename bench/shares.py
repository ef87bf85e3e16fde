# SPDX-License-Identifier: Apache-2.0
"""What of a peer's overhead ours is, with its spread: arithmetic on times that are noisy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TypedDict

LEAST = 0.01  # a smaller share is noise, and would drag a geometric mean to nothing
WEAK = 0.05  # a peer that adds less than this part of the plain time gives no share


class Share(TypedDict):
    value: float  # of the medians
    lowest: float  # of the rounds
    highest: float


def of_overhead(
    plain: Sequence[float], ours: Sequence[float], peer: Sequence[float]
) -> Share | None:
    """(ours - plain) / (peer - plain). None where the peer adds too little to divide by."""
    base = statistics.median(plain)
    added = statistics.median(peer) - base
    if added < WEAK * base:
        return None
    rounds = [
        (mine - bare) / (theirs - bare)
        for bare, mine, theirs in zip(plain, ours, peer, strict=False)
        if theirs - bare >= WEAK * bare
    ]
    value = (statistics.median(ours) - base) / added
    return Share(value=value, lowest=min(rounds, default=value), highest=max(rounds, default=value))


def geometric_mean(found: Sequence[Share]) -> Share:
    """Of the values, of the lowest and of the highest: wider than the means of whole rounds."""
    return Share(
        value=_mean([share["value"] for share in found]),
        lowest=_mean([share["lowest"] for share in found]),
        highest=_mean([share["highest"] for share in found]),
    )


def _mean(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(max(value, LEAST)) for value in values))
