# SPDX-License-Identifier: Apache-2.0
"""An async generator of three values consumed by `async for` of a coroutine driven by hand.

expect consume 1
expect produce 4
edge consume -> produce 4
expect <method 'send' of 'coroutine' objects> 1
"""


async def produce():
    for i in range(3):
        yield i


async def consume():
    async for i in produce():
        print(i)


coroutine = consume()
try:
    coroutine.send(None)
except StopIteration:
    print("end")
