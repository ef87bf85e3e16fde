# SPDX-License-Identifier: Apache-2.0
"""Every way to wait that asyncio has. Prints what its coroutines measured themselves, as JSON: how
often each was suspended, and between the clock readings around its own waits."""

import asyncio
import json
import time

measured: dict[str, list[float]] = {}


class Clock:
    """Adds the time in the block to the measurements of a function."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        row = measured.setdefault(self.name, [0, 0.0])
        row[0] += 1
        row[1] += time.perf_counter() - self.begun


async def on_a_future(seconds: float) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, future.set_result, None)
    with Clock("on_a_future"):
        await future


class Awaitable:
    def __await__(self):
        with Clock("__await__"):
            yield from asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.03)


async def in_awaitable() -> None:
    await Awaitable()


async def numbers(count: int):
    for number in range(count):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, None)
        with Clock("numbers"):
            await future
        yield number


async def read() -> None:
    async for _ in numbers(4):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, None)
        with Clock("read"):
            await future


async def fails() -> None:
    await on_a_future(0.02)
    raise LookupError


async def cleans_up() -> None:
    try:
        await on_a_future(100)
    finally:
        await on_a_future(0.04)


async def gives_up() -> None:
    try:
        await asyncio.wait_for(on_a_future(100), 0.05)
    except asyncio.TimeoutError:
        await on_a_future(0.01)


async def cancels() -> None:
    task = asyncio.create_task(cleans_up())
    await on_a_future(0.02)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


async def catches() -> None:
    try:
        await fails()
    except LookupError:
        await on_a_future(0.01)


async def successor(left: int) -> None:
    await on_a_future(0.001)
    if left > 0:
        asyncio.create_task(successor(left - 1))


def iterate() -> int:
    return sum(number for number in range(3))


async def busy() -> None:
    for _ in range(3):
        iterate()
        await asyncio.sleep(0)


async def main() -> None:
    await asyncio.gather(read(), in_awaitable(), cancels(), catches(), gives_up(), busy())
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(on_a_future(0.02))
    await successor(20)
    await on_a_future(0.1)


if __name__ == "__main__":
    asyncio.run(main())
    print(json.dumps(measured))
