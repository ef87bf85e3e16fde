# SPDX-License-Identifier: Apache-2.0
# Every kind of object whose blocks a freelist keeps, made, dropped and made again elsewhere.
import contextvars
import weakref


def fill():
    return [float(i) / 3 for i in range(200)]


def again():
    return [float(i) / 7 for i in range(200)]


x = 1.0
kept = [None] * 50
kept_lists = [None] * 50
for i in range(50):  # nothing else is allocated between the two
    a = x * 1.5
    del a
    kept[i] = x * 2.5
for i in range(50):
    a = [i]
    del a
    kept_lists[i] = [i]

first = fill()
del first
second = again()

tuples = [(i, second) for i in range(300)]
wide = [tuple(range(n)) for n in range(1, 25) for _ in range(20)]
del tuples, wide
later = [(i, i) for i in range(100)]
later_wide = [tuple(range(n)) for n in range(1, 25) for _ in range(10)]

lists = [[] for _ in range(200)]
del lists
more_lists = [[i] for i in range(200)]

dicts = [{} for _ in range(200)]
filled = [{"a": i} for i in range(200)]
del dicts, filled
more = [{i: i} for i in range(150)]

slices = []
for i in range(100):
    s = slice(i, i + 1000)
    slices.append(s)
    del s
    "abc"[i:1000]

contexts = [contextvars.copy_context() for _ in range(100)]
del contexts[::2]
context_again = [contextvars.copy_context() for _ in range(80)]


async def agen():
    yield 1
    yield 2


async def drive():
    return [i async for i in agen()]


for _ in range(20):
    coroutine = drive()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value = stop.value


class C:
    def method(self):
        return self


objects = [C() for _ in range(200)]
methods = [each.method for each in objects]
del methods
methods = [each.method for each in objects[:50]]
references = [weakref.ref(each) for each in objects]
bounds = [[].append for _ in range(100)]
del bounds
bounds = [{}.get for _ in range(100)]
del objects[::2]
characters = [chr(i) for i in range(300, 500)]
numbers = [i * 1000003 for i in range(300)]
del numbers[::2]
numbers_again = [i * 1000033 for i in range(300)]
ranges = [iter(range(i)) for i in range(200)]
zips = [zip([i], [i]) for i in range(100)]
measure()
