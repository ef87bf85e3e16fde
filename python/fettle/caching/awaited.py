# SPDX-License-Identifier: Apache-2.0
"""Coroutine functions whose results lie in a store: what is kept is what was awaited.

As kept.py, for tasks instead of threads. Reading and writing the store is quick and is done in the
event loop; waiting for other processes and talking to a server is not. Where no task of asyncio's
runs (another library's loop, or somebody drives the coroutine by hand) a miss is computed in its
place.
"""

import asyncio
import functools
from threading import Lock
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from fettle.caching import kept as keeping
from fettle.caching.kept import Kept, Reference, computing
from fettle.caching.place import Flight, Progress

if TYPE_CHECKING:
    from fettle.caching.remote import Found, Remote

Arguments = tuple[Any, ...]
Keywords = dict[str, Any] | None


def awaited(kept: Kept) -> Any:
    """The coroutine function of a Kept, with its methods. Those of a method take the instance."""

    async def call(*args: Any, **keywords: Any) -> Any:
        named = keywords or None
        key = kept.stored.key(args, named)
        if key is None:
            return await kept.function(*args, **keywords)
        found = kept.look(key, args, named)
        return found[0] if found is not None else await _miss(kept, key, args, named)

    async def compute(*args: Any, **keywords: Any) -> Any:
        """Compute, whatever is kept, and keep the result."""
        key = kept.stored.key(args, keywords or None)
        if key is None:
            return await kept.function(*args, **keywords)
        shared = None if _task() is None else kept.shared(args, keywords or None)
        return await _compute(kept, key, args, keywords or None, shared)

    async def reference(*args: Any, **keywords: Any) -> Reference:
        """A small handle of the result, which is computed now if it is not kept."""
        computed: tuple[Any, ...] = ()
        if not kept.cached(*args, **keywords):
            computed = (await call(*args, **keywords),)
        return kept.reference_of(kept.stored.key(args, keywords or None), computed)

    made: Any = functools.update_wrapper(call, kept.function)
    made.__dict__.update(
        forget=kept.forget,
        clear=kept.clear,
        peek=kept.peek,
        cached=kept.cached,
        call=compute,
        reference=reference,
        handle=kept,
    )
    return made


def _task() -> object | None:
    """asyncio's task that runs; None in another library's loop, or where none runs."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


async def _miss(kept: Kept, key: bytes, args: Arguments, keywords: Keywords) -> Any:
    flights, who = kept.place.flights, _task()
    key = kept.current(key, args, keywords)
    if who is None or key in computing.get():
        return await _compute(kept, key, args, keywords, None)
    patience = kept.options.patience
    while True:
        mine = Flight(who)
        try:
            flight = flights.begin(key, mine)
            if flight is mine:
                return await _alone_here(kept, key, args, keywords)
        finally:
            mine.gate.release()
            flights.remove(key, mine)
        try:
            ended = flights.may_wait(key, flight, who) and await _ended(flight, patience)
        finally:
            flights.waits_no_more(who)
        if not ended:
            return await _compute(kept, key, args, keywords, None)
        found = kept.look(key, args, keywords)
        if found is not None:
            return found[0]


async def _ended(flight: Flight, patience: float) -> bool:
    """Whether another task's (or thread's) flight ended."""
    until, progress = perf_counter() + patience, Progress()
    pause = 0.0
    while flight.gate.locked():
        if perf_counter() >= until or progress.stands_still(process_time()):
            return False
        await asyncio.sleep(pause)
        pause = min(pause + 0.0005, 0.02)
    return True


async def _alone_here(kept: Kept, key: bytes, args: Arguments, keywords: Keywords) -> Any:
    """As Kept._alone_here()."""
    store = kept.place.store
    assert store is not None
    shared = kept.shared(args, keywords)
    if kept.remote is not None and shared is not None:
        there = await asyncio.to_thread(kept.remote.lookup, shared, function=kept.name)
        found = kept.taken(key, there, args, keywords)
        if found is not None:
            return found[0]
    try:
        if kept.options.patience > 0:
            approach = kept.approach(key, args, keywords, bool(computing.get()))
            try:
                while True:
                    await asyncio.sleep(next(approach))
            except StopIteration as end:
                if end.value is not None:
                    return end.value[0]
            finally:
                approach.close()  # an exception's traceback would keep it waiting
        if kept.remote is not None and shared is not None:
            return await _from_others(kept, key, args, keywords, shared)
        return await _compute(kept, key, args, keywords, None)
    finally:
        store.release(key)


async def _from_others(
    kept: Kept, key: bytes, args: Arguments, keywords: Keywords, shared: bytes
) -> Any:
    assert kept.remote is not None
    there, token = await _joined(kept.remote, shared, kept.options.patience, kept.name)
    try:
        found = kept.taken(key, there, args, keywords)
        if found is not None:
            return found[0]
        return await _compute(kept, key, args, keywords, shared)
    finally:
        _let_go(kept.remote, shared, token, kept.name)


async def _joined(
    remote: "Remote", shared: bytes, patience: float, name: str
) -> "tuple[Found | None, bytes]":
    """As Remote.join(). A thread is needed for each step alone, not for the pauses: tasks that wait
    for other machines keep no thread from those that the other machines wait for."""
    steps = remote.approach(shared, patience, keeping.CLAIM_SECONDS, function=name)
    while True:
        step = Step(remote, shared, name, steps)
        try:
            await asyncio.to_thread(step.take)
        except BaseException:
            step.leave()
            raise
        if step.end is not None:
            return step.end
        await asyncio.sleep(step.pause)


class Step:
    """A step of Remote.approach() that a thread takes. Of the thread that gets a token, and the
    task that is cancelled and does not want it, the one that comes second gives it back."""

    def __init__(self, remote: "Remote", shared: bytes, name: str, steps: Any) -> None:
        self._call = remote, shared, name
        self._steps = steps
        self._lock = Lock()
        self._is_left = False
        self.pause = 0.0
        self.end: tuple[Found | None, bytes] | None = None

    def take(self) -> None:
        try:
            self.pause = next(self._steps)
        except StopIteration as end:
            with self._lock:
                self.end = end.value
                is_left = self._is_left
            if is_left:
                remote, shared, name = self._call
                remote.release(shared, end.value[1], function=name)

    def leave(self) -> None:
        with self._lock:
            self._is_left = True
            end = self.end
        if end is not None:
            remote, shared, name = self._call
            _let_go(remote, shared, end[1], name)


def _let_go(remote: "Remote", shared: bytes, token: bytes, name: str) -> None:
    """Has a claim released, in a thread that is not waited for."""
    if not token:
        return
    release = functools.partial(remote.release, shared, token, function=name)
    try:
        asyncio.get_running_loop().run_in_executor(None, release)
    except RuntimeError:  # the loop ends, or is gone
        release()


async def _compute(
    kept: Kept, key: bytes, args: Arguments, keywords: Keywords, shared: bytes | None
) -> Any:
    before = computing.get()
    computing.set((*before, key))
    begun = perf_counter()
    try:
        value = await kept.function(*args, **(keywords or {}))
    finally:
        computing.set(before)
    cost = perf_counter() - begun
    if shared is None:
        kept.keep(key, value, cost)
    else:
        await asyncio.to_thread(kept.keep, key, value, cost, shared)
    return value
