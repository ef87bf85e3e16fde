# SPDX-License-Identifier: Apache-2.0
"""asyncio.run over gathered tasks that sleep 0 twice each: a start and two resumes a task.

expect worker 30
expect main 2
edge worker -> helper 30
expect helper 30
expect step 20
"""

import asyncio


def step():
    pass


async def helper():
    for _ in range(2):
        step()
        await asyncio.sleep(0)


async def worker():
    await helper()


async def main():
    await asyncio.gather(*[worker() for _ in range(10)])


asyncio.run(main())
