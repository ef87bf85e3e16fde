# SPDX-License-Identifier: Apache-2.0
"""Nothing is left of kept functions, stores and what lies in them: references, memory, files."""

import asyncio
import gc
import os
import sys
import weakref
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle import _core

from tests.leaks import least_growth

from .memos import warned

ROUNDS = 30


def held(things: list[Any]) -> list[int]:
    return [sys.getrefcount(each) for each in things]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


class Thing:
    def __init__(self, x: object) -> None:
        self.x = x


def raising(*unused: object) -> Any:
    raise KeyError("mine")


def offered(kept: Any, argument: Any) -> None:
    kept(argument), kept(x=argument), kept.peek(argument), kept.cached(argument)
    kept.call(argument), kept.reference(argument).get(), kept.forget(argument)
    kept(argument), kept(argument)
    for bad in ((), (1, 2), (open,)):
        try:
            kept(*bad) if len(bad) != 1 else kept(x=iter(()))
        except TypeError:
            continue
    kept.clear()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ttl": 1e-9},
        {"validate": lambda entry: False},
        {"validate": lambda entry: True},
        {"key": {"x": lambda x: [1]}},
        {"compress": True},
        {"wait": False},
    ],
)
def test_references_are_let_go(options: dict[str, Any], memo: fettle.Memo) -> None:
    argument, result, large = Thing(5), Thing([1]), b"x" * 100_000
    for value in (result, large):
        kept = memo(version=str(type(value)), **options)(lambda x, value=value: value)
        things = [
            argument,
            result,
            large,
            kept,
            kept.handle,
            kept.store,
            memo,
            Thing,
            None.__class__,
        ]
        offered(kept, argument)
        gc.collect()
        before = held(things)
        for _ in range(ROUNDS):
            offered(kept, argument)
        gc.collect()
        assert held(things) == before


def refuse(store: Any, kept: Any, value: object) -> None:
    """What the store and a kept function do not take."""
    for bad in (b"", b"x" * 17, 5):
        for method in (store.get, store.peek, store.remove, store.claim, store.release):
            with pytest.raises(TypeError):
                method(bad)
        with pytest.raises(TypeError):
            store.put(bad, 1, value)
    with pytest.raises(KeyError):
        store.each(raising)
    with pytest.raises(KeyError):
        store.each_function(raising)
    for args in ((b"", [], None), (b"x" * 65, [], None), (b"x", [1], None), (b"x", 5, None)):
        with pytest.raises((TypeError, ValueError)):
            kept.settle(*args)
    with pytest.raises((TypeError, ValueError)):
        _core.StoredFunction(5, len, None, "f", ())
    with pytest.raises((TypeError, ValueError)):
        _core.StoredFunction(store, len, None, "f", (1, 2))
    with pytest.raises((TypeError, ValueError)):
        _core.StoredFunction(store, len, None, "f", (), 9)
    with pytest.raises(OSError):
        _core.Store("/proc/fettle/none")


def test_references_are_let_go_where_things_fail(memo: fettle.Memo) -> None:
    argument, result = Thing(5), Thing(raising)
    keys = memo(version=1, key={"x": raising})(lambda x: 1)
    fails = memo(version=2)(raising)
    validates = memo(version=3, validate=raising)(lambda x: x)
    odd = memo(version=4)(lambda x: (result, (n for n in "ab")))
    store = keys.store

    def work() -> None:
        for call in (keys, keys.cached, keys.peek, keys.forget, keys.reference, fails, fails.call):
            with pytest.raises(KeyError):
                call(argument)
        validates.forget(argument)
        validates(argument)
        with pytest.raises(KeyError):
            validates(argument)
        odd(argument)
        refuse(store, validates, result)

    with warned("can not be kept"):
        validates(argument)
        work()
        gc.collect()
        things = [argument, result, keys, fails, validates, odd, store, raising, Thing, len]
        before = held(things)
        for _ in range(ROUNDS):
            work()
        gc.collect()
        assert held(things) == before


def test_blocks_do_not_grow(memo: fettle.Memo) -> None:
    def work() -> None:
        @memo
        def kept(x: Any) -> Any:
            return [x, b"x" * 50_000]

        kept.itself = kept
        offered(kept, (1, "a", [2]))

        class Own:
            @memo(ignore=["self"])
            def method(self, x: int) -> int:
                return x

        offered(Own().method, 3)

        @memo
        async def later(x: int) -> int:
            return x

        async def use() -> None:
            assert await later(1) == await later(1) == await later.call(1) == 1
            assert (await later.reference(1)).get() == 1

        asyncio.run(use())

    assert least_growth(work, ROUNDS, ROUNDS // 2) <= ROUNDS // 2


def test_files_are_closed(tmp_path: Path) -> None:
    def work() -> None:
        memo = fettle.Memo(tmp_path / "s")
        other = fettle.Memo(tmp_path / "s", 10**7)
        for made in (memo, other):
            kept = made(lambda x: b"x" * x)
            kept(10), kept(100_000), kept(100_000)
            kept.reference(10).get()
        assert fettle.Memo(tmp_path / "s", 10**6)(len).reference("abc").get() == 3

    assert least_growth(work, ROUNDS, 0, open_files) <= 0


def test_a_kept_function_is_collected(memo: fettle.Memo) -> None:
    @memo(version=1)
    def kept(x: int) -> int:
        return x

    kept.itself = [kept]
    kept(1)
    gone, handle = weakref.ref(kept), weakref.ref(kept.handle)
    del kept
    gc.collect()
    assert gone() is None and handle() is None
    assert memo.stats().entries == 1


def test_bytes_outlive_their_store(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    memo = fettle.Memo(tmp_path / "s")
    kept = memo(lambda n: numpy.arange(n))
    kept(300_000)
    found = kept(300_000)
    weak = weakref.ref(kept)
    memo.clear()
    del memo, kept
    gc.collect()
    assert weak() is None
    found[5] = 7
    assert found[5] == 7 and (found[6:] == numpy.arange(6, 300_000)).all()
    owner = found.base
    while getattr(owner, "base", None) is not None:
        owner = owner.base
    before = sys.getrefcount(owner)
    views = [found[n:] for n in range(10)]
    del views
    assert sys.getrefcount(owner) == before


def test_types_can_not_be_made_or_changed() -> None:
    kinds = [_core.Store, _core.StoredFunction]
    for kind in kinds:
        with pytest.raises(TypeError):
            kind.anything = 1  # type: ignore[attr-defined]
        with pytest.raises(TypeError):
            kind()  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            type("Own", (kind,), {})
