# SPDX-License-Identifier: Apache-2.0
"""asyncio: tasks, queues, locks, timeouts that do not fire, exceptions, async generators.

Garbage is collected at the end only, and no clock decides the order of anything."""

import asyncio
import gc

gc.disable()


async def producer(queue, number):
    for i in range(number):
        await queue.put(i)
    await queue.put(None)


async def consumer(queue, lock, results):
    while (item := await queue.get()) is not None:
        async with lock:
            results.append(item * 2)


async def failing():
    await asyncio.sleep(0)
    raise ValueError("v")


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def main():
    queue, lock, results = asyncio.Queue(3), asyncio.Lock(), []
    await asyncio.gather(producer(queue, 30), consumer(queue, lock, results))
    outcomes = await asyncio.gather(failing(), failing(), return_exceptions=True)
    seen = [tick async for tick in ticks(10)]
    return sum(results), [type(o).__name__ for o in outcomes], len(seen)


print(asyncio.run(main()))
