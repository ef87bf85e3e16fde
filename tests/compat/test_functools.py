# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.functools beside functools: the same names, the same results, the same counts."""

import copy
import functools as theirs
import gc
import inspect
import pickle
import random
import sys
import threading
import weakref

import pytest
from fettle.compat import functools as ours

OURS = {"lru_cache", "cache"}
BOTH = pytest.mark.parametrize("functools", [theirs, ours], ids=["theirs", "ours"])


def ended(call, *args, **keywords):
    """How a call ends: its result with its type, or its exception."""
    try:
        value = call(*args, **keywords)
    except Exception as error:
        return type(error), str(error)
    return type(value), value


# ---- the module ----


def test_the_names() -> None:
    assert ours.__all__ == theirs.__all__
    assert set(dir(theirs)) <= set(dir(ours))


def test_everything_else_is_functools_own() -> None:
    missing = object()
    for name in dir(theirs):
        if not name.startswith("__") and name not in {*OURS, "_CacheInfo"}:
            assert getattr(ours, name, missing) is getattr(theirs, name), name


def test_a_star_import_brings_the_same_names() -> None:
    one, other = {}, {}
    exec("from functools import *", one)
    exec("from fettle.compat.functools import *", other)
    assert set(one) == set(other)
    assert {name for name in one if one[name] is not other[name]} - {"__builtins__"} == OURS


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError):
        ours.no_such_thing  # noqa: B018
    with pytest.raises(ImportError):
        exec("from fettle.compat.functools import no_such_thing")


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_signatures(name: str) -> None:
    def shape(functools):
        parameters = inspect.signature(getattr(functools, name)).parameters.values()
        return [(each.name, each.kind, each.default) for each in parameters]

    assert shape(ours) == shape(theirs)


# ---- options ----

MAXSIZES = [None, 0, 1, 2, 7, 128, -1, -100, True, False, 2**31, 2**62]
NO_MAXSIZES = ["128", 1.5, b"", [], (), object, 10**30, -(10**30)]


@pytest.mark.parametrize("maxsize", [*MAXSIZES, *NO_MAXSIZES], ids=str)
@pytest.mark.parametrize("typed", [False, True, 0, 1, "yes", ""], ids=repr)
def test_options(maxsize: object, typed: object) -> None:
    def both(functools):
        def f(x):
            return x

        f = functools.lru_cache(maxsize, typed)(f)
        f(1), f(1), f(1.0), f(2), f(True)
        info = f.cache_info()
        return repr(info), [type(item) for item in info], repr(f.cache_parameters())

    if isinstance(maxsize, type):  # a class is callable: it is what is decorated
        assert ours.lru_cache(maxsize)() is not None
        return
    assert ended(both, ours) == ended(both, theirs)


@BOTH
def test_without_arguments(functools) -> None:
    @functools.lru_cache
    def f(x):
        return x

    assert [f(1), f(1)] == [1, 1]
    assert repr(f.cache_info()) == "CacheInfo(hits=1, misses=1, maxsize=128, currsize=1)"
    assert f.cache_parameters() == {"maxsize": 128, "typed": False}
    f.cache_parameters()["maxsize"] = 5
    assert f.cache_parameters()["maxsize"] == 128


@BOTH
@pytest.mark.parametrize("thing", [5, None, "f", [], object()], ids=repr)
def test_what_can_not_be_called(functools, thing: object) -> None:
    with pytest.raises(TypeError, match="the first argument must be callable"):
        functools.lru_cache(5)(thing)
    with pytest.raises(TypeError, match="the first argument must be callable"):
        functools.cache(thing)


@BOTH
def test_a_bound_that_is_neither(functools) -> None:
    for wrong in ("5", 2.0, [5]):
        with pytest.raises(TypeError, match="Expected first argument to be an integer"):
            functools.lru_cache(wrong)
    with pytest.raises(TypeError, match="Expected first argument to be an integer"):
        functools.lru_cache(len, 5)  # a function, but `typed` is no bool


@BOTH
def test_a_class_can_be_cached(functools) -> None:
    made = functools.lru_cache(complex)
    assert made(1, 2) is made(1, 2)
    assert made.cache_info()[:2] == (1, 1)


# ---- the property: random calls give the same results, counts and exceptions ----


class Odd:
    """Equal to others of its kind by number; its hash is all the same."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd) and self.number == other.number

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return f"Odd({self.number})"


class Faulty:
    """Only those of its kind have its hash, and it can not be compared.

    (In which order keys of one hash are compared is nobody's promise.)
    """

    def __hash__(self) -> int:
        return 1234567

    def __eq__(self, other: object) -> bool:
        raise ValueError("not to be compared")


class Word(str):
    pass


class Number(int):
    pass


NAN = float("nan")
ATOMS = [
    *[0, 1, 2, -1, -2, 7, 255, 2**30 - 1, 2**30, -(2**30), 2**60, 2**61 - 2, 2**61 - 1, 2**64],
    *[0.0, -0.0, 1.0, 2.0, -1.0, 2.5, NAN, float("inf"), float(2**61), 1e300],
    *["", "a", "b", "ab", "\xe9", "\u20ac", "\U0001f600", "1", "x" * 300],
    *[True, False, None, b"", b"a", 1j, 2 + 0j, complex(1, 0), ..., int, float],
    *[Word("a"), Word("b"), Number(1), Number(7), frozenset(), frozenset({1}), range(2), range(0)],
    *[Odd(1), Odd(2), Odd(1)],
]
UNHASHABLE = [[], {}, set(), ([],), (1, {2})]


def value(chance: random.Random, depth: int = 0):
    kind = chance.random()
    if kind < 0.2 and depth < 3:
        return tuple(value(chance, depth + 1) for _ in range(chance.randrange(4)))
    if kind < 0.23:
        return Odd(chance.randrange(4))
    if kind < 0.35:
        return chance.randrange(-3, 12)
    if kind < 0.4:
        return str(chance.randrange(-3, 12))
    if kind < 0.42:
        return chance.choice(UNHASHABLE)
    if kind < 0.43 and depth == 0:
        return Faulty()
    return chance.choice(ATOMS)


def arguments(chance: random.Random):
    count = chance.choice([0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 9, 20])
    names = chance.sample(["a", "b", "c", "key", "\xe9"], chance.choice([0, 0, 0, 0, 1, 1, 2, 3]))
    args = tuple(value(chance) for _ in range(count))
    return args, {name: value(chance) for name in names}


def echo():
    """A function that gives another result each time it computes."""
    calls = []

    def function(*args, **keywords):
        calls.append(None)
        if len(calls) % 13 == 0:
            raise LookupError(len(calls))
        return len(calls)

    return function


SIZES = [None, 0, 1, 2, 7, 128, -3]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("maxsize", SIZES)
@pytest.mark.parametrize("seed", range(6))
def test_random_calls(maxsize: int | None, typed: bool, seed: int) -> None:
    chance = random.Random(f"{maxsize} {typed} {seed}")
    one = ours.lru_cache(maxsize, typed)(echo())
    other = theirs.lru_cache(maxsize, typed)(echo())
    pool = [arguments(chance) for _ in range(chance.choice([5, 40, 300]))]
    for step in range(1500):
        if chance.random() < 0.002:
            one.cache_clear(), other.cache_clear()
        args, keywords = chance.choice(pool) if chance.random() < 0.9 else arguments(chance)
        if chance.random() < 0.1:
            keywords = dict(reversed(keywords.items()))
        was = ended(one, *args, **keywords)
        assert was == ended(other, *args, **keywords), (step, args, keywords)
        assert one.cache_info() == other.cache_info(), (step, args, keywords)


@pytest.mark.parametrize("maxsize", SIZES)
@pytest.mark.parametrize("seed", range(20))
def test_random_recursion(maxsize: int | None, seed: int) -> None:
    """Functions that call themselves, with the same key too, clear themselves and raise."""

    def both(functools):
        chance = random.Random(f"{maxsize} {seed}")
        log = []

        @functools.lru_cache(maxsize)
        def f(x):
            log.append(x)
            if len(log) % 17 == 0:
                f.cache_clear()
            if len(log) % 11 == 0:
                raise LookupError(x)
            below = chance.choice([0, 0, 1, 1, 2]) if len(log) < 400 else 0
            return (len(log), *(ended(f, chance.choice([x, x + 1, x + 2])) for _ in range(below)))

        ends = [(ended(f, chance.randrange(4)), f.cache_info()) for _ in range(60)]
        return log, ends

    assert repr(both(ours)) == repr(both(theirs))


@pytest.mark.parametrize("maxsize", [None, 5])
def test_which_result_stays_when_a_call_computes_its_own_key(maxsize: int | None) -> None:
    def both(functools):
        calls = []

        @functools.lru_cache(maxsize)
        def f(x):
            calls.append(x)
            mine = len(calls)
            if mine < 3:
                f(x)
            return mine

        return f(1), f(1), f.cache_info()[:2]

    assert both(ours) == both(theirs)


def test_the_order_of_use() -> None:
    """Exactly the least recently used one goes."""
    for size in (1, 2, 3, 8):
        f = ours.lru_cache(size)(lambda x: x)
        kept: list[int] = []
        chance = random.Random(size)
        for _ in range(2000):
            x = chance.randrange(2 * size + 1)
            hits = f.cache_info().hits
            f(x)
            assert (f.cache_info().hits > hits) == (x in kept)
            if x in kept:
                kept.remove(x)
            kept = [*kept, x][-size:]


# ---- what it is ----


@ours.lru_cache(maxsize=4, typed=True)
def documented(x: int, *, y: str = "") -> list[int]:
    """What it says."""
    return [x]


@ours.cache
def unbounded(x):
    return x


class Holder:
    @ours.lru_cache(2)
    def method(self, x):
        return self, x

    @classmethod
    @ours.lru_cache(2)
    def of_class(cls, x):
        return cls, x

    @staticmethod
    @ours.lru_cache(2)
    def static(x):
        return x


def test_it_looks_like_the_function() -> None:
    assert documented.__name__ == "documented"
    assert documented.__qualname__ == "documented"
    assert documented.__module__ == __name__
    assert documented.__doc__ == "What it says."
    assert documented.__wrapped__(3) == [3]
    assert str(inspect.signature(documented)) == "(x: int, *, y: str = '') -> list[int]"
    assert inspect.get_annotations(documented) == inspect.get_annotations(documented.__wrapped__)
    documented.extra = 5
    assert documented.__dict__["extra"] == 5
    del documented.extra


def test_copies_and_pickles_are_itself() -> None:
    for f in (documented, unbounded, Holder.method, Holder.static):
        assert copy.copy(f) is f
        assert copy.deepcopy(f) is f
        assert copy.deepcopy([f])[0] is f
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(f, protocol)) is f
        assert weakref.ref(f)() is f


def test_methods_are_kept_in_the_function() -> None:
    """As the original: one cache for all instances, and it keeps them."""
    one, other = Holder(), Holder()
    Holder.method.cache_clear()
    assert one.method(1) == (one, 1)
    assert other.method(1) == (other, 1)
    assert one.method(1) == (one, 1)
    assert Holder.method.cache_info() == one.method.cache_info() == (1, 2, 2, 2)
    assert not hasattr(one, "__fettle__") and vars(one) == {}
    assert inspect.ismethod(one.method)
    assert Holder.of_class(1) == (Holder, 1) == one.of_class(1)
    assert Holder.static(1) == one.static(1) == 1


@BOTH
def test_wrapped_again(functools) -> None:
    @functools.lru_cache
    def f(x):
        "words"
        return x

    @functools.wraps(f)
    def g(x):
        return f(x)

    assert g.__wrapped__ is f and g.__doc__ == "words"
    assert inspect.unwrap(g) is f.__wrapped__


@BOTH
def test_every_thread_computes(functools) -> None:
    """No thread waits for another: the original makes no promise, programs rely on that."""
    inside = threading.Barrier(3, timeout=60)

    @functools.lru_cache
    def f(x):
        inside.wait()
        return x

    threads = [threading.Thread(target=f, args=[1]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert f.cache_info()[:2] == (0, 3)


@BOTH
def test_the_first_of_equal_results_stays(functools) -> None:
    """Two threads compute one key: with a bound, the one that ends first is kept."""
    first_ends, second_ends, inside = threading.Event(), threading.Event(), threading.Event()
    order = []

    @functools.lru_cache
    def f(x):
        mine = len(order)
        order.append(mine)
        if mine == 0:
            inside.set()
            assert second_ends.wait(60)
        return ("result", mine)

    thread = threading.Thread(target=f, args=[1])
    thread.start()
    assert inside.wait(60)
    assert f(1) == ("result", 1)
    second_ends.set()
    thread.join()
    first_ends.set()
    assert f(1) == ("result", 1)
    assert f.cache_info() == (1, 2, 128, 1)


# ---- what it holds ----


@BOTH
@pytest.mark.parametrize("maxsize", [None, 0, 1, 4])
def test_references(functools, maxsize: int | None) -> None:
    class Thing:
        pass

    f = functools.lru_cache(maxsize)(lambda *args, **keywords: args[-1])
    things = [Thing() for _ in range(20)]
    counts = [sys.getrefcount(thing) for thing in things]
    for _ in range(3):
        for thing in things:
            f(thing), f(1, thing), f(thing, a=thing)
            ended(f, thing, []), ended(f)
    del thing
    f.cache_clear()
    assert [sys.getrefcount(thing) for thing in things] == counts


@BOTH
def test_a_cycle_is_collected(functools) -> None:
    class Thing:
        pass

    def make():
        thing = Thing()

        @functools.lru_cache
        def f(*args):
            return thing, f, args

        thing.f = f
        f(), f(thing), f(f, thing)
        return weakref.ref(thing), weakref.ref(f)

    references = make()
    gc.collect()
    assert [reference() for reference in references] == [None, None]
