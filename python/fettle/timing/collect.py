# SPDX-License-Identifier: Apache-2.0
"""Asks a source for samples until the answer is known, and judges them.

It looks at the answer after whole groups only, and after half as many again than before each time:
who looks all the time finds a difference by chance sooner or later. The statistics know how often.
"""

import math
from array import array
from statistics import median
from time import monotonic

from fettle._core import trend
from fettle.problem import CHECK_FAILED, Problem
from fettle.timing.disturbance import Watch
from fettle.timing.options import LEAST, SPAN, Progress
from fettle.timing.series import Series, short
from fettle.timing.timing import judged, takes_nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fettle.timing.options import Callback, Options
    from fettle.timing.series import Group, Sample, Source
    from fettle.timing.timing import Timing

    Rounds = Sequence[Sequence[Sample]]

GROUPS = 5  # before the answer is looked at for the first time
TELL = 0.05  # seconds between two words about progress
MORE = 1.5  # times as many groups until it is looked at again
PATIENCE = 0.2  # of the budget, beyond which a group that was slow to start may have its rounds
PATIENCE_LEAST = 0.5  # seconds
LAST = 0.25  # of the budget: a group that would take longer than what is left of it is not begun
WAITS = 0.05  # of the wall clock's time that passed beside the CPU's, for code that waits
HELPED = 0.1  # of the CPU time that other threads took, for code that computes in several
NOISY = 0.05  # a spread above it is worth a word
DRIFT = 0.02  # a change over a group that is worth a word, when it is no chance
SHAKY = 0.5  # of the empty loop: so much differs between the places and times where it runs
CHANCE = 0.01


class TimedOut(Exception):
    """No sample came for as long as the user wants to wait."""


def collect(
    source: "Source",
    labels: "Sequence[str]",
    options: "Options",
    progress: "Callback | None" = None,
) -> "Timing":
    """The timing of the source's candidates, which are called labels.

    progress is called after each round or more seldom. KeyboardInterrupt ends the measuring: what
    there is is the answer, with a note; without any sample it is raised."""
    watch = Watch()
    collection = _Collection(source, labels, options, progress)
    notes = list(collection.run())
    timing = collection.judge()
    causes = watch.causes(collection.rounds())
    notes += _about(timing, causes, options)
    allocated = collection.allocated()
    told = getattr(source, "notes", None)
    notes += [] if told is None else told()
    return collection.finished(timing, notes, allocated)


class _Collection:
    """What was measured so far."""

    def __init__(
        self,
        source: "Source",
        labels: "Sequence[str]",
        options: "Options",
        progress: "Callback | None",
    ) -> None:
        self._source = source
        self._labels = labels
        self._options = options
        self._progress = progress
        self._begun = self._closed = monotonic()
        self._groups: list[list[Sequence[Sample]]] = []
        self._look_at = GROUPS
        self._width = math.inf
        self._told = 0.0  # when progress was
        self._most_rounds = options.rounds or 1 << 62
        self._span = SPAN
        self._looks = _looks(options)
        self._is_interrupted = False
        self._patience = max(PATIENCE * options.budget, PATIENCE_LEAST)
        if options.processes:
            self._span = max(SPAN, min(options.budget / options.processes, GROUPS * SPAN))

    def run(self) -> "Sequence[str]":
        """Measures; gives notes about why it ended."""
        notes = []
        try:
            for group in self._source.groups():
                self._measure(group)
                if self._is_over():
                    break
        except KeyboardInterrupt:
            self._is_interrupted = True
            notes.append(f"Interrupted after {self._elapsed():.1f} s: this is what there was.")
        except TimedOut:
            notes.append(
                f"A call did not end within {self._options.timeout:g} s and was stopped: this is"
                " what there was."
            )
        if any(self._groups):
            self._groups = [each for each in self._groups if each]
            return notes
        if not notes or self._is_interrupted:
            raise KeyboardInterrupt
        raise Problem(
            CHECK_FAILED,
            f"{_listed(self._labels)} did not end within {self._options.timeout:g} s; give a longer"
            " time-out, or less to do.",
        )

    def judge(self) -> "Timing":
        groups = [group for group in self._groups if group]
        if getattr(self._source, "is_one", False):
            groups = [self.rounds()]
        clock, _ = self._clock()
        series = []
        for i, label in enumerate(self._labels):
            samples = [[each[i] for each in group] for group in groups]
            flat = [sample for group in samples for sample in group]
            series.append(
                Series(
                    label,
                    clock,
                    round(median([sample.loops for sample in flat])),
                    median([sample.empty for sample in flat]),
                    tuple(array("d", [getattr(s, clock) for s in group]) for group in samples),
                    counters=_counters(flat),
                )
            )
        return judged(
            tuple(series),
            margin=self._options.precision,
            seed=self._options.seed or 0,
            looks=self._looks,
        )

    def rounds(self) -> "list[Sequence[Sample]]":
        return [each for group in self._groups for each in group]

    def allocated(self) -> "Sequence[tuple[int, int, int] | None]":
        ask = getattr(self._source, "allocated", None)
        if not self._options.memory or ask is None or self._is_interrupted:
            return []
        found: Sequence[tuple[int, int, int] | None] = ask()
        return found

    def finished(
        self,
        timing: "Timing",
        notes: "Sequence[str]",
        allocated: "Sequence[tuple[int, int, int] | None]",
    ) -> "Timing":
        from dataclasses import replace

        _, reason = self._clock()
        series = list(timing.series)
        for i, found in enumerate(allocated):
            if found is not None:
                series[i] = replace(series[i], memory=found[:2], peak=found[2])
        if allocated and None in allocated:
            notes = [*notes, "Memory was not recorded: another tool has the hooks."]
        said = [reason, *notes] if reason else notes
        return replace(timing, series=tuple(series), notes=tuple(dict.fromkeys(said)))

    # ---- when to go on ----

    def _measure(self, group: "Group") -> None:
        rounds: list[Sequence[Sample]] = []
        self._groups.append(rounds)
        begun = monotonic()
        opened = begun - self._closed
        span = max(self._span, min(opened, GROUPS * SPAN))
        least = min(LEAST, self._most_rounds)
        try:
            while True:
                rounds.append(group.round())
                now = monotonic()
                if now - self._told > TELL:
                    self._tell()
                is_late = self._is_late() and (len(rounds) >= least or now - begun > self._patience)
                if getattr(group, "is_ready", False) and not is_late:
                    continue
                if getattr(group, "is_single", False):
                    return
                if len(rounds) >= least and now - begun >= span:
                    return
                if is_late or self._count() >= self._most_rounds:
                    return
        finally:
            group.close()
            self._closed = monotonic()

    def _is_over(self) -> bool:
        options, groups = self._options, len(self._groups)
        if self._count() >= self._most_rounds or self._is_late():
            return True
        if options.processes:
            return groups >= options.processes
        spent = self._elapsed()
        is_near = spent > options.budget * (1 - LAST)
        if groups >= GROUPS and is_near and spent + spent / groups > options.budget:
            return True
        if options.rounds or groups < self._look_at:
            return False
        self._look_at = max(groups + 1, math.ceil(groups * MORE))
        timing = self.judge()
        self._width = _width(timing)
        return _is_known(timing, options.precision)

    def _is_late(self) -> bool:
        return self._elapsed() >= self._options.budget

    def _elapsed(self) -> float:
        return monotonic() - self._begun

    def _count(self) -> int:
        return sum(map(len, self._groups))

    def _tell(self) -> None:
        self._told = monotonic()
        if self._progress is not None:
            told = Progress(
                self._elapsed(), self._count(), len(self._groups), self._width, self._options
            )
            self._progress(told)

    def _clock(self) -> tuple[str, str]:
        """The clock for all candidates, and a note where it was not for the user to choose."""
        if self._options.clock != "auto":
            return self._options.clock, ""
        for i, label in enumerate(self._labels):
            samples = [each[i] for each in self.rounds()]
            if _is_most(_waits(sample) for sample in samples):
                return "wall", f"Wall clock, because `{short(label)}` waits."
            if _is_most(_is_helped(sample) for sample in samples):
                return "wall", f"Wall clock, because `{short(label)}` computes in several threads."
        return "cpu", ""


def _looks(options: "Options") -> int:
    """How often the answer is looked at, at most."""
    if options.processes or options.rounds:
        return 1
    looks, groups = 2, GROUPS  # the last one when the budget is gone
    while groups * SPAN < options.budget:
        groups = max(groups + 1, math.ceil(groups * MORE))
        looks += 1
    return looks


def _waits(sample: "Sample") -> bool:
    """Losing the processor to others is no waiting: only who gives it up waits."""
    return sample.waits > 0 and sample.wall - sample.cpu > WAITS * sample.wall


def _is_helped(sample: "Sample") -> bool:
    return sample.helped > HELPED * sample.cpu and sample.helped * sample.loops > 1e-5


def _is_most(them: "Iterable[bool]") -> bool:
    votes = list(them)
    return sum(votes) * 2 > len(votes)


def _counters(samples: "Sequence[Sample]") -> dict[str, float]:
    found: dict[str, float] = {}
    for name in samples[0].counters:
        values = [v for s in samples if (v := s.counters.get(name, math.nan)) == v]
        if values:
            found[name] = max(0.0, median(values))
    return found


def _is_known(timing: "Timing", precision: float) -> bool:
    """Is the answer as narrow as it was asked for? Of a clear difference a tenth is enough."""
    if not timing.comparisons:
        is_nothing = takes_nothing(timing.series[0], timing.descriptions[0])
        return is_nothing or _width(timing) <= precision
    for each in timing.comparisons:
        width = math.log(each.high / each.low) / 2 if each.low > 0 else math.inf
        enough = precision
        if each.verdict in {"faster", "slower"}:
            enough = max(precision, abs(math.log(each.ratio)) / 10)
        if each.verdict == "unclear" or width > enough:
            return False
    return True


def _width(timing: "Timing") -> float:
    """Half the widest interval, as a share of what is in it."""
    if timing.comparisons:
        return max(
            math.log(each.high / each.low) / 2 if each.low > 0 else math.inf
            for each in timing.comparisons
        )
    of, series = timing.descriptions[0], timing.series[0]
    return (of.high - of.low) / 2 / max(abs(of.median), series.empty, 1e-12)


def _about(timing: "Timing", causes: list[str], options: "Options") -> list[str]:
    """Notes about what the samples are like."""
    notes = []
    for series, of in zip(timing.series, timing.descriptions, strict=True):
        if takes_nothing(series, of):
            left = "; a ratio to it is a bound" if timing.comparisons else ""
            notes.append(f"`{short(series.label)}` takes no longer than the empty loop{left}.")
        elif drift := _drift(series, of.median):
            how = "longer" if drift > 0 else "less"
            notes.append(
                f"`{short(series.label)}` takes {abs(drift):.0%} {how} the longer it is"
                " measured: its runs are not alike."
            )
    noisy = max(of.spread for of in timing.descriptions) > NOISY
    wide = _width(timing) > options.precision and not _is_known(timing, options.precision)
    if wide and causes:
        notes.append(f"The answer is not within {options.precision:.1%}: {'; '.join(causes)}.")
    elif wide and noisy:
        notes.append(
            f"The answer is not within {options.precision:.1%}: samples differ by"
            f" {max(of.spread for of in timing.descriptions):.0%}, for a reason that is not known."
        )
    return notes


def _drift(series: Series, middle: float) -> float:
    """The change over a group that the candidate brings about itself, as a share; 0.0: none."""
    change, probability = trend(series.groups)
    is_clear = abs(change) > max(DRIFT, SHAKY * series.empty / max(middle, 1e-12))
    return change if is_clear and probability < CHANCE else 0.0


def _listed(labels: "Sequence[str]") -> str:
    return " or ".join(f"`{short(label)}`" for label in labels)
