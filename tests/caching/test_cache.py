# SPDX-License-Identifier: Apache-2.0
"""fettle.cache on functions: which calls are the same, what is kept, and for how long.

Where lru_cache says what is right, it is asked.
"""

import collections.abc
import copy
import functools
import inspect
import pickle
import pydoc
import random
import time
import types
import weakref
from datetime import timedelta
from typing import Any

import fettle
import pytest
from fettle import _core

from .harness import ended

POLICIES = pytest.mark.parametrize("policy", _core.policies)


class Counted:
    """A function that gives another result each time, and how often it was called."""

    def __init__(self, every: int = 0) -> None:
        self.calls = 0
        self.every = every

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        self.calls += 1
        if self.every and self.calls % self.every == 0:
            raise LookupError(self.calls)
        return ["result", self.calls]


# ---- which calls are the same ----

NAN = float("nan")


class Odd:
    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd) and self.number == other.number

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return f"Odd({self.number})"


class Word(str):
    pass


ATOMS = [
    *[0, 1, 2, -1, -2, 7, 2**30 - 1, 2**30, -(2**30), 2**60, 2**61 - 1, 2**61, 2**64, -(2**64)],
    *[0.0, -0.0, 1.0, 2.0, -1.0, 2.5, NAN, float("inf"), float(2**61), 1j, 2 + 0j],
    *["", "a", "b", "ab", "\xe9", "\u20ac", "\U0001f600", "1", Word("a"), b"", b"a"],
    *[True, False, None, ..., int, float, frozenset(), frozenset({1}), range(2), Odd(1), Odd(2)],
]
UNHASHABLE = [[], {}, set(), ([],)]


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.2 and depth < 3:
        return tuple(value(chance, depth + 1) for _ in range(chance.randrange(4)))
    if kind < 0.3:
        return chance.choice([chance.randrange(-3, 12), str(chance.randrange(12)), Odd(1)])
    return chance.choice(ATOMS if kind < 0.98 else UNHASHABLE)


def arguments(chance: random.Random) -> tuple[tuple[Any, ...], dict[str, Any]]:
    count = chance.choice([0, 1, 1, 1, 1, 2, 2, 3, 5, 20])
    names = chance.sample(["a", "b", "key", "\xe9"], chance.choice([0, 0, 0, 1, 2, 3]))
    return tuple(value(chance) for _ in range(count)), {name: value(chance) for name in names}


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("maxsize", [None, 0, 1, 2, 7, 128])
@pytest.mark.parametrize("seed", range(4))
def test_as_lru_cache(maxsize: int | None, typed: bool, seed: int) -> None:
    chance = random.Random(f"{maxsize} {typed} {seed}")
    ours = fettle.cache(maxsize, policy="lru", typed=typed)(Counted(13))
    theirs = functools.lru_cache(maxsize, typed)(Counted(13))
    pool = [arguments(chance) for _ in range(chance.choice([5, 40, 300]))]
    for step in range(1500):
        if chance.random() < 0.002:
            ours.cache_clear(), theirs.cache_clear()
        args, keywords = chance.choice(pool) if chance.random() < 0.9 else arguments(chance)
        if chance.random() < 0.1:
            keywords = dict(reversed(keywords.items()))
        was = ended(ours, *args, **keywords)
        assert was == ended(theirs, *args, **keywords), (step, args, keywords)
        assert ours.cache_info()[:4] == theirs.cache_info(), (step, args, keywords)


@POLICIES
@pytest.mark.parametrize("typed", [False, True])
def test_with_room_for_all_every_policy_is_lru_cache(policy: str, typed: bool) -> None:
    chance = random.Random(policy)
    ours = fettle.cache(3000, policy=policy, typed=typed)(Counted(13))
    theirs = functools.lru_cache(3000, typed)(Counted(13))
    for _ in range(3000):
        args, keywords = arguments(chance)
        assert ended(ours, *args, **keywords) == ended(theirs, *args, **keywords)
        assert ours.cache_info()[:4] == theirs.cache_info()


@POLICIES
@pytest.mark.parametrize("options", [{}, {"typed": True}, {"ttl": 1000}, {"copy": True}])
@pytest.mark.parametrize("maxsize", [1, 2, 3, 10])
def test_every_policy_gives_right_results(policy: str, options: Any, maxsize: int) -> None:
    chance = random.Random(maxsize)
    f = fettle.cache(maxsize, policy=policy, **options)(lambda *args, **kw: [args, kw])
    pool = [arguments(chance) for _ in range(30)]
    for _ in range(2000):
        args, keywords = chance.choice(pool)
        got = ended(f, *args, **keywords)
        assert got[0] is TypeError or repr(got[1]) == repr([args, keywords]) or not options
        assert got[0] is TypeError or got[1] == [args, keywords]
        info = f.cache_info()
        assert info.currsize <= maxsize
        assert info.misses - info.evictions == info.currsize


def test_types_count_when_typed() -> None:
    plain, typed = fettle.cache(Counted()), fettle.cache(typed=True)(Counted())
    for f in (plain, typed):
        for args in ((1, 2), (1.0, 2), (True, 2), (1, 2.0), (3.0,), (3 + 0j,)):
            f(*args)
        f(a=1), f(a=1.0)
    assert plain.cache_info()[:2] == (5, 3)
    assert typed.cache_info()[:2] == (0, 8)


def test_the_order_of_keywords_counts() -> None:
    f = fettle.cache(Counted())
    assert f(a=1, b=2) is f(a=1, b=2)
    assert f(a=1, b=2) is not f(b=2, a=1)
    assert f(**{"a": 1}) is f(**{"".join(["", "a"]): 1}) is f(**{Word("a"): 1})
    assert f(1) is not f(x=1)
    assert f.cache_info().misses == 5


def test_hashes_that_collide() -> None:
    """Many keys of one hash, and ints whose hashes are far apart and look alike."""
    f = fettle.cache(maxsize=None)(lambda key: key.number if isinstance(key, Odd) else key)
    for _ in range(2):
        for number in range(300):
            assert f(Odd(number)) == number
            for key in (number << 32, number << 61, (2**61 - 1) * number, -number << 40):
                assert f(key) == key
    assert f.cache_info().hits > 300 * 5


# ---- what is kept ----


def test_info() -> None:
    f = fettle.cache(maxsize=3, policy="lru")(Counted())
    assert f.cache_info() == (0, 0, 3, 0, 0, 0, 0, 0.0)
    for x in (1, 2, 3, 4, 4, 4):
        f(x)
    info = f.cache_info()
    assert (info.hits, info.misses, info.maxsize, info.currsize) == (2, 4, 3, 3)
    assert (info.evictions, info.waited) == (1, 0)
    assert info.bytes > 0
    f.cache_clear()
    again = f.cache_info()
    assert again[:6] == (0, 0, 3, 0, 0, 0)
    assert type(info).__name__ == "CacheInfo" and info._asdict()["evictions"] == 1


def test_time_saved() -> None:
    @fettle.cache
    def slow(x: int) -> int:
        time.sleep(0.02)
        return x

    slow(1)
    assert slow.cache_info().saved == 0
    for _ in range(10):
        slow(1)
    assert slow.cache_info().saved >= 10 * 0.02  # sleep sleeps that long at least


def test_bytes_of_the_table() -> None:
    """60 bytes at most for each entry of one argument, with its share of an index."""
    for maxsize in (None, 20_000):
        f = fettle.cache(maxsize=maxsize, policy="lru")(lambda x: None)
        for x in range(20_000):
            f(x)
        assert 40 < f.cache_info().bytes / 20_000 < 60


def test_size_0_and_1_and_unbounded() -> None:
    none, one, every = (fettle.cache(maxsize=n)(Counted()) for n in (0, 1, None))
    for x in (1, 1, 2, 1, [], 1):
        for f in (none, one, every):
            if x == [] and f is not none:
                with pytest.raises(TypeError):
                    f(x)
            else:
                f(x)
    assert none.cache_info()[:4] == (0, 6, 0, 0)
    assert one.cache_info()[:4] == (2, 3, 1, 1)
    assert every.cache_info()[:4] == (3, 2, None, 2)
    for x in range(5000):
        every(x)
    assert every.cache_info().currsize == 5000
    assert every.cache_info().evictions == 0


def test_an_exception_is_not_kept() -> None:
    f = fettle.cache(Counted(every=2))
    assert f(1) == ["result", 1]
    for call in (2, 4, 6):
        with pytest.raises(LookupError):
            f(2) if call == 2 else f(call)
        assert f(call + 100) == ["result", call + 1]
    assert f.cache_info().currsize == 4


def test_none_is_a_result() -> None:
    calls: list[int] = []
    f = fettle.cache(lambda x: calls.append(x))
    assert f(1) is f(1) is None
    assert calls == [1]


def test_a_copy_for_everyone() -> None:
    def nested(x: int) -> list[list[int]]:
        return [[x]]

    shared = fettle.cache(nested)
    deep, shallow = fettle.cache(copy=True)(nested), fettle.cache(copy=list)(nested)
    for f in (shared, deep, shallow):
        first = f(1)
        first.append([2])
        first[0].append(3)
    assert shared(1) == [[1, 3], [2]]
    assert deep(1) == [[1]] and deep(1) is not deep(1)
    assert shallow(1) == [[1, 3]]
    second = shallow(1)
    second.append([])
    assert shallow(1) == [[1, 3]]


def test_a_copy_that_fails() -> None:
    state = {"fail": True}

    def duplicate(result: Any) -> Any:
        if state["fail"]:
            raise ValueError("no copy")
        return list(result)

    f = fettle.cache(copy=duplicate)(Counted())
    with pytest.raises(ValueError, match="no copy"):
        f(1)
    assert f.cache_info()[:4] == (0, 1, 1024, 0)
    state["fail"] = False
    assert f(1) == ["result", 2]
    state["fail"] = True
    with pytest.raises(ValueError, match="no copy"):
        f(1)
    state["fail"] = False
    assert f(1) == ["result", 2]


def test_a_key_function() -> None:
    f = fettle.cache(key=lambda text, **options: text.lower())(Counted())
    assert f("A") is f("a") is f("A", upper=True)
    assert f("b") is not f("a")
    assert f.cache_info()[:2] == (3, 2)
    unhashable = fettle.cache(key=lambda numbers: tuple(numbers))(lambda numbers: sum(numbers))
    assert unhashable([1, 2, 3]) == unhashable([1, 2, 3]) == 6
    assert unhashable.cache_info()[:2] == (1, 1)


def test_a_key_function_that_fails() -> None:
    def key(x: int) -> int:
        if x < 0:
            raise ValueError("no key")
        return x

    f = fettle.cache(key=key)(Counted())
    f(1)
    for call in (f, f.cache_forget):
        with pytest.raises(ValueError, match="no key"):
            call(-1)
    with pytest.raises(TypeError):
        f()
    assert f.cache_info()[:4] == (0, 1, 1024, 1)


# ---- for how long: real sleeps, and nothing is said of how long they took ----


@pytest.mark.parametrize("ttl", [0.02, timedelta(milliseconds=20)])
@pytest.mark.parametrize("options", [{}, {"maxsize": None}, {"policy": "lru", "maxsize": 2}])
def test_results_end(ttl: Any, options: Any) -> None:
    f = fettle.cache(ttl=ttl, **options)(Counted())
    first = f(1)
    time.sleep(0.025)
    second = f(1)
    assert (first, second) == (["result", 1], ["result", 2])
    assert f.cache_info()[:2] == (0, 2)
    assert f.cache_info().currsize == 1


def test_results_that_last() -> None:
    f = fettle.cache(ttl=1000)(Counted())
    coarse = fettle.cache(ttl=0.6)(Counted())
    assert f(1) is f(1)
    assert coarse(1)[1] == 1
    time.sleep(0.7)  # the clock of longer times is a coarse one
    assert coarse(1)[1] == 2
    assert f(1)[1] == 1
    assert f.cache_info()[:2] == (2, 1)


def test_what_is_over_is_not_there() -> None:
    f = fettle.cache(ttl=0.02)(Counted())
    f(1), f(2)
    time.sleep(0.025)
    assert f.cache_export() == []
    assert f.cache_forget(1) is False
    f.cache_load([(3, "loaded")])
    time.sleep(0.025)
    assert f(3) == ["result", 3]


def test_a_result_ends_while_it_is_computed() -> None:
    @fettle.cache(ttl=0.01)
    def f(x: int) -> list[int]:
        if x:
            f(x - 1)
        time.sleep(0.012)
        return [x]

    assert f(2) == [2] and f(1) == [1]
    assert f.cache_info().hits == 0


# ---- what functions have ----


@fettle.cache
def documented(x: int, *, y: str = "") -> list[int]:
    """What it says."""
    return [x]


def test_it_looks_like_the_function() -> None:
    assert documented.__name__ == "documented" and documented.__qualname__ == "documented"
    assert documented.__module__ == __name__ and documented.__doc__ == "What it says."
    assert documented.__wrapped__(3) == [3]
    assert str(inspect.signature(documented)) == "(x: int, *, y: str = '') -> list[int]"
    assert inspect.get_annotations(documented) == inspect.get_annotations(documented.__wrapped__)
    assert inspect.isroutine(documented) and inspect.unwrap(documented) is documented.__wrapped__
    assert "documented" in repr(documented)
    assert "What it says." in pydoc.plain(pydoc.render_doc(documented))
    documented.extra = 5
    assert vars(documented)["extra"] == 5
    del documented.extra


def test_names_that_are_odd() -> None:
    f = fettle.cache(lambda: 1)
    for name in (5, "x\ud800", None):
        f.__dict__["__qualname__"] = name
        assert repr(f).startswith("<cached function ")
    del f.__qualname__
    assert "lambda" in repr(f)
    f.__dict__ = {}
    assert f() == 1

    class Owner:
        @fettle.cache
        def method(self) -> int:
            return 1

    for name in (5, "x\ud800", None):
        vars(Owner)["method"].__dict__["__qualname__"] = name
        assert repr(Owner().method).startswith("<bound cached method ")
    del vars(Owner)["method"].__qualname__
    assert "method" in repr(Owner().method)


def test_it_is_pickled_by_name() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(documented, protocol)) is documented
    assert copy.copy(documented) is documented
    assert copy.deepcopy([documented])[0] is documented
    assert weakref.ref(documented)() is documented
    nameless = fettle.cache(functools.partial(int, base=2))
    assert nameless("11") == 3
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(nameless)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(fettle.cache(lambda: 1))


def test_wrapped_once_more() -> None:
    @functools.wraps(documented)
    def outer(*args: Any) -> Any:
        return documented(*args)

    assert outer.__wrapped__ is documented and outer.__doc__ == "What it says."
    assert str(inspect.signature(outer)) == str(inspect.signature(documented))
    twice = fettle.cache(fettle.cache(Counted()))
    assert twice(1) is twice(1)
    assert twice.cache_info()[:2] == (1, 1) and twice.__wrapped__.cache_info()[:2] == (0, 1)


@pytest.mark.parametrize("thing", [len, str.upper, int.from_bytes, functools.partial(max, 1)])
def test_what_else_can_be_called(thing: Any) -> None:
    f = fettle.cache(thing)
    args = {len: ("abc",), str.upper: ("abc",), int.from_bytes: (b"a", "big")}.get(thing, (5,))
    assert f(*args) == f(*args) == thing(*args)
    assert f.cache_info()[:2] == (1, 1)


def test_parameters() -> None:
    f = fettle.cache(5, policy="clock", ttl=timedelta(seconds=2), typed=True, wait=3, copy=list)(
        len
    )
    assert f.cache_parameters() == {
        "maxsize": 5,
        "policy": "clock",
        "ttl": 2.0,
        "typed": True,
        "key": None,
        "copy": list,
        "wait": 3,
        "curve": False,
    }
    f.cache_parameters().clear()
    assert f.cache_parameters()["maxsize"] == 5
    defaults = fettle.cache(len).cache_parameters()
    assert (defaults["maxsize"], defaults["policy"], defaults["wait"]) == (1024, "car", True)


def test_wrong_calls_of_its_methods() -> None:
    for method in ("cache_info", "cache_clear", "cache_parameters", "cache_export"):
        with pytest.raises(TypeError):
            getattr(documented, method)(1)
    with pytest.raises(TypeError):
        documented.cache_load()


def test_the_types_are_not_for_everyone() -> None:
    with pytest.raises(TypeError):
        type("Derived", (_core.Memo,), {})
    with pytest.raises(TypeError):
        _core.Memo()
    with pytest.raises(TypeError):
        _core.BoundMemo()
    with pytest.raises(ValueError, match="policy"):
        _core.Memo(len, 5, "nonsense", tuple, {})
    with pytest.raises(TypeError):
        _core.Memo(len, "5", "lru", tuple, {})
    with pytest.raises(TypeError):
        _core.Memo.extra = 5


# ---- export, load, forget ----


def everything(f: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    return [
        ((), {}),
        ((1,), {}),
        (("a",), {}),
        ((None,), {}),
        (((),), {}),
        (((1,),), {}),
        (((1, 2),), {}),
        (((((),),),), {}),
        ((1, 2), {}),
        (((1, 2), (3,)), {}),
        ((), {"a": 1}),
        ((1,), {"a": 1}),
        (((1,),), {"a": (1,), "b": 2}),
        ((), {"b": 2, "a": 1}),
        ((1, 2, 3, 4, 5), {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}),
        ((2.5,), {}),
        ((_core.Call(((1,), ())),), {}),
    ]


@pytest.mark.parametrize(
    "options",
    [{}, {"typed": True}, {"policy": "lru", "maxsize": 100}, {"maxsize": None}, {"ttl": 1000}],
    ids=str,
)
def test_what_is_exported_can_be_loaded(options: Any) -> None:
    def answer(*args: Any, **keywords: Any) -> Any:
        return repr((args, keywords))

    one, other = fettle.cache(**options)(answer), fettle.cache(**options)(Counted())
    calls = everything(one)
    for args, keywords in calls:
        one(*args, **keywords)
    exported = one.cache_export()
    assert len(exported) == len(calls) == len(dict(exported))
    assert sorted(value for _, value in exported) == sorted(answer(*a, **k) for a, k in calls)
    for pairs in (exported, dict(exported), iter(exported), tuple(map(list, exported))):
        other.cache_clear()
        assert other.cache_load(pairs) is None
        for args, keywords in calls:
            assert other(*args, **keywords) == answer(*args, **keywords)
        assert other.cache_info()[:4] == (len(calls), 0, one.cache_info().maxsize, len(calls))
    for args, keywords in calls:
        assert other.cache_forget(*args, **keywords) is True
        assert other.cache_forget(*args, **keywords) is False
    assert other.cache_export() == []


def test_the_keys_of_an_export() -> None:
    f = fettle.cache(maxsize=None)(lambda *args, **keywords: None)
    for args, keywords in everything(f):
        f(*args, **keywords)
    keys = [key for key, _ in f.cache_export()]
    for key in (1, "a", None, (1, 2), (), ((1,),), ((1, 2),), ((1, 2), (3,))):
        assert key in keys
    calls = [key for key in keys if type(key) is _core.Call]
    assert ((1,), (("a", 1),)) in calls and calls[0].args == () and calls[0].keywords == (("a", 1),)
    pickled = pickle.loads(pickle.dumps(f.cache_export()))
    assert pickled == f.cache_export()


def test_equal_arguments_of_different_types_are_two_pairs() -> None:
    """For an int alone lru_cache makes a difference; a dict of the pairs can not."""
    f = fettle.cache(lambda x: repr(x))
    f(2), f(2.0)
    assert sorted(value for _, value in f.cache_export()) == ["2", "2.0"]
    other = fettle.cache(Counted())
    other.cache_load(f.cache_export())
    assert (other(2), other(2.0)) == ("2", "2.0")


def test_the_memo_of_fibonacci() -> None:
    @fettle.cache(maxsize=None)
    def fibonacci(n: int) -> int:
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci(10)
    memo = {0: 0, 1: 1, 2: 1, 3: 2, 4: 3, 5: 5, 6: 8, 7: 13, 8: 21, 9: 34, 10: 55}
    assert dict(fibonacci.cache_export()) == memo
    fibonacci.cache_clear()
    fibonacci.cache_load(memo)
    assert fibonacci(11) == 89
    assert fibonacci.cache_info()[:2] == (2, 1)


def test_loading_with_a_key_function() -> None:
    one = fettle.cache(key=lambda *args: args[0] if args else ())(Counted())
    other = fettle.cache(key=lambda *args: args[0] if args else ())(Counted())
    kept = {args: one(*args) for args in ((1,), ("a",), ((1,),), ((1, 2),), ((),))}
    exported = one.cache_export()
    other.cache_load(exported)
    for args, result in kept.items():
        assert other(*args) == result
    assert other.cache_info()[:2] == (5, 0)
    assert other.cache_export() == exported


def test_loading_takes_the_place_of_what_is_there() -> None:
    f = fettle.cache(maxsize=2, policy="lru")(Counted())
    f(1)
    f.cache_load([(1, "new"), (2, "two")])
    assert (f(1), f(2)) == ("new", "two")
    f.cache_load({n: n for n in range(10)})
    assert f.cache_info().currsize == 2
    assert (f(9), f(8)) == (9, 8)
    none = fettle.cache(maxsize=0)(Counted())
    none.cache_load([(1, 2)])
    assert none(1) == ["result", 1] and none.cache_export() == []


def test_loading_stops_at_what_fails() -> None:
    def pairs() -> Any:
        yield 1, "one"
        yield 2, "two"
        raise LookupError("no more")

    f = fettle.cache(Counted())
    with pytest.raises(LookupError, match="no more"):
        f.cache_load(pairs())
    assert dict(f.cache_export()) == {1: "one", 2: "two"}


def test_loading_mappings() -> None:
    class Given(collections.abc.Mapping):  # type: ignore[type-arg]
        def __getitem__(self, key: int) -> str:
            return str(key)

        def __iter__(self) -> Any:
            return iter([1, 2])

        def __len__(self) -> int:
            return 2

    class Faulty(Given):
        @property
        def items(self) -> Any:
            raise LookupError("no items today")

    f = fettle.cache(Counted())
    for mapping in (Given(), collections.OrderedDict(Given()), types.MappingProxyType({1: "1"})):
        f.cache_clear()
        f.cache_load(mapping)
        assert dict(f.cache_export()) == dict(mapping)
    with pytest.raises(LookupError, match="no items today"):
        f.cache_load(Faulty())


def test_loading_what_is_being_exported() -> None:
    f = fettle.cache(maxsize=3)(Counted())
    f(1), f(2), f(3)

    def pairs() -> Any:
        for key, result in f.cache_export():
            f.cache_clear()
            yield key, result
            f(key), f(key + 10)

    f.cache_load(pairs())
    assert f.cache_info().currsize <= 3
