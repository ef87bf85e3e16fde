# SPDX-License-Identifier: Apache-2.0
"""What was measured: samples, as they came, and where they came from. No statistics here."""

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Protocol

    class Group(Protocol):
        """Samples that share their luck: those of one process. Several candidates are measured in
        it, one after the other, in an order that is random in each round. One of which each round
        has processes of its own has an attribute is_single that is True: it is asked for one."""

        def round(self) -> "Sequence[Sample]":
            """One sample of each candidate, in the candidates' order."""

        def close(self) -> None: ...

    class Source(Protocol):
        """What can be measured: collect.py asks it for groups, and these for rounds."""

        def groups(self) -> "Iterator[Group]":
            """Fresh ones, without end; a source that has but one process gives it again."""

    class Teller(Protocol):
        """A source that has more to tell when all is measured: either method, or both."""

        def allocated(self) -> "Sequence[tuple[int, int, int] | None]":
            """Bytes, blocks and the peak in bytes of one call of each candidate."""

        def notes(self) -> "Sequence[str]":
            """Sentences for the user."""


EMPTY_STATEMENT = "(an empty statement)"


def short(label: str) -> str:
    """A label in a sentence: its first line.

    >>> short("x = 1\\ny = 2")
    'x = 1 ...'
    >>> short("")
    '(an empty statement)'
    """
    first, _, rest = label.strip().partition("\n")
    if not first:
        return EMPTY_STATEMENT
    return f"{first} ..." if rest else first


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one candidate. Times are of one call, in seconds, less the empty loop."""

    wall: float
    cpu: float  # of the whole process (of a command: with its children)
    waits: int  # voluntary context switches of all calls of the sample
    preempted: int  # involuntary ones
    loops: int  # calls of the sample
    empty: float = 0.0  # of the empty loop, already subtracted
    helped: float = 0.0  # CPU time of other threads of the process, part of cpu
    faults: int = 0  # page faults that had to read a disk, of all calls
    counters: "Mapping[str, float]" = field(default_factory=dict)  # a call: instructions, ...


@dataclass(frozen=True, slots=True)
class Series:
    """One candidate: what it is called, and its samples on the clock that was chosen.

    groups: for each group (process) an array('d') of seconds a call, in the order they were
    measured. Of candidates that were measured together, sample i of group g is of the same round.
    """

    label: str  # the statement, the function's name, the command
    clock: str  # "cpu" or "wall"
    loops: int  # calls a sample (the median, where groups differ)
    empty: float  # seconds a call of the empty loop, already subtracted; 0.0: nothing was
    groups: "tuple[array[float], ...]"
    memory: tuple[int, int] | None = None  # bytes and blocks allocated by one call
    peak: int | None = None  # bytes at the highest point of one call
    counters: dict[str, float] = field(default_factory=dict)  # a call: instructions, ...

    @property
    def count(self) -> int:
        """Samples in all groups."""
        return sum(map(len, self.groups))
