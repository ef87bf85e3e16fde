# SPDX-License-Identifier: Apache-2.0
"""The codec of values that are kept: what went in comes back, and damaged bytes are refused.

The oracle is copy.deepcopy and pickle: types, contents and which objects are one object."""

import contextlib
import copy
import datetime
import decimal
import enum
import gc
import math
import pickle
import random
import struct
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fettle import _core

from tests.leaks import least_growth

UTC = datetime.UTC
PLAIN: list[Any] = [
    None, True, False, ..., 0, 1, 63, 64, -1, -64, 127, 128, 2**31, 2**63 - 1, -(2**63), 2**63,
    -(2**63) - 1, 2**64, 10**300, -(10**300), 0.0, -0.0, 1.5, math.inf, -math.inf, 1e-320, 1j,
    complex(-0.0, math.inf), "", "a", "a" * 31, "a" * 32, "ä", "\x00", "größe\U0001f40d",
    "\ud800", "\udc80\ud800x", "x" * 5000, "ü" * 5000, b"", b"a", bytes(range(256)), b"z" * 4095,
    b"z" * 4096,     b"z" * 70000, bytearray(), bytearray(b"ab" * 9000), (), (1,), tuple(range(15)),
    tuple(range(16)), [], [[]], [1, [2, [3]]], {}, {"a": 1, 2: "b", None: (), (1, 2): 3.0}, set(),
    {1, 2, 3},
    frozenset(), frozenset({"a", (1, 2)}), range(0), range(5), range(10, -(2**70), -7),
    datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.time(), datetime.timedelta.max,
    datetime.time(23, 59, 59, 999999, fold=1), datetime.time(1, 2, tzinfo=UTC), UTC,
    datetime.datetime(2024, 2, 29, 12, 30, 15, 123456), datetime.timedelta.min,
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=UTC), datetime.timedelta(-1, 5, 7),
    decimal.Decimal("0"), decimal.Decimal("-0.00"), decimal.Decimal("1E+999999"),
    decimal.Decimal("NaN123"), decimal.Decimal("-sNaN7"), decimal.Decimal("Infinity"),
    decimal.Decimal("3." + "14" * 60),
]  # fmt: skip

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


class Text(str):
    pass


class Thing:
    def __init__(self, inside: Any) -> None:
        self.inside = inside

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and same(self.inside, other.inside)

    __hash__ = None  # type: ignore[assignment]


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types all the way down, floats to the bit and dicts in order."""
    if type(one) is not type(other):
        return False
    if type(one) is float:
        return struct.pack("<d", one) == struct.pack("<d", other)
    if type(one) is complex:
        return same((one.real, one.imag), (other.real, other.imag))
    if type(one) is decimal.Decimal:
        return one.as_tuple() == other.as_tuple()
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict:
        return same(list(one.items()), list(other.items()))
    if type(one) in (set, frozenset):
        return len(one) == len(other) and all(any(same(x, y) for y in other) for x in one)
    if isinstance(one, datetime.datetime | datetime.time):
        return one == other and one.fold == other.fold and one.tzinfo is other.tzinfo
    return bool(one == other)


def sharing(value: Any) -> list[int]:
    """Which of the mutable objects in a value, in the order of a walk, are one: their numbers."""
    found: list[int] = []
    numbers: dict[int, int] = {}
    keep = []

    def walk(each: Any) -> None:
        if isinstance(each, list | dict | bytearray | Thing):
            keep.append(each)
            number = numbers.setdefault(id(each), len(numbers))
            found.append(number)
            if number < len(numbers) - 1 and found.count(number) > 1:
                return
        if found.count(numbers.get(id(each), -1)) > 1:
            return
        if isinstance(each, dict):
            for pair in each.items():
                walk(pair[1])
        elif isinstance(each, list | tuple):
            for item in each:
                walk(item)
        elif isinstance(each, Thing):
            walk(each.inside)

    walk(value)
    return found


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:30])
def test_plain_values_are_typed_and_come_back(value: Any) -> None:
    encoded = _core.encode(value)
    assert not _core.encoded_pickled(encoded)
    for back in (_core.decode(encoded), _core.decode(encoded, encoded)):
        assert same(back, value)
        assert same(back, copy.deepcopy(value))
    assert same(_core.decode(_core.encode([value])), [value])


def test_bits_of_a_nan_are_kept() -> None:
    for bits in (0x7FF8000000000001, 0xFFF8000000ABCDEF):
        (nan,) = struct.unpack("<d", struct.pack("<Q", bits))
        back = _core.decode(_core.encode(nan))
        assert struct.unpack("<Q", struct.pack("<d", back)) == (bits,)


@pytest.mark.parametrize(
    "value",
    [
        Point(1, 2), Colour.RED, Text("a"), Thing([1]), OrderedDict(a=1), Counter("aab"),
        Fraction(1, 3), len, datetime.timezone(datetime.timedelta(hours=1)), NotImplemented,
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        ValueError("x"), int, [1, {"a": Text("b")}],
    ],
    ids=repr,
)  # fmt: skip
def test_anything_else_is_a_pickle_as_a_whole(value: Any) -> None:
    encoded = _core.encode(value)
    assert _core.encoded_pickled(encoded)
    back = _core.decode(encoded)
    assert repr(back) == repr(pickle.loads(pickle.dumps(value))) or back == value
    assert type(back) is type(value)


def test_what_pickle_says_of_a_value_passes_through() -> None:
    for value in (lambda: 1, [threading.Lock()], {"a": (x for x in ())}):
        try:
            pickle.dumps(value, 5)
        except Exception as error:
            expected = type(error)
        with pytest.raises(expected):
            _core.encode(value)


def random_value(source: random.Random, depth: int, met: list[Any]) -> Any:
    if depth == 0 or source.random() < 0.3:
        return copy.copy(source.choice(PLAIN[:60]))
    if met and source.random() < 0.1:
        return source.choice(met)
    kind = source.randrange(6)
    items = [random_value(source, depth - 1, met) for _ in range(source.randrange(5))]
    made: Any = items
    if kind == 1:
        made = tuple(items)
    elif kind == 2:
        made = {source.choice(["a", "bb", 3, 4.5, (1, 2), None, b"k"]): item for item in items}
    elif kind == 3:
        made = {item for item in (1, "a", 2.5, (1,), None) if source.random() < 0.5}
    elif kind == 4 and source.random() < 0.2:
        made = Thing(items)
    if not isinstance(made, tuple | set):
        met.append(made)
    return made


@pytest.mark.parametrize("seed", range(400))
def test_random_values(seed: int) -> None:
    value = random_value(random.Random(seed), 5, [])
    back = _core.decode(_core.encode(value))
    assert same(back, value)
    assert sharing(back) == sharing(value) == sharing(copy.deepcopy(value))


def test_what_is_one_object_stays_one() -> None:
    inner: list[Any] = [1]
    a, b = _core.decode(_core.encode((inner, inner)))
    assert a is b
    data = bytearray(b"x")
    one, (other,) = _core.decode(_core.encode([data, (data,)]))
    assert one is other
    deep = _core.decode(_core.encode({"a": {"b": inner}, "c": [[inner]]}))
    assert deep["a"]["b"] is deep["c"][0][0]


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    back = _core.decode(_core.encode(loop))
    assert back[1] is back
    table: dict[str, Any] = {}
    table["me"] = (table,)
    again = _core.decode(_core.encode(table))
    assert again["me"][0] is again


def test_many_shared_objects_are_noticed() -> None:
    lists: list[Any] = [[i] for i in range(3000)]
    assert not _core.encoded_pickled(_core.encode(lists[:]))
    back = _core.decode(_core.encode(lists + lists[-1:]))
    assert back[-1] is back[-2]


def test_what_is_held_once_elsewhere_too_is_still_typed() -> None:
    lists = [[i] for i in range(100)]
    keep = list(lists)
    encoded = _core.encode(lists)
    assert keep and not _core.encoded_pickled(encoded)
    assert _core.decode(encoded) == lists


def test_a_small_value_has_no_huge_encoding() -> None:
    value: Any = ()
    for _ in range(60):
        value = (value, value)  # 2**60 tuples if each was written out
    assert len(_core.encode(value)) < 10_000
    text = "x" * 1000
    assert len(_core.encode([text] * 1000)) < 20_000


def test_small_constants_held_often_stay_typed() -> None:
    value = [(1, "a")] * 50 + [("x" * 60, None)] * 3
    encoded = _core.encode(value)
    assert not _core.encoded_pickled(encoded)
    assert _core.decode(encoded) == value


def test_fields_of_records_are_written_once_and_read_as_one_object() -> None:
    records = [{"identifier": i, "description": str(i), "größe": i} for i in range(500)]
    encoded = _core.encode(records)
    assert not _core.encoded_pickled(encoded)
    assert encoded.count(b"identifier") == 1
    back = _core.decode(encoded)
    assert back == records
    assert len({id(key) for record in back for key in record if key == "identifier"}) == 1


def test_long_texts_are_written_once_too() -> None:
    tried: list[list[str]] = []  # two whose addresses collide are not: others are tried then
    small = 0
    for size in range(1000, 1010):
        tried.append(["x" * size, "ü" * size])
        encoded = _core.encode(tried[-1] * 50)
        assert _core.decode(encoded) == tried[-1] * 50
        small += len(encoded) < 4000 and not _core.encoded_pickled(encoded)
    assert small >= 5
    many = [str(i) * 100 for i in range(300)]
    assert _core.decode(_core.encode(many * 2)) == many * 2


def test_more_different_keys_than_are_numbered() -> None:
    names = [f"name{i}" for i in range(1000)]
    records = [dict.fromkeys(names, i) for i in range(3)]
    assert _core.decode(_core.encode(records)) == records


@pytest.mark.parametrize("depth", [1, 100, 127, 128, 129, 200])
def test_depth(depth: int) -> None:
    value: Any = []
    for _ in range(depth):
        value = [value]
    encoded = _core.encode(value)
    assert _core.encoded_pickled(encoded) == (depth + 1 > 128)
    assert _core.decode(encoded) == value


def test_a_range_at_the_bottom() -> None:
    value: Any = range(5)
    for _ in range(128):
        value = [value]
    encoded = _core.encode(value)
    assert not _core.encoded_pickled(encoded)
    assert _core.decode(encoded) == value


def test_nesting_that_nobody_writes_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        _core.decode(b"\x01\x00" + b"\x7e\x01" * 100_000 + b"\x00")


class Meddler:
    """Garbage whose finalizer changes a list, which may be just then encoded."""

    def __init__(self, target: list[Any]) -> None:
        self.target, self.me = target, self

    def __del__(self) -> None:
        self.target.clear()
        self.target.extend(range(3))


def test_a_list_that_changes_while_it_is_encoded() -> None:
    thresholds = gc.get_threshold()
    try:
        for _ in range(50):
            value: list[Any] = [{1, 2}, [frozenset({3}), {4: {5}}], {"a" * 3: {6}}] * 1
            gc.set_threshold(1)
            for _ in range(3):
                Meddler(value)
            encoded = _core.encode(value)
            gc.set_threshold(*thresholds)
            assert isinstance(_core.decode(encoded), list)
    finally:
        gc.set_threshold(*thresholds)


def test_a_value_too_deep_for_pickle_is_a_recursion_error() -> None:
    value: Any = []
    for _ in range(200_000):
        value = [value]
    with pytest.raises((RecursionError, MemoryError)):
        _core.encode(value)
    while value:
        value = value.pop()


def test_another_version_is_said() -> None:
    with pytest.raises(ValueError, match="format 2, and this fettle reads format 1"):
        _core.decode(b"\x02\x00\x01")
    assert not _core.encoded_pickled(b"\x02\x01\x01")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x00", b"\x01\x04\x01", b"\x01\x02\x01"])
def test_no_encodings(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        _core.decode(data)


def test_an_owner_that_does_not_hold_the_bytes() -> None:
    with pytest.raises(ValueError, match="owner"):
        _core.decode(_core.encode(1), bytearray(100))


def try_to_read(data: bytes) -> None:
    """A value or a ValueError; a numpy that is missing is ImportError."""
    try:
        value = _core.decode(data)
    except (ValueError, ImportError, MemoryError):
        return
    repr(value)


SPECIMENS: list[Callable[[], Any]] = [
    lambda: [each for each in PLAIN if not isinstance(each, str | bytes | bytearray) or
             len(each) < 300],
    lambda: [{"a": 1, "b": [1.5, None]}, {"a": {2, 3}, "b": (b"x" * 40,)}] * 1,
    lambda: {"x": b"q" * 5000, "y": [b"r" * 4096, "text" * 20, -70000]},
]  # fmt: skip


@pytest.mark.parametrize("make", SPECIMENS)
def test_damaged_encodings(make: Callable[[], Any]) -> None:
    data = _core.encode(make())
    assert not _core.encoded_pickled(data)
    for cut in range(len(data)):
        with pytest.raises(ValueError, match="damaged"):
            _core.decode(data[:cut])
    head = data[:3000]
    for at in range(len(head)):
        for byte in (0, 1, 0x7F, 0x80, 0xFF, head[at] ^ 1, head[at] ^ 0x10, head[at] ^ 0x80):
            changed = bytearray(data)
            changed[at] = byte
            if changed[1] & 1 == 0:  # a pickle may do anything
                try_to_read(bytes(changed))
    with pytest.raises(ValueError, match="damaged"):
        _core.decode(data + b"\x00")


def test_huge_counts_reserve_nothing() -> None:
    huge = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
    for tag in set(range(256)) - {0x74}:  # which is a number of that size
        with pytest.raises(ValueError, match="damaged"):
            _core.decode(b"\x01\x00" + bytes([tag]) + huge)
    nested = b"\x01\x00" + (bytes([0x70 + 14]) + b"\xf0\x3f") * 4000 + b"\x00" * 9000
    with pytest.raises(ValueError, match="damaged"):
        _core.decode(nested)


@pytest.mark.parametrize(
    "make", [lambda: PLAIN, lambda: Thing([PLAIN]), lambda: ["a", {"b": b"c" * 5000}]]
)
def test_nothing_is_lost_or_freed_twice(make: Callable[[], Any]) -> None:
    value = make()
    encoded = _core.encode(value)

    def once() -> None:
        _core.decode(_core.encode(value), None)
        _core.decode(encoded, encoded)
        for cut in range(2, min(len(encoded), 400), 7):
            with contextlib.suppress(Exception):
                _core.decode(encoded[:cut])

    assert least_growth(once, 100, 49) < 50
    held = sys.getrefcount(value), sys.getrefcount(encoded)
    once()
    assert (sys.getrefcount(value), sys.getrefcount(encoded)) == held


def test_damage_under_pythons_own_memory_checks() -> None:
    """The same mutations where reads behind blocks of Python's are noticed when they are freed."""
    program = """
import random
from fettle import _core
source = random.Random(5)
data = _core.encode([{"a": [1, 2.5, "x" * 50], "b": (None, {3}, b"y" * 5000)}, 10**40, range(3)])
for _ in range(20000):
    changed = bytearray(data)
    for _ in range(source.randrange(1, 4)):
        changed[source.randrange(2, 180)] = source.randrange(256)
    try:
        _core.decode(bytes(changed))
    except (ValueError, ImportError):
        pass
"""
    subprocess.run([sys.executable, "-X", "dev", "-c", program], check=True, timeout=300)


def test_numpy_is_not_imported_to_encode() -> None:
    program = """
import sys
from fettle import _core
data = _core.encode([1, "a", {"b": 2.0}])
_core.decode(data)
assert "numpy" not in sys.modules and "pickle" not in sys.modules, sorted(sys.modules)
"""
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=60)


HAND_WRITTEN: list[tuple[str, Any]] = [  # from docs/codec.md, by hand
    ("01 00 05", 5),
    ("01 00 74 01", -1),
    ("01 00 74 80 01", 64),
    ("01 00 75 01 ff", -1),  # larger than it need be
    ("01 00 42 61 62", "ab"),
    ("01 00 78 03 ed b0 80", "\udc00"),
    ("01 00 62 01 70", (1, None)),
    ("01 00 7e 02 79 01 61 7a 00", ["a", "a"]),
    ("01 00 81 01 41 6b 7e 01 72", {"k": [True]}),
    ("01 00 86 01 00 00", datetime.timedelta(-1)),
    ("01 00 82 00 03 01", range(3)),
    ("01 02 01 01 03 bb" + " 00" * 58 + " 78 79 7a", b"xyz"),
    ("01 01 8b 02 4e 2e 00", None),
]


@pytest.mark.parametrize(("encoded", "value"), HAND_WRITTEN, ids=repr)
def test_the_format_is_as_its_page_says(encoded: str, value: Any) -> None:
    assert same(_core.decode(bytes.fromhex(encoded)), value)


def old_encodings() -> list[list[str]]:
    text = (Path(__file__).parent / "encodings-v1.txt").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("encoded", "expression"), old_encodings(), ids=str)
def test_old_encodings_are_read_for_ever(encoded: str, expression: str) -> None:
    names: dict[str, Any] = {"datetime": datetime, "decimal": decimal, "math": math, "UTC": UTC}
    names["Fraction"] = Fraction
    if "numpy" in expression:
        names["numpy"] = pytest.importorskip("numpy")
    value, back = eval(expression, names), _core.decode(bytes.fromhex(encoded))
    if "numpy" in expression:
        assert (back.dtype, back.shape) == (value.dtype, value.shape)
        assert back.tobytes("A") == value.tobytes("A")
    else:
        assert same(back, value)
