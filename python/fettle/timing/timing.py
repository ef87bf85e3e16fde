# SPDX-License-Identifier: Apache-2.0
"""What was measured means: how long each candidate takes, and which of several is faster."""

from dataclasses import dataclass

from fettle._core import compare, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from fettle._core import Description
    from fettle.timing.series import Series

NOTHING = 0.1  # of the empty loop: what takes less takes no time that can be told


@dataclass(frozen=True, slots=True)
class Comparison:
    """A later candidate with the first."""

    label: str  # of the later one
    ratio: float  # how many times as fast as the first it is: 2.0 takes half the time
    low: float  # the 95 % interval of the ratio
    high: float
    pairs: int  # samples that were compared, each with its neighbour
    verdict: str  # of the later one: "faster", "slower", "same", "unclear"


@dataclass(frozen=True, slots=True, repr=False)
class Timing:
    """The result of fettle.time. Times are seconds a call, less the empty loop."""

    series: "tuple[Series, ...]"  # one for each candidate, in their order
    notes: tuple[str, ...] = ()  # sentences: what disturbed, drifted, was thrown away
    descriptions: "tuple[Description, ...]" = ()  # of each series: its median, interval, spread
    comparisons: tuple[Comparison, ...] = ()  # of each later candidate with the first

    @property
    def median(self) -> float:
        """Of the first candidate, as low, high and spread are."""
        return self.descriptions[0].median

    @property
    def low(self) -> float:
        """The lower end of the median's 95 % interval."""
        return self.descriptions[0].low

    @property
    def high(self) -> float:
        """The upper end of the median's 95 % interval."""
        return self.descriptions[0].high

    @property
    def spread(self) -> float:
        """How far samples are from the median, as a share of it: 1.4826 median deviations."""
        return self.descriptions[0].spread

    @property
    def ratio(self) -> float:
        """How many times as fast as the first candidate the second is."""
        return self._second("ratio").ratio

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the ratio."""
        second = self._second("interval")
        return second.low, second.high

    @property
    def verdict(self) -> str:
        """About the second candidate: "faster", "slower", "same" or "unclear"."""
        return self._second("verdict").verdict

    def _second(self, what: str) -> Comparison:
        if self.comparisons:
            return self.comparisons[0]
        raise AttributeError(
            f"a timing of one candidate has no {what}; give fettle.time() two to compare"
        )

    def as_json(self) -> dict[str, object]:
        """What `fettle time --json` writes."""
        return {
            "candidates": [
                {
                    "label": one.label,
                    "clock": one.clock,
                    "median": of.median,
                    "low": of.low,
                    "high": of.high,
                    "spread": of.spread,
                    "least": of.least,
                    "most": of.most,
                    "samples": [list(group) for group in one.groups],
                    "loops": one.loops,
                    "empty": one.empty,
                    "bytes": None if one.memory is None else one.memory[0],
                    "blocks": None if one.memory is None else one.memory[1],
                    "peak": one.peak,
                    "counters": dict(one.counters),
                }
                for one, of in zip(self.series, self.descriptions, strict=True)
            ],
            "comparisons": [
                {
                    "label": each.label,
                    "ratio": each.ratio,
                    "low": each.low,
                    "high": each.high,
                    "pairs": each.pairs,
                    "verdict": each.verdict,
                }
                for each in self.comparisons
            ],
            "notes": list(self.notes),
        }

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Writes it to path, a .fettle file, for `fettle diff` and `fettle view`. A recording that
        stands there becomes NAME.prev.fettle; any other file stays, and OSError says so."""
        from fettle.timing import saving

        saving.save(self, path)

    def __str__(self) -> str:
        """The table that `fettle time` prints."""
        from fettle.report import timing as report

        return report.text(self)

    def __repr__(self) -> str:
        """What it says, and none of the thousand samples."""
        from fettle.report import timing as report

        return f"<fettle.time: {report.brief(self)}>"


def judged(
    series: "tuple[Series, ...]",
    notes: tuple[str, ...] = (),
    margin: float = 0.01,
    seed: int = 0,
    looks: int = 1,
) -> Timing:
    """What the samples say. looks: how often they may be judged before one is satisfied."""
    described = tuple(describe(each.groups, seed=seed) for each in series)
    first, floor = series[0], max(NOTHING * each.empty for each in series)
    comparisons = []
    for later in series[1:]:
        found = compare(
            first.groups, later.groups, margin=margin, seed=seed, looks=looks, floor=floor
        )
        comparisons.append(Comparison(later.label, *found))
    return Timing(series, notes, described, tuple(comparisons))


def takes_nothing(series: "Series", of: "Description") -> bool:
    """No more than what cannot be told from the empty loop."""
    return of.median < NOTHING * series.empty
