# SPDX-License-Identifier: Apache-2.0
"""How samples are spread, drawn with letters: a bar for each range of times."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fettle.report.unit import Scale

ROWS = 10
BAR = 40  # columns of the longest one
_TAIL = 0.95  # of the samples lie below the last range, which takes what is above it too


def lines(samples: "Sequence[float]", scale: "Scale", bar: str, width: int) -> list[str]:
    """A line for each range: where it begins, a bar, how many samples lie in it.

    >>> from fettle.report.unit import Scale
    >>> for line in lines([1e-6, 1e-6, 1.1e-6, 1.4e-6], Scale(1000.0), "#", 80):
    ...     print(line)
    1.00 us  ########################################  3
    1.20 us                                            0
    1.40 us  #############                             1
    """
    ordered = sorted(samples)
    if not ordered:
        return []
    counts, start, step = _ranges(ordered)
    heads = [scale.text((start + at * step) * 1e9) for at in range(len(counts))]
    numbers = [str(count) for count in counts]
    longest = min(BAR, max(width - len(heads[0]) - len(str(max(counts))) - 4, 1))
    left = max(map(len, heads))
    return [
        f"{head:>{left}}  {bar * _length(count, max(counts), longest):<{longest}}  {number}"
        for head, count, number in zip(heads, counts, numbers, strict=True)
    ]


def middle(values: "Iterable[float]") -> float:
    """The median.

    >>> middle([3.0, 1.0, 2.0]), middle([1.0, 2.0])
    (2.0, 1.5)
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _length(count: int, most: int, longest: int) -> int:
    """Whatever is there is seen."""
    return max(count * longest // most, 1) if count else 0


def _ranges(ordered: list[float]) -> tuple[list[int], float, float]:
    """How many samples lie in each range, where the first one begins, and how wide each is."""
    last = ordered[min(int(len(ordered) * _TAIL), len(ordered) - 1)]
    start = ordered[0]
    rows = min(ROWS, max(3, int(len(ordered) ** 0.5)))
    step = (last - start) / (rows - 1)
    if step <= 0:
        return [len(ordered)], start, 0.0
    counts = [0] * rows
    for value in ordered:
        counts[min(int((value - start) / step * (1 + 1e-12)), rows - 1)] += 1
    return counts, start, step
