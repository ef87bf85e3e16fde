# SPDX-License-Identifier: Apache-2.0
"""Results of coroutine functions that are being computed, and who waits for them.

A flight computes in a task of its own, so that whoever waits for it may be cancelled and the others
still get the result. Its first waiter began it, or adopted it from one that left: an exception is
that waiter's, and the next one has it computed anew. A flight that nobody waits for is cancelled.

No program that is right without this may hang. Nobody waits for a flight from inside of it, nor in
a circle of flights that wait for each other: such a call computes in its place. What is not seen
here (a worker that is asked through a queue) ends when patience does.

A flight is in its function's table as long as somebody holds it: its task and its waiters do. So
nothing has to be tidied up after a loop that was closed in the midst of it. What belongs to a loop
is changed by that loop's thread alone; others read `waiters` and `outer`, which the GIL allows.
"""

import asyncio
from asyncio import AbstractEventLoop, CancelledError, Future, Task, TimerHandle
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

# The flight whose computation this is a part of: its task, and tasks that were made there, see it.
_inside: ContextVar["Flight | None"] = ContextVar("fettle.cache", default=None)


def living(flight: "Flight | None") -> "Flight | None":
    """The flight, or where it has ended the one that it began in, and so on."""
    while flight is not None and flight.ended:
        flight = flight.outer
    return flight


def _dependents(flight: "Flight | None") -> "set[Flight]":
    """The flight, those inside of which somebody waits for it, and so on."""
    found = set() if flight is None else {flight}
    todo = list(found)
    while todo:
        for waiter in list(todo.pop().waiters):
            outer = living(waiter.inside)
            if outer is not None and outer not in found:
                found.add(outer)
                todo.append(outer)
    return found


def running_loop() -> AbstractEventLoop | None:
    """The loop whose task is running this; None: no task of asyncio's is."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else task.get_loop()


class Waiter:
    """A call that waits for a flight."""

    __slots__ = (
        "args",
        "computes",
        "context",
        "error",
        "flight",
        "future",
        "inside",
        "keywords",
        "timer",
        "value",
    )

    def __init__(self, flight: "Flight", args: Any, keywords: Any) -> None:
        self.flight, self.args, self.keywords = flight, args, keywords
        self.future: Future[bool] = flight.loop.create_future()  # False: compute it yourself
        self.computes = False  # the computation is, or was, this call's
        self.context: Context | None = None  # in which to compute; None: the one that is current
        self.timer: TimerHandle | None = None
        self.error: BaseException | None = None
        self.value: Any = None
        self.inside = living(_inside.get())

    def tell(self, landed: bool = True) -> None:
        if not self.future.done():  # it was cancelled, and has not heard of that yet
            self.future.set_result(landed)

    def give_up(self) -> None:
        self.flight.leave(self)
        self.tell(False)

    async def wait(self) -> bool:
        """Until there is a value (True), or patience is over (False). Raises the exception of the
        computation if it was this call's."""
        try:
            landed = await self.future
        except CancelledError as cancelled:
            if not await self._see_off(cancelled.args):
                raise
            landed = True
        except BaseException:
            self.flight.leave(self)  # closed: there is nothing to be awaited any more
            raise
        finally:
            if self.timer is not None:
                self.timer.cancel()
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # its traceback leads here
        return landed

    async def _see_off(self, message: Any) -> bool:
        """Leaves, and if it was the last, waits for the end of the computation, which is cancelled
        as its only caller was. What it makes of that happens to the caller, as if it had been
        awaited there: it may return or raise something else (True)."""
        task = self.flight.leave(self, message)
        while task is not None and not task.done():
            try:
                await asyncio.wait([task])
            except CancelledError as again:
                task.cancel(*again.args)
        if task is None or task.cancelled():
            return False
        self.error = task.exception()
        if self.error is None:
            self.value = task.result()
        return True


class Flight:
    """A result that is being computed."""

    __slots__ = (
        "__weakref__",
        "ended",
        "is_computing",
        "is_listed",
        "key",
        "loop",
        "misses",
        "outer",
        "task",
        "waiters",
    )

    def __init__(self, misses: "Misses", loop: AbstractEventLoop, key: Any) -> None:
        self.misses, self.loop, self.key = misses, loop, key
        self.task: Task[Any] | None = None
        self.waiters: dict[Waiter, None] = {}  # in the order in which they came
        self.outer: Flight | None = None  # of which its computation is a part
        self.ended = False
        self.is_computing = False  # until the waiters have been told
        misses.flights[id(loop), key] = self
        self.is_listed = True

    # ---- waiting ----

    def begin(self, args: Any, keywords: Any) -> Waiter:
        waiter = Waiter(self, args, keywords)
        self.waiters[waiter] = None
        try:
            self._start(waiter)
        except BaseException:
            self.leave(waiter)
            raise
        return waiter

    def join(self, args: Any, keywords: Any, patience: float) -> Waiter | None:
        """None: whoever waited for this would wait for itself."""
        if self in _dependents(living(_inside.get())):
            return None
        waiter = Waiter(self, args, keywords)
        waiter.context = copy_context()
        waiter.timer = self.loop.call_later(patience, waiter.give_up)
        self.waiters[waiter] = None
        return waiter

    def leave(self, waiter: Waiter, message: Any = ()) -> "Task[Any] | None":
        """It waits no longer. If it was the last one, the computation is cancelled; what is to be
        awaited then."""
        if waiter not in self.waiters:
            return None  # it ended already
        del self.waiters[waiter]
        if self.waiters:
            return None
        task = self.task if self.is_computing else None
        self.outer = waiter.inside  # who sees it off waits for what it does yet
        self._end()
        if task is not None and not self.loop.is_closed():
            task.cancel(*message)
        return task

    def forget(self) -> None:
        """Nobody joins it any more, and what it computes is not kept."""
        if self.is_listed:
            self.is_listed = False
            with suppress(Exception):  # a comparison's: the table lets go of what nobody holds
                self.misses.flights.pop((id(self.loop), self.key), None)

    # ---- computing ----

    def _start(self, waiter: Waiter) -> None:
        """Computes what the waiter asked for."""
        waiter.computes = self.is_computing = True
        self.outer, self.task = waiter.inside, None
        self.key.count(True, False, 0.0)
        computation = self._compute(waiter.args, waiter.keywords)
        create = self.loop.create_task
        try:
            if waiter.context is None:
                self.task = create(computation)
            else:
                self.task = waiter.context.run(create, computation)
        except BaseException:
            computation.close()
            raise
        self.task.add_done_callback(self._task_ended)

    async def _compute(self, args: Any, keywords: Any) -> Any:
        if self.task is None:  # an eager task, still on the caller's stack: recursion would not
            await asyncio.sleep(0)  # have far to go
        _inside.set(self)
        key, began = self.key, monotonic()
        try:
            value = await self.misses.function(*args, **keywords)
            key.count(False, False, monotonic() - began)
            self._land(value)
        except GeneratorExit:
            self._end()  # the loop is gone
            raise
        except BaseException as error:
            if not self._fail(error) or isinstance(error, CancelledError):
                raise
            return None
        return value  # to who saw it off

    def _task_ended(self, task: "Task[Any]") -> None:
        """It may have been cancelled before its first step, or interrupted in its last."""
        if self.task is task and self.is_computing:
            error = None if task.cancelled() else task.exception()
            self._fail(error or CancelledError())

    def _land(self, value: Any) -> None:
        shared = value
        if self.is_listed:
            shared = self.key.keep(value)
        elif self.misses.copy is not None and self.waiters:  # it was forgotten
            shared = self.misses.copy(value)
        for waiter in self.waiters:
            waiter.value = value if waiter.computes else shared
            waiter.tell()
        self._end()

    def _fail(self, error: BaseException) -> bool:
        """False: there is nobody whose exception it is."""
        if not self.waiters:
            self._end()
            return False
        first = self._first()
        if first is not None:
            first.computes, first.error = True, error
            first.tell()
        if self._first() is not None and not self.loop.is_closed():
            self.loop.call_soon(self._start_again)
            self.is_computing = False
        else:
            self._end()
        return True

    def _first(self) -> Waiter | None:
        """The first waiter that was not told, nor cancelled. (It need not have heard of it yet.)"""
        while self.waiters:
            first = next(iter(self.waiters))
            if not first.future.done():
                return first
            del self.waiters[first]
        return None

    def _start_again(self) -> None:
        first = self._first()
        if first is None:
            self._end()
            return
        if first.timer is not None:
            first.timer.cancel()
        try:
            self._start(first)
        except BaseException as error:
            self._fail(error)

    def _end(self) -> None:
        """It holds on to nothing any more."""
        self.forget()
        self.outer = living(self.outer)
        self.key = None
        self.task = None
        self.waiters = {}
        self.ended, self.is_computing = True, False


class Misses:
    """The calls of a cached coroutine function whose result is not there."""

    def __init__(
        self, function: Callable[..., Any], copy: Callable[[Any], Any] | None, patience: float
    ) -> None:
        """patience: the seconds to wait for another call's computation; 0: nobody waits."""
        self.function, self.copy, self.patience = function, copy, patience
        self.flights: WeakValueDictionary[tuple[int, Any], Flight] = WeakValueDictionary()
        self.forgotten = 0  # how often something was

    async def miss(self, key: Any, args: Any, keywords: Any) -> Any:
        loop = running_loop() if self.patience > 0 else None
        if loop is None:
            return await self._compute(key, args, keywords)
        flight = self.flights.get((id(loop), key))
        waiter: Waiter | None
        if flight is None or not flight.is_listed:
            waiter = Flight(self, loop, key).begin(args, keywords)
        else:
            waiter = flight.join(args, keywords, self.patience)
        if waiter is None or not await waiter.wait():
            return await self._compute(key, args, keywords)
        if waiter.computes:
            return waiter.value
        key.count(False, True, 0.0)
        return waiter.value if self.copy is None else self.copy(waiter.value)

    async def _compute(self, key: Any, args: Any, keywords: Any) -> Any:
        """In its place."""
        key.count(True, False, 0.0)
        forgotten, began = self.forgotten, monotonic()
        value = await self.function(*args, **keywords)
        key.count(False, False, monotonic() - began)
        if forgotten == self.forgotten:
            key.keep(value)
        return value

    def forget(self, key: Any = None) -> None:
        """What is being computed for that key (None: for any) is for those who wait already."""
        self.forgotten += 1
        for reference in self.flights.valuerefs():
            flight = reference()
            if flight is not None and (key is None or flight.key == key):
                flight.forget()
