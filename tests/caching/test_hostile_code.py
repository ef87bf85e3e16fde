# SPDX-License-Identifier: Apache-2.0
"""Programs whose own code is run in the midst of a cache's work, and does what it should not.

Each test asks for right results, or for the program's own exception; above all the process lives.
"""

import functools
import gc
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import fettle
import pytest
from fettle.compat import functools as compat

from .harness import LONG, Threads, ended, run

WAYS: dict[str, Callable[[Any], Any]] = {
    "car": fettle.cache(maxsize=4),
    "lru": fettle.cache(maxsize=4, policy="lru"),
    "clock": fettle.cache(maxsize=4, policy="clock"),
    "one": fettle.cache(maxsize=1),
    "unbounded": fettle.cache(maxsize=None),
    "typed": fettle.cache(maxsize=4, typed=True),
    "ttl": fettle.cache(maxsize=4, ttl=0.002),
    "copy": fettle.cache(maxsize=4, copy=True),
    "key": fettle.cache(maxsize=4, key=lambda *args, **named: args[0] if args[1:] == () else args),
    "curve": fettle.cache(maxsize=4, curve=True),
    "wait": fettle.cache(maxsize=4, wait=False),
    "lru_cache": compat.lru_cache(maxsize=4),
    "unbounded lru_cache": compat.cache,
}
ALL = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
OURS = pytest.mark.parametrize(
    "way", [way for name, way in WAYS.items() if "lru_cache" not in name], ids=list(WAYS)[:-2]
)


class Key:
    """A key whose comparisons and hashes run what it is given."""

    def __init__(self, name: object, spell: Callable[[str], object] = lambda what: None) -> None:
        self.name = name
        self.spell = spell

    def __hash__(self) -> int:
        self.spell("hash")
        return 1

    def __eq__(self, other: object) -> bool:
        self.spell("eq")
        return isinstance(other, Key) and self.name == other.name


class Raises(Key):
    def __init__(self, name: object, what: str) -> None:
        def spell(method: str) -> None:
            if self.on and method == what:
                raise LookupError(what)

        self.on = False
        super().__init__(name, spell)


def identity(x: Any, *more: Any) -> Any:
    return [x.name if isinstance(x, Key) else x]


# ---- exceptions ----


@ALL
@pytest.mark.parametrize("what", ["hash", "eq"])
def test_keys_that_raise(way: Any, what: str) -> None:
    f = way(identity)
    if f.cache_parameters()["maxsize"] == 1:
        f = fettle.cache(maxsize=12)(identity)  # so that each kind of key is there
    keys = [Raises(name, what) for name in range(3)]
    for key in keys:
        f(key), f(key, 1)
    before = f.cache_info()
    for key in keys:
        key.on = True
    for args in ((Raises(1, what),), (Raises(1, what), 1)):
        args[0].on = True
        assert ended(f, *args) == (LookupError, what)
        assert ended(f.cache_forget, *args) == (LookupError, what)
        assert ended(f.cache_load, [(args, 5)]) == (LookupError, what)
    assert f.cache_info()[:2] == before[:2]
    for key in keys:
        key.on = False
    for key in keys:
        assert f(key) == [key.name]
    f.cache_clear()


@ALL
def test_an_exception_in_eq_while_the_result_is_kept(way: Any) -> None:
    """The key is looked for again, since the table changed: what raises then is the call's."""
    armed, done = [], []

    def spell(what: str) -> None:
        if armed and what == "eq":
            raise LookupError(what)

    @way
    def f(x: Any) -> Any:
        if x.name == 1 and not done:
            done.append(True)
            f(Key(2, spell))
            armed.append(True)
        return [x.name]

    got = ended(f, Key(1, spell))
    assert got in ((LookupError, "eq"), (list, [1]))
    armed.clear()
    assert f(Key(1)) == [1] and f(Key(2)) == [2]


def test_what_copies_and_makes_keys_raises() -> None:
    for error in (LookupError, KeyboardInterrupt, SystemExit, RecursionError, MemoryError):

        def fail(*args: Any, error: type[BaseException] = error) -> Any:
            raise error("mine")

        with pytest.raises(error, match="mine"):
            fettle.cache(key=fail)(identity)(1)
        with pytest.raises(error, match="mine"):
            fettle.cache(copy=fail)(identity)(1)
        with pytest.raises(error, match="mine"):
            fettle.cache(fail)(1)


def test_what_they_give_is_not_what_they_should() -> None:
    f = fettle.cache(copy=lambda result: None)(identity)
    assert f(1) == [1]
    assert f(1) is None
    g = fettle.cache(key=lambda x: ...)(identity)
    assert g(1) == g(2) == [1]
    h = fettle.cache(key=lambda x: h)(identity)
    assert h(1) == h(2) == [1]


class BadHash:
    def __hash__(self) -> Any:
        return "text"


class NoHash:
    __hash__ = None  # type: ignore[assignment]


class BadEq:
    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> Any:
        return self.answer

    answer: Any = None


class NoBool:
    def __bool__(self) -> bool:
        raise LookupError("neither")


@ALL
def test_hashes_and_comparisons_that_are_none(way: Any) -> None:
    f = way(identity)
    assert ended(f, BadHash())[0] is TypeError
    assert ended(f, NoHash())[0] is TypeError
    assert ended(f, 1, NoHash())[0] is TypeError
    f(BadEq())
    for answer, result in (("yes", list), ([1], list), (NoBool(), LookupError)):
        BadEq.answer = answer
        assert ended(f, BadEq())[0] is result
        assert f.cache_info().currsize == 1
    for answer in (None, [], 0, ""):
        BadEq.answer = answer
        assert f(BadEq())[0] is not None
    BadEq.answer = None


# ---- keys that do things to the cache ----

SPELLS: dict[str, Callable[[Any], Any]] = {
    "clear": lambda f: f.cache_clear(),
    "forget": lambda f: [f.cache_forget(Key(n)) for n in range(4)],
    "load": lambda f: f.cache_load([((Key(n),), [n]) for n in range(9)]),
    "export": lambda f: f.cache_export(),
    "call": lambda f: [f(Key(n)) for n in range(3)],
    "call many": lambda f: [f(n) for n in range(30)],
    "info": lambda f: f.cache_info(),
    "collect": lambda f: gc.collect(0),
    "switch": lambda f: time.sleep(0),
    "clear and call": lambda f: (f.cache_clear(), f(Key(1)), f.cache_clear(), f(Key(2))),
}


@OURS
@pytest.mark.parametrize("when", ["hash", "eq", "both"])
@pytest.mark.parametrize("spell", SPELLS.values(), ids=SPELLS)
def test_keys_that_change_the_cache(way: Any, when: str, spell: Any) -> None:
    f = way(identity)
    depth = []

    def cast(what: str) -> None:
        if not depth and when in (what, "both"):
            depth.append(what)
            try:
                spell(f)
            finally:
                depth.pop()

    chance = random.Random(when)
    for step in range(120):
        name = chance.randrange(6)
        if step % 7 == 0:
            assert f(Key(name, cast), step) == [name]
        assert f(Key(name, cast)) == [name]
        if step % 11 == 0:
            f.cache_forget(Key(name, cast))
            f.cache_load([((Key(name, cast),), [name])])
            f.cache_export()
    info = f.cache_info()
    assert info.maxsize is None or info.currsize <= info.maxsize


@ALL
def test_comparisons_without_end_are_given_up(way: Any) -> None:
    """Each comparison changes the table: a search that began anew each time would never end."""
    f = way(identity)
    count = []

    def cast(what: str) -> None:
        if what == "eq" and len(count) < 10_000:
            count.append(what)
            if len(count) % 2:
                f.cache_clear()
                f.__wrapped__ and f(len(count))

    for name in range(3):
        f(Key(name, cast))
    assert f(Key(7, cast)) == [7]
    assert len(count) < 10_000


@ALL
def test_a_key_that_drops_the_function(way: Any) -> None:
    class Box:
        f: Any = None

    def cast(what: str) -> None:
        box.f = None
        gc.collect()

    for what in (1, 2):
        box = Box()
        box.f = way(identity)
        reference = weakref.ref(box.f)
        box.f(Key(1))
        if what == 1:
            assert box.f(Key(1, cast)) == [1]
        else:
            assert box.f(Key(2, cast), Key(3, cast)) == [2]
        gc.collect()
        assert reference() is None


def test_a_key_that_drops_the_instance() -> None:
    class Owner:
        @fettle.cache
        def method(self, key: Any) -> Any:
            return [key.name]

        @fettle.cache(typed=True, maxsize=2)
        def other(self, key: Any, more: int) -> Any:
            return [key.name]

    for name in ("method", "other"):
        owners = [Owner()]

        def cast(what: str, owners: list[Owner] = owners) -> None:
            owners.clear()
            gc.collect()

        more = () if name == "method" else (1,)
        getattr(owners[0], name)(Key(1), *more)
        bound = getattr(owners[0], name)
        assert getattr(owners[0], name)(Key(1, cast), *more) == [1]
        assert owners == [] and bound(Key(1), *more) == [1]


# ---- finalisers ----


@ALL
@pytest.mark.parametrize("spell", SPELLS.values(), ids=SPELLS)
def test_finalisers_of_what_goes(way: Any, spell: Any) -> None:
    """Keys and results that are evicted, replaced and cleared call in again when they die."""
    left = [200]
    f: Any

    class Late:
        def __init__(self, name: object) -> None:
            self.name = name

        def __hash__(self) -> int:
            return hash(self.name)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Late) and self.name == other.name

        def __del__(self) -> None:
            if left[0] > 0:
                left[0] -= 1
                if hasattr(f, "cache_forget"):
                    spell(f)
                else:
                    f(Late((self.name, left[0])))

        def __deepcopy__(self, memo: object) -> "Late":
            return Late(self.name)

    @way
    def f(x: Any, *more: Any) -> Any:
        return Late(("result", x.name if isinstance(x, (Key, Late)) else x))

    for name in range(60):
        assert f(Late(name)).name == ("result", name)
        assert f(Late(name), 1).name == ("result", name)
        if name % 9 == 0 and hasattr(f, "cache_forget"):
            f.cache_forget(Late(name))
            f.cache_load([(Late(name), Late("loaded"))])
    f.cache_clear()
    left[0] = 0
    f.cache_clear()
    assert f.cache_info().currsize == 0


def test_a_finaliser_that_raises(capsys: pytest.CaptureFixture[str]) -> None:
    hook, sys.unraisablehook = sys.unraisablehook, lambda report: None
    try:

        class Faulty:
            def __del__(self) -> None:
                raise LookupError("late")

        f = fettle.cache(maxsize=1)(lambda x: Faulty())
        for n in range(5):
            f(n)
        f.cache_forget(4)
        f(1)
        f.cache_clear()
    finally:
        sys.unraisablehook = hook
    assert f.cache_info()[:2] == (0, 0)


def test_weak_references_that_call_in() -> None:
    """Callbacks run where a finaliser would, without any method."""
    seen: list[Any] = []
    references: list[Any] = []

    class Thing:
        pass

    @fettle.cache(maxsize=2)
    def f(x: int) -> Thing:
        thing = Thing()
        if len(references) < 300:
            call_in = lambda reference: seen.append(f(x % 3).__class__)  # noqa: E731
            references.append(weakref.ref(thing, call_in))
        return thing

    for n in range(40):
        f(n % 5)
    f.cache_clear()
    assert set(seen) == {Thing}


# ---- functions that do things to their own cache ----


@OURS
@pytest.mark.parametrize("spell", SPELLS.values(), ids=SPELLS)
def test_functions_that_change_their_cache(way: Any, spell: Any) -> None:
    depth = []

    @way
    def f(x: Any) -> Any:
        if not depth:
            depth.append(x)
            try:
                spell(f)
            finally:
                depth.pop()
        return identity(x)

    for n in range(40):
        assert f(n % 7) == [n % 7]
        assert f(Key(n % 5)) == [n % 5]


@ALL
def test_a_function_that_replaces_itself(way: Any) -> None:
    holder: dict[str, Any] = {}

    def make() -> Any:
        def f(x: int) -> Any:
            holder["f"] = make() if x else None
            gc.collect()
            return [x]

        return way(f)

    holder["f"] = make()
    for x in (3, 2, 1, 0):
        assert holder["f"](x) == [x]
    assert holder["f"] is None


def test_export_while_what_is_exported_changes() -> None:
    f = fettle.cache(maxsize=50)(identity)

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            f.cache_clear()
            for n in range(60):
                f(n)

    for n in range(50):
        f(n)
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(30):
            Cycle()
            for key, result in f.cache_export():
                assert result == [key]
    finally:
        gc.set_threshold(*threshold)


# ---- recursion ----


@ALL
def test_recursion_to_the_limit(way: Any) -> None:
    @way
    def f(n: int) -> int:
        return f(n + 1)

    @way
    def g(*args: Any, **keywords: Any) -> Any:
        return g(*args, n=keywords["n"] + 1)

    for call in (lambda: f(0), lambda: g(1, n=0)):
        with pytest.raises(RecursionError):
            call()
    assert f.cache_info().currsize == 0


@ALL
def test_recursion_through_keys(way: Any) -> None:
    f = way(identity)

    class Endless:
        def __hash__(self) -> int:
            f(Endless())
            return 1

    class Alike:
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return bool(f(Alike()))

    with pytest.raises(RecursionError):
        f(Endless())
    f(Alike())
    with pytest.raises(RecursionError):
        f(Alike())


@pytest.mark.parametrize("make", ["fettle.cache(maxsize=None)", "compat.lru_cache(maxsize=None)"])
def test_deep_recursion(make: str) -> None:
    program = f"""
    import fettle, sys, threading
    from fettle.compat import functools as compat
    sys.setrecursionlimit(12_000)
    @{make}
    def f(n):
        return n if n == 0 else f(n - 1) + 1
    class C:
        @{make}
        def m(self, n):
            return n if n == 0 else self.m(n - 1) + 1
    try:
        print(f(10_000), C().m(10_000))
    except RecursionError:  # 3.12 has a limit of its own for what goes through C
        import functools
        @functools.cache
        def g(n):
            return n if n == 0 else g(n - 1) + 1
        try:
            g(10_000)
        except RecursionError:
            print(10_000, 10_000)
    """
    assert run(program) == "10000 10000\n"


CIRCLES = [
    "m = fettle.cache(p); args = ((), ())",
    "m = fettle.cache(key=p)(len); args = ((1,), {})",
    "m = fettle.cache(copy=p)(abs); args = ((5,), {})",
    "m = fettle.cache(maxsize=0)(p); args = ((), ())",
    "m = compat.lru_cache(p); args = ((), ())",
    "m = fettle.cache(typed=True)(p); args = ((), ())",
]


@pytest.mark.parametrize("circle", CIRCLES)
def test_recursion_without_python_functions(circle: str) -> None:
    """Nothing here is a Python function, whose calls are counted: so the calls of others are."""
    program = f"""
    import fettle, functools
    from fettle.compat import functools as compat
    p = functools.partial(len)
    {circle}
    p.__setstate__((m, (), {{}}, {{}}))
    try:
        m(*args[0])
    except RecursionError:
        print("so deep")
    """
    assert run(program) == "so deep\n"


def test_a_chain_of_caches_is_let_go_of() -> None:
    """A cache of a cache of a cache: no stack is used up when the last one goes."""
    program = """
    import fettle
    f = len
    for _ in range(100_000):
        f = fettle.cache(f)
    del f
    class Node:
        def __init__(self, next): self.after = next
        @fettle.cache
        def next(self): return self.after
    node = None
    for _ in range(100_000):
        node = Node(node)
        node.next()
        del node.after
        node.after = None
    del node
    g = fettle.cache(maxsize=1)(lambda x: x)
    chain = g
    for _ in range(100_000):
        g = fettle.cache(maxsize=1)(lambda x: x)
        g(chain)
        chain = g
    del g, chain
    print("gone")
    """
    assert run(program) == "gone\n"


# ---- keys that let other threads in ----


@ALL
def test_keys_that_switch_threads(way: Any) -> None:
    f = way(identity)
    wrong: list[Any] = []
    begun = threading.Barrier(4)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        begun.wait(LONG)
        for step in range(150):
            name = chance.randrange(7)
            got = f(Key(name, lambda what: time.sleep(0)))
            if got != [name]:
                wrong.append((name, got))
            if step % 20 == seed:
                f.cache_clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        ends = Threads([functools.partial(work, seed) for seed in range(4)]).join()
    finally:
        sys.setswitchinterval(interval)
    assert ends == [None] * 4 and wrong == []


# ---- memory that can not be had ----


NO_MEMORY = """
import _testcapi, fettle
from fettle.compat import functools as compat
from fettle._core import Call
class Owner:
    @fettle.cache(maxsize=2)
    def method(self, x): return x
class Slotted:
    __slots__ = ["__fettle__"]
    @fettle.cache(maxsize=2)
    def method(self, x): return x
def f(*args, **keywords): return args
ways = [
    fettle.cache(maxsize=3), fettle.cache(maxsize=None), fettle.cache(maxsize=3, typed=True),
    fettle.cache(maxsize=3, ttl=100), fettle.cache(maxsize=3, policy="lru"),
    fettle.cache(maxsize=3, curve=True), compat.lru_cache(3), compat.cache,
    fettle.cache(maxsize=3, key=f),
]
def calls():
    for way in ways:
        g = way(f)
        assert g(1) == (1,)
        assert g(1, 2, a=3, b=4) == (1, 2)
        assert g(*range(30)) == tuple(range(30))
        for n in range(12): assert g(n) == (n,)
        g.cache_info()
        if hasattr(g, "cache_export"):
            g.cache_load([(5, (5,)), (Call(((6,), (("a", 1),))), (6,)), ((7, 8), (7, 8))])
            g.cache_load(g.cache_export())
            g.cache_forget(5)
            assert g(5) == (5,)
        g.cache_clear()
    for cls in (Owner, Slotted):
        one = cls()
        assert one.method(1) == 1
        bound = one.method
        assert bound(1) == 1
        bound.cache_info(), bound.cache_load(bound.cache_export()), repr(bound)
calls()
failed = 0
for start in range(1, 4000):
    try:
        _testcapi.set_nomemory(start, start + 1)
        calls()
        _testcapi.remove_mem_hooks()
    except MemoryError:
        _testcapi.remove_mem_hooks()
        failed += 1
calls()
print(failed > 100)
"""


def test_no_memory() -> None:
    """Each allocation of Python's fails in turn: a result, or a MemoryError."""
    pytest.importorskip("_testcapi")
    assert run(NO_MEMORY) == "True\n"
