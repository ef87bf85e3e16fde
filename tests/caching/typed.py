# SPDX-License-Identifier: Apache-2.0
"""A program for a type checker: each line that is wrong says so, and so does one that is not."""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar, assert_type

import fettle
from fettle.caching.curve import Curve
from fettle.compat import functools

T = TypeVar("T")


@fettle.cache
def bare(a: int, b: str = "") -> float:
    return a + len(b)


@fettle.cache(maxsize=10, ttl=timedelta(seconds=3), curve=True)
def given(a: int, *, b: str = "") -> float:
    return a + len(b)


@fettle.cache
def same(x: T) -> T:
    return x


@fettle.cache(ttl=3)
async def awaited(x: int) -> str:
    return str(x)


@fettle.table(range(3), bool)
def answers(n: int, b: bool) -> str:
    return str(n * b)


@functools.lru_cache(maxsize=5)
def original(x: int) -> str:
    return str(x)


memo = fettle.Memo()


@memo
def kept(a: int, b: str = "") -> float:
    return a + len(b)


@memo(ignore=["b"], ttl=timedelta(days=1), key={"a": abs})
def kept_given(a: int, *, b: str = "") -> float:
    return a + len(b)


@memo
async def kept_awaited(x: int) -> str:
    return str(x)


class Keeps:
    @memo
    def method(self, y: int) -> int:
        return y

    @staticmethod
    @memo
    def static(y: int) -> str:
        return str(y)

    @memo(version=2)
    @staticmethod
    def static_below(y: int) -> str:
        return str(y)


def keeping(keeps: Keeps) -> None:
    assert_type(kept(1, "a"), float)
    assert_type(kept_given(1, b="a"), float)
    kept("a")  # type: ignore[arg-type]
    assert_type(kept.call(1), float)
    assert_type(kept.cached(1), bool)
    assert_type(kept.clear(), int)
    assert_type(kept.__wrapped__(1), float)
    assert_type(keeps.method(1), int)
    assert_type(keeps.method.forget(1), bool)
    assert_type(Keeps.static(1), str)
    assert_type(Keeps.static_below(1), str)
    keeps.method("a")  # type: ignore[arg-type]
    assert_type(memo.stats().entries, int)
    assert_type(memo.reduce(max_bytes="1MB", max_age=timedelta(days=3)), int)


class Base(abc.ABC):
    @abc.abstractmethod
    def method(self, y: int) -> int: ...
    @property
    @abc.abstractmethod
    def proper(self) -> int: ...


class Plain(Base, Generic[T]):
    def __init__(self, x: T) -> None:
        self.x = x

    @fettle.cache
    def method(self, y: int) -> int:
        return y

    @fettle.cache(ttl=3)
    def own(self, y: int = 0, *, z: str = "") -> list[T]:
        return [self.x]

    @property
    @fettle.cache
    def proper(self) -> int:
        return 1

    @staticmethod
    @fettle.cache
    def static(y: int) -> str:
        return str(y)

    @fettle.cache
    @staticmethod
    def static_below(y: int) -> str:
        return str(y)

    @classmethod
    @fettle.cache(typed=True)
    def of_class(cls, y: int) -> str:
        return str(y)

    @fettle.cache
    @classmethod
    def of_class_below(cls, y: int) -> str:
        return str(y)

    @fettle.cache
    async def awaited(self, y: int) -> bytes:
        return b""


class Child(Plain[T]):
    @fettle.cache
    def method(self, y: int) -> int:
        return super().method(y) + 1


class Colour(enum.Enum):
    RED = 1

    @fettle.cache
    def light(self) -> str:
        return self.name


class HasMethod(Protocol):
    def method(self, y: int) -> int: ...


async def coroutines(plain: Plain[int]) -> None:
    assert_type(await awaited(1), str)
    assert_type(await plain.awaited(1), bytes)
    assert_type(await kept_awaited(1), str)
    await awaited("1")  # type: ignore[arg-type]
    assert_type(Plain.awaited.cache_info(plain).hits, int)


def calls(plain: Plain[int], child: Child[str]) -> None:
    assert_type(bare(1, "a"), float)
    assert_type(given(1, b="a"), float)
    assert_type(same("a"), str)
    bare("a")  # type: ignore[arg-type]
    given(1, b=2)  # type: ignore[arg-type]
    assert_type(list(map(bare, [1])), list[float])

    assert_type(plain.method(1), int)
    assert_type(child.method(1), int)
    assert_type(plain.own(), list[int])
    assert_type(child.own(1, z=""), list[str])
    assert_type(plain.proper, int)
    assert_type(plain.static(1), str)
    assert_type(Plain.static(1), str)
    assert_type(Plain.static_below(1), str)
    assert_type(plain.of_class(1), str)
    assert_type(Plain.of_class(1), str)
    assert_type(Plain.of_class_below(1), str)
    assert_type(Colour.RED.light(), str)
    assert_type(Colour.light(Colour.RED), str)
    plain.method("a")  # type: ignore[arg-type]
    plain.own(1, z=2)  # type: ignore[arg-type]
    plain.static("a")  # type: ignore[arg-type]
    Plain.of_class("a")  # type: ignore[arg-type]

    has: HasMethod = plain
    function: Callable[[int], int] = child.method
    has.method(function(1))

    assert_type(answers(1, True), str)
    assert_type(answers.values, tuple[str, ...])
    assert_type(original(1), str)
    assert_type(original.cache_info().hits, int)
    assert_type(functools.partial(original, 1)(), str)


def interface(plain: Plain[int]) -> None:
    assert_type(bare.cache_info().saved, float)
    assert_type(bare.cache_export(), list[tuple[Any, Any]])
    assert_type(bare.cache_forget(1), bool)
    assert_type(bare.cache_parameters(), dict[str, Any])
    assert_type(given.cache_curve(), Curve)
    assert_type(bare.__name__, str)
    assert_type(bare.__wrapped__(1), float)
    bare.cache_load({1: 2.0})
    bare.cache_load([(1, 2.0)])
    bare.cache_clear()
    assert_type(plain.method.cache_info().maxsize, int | None)
    assert_type(Plain.static.cache_info().currsize, int)
    assert_type(Plain.of_class.cache_info().currsize, int)
    bare.cache_size()  # type: ignore[attr-defined]
