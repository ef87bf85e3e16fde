# SPDX-License-Identifier: Apache-2.0
"""fettle.Memo as programs use it: all kinds of callables, and what a kept function offers."""

import asyncio
import concurrent.futures
import copy
import functools
import gc
import inspect
import math
import operator
import os
import pickle
import pydoc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fettle
import pytest

from .memos import CALLS, LONG, Programs, warned


def add(x: int, y: int = 2, *rest: int, scale: int = 1, **more: int) -> int:
    """Adds."""
    CALLS.append((x, y))
    return (x + y + sum(rest) + sum(more.values())) * scale


async def add_later(x: int, y: int = 2) -> int:
    CALLS.append((x, y))
    await asyncio.sleep(0)
    return x + y


class Adder:
    step = 5

    def __init__(self, start: int) -> None:
        self.start = start

    def method(self, x: int) -> int:
        CALLS.append((self.start, x))
        return self.start + x

    @classmethod
    def of_class(cls, x: int) -> int:
        CALLS.append((cls.__name__, x))
        return cls.step + x

    @staticmethod
    def of_none(x: int) -> int:
        CALLS.append(x)
        return x + 1

    async def later(self, x: int) -> int:
        CALLS.append((self.start, x))
        return self.start + x

    def __call__(self, x: int) -> int:
        CALLS.append((self.start, x))
        return self.start * x


def twice(call: Callable[[], Any]) -> Any:
    """The result of a call that is computed once and found once."""
    before = len(CALLS)
    first, second = call(), call()
    assert type(first) is type(second) and first == second
    assert len(CALLS) == before + 1
    return first


# ---- functions ----


def test_a_call_is_computed_once_however_it_is_written(memo: fettle.Memo) -> None:
    kept = memo(add)
    assert [kept(1), kept(1, 2), kept(x=1), kept(y=2, x=1), kept(1, scale=1)] == [3] * 5
    assert CALLS == [(1, 2)]
    assert kept(1, 3) == 4 and kept(1, 2, 3) == 6 and kept(1, more=3) == 6 and kept(1, scale=2) == 6
    assert len(CALLS) == 5
    assert kept(1.0) == 3.0 and kept(True) == 3  # equal, and of other types
    assert len(CALLS) == 7


def test_another_memo_of_the_folder_finds_it(memo: fettle.Memo) -> None:
    assert memo(add)(1) == fettle.Memo(memo.path)(add)(1) == fettle.Memo(memo.path, 10**8)(add)(1)
    assert CALLS == [(1, 2)]


@pytest.mark.parametrize("options", [{}, {"ttl": 100.0}, {"compress": True}, {"wait": False}])
def test_what_a_kept_function_offers(memo: fettle.Memo, options: dict[str, Any]) -> None:
    kept = memo(**options)(add)
    assert kept.peek(1) is None and not kept.cached(1) and not kept.forget(1)
    assert CALLS == []
    assert kept(1) == 3
    assert kept.peek(x=1) == 3 and kept.cached(1, y=2)
    assert kept.call(1) == 3 and CALLS == [(1, 2)] * 2
    assert kept.forget(1, 2) and not kept.forget(1) and not kept.cached(1)
    assert kept(1) == kept(1) == 3 and len(CALLS) == 3
    assert kept(2) == 4
    assert kept.clear() == 2 and kept.clear() == 0 and not kept.cached(2)
    assert kept.__wrapped__ is add


def test_call_replaces_what_is_kept(memo: fettle.Memo) -> None:
    now = [1]

    @memo(version=1)
    def read() -> int:
        return now[0]

    assert read() == 1
    now[0] = 2
    assert read() == 1 and read.call() == 2 and read() == 2


def test_clear_is_of_one_function(memo: fettle.Memo) -> None:
    one, other = memo(add), memo(Adder.of_none)
    one(1), other(1)
    assert one.clear() == 1
    assert other.cached(1)
    one(1)
    assert memo.clear() == 2
    assert not one.cached(1) and not other.cached(1)


def test_it_looks_like_the_function(memo: fettle.Memo) -> None:
    kept = memo(add)
    assert (kept.__name__, kept.__qualname__, kept.__doc__) == ("add", "add", "Adds.")
    assert kept.__module__ == add.__module__ and kept.__annotations__ == add.__annotations__
    assert inspect.signature(kept) == inspect.signature(add)
    text = pydoc.plain(pydoc.render_doc(kept))
    assert "add(x: int, y: int = 2, *rest: int" in text and "Adds." in text
    assert "add" in repr(kept)
    assert inspect.iscoroutinefunction(memo(add_later)) and not inspect.iscoroutinefunction(kept)
    kept.mine = 5
    assert kept.mine == 5 and vars(kept)["mine"] == 5
    with pytest.raises(AttributeError, match="unheard_of"):
        kept.unheard_of  # noqa: B018
    assert weakref.ref(kept)() is kept


def test_arguments_that_do_not_fit_are_refused_as_by_the_function(memo: fettle.Memo) -> None:
    kept = memo(Adder.of_none)
    for args, keywords in [((), {}), ((1, 2), {}), ((1,), {"x": 1}), ((), {"y": 1})]:
        with pytest.raises(TypeError) as given:
            kept(*args, **keywords)
        with pytest.raises(TypeError) as own:
            Adder.of_none(*args, **keywords)
        assert str(given.value) == str(own.value)
        for name in ("forget", "peek", "cached"):
            with pytest.raises(TypeError, match=r"argument"):
                getattr(kept, name)(*args, **keywords)
    assert CALLS == []


# ---- other callables ----


def test_methods_belong_to_the_state_of_the_instance(memo: fettle.Memo) -> None:
    class Own(Adder):
        kept = memo(Adder.method)

    one, equal, other = Own(1), Own(1), Own(2)
    assert one.kept(1) == equal.kept(1) == 2 and other.kept(1) == 3 and Own.kept(one, 1) == 2
    assert CALLS == [(1, 1), (2, 1)]
    assert one.kept.cached(1) and one.kept.peek(1) == 2
    assert one.kept.reference(1).get() == 2
    assert equal.kept.forget(1) and not one.kept.cached(1) and other.kept.cached(1)
    assert one.kept.call(1) == 2 and one.kept.cached(1)
    assert one.kept == one.kept and one.kept != other.kept and one.kept != equal.kept
    assert len({one.kept, one.kept, other.kept}) == 2
    assert inspect.signature(one.kept) is not None and one.kept.__name__ == "method"
    one.start = 7
    assert one.kept(1) == 8
    assert one.kept.clear() == 3


def test_methods_by_a_stated_key_or_none(memo: fettle.Memo) -> None:
    class Own(Adder):
        by_start = memo(key={"self": lambda self: self.start % 10})(Adder.method)
        for_all = memo(ignore=["self"])(Adder.method)

    assert Own(1).by_start(1) == 2 and Own(11).by_start(1) == 2 and Own(2).by_start(1) == 3
    assert Own(1).for_all(5) == 6 and Own(2).for_all(5) == 6
    assert CALLS == [(1, 1), (2, 1), (1, 5)]
    assert Own(21).by_start.forget(1) and Own(3).for_all.cached(5)


@pytest.mark.parametrize("above", [True, False])
def test_class_methods_and_static_methods(memo: fettle.Memo, above: bool) -> None:
    def made(kind: Any, function: Any) -> Any:
        return memo(kind(function)) if above else kind(memo(function))

    class Own(Adder):
        c = made(classmethod, Adder.of_class.__func__)
        s = made(staticmethod, Adder.of_none)

    class Other(Own):
        step = 50

    assert twice(lambda: Own.c(1)) == 6 and Own(1).c(1) == 6 and len(CALLS) == 1
    assert twice(lambda: Other.c(1)) == 51
    assert twice(lambda: Own.s(1)) == 2 and Own(1).s(1) == 2
    assert Own.s.cached(1) and Own.s.forget(1)
    assert twice(lambda: Own(1).s(1)) == 2


def test_a_property_above_it(memo: fettle.Memo) -> None:
    class Own(Adder):
        @property
        @memo
        def doubled(self) -> int:
            CALLS.append(self.start)
            return self.start * 2

    assert twice(lambda: Own(3).doubled) == 6 and Own(4).doubled == 8


def test_partials_lambdas_builtins_and_objects(memo: fettle.Memo) -> None:
    assert twice(lambda: memo(functools.partial(add, 1))(5)) == 6
    assert twice(lambda: memo(functools.partial(add, 2))(5)) == 7
    assert twice(lambda: memo(functools.partial(add, y=5))(1)) == 6
    one, other = memo(lambda x: x + 1), memo(lambda x: x + 2)
    assert [one(1), other(1), one(1), other(1)] == [2, 3, 2, 3]
    assert memo(math.sqrt)(4) == 2 and memo(math.floor)(4.5) == 4
    assert memo(max)(1, 3) == memo(max)(1, 3) == 3 and memo(min)(1, 3) == 1
    assert memo(operator.add)(1, 2) == 3 and memo(operator.sub)(1, 2) == -1
    assert twice(lambda: memo(Adder(3))(2)) == 6 and twice(lambda: memo(Adder(4))(2)) == 8
    assert twice(lambda: memo(Adder(3).method)(2)) == 5
    assert twice(lambda: memo(Adder(5).method)(2)) == 7


def test_decorated_functions(memo: fettle.Memo) -> None:
    def doubled(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def call(*args: Any, **keywords: Any) -> int:
            return 2 * function(*args, **keywords)

        return call

    assert twice(lambda: memo(doubled(add))(1)) == 6
    assert twice(lambda: memo(add)(1)) == 3
    assert twice(lambda: memo(memo(add))(4)) == 6
    assert twice(lambda: memo(ignore=["y"])(doubled(add))(7, 1)) == 16


def test_ignored_parameters_and_stated_keys(memo: fettle.Memo) -> None:
    kept = memo(ignore=["y"], key={"x": lambda x: x % 3})(add)
    assert kept(1, 5) == 6 and kept(4, 9) == 6 and kept(1, y=object()) == 6
    assert kept(2) == 4
    assert memo(ignore="y")(add)(1, 7) == 8
    rest = memo(ignore=["rest", "more"])(add)
    assert rest(1, 2, 3, z=5) == rest(1, 2) == 11


def test_version_stands_for_the_code(memo: fettle.Memo) -> None:
    def made(number: int, version: object) -> Any:
        def one() -> int:
            return number

        return memo(version=version)(one)

    assert made(1, 1)() == made(2, 1)() == 1
    assert made(3, 2)() == 3 and made(4, "1")() == 4 and made(5, (1, 2))() == 5
    assert made(6, (1, 2))() == 5


def test_depends(memo: fettle.Memo, tmp_path: Path) -> None:
    file = tmp_path / "data"
    for text, value in [("a", 1), ("b", 2), ("a", 1)]:
        file.write_text(text)

        def read(value: int = value) -> object:
            return value

        assert memo(version=1, depends=[file], ignore="value")(read)() == value
        assert memo(version=1, depends=[file], ignore="value")(read)(3) == value
    assert memo.stats().entries == 2


def test_a_file_of_depends_that_is_not_there_is_said(memo: fettle.Memo, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    calls: list[int] = []

    def read(value: int) -> int:
        return len(calls) if calls.append(value) is None else 0

    kept = memo(version=1, depends=[file])(read)
    with warned("rates.csv' can not be read (No such file or directory): name a file"):
        assert (kept(1), kept(1)) == (1, 2)
    file.write_text("1")
    kept = memo(version=1, depends=file)(read)
    assert (kept(1), kept(1)) == (3, 3)


def test_validate_decides(memo: fettle.Memo) -> None:
    facts: list[dict[str, Any]] = []
    answer: list[object] = [0]

    def good(entry: dict[str, Any]) -> Any:
        facts.append(entry)
        return answer[0]

    kept = memo(validate=good)(add)
    assert kept(1) == 3 and facts == []
    assert kept(1) == 3 and len(CALLS) == 2 and len(facts) == 1  # false: anew, asked once
    assert kept(1) == 3 and len(CALLS) == 3 and len(facts) == 2
    assert not kept.cached(1) and kept.peek(1) is None
    answer[0] = [1]
    assert kept(1) == 3 and len(CALLS) == 3
    assert kept.cached(1) and kept.peek(x=1) == 3
    assert set(facts[0]) == {"time", "duration", "used", "bytes", "args", "kwargs", "input_args"}
    assert facts[0]["args"] == (1,) and facts[-1]["input_args"] == {"x": 1}


def test_a_validation_that_fails_is_the_programs_own(memo: fettle.Memo) -> None:
    def fails(entry: dict[str, Any]) -> bool:
        raise KeyError("mine")

    kept = memo(validate=fails)(add)
    assert kept(1) == 3
    for call in (kept, kept.peek, kept.cached):
        with pytest.raises(KeyError, match="mine"):
            call(1)


# ---- coroutines ----


def test_coroutine_functions(memo: fettle.Memo) -> None:
    kept = memo(add_later)

    async def use() -> None:
        assert await kept(1) == await kept(x=1, y=2) == 3
        assert CALLS == [(1, 2)]
        assert kept.cached(1) and kept.peek(1) == 3
        assert await kept.call(1) == 3 and len(CALLS) == 2
        reference = await kept.reference(5)
        assert reference.get() == 7 and len(CALLS) == 3
        assert kept.forget(1) and await kept(1) == 3 and kept.clear() == 2

    asyncio.run(use())
    assert kept.__wrapped__ is add_later and kept.__name__ == "add_later"


def test_coroutine_methods(memo: fettle.Memo) -> None:
    class Own(Adder):
        kept = memo(Adder.later)

    async def use() -> None:
        one = Own(1)
        assert await one.kept(1) == await Own(1).kept(1) == 2 and await Own(2).kept(1) == 3
        assert Own.kept.cached(one, 1) and one.kept.forget(one, 1)
        with pytest.raises(TypeError):
            one.kept.cached(1)  # a function does not know of which instance it is asked for

    asyncio.run(use())
    assert CALLS == [(1, 1), (2, 1)]


def test_one_upon_the_other(memo: fettle.Memo, tmp_path: Path) -> None:
    other = fettle.Memo(tmp_path / "other")

    async def use() -> None:
        upper = memo(other(add_later))
        assert await upper(1) == 3 and upper.cached(1) and upper.forget(1)
        assert await upper(1) == 3 and CALLS == [(1, 2)]

    asyncio.run(use())
    upper = memo(other(add))
    assert upper(1) == 3 and upper.forget(1) and upper(1) == 3 and len(CALLS) == 2


# ---- references ----


def test_references(memo: fettle.Memo, programs: Programs) -> None:
    kept = memo(add)
    reference = kept.reference(1)
    assert CALLS == [(1, 2)] and kept.reference(x=1).get() == 3 and len(CALLS) == 1
    moved = pickle.dumps(reference)
    assert len(moved) < 500 and "add" in repr(reference)
    text = f"import pickle; print(pickle.loads({moved!r}).get())"
    assert programs.run(text) == ["3"]
    assert reference.forget() and not reference.forget()
    for gone in (reference, pickle.loads(moved)):
        with pytest.raises(LookupError, match=r"no longer kept in .*: call the function\.$"):
            gone.get()
    assert kept(1) == 3 and reference.get() == 3
    memo.clear()
    with pytest.raises(LookupError):
        reference.get()


def test_a_reference_outlives_the_memo(tmp_path: Path) -> None:
    reference = fettle.Memo(tmp_path / "s")(add).reference(4)
    gc.collect()
    assert reference.get() == 6


# ---- the whole ----


def test_stats(memo: fettle.Memo) -> None:
    assert memo.stats()[1:2] == (0,)
    kept = memo(add)
    for number in range(10):
        kept(number)
    for _ in range(3):
        kept(1)
    memo(Adder.of_none)(b"x" * 50000 and 1)
    stats = memo.stats()
    assert stats.path == memo.path and stats.max_bytes == 2 * 10**9
    assert (stats.entries, stats.hits, stats.misses) == (11, 3, 11)
    assert {each.name.rpartition(".")[2]: each.entries for each in stats.functions} == {
        "add": 10,
        "of_none": 1,
    }
    assert stats.bytes >= sum(each.bytes for each in stats.functions) > 0
    memo.clear()
    assert memo.stats().entries == 0


def test_reduce(memo: fettle.Memo) -> None:
    kept = memo(add)
    for number in range(20):
        kept(number)
    assert memo.reduce(max_items=5) == 15 and memo.stats().entries == 5
    assert memo.reduce() == 0 and memo.reduce(max_age=1000) == 0
    assert memo.reduce(max_items=0) == 5
    for number in range(20):
        assert kept(number) == number + 2


def test_close_is_no_end(memo: fettle.Memo) -> None:
    kept = memo(add)
    kept(1)
    memo.close()
    memo.close()
    assert kept(1) == 3 and kept(2) == 4 and CALLS == [(1, 2), (2, 2)]


def test_memos_are_pickled_and_copied(memo: fettle.Memo) -> None:
    class Mine(fettle.Memo):
        pass

    memo(add)(1)
    for made in (pickle.loads(pickle.dumps(memo)), copy.copy(memo), copy.deepcopy(memo)):
        assert made.path == memo.path and made(add)(1) == 3
    assert type(copy.copy(Mine(memo.path, ttl=5, wait=False))) is Mine
    assert CALLS == [(1, 2)]


# ---- kept functions, pickled ----


def test_kept_functions_are_pickled_by_name(programs: Programs) -> None:
    text = """
    import concurrent.futures, copy, multiprocessing, pickle, sys
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    @memo
    def square(x):
        note(x)
        return x * x
    class Own:
        def __init__(self, start): self.start = start
        @memo
        def m(self, x):
            note(x)
            return self.start + x
    if __name__ == "__main__":
        assert pickle.loads(pickle.dumps(square)) is square
        assert copy.copy(square) is square and copy.deepcopy([square])[0] is square
        assert pickle.loads(pickle.dumps(Own("3").m))("1") == "31"
        for kind in ("spawn", "fork"):
            context = multiprocessing.get_context(kind)
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                print(list(pool.map(square, [1, 2, 3])), list(pool.map(Own(kind).m, "ab")))
    """
    path = programs.folder / "program.py"
    spawned, forked = programs.run(text, path=path)
    assert spawned == "[1, 4, 9] ['spawna', 'spawnb']"
    assert forked == "[1, 4, 9] ['forka', 'forkb']"
    assert sorted(programs.notes) == sorted("1123aabb")


def test_what_has_no_name_is_not_pickled(
    memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for by_value in ("joblib.externals.cloudpickle", "cloudpickle"):
        monkeypatch.delitem(sys.modules, by_value, raising=False)
    for kept in (memo(lambda x: x), memo(functools.partial(add, 1)), memo(Adder(1))):
        with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
            pickle.dumps(kept)
        assert copy.deepcopy(kept) is kept


def test_a_pool_of_threads(memo: fettle.Memo) -> None:
    kept = memo(add)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(kept, [1, 2, 3, 4] * 50, timeout=LONG))
    assert found == [3, 4, 5, 6] * 50 and sorted(CALLS) == [(n, 2) for n in (1, 2, 3, 4)]


def test_a_fork_goes_on_with_the_store(memo: fettle.Memo) -> None:
    kept = memo(add)
    kept(1)
    read, write = os.pipe()
    for number in (1, 2, 3):
        child = os.fork()
        if child == 0:
            os.write(write, b"%d" % (kept(number) * 10 + len(CALLS)))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 100) == b"31" + b"42" + b"52"
    os.close(read), os.close(write)
    assert kept.cached(2) and kept(3) == 5 and CALLS == [(1, 2)]
