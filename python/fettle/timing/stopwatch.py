# SPDX-License-Identifier: Apache-2.0
"""fettle.stopwatch: how long a block or a function takes, how much of it is waiting."""

from __future__ import annotations

import functools
from types import FunctionType

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, ParamSpec, Self, TypeVar, overload

    from fettle.timing.timed import Timed

    P = ParamSpec("P")
    R = TypeVar("R")
    Wrapped = TypeVar(
        "Wrapped", bound=classmethod[Any, ..., Any] | staticmethod[..., Any] | property
    )

# Flags of code objects.
COROUTINE, GENERATOR, ASYNC_GENERATOR = 0x80, 0x20, 0x200
_MARKS = ("_is_coroutine_mark", "_is_coroutine")  # what inspect's and asyncio's markers leave
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
_ROUNDS_UP = 0.9995


class stopwatch(_core.Stopwatch):
    """Measures the blocks and calls that it is put around; each is a use.

        with fettle.stopwatch() as watch:
            load()
        print(watch)                        # once, 4.0 ms, 12 % waiting

    As a decorator it measures each call; the watch is the function's attribute `stopwatch`:

    >>> import fettle
    >>> @fettle.stopwatch(name="square")
    ... def square(x):
    ...     return x * x
    >>> [square(x) for x in range(5)]
    [0, 1, 4, 9, 16]
    >>> square.stopwatch.count
    5
    >>> watch = fettle.stopwatch()
    >>> watch
    not used yet
    >>> with watch:
    ...     square(3)
    9
    >>> watch.count, watch.min == watch.median == watch.max == watch.last, watch.wall > 0
    (1, True, True)

    Totals, in seconds: wall (elapsed), cpu, waiting. Of each use, in elapsed seconds: min, median,
    max, last. count is how many uses ended; reset() forgets them all. What an exception leaves is a
    use as well. The median is exact up to 1024 uses and right to 1 % from there on, in 30 KB.

    A watch may be used anywhere at once. A use within a use (recursion) counts, but its time is in
    the totals once. Uses of several threads or tasks that overlap each count in wall, so that wall
    may be more than went by; cpu counts what each thread had of its CPU, once.

    waiting is the time off the CPU of uses that gave it up of their own accord: they slept, waited
    for a file, the network, a lock or the interpreter's lock. A use that other programs merely
    displaced did not wait; in one that did both, the two are not told apart. Looking at the CPU's
    clock is dear: what waits for less than 20 us may be taken for CPU time.

    Around a coroutine function a use is a call from its first step to its end: cpu is that of its
    own steps (of what it awaits too), all the time between them is waiting. A `with` block in a
    coroutine does not know of such steps: its cpu is what the thread used in the meantime, other
    tasks included. Around a generator function, an asynchronous one too, a use is one generator
    from beginning to end, but what is between its items is its consumer's time and left out.

    staticmethod and classmethod objects may be decorated or decorate, and properties be decorated;
    a class may not.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __new__(cls, /, *, name: str | None = None) -> Self: ...
        @overload
        def __new__(  # type: ignore[misc]
            cls, function: Wrapped, /, *, name: str | None = None
        ) -> Wrapped: ...
        @overload
        def __new__(  # type: ignore[misc]
            cls, function: Callable[P, R], /, *, name: str | None = None
        ) -> Timed[P, R, Callable[P, R]]: ...

    def __new__(cls, function: Any = None, /, *, name: str | None = None) -> Any:
        watch = super().__new__(cls, name=name)
        return watch if function is None else watch(function)

    if TYPE_CHECKING:

        @overload
        def __call__(self, function: Wrapped, /) -> Wrapped: ...  # type: ignore[overload-overlap]
        @overload
        def __call__(self, function: Callable[P, R], /) -> Timed[P, R, Callable[P, R]]: ...

    def __call__(self, function: Any, /) -> Any:
        """The function, measured by this watch."""
        return _timed(self, function)

    def __repr__(self) -> str:
        count, wall = self.count, self.wall
        text = f"{self.name}: " if self.name else ""
        if not count:
            return text + ("not used yet" if not wall else f"running for {said(wall)}")
        waiting = f"{100 * min(self.waiting / wall, 1.0) if wall else 0:.0f} % waiting"
        if count == 1:
            return f"{text}once, {said(self.last)}, {waiting}"
        low, high = said(self.min), said(self.max)
        if low.split()[1] == high.split()[1]:
            low = low.split()[0]
        each = f"{said(self.median)} each (median; {low} to {high})"
        return f"{text}{count} times, {each}, {waiting}"


def said(seconds: float) -> str:
    """In the unit that fits.

    >>> said(4.0), said(0.0042), said(0.00099999), said(25e-8)
    ('4.0 s', '4.2 ms', '1.0 ms', '250 ns')
    """
    for size, name in _UNITS:
        if seconds >= size * _ROUNDS_UP:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds * 1e9:.0f} ns"


def _timed(watch: stopwatch, function: Any) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_timed(watch, function.__func__))
    if isinstance(function, property):
        getter = _timed(watch, function.fget)
        return type(function)(getter, function.fset, function.fdel, function.__doc__)
    if isinstance(function, type):
        raise TypeError(
            f"a stopwatch measures functions, and {function.__qualname__} is a class:"
            " decorate the methods that matter"
        )
    flags = _flags(function)
    if flags & COROUTINE:
        timed = _coroutine(watch, function)
    elif flags & ASYNC_GENERATOR:
        timed = _async_generator(watch, function)
    elif flags & GENERATOR:
        timed = _generator(watch, function)
    else:
        return functools.update_wrapper(_core.TimedFunction(watch, function), function)
    wrapped: Any = functools.wraps(function)(timed)
    wrapped.stopwatch = watch
    return wrapped


def _flags(function: Any) -> int:
    """Those of the code that a call of it runs."""
    while True:
        if isinstance(function, FunctionType):
            marked = any(mark in function.__dict__ for mark in _MARKS)
            return function.__code__.co_flags | (COROUTINE if marked else 0)
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__func__"):
            function = function.__func__
        else:
            call = getattr(type(function), "__call__", None)  # noqa: B004  (what it runs)
            if not isinstance(call, FunctionType):
                return 0
            function = call


def _coroutine(watch: stopwatch, function: Any) -> Any:
    async def timed(*args: Any, **kwargs: Any) -> Any:
        steps = function(*args, **kwargs).__await__()
        return await _core.TimedSteps(watch, steps, "coroutine")

    return timed


def _generator(watch: stopwatch, function: Any) -> Any:
    def timed(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = _core.TimedSteps(watch, function(*args, **kwargs), "generator")
        return (yield from steps)

    return timed


def _async_generator(watch: stopwatch, function: Any) -> Any:
    async def timed(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        items = function(*args, **kwargs)
        step = items.__anext__()
        spent, begun = 0.0, False
        try:
            while True:
                part = _core.TimedSteps(watch, step.__await__(), "part")
                begun = True
                try:
                    item = await part
                except StopAsyncIteration:
                    return
                finally:
                    spent += part.spent
                try:
                    sent = yield item
                except GeneratorExit:
                    part = _core.TimedSteps(watch, items.aclose().__await__(), "part")
                    await part
                    spent += part.spent
                    raise
                except BaseException as error:
                    step = items.athrow(error)
                else:
                    step = items.asend(sent)
        finally:
            if begun:
                watch._counted(spent)

    return timed
