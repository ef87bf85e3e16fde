# SPDX-License-Identifier: Apache-2.0
"""A source of samples in this very process: for lambdas, closures and what else has no name that
another process could import.

Its groups are blocks with fresh code: copies of the inner functions, and of plain Python functions
too, lie elsewhere in memory each time. What those call lies where it lies, so to the statistics all
blocks are one group, from which they believe no small difference.

Nothing of the program's state is changed: collecting garbage is as it was whenever no candidate
runs, and random numbers are not drawn from `random`. What never ends is interrupted by an alarm, if
this is the main thread and nobody else has set one.
"""

import signal
from contextlib import suppress
from random import Random
from types import FunctionType
from typing import Any, NoReturn

from fettle.problem import CHECK_FAILED, USAGE, Problem
from fettle.timing import statements
from fettle.timing.collect import TimedOut
from fettle.timing.processes import raised
from fettle.timing.runner import Dice, Raised, Runner, place_of, placed, text_of
from fettle.timing.series import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from fettle.timing.options import Options
    from fettle.timing.runner import Inner
    from fettle.timing.statements import Candidate

    T = TypeVar("T")


class _Late(BaseException):
    """The alarm: no candidate is likely to catch it."""


class Limit:
    """Interrupts what runs too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def run(self, call: "Callable[[], T]") -> "T":
        """What call gives, or TimedOut."""
        try:
            self._set()
            try:
                return call()
            finally:
                self._unset()
        except _Late:
            self._unset()
            raise TimedOut from None

    def again(self) -> None:
        """The time begins anew."""
        if self._is_set():  # once more after that, for code that catches everything
            signal.setitimer(signal.ITIMER_REAL, self._seconds, max(self._seconds, 1.0))

    def _set(self) -> None:
        is_free = signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        if is_free and not signal.getitimer(signal.ITIMER_REAL)[0]:
            with suppress(ValueError):  # not the main thread, where alone one hears of signals
                signal.signal(signal.SIGALRM, self._ring)
            self.again()

    def _unset(self) -> None:
        if self._is_set():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _is_set(self) -> bool:
        """Not if the candidate has set an alarm of its own meanwhile."""
        return signal.getsignal(signal.SIGALRM) == self._ring

    def _ring(self, number: int, frame: object) -> NoReturn:
        raise _Late


class InProcess:
    """Groups of any candidates."""

    is_one = True  # all groups are one process, whose luck nothing in it shows

    def __init__(
        self,
        candidates: "Sequence[Candidate]",
        options: "Options",
        names: dict[str, Any] | None = None,
    ) -> None:
        if any(each.is_async for each in candidates) and _in_event_loop():
            raise Problem(
                USAGE,
                "a coroutine function cannot be timed where an event loop runs already; write"
                " `await asyncio.to_thread(fettle.time, ...)`.",
            )
        self._candidates = candidates
        self._options = options
        self._names = names
        self._random = Random(options.seed)
        self._loops = [options.loops] * len(candidates)

    def groups(self) -> "Iterator[Block]":
        while True:
            block = self._block()
            block.begin(self._loops)
            self._loops = block.loops
            yield block

    def allocated(self) -> "Sequence[tuple[int, int, int] | None]":
        block = self._block()
        try:
            return block.allocated()
        finally:
            block.close()

    def notes(self) -> tuple[str, ...]:
        return ()

    def _block(self) -> "Block":
        options, seed = self._options, self._random.getrandbits(60)
        asyncs = [*(each.is_async for each in self._candidates), False]
        inners, between = placed(self._inner, len(asyncs), Dice(seed))
        runner = Runner(inners, asyncs, options.gc, options.counters, seed, between)
        return Block(runner, self._candidates, options.timeout)

    def _inner(self, index: int) -> "Inner":
        if index == len(self._candidates):
            return statements.inner_of(statements.empty().code)
        candidate = self._candidates[index]
        local = candidate.names(_copied(candidate.function))
        return statements.inner_of(candidate.code, self._names, local)


class Block:
    """Rounds that share one copy of the code."""

    def __init__(self, runner: Runner, candidates: "Sequence[Candidate]", timeout: float) -> None:
        self._runner = runner
        self._candidates = candidates
        self._limit = Limit(timeout)
        runner.passes = (KeyboardInterrupt, _Late)
        runner.tick = self._limit.again

    @property
    def loops(self) -> list[int]:
        return self._runner.loops

    def begin(self, loops: "Sequence[int]") -> None:
        try:
            self._limit.run(self._runner.warm_up)
            self._limit.run(lambda: self._runner.prepare(loops))
        except Raised as error:
            self._fail(error)

    def round(self) -> list[Sample]:
        try:
            rows = self._limit.run(self._runner.round)
        except Raised as error:
            self._fail(error)
        names = self._runner.counters
        return [Sample(*row[:-1], dict(zip(names, row[-1], strict=True))) for row in rows]

    def allocated(self) -> "list[tuple[int, int, int] | None]":
        try:
            return self._limit.run(self._runner.allocated)
        except Raised as error:
            self._fail(error)

    def close(self) -> None:
        self._runner.close()

    def _fail(self, error: Raised) -> NoReturn:
        cause = error.__cause__ or error
        file = self._candidates[error.index].file if error.index < len(self._candidates) else ""
        place = place_of(cause, file)
        said = raised(self._candidates, error.index, text_of(cause), *place, is_elsewhere=False)
        raise Problem(CHECK_FAILED, said) from cause


def _copied(function: object) -> object:
    """A plain function with a copy of its code, where nobody could tell; else itself."""
    if type(function) is not FunctionType or function.__dict__:
        return function
    copy = FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__ = function.__qualname__
    copy.__module__ = function.__module__
    return copy


def _in_event_loop() -> bool:
    import sys

    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
