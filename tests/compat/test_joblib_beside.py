# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.joblib beside joblib: the same lines, folders, digests and bound arguments, and
each finds what the other has kept."""

import collections
import datetime
import decimal
import functools
import gc
import inspect
import io
import json
import logging
import operator
import os
import pathlib
import random
import re
import subprocess
import sys
import types
import uuid
import warnings
from pathlib import Path

import pytest
from fettle.compat import joblib as ours

theirs = pytest.importorskip("joblib")

from joblib import func_inspect as their_inspect  # noqa: E402
from joblib import logger as their_logger  # noqa: E402
from joblib import memory as their_memory  # noqa: E402


def program(text: str, module: str, folder: Path, *arguments: str, mode: str = "files") -> str:
    """What a program prints, on either stream, with joblib from module."""
    path = folder / "program.py"
    path.write_text(text.replace("JOBLIB", module))
    environment = {**os.environ, "FETTLE_JOBLIB_BACKEND": mode, "PYTHONHASHSEED": "1"}
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def levelled(shown: str) -> str:
    """Without what differs from run to run (addresses, times, how much is filled up for them) and
    without indents: joblib indents what it says at 20 by accident, where a value has lines."""
    shown = re.sub(r"(?m)^ +", "", shown)
    shown = re.sub(r"0x[0-9a-f]+", "ADDRESS", shown)
    shown = re.sub(r"size=\d+, last_access=.*?\)\)", "SIZE AND TIME", shown)
    shown = re.sub(r"_+(?=\w+ (cache loaded )?- )", "", shown)
    return re.sub(r"\d+\.\d+s, \d+\.\d+min *", "TIME", shown)


# ---- what is printed ----

SPEAKS = """
import sys, time, os
from JOBLIB import Memory
from work import plain, many, Thing
level = int(sys.argv[1])
memory = Memory("cache", verbose=level)
print(memory)
f, g = memory.cache(plain), memory.cache(many, ignore=["c"])
for cached in (f, g):
    print(cached, cached.__name__, cached.__doc__)
    for _ in range(2):
        cached([1, "two"], b={"x": "y" * 100})
    reference = cached.call_and_shelve(5)
    print(reference, reference.get(), reference.func_id, reference.args_id)
    print(type(reference.metadata["time"]), reference.metadata["input_args"])
    print(cached.check_call_in_cache(5), cached.check_call_in_cache(6))
f("z" * 2000, "a" * 90)
memory.eval(Thing().method, 3)
f.call(5)
f.clear()
memory.reduce_size(items_limit=1)
memory.cache(plain, verbose=level + 1)(5)
memory.cache(len)([3])
memory.cache(lambda x: x)(3)
memory.clear()
"""
WORK = '''
def plain(a, b=2):
    """A function.

    With more to say."""
    return a, b
def many(a, *more, b=3, c=4, **named):
    return a
class Thing:
    def method(self, x):
        return x
    def __repr__(self):
        return "Thing()"
'''


@pytest.mark.parametrize("level", [0, 1, 2, 5, 10, 11, 20, 50])
@pytest.mark.parametrize("mode", ["files", "store"])
def test_the_same_lines(tmp_path, level, mode) -> None:
    shown = []
    for module in ("joblib", "fettle.compat.joblib"):
        subprocess.run(["rm", "-rf", str(tmp_path / "cache")], check=True)
        (tmp_path / "work.py").write_text(WORK)
        shown.append(levelled(program(SPEAKS, module, tmp_path, str(level), mode=mode)))
    assert shown[0] == shown[1]
    assert ("Querying" in shown[0]) == (level >= 20)


def test_times_and_values_as_text() -> None:
    from fettle.compat.joblib import logger

    for seconds in (0, 0.04, 0.05, 59.96, 3600.4):
        assert logger.format_time(seconds) == their_logger.format_time(seconds)
    for value in (list(range(50)), {"a": {"b": {"c": {"d": 1}}}}, "x" * 300):
        assert logger.pformat(value) == their_logger.pformat(value)
        assert logger.pformat(value, 4, 1) == their_logger.pformat(value, 4, 1)
    np = pytest.importorskip("numpy")
    for value in (np.arange(1000.0), [np.eye(3) / 3]):
        assert logger.pformat(value) == their_logger.pformat(value)


# ---- folders, and what the other has kept ----

KEEPS = """
import sys
from JOBLIB import Memory
import work
memory = Memory("cache", verbose=0, compress=eval(sys.argv[1]), mmap_mode=eval(sys.argv[2]))
for value in work.values():
    found = memory.cache(work.f)(value)
    assert work.same(found, value), (found, value)
memory.cache(work.Outer.inner)(work.Outer, 3)
memory.cache(work.f, ignore=["y"])(memory.cache(work.f).ignore, 3)
print(work.calls)
"""
KEPT = """
import datetime, decimal, sys
try:
    import numpy as np
except ImportError:
    np = None
calls = 0
def f(x, y=1):
    global calls
    calls += 1
    return x
class Outer:
    def inner(self, x):
        global calls
        calls += 1
        return x
def values():
    made = [None, 1, 2**70, "é", b"xyz", [1, [2]], {"b": 1, "a": {3, 1, 2}}, {1: 2, "a": 3}]
    made += [{1, "a"}, 1j, decimal.Decimal("1.50"), datetime.date(2020, 2, 2), [].append]
    made.append("x" * 70000)
    if np is not None:
        a = np.arange(24, dtype="<f8").reshape(4, 6)
        made += [a, np.asfortranarray(a), a[::2, 1::2], np.array(5), np.zeros((0, 3)), a.T]
        made += [np.array(["2020-01-01"], dtype="datetime64[D]"), {"x": [a, a], "y": (a.T, 3)}]
        made += [np.array([None, {"a": 1}], dtype=object), np.float64(3), np.arange(70000), [a]]
        made += [np.array([(1, 2.0)], dtype=[("a", "i1"), ("b", "f8")]), np.dtype("f4")]
    return made
def same(one, other):
    if np is not None and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and (one == other).all()
    if isinstance(other, (list, tuple, dict)):
        a, b = [list(x.items()) if isinstance(x, dict) else x for x in (one, other)]
        return len(a) == len(b) and all(map(same, a, b))
    return one == other or callable(other)
"""


def listing(folder: Path) -> dict[str, object]:
    """What lies there, with the texts of functions and the metadata without times."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = path.is_dir()
        if path.name == "metadata.json":
            metadata = json.loads(levelled(path.read_text()))
            found[name] = {**metadata, "duration": type(metadata["duration"]), "time": 0}
        elif path.name in ("func_code.py", ".gitignore"):
            found[name] = path.read_text()
    return found


@pytest.mark.parametrize(
    ("compress", "mmap_mode"),
    [(0, None), (0, "r"), (0, "c"), (3, None), (True, None), *((x, None) for x in ("gzip", "xz"))],
)
def test_each_finds_what_the_other_has_kept(tmp_path, compress, mmap_mode) -> None:
    (tmp_path / "work.py").write_text(KEPT)
    arguments = repr(compress), repr(mmap_mode)
    listings = []
    for first, second in [
        ("joblib", "fettle.compat.joblib"),
        ("fettle.compat.joblib", "joblib"),
    ]:
        subprocess.run(["rm", "-rf", str(tmp_path / "cache")], check=True)
        computed = int(program(KEEPS, first, tmp_path, *arguments))
        assert computed > 10
        listings.append(listing(tmp_path / "cache"))
        assert program(KEEPS, second, tmp_path, *arguments) == "0\n"
    assert listings[0] == listings[1]


# ---- digests ----


class Plain:
    def __init__(self, x):
        self.x = x

    def method(self):
        return self.x


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


Named = collections.namedtuple("Named", "a b")


def digested():
    text = "".join(["ab", "c"])
    yield from [None, True, 1, -1, 255, 256, 2**31, 2**64, -(2**90), 1.5, float("nan"), -0.0, 1j]
    yield from ["", "abc", "é", "\ud800", b"", b"abc", bytearray(b"x"), "x" * 300, b"y" * 70000]
    yield from [(), (1,), (1, 2, 3, 4), [], [1, [2, [3]]], {}, {"b": 1, "a": [2]}, set(), {1, 2}]
    yield from [{3, "a"}, {(1, 2), 3}, frozenset({1}), {1: 2, "a": 3}, {None: 1, (1,): 2}]
    yield from [["abc", text], [text, text], {"abc": text}, (text, "abc", b"abc")]
    shared = [1]
    yield from [[shared, shared], {"a": shared, "b": shared}, [[1], [1]], [Plain(shared), shared]]
    yield from [Plain(1), Plain(Plain(2)), Plain({2: 3}), Named(1, 2), [Plain(1).method]]
    yield from [
        len,
        gc.collect,
        [1].append,
        "a".join,
        {}.pop,
        Plain,
        Plain.method,
        functools.partial,
    ]
    yield from [functools.partial(len, [1]), operator.itemgetter(1), type, object]
    yield from [decimal.Decimal("1.5"), {decimal.Decimal(0), decimal.Decimal("NaN")}]
    yield from [datetime.datetime(2020, 1, 2), datetime.timedelta(3), uuid.UUID(int=5)]
    yield from [pathlib.PurePosixPath("/a/b"), collections.OrderedDict([(2, 1), (1, 2)])]
    yield from [collections.deque([1, 2]), collections.Counter("aab"), range(5), slice(1, 2)]
    yield from [re.compile("a+"), ..., NotImplemented, types.SimpleNamespace(a=1), io.StringIO("a")]
    loop: list[object] = [1]
    loop.append(loop)
    yield loop


def outcome(call, *arguments, **named):
    try:
        return call(*arguments, **named)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("hash_name", ["md5", "sha1"])
def test_the_same_digests(hash_name) -> None:
    for value in digested():
        expected = outcome(theirs.hash, value, hash_name)
        assert outcome(ours.hash, value, hash_name) == expected, value
    slotted = Slotted(3)
    assert ours.hash(slotted) == theirs.hash(slotted)


def test_the_same_digests_of_plain_arguments() -> None:
    rng = random.Random(7)
    edges = [0, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**80]
    values = [
        *edges,
        None,
        True,
        False,
        "",
        "é\ud800",
        "x" * 300,
        0.0,
        -0.0,
        float("inf"),
        b"x",
        (),
    ]
    for size in [*range(6), 99, 100, 101, 1001]:
        for _ in range(40 if size < 99 else 3):
            names = rng.sample(range(10_000), size)
            value = {f"é{name}" if name % 2 else str(name): rng.choice(values) for name in names}
            assert ours.hash(value) == theirs.hash(value), value
    for value in [{"a": "y" * 70_000}, {1: 2}, {True: 1, "a": 2}, {"a": {"b": 1}}, Loud({"a": 1})]:
        assert ours.hash(value, "sha1") == theirs.hash(value, "sha1")


class Loud(dict):
    pass


@pytest.mark.parametrize("coerce_mmap", [False, True])
def test_the_same_digests_of_arrays(tmp_path, coerce_mmap) -> None:
    np = pytest.importorskip("numpy")
    a = np.arange(24, dtype="f8").reshape(4, 6)
    mapped = np.memmap(tmp_path / "array", shape=(4, 6), mode="w+")
    values = [a, a.T, a[::2], a[:, ::2], np.array(5), np.zeros((0, 3)), a.astype(">i2"), mapped]
    values += [np.array(["2020-01-01"], "datetime64[D]"), np.array([1, "a"], dtype=object)]
    values += [{"a": a, "b": [a, a.copy()]}, np.float32(3), np.dtype("f4"), [np.dtype("f4")] * 2]
    values += [np.array([(1, 2.0)], dtype=[("a", "i1"), ("b", "f8")]), np.ma.array([1, 2]), np.sum]
    values += [np.random.RandomState(3), a.view(np.recarray), np.bool_(True), np.array("text")]
    for value in values:
        expected = outcome(theirs.hash, value, coerce_mmap=coerce_mmap)
        assert outcome(ours.hash, value, coerce_mmap=coerce_mmap) == expected, value


# ---- names, texts, arguments ----


def functions():
    def nested(x):
        return x

    class Local:
        def method(self, x, y=1):
            return x

        @classmethod
        def of_class(cls, x):
            return x

        @staticmethod
        def of_none(x):
            return x

    @functools.wraps(nested)
    def wrapping(*args, **named):
        return nested(*args, **named)

    yield from [nested, Local().method, Local.method, Local.of_class, Local.of_none, wrapping]
    yield lambda x: x
    yield from [eval("lambda x: x"), len, [].append, functools.partial(nested, 1)]
    yield from [Local, Plain(1).method, test_the_same_digests, os.path.join, print, json.dumps]
    for module in ("__main__", None, "a.b.c"):
        moved = types.FunctionType(nested.__code__, {}, "moved")
        moved.__module__ = module
        yield moved
    for path in ("<ipython-input-3-abcdef012345>", "/tmp/ipykernel_123/456.py", "<stdin>"):
        cell = types.FunctionType(nested.__code__.replace(co_filename=path), {}, "cell")
        cell.__module__ = "__main__"
        yield cell


def test_the_same_names_and_texts() -> None:
    for function in functions():
        assert ours.get_func_name(function) == their_inspect.get_func_name(function)
        assert ours._build_func_identifier(function) == their_memory._build_func_identifier(
            function
        )
        expected, found = their_inspect.get_func_code(function), ours.get_func_code(function)
        if expected[2] == -1 and hasattr(function, "__code__"):
            assert found[1:] == expected[1:]  # without a text: a number is told apart by it
        else:
            assert found == expected
        for args, named in [((1, "a" * 100, [2]), {}), ((), {"x": {"y": 2}})]:
            expected = their_inspect.format_call(function, args, named)
            assert ours.format_call(function, args, named) == expected


SIGNATURES = [
    "lambda: 0",
    "lambda a: 0",
    "lambda a, b=2: 0",
    "lambda a, b=2, c=3: 0",
    "lambda a, *more: 0",
    "lambda *more: 0",
    "lambda **named: 0",
    "lambda a, b=1, **named: 0",
    "lambda a=1, *more, **named: 0",
    "lambda a, *, k: 0",
    "lambda a, *, k=5, m=6: 0",
    "Plain(1).method",
]


def test_the_same_bound_arguments() -> None:
    """Of calls that are right. With positional-only parameters and with keywords beside *more
    joblib mixes calls up."""
    checked = 0
    for text in SIGNATURES:
        function = eval(text)
        for args in ((), (1,), (1, 2), (1, 2, 3)):
            for names in ("", "b", "k", "bc", "km", "xy"):
                named = {name: name * 2 for name in names}
                try:
                    inspect.signature(function).bind(*args, **named)
                except TypeError:
                    if not names:
                        with pytest.raises((TypeError, ValueError)):
                            function(*args, **named)
                    continue
                expected = their_inspect.filter_args(function, [], args, named)
                found = ours.filter_args(function, [], args, named)
                assert list(found.items()) == list(expected.items())
                checked += 1
                for name in expected:
                    one = ours.filter_args(function, [name], args, named)
                    assert one == their_inspect.filter_args(function, [name], args, named)
    assert checked > 40


def test_what_can_not_be_inspected() -> None:
    for function in (len, functools.partial(print, 1), Plain):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found = ours.filter_args(function, ["x"], (1,), {"a": 2})
        assert found == {"*": [1], "**": {"a": 2}} and len(seen) == 1


# ---- the module ----


def test_the_names_that_joblib_has() -> None:
    for name in theirs.__all__:
        assert hasattr(ours, name), name
    for module in (their_memory, sys.modules["joblib.hashing"]):
        for name, value in vars(module).items():
            if not name.startswith("__") and not isinstance(value, types.ModuleType):
                assert hasattr(ours, name), name
    for name in ("Parallel", "delayed", "dump", "load", "cpu_count", "parallel_config"):
        assert getattr(ours, name) is getattr(theirs, name)
        assert name in dir(ours)
    assert ours.Memory is not theirs.Memory and ours.hash is not theirs.hash
    for name in ("nonsense", "_nonsense"):
        with pytest.raises(AttributeError, match=name):
            getattr(ours, name)


@pytest.mark.parametrize(
    "name",
    [
        *("Memory", "MemorizedFunc", "AsyncMemorizedFunc", "MemorizedResult", "NotMemorizedFunc"),
        *("AsyncNotMemorizedFunc", "NotMemorizedResult", "FileSystemStoreBackend"),
    ],
)
def test_the_classes_have_what_joblibs_have(name) -> None:
    one, other = getattr(ours, name), getattr(their_memory, name)
    assert {each for each in dir(other) if not each.startswith("_")} <= set(dir(one))
    for method in ("__init__", "__call__", "cache", "reduce_size", "clear", "get", "eval"):
        if hasattr(other, method):
            expected = list(inspect.signature(getattr(other, method)).parameters)
            found = list(inspect.signature(getattr(one, method)).parameters)
            assert found[: len(expected)] == expected, method


def test_stores_of_joblib_are_taken(tmp_path) -> None:
    class Theirs(sys.modules["joblib._store_backends"].FileSystemStoreBackend):
        pass

    ours.register_store_backend("theirs", Theirs)
    cached = ours.Memory(str(tmp_path), backend="theirs", verbose=0).cache(len)
    assert cached([1, 2]) == cached([1, 2]) == 2
    assert isinstance(cached.store_backend, Theirs)


def test_loggers(caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        for logger in (ours.Logger(), theirs.Logger()):
            logger.warn("warned")
            logger.info("informed")
            logger.debug("debugged")
    records = [(r.name, r.levelno, r.getMessage().split("]")[1]) for r in caplog.records]
    assert records[:3] == records[3:]
