# SPDX-License-Identifier: Apache-2.0
"""digest(): equal values of equal types have one digest, and no others."""

import array
import collections
import copy
import copyreg
import ctypes
import ctypes.util
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import io
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from fettle._core import CallPlan, digest
from fettle.caching.code import identify

from tests.leaks import least_growth
from tests.persist.encoding import digest_of, encode, encode_class, encode_reduced, form, head
from tests.persist.values import ATOMS, random_value, rebuilt


class Point(NamedTuple):
    x: Any
    y: Any


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1
    BLUE = 2


class Shade(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Plain:
    x: Any
    y: Any = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: Any


class Thing:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)

    def method(self) -> None: ...


class Slotted:
    __slots__ = ("a", "b")


class Text(str): ...


class Number(int): ...


class Row(list): ...


class Table(dict): ...


class Bag(set): ...


def module_function() -> None: ...


def other_function() -> None: ...


def slotted(**state: Any) -> Slotted:
    one = Slotted()
    for name, value in state.items():
        setattr(one, name, value)
    return one


# ---- built-in types, against the encoding written a second time ----


def test_the_encoding_is_the_documented_one() -> None:
    source = random.Random(1)
    values = [*ATOMS, *(random_value(source) for _ in range(3000))]
    for value in values:
        for secret in (b"", b"s", b"s" * 32):
            assert digest(value, secret) == digest_of(encode(value, secret), secret), value


def test_digests_are_equal_where_values_are() -> None:
    source = random.Random(2)
    known: dict[Any, bytes] = {}
    for _ in range(5000):
        value = random_value(source)
        found = digest(value)
        assert known.setdefault(form(value), found) == found, value
        assert digest(rebuilt(source, value)) == found, value
    assert len(set(known.values())) == len(known) > 1000


def test_lengths_around_each_border() -> None:
    for length in [*range(240, 270), 511, 512, 513, 4095, 1 << 20, (1 << 20) + 1]:
        assert digest(b"x" * length) == digest_of(encode(b"x" * length))
        assert digest("x" * length) == digest_of(encode("x" * length))
        assert digest(bytearray(length)) == digest_of(encode(bytearray(length)))


class Hash128(ctypes.Structure):
    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))


def test_bytes_are_digested_as_the_library_does() -> None:
    name = ctypes.util.find_library("xxhash")
    if name is None:
        pytest.skip("libxxhash is not here to compare with")
    library = ctypes.CDLL(name)
    library.XXH3_128bits_withSecret.restype = Hash128
    library.XXH3_generateSecret.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
    length = ctypes.c_size_t
    source = random.Random(5)
    for size in [*range(300), *(source.randrange(5000) for _ in range(100)), 3 << 20]:
        data, seed = source.randbytes(size), source.randbytes(32)
        secret = ctypes.create_string_buffer(192)
        assert library.XXH3_generateSecret(secret, length(192), seed, length(32)) == 0
        right = library.XXH3_128bits_withSecret(data, length(size), secret, length(192))
        assert struct.pack("=QQ", right.low, right.high) == digest_of(data, seed)


def test_a_secret_of_more_than_32_bytes_is_refused() -> None:
    assert digest(1, b"a") == digest(1, b"a" + bytes(31)) != digest(1)
    with pytest.raises(ValueError, match="33 bytes"):
        digest(1, bytes(33))


# ---- other classes ----

UTC = datetime.UTC
SAME: list[Callable[[], Any]] = [
    lambda: Point(1, 2),
    lambda: Colour.RED,
    lambda: Access.READ | Access.WRITE,
    lambda: Access(0),
    lambda: pathlib.PurePosixPath("/a", "b"),
    lambda: pathlib.PurePosixPath("/a/b/c"),
    lambda: pathlib.PureWindowsPath("/a/b"),
    lambda: pathlib.Path("/a/b"),
    lambda: "/a/b",
    lambda: datetime.datetime(2020, 1, 1),
    lambda: datetime.datetime(2020, 1, 1, fold=1),
    lambda: datetime.datetime(2020, 1, 1, tzinfo=UTC),
    lambda: datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    lambda: datetime.datetime(2020, 1, 1, microsecond=1),
    lambda: datetime.date(2020, 1, 1),
    lambda: datetime.time(1, 2),
    lambda: datetime.time(1, 2, fold=1),
    lambda: datetime.timedelta(1),
    lambda: UTC,
    lambda: datetime.timezone(datetime.timedelta(hours=1)),
    lambda: datetime.timezone(datetime.timedelta(hours=1), "a"),
    lambda: decimal.Decimal("1.0"),
    lambda: decimal.Decimal("1.00"),
    lambda: decimal.Decimal("-0"),
    lambda: decimal.Decimal("NaN"),
    lambda: fractions.Fraction(1, 2),
    lambda: fractions.Fraction(2, 1),
    lambda: uuid.UUID(int=5),
    lambda: uuid.UUID(int=6),
    lambda: Plain(1),
    lambda: Plain(1, 3),
    lambda: Plain("1"),
    lambda: Frozen(1),
    lambda: Frozen([1]),
    lambda: Thing(),
    lambda: Thing(a=1, b=2),
    lambda: Thing(a=2, b=1),
    lambda: Thing(a={"b": Thing(c=1)}),
    lambda: slotted(a=1),
    lambda: slotted(b=1),
    lambda: slotted(a=1, b=1),
    lambda: Text("a"),
    lambda: Number(1),
    lambda: Row([1]),
    lambda: Row([1, 2]),
    lambda: [1, 2],
    lambda: Table(a=1),
    lambda: Table(a=2),
    lambda: Bag("abcdefgh"),
    lambda: Bag("abcdefg"),
    lambda: collections.OrderedDict([(1, 2), (3, 4)]),
    lambda: collections.OrderedDict([(3, 4), (1, 2)]),
    lambda: collections.Counter("abb"),
    lambda: collections.Counter("aab"),
    lambda: collections.defaultdict(int, a=1),
    lambda: collections.defaultdict(list, a=1),
    lambda: collections.deque([1, 2]),
    lambda: collections.deque([1, 2], 2),
    lambda: array.array("i", [1, 2]),
    lambda: array.array("l", [1, 2]),
    lambda: array.array("d", [1, 2]),
    lambda: memoryview(b"ab"),
    lambda: memoryview(b"abcd").cast("H"),
    lambda: memoryview(b"abcd").cast("B", (2, 2)),
    lambda: memoryview(b"abcd"),
    lambda: ValueError("a"),
    lambda: ValueError("b"),
    lambda: KeyError("a"),
    lambda: Thing,
    lambda: Plain,
    lambda: int,
    lambda: os,
    lambda: os.path,
    lambda: len,
    lambda: [].append,
    lambda: [1].append,
    lambda: dict.fromkeys,
    lambda: str.upper,
    lambda: "a".upper,
    lambda: module_function,
    lambda: other_function,
    lambda: Thing.method,
    lambda: Thing(a=1).method,
    lambda: Thing(a=2).method,
    lambda: functools.partial(module_function, 1, a=2),
    lambda: functools.partial(module_function, 2, a=2),
    lambda: functools.partial(other_function, 1, a=2),
    lambda: functools.lru_cache(module_function),
    lambda: functools.lru_cache(other_function),
    lambda: list[int],
    lambda: list[str],
    lambda: int | str,
    lambda: types.SimpleNamespace(a=1, b=2),
    lambda: types.MappingProxyType,
    lambda: iter([1, 2]),
    lambda: Shade.RED,
    lambda: Colour.BLUE,
    lambda: Level.LOW,
    lambda: (1, 2),
    lambda: Point(1, 3),
    lambda: 1,
    lambda: "a",
    lambda: {"a": 1},
]


def test_one_digest_for_each_value() -> None:
    known: dict[bytes, int] = {}
    for at, make in enumerate(SAME):
        found = digest(make())
        assert digest(make()) == found, make()
        assert known.setdefault(found, at) == at, (make(), SAME[known[found]]())


def test_a_copy_has_the_digest() -> None:
    for make in SAME:
        value = make()
        try:
            copied = copy.deepcopy(value)
        except TypeError:  # a module
            continue
        assert digest(copied) == digest(value), value


def test_what_is_equal_though_written_differently() -> None:
    assert Colour.CRIMSON is Colour.RED
    assert digest(uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe)) == digest(uuid.UUID(int=5))
    assert digest(types.SimpleNamespace(a=1, b=2)) == digest(types.SimpleNamespace(b=2, a=1))
    assert digest(Thing(a=1, b=2)) == digest(Thing(b=2, a=1))
    assert digest(pathlib.PurePosixPath("/a/./b")) == digest(pathlib.PurePosixPath("/a", "b"))
    shared = [1]
    assert digest([shared, shared]) == digest([[1], [1]])
    assert digest(memoryview(b"abcd")[::2]) == digest(memoryview(b"ac"))
    assert digest(Table(a=1, b=2)) == digest(Table(b=2, a=1))


def test_objects_are_what_pickle_asks_them() -> None:
    for value in (Row([1, 2]), Table(a=1, b=2), Thing(a=1), slotted(a=1, b=2), Point(1, "a")):
        assert digest(value) == digest_of(encode_reduced(value)), value
    assert digest(Thing) == digest_of(encode_class(Thing))


def test_attributes_beside_a_dataclass_s_fields_count() -> None:
    one = Plain(1)
    one.note = 2  # type: ignore[attr-defined]
    assert digest(one) != digest(Plain(1))


def test_copyreg_is_asked_first() -> None:
    class Odd:
        def __reduce_ex__(self, protocol: int) -> Any:
            raise AssertionError

    copyreg.pickle(Odd, lambda odd: (Thing, (7,)))  # type: ignore[arg-type,return-value]
    try:
        assert digest(Odd()) == digest_of(
            b"R" + encode(Thing) + encode((7,)) + b"NN;;N".replace(b"NN", b"N", 1)
        )
    finally:
        del copyreg.dispatch_table[Odd]


# ---- functions ----


def test_functions_are_what_the_callback_says() -> None:
    asked: list[Any] = []

    def say(function: Any) -> bytes:
        asked.append(function)
        return function.__code__.co_code

    one, same, other = (lambda: 1), (lambda: 1), (lambda: [1])
    assert digest(one, functions=say) == digest(same, functions=say) != digest(other, functions=say)
    assert asked == [one, same, other]
    nested = {"a": [functools.partial(one, 1)]}
    assert digest(nested, functions=say) == digest({"a": [functools.partial(same, 1)]}, b"", say)
    assert digest(one, functions=lambda _: b"x") == digest_of(b"l\x01x")


def test_classes_are_what_the_callback_says() -> None:
    asked: list[Any] = []

    def say(code: Any) -> bytes:
        asked.append(code)
        return b"code of " + code.__name__.encode()

    assert digest(Thing, functions=say) == digest_of(head(b"l", 13) + b"code of Thing")
    for holder in ([Thing], {"a": Thing}, functools.partial(Thing, 1), {Colour}):
        asked.clear()
        assert digest(holder, functions=say) != digest(holder)
        assert set(asked) in ({Thing}, {Colour})
    asked.clear()
    for value in (
        int,
        [dict, type, object],
        Thing(x=7),
        Frozen(1),
        Plain(1),
        Point(1, 2),
        Row([1]),
        Text("a"),
    ):
        assert digest(value, functions=say) == digest(value)
    assert asked == []


def test_a_class_as_an_argument_counts_with_its_code() -> None:
    def made(result: int) -> type:
        space: dict[str, Any] = {"__name__": "typed"}
        exec(f"class Model:\n    def run(self): return {result}", space)
        return space["Model"]  # type: ignore[no-any-return]

    def say(code: Any) -> bytes:
        return identify(code).digest

    one, same, other = (digest([made(at)], functions=say) for at in (1, 1, 2))
    assert one == same != other
    assert digest([made(1)]) == digest([made(2)])


def test_members_of_enums_count_with_their_values_where_code_counts() -> None:
    def made(value: Any) -> Any:
        return enum.Enum("Made", {"ONE": value, "TWO": 2}, module=__name__)["ONE"]

    def digest_in(value: Any) -> bytes:
        return digest(made(value), functions=lambda code: b"said")

    def digest_raising(member: Any) -> bytes:
        return digest(member, functions=lambda _: bytes(1 // 0))

    values = [1, 1.0, "1", (1, 2), None, [1], {"a": 1}, (len,)]
    assert len({digest_in(value) for value in values}) == len(values)
    assert len({digest(made(value)) for value in values}) == 1, "by name"
    assert digest_in((1, [2])) == digest_in((1, [2]))
    locks = [threading.Lock(), threading.Lock()]
    assert digest_in(locks[0]) == digest_in(locks[1]), "what can not be digested is its name"
    with pytest.raises(ZeroDivisionError):
        digest_raising(made((made,)))


def test_a_function_without_a_name_of_its_own_is_refused() -> None:
    def inner() -> None: ...

    for function in (inner, lambda: 1):
        with pytest.raises(TypeError, match="from others of its name"):
            digest([function])
    with pytest.raises(TypeError, match="not bytes"):
        digest(inner, functions=lambda _: "x")  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        digest(inner, functions=lambda _: 1 // 0)  # type: ignore[arg-type,return-value]


# ---- what can not be digested ----


def test_what_can_not_be_pickled_is_a_type_error(tmp_path: pathlib.Path) -> None:
    class Raises:
        def __reduce_ex__(self, protocol: int) -> Any:
            raise ValueError("no way")

    class Unprintable(Exception):
        def __str__(self) -> str:
            raise KeyError

    class RaisesUnprintable:
        def __reduce_ex__(self, protocol: int) -> Any:
            raise Unprintable

    class Nonsense:
        def __init__(self, said: Any) -> None:
            self.said = said

        def __reduce_ex__(self, protocol: int) -> Any:
            return self.said

    with socket.socket() as connection, open(tmp_path / "a", "w") as file:
        for value in (threading.Lock(), connection, file, (i for i in ()), sys._getframe()):
            with pytest.raises(TypeError, match="cannot pickle"):
                digest([value])
    with pytest.raises(TypeError, match="cannot describe a 'Raises' object: no way") as caught:
        digest(Raises())
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(TypeError, match="cannot describe a 'RaisesUnprintable' object"):
        digest(RaisesUnprintable())
    for said in (None, 1, (), (int,), (int, 1), (int, (), 1, 2, 3, 4, 5), (int, (), None, 5)):
        with pytest.raises(TypeError):
            digest(Nonsense(said))


def test_other_errors_of_attributes_pass() -> None:
    class Odd:
        def __init__(self, name: str) -> None:
            self.name = name

        def __reduce_ex__(self, protocol: int) -> Any:
            return "name"

        def __getattribute__(self, name: str) -> Any:
            if name == object.__getattribute__(self, "name"):
                raise ZeroDivisionError
            return object.__getattribute__(self, name)

    for name in ("__wrapped__", "__module__"):
        with pytest.raises(ZeroDivisionError):
            digest(Odd(name))
    assert digest(Odd("")) == digest_of(b"g" + encode(Odd.__module__) + encode("name"))


def test_interrupts_pass() -> None:
    class Interrupts:
        def __reduce_ex__(self, protocol: int) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digest([Interrupts()])


# ---- what refers to itself, and what is deep ----


def test_cycles_end() -> None:
    def loop(size: int) -> list[Any]:
        first: list[Any] = []
        last = first
        for _ in range(size):
            last.append([])
            last = last[0]
        last.append(first)
        return first

    assert digest(loop(0)) == digest(loop(0)) == digest_of(b"[\x01^\x01")
    assert digest(loop(3)) == digest(loop(3)) != digest(loop(2))
    one, other = Thing(a=1), Thing(a=1)
    one.me, other.me = one, other  # type: ignore[attr-defined]
    assert digest(one) == digest(other) != digest(Thing(a=1))
    table: dict[Any, Any] = {}
    table["me"] = table
    assert digest(table) == digest(table)


def test_what_has_too_many_ways_through_it_can_be_interrupted() -> None:
    class Interrupted(Exception): ...

    def interrupt(*_: object) -> None:
        raise Interrupted

    value: list[Any] = []
    for _ in range(100):
        value = [value, value]
    plan = CallPlan("f", (("a", 1, (), False, None),))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for work in (lambda: digest(value), lambda: plan.digest((value,), {})):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                work()
    finally:
        signal.signal(signal.SIGALRM, before)


def test_deep_values_are_a_recursion_error() -> None:
    limit = sys.getrecursionlimit()
    for wrap in (lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: Thing(a=v)):
        value: Any = 1
        for _ in range(100):
            value = wrap(value)
        digest(value)
        for _ in range(20_000):
            value = wrap(value)
        sys.setrecursionlimit(10**6)
        try:
            with pytest.raises(RecursionError):
                digest(value)
        finally:
            sys.setrecursionlimit(limit)
        while not isinstance(value, int):  # taken apart by hand, not by nested deallocators
            value = (
                value.a
                if isinstance(value, Thing)
                else next(iter(value.values() if isinstance(value, dict) else value))
            )


def test_an_endless_description_is_a_recursion_error() -> None:
    class Endless:
        def __reduce_ex__(self, protocol: int) -> Any:
            return Thing, (Endless(),)

    with pytest.raises(RecursionError):
        digest(Endless())


# ---- values that change while they are walked ----


def test_containers_may_change_meanwhile() -> None:
    class Meddler:
        def __init__(self, act: Callable[[], object]) -> None:
            self.act = act

        def __hash__(self) -> int:
            return 1

        def __reduce_ex__(self, protocol: int) -> Any:
            self.act()
            gc.collect(0)
            return Thing, ()

    values: list[Any] = []
    values[:] = [Meddler(values.clear), *(Thing(a=i) for i in range(50))]
    digest(values)
    values[:] = [Meddler(lambda: values.append(1)), 2]
    digest(values)
    table: dict[Any, Any] = {}
    table.update({0: Meddler(table.clear)}, **{str(i): Thing(a=i) for i in range(50)})
    digest(table)
    table.update({i: Meddler(lambda: table.update({object(): 1})) for i in range(20)})
    digest(table)
    some: set[Any] = set()
    some.update([Meddler(some.clear), *(Thing(a=i) for i in range(50))])
    digest(some)
    grown = bytearray(10)
    digest([Meddler(grown.clear), grown])


def test_a_class_may_change_its_instance_s_class_meanwhile() -> None:
    class Changes:
        def __reduce_ex__(self, protocol: int) -> Any:
            self.__class__ = Thing  # type: ignore[assignment]
            return Thing, (), {"a": self}

    digest([Changes(), Changes()])


def test_items_may_go_while_others_run() -> None:
    values: list[Any] = []
    stop = threading.Event()

    def replace() -> None:
        while not stop.is_set():
            values[:] = ["x" * (2 << 20), b"y" * (2 << 20), bytearray(2 << 20)]

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        for _ in range(100):
            digest(values)
    finally:
        stop.set()
        thread.join()


def test_large_values_are_digested_by_several_threads() -> None:
    data = [bytearray(os.urandom(3 << 20)) for _ in range(3)]
    right = [digest(one) for one in data]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(5):
            wrong.extend(i for i, one in enumerate(data) if digest(one) != right[i])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- over processes, and over time ----

PROGRAM = """
import collections, pathlib, sys
from fettle._core import digest
values = [
    {"a", "b", 1, 2.5}, {"x": 1, "y": [2]}, frozenset("qwertz"), "text",
    pathlib.PurePosixPath("a"), collections.Counter("hello"), collections.OrderedDict(a=1),
    len, ValueError("a"), {(1, "a"): {}},
]
print(*(digest(value).hex() for value in values))
"""


def test_digests_do_not_depend_on_the_process() -> None:
    said = set()
    for seed in ("0", "1", "2", "random"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True
        )
        said.add(done.stdout)
    assert len(said) == 1


def test_nothing_is_leaked() -> None:
    def work() -> None:
        for make in SAME:
            digest(make())
        for bad in (threading.Lock(), [1, {2: threading.Lock()}], {3: [io.StringIO, lambda: 1]}):
            with pytest.raises(TypeError):
                digest(bad)

    assert least_growth(work, 50, 49) < 50
    shared = Thing(a=1)
    held = sys.getrefcount(shared)
    for _ in range(10):
        digest([shared, (shared,), {1: shared}, {shared}])
    assert sys.getrefcount(shared) == held
