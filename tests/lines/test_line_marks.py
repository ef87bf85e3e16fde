# SPDX-License-Identifier: Apache-2.0
"""What can be marked, what each recorder sees of it, and that nothing of it stays."""

import ast
import asyncio
import functools
import gc
import subprocess
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import fettle
import pytest
from fettle._core import Recorder, mark

from .tables import Table, lines_of, tables_of


def short(recorder: Recorder) -> dict[str, Table]:
    """By qualname without what it was defined in here."""
    return {n.split("<locals>.")[-1]: t for n, t in tables_of(recorder.profile()).items()}


def plain(n: int = 0) -> int:
    return n


def test_what_is_cached_is_marked() -> None:
    @functools.lru_cache
    def cached(n: int) -> int:
        return n

    recorder = Recorder(calls=False, lines=True)
    assert recorder.mark(cached) is cached
    with recorder:
        cached(1), cached(1), cached(2)
    assert short(recorder)["cached"].calls == 2


class Kept:
    @fettle.cache
    def method(self) -> int:
        return 1

    @property
    @fettle.cache
    def proper(self) -> int:
        return 2

    @fettle.cache
    @classmethod
    def of_class(cls) -> int:
        return 3


@fettle.cache
async def kept_awaited(n: int) -> int:
    return n


def test_what_fettle_keeps_is_marked() -> None:
    @fettle.cache
    def alone(n: int) -> int:
        return n

    @fettle.table(range(3), lazy=True)
    def answers(n: int) -> int:
        return n

    kept = Kept()
    recorder = Recorder(calls=False, lines=True)
    for each in (Kept, alone, kept_awaited, answers):
        assert recorder.mark(each) is each
    with recorder:
        for _ in range(2):
            kept.method(), kept.proper, Kept.of_class(), alone(1), answers(1)
            asyncio.run(kept_awaited(1))
    found = {name: table.calls for name, table in short(recorder).items()}
    once = ("Kept.method", "Kept.proper", "Kept.of_class", "alone", "kept_awaited")
    assert found == {**dict.fromkeys(once, 1), "answers": 3}


def test_what_is_around_is_marked_itself() -> None:
    @functools.wraps(kept_awaited)
    async def around(n: int) -> int:
        return await kept_awaited(n)

    bound = Kept().method
    more = Recorder(calls=False, lines=True)
    for each in (bound, around):
        more.mark(each)
    with more:
        bound(), asyncio.run(around(1))
    lines = {table.first for table in short(more).values()}
    kept_line = Kept.method.__wrapped__.__code__.co_firstlineno
    assert lines == {kept_line, around.__code__.co_firstlineno}


def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any) -> Any:
        return function(*arguments)

    return wrapper


def classes() -> type:
    class Outer:
        def method(self) -> int:
            return 1

        @staticmethod
        def static() -> int:
            return 2

        @classmethod
        def of_class(cls) -> int:
            return 3

        @property
        def both(self) -> int:
            return 4

        @both.setter
        def both(self, value: int) -> None:
            self.kept = value

        @functools.cached_property
        def cached(self) -> int:
            return 5

        part = functools.partialmethod(lambda self, n: n, 6)

        class Inner:
            def method(self) -> int:
                return 7

        elsewhere = dict  # a name for a class that was defined elsewhere
        other = Recorder

    return Outer


def use(outer: Any) -> None:
    it = outer()
    it.method(), it.static(), it.of_class(), it.both, it.cached, it.cached, it.part()
    it.both = 1
    outer.Inner().method()


OF_CLASS = {"Outer.method", "Outer.static", "Outer.of_class", "Outer.both", "Outer.cached",
            "Outer.Inner.method"}  # fmt: skip


def test_a_class_is_all_that_is_defined_in_it() -> None:
    outer = classes()
    recorder = lines_of(outer)
    with recorder:
        use(outer)
    profile = recorder.profile()
    names = [name.split("<locals>.")[1] for _, _, _, name, *_ in profile.lines()]
    assert sorted(names) == sorted([*OF_CLASS, "Outer.both", "Outer.<lambda>"])
    assert {calls for *_, calls, _ in profile.lines()} == {1}


@pytest.mark.parametrize("name", ["method", "static", "of_class", "both", "cached"])
def test_one_attribute_of_a_class(name: str) -> None:
    outer = classes()
    recorder = lines_of(vars(outer)[name])
    with recorder:
        use(outer)
    found = {
        (q.split("<locals>.")[1], calls) for _, _, _, q, calls, _ in recorder.profile().lines()
    }
    assert found == {(f"Outer.{name}", 1)}


def test_what_wraps_a_function() -> None:
    bound = functools.partial(functools.partial(plain, 1))
    recorder = lines_of(bound, classes()().method)
    with recorder:
        bound()
    assert {name: t.calls for name, t in short(recorder).items()} == {"plain": 1, "Outer.method": 0}


def test_a_decorated_function_is_its_decorators_wrapper() -> None:
    """As for line_profiler: what runs under the name that was marked."""

    def inner() -> int:
        return 1

    wrapped = decorate(inner)
    recorder = lines_of(wrapped)
    with recorder:
        wrapped()
    assert set(short(recorder)) == {"wrapper"}


@pytest.mark.parametrize(
    "thing",
    [len, "text", 3, None, [].append, object(), dict.get, print, type, int, types, ..., b"", {}],
    ids=repr,
)
def test_anything_else_is_left_as_it_is(thing: object) -> None:
    recorder = Recorder(calls=False, lines=True)
    assert mark(thing) is thing
    assert recorder.mark(thing) is thing
    with recorder:
        pass
    assert recorder.profile().lines() == []


def test_what_is_marked_is_given_back() -> None:
    outer = classes()
    for thing in (plain, outer, outer.method, outer().method, vars(outer)["both"],
                  vars(outer)["static"], functools.partial(plain)):  # fmt: skip
        assert mark(thing) is thing
        assert lines_of(thing) is not None


def test_attributes_that_fail_when_they_are_looked_at() -> None:
    class Nasty(property):
        @property
        def fget(self) -> Any:  # type: ignore[override]
            raise RuntimeError

    nasty = Nasty(plain)
    assert mark(nasty) is nasty
    assert lines_of(nasty).profile().lines() == []


def test_marked_twice_is_counted_once() -> None:
    def f() -> None:
        pass

    recorder = lines_of(f, f)
    mark(mark(f))
    recorder.mark(f)
    marks = Recorder(calls=False, marks=True)
    with recorder, marks:
        f()
    for each in recorder, marks:
        assert [calls for _, _, name, _, calls, _ in each.profile().lines() if name == "f"][-1] == 1
    assert short(recorder)["f"].hits == {2: 1}


def test_marked_while_it_is_on() -> None:
    def f() -> None:
        pass

    recorder, marks = Recorder(calls=False, lines=True), Recorder(calls=False, marks=True)
    with recorder, marks:
        f()
        mark(f)
        f()
        recorder.mark(f)
        f()
    calls = {calls for _, _, name, _, calls, _ in marks.profile().lines() if name == "f"}
    assert short(recorder)["f"].calls == 1 and 2 in calls


def test_started_and_stopped_and_started() -> None:
    recorder = lines_of(plain)
    for _ in range(3):
        plain()
        with recorder:
            plain()
    assert short(recorder)["plain"].calls == 3
    recorder.clear()
    assert all(t.calls == 0 for t in short(recorder).values())
    with recorder:
        plain()
    assert short(recorder)["plain"].calls == 1


def test_alone_leaves_out_the_anonymous_code() -> None:
    def f() -> Any:
        return sorted(
            [1, 2],
            key=lambda n:
                -n,
        )  # fmt: skip

    whole, alone = lines_of(f), lines_of(f, alone=True)
    with whole, alone:
        f()
    assert short(whole)["f"].hits == short(alone)["f"].hits | {5: 2}


def test_a_lambda_and_a_coroutine() -> None:
    double = lambda n: 2 * n  # noqa: E731

    async def waits() -> int:
        await asyncio.sleep(0)
        return 1

    recorder = lines_of(double, waits)
    with recorder:
        double(1), double(2)
        asyncio.run(waits())
    tables = short(recorder)
    assert tables["<lambda>"].hits == {1: 2}
    assert tables["waits"].hits == {2: 1, 3: 1} and tables["waits"].calls == 1


def test_a_code_object() -> None:
    recorder = Recorder(calls=False, lines=True)
    recorder.mark(plain.__code__)
    recorder.mark(plain)
    with recorder:
        plain()
    assert short(recorder)["plain"].calls == 1


def test_lines_are_asked_for() -> None:
    with pytest.raises(RuntimeError, match="lines=True"):
        Recorder().mark(plain)
    with pytest.raises(RuntimeError, match="lines=True"):
        Recorder().select("x")


# ---- odd code ----


def made(source: str, name: str = "f", file: str = "<made>") -> Any:
    names: dict[str, Any] = {}
    exec(compile(source, file, "exec"), names)
    return names[name]


@pytest.mark.parametrize(
    "file", ["<string>", "", "no/such/file.py", "tab\tand\nline", "\udc80\u202e"]
)
def test_code_without_a_file(file: str) -> None:
    f = made("def f():\n    x = 1\n    return x\n", file=file)
    recorder = lines_of(f)
    with recorder:
        f()
    ((_, first, name, _, calls, rows),) = recorder.profile().lines()
    assert (first, name, calls, [row[:2] for row in rows]) == (1, "f", 1, [(2, 1), (3, 1)])


def with_lines(*numbers: int) -> Any:
    """A function of that many statements, which say to be on these lines."""
    tree = ast.parse("def f():\n" + "    x = 1\n" * len(numbers))
    body = tree.body[0].body  # type: ignore[attr-defined]
    for statement, number in zip(body, numbers, strict=True):
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = number  # type: ignore[attr-defined]
    names: dict[str, Any] = {}
    exec(compile(tree, "odd.py", "exec"), names)
    return names["f"]


def test_lines_too_far_apart_are_noted() -> None:
    """An index of 2**22 lines and no more: the function has no table, and the recording says so."""
    near, far = with_lines(2, 2**22), with_lines(2, 2**22 + 3)
    recorder = lines_of(near)
    recorder.mark(far)
    with recorder:
        near(), far()
    profile = recorder.profile()
    ((*_, rows),) = profile.lines()
    assert [row[0] for row in rows if row[1]] == [2, 2**22]
    assert [(note.kind, note.count) for note in profile.notes()] == [("too many lines", 1)]


@pytest.mark.parametrize(
    "numbers",
    [(5, 4, 3, 2), (9, 2, 9, 2), (100000, 3, 50000), (2, 1000000, 2), (1, 1, 1)],
)
def test_lines_in_any_order(numbers: tuple[int, ...]) -> None:
    f = with_lines(*numbers)
    recorder = lines_of(f)
    with recorder:
        f()
    (table,) = tables_of(recorder.profile()).values()
    changes = [n for i, n in enumerate(numbers) if i == 0 or numbers[i - 1] != n]
    assert {line: row.hits for line, row in table.rows.items() if row.hits} == {
        n: changes.count(n) for n in set(numbers)
    }
    assert table.calls == 1


@pytest.mark.parametrize("numbers", [(2**31 - 1, 2), (2, 2**31 - 2), (3, 2**30)])
def test_hostile_lines_do_no_harm(numbers: tuple[int, ...]) -> None:
    """A span that no source text has is not recorded."""
    f = with_lines(*numbers)
    recorder = lines_of(f, plain)
    with recorder:
        f()
        plain()
    assert short(recorder)["plain"].calls == 1


def test_without_positions() -> None:
    script = """
from fettle._core import Recorder
def f(n):
    x = [n,
         n]
    return x
recorder = Recorder(calls=False, lines=True)
recorder.mark(f)
with recorder:
    f(1)
((_, _, _, _, calls, rows),) = recorder.profile().lines()
print(calls, [row[:2] for row in rows])
"""
    done = subprocess.run(
        [sys.executable, "-X", "no_debug_ranges", "-c", script],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1 [(4, 2), (5, 1), (6, 1)]\n", "")


def test_a_very_long_function() -> None:
    f = made("def f():\n" + "    x = 1\n" * 5000)  # longer ones take CPython the square of it
    recorder = lines_of(f)
    with recorder:
        f()
    (table,) = tables_of(recorder.profile()).values()
    assert table.hits == dict.fromkeys(range(2, 5002), 1)


def test_deep_recursion() -> None:
    """100 000 levels of a watched function, and no deeper or less deep than without."""
    script = """
import sys, threading
from fettle._core import Recorder
sys.setrecursionlimit(100_100)
threading.stack_size(512 << 20)
def deep(n):
    if n == 0:
        return 0
    return deep(n - 1) + 1
def endless(n):
    return endless(n + 1)
def run():
    recorder = Recorder(calls=False, lines=True)
    recorder.mark(deep)
    recorder.mark(endless)
    with recorder:
        print(deep(100_000))
        try:
            endless(0)
        except RecursionError:
            print("RecursionError")
    for _, _, name, _, calls, rows in recorder.profile().lines():
        whole = name == "deep"
        print(name, calls if whole else calls >= 100_000, [row[1] for row in rows if whole])
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "100000",
        "RecursionError",
        "deep 100001 [100001, 1, 100000]",
        "endless True []",
    ]


# ---- nothing stays ----


def test_a_mark_keeps_nothing_alive() -> None:
    f = made("def f(): pass")
    mark(f)
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


def test_code_lives_as_long_as_its_recording() -> None:
    f = made("def f(): pass")
    recorder = lines_of(f)
    with recorder:
        f()
    code = weakref.ref(f.__code__)
    del f
    gc.collect()
    assert short(recorder)["f"].calls == 1
    del recorder
    gc.collect()
    assert code() is None


def test_a_function_that_holds_its_own_recorder_is_collected() -> None:
    def make() -> weakref.ref[Any]:
        f = made("def f(): pass")
        f.recorder = lines_of(f)
        with f.recorder:
            f()
        return weakref.ref(f)

    reference = make()
    gc.collect()
    assert reference() is None


def test_the_functions_are_as_before() -> None:
    def f() -> Iterator[int]:
        yield 1

    before = (f.__code__, f.__code__.co_code, f.__code__.co_consts, f.__dict__.copy())
    with lines_of(f):
        list(f())
    assert (f.__code__, f.__code__.co_code, f.__code__.co_consts, f.__dict__) == before
    if sys.version_info >= (3, 12):
        assert [sys.monitoring.get_tool(k) for k in range(6)].count("fettle lines") == 0


LOOP = """
import gc, sys, threading
from fettle._core import Recorder, mark
KEPT = Recorder(calls=False, lines=True)
def leaf(): return len("x")
def gen():
    yield 1
    yield 2
KEPT.mark(leaf)
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
def round():
    {body}
for _ in range({rounds}): round()
gc.collect()
objects, blocks, memory = len(gc.get_objects()), sys.getallocatedblocks(), resident()
references = sys.getrefcount(leaf.__code__), sys.getrefcount(leaf), sys.getrefcount(None)
for _ in range({rounds}): round()
gc.collect()
grown = len(gc.get_objects()) - objects, sys.getallocatedblocks() - blocks, resident() - memory
more = sys.getrefcount(leaf.__code__) - references[0], sys.getrefcount(leaf) - references[1]
assert grown[0] < {rounds} and grown[1] < {rounds} and grown[2] < {rounds} * 3000, grown
assert max(more) < 10, more
"""

BODIES = {
    "recorder": "r = Recorder(calls=False, lines=True); r.mark(leaf); r.start(); leaf(); r.stop();"
    " r.profile().lines()",
    "one recorder": "KEPT.start(); leaf(); KEPT.stop()",
    "profiles": "KEPT.profile().lines()",
    "cleared": "KEPT.start(); leaf(); KEPT.clear(); leaf(); KEPT.stop()",
    "marks": "mark(leaf); r = Recorder(calls=False, marks=True); r.start(); leaf(); r.stop()",
    "new code": "n = {}; exec('def g(): pass', n); mark(n['g']); r = Recorder(lines=True);"
    " r.mark(n['g']); r.start(); n['g'](); r.stop()",
    "selected": "r = Recorder(calls=False, lines=True); r.select('__main__.leaf'); r.start();"
    " leaf(); r.stop()",
    "generators left": "KEPT.mark(gen); KEPT.start(); next(gen()); KEPT.stop()",
    "dropped while on": "r = Recorder(lines=True); r.mark(leaf); r.start(); leaf(); del r",
    "two at once": "r, s = Recorder(lines=True), Recorder(calls=False, lines=True); r.mark(leaf);"
    " s.mark(leaf); r.start(); s.start(); leaf(); r.stop(); s.stop()",
    "threads": "KEPT.start(); t = threading.Thread(target=leaf); t.start(); t.join(); KEPT.stop()",
}


@pytest.mark.parametrize("name", BODIES)
def test_nothing_is_left(name: str) -> None:
    rounds = 300 if name == "threads" else 1000
    script = LOOP.format(body=BODIES[name], rounds=rounds)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
