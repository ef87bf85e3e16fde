# SPDX-License-Identifier: Apache-2.0
"""What caches hold, and that they let go of it: counts of references, cycles, memory."""

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import fettle
import pytest
from fettle import _core
from fettle.compat import functools as compat

from .harness import run

# A round must leave no object, block or memory: fewer than one each over as many rounds again as
# filled what is filled at first.
LOOP = """
import copy, fettle, gc, pickle, sys, threading, weakref
from fettle import _core
from fettle.compat import functools as compat
class Thing: pass
class Bad:
    def __hash__(self): raise LookupError
class Unequal:
    def __hash__(self): return 1
    def __eq__(self, other): raise LookupError
class Owner:
    @fettle.cache(maxsize=4)
    def method(self, x): return [x]
    @fettle.cache
    def me(self): return self
    @property
    @fettle.cache
    def given(self): return [1]
class Slotted:
    __slots__ = ["__fettle__"]
    @fettle.cache(maxsize=4)
    def method(self, x): return [x]
def answer(*args, **keywords): return [args, keywords]
def ends(call, *args):
    try: call(*args)
    except Exception: pass
f = {made}
kept = Owner()
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
number = 0
def round():
    global number
    number += 1
    {body}
for _ in range({rounds}): round()
gc.collect()
objects, blocks, memory = len(gc.get_objects()), sys.getallocatedblocks(), resident()
for _ in range({rounds}): round()
gc.collect()
grown = len(gc.get_objects()) - objects, sys.getallocatedblocks() - blocks, resident() - memory
assert grown[0] < {rounds} // 4 and grown[1] < {rounds} // 4 and grown[2] < {rounds} * 1000, grown
"""

WAYS = {
    "car": "fettle.cache(maxsize=8)(answer)",
    "lru": "fettle.cache(maxsize=8, policy='lru')(answer)",
    "clock": "fettle.cache(maxsize=8, policy='clock')(answer)",
    "typed": "fettle.cache(maxsize=8, typed=True)(answer)",
    "ttl": "fettle.cache(maxsize=8, ttl=0.0001)(answer)",
    "copy": "fettle.cache(maxsize=8, copy=True)(answer)",
    "key": "fettle.cache(maxsize=8, key=lambda *args, **named: (args, *named))(answer)",
    "none": "fettle.cache(maxsize=0)(answer)",
    "lru_cache": "compat.lru_cache(8)(answer)",
}
CALLS = {
    "one": "f(number % 20), f(str(number % 20)), f(number / 3)",
    "several": "f(number, 1), f(1, number, (2, 3)), f()",
    "keywords": "f(a=number), f(number, b=1, c=[].__len__)",
    "objects": "f(Thing()), f(Thing(), Thing())",
    "many": "f(*range(number % 40), **dict(zip('abcde', range(5))))",
    "exceptions": "ends(f, Bad()), ends(f, [], number), ends(f, Unequal()), ends(f, Unequal())",
    "clear": "f(number), f.cache_clear(), f(Thing()), f.cache_info(), f.cache_parameters()",
}
BODIES = {
    "forget": "f(number), f.cache_forget(number), f.cache_forget(Thing())",
    "export": "f(number), f(number, 1), f(a=number), f.cache_load(f.cache_export())",
    "load": "f.cache_load({number: Thing(), (number, 2): Thing()})",
    "load what fails": "ends(f.cache_load, [(1,)]), ends(f.cache_load, [([], 1)]), "
    "ends(f.cache_load, [(_core.Call(((1,), ((2, 3),))), 1)])",
    "made and dropped": "fettle.cache(answer)(number), compat.lru_cache(answer)(number)",
    "refused": "ends(fettle.cache, 5.5), ends(fettle.cache(ttl=5), 5)",
    "in a cycle": "g = fettle.cache(answer); g(g, number), g((g,)); g.me = g; del g; gc.collect(0)",
    "instances": "one = Owner(); one.method(number); one.given; one.method.cache_info()",
    "slotted instances": "one = Slotted(); one.method(number); bound = one.method; bound(number)",
    "instances in cycles": "Owner().me(); number % 100 or gc.collect(0)",
    "one instance": "kept.method(number), kept.method(x=number), ends(kept.method, [])",
    "copies": "copy.copy(kept).method(1), copy.deepcopy(kept).method(1)",
    "pickles": "pickle.loads(pickle.dumps(kept)).method(number)",
    "bound methods": "kept.method == kept.method, hash(kept.method), repr(kept.method), "
    "copy.copy(kept.method), kept.method.__doc__, weakref.ref(kept.method)",
    "methods of bound methods": "m = kept.method; m(number), m.cache_forget(number), m(1, x=2) "
    "if False else m.cache_load(m.cache_export()), m.cache_clear()",
    "classes": "type('C', (), dict(m=fettle.cache(lambda self: 1)))().m(); "
    "number % 50 or gc.collect()",
    "threads": "t = [threading.Thread(target=f, args=[number]) for _ in range(3)]; "
    "[x.start() for x in t], [x.join() for x in t]",
}


def program(body: str, rounds: int, made: str = "fettle.cache(maxsize=8)(answer)") -> str:
    return LOOP.format(body=body, rounds=rounds, made=made)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("way", WAYS)
def test_calls_leave_nothing(way: str, call: str) -> None:
    assert run(program(CALLS[call], 3000, WAYS[way])) == ""


@pytest.mark.parametrize("body", BODIES)
def test_nothing_is_left(body: str) -> None:
    rounds = {"threads": 300, "classes": 1500}.get(body, 3000)
    assert run(program(BODIES[body], rounds)) == ""


def test_a_leak_is_found() -> None:
    for body in ("LEFT.append([])", "LEFT.append(object())", "LEFT.append(bytearray(4096))"):
        with pytest.raises(AssertionError, match="AssertionError"):
            run("LEFT = []\n" + program(body, 3000))


# ---- exact counts ----


class Thing:
    pass


def same(first: Any, *more: Any, **keywords: Any) -> Any:
    return first


MAKERS: dict[str, Any] = {
    "car": lambda: fettle.cache(maxsize=4)(same),
    "unbounded": lambda: fettle.cache(maxsize=None)(same),
    "typed": lambda: fettle.cache(maxsize=4, typed=True)(same),
    "ttl": lambda: fettle.cache(maxsize=4, ttl=1000)(same),
    "key": lambda: fettle.cache(maxsize=4, key=lambda *args, **keywords: args)(same),
    "copy": lambda: fettle.cache(maxsize=4, copy=lambda result: result)(same),
    "curve": lambda: fettle.cache(maxsize=4, curve=True)(same),
    "none": lambda: fettle.cache(maxsize=0)(same),
    "lru_cache": lambda: compat.lru_cache(4)(same),
    "cache": lambda: compat.cache(same),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_counts_of_what_is_kept(make: Any) -> None:
    """What the table says is kept has one reference as key and one as result; nothing else has."""
    f, things = make(), [Thing() for _ in range(12)]
    before = [sys.getrefcount(thing) for thing in things]
    for _ in range(3):
        for thing in things:
            assert f(thing) is thing
    extra = sum(sys.getrefcount(thing) for thing in things) - sum(before)
    kept = f.cache_info().currsize
    curves = 12 if f.cache_parameters().get("curve") else 0  # knows each key that was asked for
    assert extra - 1 == 2 * kept + curves  # one is the loop's variable
    del thing
    f.cache_clear()
    assert [sys.getrefcount(thing) for thing in things] == before


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_counts_after_many_kinds_of_calls(make: Any) -> None:
    f, things = make(), [Thing() for _ in range(9)]
    before = [sys.getrefcount(thing) for thing in things]
    for a in things:
        for b in things:
            f(a), f(a, b), f(a, k=b), f(a, b, k=a, j=b), f(a, *things)
            for method in ("cache_forget", "cache_load"):
                call = getattr(f, method)
                if method == "cache_forget":
                    call(a), call(a, b), call(b, k=a)
                else:
                    call([(a, b), ((a, b), a), (_core.Call(((a,), (("k", b),))), b)])
            f.cache_export(), f.cache_info(), f.cache_parameters(), repr(f)
            for bad in ([], {}, set()):
                with pytest.raises(TypeError):
                    f.cache_forget(a, bad)
    del a, b, call
    f.cache_clear()
    assert [sys.getrefcount(thing) for thing in things] == before


def test_counts_of_instances() -> None:
    class Owner:
        @fettle.cache
        def method(self, thing: Thing) -> Any:
            return thing

    owner, thing = Owner(), Thing()
    owner.method(thing)
    before = sys.getrefcount(owner), sys.getrefcount(thing)
    for _ in range(50):
        bound = owner.method
        bound(thing), owner.method(thing), Owner.method(owner, thing), owner.method(thing=thing)
        bound.cache_info(), bound.cache_export(), bound.cache_forget(thing), bound.cache_clear()
        bound.cache_load([(thing, thing)])
    del bound
    assert (sys.getrefcount(owner), sys.getrefcount(thing)) == before
    function = Owner.method.__wrapped__
    memo = vars(Owner)["method"]
    counts = sys.getrefcount(function), sys.getrefcount(memo)
    many = [Owner() for _ in range(20)]
    for one in many:
        one.method(thing)
    assert sys.getrefcount(memo) == counts[1] + 20  # each instance's results have their method
    del one
    many.clear()
    assert (sys.getrefcount(function), sys.getrefcount(memo)) == counts


# ---- cycles ----


CYCLES: dict[str, Callable[[], Any]] = {}


def cycle(make: Callable[[], Any]) -> Callable[[], Any]:
    CYCLES[make.__name__] = make
    return make


@cycle
def itself() -> Any:
    f = fettle.cache(lambda *args: args)
    f(f), f(f, 1), f(1, f)
    return f


@cycle
def closure() -> Any:
    @fettle.cache
    def f(n: int) -> Any:
        return f

    f(1)
    return f


@cycle
def attribute() -> Any:
    f = fettle.cache(lambda: 1)
    f.me = f
    return f


@cycle
def drop_in() -> Any:
    f = compat.cache(lambda *args: args)
    f(f), f([f].__len__, f)
    return f


@cycle
def key() -> Any:
    box: list[Any] = []
    f = fettle.cache(key=lambda x: (x, *map(id, box)))(lambda x: box)
    box.append(f)
    f(1)
    return f


@cycle
def copier() -> Any:
    box: list[Any] = []
    f = fettle.cache(copy=lambda result: [result, box])(lambda x: x)
    box.append(f)
    f(1)
    return f


@cycle
def curve() -> Any:
    f = fettle.cache(curve=True, maxsize=1)(lambda x: 1)
    f(f), f(1)
    return f


@cycle
def two() -> Any:
    f, g = fettle.cache(lambda x: x), fettle.cache(lambda x: x)
    f(g), g(f)
    return f


@cycle
def bound() -> Any:
    class Owner:
        @fettle.cache
        def method(self, *args: Any) -> Any:
            return self.method, args

    one = Owner()
    one.method(one), one.method(1)
    one.bound = one.method
    return one


@cycle
def slotted() -> Any:
    class Owner:
        __slots__ = ("__fettle__", "__weakref__")

        @fettle.cache
        def method(self) -> Any:
            return self, Owner

    one = Owner()
    one.method()
    return one


@cycle
def partial_class() -> Any:
    class Owner:
        pass

    Owner.method = fettle.cache(lambda x: Owner)
    Owner.method(Owner)
    return Owner


@pytest.mark.parametrize("make", CYCLES.values(), ids=CYCLES)
def test_cycles_are_collected(make: Any) -> None:
    gc.collect()
    reference = weakref.ref(make())
    gc.collect()
    assert reference() is None


def test_the_collector_sees_all() -> None:
    key, result, name = Thing(), Thing(), Thing()
    f = fettle.cache(lambda *args, **keywords: result)
    f(key), f(1, name)
    seen = gc.get_referents(f)
    assert key in seen and result in seen
    assert any(isinstance(one, tuple) and name in one for one in seen)
    assert gc.is_tracked(f)


def test_a_finaliser_finds_the_cache_whole() -> None:
    """A cycle that is collected may run code that calls the cache which is in it."""
    seen = []

    class Late:
        def __init__(self, f: Any) -> None:
            self.f = f

        def __del__(self) -> None:
            seen.append((self.f(1), self.f.cache_info().misses >= 0, self.f.cache_export() != []))

    def make() -> None:
        f = fettle.cache(lambda x: x)
        f(1)
        f.late = Late(f)
        f(f.late)

    make()
    gc.collect()
    assert seen == [(1, True, True)]


def test_many_calls() -> None:
    """10^6 calls: as many objects as before, and as much memory."""
    many = """
    import fettle, gc
    f = fettle.cache(maxsize=100)(lambda x: (x,))
    def work(n):
        for x in range(n): f(x % 301)
    def resident():
        with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
    work(50_000)
    gc.collect()
    objects, memory = len(gc.get_objects()), resident()
    work(1_000_000)
    gc.collect()
    print(abs(len(gc.get_objects()) - objects) < 10, resident() - memory < 500_000)
    """
    assert run(many) == "True True\n"
