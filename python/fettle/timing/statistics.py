# SPDX-License-Identifier: Apache-2.0
"""A stand-in, in plain Python, for the statistics of the C core."""

import math
import random
from array import array
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import NamedTuple


class Description(NamedTuple):
    median: float
    low: float
    high: float
    spread: float
    least: float
    most: float
    count: int


class Compared(NamedTuple):
    ratio: float
    low: float
    high: float
    pairs: int
    verdict: str


def _interval(
    groups: Sequence[Sequence[float]], confidence: float, seed: int
) -> tuple[float, float, float]:
    draw = random.Random(seed)
    centre = median([x for group in groups for x in group])
    found: list[float] = []
    for _ in range(200):
        chosen = [groups[draw.randrange(len(groups))] for _ in groups]
        found.append(median([x for g in chosen for x in draw.choices(g, k=len(g))]))
    width = NormalDist().inv_cdf(0.5 + confidence / 2) * _deviation(found)
    return centre, centre - width, centre + width


def _deviation(numbers: Sequence[float]) -> float:
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / max(1, len(numbers) - 1))


def describe(
    groups: Sequence[array[float]], /, confidence: float = 0.95, seed: int = 0
) -> Description:
    every = sorted(x for group in groups for x in group)
    centre, low, high = _interval(groups, confidence, seed)
    spread = 1.4826 * median([abs(x - centre) for x in every]) / centre if centre else 0.0
    return Description(centre, low, high, spread, every[0], every[-1], len(every))


def compare(
    first: Sequence[array[float]],
    second: Sequence[array[float]],
    /,
    paired: bool = True,
    margin: float = 0.01,
    confidence: float = 0.95,
    seed: int = 0,
) -> Compared:
    logs = [
        [math.log(a / b) for a, b in zip(one, two, strict=True) if a > 0 and b > 0]
        for one, two in zip(first, second, strict=True)
    ]
    centre, low, high = _interval([g for g in logs if g] or [[0.0]], confidence, seed)
    pairs = sum(map(len, logs))
    verdict = "unclear"
    if pairs and low > 0:
        verdict = "faster"
    elif pairs and high < 0:
        verdict = "slower"
    elif pairs and -math.log1p(margin) <= low and high <= math.log1p(margin):
        verdict = "same"
    return Compared(math.exp(centre), math.exp(low), math.exp(high), pairs, verdict)


def trend(groups: Sequence[array[float]], /) -> tuple[float, float]:
    return 0.0, 1.0
