# SPDX-License-Identifier: Apache-2.0
"""A coroutine awaits another, driven by hand: each send goes through both.

expect outer 3
expect inner 3
expect __await__ 3
expect <method 'send' of 'coroutine' objects> 3
edge <method 'send' of 'coroutine' objects> -> outer 3
edge outer -> inner 3
edge inner -> __await__ 3
"""


class Pause:
    def __await__(self):
        yield 1
        yield 2


async def inner():
    await Pause()
    return "inner"


async def outer():
    return await inner()


coroutine = outer()
print(coroutine.send(None), coroutine.send(None))
try:
    coroutine.send(None)
except StopIteration as stop:
    print(stop.value)
