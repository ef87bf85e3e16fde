# SPDX-License-Identifier: Apache-2.0
"""The identity of a function: names, odd callables, captured values, what depends= adds."""

import argparse
import collections
import contextlib
import decimal
import enum
import functools
import operator
import pathlib
import re
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fettle.caching import code, walk
from fettle.caching.code import MISSING, Identity, identify

from .projects import write

VALUE: Any = None


def reads() -> Any:
    return VALUE


def digest(function: Any, **options: Any) -> bytes:
    found = identify(function, **options)
    assert type(found.digest) is bytes and len(found.digest) == 32
    return found.digest


def with_global(value: Any) -> bytes:
    global VALUE
    VALUE = value
    try:
        return digest(reads)
    finally:
        VALUE = None


def capturing(value: Any) -> Callable[[], Any]:
    return lambda: value


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    pass


class Plain:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)

    def __call__(self, x: int) -> int:
        return x + 1

    def method(self) -> Any:
        return self


class Slotted:
    __slots__ = ("state",)

    def __init__(self, state: Any) -> None:
        self.state = state


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def itself(kind: Any, *more: Any) -> Any:
    made = kind(more)
    made.append(made)
    return made


NAN = float("nan")
# All different from each other.
VALUES = [
    None, ..., NotImplemented, False, True, 0, 1, -1, 2**31, 2**100, 0.0, -0.0, 1.0, NAN, 1j,
    "", "1", "a", b"a", bytearray(b"a"), (), [], {}, set(), frozenset(), (1,), [1], {1},
    frozenset({1}), {1: 1}, {1: 1.0}, {1: 2}, {1.5: 1}, (1, 2), ((1,), 2), ((1, 2),), [(1, 2)],
    [[1, 2]], (1, 2.0), "ab", ("a", "b"), ("ab",), ("a", "b", ""), {"a": 1, "b": 2}, {"b": 2,
    "a": 1}, list(range(100)), tuple(range(100)), [*range(99), 99.0], [*range(99), True],
    range(3), range(4), slice(1), slice(2), Colour.RED, Colour.BLUE, Number.ONE, Text("a"),
    Colour, Plain, int, float, len, print, str.join, ",".join, ";".join, re.compile("a"),
    re.compile("b"), re.compile(b"a"), re.compile("a", re.I), pathlib.PurePosixPath("a"),
    pathlib.PurePosixPath("b"), pathlib.PureWindowsPath("a"), decimal.Decimal("1.0"),
    decimal.Decimal("1.00"), collections.OrderedDict(a=1), collections.OrderedDict(a=2),
    collections.Counter("a"), collections.deque([1]), collections.deque([2]),
    collections.deque([1], 3), collections.defaultdict(int, a=1), collections.defaultdict(list,
    a=1), operator.itemgetter(1), operator.itemgetter(2), operator.attrgetter("a"),
    functools.partial(len), functools.partial(len, 1), functools.partial(len, x=1),
    functools.partial(print, 1), Plain(), Plain(a=1), Plain(a=2), Plain(b=1), Plain(a=Plain()),
    Slotted(1), Slotted(2), Plain().method, Plain(a=1).method, capturing(1), capturing(2),
    capturing([1]), nested(5, 1), nested(6, 1), nested(500, 1), nested(500, 2), nested(501, 1),
    itself(list), itself(list, 1), itself(collections.deque), types.SimpleNamespace(a=1),
    types.SimpleNamespace(a=2), types.MappingProxyType({1: 1}), object, object(), contextlib,
    sys, {"f": reads}, {"f": digest}, [Colour.RED, Colour.BLUE], {Colour.RED}, {Colour.RED,
    Colour.BLUE}, {(1, Colour.RED)}, {("a", 1), ("b", 2)}, {len, int}, {digest, reads}, {digest,
    with_global},
]  # fmt: skip


def test_every_value_of_a_global_counts_with_its_type() -> None:
    found = [with_global(value) for value in VALUES]
    assert len(set(found)) == len(VALUES), [
        (VALUES[found.index(each)], VALUES[at])
        for at, each in enumerate(found)
        if found.index(each) != at
    ]


def test_captured_values_and_defaults_count() -> None:
    def defaulting(value: Any) -> Any:
        def inner(x: Any = value, *, y: Any = 1) -> Any:
            return x, y

        return inner

    for make in (capturing, defaulting, lambda value: functools.partial(reads, value)):
        assert len({digest(make(value)) for value in VALUES}) == len(VALUES)


def test_equal_values_are_equal_however_they_are_shared() -> None:
    part = ("x", 1.5, [2])
    pairs = [
        ([part, part], [("x", 1.5, [2]), ("x", 1.5, [2])]),
        ({"b", "a"}, {"a", "b"}),
        (frozenset(range(100)), frozenset(reversed(range(100)))),
        (float("nan"), float("nan")),
        ("".join(["a", "b"] * 50), "ab" * 50),
        (10**30 + 1, 1 + 10**30),
        (Plain(a=1, b=2), Plain(b=2, a=1)),
        ({Colour.RED, Number.ONE}, {Number.ONE, Colour.RED}),
    ]
    for left, right in pairs:
        assert with_global(left) == with_global(right)


def test_what_is_shared_many_times_is_encoded_once() -> None:
    shared: Any = (1,)
    cyclic: list[Any] = []
    for _ in range(200):
        shared = (shared, shared)
        cyclic = [cyclic, cyclic]
    cyclic[0].append(cyclic)
    assert with_global(shared) != with_global((shared, shared))
    with_global(cyclic)


def test_numpy_arrays_count_by_value() -> None:
    numpy = pytest.importorskip("numpy")
    values = [
        numpy.zeros(3), numpy.zeros(4), numpy.zeros((3, 1)), numpy.ones(3), numpy.zeros(3, "f4"),
        numpy.float64(1), numpy.float32(1), numpy.array([None, 1]), numpy.array(["a"]), numpy.sin,
        numpy.cos, numpy.sum, numpy, numpy.dtype("f4"), numpy.dtype("f8"), numpy.array("a", "O"),
        numpy.ma.array([1, 2], mask=[0, 1]), numpy.ma.array([1, 2], mask=[1, 0]),
        numpy.zeros(3, "f4,f4"), numpy.zeros(3, "f4,i4"), numpy.zeros(3, "M8[s]"), numpy.array(5),
    ]  # fmt: skip
    assert len({with_global(value) for value in values}) == len(values)
    assert with_global(numpy.zeros((2, 3)).T) == with_global(numpy.zeros((3, 2)))


def test_lambdas_of_one_line_differ() -> None:
    many = [lambda x: x, lambda x: -x, lambda x: x + 1, lambda x: x + 1.0, lambda x, y: x]
    assert len({digest(each) for each in many}) == len(many)
    first, second = (eval("lambda x: x + 1") for _ in range(2))
    assert digest(first) == digest(second)


class Keeping:
    """A decorator as people write them."""

    def __init__(self, function: Any, times: int) -> None:
        functools.update_wrapper(self, function)
        self.function, self.times = function, times

    def __call__(self) -> Any:
        return self.function()


def test_decorators_that_are_objects_are_looked_into() -> None:
    made = [Keeping(capturing(value), times) for value in (1, 2) for times in (1, 2)]
    made += [functools.lru_cache(capturing(value)) for value in (1, 2)]
    for each in (with_global, digest, lambda value: digest(functools.partial(reads, value))):
        assert len({each(value) for value in made}) == len(made)
    assert with_global(Keeping(capturing(1), 2)) == with_global(Keeping(capturing(1), 2))
    assert identify(made[0]).name.endswith("capturing.<locals>.<lambda>")


def test_odd_callables_have_an_identity() -> None:
    class Meta(type):
        def __call__(cls) -> int:
            return 1

    class Class(metaclass=Meta):
        pass

    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __call__(self) -> None: ...

    bare = types.FunctionType((lambda: x).__code__, {})  # type: ignore[name-defined]  # noqa: F821
    unbound = types.FunctionType((lambda y: lambda: y)(1).__code__, {}, closure=(types.CellType(),))
    for name in ("__module__", "__qualname__"):
        setattr(bare, name, None if name == "__module__" else "odd")
    odd = [
        len, int, print, str.join, "a".join, [].append, dict.fromkeys, object.__init__, type,
        Class, Hostile, Hostile(), bare, unbound, functools.partial(functools.partial(len), 1),
        staticmethod(len), functools.lru_cache(len), functools.singledispatch(reads),
        contextlib.contextmanager(reads), operator.itemgetter(1), Colour,
        collections.namedtuple("P", "x"), types.MethodType(len, 3),
        (3).__add__, exec, re.compile("a").match, subprocess.run, threading.Thread,
        functools.partial, Plain(a=1), Plain.method,
    ]  # fmt: skip
    found = [identify(each) for each in odd]
    assert len({each.digest for each in found}) == len(odd)
    for each in found:
        assert each.is_current() and each.name and all(each.parts)


def test_a_global_that_is_odd_does_not_stop_it() -> None:
    class Hostile:
        __wrapped__ = property(lambda self: 1 / 0)
        __class__ = property(lambda self: 1 / 0)  # type: ignore[assignment]
        __dict__ = property(lambda self: 1 / 0)  # type: ignore[assignment]

        def __reduce_ex__(self, version: Any) -> Any:
            raise RuntimeError

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

    for value in (Hostile(), [Hostile()], threading.Lock(), open, sys.stdout, sys._getframe()):
        with_global(value)


def test_names_are_for_people() -> None:
    class Local:
        def method(self) -> None: ...

    assert identify(reads).name == f"{__name__}.reads"
    assert identify(Plain.method).name == f"{__name__}.Plain.method"
    assert identify(Plain().method).name == f"{__name__}.Plain.method"
    assert identify(functools.lru_cache(reads)).name == f"{__name__}.reads"
    assert identify(functools.partial(reads, 1)).name == f"partial({__name__}.reads)"
    assert identify(Local.method).name.endswith("test_names_are_for_people.<locals>.Local.method")
    assert identify(Plain()).name == f"{__name__}.Plain"
    assert identify(len).name == "builtins.len"


SCRIPT = """
from fettle.caching.code import identify
def f(x):
    return x + 1
assert identify(f).place == b""
versioned = identify(f, version=1)
print(identify(f).name, versioned.place.decode(), versioned.digest.hex(), identify(f).digest.hex())
"""


def run(*arguments: str, folder: Path, text: str = "") -> list[str]:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_scripts_and_prompts_are_marked(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": SCRIPT, "pkg/tool.py": SCRIPT, "pkg/__init__.py": ""})
    write(
        tmp_path / "other", {"app.py": SCRIPT, "space/tool.py": SCRIPT, "run/__main__.py": SCRIPT}
    )
    here, there = str(tmp_path), str(tmp_path / "other")
    script = run("app.py", folder=tmp_path)
    other = run("other/app.py", folder=tmp_path)
    assert script[:2] == ["app.f", here] and other[:2] == ["app.f", there]
    assert script[2:] == other[2:]  # nothing of the folder
    assert run("app.py", folder=tmp_path / "other") == other
    assert run("-c", "import app", folder=tmp_path) == script
    tool = run("-m", "pkg.tool", folder=tmp_path)
    assert tool[:2] == ["pkg.tool.f", here]
    assert run("-c", "import pkg.tool", folder=tmp_path) == tool
    assert run("-c", "import space.tool", folder=tmp_path / "other")[:2] == ["space.tool.f", there]
    assert run("-m", "space.tool", folder=tmp_path / "other")[:2] == ["space.tool.f", there]
    assert run("run", folder=tmp_path / "other")[:2] == ["run.f", there]
    assert run("-m", "run", folder=tmp_path / "other")[1] == there
    text = SCRIPT.replace(".place.decode()", ".place")
    assert run("-c", text, folder=tmp_path)[:2] == ["<string>.f", "b''"]
    assert run("-", folder=tmp_path, text=text)[:2] == ["<stdin>.f", "b''"]


WORKER = """
import runpy, sys, types
from fettle.caching.code import identify
code = compile("def f(): return 1\\nclass C:\\n def m(self): return 1", sys.argv[1], "exec")
space = {"__name__": "__main__"}
exec(code, space)
for each in (space["f"], space["C"]):
    found = identify(each, version=1)
    print(found.name, found.place.decode() or "nowhere", identify(each).digest.hex())
"""


def test_functions_of_a_script_have_its_name_in_workers_too(tmp_path: Path) -> None:
    """Workers that were given them by their code, and have another __main__."""
    write(tmp_path, {"app.py": WORKER, "work/er.py": WORKER, "pkg/worker.py": WORKER})
    file = str(tmp_path / "app.py")
    script = run("app.py", file, folder=tmp_path)
    assert script[:2] == ["app.f", str(tmp_path)] and script[3:5] == ["app.C", str(tmp_path)]
    assert run("work/er.py", file, folder=tmp_path) == script
    assert run("-m", "pkg.worker", file, folder=tmp_path) == script
    installed = write(tmp_path / "site-packages", {"pool.py": WORKER})
    assert run("-m", "pool", file, folder=installed) == script
    assert run("-m", "pool", "<string>", folder=installed)[:2] == ["<string>.f", "nowhere"]


def test_notebooks_are_where_they_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def f(): return 1", "<ipython-input-1-2>", "exec"), space)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    found = [identify(space["f"], version=1)]
    for name in ("one.ipynb", "two.ipynb"):
        monkeypatch.setenv("JPY_SESSION_NAME", name)
        found.append(identify(space["f"], version=1))
    assert [each.place.decode() for each in found] == [
        str(tmp_path),
        str(tmp_path / "one.ipynb"),
        str(tmp_path / "two.ipynb"),
    ]
    assert len({each.digest for each in found}) == 1 and found[0].name == "<notebook>.f"


def test_a_callable_object_counts_with_its_state() -> None:
    assert digest(Plain(a=1)) == digest(Plain(a=1)) != digest(Plain(a=2))
    for state in (threading.Lock(), [threading.Lock()], Plain(lock=threading.Lock()), object()):
        for function in (Plain(lock=state), Plain(lock=state).method):
            with pytest.raises(TypeError, match=r"^[^\n]*can not be told by value: [^\n]*\.$"):
                identify(function)
            digest(function, version=1)
    with pytest.raises(TypeError, match=r"builtins\.generator"):
        identify((i for i in ()).__next__)
    for thing in (1, "f", None):
        with pytest.raises(TypeError, match=r"can not be called, so [^\n]*\.$"):
            identify(thing)


def test_a_version_stands_in_for_the_code() -> None:
    made: list[Callable[[], Any]] = []
    for source in ("lambda: 1", "lambda: VALUE"):
        made.append(eval(source, {"__name__": "somewhere"}))
    assert digest(made[0], version=1) == digest(made[1], version=1)
    versions = [1, 1.0, "1", (1,), True, 0, ""]
    assert len({digest(reads, version=each) for each in versions}) == len(versions)
    assert digest(reads, version=1) not in (digest(reads), digest(with_global, version=1))
    identity = identify(reads, version=1)
    assert identity.watched == identity.codes == []


def test_options_of_a_command_line_count() -> None:
    class Options(argparse.Namespace):
        pass

    def made(kind: type[argparse.Namespace], level: int) -> bytes:
        options = kind(level=level, names=["a"])
        options.itself = options
        return digest(capturing(options))

    assert made(argparse.Namespace, 1) == made(argparse.Namespace, 1)
    assert len({made(each, n) for each in (argparse.Namespace, Options) for n in (1, 2)}) == 4


def test_pandas_data_counts() -> None:
    pandas: Any = pytest.importorskip("pandas")

    def some(n: int) -> list[Any]:
        frame = pandas.DataFrame({"a": [1, n], "b": ["x", "y"]})
        lists = (frame, frame.a, pandas.Index([n]), pandas.Timestamp(n), pandas.Timedelta(n))
        return [*lists, pandas.DataFrame({"a": [1, 2]}, index=[0, n]), {"in": [frame]}]

    ones, again, others = ([digest(capturing(each)) for each in some(n)] for n in (5, 5, 6))
    assert ones == again
    assert len({*ones, *others}) == 2 * len(ones)
    locks = (pandas.Series([threading.Lock()]) for _ in range(2))  # only its type counts
    assert digest(capturing(next(locks))) == digest(capturing(next(locks)))


def test_depends_adds_functions_files_modules_and_values(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("1")
    module = types.ModuleType("added")

    def define(text: str) -> None:
        exec(text, module.__dict__)

    define("def g(): return 1\nX = 1")
    everything: dict[str, Any] = {
        "nothing": (), "function": [capturing(1)], "other": [capturing(2)], "class": [Plain],
        "path": [file], "text": [str(file)], "value": ["table"], "number": [3], "module": [module],
        "two": [3, module], "library": [textwrap_wrap()],
    }  # fmt: skip
    found = {name: digest(reads, depends=each) for name, each in everything.items()}
    assert found["path"] == found["text"]
    assert len(set(found.values())) == len(found) - 1
    for text in ("def g(): return 2", "def g(): return 1\nX = 2", "def h(): return 1\nX = 1"):
        before = digest(reads, depends=[module])
        define(text)
        assert digest(reads, depends=[module]) != before
    file.write_text("2")
    assert digest(reads, depends=[file]) != found["path"] != digest(reads, depends=[str(file)])
    assert digest(reads, version=1, depends=[file]) != digest(reads, version=1)
    with pytest.raises(OSError):
        identify(reads, depends=[tmp_path / "missing"])


def textwrap_wrap() -> Any:
    import textwrap

    return textwrap.wrap


def current_after(identity: Identity, change: Callable[[], object]) -> bool:
    assert identity.is_current()
    change()
    return identity.is_current()


def test_what_is_bound_anew_is_noticed() -> None:
    space: dict[str, Any] = {"__name__": "noticed"}
    exec(
        "def f(x, y=1): return g(x) + Z + later\ndef g(x): return C.a\nclass C: a = 1\nZ = 1", space
    )
    f = space["f"]

    def watched(identity: Identity) -> bool:
        """What is checked at each call."""
        return all(where.get(n, MISSING) is x for where, n, x in identity.watched) and all(
            function.__code__ is code for function, code in identity.codes
        )

    changes: list[tuple[bool, Callable[[], object]]] = [
        (True, lambda: space.update(g=capturing(1))),
        (True, lambda: space.update(Z=1000)),
        (True, lambda: space.update(later=1)),
        (True, lambda: space.pop("later")),
        (True, lambda: setattr(f, "__code__", f.__code__.replace())),
        (False, lambda: setattr(f, "__defaults__", (3,))),
    ]
    for at_each_call, change in changes:
        identity = identify(f)
        assert not current_after(identity, change)
        assert watched(identity) != at_each_call
    exec("def g(x): return C.a", space)
    assert not current_after(identify(f), lambda: setattr(space["C"], "a", 2))
    assert current_after(identify(f), lambda: space.update(unrelated=2))


def test_no_more_than_so_many_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"def f{at}(): return f{at + 1}()" for at in range(3000)]
    space: dict[str, Any] = {"__name__": "long"}
    exec("\n".join(lines), space)
    assert len(identify(space["f0"]).codes) == 3000  # deep, and no recursion
    monkeypatch.setattr(walk, "NODES", 100)
    monkeypatch.setattr(code, "NODES", 100)
    assert len(identify(space["f0"]).codes) == 100
    cut = identify(space["f0"])
    assert "not followed long.f100" in cut.parts
    (doubt,) = cut.doubts
    assert "long.f0 leads to more than 100 functions" in doubt and "give version=" in doubt
    assert identify(space["f2950"]).doubts == identify(space["f0"], version=1).doubts == []


def test_parts_tell_what_went_in() -> None:
    space: dict[str, Any] = {"__name__": "told"}
    exec("def f(): return g() + X + C()\ndef g(): return 1\nX = 1\nclass C: pass", space)
    before = identify(space["f"]).parts
    assert {each.rsplit(" ", 1)[0] for each in before if each.count(" ") == 2} == {
        "function told.f",
        "function told.g",
        "data told.X",
    }
    assert "class told.C" in before
    exec("def g(): return 2", space)
    after = identify(space["f"]).parts
    assert {each.split()[1] for each in set(before) ^ set(after)} == {"told.g"}


def test_all_of_a_library_can_be_identified() -> None:
    import argparse
    import json
    import logging
    import tarfile
    import textwrap
    import unittest.mock

    count = 0
    for module in (argparse, json, logging, tarfile, textwrap, unittest.mock, collections, enum):
        for name, found in sorted(vars(module).items()):
            if callable(found) and not isinstance(found, unittest.mock._SentinelObject):
                assert identify(found).digest == identify(found).digest, name
                count += 1
    assert count > 100


def test_recording_lines_does_not_show() -> None:
    """On 3.11 a function whose lines are recorded runs other code."""
    core = pytest.importorskip("fettle._core")
    recorder = core.Recorder(calls=False, lines=True)
    before = digest(reads), digest(digest)
    recorder.mark(reads)
    recorder.mark(digest)
    recorder.start()
    try:
        assert (digest(reads), digest(digest)) == before
    finally:
        recorder.stop()
