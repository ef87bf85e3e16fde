# SPDX-License-Identifier: Apache-2.0
"""Dies while two tasks wait."""

import asyncio
import os
import signal


async def wait_for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def main() -> None:
    tasks = [asyncio.create_task(wait_for_ever()) for _ in range(2)]
    await asyncio.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.wait(tasks)


if __name__ == "__main__":
    asyncio.run(main())
