# SPDX-License-Identifier: Apache-2.0
"""f.cache_curve() of real functions, against functools.lru_cache at every size."""

import functools
import gc
import math
import random
import re
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import fettle
import pytest
from fettle._core import MemoKey
from fettle.caching.curve import Curve

from tests.leaks import least_growth

EXACT = 2048  # sizes up to it, always
KEPT = 3072  # keys, at most


def lru_hits(trace: Iterable[Hashable], size: int | None) -> int:
    cached = functools.lru_cache(maxsize=size)(lambda key: key)
    for key in trace:
        cached(key)
    return cached.cache_info().hits


def compare(curve: Curve, trace: list[Any], sizes: Iterable[int | None] = ()) -> None:
    """Calls, keys and the hits at every size, or at those that are given."""
    distinct = len(set(trace))
    assert (curve.calls, curve.distinct, curve.exact) == (len(trace), distinct, True)
    for size in [*(sizes or range(distinct + 2)), None]:
        assert curve.hits(size) == lru_hits(trace, size), size


def traces() -> dict[str, list[int]]:
    source = random.Random(11)
    return {
        "one key": [3] * 20,
        "loop": list(range(30)) * 6,
        "even": [source.randrange(80) for _ in range(900)],
        "skewed": [int(150 * source.random() ** 3) for _ in range(1500)],
        "phases": [10 * phase + source.randrange(25) for phase in range(6) for _ in range(120)],
        "no key twice": list(range(40)),
    }


TRACES = traces()
POLICIES: list[dict[str, Any]] = [
    {"maxsize": 16, "policy": "lru"},
    {"maxsize": 16, "policy": "car"},
    {"maxsize": 1},
    {"maxsize": None},
    {},
]


def cached(function: Callable[..., Any], **options: Any) -> Any:
    return fettle.cache(curve=True, **options)(function)


# ---- flat functions ----


@pytest.mark.parametrize("options", POLICIES, ids=str)
@pytest.mark.parametrize("name", TRACES)
def test_every_size_hits_what_lru_cache_does(name: str, options: dict[str, Any]) -> None:
    function = cached(lambda key: key, **options)
    assert [function(key) for key in TRACES[name]] == TRACES[name]
    compare(function.cache_curve(), TRACES[name])


@pytest.mark.parametrize("name", TRACES)
def test_its_own_size_hits_what_cache_info_says(name: str) -> None:
    for maxsize in (1, 8, 64, None):
        function = cached(lambda key: key, maxsize=maxsize, policy="lru")
        for key in TRACES[name]:
            function(key)
        info = function.cache_info()
        assert function.cache_curve().hits(maxsize) == info.hits
        assert function.cache_curve().calls == info.hits + info.misses


KINDS: dict[str, Callable[[int], Hashable]] = {
    "str": str,
    "float": lambda key: key + 0.5,
    "large int": lambda key: 10**30 + key,
    "tuple": lambda key: (key % 7, str(key)),
    "frozenset": lambda key: frozenset([key, -1]),
    "None or int": lambda key: key or None,
}


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_any_type(kind: str) -> None:
    trace = [KINDS[kind](key) for key in TRACES["skewed"]]
    function = cached(lambda key: key, maxsize=10)
    for key in trace:
        function(KINDS[kind](0)), function(key)
    compare(function.cache_curve(), [one for key in trace for one in (KINDS[kind](0), key)])


def test_calls_with_several_arguments_and_keywords() -> None:
    source = random.Random(12)
    calls = [
        source.choice(
            [
                ((a, b), {}),
                ((a,), {"b": b}),
                ((), {"a": a, "b": b}),
                ((), {"b": b, "a": a}),
                ((), {}),
            ]
        )
        for a, b in ((source.randrange(4), source.randrange(4)) for _ in range(800))
    ]
    function = cached(lambda a=0, b=0: (a, b), maxsize=5)
    theirs = {size: functools.lru_cache(size)(lambda a=0, b=0: (a, b)) for size in range(1, 70)}
    for args, keywords in calls:
        for one in (function, *theirs.values()):
            one(*args, **keywords)
    curve = function.cache_curve()
    assert curve.exact and curve.calls == len(calls)
    for size, their in theirs.items():
        assert curve.hits(size) == their.cache_info().hits, size
    assert curve.distinct == theirs[69].cache_info().currsize < 69


@pytest.mark.parametrize("typed", [False, True])
def test_typed(typed: bool) -> None:
    source = random.Random(13)
    trace = [source.choice([1, 1.0, True, 2, 2.0, "1", (1,), (1.0,)]) for _ in range(300)]
    function = cached(lambda key: key, typed=typed)
    for key in trace:
        function(key)
    curve = function.cache_curve()
    for size in range(1, 10):
        their = functools.lru_cache(size, typed=typed)(lambda key: key)
        for key in trace:
            their(key)
        assert curve.hits(size) == their.cache_info().hits


def test_key_function() -> None:
    function = cached(lambda key: key, key=lambda key: key % 10, maxsize=3)
    trace = TRACES["skewed"]
    for key in trace:
        function(key)
    compare(function.cache_curve(), [key % 10 for key in trace])


def test_copied_values_and_time_limits_make_no_difference() -> None:
    for options in ({"copy": True}, {"ttl": 1e-9}, {"ttl": 3600}, {"wait": False}):
        function = cached(lambda key: [key], maxsize=9, **options)
        for key in TRACES["phases"]:
            assert function(key) == [key]
        compare(function.cache_curve(), TRACES["phases"])


def test_more_keys_than_are_exact_above() -> None:
    source = random.Random(14)
    keys = 4 * KEPT
    trace = [int(keys * source.random() ** 3) for _ in range(30_000)]
    function = cached(lambda key: key, maxsize=100)
    for key in trace:
        function(key)
    curve = function.cache_curve()
    assert not curve.exact and curve.calls == len(trace) and curve.exact_sizes == EXACT
    for size in (1, 10, 100, 1000, EXACT - 1, EXACT):
        assert curve.hits(size) == lru_hits(trace, size)
    assert curve.distinct == pytest.approx(len(set(trace)), rel=0.15)
    for size in (3000, 6000, None):
        assert curve.ratio(size) == pytest.approx(lru_hits(trace, size) / len(trace), abs=0.02)


# ---- functions that call themselves ----


class Calls:
    """The calls in the order in which LRU has their keys: a first one when its value is there."""

    def __init__(self) -> None:
        self.stored: set[Hashable] = set()
        self.order: list[Hashable] = []

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*key: Any) -> Any:
            if key in self.stored:
                self.order.append(key)
                return function(*key)
            value = function(*key)
            self.stored.add(key)
            self.order.append(key)
            return value

        return call


def grid(call: Callable[[int, int], int], x: int, y: int) -> int:
    return 1 if x == 0 or y == 0 else call(x - 1, y) + call(x, y - 1)


@pytest.mark.parametrize("options", [{"maxsize": None}, {"maxsize": 30, "policy": "lru"}], ids=str)
def test_recursion(options: dict[str, Any]) -> None:
    seen = Calls()
    function = cached(lambda x, y: grid(call, x, y), **options)
    call = seen.around(function)
    assert call(9, 12) == 293930
    compare(function.cache_curve(), seen.order)


def fibonacci(decorator: Callable[[Any], Any]) -> Any:
    def fibonacci(n: int) -> int:
        return n if n < 2 else function(n - 1) + function(n - 2)

    function = decorator(fibonacci)
    function(30)
    return function


def test_recursion_as_lru_cache_does_it() -> None:
    """Where a smaller cache makes the same calls, and where it does not."""
    curve = fibonacci(fettle.cache(maxsize=None, curve=True)).cache_curve()
    same = 0
    for size in range(1, 40):
        info = fibonacci(functools.lru_cache(size)).cache_info()
        if info.hits + info.misses == curve.calls:
            assert curve.hits(size) == info.hits
            same += 1
    assert 30 < same < 39


def test_a_call_that_asks_for_itself() -> None:
    """Both compute, and the value is there when the outer one is done."""
    under_way = set()

    def price(item: int) -> int:
        if item not in under_way:
            under_way.add(item)
            function(item)
        return item

    function = cached(price)
    for item in (1, 2, 1):
        function(item)
    assert function.cache_info().misses == 4
    curve = function.cache_curve()
    assert (curve.calls, curve.distinct, curve.exact) == (5, 2, True)
    assert [curve.hits(size) for size in (1, 2, None)] == [0, 1, 1]


# ---- what goes wrong ----


def test_a_call_that_fails_is_a_miss_that_brings_no_key() -> None:
    def half(key: int) -> int:
        if key % 3 == 0:
            raise ValueError(key)
        return key

    function = cached(half, maxsize=4)
    theirs = {size: functools.lru_cache(size)(half) for size in range(1, 120)}
    for key in TRACES["skewed"]:
        for one in (function, *theirs.values()):
            try:
                one(key)
            except ValueError:
                assert key % 3 == 0
    curve = function.cache_curve()
    assert curve.calls == len(TRACES["skewed"])
    assert curve.distinct == len({key for key in TRACES["skewed"] if key % 3})
    for size, their in theirs.items():
        assert curve.hits(size) == their.cache_info().hits


def test_unhashable_arguments_are_no_calls() -> None:
    function = cached(lambda key: key)
    with pytest.raises(TypeError, match="unhashable"):
        function([])
    function(1)
    compare(function.cache_curve(), [1])


@pytest.mark.parametrize("method", [False, True])
def test_without_curve(method: bool) -> None:
    if method:

        class Shop:
            @fettle.cache
            def price(self, item: int) -> int:
                return item

        function: Any = Shop().price
    else:
        function = fettle.cache(lambda item: item)
    function(1)
    with pytest.raises(TypeError, match=r"cached without curve=True.*@fettle.cache\(curve=True\)"):
        function.cache_curve()


def test_who_has_no_curve_is_named() -> None:
    @fettle.cache
    async def awaited() -> None: ...

    for function in (fettle.cache(lru_hits), awaited):
        name = re.escape(function.__wrapped__.__qualname__)
        with pytest.raises(TypeError, match=f"^{name} was cached without curve=True"):
            function.cache_curve()


def test_without_size() -> None:
    function = cached(lambda item: item, maxsize=0)
    function(1)
    with pytest.raises(TypeError, match=r"maxsize=0.*give it a size"):
        function.cache_curve()


# ---- what else it says ----


def test_the_function_s_own() -> None:
    function = cached(lambda key: key, maxsize=5, policy="clock")
    curve = function.cache_curve()
    assert isinstance(curve, Curve) and str(curve) == "no calls yet"
    assert (curve.maxsize, curve.policy, curve.exact_sizes) == (5, "clock", EXACT)
    assert (curve.calls, curve.distinct, curve.steps, curve.entry_bytes) == (0, 0, (), None)
    unbounded = cached(lambda key: key, maxsize=None).cache_curve()
    assert (unbounded.maxsize, unbounded.policy) == (None, "lru")
    assert function.cache_parameters()["curve"] is True


@pytest.mark.parametrize("policy", ["lru", "clock", "car"])
@pytest.mark.parametrize("ttl", [None, 3600])
def test_entry_bytes_are_those_of_a_full_table(policy: str, ttl: float | None) -> None:
    function = cached(lambda key: key, maxsize=1000, policy=policy, ttl=ttl)
    for key in range(3000):
        function(key)
    full = function.cache_info()
    assert function.cache_curve().entry_bytes == pytest.approx(full.bytes / full.currsize, rel=0.01)


def test_a_curve_is_of_its_moment() -> None:
    function = cached(lambda key: key)
    function(1), function(1)
    before = function.cache_curve()
    function(1), function(2)
    assert (before.calls, before.hits(None)) == (2, 1)
    assert (function.cache_curve().calls, function.cache_curve().hits(None)) == (4, 2)


def test_loaded_and_forgotten_values() -> None:
    """What is loaded was not called; what is forgotten was."""
    function = cached(lambda key: key)
    function.cache_load({1: 10, 2: 20})
    assert [function(1), function(2), function(1)] == [10, 20, 10]
    assert function.cache_forget(1)
    assert function(1) == 1
    compare(function.cache_curve(), [1, 2, 1, 1])


def test_clear_begins_anew() -> None:
    function = cached(lambda key: key, maxsize=3)
    for name in ("skewed", "even", "loop"):
        for key in TRACES[name]:
            function(key)
        compare(function.cache_curve(), TRACES[name])
        function.cache_clear()
        compare(function.cache_curve(), [])


def test_clear_after_sampling_is_exact_again() -> None:
    function = cached(lambda key: key)
    for key in range(2 * KEPT):
        function(key)
    assert not function.cache_curve().exact
    function.cache_clear()
    for key in TRACES["even"]:
        function(key)
    compare(function.cache_curve(), TRACES["even"])


def test_clear_inside_a_call() -> None:
    def price(item: int) -> int:
        function.cache_clear()
        return item

    function = cached(price)
    for item in (1, 1, 2, 1):
        function(item)
    assert function.cache_curve().calls == 1  # the last cleared what was before it


def test_results_that_are_computed_elsewhere() -> None:
    """As those of coroutine functions are."""
    function = cached(lambda key: None, maxsize=5)
    function.cache_load({3: 3})
    for key in TRACES["phases"]:
        found = function._find(key)
        if isinstance(found, MemoKey):
            found.count(True, False, 0.0)
            found.keep(key)
    compare(function.cache_curve(), TRACES["phases"])
    function._find(-1).count(True, False, 0.0)  # and fails
    assert function.cache_curve().calls == len(TRACES["phases"]) + 1
    assert function.cache_curve().distinct == len(set(TRACES["phases"]))


def test_times_that_are_none_count_nothing() -> None:
    function = cached(lambda key: None)
    for key, seconds in enumerate([math.inf, math.nan, 1e300, 2e9, -1.0]):
        found = function._find(key)
        assert isinstance(found, MemoKey)
        found.count(True, False, seconds)
        found.keep(key)
        assert function._find(key) == key
    assert function.cache_info().hits == 5
    assert function.cache_info().saved == 0


# ---- methods ----


class Shop:
    def __init__(self) -> None:
        self.computed = 0

    @fettle.cache(maxsize=4, curve=True)
    def price(self, item: int) -> int:
        self.computed += 1
        return item


class Slotted:
    __slots__ = ("__fettle__", "computed")

    def __init__(self) -> None:
        self.computed = 0

    @fettle.cache(maxsize=4, curve=True)
    def price(self, item: int) -> int:
        self.computed += 1
        return item


@pytest.mark.parametrize("kind", [Shop, Slotted])
def test_a_method_s_curve_is_of_all_instances(kind: type[Any]) -> None:
    kind.price.cache_clear()
    names = list(TRACES)
    shops = {name: kind() for name in names}
    source = random.Random(15)
    waiting = {name: iter(TRACES[name]) for name in names}
    while waiting:
        name = source.choice(list(waiting))
        item = next(waiting[name], None)
        if item is None:
            del waiting[name]
        else:
            shops[name].price(item)
    curve = kind.price.cache_curve()
    assert curve.calls == sum(map(len, TRACES.values()))
    assert curve.distinct == sum(len(set(trace)) for trace in TRACES.values())
    for size in (1, 2, 5, 16, 40, 100, None):
        assert curve.hits(size) == sum(lru_hits(trace, size) for trace in TRACES.values())
    assert shops["loop"].price.cache_curve() == curve
    shops.clear()
    gc.collect()
    after = kind.price.cache_curve()
    assert (after.calls, after.steps) == (curve.calls, curve.steps)  # theirs still count


def test_clearing_an_instance_is_as_if_it_were_new() -> None:
    Shop.price.cache_clear()
    one, other = Shop(), Shop()
    for item in (1, 2, 1):
        one.price(item), other.price(item)
    one.price.cache_clear()
    for item in (1, 2, 1):
        one.price(item), other.price(item)
    curve = Shop.price.cache_curve()
    assert (curve.calls, curve.distinct) == (12, 6)
    once, twice = lru_hits([1, 2, 1], 2), lru_hits([1, 2, 1] * 2, 2)
    assert curve.hits(2) == 2 * once + twice
    Shop.price.cache_clear()
    compare(Shop.price.cache_curve(), [])


def test_instances_die_as_without() -> None:
    class Node:
        @fettle.cache(curve=True)
        def me(self, other: object) -> object:
            return self

    node = Node()
    node.me(node), node.me((node, node)), node.me([].__len__)
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None
    assert Node.me.cache_curve().calls == 3


def test_property_and_static_and_class_methods() -> None:
    class Kinds:
        @fettle.cache(curve=True)
        @property
        def size(self) -> int:
            return 1

        @fettle.cache(curve=True)
        @staticmethod
        def of(item: int) -> int:
            return item

        @fettle.cache(curve=True)
        @classmethod
        def by(cls, item: int) -> int:
            return item

    kinds = Kinds()
    for _ in range(3):
        assert (kinds.size, kinds.of(2), kinds.by(3)) == (1, 2, 3)
    getter: Any = vars(Kinds)["size"].fget
    of: Any = Kinds.of
    by: Any = Kinds.by
    for curve in (getter.cache_curve(), of.cache_curve(), by.cache_curve()):
        assert (curve.calls, curve.hits(1), curve.distinct) == (3, 2, 1)


# ---- code of the program's in the midst of it ----


class Key:
    """Equal by value; all have one hash, and comparing them calls what it is told to."""

    act: Callable[[], object] | None = None

    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        act, Key.act = Key.act, None
        if act is not None:
            act()
            Key.act = act
        return isinstance(other, Key) and self.value == other.value


def test_keys_of_one_hash() -> None:
    trace = TRACES["phases"][:200]
    function = cached(lambda key: key, maxsize=6, policy="lru")
    for value in trace:
        function(Key(value))
    compare(function.cache_curve(), trace)


def test_more_keys_of_one_hash_than_are_kept() -> None:
    """All far ones go at once."""

    class Constant(int):
        def __hash__(self) -> int:
            return 5

    count = KEPT + 1
    source = random.Random(16)
    function = cached(lambda key: None, maxsize=2)
    for value in range(count):
        function(Constant(value))
    curve = function.cache_curve()
    assert (curve.calls, curve.exact) == (count, False)
    trace = [count - 1 - source.randrange(200) for _ in range(100)]
    for value in trace:
        function(Constant(value))
    curve = function.cache_curve()
    for size in (1, 100, 200):
        assert curve.hits(size) == lru_hits([*range(count), *trace], size)


@pytest.mark.parametrize("what", ["calls", "clears", "collects", "asks"])
def test_comparisons_that_come_back(what: str) -> None:
    source = random.Random(17)
    function = cached(lambda key: key.value, maxsize=4)
    acts: dict[str, Callable[[], object]] = {
        "calls": lambda: function(Key(source.randrange(30))),
        "clears": lambda: source.random() < 0.1 and function.cache_clear(),
        "collects": gc.collect if sys.flags.dev_mode else (lambda: gc.collect(0)),
        "asks": lambda: function.cache_curve(),
    }
    Key.act = acts[what]
    try:
        for _ in range(400):
            value = source.randrange(30)
            assert function(Key(value)) == value
    finally:
        Key.act = None
    curve = function.cache_curve()
    assert curve.calls > 0 and curve.hits(None) <= curve.calls
    if what in ("collects", "asks"):
        assert curve.calls == 400 and curve.distinct == 30


def test_comparisons_that_fail() -> None:
    def fail() -> None:
        raise RuntimeError("not now")

    function = cached(lambda key: key.value, maxsize=4)
    function(Key(1))
    Key.act = fail
    try:
        with pytest.raises(RuntimeError, match="not now"):
            function(Key(1))
    finally:
        Key.act = None
    assert function(Key(1)) == 1
    curve = function.cache_curve()
    assert (curve.calls, curve.distinct, curve.hits(1)) == (2, 1, 1)


def test_keys_that_call_when_they_die() -> None:
    class Last:
        def __init__(self, value: int) -> None:
            self.value = value

        def __hash__(self) -> int:
            return hash(self.value)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Last) and self.value == other.value

        def __del__(self) -> None:
            if self.value % 5 == 0:
                function(Last(-1 - self.value % 3))
            if self.value == 7777:
                function.cache_clear()

    function = cached(lambda key: key.value, maxsize=3)
    for value in range(9000):
        assert function(Last(value)) == value
    function.cache_clear()
    for value in range(20):
        function(Last(value))
    curve = function.cache_curve()
    assert curve.calls >= 20 and curve.hits(None) <= curve.calls


# ---- memory ----


def test_references_are_given_back() -> None:
    items = [object() for _ in range(4)]
    function = cached(lambda *key, **more: None, maxsize=2)
    before = [sys.getrefcount(item) for item in items]
    for _ in range(50):
        for item in items:
            function(item), function(item, item), function(item, name=item)
    assert all(sys.getrefcount(item) > count for item, count in zip(items, before, strict=True))
    function.cache_clear()
    del item
    assert [sys.getrefcount(item) for item in items] == before


def test_no_more_keys_are_kept_than_is_said() -> None:
    class Item:
        pass

    function = cached(lambda item: None, maxsize=1)
    alive: weakref.WeakSet[Item] = weakref.WeakSet()
    for _ in range(4 * KEPT):
        item = Item()
        alive.add(item)
        function(item)
    del item
    assert EXACT < len(alive) <= KEPT + 2  # what the cache has, and one to be replaced
    del function
    gc.collect()
    assert not alive


def test_nothing_leaks() -> None:
    def round_of_calls() -> None:
        function = cached(lambda *key, **more: key, maxsize=10)
        for key in range(3 * KEPT):
            function(key, str(key))
        for key in range(100):
            function(key, name=key)
        function.cache_curve()
        for key in range(100):
            one = cached(lambda key: key)
            one(key), one(key), Shop().price(key)

    assert least_growth(round_of_calls, 5, 99) < 100


def test_without_memory() -> None:
    """Each allocation fails in turn: the call fails or is right, and the next ones are."""
    fail = pytest.importorskip("_testcapi")
    keys = [(1, 2), (3,), *((number, str(number)) for number in range(40))]
    answered = inexact = 0
    for at in range(1, 150):
        function = cached(lambda *key: None, maxsize=5)
        function(0)
        fail.set_nomemory(at, at + 1)
        try:
            for key in keys:
                function(*key)
            answered += 1
        except MemoryError:
            pass
        finally:
            fail.remove_mem_hooks()
        curve = function.cache_curve()
        assert 0 < curve.calls <= 1 + len(keys)
        for key in keys:
            function(*key)
        curve = function.cache_curve()
        assert curve.hits(EXACT) <= curve.calls
        assert not curve.exact or curve.distinct == 1 + len(keys)
        inexact += not curve.exact
        function.cache_clear()
        for number in TRACES["loop"]:
            function(number)
        compare(function.cache_curve(), TRACES["loop"], sizes=[1, 10, 29, 30])
    assert inexact > 0 and 0 < answered < 149


def test_cycles_through_the_keys_are_collected() -> None:
    class Item:
        function: Any = None

    item = Item()
    function = cached(lambda *key: None, maxsize=1)
    item.function = function
    function(item), function(item, 1), function(0)  # the cache itself has only 0
    gone = weakref.ref(item)
    del item, function
    gc.collect()
    assert gone() is None


# ---- threads ----


def test_threads() -> None:
    function = cached(lambda key: key, maxsize=None)
    traces = [random.Random(seed).choices(range(300), k=4000) for seed in range(6)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def run(trace: list[int]) -> None:
        for key in trace:
            assert function(key) == key

    threads = [threading.Thread(target=run, args=(trace,)) for trace in traces]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    curve, info = function.cache_curve(), function.cache_info()
    assert curve.calls == info.hits + info.misses == 6 * 4000
    assert (curve.distinct, curve.exact) == (300, True)
    assert curve.hits(None) == info.hits


def test_who_waits_hits_at_every_size() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(key: int) -> int:
        begun.set()
        assert go_on.wait(30)
        return key

    function = cached(slow, wait=30.0)
    first = threading.Thread(target=function, args=(1,))
    others = [threading.Thread(target=function, args=(1,)) for _ in range(3)]
    first.start()
    assert begun.wait(30)
    for thread in others:
        thread.start()
    threading.Timer(0.2, go_on.set).start()
    for thread in (first, *others):
        thread.join()
    curve, info = function.cache_curve(), function.cache_info()
    assert (curve.calls, curve.distinct) == (4, 1)
    assert curve.hits(1) == info.hits == 4 - info.misses
