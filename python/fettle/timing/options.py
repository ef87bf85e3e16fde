# SPDX-License-Identifier: Apache-2.0
"""What may be asked of a timing. Nothing here knows what is measured."""

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CLOCKS = ("auto", "cpu", "wall")
BUDGET = 5.0  # seconds; for an answer nobody waits longer than this without asking to
TIMEOUT = 60.0  # seconds; for one sample
SPAN = 0.1  # seconds of samples of one process: luck differs between processes, so many are better
LEAST = 3  # rounds of one process


@dataclass(frozen=True, slots=True)
class Options:
    """Checked by `check`, which raises Problem with the sentence for the user."""

    precision: float = 0.01  # stop when the interval is within this share of the answer
    clock: str = "auto"  # or "cpu", "wall"
    loops: int = 0  # calls a sample; 0: as many as the clock needs
    processes: int | None = None  # that measure, one after the other; 0: this one; None: enough
    rounds: int = 0  # in all; 0: until the answer is known
    timeout: float = TIMEOUT  # seconds without a sample, after which a statement never ends
    budget: float = BUDGET  # seconds after which it stops with what it has
    gc: bool = False  # collect garbage while measuring
    memory: bool = False  # one call more, under the recorder of memory
    counters: bool = True  # of the hardware, where the system lets us have them
    seed: int | None = None  # of the order of the candidates; None: another one each time

    def check(self) -> "Options":
        """Itself, or Problem."""
        for wrong, sentence in (
            (
                not 0 < self.precision < 1,
                f"precision needs a share between 0 and 1 (0.01 is 1%), not {self.precision!r}.",
            ),
            (self.clock not in CLOCKS, f'clock needs "auto", "cpu" or "wall", not {self.clock!r}'),
            (
                self.loops < 0,
                f"n needs a number of calls from 1, or 0 to have it chosen, not {self.loops!r}.",
            ),
            (
                self.rounds < 0,
                f"rounds needs a number from 1, or 0 for enough, not {self.rounds!r}.",
            ),
            (
                self.processes is not None and not 0 <= self.processes <= 10_000,
                f"processes needs a number from 0 (this process) to 10000, not {self.processes!r}.",
            ),
            (not self.timeout > 0, f"timeout needs seconds above 0, not {self.timeout!r}."),
            (not self.budget > 0, f"budget needs seconds above 0, not {self.budget!r}."),
        ):
            if wrong:
                from fettle.problem import USAGE, Problem

                raise Problem(USAGE, sentence)
        return self


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a timing is: for a line that changes while somebody waits."""

    elapsed: float  # seconds since the first sample was asked for
    samples: int  # of each candidate, so far
    groups: int  # processes, so far
    width: float  # half the widest interval, as a share of its middle; inf: not known yet
    options: Options

    @property
    def done(self) -> float:
        """0..1: the share of the budget that is gone; never back."""
        return min(1.0, self.elapsed / self.options.budget)


if TYPE_CHECKING:
    Callback = Callable[[Progress], None]
