# SPDX-License-Identifier: Apache-2.0
"""Asks a source for samples until the answer is known, and judges them."""

from array import array
from statistics import median
from time import monotonic

from fettle.timing.options import Progress
from fettle.timing.series import Series
from fettle.timing.timing import judged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle.timing.options import Callback, Options
    from fettle.timing.series import Sample, Source
    from fettle.timing.timing import Timing


def collect(
    source: "Source",
    labels: "Sequence[str]",
    options: "Options",
    progress: "Callback | None" = None,
) -> "Timing":
    """The timing of the source's candidates, which are called labels.

    progress is called after each round or more seldom. KeyboardInterrupt ends the measuring: what
    there is is the answer, with a note; without any sample it is raised."""
    start = monotonic()
    groups: list[list[Sequence[Sample]]] = []
    for number, group in enumerate(source.groups(), 1):
        rounds: list[Sequence[Sample]] = []
        groups.append(rounds)
        for _ in range(options.rounds or 20):
            rounds.append(group.round())
        group.close()
        elapsed = monotonic() - start
        if progress is not None:
            progress(Progress(elapsed, number * 20, number, float("inf"), options))
        if number == (options.processes or 5) or elapsed > options.budget:
            break
    clock = "cpu" if options.clock == "auto" else options.clock
    series = [
        Series(
            label,
            clock,
            round(median([sample[i].loops for group in groups for sample in group])),
            0.0,
            tuple(array("d", [getattr(sample[i], clock) for sample in group]) for group in groups),
        )
        for i, label in enumerate(labels)
    ]
    return judged(tuple(series))
