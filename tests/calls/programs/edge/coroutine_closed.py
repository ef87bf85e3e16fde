# SPDX-License-Identifier: Apache-2.0
"""A coroutine suspended in a with block and closed: the exit method runs inside of it.

expect work 2
expect __aenter__ 1
expect __aexit__ 1
edge work -> __aexit__ 1
edge <method 'close' of 'coroutine' objects> -> work 1
"""


class Pause:
    def __await__(self):
        yield "paused"


class Context:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        print(exception[0].__name__)


async def work():
    async with Context():
        await Pause()


coroutine = work()
print(coroutine.send(None))
coroutine.close()
