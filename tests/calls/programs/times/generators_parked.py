# SPDX-License-Identifier: Apache-2.0
"""The time between two resumes of a generator or coroutine is not its own."""

import time


def numbers():
    for i in range(3):
        yield i


async def parked():
    await Pause()


class Pause:
    def __await__(self):
        yield


def use():
    coroutine = parked()
    coroutine.send(None)
    for _ in numbers():
        time.sleep(0.1)
    coroutine.close()


use()
