# SPDX-License-Identifier: Apache-2.0
"""What a cache would have hit at every size: f.cache_curve().

The curve is that of LRU on the calls that were made, whatever the policy of the function: only with
LRU a larger cache holds all that a smaller one does, so that one pass over the calls answers for
every size. The core keeps the distances (engine/stats/hit_curve.h).
"""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fettle.report import columns, screen, timeline
from fettle.report.size import amount, counted, grouped

WIDTH, HEIGHT = 64, 8  # of the plot, without what stands on its left
LABELS = 10  # letters left of the columns, with the line
NEARLY = 0.97  # of what any size hits: from here on more room is worth little
SAME = 0.0005  # of all calls: nobody sees the difference in 61.2 %


@dataclass(frozen=True, slots=True, repr=False)
class Curve:
    """The hit ratio of a cached function at every size, as LRU would have had it.

    calls are all calls so far, distinct how many different arguments they had (of a method: in each
    instance, and the size is that of each instance's cache). exact says that this and the ratios
    are exact; else distinct and sizes above exact_sizes are estimates from a sample of the keys.
    A time limit and what the program forgot are not in it; f.cache_clear() begins it anew.

    maxsize and policy are those of the function, entry_bytes what the table takes for each entry.

    >>> curve = Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)], maxsize=2)
    >>> curve.ratio(2), curve.ratio(3), curve.size_for(0.5), curve.size_for(0.7)
    (0.2, 0.6, 3, None)
    >>> curve.points()
    [(1, 0.2), (2, 0.2), (3, 0.6), (4, 0.6)]
    >>> curve
    <Curve: maxsize=2 hits 20.0 % of 10 calls; 3 would hit 60.0 %, the most there is>

    >>> import fettle
    >>> @fettle.cache(maxsize=2, curve=True)
    ... def square(x):
    ...     return x * x
    >>> for x in (1, 2, 3) * 4:
    ...     y = square(x)
    >>> square.cache_curve()
    <Curve: maxsize=2 hits 0.0 % of 12 calls; 3 would hit 75.0 %, the most there is>
    """

    calls: int
    distinct: int
    steps: Sequence[tuple[int, float]]  # (size, calls that it hits) wherever these change
    maxsize: int | None = None
    policy: str = "lru"
    exact: bool = True
    exact_sizes: int = 0
    entry_bytes: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple((int(size), hits) for size, hits in self.steps))
        object.__setattr__(self, "distinct", round(self.distinct))

    def hits(self, size: int | None) -> float:
        """The calls that a cache of so many entries would have hit; None: of any number.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).hits(None)
        6
        """
        if size is None:
            return self.steps[-1][1] if self.steps else 0
        if not isinstance(size, int):
            raise TypeError(f"size must be a number of entries or None, not {size!r}")
        if size < 0:
            raise ValueError(f"size must be 0 or more entries, or None, not {size}")
        at = bisect_right(self.steps, size, key=lambda step: step[0])
        return self.steps[at - 1][1] if at else 0

    def ratio(self, size: int | None) -> float:
        """The share (0 to 1) of the calls that a cache of so many entries would have hit; None: of
        any number. First calls are misses at every size. 0 while there were no calls.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).ratio(3)
        0.6
        """
        hits = self.hits(size)
        return hits / self.calls if self.calls else 0.0

    def size_for(self, ratio: float) -> int | None:
        """The smallest size that reaches the ratio; None: none does.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).size_for(0.6)
        3
        """
        if not isinstance(ratio, int | float):
            raise TypeError(f"ratio must be a share from 0 to 1 (0.9 is 90 %), not {ratio!r}")
        if not 0 <= ratio <= 1:
            raise ValueError(f"ratio must be a share from 0 to 1 (0.9 is 90 %), not {ratio!r}")
        if ratio == 0:
            return 0
        at = bisect_left(self.steps, ratio, key=lambda step: step[1] / self.calls)
        return self.steps[at][0] if at < len(self.steps) else None

    @property
    def best_size(self) -> int:
        """The smallest size that hits as much as any; 0 where none hits.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).best_size
        3
        """
        return self.steps[-1][0] if self.steps else 0

    def points(self) -> list[tuple[int, float]]:
        """(size, ratio) at the powers of two up to the number of keys, at maxsize, and at the
        smallest size that is as good as any.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).points()
        [(1, 0.2), (2, 0.2), (3, 0.6), (4, 0.6)]
        """
        sizes = {1 << power for power in range(self.distinct.bit_length())}
        sizes.update({self.best_size} if self.steps else ())
        sizes.update(() if self.maxsize is None else {self.maxsize})
        return [(size, self.ratio(size)) for size in sorted(sizes)]

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return iter(self.points())

    def as_dict(self) -> dict[str, object]:
        """All of it, in types that JSON has.

        >>> Curve(calls=10, distinct=4, steps=[(1, 2), (3, 6)]).as_dict()["steps"]
        [[1, 2], [3, 6]]
        """
        return {
            "calls": self.calls,
            "distinct": self.distinct,
            "exact": self.exact,
            "exact_sizes": self.exact_sizes,
            "maxsize": self.maxsize,
            "policy": self.policy,
            "entry_bytes": self.entry_bytes,
            "best_size": self.best_size,
            "points": [list(point) for point in self.points()],
            "steps": [list(step) for step in self.steps],
        }

    def __repr__(self) -> str:
        return f"<Curve: {headline(self)}>"

    def __str__(self) -> str:
        plain = sys.stdout is None or not timeline.has_bars(sys.stdout)
        room = None if sys.stdout is None else screen.room(sys.stdout)
        return self.text(plain, LABELS + WIDTH if room is None else room)

    def text(self, plain: bool = False, width: int = LABELS + WIDTH) -> str:
        """What str() shows: a sentence, a table, and a plot that fits into so many columns.
        plain: of letters that every terminal has.

        >>> curve = Curve(calls=10, distinct=2, steps=[(1, 2), (2, 8)], maxsize=1)
        >>> print(curve.text(plain=True, width=40))
        maxsize=1 hits 20.0 % of 10 calls; 2 would hit 80.0 %, the most there is
             size  hit ratio  misses
          *     1     20.0 %       8
                2     80.0 %       2
            80 % |               ###############
                 |               ###############
                 |               ###############
            50 % |               ###############
                 |               ###############
                 |               ###############
                 |##############################
            10 % |##############################
                 +------------------------------
                  1                            2
                  ^ maxsize=1
        """
        lines = [headline(self)]
        if self.steps:
            lines += table(self)
        if self.best_size > 1:
            lines += plot(self, plain, max(16, min(WIDTH, width - LABELS)))
        return "\n".join(lines + notes(self))


# ---- in words ----


def headline(curve: Curve) -> str:
    """Is the size right? In one sentence."""
    if curve.calls == 0:
        return "no calls yet"
    calls = counted(curve.calls, "call")
    if not curve.steps:
        return f"no size would hit any of {calls}: none had the arguments of one before"
    hits = f"maxsize={curve.maxsize} hits {share(curve, curve.maxsize)} of {calls}"
    lacking = curve.hits(None) - curve.hits(curve.maxsize)
    return f"{hits}{_as_much(curve) if lacking <= SAME * curve.calls else _more(curve)}"


def _as_much(curve: Curve) -> str:
    least = _smallest(curve, curve.hits(None) - SAME * curve.calls)
    if curve.maxsize is not None and curve.maxsize < 2 * least:
        return ", as much as any size"
    return f", as much as any size; {grouped(least)} would do"


def _more(curve: Curve) -> str:
    best = curve.best_size
    nearly = _smallest(curve, NEARLY * curve.hits(None))
    wise = 1 << (nearly - 1).bit_length()  # the next power of two
    if wise < best and curve.maxsize is not None and wise > curve.maxsize:
        shown = share(curve, wise)
        return f"; {grouped(wise)} would hit {shown}, no size above {grouped(best)} hits more"
    return f"; {grouped(best)} would hit {share(curve, best)}, the most there is"


def _smallest(curve: Curve, hits: float) -> int:
    """The smallest size that hits so many, which some size does."""
    return curve.steps[bisect_left(curve.steps, hits, key=lambda step: step[1])][0]


def is_estimate(curve: Curve, size: int | None) -> bool:
    return not curve.exact and (size is None or size > curve.exact_sizes)


def share(curve: Curve, size: int | None) -> str:
    """61.2 %, or ~61.2 %: an estimate"""
    return f"{'~' * is_estimate(curve, size)}{100 * curve.ratio(size):.1f} %"


def notes(curve: Curve) -> list[str]:
    """What must be known to read it right."""
    found = []
    if not curve.exact and curve.steps:
        of = f" of sizes above {grouped(curve.exact_sizes)}" * (curve.exact_sizes > 0)
        keys = counted(curve.distinct, "key")
        found.append(f"there are about {keys}; what is said{of} is an estimate (~) from a sample")
    if curve.policy != "lru" and curve.steps:
        found.append(f"these are the hits of LRU; the policy of this function is {curve.policy}")
    return found


# ---- as a table ----


def table(curve: Curve) -> list[str]:
    """A line for each point, the function's own marked."""
    head = ["", "size", "hit ratio", "misses"]
    head += [] if curve.entry_bytes is None else ["bytes"]
    rows = []
    for size, _ in curve.points():
        mark = "*" if size == curve.maxsize else ""
        misses = f"{'~' * is_estimate(curve, size)}{grouped(round(curve.calls - curve.hits(size)))}"
        row = [mark, grouped(size), share(curve, size), misses]
        if curve.entry_bytes is not None:
            row.append(amount(min(size, curve.distinct) * curve.entry_bytes))
        rows.append(row)
    return columns.aligned(head, rows, texts=0)


# ---- as a plot ----


def plot(curve: Curve, plain: bool, width: int) -> list[str]:
    """The ratio over the size. Up to as many sizes as there are columns each has its own, one or
    several of them; else they are powers, each step as many times the one before."""
    sizes = _sizes(max(curve.best_size, curve.maxsize or 0, 2), width)
    best = curve.ratio(None)
    bars = timeline.ASCII_BARS if plain else timeline.BARS
    labels = {
        row: f"{100 * best * (row + 1) / HEIGHT:.0f} %" for row in (0, HEIGHT // 2, HEIGHT - 1)
    }
    wall, corner = ("|", "+" + "-" * width) if plain else ("│", "└" + "─" * width)
    eighths = [round(8 * HEIGHT * curve.ratio(size) / best) for size in sizes]
    lines = []
    for row in range(HEIGHT - 1, -1, -1):
        text = "".join(bars[max(0, min(8, one - 8 * row))] for one in eighths)
        lines.append(f"{labels.get(row, ''):>{LABELS - 2}} {wall}{text}".rstrip())
    lines.append(f"{'':>{LABELS - 1}}{corner}")
    lines.append(f"{'':>{LABELS}}1{grouped(sizes[-1]):>{width - 1}}")
    if curve.maxsize is not None:
        lines.append(f"{'':>{LABELS}}{_flag(f'maxsize={curve.maxsize}', sizes, curve.maxsize)}")
    return lines


def _sizes(most: int, width: int) -> list[int]:
    """The size of each column: from 1 to the most."""
    if most <= width:
        return [1 + at * most // width for at in range(width)]
    return [round(most ** (at / (width - 1))) for at in range(width)]


def _flag(text: str, sizes: list[int], size: int) -> str:
    """The text, where it fits, beside a mark below the first column of that size or more."""
    at = min(bisect_left(sizes, size), len(sizes) - 1)
    if at + len(text) + 2 <= len(sizes):
        return f"{' ' * at}^ {text}"
    return f"{text} ^".rjust(at + 1) if len(text) + 1 <= at else f"{' ' * at}^"
