# SPDX-License-Identifier: Apache-2.0
"""What may be asked of a timing. Nothing here knows what is measured."""

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CLOCKS = ("auto", "cpu", "wall")
BUDGET = 5.0  # seconds; for an answer nobody waits longer than this without asking to
TIMEOUT = 60.0  # seconds; for one sample
LONGEST = 1e9  # seconds; what is longer, nobody waits for
POLL_MOST = (1 << 31) - 1  # milliseconds that poll() takes
MOST = 1 << 60  # calls, rounds, processes; for C's numbers
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
        self._need("precision", "a share between 0 and 1 (0.01 is 1%)", 0 < self.precision < 1)
        self._need("clock", '"auto", "cpu" or "wall"', self.clock in CLOCKS)
        self._need_count("loops", "n", "a number of calls from 1, or 0 to have it chosen")
        self._need_count("rounds", "rounds", "a number from 1, or 0 for enough")
        if self.processes is not None:
            self._need_count("processes", "processes", "a number from 0 (this process)")
        self._need("timeout", "seconds above 0", 0 < self.timeout <= LONGEST)
        self._need("budget", "seconds above 0", 0 < self.budget <= LONGEST)
        return self

    def _need(self, name: str, what: str, is_so: bool, called: str = "") -> None:
        if not is_so:
            from fettle.problem import USAGE, Problem

            value = getattr(self, name)
            raise Problem(USAGE, f"{called or name} needs {what}, not {value!r}.")

    def _need_count(self, name: str, called: str, what: str) -> None:
        value = getattr(self, name)
        self._need(name, what, isinstance(value, int) and 0 <= value <= MOST, called)


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
