# SPDX-License-Identifier: Apache-2.0
"""What programs do around kept functions: pools within them, workers, classes that are patched."""

import asyncio
import inspect
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle.caching import place
from fettle.caching.kept import Kept

from .memos import CALLS, LONG, Programs, Threads, sentence


def test_a_coroutine_that_gathers_itself(memo: fettle.Memo) -> None:
    @memo(ignore=["inner"])
    async def kept(x: int, inner: bool = False) -> int:
        CALLS.append(x)
        return x if inner else (await asyncio.gather(kept(x, True)))[0]

    assert asyncio.run(asyncio.wait_for(kept(3), LONG)) == 3
    assert CALLS == [3, 3]


def test_a_pools_task_that_waits_for_its_caller(
    memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sees that the two wait for each other, but that nothing moves."""
    monkeypatch.setattr(place, "STANDS_STILL", 0.2)
    monkeypatch.setattr(place, "SLICE", 0.05)
    with ThreadPoolExecutor(1) as pool:

        @memo(ignore=["inner"])
        def kept(x: int, inner: bool = False) -> int:
            CALLS.append(x)
            return x if inner else pool.submit(kept, x, True).result(LONG)

        assert kept(3) == 3
    assert CALLS == [3, 3]


def test_who_works_is_waited_for(memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "STANDS_STILL", 0.3)
    monkeypatch.setattr(place, "SLICE", 0.05)

    @memo
    def kept(x: int) -> int:
        CALLS.append(x)
        until = time.process_time() + 1.0
        while time.process_time() < until:
            sum(range(1000))
        return x

    assert Threads([lambda: kept(1)] * 3).join() == [1, 1, 1]
    assert CALLS == [1]


def test_the_code_of_key_functions_counts(programs: Programs) -> None:
    text = """
    class Own:
        def __init__(self, a, b): self.a, self.b = a, b
        @memo(key={"self": lambda self: self.KEY})
        def both(self): return self.a, self.b
    print(Own(1, 2).both(), Own(1, 3).both())
    """
    assert programs.run(text.replace("KEY", "a"), path=programs.folder / "p.py") == [
        "(1, 2) (1, 2)"
    ]
    assert programs.run(text.replace("KEY", "b"), path=programs.folder / "p.py") == [
        "(1, 2) (1, 3)"
    ]


class Rates:
    RATE = 2

    def rated(self, x: int) -> int:
        return x * self.RATE


RATES = Rates()


def test_a_patched_class_is_seen_at_the_next_miss(
    memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    @memo
    def kept(x: int) -> int:
        return RATES.rated(x)

    assert kept(1) == 2
    monkeypatch.setattr(Rates, "RATE", 5)
    assert kept(2) == 10 and kept(1) == 5
    monkeypatch.setattr(Rates, "rated", lambda self, x: -x)
    assert kept(3) == -3 and kept(2) == -2 and kept(1) == -1


def test_warnings_that_are_errors(programs: Programs) -> None:
    """A call gives its result however warnings are filtered; the sentence is said all the same."""
    text = """
    bad = fettle.Memo(__file__)
    @bad
    def f(x): return x
    @memo
    def g(x): return lambda: x
    print(f(1), f(1), g(3)(), g(3)())
    """
    path = programs.folder / "program.py"
    assert programs.run(text, "-Werror", path=path, says="can not be kept") == ["1 1 3 3"]


def test_hits_of_workers_count(programs: Programs) -> None:
    text = """
    import concurrent.futures, multiprocessing
    @memo
    def square(x): return x * x
    if __name__ == "__main__":
        [square(x) for x in range(3)]
        for kind in ("fork", "forkserver", "spawn"):
            context = multiprocessing.get_context(kind)
            with context.Pool(2) as pool:
                pool.map(square, [0, 1, 2] * 5)
                pool.close()
                pool.join()
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                list(pool.map(square, [0, 1, 2] * 5))
            print(kind, *[(each.hits, each.misses) for each in memo.stats().functions])
    """
    found = programs.run(text, path=programs.folder / "program.py")
    assert found == ["fork (30, 3)", "forkserver (60, 3)", "spawn (90, 3)"]


def test_joblibs_workers_get_functions_of_the_script(programs: Programs) -> None:
    pytest.importorskip("joblib")
    text = """
    from joblib import Parallel, delayed
    @memo
    def square(x):
        note(x)
        return x * x
    def outer(k):
        @memo
        def times(x):
            note(f"times {x}")
            return x * k
        return Parallel(2)(delayed(times)(x) for x in range(3))
    print(Parallel(2)(delayed(square)(x) for x in range(3)), outer(3), outer(3))
    print([square(x) for x in range(3)])
    """
    found = programs.run(text, path=programs.folder / "program.py")
    assert found == ["[0, 1, 4] [0, 3, 6] [0, 3, 6]", "[0, 1, 4]"]
    assert sorted(programs.notes) == ["0", "1", "2", "times 0", "times 1", "times 2"]


def test_references_of_what_is_not_kept(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path, max_bytes=100_000)

    @memo
    def large(n: int) -> bytes:
        CALLS.append(n)
        return bytes(n)

    CALLS.clear()
    with pytest.warns(UserWarning, match="larger than half"):
        reference = large.reference(200_000)
    assert reference.get() == pickle.loads(pickle.dumps(reference)).get() == bytes(200_000)
    assert CALLS == [200_000]
    assert reference.forget()
    with pytest.raises(LookupError, match="no longer kept"):
        reference.get()


def test_methods_look_like_methods(memo: fettle.Memo) -> None:
    class Own:
        @memo
        def method(self, x: int, *, y: str = "") -> str:
            """What it does."""
            return str(x) + y

        @memo
        @classmethod
        def of_class(cls, x: int) -> int:
            CALLS.append(x)
            return x

    own: Any = Own()
    assert str(inspect.signature(own.method)) == "(x: int, *, y: str = '') -> str"
    assert own.method.__doc__ == "What it does."
    for asked in (Own, own):
        assert asked.of_class(3) == 3 and asked.of_class.cached(3)
    assert CALLS == [3]
    assert own.of_class.forget(3) and not Own.of_class.cached(3)


def test_options_that_say_nothing_or_too_much(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path)

    def function(x: int) -> int:
        return x

    text = sentence(lambda: fettle.Memo(tmp_path, key=b"0123456789abcdef"), ValueError)
    assert "key=" in text and "folder" in text
    assert "trusted=" in sentence(lambda: fettle.Memo(tmp_path, trusted=True), ValueError)
    both = memo(ignore=["x"], key={"x": abs})
    assert "'x'" in sentence(lambda: both(function), ValueError)


def test_many_threads_open_one_folder(tmp_path: Path) -> None:
    begin = threading.Barrier(8)

    def opened() -> Any:
        begin.wait()
        return fettle.Memo(tmp_path / "store")._place

    places = Threads([opened] * 8).join()
    assert len({id(each) for each in places}) == 1


def test_counts_while_functions_are_made(memo: fettle.Memo) -> None:
    """Statistics do not stumble over functions that other threads decorate."""
    end = threading.Event()

    def decorate() -> None:
        while not end.is_set():
            memo(lambda x: x)

    threads = Threads([decorate] * 2)
    for _ in range(30):
        memo.stats()
    end.set()
    assert threads.join() == [None, None]
    assert isinstance(memo(lambda x: x).handle, Kept)  # type: ignore[attr-defined]


def test_methods_of_the_script_in_spawned_workers(programs: Programs) -> None:
    """There the script is another module, and its classes are the same ones."""
    text = """
    import multiprocessing
    class Own:
        def __init__(self, start): self.start = start
        @memo
        def method(self, x):
            note(x)
            return self.start + x
    if __name__ == "__main__":
        print([Own(10).method(x) for x in range(3)])
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(Own(10).method, range(3)))
    """
    found = programs.run(text, path=programs.folder / "program.py")
    assert found == ["[10, 11, 12]"] * 2 and sorted(programs.notes) == ["0", "1", "2"]
