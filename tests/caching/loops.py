# SPDX-License-Identifier: Apache-2.0
"""Cached coroutine functions whose computations the tests begin and end, step by step."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import fettle

WATCHDOG = 50  # seconds: less than the patience of a call that waits
Run = Callable[[Coroutine[Any, Any, Any]], Any]  # what the fixture `run` is

KINDS = ["plain", "debug", *(["eager"] if hasattr(asyncio, "eager_task_factory") else [])]


def run_in(kind, main):
    """asyncio.run, with an error where something was left behind or went to the loop's handler."""
    problems = []

    async def watched():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: problems.append(context))
        if kind == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
        try:
            async with asyncio.timeout(WATCHDOG):
                return await main
        finally:
            await settle()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left

    try:
        return asyncio.run(watched(), debug=kind == "debug")
    finally:
        gc.collect()
        assert problems == []


async def settle():
    """Everything that can go on without an event that nobody set has gone on."""
    for _ in range(30):
        await asyncio.sleep(0)


class Source:
    """A cached function whose computations end when the test says so."""

    def __init__(self, **options):
        self.running = []  # (key, future), in the order in which they began
        self.begun = 0
        self.function = fettle.cache(**options)(self.compute)

    async def compute(self, key):
        entry = (key, asyncio.get_running_loop().create_future())
        self.begun += 1
        self.running.append(entry)
        try:
            return await entry[1]
        finally:
            self.running.remove(entry)

    def call(self, key):
        return asyncio.create_task(self.function(key))

    async def calls(self, key, count):
        tasks = [self.call(key) for _ in range(count)]
        await settle()
        return tasks

    async def answer(self, value, at=0):
        self.running[at][1].set_result(value)
        await settle()

    async def refuse(self, error, at=0):
        self.running[at][1].set_exception(error)
        await settle()


async def cancelled(task):
    task.cancel()
    await settle()
    return task.cancelled()
