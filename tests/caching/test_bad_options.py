# SPDX-License-Identifier: Apache-2.0
"""What fettle.cache refuses: one sentence, of the right type of exception."""

import doctest
import fractions
import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import fettle
import fettle.caching.decorator
import pytest

from .harness import sentence

NAN, INF = float("nan"), float("inf")


class Raises:
    def __index__(self) -> int:
        raise LookupError("no index today")


# option, value, exception, what the sentence says
REFUSED: list[tuple[str, Any, type[Exception], str]] = [
    ("maxsize", -1, ValueError, "-1"),
    ("maxsize", -(10**30), ValueError, "negative"),
    ("maxsize", 1.5, TypeError, "1.5"),
    ("maxsize", 128.0, TypeError, "128.0"),
    ("maxsize", NAN, TypeError, "nan"),
    ("maxsize", "128", TypeError, "'128'"),
    ("maxsize", True, TypeError, "True"),
    ("maxsize", False, TypeError, "False"),
    ("maxsize", [], TypeError, "[]"),
    ("maxsize", fractions.Fraction(3), TypeError, "Fraction"),
    ("policy", "fifo", ValueError, "car"),
    ("policy", "LRU", ValueError, "'LRU'"),
    ("policy", "", ValueError, "''"),
    ("policy", None, ValueError, "None"),
    ("policy", 5, ValueError, "5"),
    ("policy", [], ValueError, "[]"),
    ("policy", "lru\0", ValueError, "lru"),
    ("ttl", 0, ValueError, "0"),
    ("ttl", 0.0, ValueError, "0.0"),
    ("ttl", -1, ValueError, "-1"),
    ("ttl", -INF, ValueError, "inf"),
    ("ttl", NAN, ValueError, "nan"),
    ("ttl", timedelta(0), ValueError, "timedelta"),
    ("ttl", timedelta(seconds=-1), ValueError, "timedelta"),
    ("ttl", "5", TypeError, "'5'"),
    ("ttl", True, TypeError, "True"),
    ("ttl", 1j, TypeError, "1j"),
    ("key", 5, TypeError, "5"),
    ("key", "x", TypeError, "'x'"),
    ("copy", 5, TypeError, "5"),
    ("copy", "deep", TypeError, "'deep'"),
    ("copy", 1, TypeError, "1"),
    ("wait", -1, ValueError, "-1"),
    ("wait", -INF, ValueError, "inf"),
    ("wait", NAN, ValueError, "nan"),
    ("wait", "long", TypeError, "'long'"),
    ("wait", None, TypeError, "None"),
    ("wait", timedelta(1), TypeError, "timedelta"),
]


@pytest.mark.parametrize(("option", "value", "kind", "words"), REFUSED, ids=lambda x: repr(x)[:30])
def test_refused_options(option: str, value: Any, kind: type[Exception], words: str) -> None:
    said = sentence(lambda: fettle.cache(**{option: value}), kind)
    assert option in said and words in said


ACCEPTED: list[tuple[str, Any]] = [
    *[("maxsize", value) for value in (None, 0, 1, 2, 128, 2**28, 2**31, 2**63, 10**30)],
    *[("policy", value) for value in ("car", "lru", "clock")],
    *[("ttl", value) for value in (None, 1e-12, 1, 2.5, INF, 1e300, 10**400, timedelta.max)],
    *[("typed", value) for value in (True, False, 0, 1, "yes")],
    *[("key", value) for value in (None, len, str, lambda x: x)],
    *[("copy", value) for value in (None, False, True, list, lambda x: x)],
    *[("wait", value) for value in (True, False, 0, 1e-12, 5, INF, 10**400)],
]


@pytest.mark.parametrize(("option", "value"), ACCEPTED, ids=lambda x: repr(x)[:30])
def test_accepted_options(option: str, value: Any) -> None:
    f = fettle.cache(**{option: value})(lambda x: [*x])
    assert f("ab") == f("ab") == ["a", "b"]
    assert f.cache_info().misses == (2 if option == "maxsize" and value == 0 else 1) or (
        option == "ttl" and value == 1e-12
    )
    shown = f.cache_parameters()[option]
    if option in {"maxsize", "policy", "wait"}:
        assert shown == value
    assert f.cache_info().maxsize == (value if option == "maxsize" else 1024)


def test_what_raises_by_itself() -> None:
    with pytest.raises(LookupError, match="no index today"):
        fettle.cache(maxsize=Raises())
    with pytest.raises(TypeError, match="unexpected keyword"):
        fettle.cache(size=5)
    with pytest.raises(TypeError, match="positional"):
        fettle.cache(5, "lru")


def test_an_index_is_a_size() -> None:
    class Five:
        def __index__(self) -> int:
            return 5

    f = fettle.cache(maxsize=Five())(lambda x: x)
    assert f.cache_info().maxsize == 5 == f.cache_parameters()["maxsize"]


def generator() -> Any:
    yield 1


async def async_generator() -> Any:
    yield 1


class Class:
    def __call__(self) -> int:
        return 1

    def generator(self) -> Any:
        yield 1


class Yields:
    def __call__(self) -> Any:
        yield 1


class YieldsLater:
    async def __call__(self) -> Any:
        yield 1


DECORATED: list[tuple[Any, str]] = [
    (Class, "Class is a class"),
    (int, "int is a class"),
    (5, "5 is no function"),
    ("f", "'f' is no function"),
    (None, "None is no function"),
    ([], "[] is no function"),
    (generator, "generator is a generator function"),
    (async_generator, "async_generator is a generator function"),
    (Class.generator, "Class.generator is a generator function"),
    (Class().generator, "Class.generator is a generator function"),
    (functools.partial(generator), "is a generator function"),
    (Yields(), "is a generator function"),
    (YieldsLater(), "is a generator function"),
    (property(Class.generator), "generator"),
    (staticmethod(generator), "generator"),
    (classmethod(Class.generator), "generator"),
    (staticmethod(5), "5 is no function"),
    (classmethod(Class), "Class is a class"),
    (property(), "without a getter"),
    (property(5), "5 is no function"),
    (functools.cached_property(len), "put @fettle.cache below it"),
    (functools.singledispatchmethod(len), "put @fettle.cache below it"),
]


@pytest.mark.parametrize("way", [fettle.cache(), fettle.cache(maxsize=None, typed=True)])
@pytest.mark.parametrize(("thing", "words"), DECORATED, ids=lambda x: repr(x)[:40])
def test_what_can_not_be_cached(thing: Any, words: str, way: Callable[[Any], Any]) -> None:
    said = sentence(lambda: way(thing), TypeError)
    assert words in said


@pytest.mark.parametrize(("thing", "words"), DECORATED, ids=lambda x: repr(x)[:40])
def test_the_same_bare(thing: Any, words: str) -> None:
    if thing is None or thing == 5:
        pytest.skip("that is a size")
    said = sentence(lambda: fettle.cache(thing), TypeError)
    assert words in said or (not callable(thing) and "maxsize" in said)


def test_arguments_that_can_not_be_kept() -> None:
    f = fettle.cache(lambda *args, **keywords: 1)
    for args, keywords in (([[]], {}), ([1, {}], {}), ([], {"a": set()}), ([([],)], {})):
        with pytest.raises(TypeError, match="unhashable type"):
            f(*args, **keywords)
        with pytest.raises(TypeError, match="unhashable type"):
            f.cache_forget(*args, **keywords)
    assert f.cache_info()[:2] == (0, 0)
    keyed = fettle.cache(key=lambda x: [x])(lambda x: x)
    with pytest.raises(TypeError, match="unhashable type"):
        keyed(1)
    named = fettle.cache(key=tuple)(len)
    assert named([1, 2]) == named([1, 2]) == 2
    assert named.cache_info()[:2] == (1, 1)


LOADS: list[tuple[Any, type[Exception], str]] = [
    ([5], TypeError, "pairs of a key and a value"),
    ([(1,)], ValueError, "pairs of a key and a value"),
    ([(1, 2, 3)], ValueError, "pairs of a key and a value"),
    ([()], ValueError, "pairs of a key and a value"),
    (["abc"], ValueError, "pairs of a key and a value"),
    ([([], 1)], TypeError, "unhashable"),
    ([(([], 2), 1)], TypeError, "unhashable"),
    (5, TypeError, "iterable"),
    (None, TypeError, "iterable"),
]


@pytest.mark.parametrize(("pairs", "kind", "words"), LOADS, ids=lambda x: repr(x)[:30])
def test_what_can_not_be_loaded(pairs: Any, kind: type[Exception], words: str) -> None:
    f = fettle.cache(lambda *args: args)
    f(0)
    with pytest.raises(kind, match=words) as caught:
        f.cache_load(pairs)
    assert "\n" not in str(caught.value)
    assert f.cache_export() == [(0, (0,))]


def test_calls_that_are_none() -> None:
    from fettle._core import Call

    f = fettle.cache(lambda *args, **keywords: args)
    for args, keywords in (
        ([1], ()),
        ((1,), {"a": 1}),
        ((1,), (5,)),
        ((1,), (("a",),)),
        ((1,), ((5, 1),)),
        ((1,), ((b"a", 1),)),
        (None, None),
    ):
        with pytest.raises(TypeError, match="Call"):
            f.cache_load([(Call((args, keywords)), 5)])
    with pytest.raises(TypeError):
        Call(1)
    with pytest.raises(TypeError):
        Call((1,))
    assert f.cache_export() == []


def test_the_example_in_the_docstring_runs() -> None:
    failed, attempted = doctest.testmod(fettle.caching.decorator)
    assert failed == 0 and attempted > 3
