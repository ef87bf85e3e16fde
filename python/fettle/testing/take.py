# SPDX-License-Identifier: Apache-2.0
"""What one call of a test function takes: its time, its calls, what it allocates.

A take is a function around the test's, of the same kind: what other plugins do with coroutine
functions they do with it. No frame of this file is in any recording.
"""

from __future__ import annotations

import functools
import gc
import inspect
from contextlib import contextmanager
from types import FunctionType, MethodType
from unittest import TestCase

import pytest

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any, Literal

    Function = Callable[..., Any]

_core.leave_out(__file__)

DEEP = 128  # frames of a path: enough to see which allocations are the test's


@contextmanager
def in_place_of(item: pytest.Function, function: Function) -> Iterator[None]:
    """The function is what the test calls, meanwhile."""
    before = item.obj
    case = item.instance if isinstance(item.instance, TestCase) else None
    item.obj = function
    if case is not None:  # one that is asynchronous calls what is in the instance
        setattr(case, item.name, function)
    try:
        yield
    finally:
        item.obj = before
        if case is not None:
            vars(case).pop(item.name, None)


class Around:
    """Starts and stops some things around the calls of a function. ended: a call has returned."""

    def __init__(self, *things: Any) -> None:
        self.things = things
        self.ended = False

    def start(self) -> None:
        for thing in self.things:
            thing.start() if isinstance(thing, _core.Recorder) else thing.__enter__()

    def stop(self) -> None:
        for thing in reversed(self.things):
            thing.pause() if isinstance(thing, _core.Recorder) else thing.__exit__(None, None, None)

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def of(self, function: Function) -> Function:
        """The function, with all started while it runs."""
        return _as(function, self._wrapper(function))

    def _wrapper(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                self.start()
                try:
                    result = await function(*args, **kwargs)
                finally:
                    self.stop()
                self.ended = True
                return result

            return coroutine

        def plain(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            self.start()
            try:
                result = function(*args, **kwargs)
            finally:
                self.stop()
            self.ended = True
            return result

        return plain


class Fixture(Around):
    """The same of the function of a fixture, whose steps of a generator count, not what is between
    them: the tests."""

    def of(self, function: Function) -> Function:
        if isinstance(function, MethodType):
            return MethodType(self.of(function.__func__), function.__self__)
        if not inspect.isgeneratorfunction(function):
            return super().of(function)

        def steps(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            generator = function(*args, **kwargs)
            while True:
                self.start()
                try:
                    value = next(generator)
                except StopIteration:
                    return
                finally:
                    self.stop()
                yield value

        return _as(function, steps)


class Take(Around):
    """One call of a test function. calls="python" leaves C functions out, which costs less."""

    def __init__(self, function: Function, calls: Literal["all", "python", ""], mem: bool) -> None:
        self.code = code_of(function)
        self.watch = _core.Stopwatch()
        self.calls = calls
        self.recorder = (
            _core.Recorder(calls=bool(calls), builtins=calls != "python", mem=mem)
            if calls or mem
            else None
        )
        things = [self.recorder] if self.recorder else []
        super().__init__(*things, self.watch)

    @property
    def spent(self) -> float:
        """Seconds on the CPU and waiting: all, but when other programs had the CPU."""
        return min(self.watch.cpu + self.watch.waiting, max(self.watch.wall, self.watch.cpu))

    def profile(self) -> _core.Profile:
        return self.recorder.profile() if self.recorder else _core.Profile()


class Again:
    """Calls a function a second time, and hears of the blocks that this call allocates. Its
    recorder is on until finish(): what dies later does not count."""

    def __init__(self, function: Function) -> None:
        self.code = code_of(function)
        self.recorder = _core.Recorder(calls=False, mem=True, frames=DEEP)
        self.ended = False

    def of(self, function: Function) -> Function:
        """The function, called twice."""
        return _as(function, self._wrapper(function))

    def _wrapper(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            async def coroutine(*args: Any, **kwargs: Any) -> None:
                __tracebackhide__ = True
                await function(*args, **kwargs)
                self.recorder.start()
                try:
                    await function(*args, **kwargs)
                except BaseException as error:
                    self.finish()
                    error.add_note(_SECOND)
                    raise
                self._end()

            return coroutine

        def plain(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            function(*args, **kwargs)
            self.recorder.start()
            try:
                function(*args, **kwargs)
            except BaseException as error:
                self.finish()
                error.add_note(_SECOND)
                raise
            self._end()

        return plain

    def _end(self) -> None:
        """With garbage, freed objects that the interpreter keeps in reserve go: what comes next
        would be made of these blocks, and look as if it were the test's."""
        gc.collect()
        self.ended = True

    def finish(self) -> None:
        self.recorder.pause()


_SECOND = "This is the second call of the test, which @pytest.mark.fettle(leaks=) makes."


def _as(function: Function, wrapper: Any) -> Function:
    """The wrapper, which looks like the function."""
    return functools.wraps(function)(wrapper)


def code_of(function: Any) -> CodeType | None:
    """The code of the test itself, below what decorates it; None for what is not plain."""
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    return function.__code__ if isinstance(function, FunctionType) else None


def named(function: Function, code: CodeType, name: str) -> Function:
    """The function, called from a frame of that name: so a recording tells apart what runs
    the same code, such as the cases of a parametrised test."""
    make = _awaiting if inspect.iscoroutinefunction(function) else _calling
    frame: Any = make(function)
    own = frame.__code__.replace(
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_name=name,
        co_qualname=name,
    )
    return _as(function, FunctionType(own, frame.__globals__, name, None, frame.__closure__))


def _awaiting(function: Function) -> Function:
    async def frame(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return await function(*args, **kwargs)

    return frame


def _calling(function: Function) -> Function:
    def frame(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return function(*args, **kwargs)

    return frame
