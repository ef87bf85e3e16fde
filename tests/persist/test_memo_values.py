# SPDX-License-Identifier: Apache-2.0
"""What comes out of a store is what went in, fresh each time, and never a way to change it."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

import fettle
import pytest

from .memos import CALLS, Programs, warned

VALUES: list[Any] = [
    None, NotImplemented, ..., True, 0, -1, 2**200, 1.5, float("inf"), 1j, "", "text", "\udc80",
    b"", b"bytes", bytearray(b"x"), (), (1, (2,)), [], [[1], "a"], {}, {"b": 1, "a": [2]},
    {1: 2, "1": 3, None: 4}, set(), {1, "a"}, frozenset({(1,)}), range(5), int, len, Path("a/b"),
    "x" * 100_000, b"y" * 100_000, list(range(20_000)), {str(n): n for n in range(5000)},
]  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"compress": True}, {"mmap": False}, {"mmap": "r"}])
def test_values(options: dict[str, Any], memo: fettle.Memo) -> None:
    @memo(**options)
    def kept(number: int) -> Any:
        CALLS.append(number)
        return VALUES[number]

    for number, value in enumerate(VALUES):
        for found in (kept(number), kept(number), kept.peek(number), kept.reference(number).get()):
            assert type(found) is type(value) and found == value, value
            if isinstance(value, dict):
                assert list(found) == list(value)
    assert len(CALLS) == len(VALUES)


@pytest.mark.parametrize("error", [ValueError("a", 1), KeyboardInterrupt(), StopIteration(5)])
def test_exceptions_that_are_returned(error: BaseException, memo: fettle.Memo) -> None:
    kept = memo(version=str(error))(lambda: CALLS.append(1) or error)
    for _ in range(3):
        found = kept()
        assert type(found) is type(error) and found.args == error.args
    assert len(CALLS) == 1


def test_a_hit_is_fresh_each_time(memo: fettle.Memo) -> None:
    @memo
    def kept() -> dict[str, Any]:
        return {"list": [1, [2]], "bytes": bytearray(b"abc" * 10_000)}

    kept()
    for _ in range(3):
        found = kept()
        assert found == {"list": [1, [2]], "bytes": b"abc" * 10_000}
        found["list"][1].append(3)
        found["bytes"][:] = b"z" * 5
        found["more"] = 1


def test_what_is_kept_is_as_it_was_at_the_end_of_the_call(memo: fettle.Memo) -> None:
    @memo
    def kept() -> list[int]:
        return [1]

    first = kept()
    first.append(2)
    assert kept() == [1]


def test_the_parts_of_a_value_are_shared_as_they_were(memo: fettle.Memo) -> None:
    @memo
    def kept() -> Any:
        inner: list[Any] = [1]
        inner.append(inner)
        return inner, inner, {"a": inner}

    kept()
    one, two, three = kept()
    assert one is two is three["a"] is one[1]


def test_arrays(memo: fettle.Memo) -> None:
    numpy = pytest.importorskip("numpy")

    def large() -> Any:
        CALLS.append(1)
        return numpy.arange(500_000, dtype="i8")

    private, read_only, copied = memo(large), memo(mmap="r")(large), memo(mmap=False)(large)
    private()
    for kept in (private, read_only, copied):
        for _ in range(2):
            found = kept()
            assert (found == numpy.arange(500_000)).all() and found.dtype == numpy.int64
            assert found.flags.writeable == (kept is not read_only)
            if kept is read_only:
                with pytest.raises(ValueError):
                    found[0] = 1
            else:
                found[:] = -1  # the program's own
    held = private()
    memo.clear()
    private.call()
    assert (held == numpy.arange(500_000)).all()  # its entry is gone, it is not
    assert len(CALLS) == 2
    small = memo(lambda: numpy.ones(3))
    small()[0] = 5
    small()[0] = 5
    assert small().tolist() == [1, 1, 1]
    for made in ([numpy.eye(300), {"a": numpy.zeros(0)}], numpy.asfortranarray(numpy.eye(200))):
        kept = memo(version=len(made))(lambda made=made: made)
        kept()
        assert repr(kept()) == repr(made)


def test_compression_takes_less(memo: fettle.Memo) -> None:
    def text(x: int) -> str:
        return f"{x} and the like, " * 5000

    plain, small = memo(version=1)(text), memo(version=2, compress=9)(text)
    plain(1)
    before = memo.stats().bytes
    small(1)
    assert memo.stats().bytes - before < len(text(1)) / 5
    assert plain(1) == small(1) == text(1)


def test_what_can_not_be_pickled_is_given_with_one_warning(memo: fettle.Memo) -> None:
    @memo
    def kept(x: int) -> Any:
        CALLS.append(x)
        return [x, threading.Lock(), (n for n in range(x))]

    with warned("can not be kept"):
        for _ in range(3):
            assert kept(1)[0] == 1 and kept(2)[0] == 2
        assert not kept.cached(1) and len(CALLS) == 6
        assert kept.reference(1).get()[0] == 1  # which holds it itself
    memo.stats()


def test_depth(memo: fettle.Memo) -> None:
    """A value that is too deep is given, and not kept."""

    @memo
    def kept(depth: int) -> Any:
        made: Any = []
        for _ in range(depth):
            made = [made]
        return made

    def depth_of(value: Any) -> int:
        depth = 0
        while value:
            value, depth = value[0], depth + 1
        return depth

    assert depth_of(kept(50)) == depth_of(kept(50)) == 50 and kept.cached(50)
    with warned("can not be kept"):
        for _ in range(2):
            assert depth_of(kept(200_000)) == 200_000


def test_classes_that_are_gone(programs: Programs) -> None:
    """A result of a class that this program has not is computed again, here by another way."""
    (programs.folder / "things.py").write_text("class Thing:\n    x = 1\n")
    text = """
    import sys
    sys.path.insert(0, os.getcwd())
    @memo(version=1)
    def run():
        note("computed")
        try:
            from things import Thing
            return Thing()
        except ImportError:
            return "none"
    print(type(run()).__name__, type(run()).__name__)
    """
    assert programs.run(text) == ["Thing Thing"]
    assert len(programs.notes) == 1
    (programs.folder / "things.py").unlink()
    assert programs.run(text, says="can not be made an object again") == ["str str"]
    assert len(programs.notes) == 2


def test_what_another_process_changes_is_seen_at_once(memo: fettle.Memo) -> None:
    """Also of results that this one has just read, again and again."""
    now: list[Any] = [None]
    kept = memo(version=1)(lambda x: now[0])

    def elsewhere(does: Any) -> None:
        child = os.fork()
        if child == 0:
            try:
                does()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0

    def replace(value: Any) -> None:
        now[0] = value
        kept.call(1)

    for number in range(30):
        for value in (number, [number], "x" * (number * 1000), None, b"y" * 50_000):
            elsewhere(lambda value=value: replace(value))
            now[0] = "not kept"
            assert kept(1) == kept(1) == kept(1) == kept.peek(1) == value
        ends = [lambda: kept.forget(1), kept.clear, memo.clear, lambda: memo.reduce(max_items=0)]
        elsewhere(ends[number % 4])
        assert not kept.cached(1)
        now[0] = number
        assert kept(1) == number


def test_large_values(memo: fettle.Memo) -> None:
    kept = memo(lambda length: b"\x07" * length)
    for power in range(10, 26):
        for length in (2**power - 1, 2**power):
            assert kept(length) == kept(length) == b"\x07" * length
    assert sys.getsizeof(kept(2**25)) > 2**25


def test_pandas(memo: fettle.Memo) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(1000), "b": [str(n) for n in range(1000)]})

    @memo
    def kept(frame: Any, factor: int) -> Any:
        CALLS.append(factor)
        return frame.assign(c=frame.a * factor)

    for _ in range(2):
        found = kept(frame, 3)
        assert found.equals(frame.assign(c=frame.a * 3))
        found["a"] = 0
    assert len(CALLS) == 1
    frame.loc[3, "a"] = -7
    assert kept(frame, 3).c[3] == -21 and len(CALLS) == 2


class Fickle:
    """Can be pickled, and not be made again."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


def test_what_can_not_be_made_again_is_computed_and_said_once(memo: fettle.Memo) -> None:
    @memo
    def kept(x: int) -> Any:
        CALLS.append(x)
        return Fickle()

    with warned("can not be made an object again"):
        for _ in range(3):
            assert type(kept(1)) is Fickle
    assert CALLS == [1, 1, 1] and not kept.cached(1)
