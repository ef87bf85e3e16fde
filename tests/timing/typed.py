# SPDX-License-Identifier: Apache-2.0
"""A program for a type checker: each line that is wrong says so, and so does one that is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar, assert_type

import fettle

T = TypeVar("T")


@fettle.stopwatch()
def plain(a: int, *, b: str = "") -> float:
    return a + len(b)


@fettle.stopwatch(name="same")
def same(x: T) -> T:
    return x


@fettle.stopwatch
def bare(x: int) -> int:
    return x


watch = fettle.stopwatch()


@watch
async def awaited(x: int) -> str:
    return str(x)


@watch
def items(count: int) -> Iterator[int]:
    yield from range(count)


@watch
async def awaited_items(count: int) -> AsyncIterator[int]:
    yield count


class Has:
    @fettle.stopwatch()
    def method(self, y: int) -> bytes:
        return bytes(y)

    @staticmethod
    @watch
    def static(y: int) -> str:
        return str(y)

    @watch
    @staticmethod
    def static_below(y: int) -> str:
        return str(y)

    @classmethod
    @watch
    def of_class(cls, y: int) -> str:
        return str(y)

    @watch
    @classmethod
    def of_class_below(cls, y: int) -> str:
        return str(y)


async def coroutines() -> None:
    assert_type(await awaited(1), str)
    await awaited("1")  # type: ignore[arg-type]
    assert_type([item async for item in awaited_items(1)], list[int])
    assert_type(awaited.stopwatch.waiting, float)


def calls(has: Has) -> None:
    assert_type(plain(1, b="a"), float)
    assert_type(same("a"), str)
    assert_type(bare(1), int)
    plain("a")  # type: ignore[arg-type]
    plain(1, b=2)  # type: ignore[arg-type]
    assert_type(list(map(plain, [1])), list[float])
    assert_type(list(items(3)), list[int])
    assert_type(has.method(1), bytes)
    assert_type(Has.method(has, 1), bytes)
    has.method("a")  # type: ignore[arg-type]
    assert_type(has.static(1), str)
    assert_type(Has.static_below(1), str)
    assert_type(has.of_class(1), str)
    assert_type(Has.of_class_below(1), str)
    function: Callable[[int], bytes] = has.method
    function(1)


def interface(has: Has) -> None:
    assert_type(plain.stopwatch, fettle.stopwatch)
    assert_type(plain.stopwatch.count, int)
    assert_type(bare.stopwatch.count, int)
    assert_type(items.stopwatch.median, float)
    assert_type(has.method.stopwatch.count, int)
    assert_type(Has.method.stopwatch.name, str | None)
    assert_type(Has.static.stopwatch.count, int)
    assert_type(Has.of_class.stopwatch.count, int)
    assert_type(plain.__name__, str)
    assert_type(plain.__wrapped__(1), float)
    plain.stopwatch.reset()
    print(plain.stopwatch.counts)  # type: ignore[attr-defined]
    print(plain.watch)  # type: ignore[attr-defined]
    with fettle.stopwatch() as block:
        plain(1)
    assert_type(block, fettle.stopwatch)
