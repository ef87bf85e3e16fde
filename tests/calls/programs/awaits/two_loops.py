# SPDX-License-Identifier: Apache-2.0
"""A loop in each of two threads, and tasks that begin at once where the version has them."""

import asyncio
import sys
import threading


async def leaf(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def here() -> None:
    if sys.version_info >= (3, 12):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    tasks = []
    for _ in range(3):
        tasks.append(asyncio.create_task(leaf(0.05)))
    for task in tasks:
        await task


async def there() -> None:
    await asyncio.gather(leaf(0.05), leaf(0.05))


def in_thread() -> None:
    asyncio.run(there())


if __name__ == "__main__":
    thread = threading.Thread(target=in_thread)
    thread.start()
    asyncio.run(here())
    thread.join()
