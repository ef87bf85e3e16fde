# SPDX-License-Identifier: Apache-2.0
"""Measures candidates that are ready to be called, in this process, whichever it is.

Imports next to nothing: a process that measures starts in the time of a few samples.
"""

import gc
import sys
from itertools import repeat
from time import get_clock_info, perf_counter

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from fettle._core import Reading

    # wall, cpu, waits, preempted, loops, empty, helped, reads, counters: as in series.Sample
    Row = tuple[float, float, int, int, int, float, float, int, tuple[float, ...]]
    Inner = Callable[[Iterator[None], Callable[[], object], Callable[[], object]], Any]

# Seconds a sample: far above what reading the clocks takes, below a turn of the scheduler.
SAMPLE = max(0.0015, 1000 * get_clock_info("process_time").resolution)
SETUP_MOST = 0.05  # a setup of that length, or a longer one, is run less often
EMPTY = SAMPLE / 2
EMPTIES = 3  # of them when a group begins
SHORT = 100  # what takes less than as many empty loops is measured beside them in each round
OVERHEADS = 9
BETWEEN = 8  # copies that are never measured, at most, before one that is
LONG = 0.5  # seconds: whoever waits for samples wants to hear of each
_MASK = (1 << 64) - 1


class Raised(Exception):
    """Candidate `index` raised its cause."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Dice:
    """Numbers that look random, of a seed: the module random takes longer to import than to use."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK | 1

    def below(self, bound: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._state >> 33) % bound

    def order(self, count: int) -> list[int]:
        """0 to count - 1."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def placed(make: "Callable[[int], Inner]", count: int, dice: Dice) -> "tuple[list[Inner], object]":
    """The inner functions make(0) to make(count - 1), each where luck puts it: they are made in a
    random order with others between them, which must live as long. Memory that was freed is used
    again in the same order, so otherwise one candidate would always have the better place."""
    made: dict[int, Inner] = {}
    between = []
    for index in dice.order(count):
        between += [make(index) for _ in range(dice.below(BETWEEN))]
        made[index] = make(index)
    return [made[index] for index in range(count)], between


class Runner:
    """Of n candidates: n inner functions, then that of the empty loop."""

    passes: tuple[type[BaseException], ...] = (KeyboardInterrupt,)  # not the candidate's own

    def __init__(
        self,
        inners: "Sequence[Inner]",
        asyncs: "Sequence[bool]",
        collects: bool,
        counters: bool,
        seed: int,
        between: object = None,  # what placed() gave besides
    ) -> None:
        self.loops: list[int] = []
        self._inners = inners
        self._between = between
        self._asyncs = asyncs
        self._collects = collects
        self._meter = _core.Meter(counters)
        self._dice = Dice(seed)
        self._empties: list[Reading] = []
        self._empty_loops = 0
        self._event_loop: Any = None
        self._overhead = (0.0, 0.0, 0.0)
        self._empty = (0.0, 0.0, 0.0)
        self._is_short = False
        self._kept: dict[int, Reading] = {}  # samples that were taken while loops were looked for
        self.tick: Callable[[], object] | None = None  # called after samples that took long

    @property
    def counters(self) -> tuple[str, ...]:
        return self._meter.counters

    def warm_up(self) -> None:
        """One call of each candidate, in a random order."""
        for index in self._dice.order(len(self._inners) - 1):
            self._sample(index, 1)

    def prepare(self, loops: "Sequence[int]") -> None:
        """Looks for the number of calls a sample where there is none yet (0), and at what is to be
        subtracted. A candidate whose samples are of many calls has one of them in advance."""
        count = len(self._inners) - 1
        self._look_at_empty()
        self.loops = list(loops)
        shortest = float("inf")
        for index in self._dice.order(count):
            if self.loops[index] == 0:
                self.loops[index], took = self._calibrate(index)
                shortest = min(shortest, took)
            elif self.loops[index] > 1:
                reading = self._sample(index, self.loops[index])
                shortest = min(shortest, reading.wall / self.loops[index])
        self._is_short = shortest < SHORT * max(self._empty[0], 1e-9)

    def round(self) -> "list[Row]":
        """One sample of each candidate."""
        count = len(self._inners) - 1
        readings: list[Reading | None] = [None] * count
        for index in self._dice.order(count + self._is_short):
            if index == count:
                self._add_empty()
            else:
                kept = self._kept.pop(index, None)
                readings[index] = kept or self._sample(index, self.loops[index])
        return [self._row(i, each) for i, each in enumerate(readings) if each is not None]

    def allocated(self) -> "list[tuple[int, int, int] | None]":
        """Bytes, blocks and the peak in bytes of one call of each candidate, after one that is not
        looked at; None: no hook is free."""
        counts = [self._allocated(index) for index in range(len(self._inners))]
        empty = counts.pop() or (0, 0, 0)
        return [
            None
            if of is None
            else (max(0, of[0] - empty[0]), max(0, of[1] - empty[1]), max(0, of[2] - empty[2]))
            for of in counts
        ]

    def close(self) -> None:
        if self._event_loop is not None:
            self._event_loop.close()
            self._event_loop = None

    def _allocated(self, index: int) -> tuple[int, int, int] | None:
        self._sample(index, 1)
        recorder = _core.Recorder(calls=False, mem=True)
        try:
            self._run(index, 1, recorder.start, recorder.pause)
        except Raised as raised:
            if isinstance(raised.__cause__, RuntimeError) and not recorder.active:
                return None
            raise
        (heap,) = recorder.profile().heaps()
        return heap.total_bytes, heap.total_count, heap.peak_bytes

    def _sample(self, index: int, loops: int) -> "Reading":
        reading = self._run(index, loops, self._meter.start, self._meter.stop)
        if not isinstance(reading, _core.Reading):
            raise TypeError("a candidate's inner function gives what stop() gave")
        if reading.wall > LONG and self.tick is not None:
            self.tick()
        return reading

    def _run(
        self, index: int, loops: int, start: "Callable[[], object]", stop: "Callable[[], object]"
    ) -> object:
        """Collecting garbage is as the user wants it while a candidate runs, and as it was else."""
        was_enabled = gc.isenabled()
        inner, is_async = self._inners[index], self._asyncs[index]
        try:
            if self._collects:
                gc.enable()
            else:
                gc.disable()
            if is_async:
                return self._loop().run(inner(repeat(None, loops), start, stop))
            return inner(repeat(None, loops), start, stop)
        except self.passes:
            raise
        except BaseException as error:
            raise Raised(index) from error
        finally:
            if was_enabled:
                gc.enable()
            else:
                gc.disable()

    def _loop(self) -> "Any":
        if self._event_loop is None:
            import asyncio

            # with a factory of its own it leaves the thread's current loop alone
            self._event_loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        return self._event_loop

    def _look_at_empty(self) -> None:
        empty = len(self._inners) - 1
        nothing = [self._sample(empty, 0) for _ in range(OVERHEADS)]
        self._overhead = _medians(nothing)
        took = self._sample(empty, 1000).cpu / 1000
        self._empty_loops = max(1000, min(1_000_000, round(EMPTY / max(took, 1e-10))))
        self._empties.clear()
        for _ in range(EMPTIES):
            self._add_empty()

    def _add_empty(self) -> None:
        self._empties.append(self._sample(len(self._inners) - 1, self._empty_loops))
        middle = _medians(self._empties)
        self._empty = tuple(  # type: ignore[assignment]
            max(0.0, (each - less) / self._empty_loops)
            for each, less in zip(middle, self._overhead, strict=True)
        )

    def _calibrate(self, index: int) -> tuple[int, float]:
        """Calls a sample, and seconds a call. What takes longer than a sample is called once. All
        processes use what the first one finds, so a sample of which others had most is not
        believed: its few calls may have been slower than many are."""
        loops, setup = 1, float("inf")
        while True:
            begun = perf_counter()
            reading = self._sample(index, loops)
            # the least: others may have had the processor in between
            setup = min(setup, perf_counter() - begun - reading.wall)
            if reading.waits and reading.preempted:  # is it the code that waited?
                reading = min(reading, self._sample(index, loops), key=lambda each: each.wall)
            target = max(SAMPLE, min(setup, SETUP_MOST))
            took = reading.wall if reading.waits else max(reading.cpu, 1e-9)
            if took >= target / 2 or (reading.wall > 8 * target and not reading.preempted):
                found = max(1, round(loops * target / took))
                if found == loops == 1:
                    self._kept[index] = reading
                return found, took / loops
            loops = max(loops + 1, round(loops * min(10.0, target / took)))

    def _row(self, index: int, reading: "Reading") -> "Row":
        loops = self.loops[index]
        wall, cpu, thread = self._overhead
        return (
            (reading.wall - wall) / loops - self._empty[0],
            (reading.cpu - cpu) / loops - self._empty[1],
            reading.waits,
            reading.preempted,
            loops,
            self._empty[0],
            max(0.0, (reading.cpu - cpu) - (reading.thread - thread)) / loops,
            reading.reads,
            self._counted(reading, loops),
        )

    def _counted(self, reading: "Reading", loops: int) -> tuple[float, ...]:
        if not reading.counters:
            return ()
        empty = self._empties[0].counters
        return tuple(
            of / loops - less / self._empty_loops
            for of, less in zip(reading.counters, empty, strict=True)
        )


def _medians(readings: "Sequence[Reading]") -> tuple[float, float, float]:
    middle = len(readings) // 2
    return (
        sorted([each.wall for each in readings])[middle],
        sorted([each.cpu for each in readings])[middle],
        sorted([each.thread for each in readings])[middle],
    )


def place_of(error: BaseException, filename: str) -> tuple[int, str, int]:
    """The line of filename that error came through (0: none), and where it was raised."""
    line, last_file, last_line = 0, "", 0
    trace = error.__traceback__
    while trace is not None:
        last_file, last_line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if last_file == filename and line == 0:
            line = last_line
        trace = trace.tb_next
    return line, last_file, last_line


def text_of(error: BaseException) -> str:
    """ "ZeroDivisionError: division by zero", whatever the exception's own __str__ does."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = ""
    lines = text.strip().splitlines()
    return f"{name}: {lines[0]}" if lines else name


def resolve(module: str, qualname: str) -> object:
    """The object of that name; ImportError or AttributeError."""
    __import__(module)
    found: object = sys.modules[module]
    for name in qualname.split("."):
        found = getattr(found, name)
    return found
