# SPDX-License-Identifier: Apache-2.0
import asyncio

kept = []


async def leaf(n):
    await asyncio.sleep(0)
    kept.append([n, str(n)])
    return n * 1.5


async def numbers(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield {"i": i}


async def main():
    results = await asyncio.gather(*(leaf(i) for i in range(100)))
    kept.append([row async for row in numbers(100)])
    queue = asyncio.Queue()
    for i in range(50):
        await queue.put((i, results))
    future = asyncio.get_running_loop().create_future()
    future.set_result(results)
    kept.append(await future)
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError as error:
        kept.append(str(error))
    return queue


left = asyncio.run(main())
