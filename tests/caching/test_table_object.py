# SPDX-License-Identifier: Apache-2.0
"""A table as an object: its answers, its buffer, its life, and who may call it meanwhile."""

import copy
import functools
import gc
import inspect
import io
import itertools
import math
import pickle
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from enum import Flag
from typing import Any

import fettle
import pytest
from fettle import _core

from .members import Colour, Level, Odd, Same, one, outcome


@pytest.mark.parametrize(
    ("answers", "form"),
    [
        ([0, 1, -1, 2**63 - 1, -(2**63)], "q"),
        ([0.0, -0.0, 1.5, math.inf, 1e-310], "d"),
        ([1, 2, 3.0], None),
        ([1, 2, True], None),
        ([1.0, 2], None),
        ([1, 2**63], None),
        ([-(2**63) - 1, 1], None),
        (["a", 1, 1.0], None),
        ([None], None),
        ([Odd(1), 1], None),
        ([Level.LOW], None),
        (list(range(1000, 1500)), "q"),
        (list(range(-2500, 2500)), "q"),
        ([n / 7 for n in range(5000)], "d"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_packed_answers(answers: list[Any], form: str | None) -> None:
    table = fettle.table(range(len(answers)))(lambda n: answers[n])

    def check() -> None:
        for place, answer in enumerate(answers):
            assert repr(table(place)) == repr(answer)
            assert type(table(place)) is type(answer)

    check()
    if form is None:
        with pytest.raises(BufferError, match="neither all int"):
            memoryview(table)
        assert all(a is b for a, b in zip(table.values[-1:], answers[-1:], strict=True))
    else:
        view = memoryview(table)
        assert bytes(view) == struct.pack(f"{len(answers)}{form}", *answers)
        assert (view.format, view.shape, view.readonly) == (form, (len(answers),), True)
        assert view.itemsize == 8
    assert list(map(repr, table.values)) == list(map(repr, answers))
    assert table.values is table.values
    check()


def test_the_buffer_has_a_dimension_for_each_domain() -> None:
    table = fettle.table(range(2), "abc", bool)(lambda a, b, c: a * 100 + ord(b) * 2 + c)
    view = memoryview(table)
    assert (view.shape, view.strides, view.ndim) == ((2, 3, 2), (48, 16, 8), 3)
    assert view.c_contiguous
    for (a, i, c), answer in zip(
        itertools.product(range(2), range(3), range(2)), table.values, strict=True
    ):
        assert view[a, i, c] == answer == table(a, "abc"[i], c)
    assert view.tobytes() == struct.pack("12q", *table.values)
    with pytest.raises(TypeError):
        view[0, 0, 0] = 1
    with pytest.raises(TypeError):
        io.BytesIO(b"12345678").readinto(table)
    alive = weakref.ref(table)
    del table
    assert view[1, 2, 1] == 100 + ord("c") * 2 + 1
    assert alive() is not None
    del view
    gc.collect()
    assert alive() is None


def test_numpy_reads_it() -> None:
    numpy = pytest.importorskip("numpy")
    table = fettle.table(range(5), range(7))(lambda a, b: a**b)
    array = numpy.asarray(table)
    assert array.dtype == numpy.int64
    assert (array == numpy.array([[a**b for b in range(7)] for a in range(5)])).all()
    assert not array.flags.writeable
    roots = numpy.asarray(fettle.table(range(100))(math.sqrt))
    assert (roots == numpy.sqrt(numpy.arange(100))).all()
    assert numpy.frombuffer(table, dtype=numpy.int64).sum() == sum(table.values)


# ---- what it is beside a function ----


@fettle.table(range(8))
def ones(n: int) -> int:
    """How many bits are 1."""
    return n.bit_count()


class Holder:
    @fettle.table(range(3))
    def held(n: int) -> int:
        return n


def test_it_has_what_the_function_had() -> None:
    assert (ones.__name__, ones.__qualname__, ones.__module__) == ("ones", "ones", __name__)
    assert ones.__doc__ == "How many bits are 1."
    assert inspect.signature(ones) == inspect.signature(ones.__wrapped__)
    assert ones.__wrapped__(15) == 4
    assert repr(ones) == "<fettle.table ones over range(0, 8)>"
    assert ones.domains == (range(8),)
    assert len(ones) == 8
    assert callable(ones)

    def marked(n: int) -> int:
        return n

    marked.mark = "kept"  # type: ignore[attr-defined]
    table = fettle.table(range(2))(marked)
    assert table.mark == "kept"
    expected = vars(functools.update_wrapper(functools.partial(one), marked))
    assert dict(vars(table)) == expected
    again = fettle.table(range(2), Colour)(lambda n, c: marked(n))
    assert repr(again).endswith(".<lambda> over range(0, 2) x Colour>")


def test_it_can_not_be_changed() -> None:
    for name in ("x", "__doc__", "domains", "values", "__wrapped__", "__dict__"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(ones, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(ones, name)
    with pytest.raises(TypeError):
        vars(ones)["x"] = 1
    with pytest.raises(TypeError):
        _core.LookupTable.x = 1
    given = [1, 2, 3]
    table = fettle.table(given)(one)
    given[0] = 9
    assert table(1) == 1
    with pytest.raises(KeyError):
        table(9)


def test_pickle_copy_weakref() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(ones, protocol)) is ones
    assert pickle.loads(pickle.dumps(Holder.held)) is Holder.held
    assert copy.copy(ones) is ones
    assert copy.deepcopy([ones])[0] is ones
    assert weakref.ref(ones)() is ones
    assert {ones: 1}[ones] == 1
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(fettle.table(range(2))(lambda n: n))
    nameless = fettle.table(range(2))(functools.partial(math.pow, 2))
    with pytest.raises(TypeError, match="no name to pickle it by"):
        pickle.dumps(nameless)


def test_its_size_is_what_it_takes() -> None:
    small, large = (fettle.table(range(n))(one) for n in (100, 1100))
    assert sys.getsizeof(large) - sys.getsizeof(small) == 8000
    named = fettle.table(["a"])(one)
    many = fettle.table([str(n) for n in range(1000)])(one)
    assert 16_000 < sys.getsizeof(many) - sys.getsizeof(named) < 60_000


def test_the_core_refuses_what_is_no_domain() -> None:
    def made(domains: Any, names: Any = ("n",), defaults: Any = ()) -> object:
        return _core.LookupTable(one, domains, names, defaults, {}, None, "title")

    for domains, names, defaults, error in [
        ((), (), (), ValueError),
        (([1],), ("n",), (), TypeError),
        ((range(2),), (), (), ValueError),
        ((range(2),), ("n",), (1, 2), ValueError),
        (((1, []),), ("n",), (), TypeError),
        ((range(2**60), range(64)), ("a", "b"), (), OverflowError),
        ((range(2**70),), ("a",), (), OverflowError),
    ]:
        with pytest.raises(error):
            made(domains, names, defaults)


# ---- lazily, threads, recursion ----


def test_lazy() -> None:
    calls: list[int] = []

    def f(n: int) -> int:
        calls.append(n)
        return n * n

    for use in (
        lambda t: t(2),
        lambda t: t.values,
        memoryview,
        lambda t: t(n=1),
        lambda t: outcome(lambda: t(99)),
    ):
        calls.clear()
        table = fettle.table(range(5), lazy=True)(f)
        assert (len(table), table.domains, repr(table)[:14], calls) == (
            5,
            (range(5),),
            "<fettle.table ",
            [],
        )
        use(table)
        assert calls == [0, 1, 2, 3, 4]
        assert [table(n) for n in range(5)] == [0, 1, 4, 9, 16]
        assert calls == [0, 1, 2, 3, 4]


def test_recursion_finds_what_is_known() -> None:
    calls: list[int] = []

    def plain(n: int) -> int:
        calls.append(n)
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci = fettle.table(range(90), lazy=True)(plain)
    a, b = 0, 1
    for n in range(90):
        assert fibonacci(n) == a
        a, b = b, a + b
    assert calls == list(range(90))


def test_recursion_upwards_calls_the_function() -> None:
    def collatz(n: int) -> int:
        return 0 if n == 1 else 1 + steps(n // 2 if n % 2 == 0 else 3 * n + 1)

    def right(n: int) -> int:
        count = 0
        while n != 1:
            n, count = n // 2 if n % 2 == 0 else 3 * n + 1, count + 1
        return count

    steps: Any = fettle.table(range(1, 100), lazy=True, compute=True)(collatz)
    assert steps.values == tuple(map(right, range(1, 100)))
    assert steps(871) == right(871)


def test_what_is_known_early_may_be_packed_or_not() -> None:
    seen: list[Any] = []
    answers: list[Any] = [1, 2**40, 2.5, "text", None, 7]

    def f(n: int) -> Any:
        seen.append([table(earlier) for earlier in range(n)])
        return answers[n]

    table = fettle.table(range(6), lazy=True)(f)
    assert table(5) == 7
    assert seen == [answers[:n] for n in range(6)]


def test_values_within_their_own_making() -> None:
    def f(n: int) -> int:
        with pytest.raises(RuntimeError, match="is being built by this thread"):
            _ = table.values
        with pytest.raises(RuntimeError, match="is being built by this thread"):
            memoryview(table)
        return n

    table = fettle.table(range(3), lazy=True)(f)
    assert table.values == (0, 1, 2)


def test_other_threads_do_not_wait() -> None:
    inside, go_on = threading.Event(), threading.Event()
    builder = threading.current_thread()

    def f(n: int) -> int:
        if n == 1 and threading.current_thread() is builder:
            inside.set()
            assert go_on.wait(30)
        return n * 10

    found: list[Any] = []

    def other() -> None:
        assert inside.wait(30)
        try:
            found.extend([table(0), table(2), table(n=1), table.values, memoryview(table)[2]])
            found.append(table(2))
        finally:
            go_on.set()

    table = fettle.table(range(3), lazy=True)(f)
    thread = threading.Thread(target=other)
    thread.start()
    assert table(1) == 10
    thread.join()
    assert found == [0, 20, 10, (0, 10, 20), 20, 20]
    assert table.values == (0, 10, 20)


def test_many_threads() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            table = fettle.table(range(50), "ab", lazy=True)(lambda n, c: (n, c))
            wrong: list[Any] = []
            start = threading.Barrier(8)

            def work(
                table: Any = table, wrong: list[Any] = wrong, start: threading.Barrier = start
            ) -> None:
                start.wait()
                for n in range(50):
                    if table(n, "b") != (n, "b"):
                        wrong.append(n)
                if len(table.values) != 100:
                    wrong.append("values")

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert wrong == []
    finally:
        sys.setswitchinterval(interval)


# ---- references ----


def counts(*objects: object) -> list[int]:
    return [sys.getrefcount(one) for one in objects]


def test_references_are_exact() -> None:
    big, text, colour, twin, answer = 10**25, "".join(["a", "b"]), Colour.RED, Same(5), object()
    table = fettle.table([10**25, "ab", Colour.RED, Same(5), Same(2), 3.5])(lambda key: answer)
    defaulted = fettle.table(range(3), "ab", default=answer)(lambda a, b="a": answer)
    computed = fettle.table(range(3), compute=True)(lambda n: answer)
    lost = object()
    watched = (big, text, colour, twin, answer, lost, table, defaulted, computed)

    def use() -> None:
        for key in (big, text, colour, twin):
            table(key)
            with pytest.raises(KeyError):
                table(lost)
        with pytest.raises(TypeError):
            table([])
        defaulted(1)
        defaulted(a=2, b=text)
        defaulted(lost, b=lost)
        computed(lost)
        computed(True)
        with pytest.raises(TypeError):
            table()
        with pytest.raises(TypeError):
            table(lost, lost, k=lost)
        _ = table.values, table.domains, vars(table), repr(table), table.__reduce__()
        with pytest.raises(BufferError):
            memoryview(table)

    use()
    gc.collect()
    before = counts(*watched)
    for _ in range(50):
        use()
    gc.collect()
    assert counts(*watched) == before


def test_nothing_leaks() -> None:
    program = """
import gc, sys, fettle

class Key:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n % 2
    def __eq__(self, other): return self.n == other.n

def build():
    keys = [Key(n) for n in range(20)]
    one = fettle.table(keys, range(3), default=[])(lambda key, n: [key, n])
    two = fettle.table(range(300))(lambda n: n * 1000)
    three = fettle.table(range(30), lazy=True)(lambda n: float(n) if n < 20 else "spilled")
    for n in range(20):
        one(Key(n), 1), one(Key(99), 1), two(n), three(n)
        try: two(-1)
        except IndexError: pass
    two.values, memoryview(two)
    try: fettle.table(range(9))(lambda n: 1 / (5 - n))
    except ZeroDivisionError: pass
    try: fettle.table([1, []])
    except TypeError: pass
    def cyclic(n): return [table]
    table = fettle.table(range(2), lazy=True)(cyclic)
    table(1)

def after(rounds):
    for _ in range(rounds):
        build()
        gc.collect() # it empties the free lists, which count as allocated
    return sys.getallocatedblocks()

before = after(300) # caches fill
print(after(400) - before)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(ended.stdout) < 200, ended.stdout  # one block for each round would be 400


@pytest.mark.parametrize("more", ["kept, *rest", "len, *rest, (kept,)"])
def test_endless_nesting_is_let_go(more: str) -> None:
    program = f"""
import threading
from fettle import _core

def nest():
    kept, rest = len, ((range(1),), ("n",), (), {{}}, None, "a table")
    for _ in range(100_000):
        kept = _core.LookupTable({more})

threading.stack_size(1 << 21)
thread = threading.Thread(target=nest)
thread.start()
thread.join()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_cycles_are_collected() -> None:
    class Marked:
        pass

    def cycle(answer: Callable[[Any, Any], Any]) -> weakref.ref[Any]:
        holder: list[Any] = []
        mark = Marked()
        table = fettle.table(range(2), lazy=True)(lambda n: answer(holder[0], mark))
        holder.append(table)
        assert table(1) is not None
        return weakref.ref(mark)

    for answer in (
        lambda table, mark: (table, mark),  # tuples alone: none of them can be cleared
        lambda table, mark: [table, mark],
        lambda table, mark: 1 if mark else 2,
    ):
        gone = cycle(answer)
        gc.collect()
        assert gone() is None

    def tuples() -> weakref.ref[Any]:
        mark = Marked()
        there: list[Any] = []
        table = fettle.table(range(2), lazy=True)(lambda n: (there.pop(), mark))
        there.extend([table, table])
        assert table(1)[1] is mark
        return weakref.ref(mark)

    gone = tuples()
    gc.collect()
    assert gone() is None


def test_a_finaliser_may_use_the_table_of_its_cycle() -> None:
    told: list[Any] = []

    class Last:
        table: Any

        def __del__(self) -> None:
            told.append(self.table(1))

    def built() -> None:
        last = Last()
        last.table = fettle.table(range(2), lazy=True)(lambda n: [last, n])
        last.table(0)

    built()
    gc.collect()
    assert [answer[1] for answer in told] == [1]


def test_members_that_look_the_table_up_while_they_are_compared() -> None:
    class Nosy:
        def __init__(self, n: int) -> None:
            self.n = n

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            if looking:
                looking.pop()
                assert table(Nosy(2)) == 20
            return isinstance(other, Nosy) and self.n == other.n

    looking: list[int] = []
    table = fettle.table([Nosy(1), Nosy(2), Nosy(3)])(lambda key: key.n * 10)
    looking.append(1)
    assert table(Nosy(3)) == 30


def test_flags() -> None:
    class Access(Flag):
        READ = 1
        WRITE = 2

    table = fettle.table(Access, compute=True)(lambda access: access.value)
    assert [table(Access.READ), table(Access.WRITE), table(Access.READ | Access.WRITE)] == [1, 2, 3]
    assert len(table) == len(list(Access))
