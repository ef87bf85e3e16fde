# SPDX-License-Identifier: Apache-2.0
"""Coroutine functions whose results lie in a store: what is kept is what was awaited.

As kept.py, for tasks instead of threads. Reading and writing the store is quick and is done in the
event loop; waiting for other processes and talking to a server is not. Where no task of asyncio's
runs (another library's loop, or somebody drives the coroutine by hand) a miss is computed in its
place.
"""

import asyncio
import functools
from time import perf_counter, process_time
from typing import Any

from fettle.caching.kept import CLAIM_SECONDS, Kept, Reference, computing
from fettle.caching.place import Flight, Progress

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
    store = kept.place.store
    assert store is not None
    try:
        if kept.options.patience > 0:
            approach = kept.approach(key, args, keywords, bool(computing.get()))
            try:
                while True:
                    await asyncio.sleep(next(approach))
            except StopIteration as end:
                if end.value is not None:
                    return end.value[0]
        if kept.remote is not None:
            return await _from_others(kept, key, args, keywords)
        return await _compute(kept, key, args, keywords, None)
    finally:
        store.release(key)


async def _from_others(kept: Kept, key: bytes, args: Arguments, keywords: Keywords) -> Any:
    remote, shared = kept.remote, kept.shared(args, keywords)
    assert remote is not None and shared is not None

    def ask() -> tuple[bytes | None, bytes]:
        payload = remote.get(shared, function=kept.name)
        if payload is not None:
            return payload, b""
        return remote.join(shared, kept.options.patience, CLAIM_SECONDS, function=kept.name)

    payload, token = await asyncio.to_thread(ask)
    try:
        found = kept.taken(key, payload)
        if found is not None:
            return found[0]
        return await _compute(kept, key, args, keywords, shared)
    finally:
        if token:
            await asyncio.to_thread(remote.release, shared, token, function=kept.name)


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
