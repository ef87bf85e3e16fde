# SPDX-License-Identifier: Apache-2.0
"""An event loop of our own over generators and coroutines: pipelines, queues, trampolines."""

from collections import deque


class Switch:
    def __await__(self):
        return (yield self)


class Queue:
    def __init__(self):
        self.items = deque()

    async def get(self):
        while not self.items:
            await Switch()
        return self.items.popleft()

    async def put(self, item):
        while len(self.items) > 3:
            await Switch()
        self.items.append(item)


def run(*coroutines):
    ready = deque(coroutines)
    results = []
    while ready:
        coroutine = ready.popleft()
        try:
            coroutine.send(None)
        except StopIteration as stop:
            results.append(stop.value)
        else:
            ready.append(coroutine)
    return results


async def produce(queue, number):
    for i in range(number):
        await queue.put(i)
    await queue.put(None)


async def consume(queue):
    total = 0
    while (item := await queue.get()) is not None:
        total += item
    return total


async def filtered(source):
    async for item in source:
        if item % 2:
            yield item


async def numbers(n):
    for i in range(n):
        await Switch()
        yield i


async def pipeline():
    return [i async for i in filtered(numbers(50))]


queue = Queue()
print(run(produce(queue, 60), consume(queue), pipeline()))
