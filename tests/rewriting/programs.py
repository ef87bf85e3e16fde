# SPDX-License-Identifier: Apache-2.0
"""Programs for which the trace function's line events are known to be odd. Each is run whole."""

PROGRAMS = {
    "loops": """
def f(n):
    total = 0
    for i in range(n):
        if i % 2:
            continue
        total += i
    else:
        total -= 1
    while n: n -= 1
    while total > 3:
        total -= 1
        if total == 5: break
    for i in range(3): pass
    return total
for n in range(6): f(n)
while n: n -= 1
""",
    "exceptions": """
class E(Exception): pass
def f(n):
    try:
        if n == 0: raise E
        elif n == 1: return 1 / 0
        elif n == 2: raise ExceptionGroup("g", [E(), KeyError()])
        elif n == 3:
            try:
                raise KeyError
            finally:
                n = 4
        return n
    except* E:
        n = 7
    except* (
        ZeroDivisionError
    ): n = 8
    finally:
        n += 1
    return n
def g(n):
    for i in range(n):
        try:
            if i == 2: raise E
            if i == 3: continue
        except E as e: pass
        except KeyError: pass
        else: i = 0
        finally: n -= 1
    try: raise E
    except E:
        raise
for n in range(6):
    try: f(n)
    except BaseException as e: pass
    try: g(n)
    except E: pass
""",
    "with": """
from contextlib import contextmanager, suppress, nullcontext
@contextmanager
def c(n):
    try:
        yield n
    except KeyError:
        pass
    finally:
        n = 0
def f(n):
    with c(1) as a, c(2) as b:
        if n == 0: raise KeyError
        if n == 1: return 3
        if n == 2: raise ValueError
    with c(1), c(2): {}[n]
    with suppress(ValueError), nullcontext(), \\
         nullcontext(): raise ValueError
    with c(1) as a:
        with c(2) as b:
            for i in range(2):
                with c(i): break
    return n
for n in range(5):
    try: f(n)
    except ValueError: pass
""",
    "expressions": """
def f(a, b=[x * y for x in range(3) for y in range(2) if x
            if y], *, c={k: v
                         for k, v in zip("ab", "cd")}):
    d = (a
         + len(b)
         - g(
             a,
             2,
         )
    )
    e = a if d else (
        b
    )
    assert d is not None, (
        "no")
    h = lambda: (
        a,
        b)
    h(); i = 1 < a < d < \\
        99
    return not (a and
                b or
                e)
def g(a, b): return {a: b}[a]
f(1); f(0); f(5)
x = [f(i) for i in range(3)]; y = {
    i for i in x
}
""",
    "match": """
def f(x):
    match x:
        case 0: return "zero"
        case [a, b] if a == b:
            return a
        case {"k": v, **rest}:
            return v
        case str() | bytes():
            pass
        case _:
            x = None
    return x
for x in 0, [1, 1], [1, 2], {"k": 1}, "s", b"b", None: f(x)
""",
    "classes": """
def decorate(thing): return thing
@decorate
@decorate
class A:
    '''doc'''
    x: int = 1
    y = [x for x in range(3)]
    def __init__(self, n):
        super().__init__()
        self.n = n
    @property
    def p(self): return self.n
    @decorate
    def m(
        self,
    ):
        def inner():
            nonlocal n
            n += 1
            return self.p
        n = 0
        return inner()
class B(A):
    def m(self): return super().m()
B(3).m()
""",
    "generators": """
def g(n):
    for i in range(n):
        x = yield i
        if x: yield x
    return n
def d(n):
    r = yield from g(n)
    try:
        yield r
    except KeyError: yield "key"
    finally: r = 0
def e():
    try:
        yield from swallow()
    except ValueError:
        yield 9
    return (yield)
def swallow():
    try: yield 1
    except KeyError: return 2
list(g(3)); list(d(2))
i = g(2); next(i); i.send(5); i.close()
i = d(1); next(i); next(i); i.throw(KeyError); i.close()
i = e(); next(i); i.throw(KeyError); i.close()
i = e(); next(i); i.throw(ValueError); next(i); i.close()
i = d(1)
try: i.throw(KeyError)
except KeyError: pass
i = g(1); next(i)
try: i.throw(KeyError("x"))
except KeyError: pass
sum(x for x in (y for y in range(4)) if x)
i = g(3); next(i); del i
def one(): yield 1; yield 2
list(one())
def recursive(n):
    if n:
        yield from recursive(n - 1)
        yield n
list(recursive(5))
""",
    "coroutines": """
import asyncio
async def leaf(n):
    if n: await asyncio.sleep(0)
    return n
async def numbers(n):
    for i in range(n):
        yield i
        await leaf(i)
class C:
    async def __aenter__(self): await leaf(1)
    async def __aexit__(self, *error):
        await leaf(1); return error[0] is KeyError
async def cancelled():
    try: await asyncio.sleep(60)
    except asyncio.CancelledError: return 3
async def waits(task): return await task
async def outer():
    a = [i async for i in numbers(3)]
    async for i in numbers(3):
        if i == 2: break
    async with C() as c, C():
        if a: raise KeyError
    tasks = [asyncio.create_task(leaf(i)) for i in range(3)]
    for t in tasks: await t
    t = asyncio.create_task(direct())
    await asyncio.sleep(0)
    t.cancel()
    b = await t
    await asyncio.gather(leaf(1),
                         leaf(2))
    return (await leaf(0),
            await leaf(1))
async def direct():
    x = await cancelled()
    return x
asyncio.run(outer())
""",
    "recursion": """
def fib(n):
    if n < 2: return n
    return fib(n - 1) + \\
        fib(n - 2)
fib(7)
def fall(n):
    if n == 0: raise KeyError
    fall(n - 1)
try: fall(5)
except KeyError: pass
""",
    "wide": "def f(n):\n    if n:\n        while n:\n            n -= 1\n"
    + "".join(f"            x{i} = {i + 1000}; x{i} += n\n" for i in range(400))
    + "            if x3 == 9: continue\n    for i in range(2):\n"
    + "".join(f"        y{i} = '{i}' if n else (\n            i)\n" for i in range(300))
    + "    return n\nf(3); f(0)\n",
}
