# SPDX-License-Identifier: Apache-2.0
"""fettle.table beside the dict that it stands for: {arguments: f(*arguments)}."""

import copy
import functools
import gc
import inspect
import io
import itertools
import math
import pickle
import random
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from typing import Any

import fettle
import pytest
from fettle import _core

FAR = 2**61 - 1  # the modulus of the hashes of numbers


class Colour(Enum):
    RED = 1
    GREEN = "g"
    BLUE = (0, 0)
    ROT = 1  # an alias


class Level(IntEnum):
    LOW = 1
    HIGH = 7


class Plain:
    pass


class Same:
    """Equal to others of its number, with hashes that collide."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return self.number % 3

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.number == self.number


class Number:
    """Equal to a number, and hashed as one."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return other == self.number


class Odd(int):
    """An int that equals nothing of its value."""

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return False


def record(*arguments: object) -> object:
    """An answer that tells which member it was computed for, and of which type."""
    return tuple((type(argument).__name__, repr(argument)) for argument in arguments)


def oracle(domains: list[list[Any]], function: Callable[..., Any]) -> dict[Any, Any]:
    members = (list(dict.fromkeys(domain)) for domain in domains)
    return {arguments: function(*arguments) for arguments in itertools.product(*members)}


def outcome(function: Callable[[], Any]) -> Any:
    """What it returns, or the type of what it raises; its answers alike, however they fail."""
    try:
        return ("gives", function())
    except LookupError:
        return "outside"
    except Exception as error:
        return type(error)


DOMAINS: dict[str, Callable[[], Any]] = {
    "range": lambda: range(8),
    "range of one": lambda: range(5, 6),
    "range below 0": lambda: range(-5, 5),
    "range by 3": lambda: range(-7, 30, 3),
    "range back": lambda: range(20, -20, -7),
    "range at the modulus": lambda: range(FAR - 5, FAR + 5),
    "range below it": lambda: range(FAR - 9, FAR - 1),
    "range of one huge step": lambda: range(3, 10**30, 10**30),
    "range of huge numbers": lambda: range(10**30, 10**30 + 4),
    "range around -2": lambda: range(-3, 0),
    "bool": lambda: bool,
    "Enum": lambda: Colour,
    "IntEnum": lambda: Level,
    "list of bool": lambda: [False, True],
    "list of bool, turned": lambda: [True, False],
    "list": lambda: [3, "a", None, 2.5, (1, 2), b"x", 1 + 2j, frozenset({1})],
    "list with equals": lambda: [1, 1.0, True, 2, Decimal(2), 0, False],
    "tuple": lambda: (10**20, -(10**20), 2**31, -1, -2),
    "str": lambda: "hello, world",
    "texts": lambda: ["a", "\xe9", "\u20ac", "\U0001f600", "", "ab", "a\0"],
    "bytes": lambda: b"abc",
    "set": lambda: {5, 6, 7},
    "frozenset": lambda: frozenset("xyz"),
    "dict": lambda: {"a": 1, 2: "b"},
    "generator": lambda: (n * n for n in range(10)),
    "objects": lambda: OBJECTS,
    "many": lambda: [f"key {number}" for number in range(3000)],
    "nan": lambda: [NAN, math.inf, -0.0],
    "one": lambda: ["alone"],
}
PLAIN = Plain()
OBJECTS = [PLAIN, Plain, len, Same(1), Same(4), Same(7), Same(2)]
NAN = float("nan")

ARGUMENTS: list[Any] = [
    *range(-8, 31),
    *(FAR + d for d in range(-10, 11)),
    *(-FAR + d for d in range(-3, 4)),
    *(2**63, -(2**63), 2**64, 2**30, -(2**30), 2**31, 10**20, -(10**20), 10**30, 10**30 + 3),
    *(True, False, None, 0.0, -0.0, 1.0, 2.5, -1.0, -2.0, 1e30, -1e300, 2.0**61, math.inf, NAN),
    *(Decimal(2), Decimal("2.5"), Fraction(6, 2), Fraction(1, 2), 1 + 0j, 1 + 2j, -2 + 0j),
    *(Odd(1), Odd(-2), Number(3), Number(-1), Number(-2), Number(FAR), Level.LOW, Level.HIGH),
    *(Colour.RED, Colour.ROT, Colour.GREEN, Colour(1), PLAIN, Plain, Plain(), len),
    *(Same(1), Same(4), Same(7), Same(10), "a", "b", "", "h", "key 17", "".join(["key", " 18"])),
    *(
        "\xe9",
        "\u20ac",
        "\U0001f600",
        "a\0",
        "alone",
        b"x",
        97,
        98,
        (1, 2),
        (1, 2.0),
        frozenset({1}),
    ),
]
UNHASHABLE: list[Any] = [[1], {}, ([],), {1}, bytearray(b"a")]


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_is_what_a_dict_of_it_is(name: str) -> None:
    table = fettle.table(DOMAINS[name]())(record)
    domain = DOMAINS[name]()
    right = oracle([[False, True] if domain is bool else list(domain)], record)
    assert len(table) == len(right)
    assert table.values == tuple(right.values())
    assert list(itertools.product(*table.domains)) == list(right)
    for argument in [*ARGUMENTS, *(members[0] for members in right)]:
        told = outcome(lambda argument=argument: table(argument))
        assert told == outcome(lambda argument=argument: right[(argument,)]), argument


def test_several_domains_are_what_a_dict_of_tuples_is() -> None:
    generator = random.Random(7)
    for _ in range(150):
        names = generator.choices(
            [name for name in DOMAINS if name != "many"], k=generator.randint(1, 3)
        )
        domains = [DOMAINS[name]() for name in names]
        listed = [[False, True] if domain is bool else list(domain) for domain in domains]
        right = oracle(listed, record)
        given = [
            members if inspect.isgenerator(domain) else domain
            for domain, members in zip(domains, listed, strict=True)
        ]
        table = fettle.table(*given)(record)
        assert table.values == tuple(right.values())
        for _ in range(200):
            arguments = tuple(
                generator.choice(members if generator.random() < 0.8 else ARGUMENTS)
                for members in listed
            )
            told = outcome(lambda table=table, arguments=arguments: table(*arguments))
            assert told == outcome(lambda right=right, arguments=arguments: right[arguments]), (
                names,
                arguments,
            )


@pytest.mark.parametrize("argument", UNHASHABLE, ids=repr)
def test_what_can_not_be_hashed(argument: Any) -> None:
    """A TypeError as of a dict; no range has it, so there it is outside."""
    with pytest.raises(TypeError):
        fettle.table("abc")(record)(argument)
    with pytest.raises(TypeError):
        fettle.table("abc", default=1)(record)(argument)
    with pytest.raises(TypeError):  # as the hash of a tuple: the first is outside, too
        fettle.table("abc", "abc")(record)("x", argument)
    with pytest.raises(IndexError):
        fettle.table(range(3))(record)(argument)
    assert fettle.table(range(3), default=1)(record)(argument) == 1


def test_what_user_code_raises_goes_on() -> None:
    class Strange:
        def __init__(self, hashed: Any, equal: Any) -> None:
            self.hashed, self.equal = hashed, equal

        def __hash__(self) -> int:
            if isinstance(self.hashed, Exception):
                raise self.hashed
            return int(self.hashed)

        def __eq__(self, other: object) -> bool:
            if isinstance(self.equal, Exception):
                raise self.equal
            return bool(self.equal)

    error = ZeroDivisionError("mine")
    for domain in (range(5), [0, 3, "a"], bool):
        table = fettle.table(domain, default=None)(lambda argument: 1)
        for strange in (Strange(error, True), Strange(0, error)):
            with pytest.raises(ZeroDivisionError, match="mine"):
                table(strange)
        assert table(Strange(0, True)) == 1
        assert table(Strange(0, False)) is None


# ---- outside of the domain ----


def test_a_message_names_the_domain() -> None:
    def ones(n: int) -> int:
        return n.bit_count()

    with pytest.raises(IndexError) as index:
        fettle.table(range(8))(ones)(9)
    assert str(index.value) == "ones(9) is outside of range(0, 8)"
    with pytest.raises(KeyError) as key:
        fettle.table(Level)(ones)("x")
    assert key.value.args == ("ones('x') is outside of Level",)

    def add(a: int, b: int) -> int:
        return a + b

    with pytest.raises(IndexError) as index:
        fettle.table(range(2), range(3))(add)(1, 3)
    assert str(index.value) == "add(1, 3) is outside of range(0, 3), the domain of b"
    with pytest.raises(KeyError):
        fettle.table(range(2), bool)(add)(2, True)


def test_default_and_compute() -> None:
    calls: list[Any] = []

    def half(n: Any, by: Any = 2) -> Any:
        calls.append((n, by))
        return n / by

    given = object()
    table = fettle.table(range(4), range(1, 3), default=given)(half)
    assert table(9, 1) is given
    assert table(1, 3) is given
    assert fettle.table(range(4), default=None)(lambda n: n)(9) is None
    table = fettle.table(range(4), range(1, 3), compute=True)(half)
    calls.clear()
    assert (table(3), table(3, 1), table(by=2, n=2), calls) == (1.5, 3.0, 1.0, [])
    assert (table(9), table(9, 3), table(by=4, n=8), table(2.5)) == (4.5, 3.0, 2.0, 1.25)
    assert calls == [(9, 2), (9, 3), (8, 4), (2.5, 2)]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'n'"):
        table()


def test_arguments_are_given_as_to_the_function() -> None:
    def f(a: int, b: int = 1, c: int = 2) -> tuple[int, int, int]:
        return a, b, c

    table = fettle.table(range(3), range(3), range(3))(f)
    assert table(2) == f(2)
    assert table(0, 2) == f(0, 2)
    assert table(0, c=0) == f(0, c=0)
    assert table(c=1, b=0, a=2) == f(c=1, b=0, a=2)
    assert table(**{"a": 1, "c": 0}) == f(1, c=0)
    assert table(*[1], **{"".join(["", "b"]): 2}) == f(1, 2)
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}),
        ((1, 2, 0, 1), {}),
        ((1,), {"a": 1}),
        ((1,), {"d": 1}),
        ((), {"b": 1}),
        ((1, 2, 0), {"c": 1}),
    ]
    for args, kwargs in wrong:
        with pytest.raises(TypeError, match=r"^f\(\): "):
            table(*args, **kwargs)
        with pytest.raises(TypeError):
            f(*args, **kwargs)

    def positional(a: int, /, b: int) -> int:
        return a - b

    table = fettle.table(range(2), range(2))(positional)
    assert table(1, b=1) == 0
    with pytest.raises(TypeError):
        table(a=1, b=1)

    def scaled(n: int, *, scale: int = 3) -> int:
        return n * scale

    assert fettle.table(range(3))(scaled)(2) == 6
    assert fettle.table(range(3), compute=True)(scaled)(2, scale=5) == 10
    with pytest.raises(TypeError, match="compute=True"):
        fettle.table(range(3))(scaled)(2, scale=5)

    def many(*numbers: int) -> int:
        return sum(numbers)

    assert fettle.table(range(3), range(3))(many)(1, 2) == 3
    default_outside = fettle.table(range(2))(lambda n=5: n)
    with pytest.raises(IndexError):
        default_outside()


def test_callables_of_other_kinds() -> None:
    assert fettle.table(range(5))(math.factorial)(4) == 24
    assert fettle.table(range(5))(functools.partial(math.pow, 2))(4) == 16.0
    assert fettle.table(["a", "bc"])(str.upper)("bc") == "BC"
    assert fettle.table([(), (1,)])(len)((1,)) == 1

    class Bits:
        @fettle.table(range(8))
        def ones(n: int) -> int:
            return n.bit_count()

        @fettle.table(range(8))
        @staticmethod
        def zeros(n: int) -> int:
            return 3 - n.bit_count()

    assert (Bits.ones(7), Bits().ones(7), Bits().zeros(7)) == (3, 3, 0)


# ---- bad input ----


def one(n: object) -> object:
    return n


BAD: list[tuple[str, type[Exception], Callable[[], object], str]] = [
    ("class", TypeError, lambda: fettle.table(int), r"the class int, .* range"),
    ("class float", TypeError, lambda: fettle.table(bool, float), r"domain 2 .* class float"),
    ("no domain", TypeError, lambda: fettle.table(), r"needs a domain .*range\(256\)"),
    ("bare", TypeError, lambda: fettle.table(one), r"needs a domain for each parameter of one"),
    ("number", TypeError, lambda: fettle.table(8), r"is 8, .* range\(8\)"),
    ("None", TypeError, lambda: fettle.table(None), r"is None, which has no members"),
    ("endless", ValueError, lambda: fettle.table(itertools.count()), r"did not end within 1 000"),
    ("unhashable", TypeError, lambda: fettle.table([1, [2]]), r"the member \[2\], .*hash"),
    ("empty range", ValueError, lambda: fettle.table(range(3, 3)), r"range\(3, 3\), has no mem"),
    ("empty", ValueError, lambda: fettle.table(bool, ()), r"domain 2 .*, \(\), has no members"),
    ("Enum", ValueError, lambda: fettle.table(Enum("No", [])), r"has no members"),
    ("billion", ValueError, lambda: fettle.table(range(10**9)), r"8\.0 GB .* max_bytes=\"8GB\""),
    ("beyond", ValueError, lambda: fettle.table(range(10**30)), r"would take .* EB"),
    (
        "product",
        ValueError,
        lambda: fettle.table(range(10**5), range(10**4)),
        r"range\(0, 100000\) x range\(0, 10000\) has 1 000 000 000 members, .* 8\.0 GB",
    ),
    ("list", ValueError, lambda: fettle.table([1] * 100, max_bytes=3000), r'max_bytes="4kB"'),
    ("max_bytes", ValueError, lambda: fettle.table("a", max_bytes="lots"), r"'lots' is no size"),
    ("max_bytes 0", ValueError, lambda: fettle.table("a", max_bytes=0), r"0 is no size"),
    ("max_bytes True", ValueError, lambda: fettle.table("a", max_bytes=True), r"True is no size"),
    (
        "both",
        ValueError,
        lambda: fettle.table("a", default=1, compute=True),
        r"both .* leave one of them out",
    ),
    ("65", ValueError, lambda: fettle.table(*["a"] * 65), r"64 domains at most, not 65"),
    ("of class", TypeError, lambda: fettle.table("a")(Plain), r"of Plain, a class"),
    ("of text", TypeError, lambda: fettle.table("a")("f"), r"'f', which can not be called"),
    (
        "of classmethod",
        TypeError,
        lambda: fettle.table("a")(classmethod(one)),
        r"can not be called: decorate a function",
    ),
    ("too few", ValueError, lambda: fettle.table("a")(lambda a, b: 1), r"1 domain, .* 2 argu"),
    ("too many", ValueError, lambda: fettle.table("a", "b")(one), r"2 domains, .*1 argument \(n\)"),
    ("none taken", ValueError, lambda: fettle.table("a")(lambda: 1), r"takes 0 arguments"),
    ("by name", ValueError, lambda: fettle.table("a")(lambda a, *, k: 1), r"needs its argument k"),
]


@pytest.mark.parametrize(("error", "act", "text"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input(error: type[Exception], act: Callable[[], object], text: str) -> None:
    with pytest.raises(error, match=text) as raised:
        act()
    assert "\n" not in str(raised.value)
    assert not str(raised.value).endswith(".")


def test_functions_whose_answers_are_used_up() -> None:
    def generator(n: int) -> Any:
        yield n

    async def coroutine(n: int) -> int:
        return n

    async def asynchronous(n: int) -> Any:
        yield n

    class Awaited:
        async def __call__(self, n: int) -> int:
            return n

    kinds: list[Any] = [generator, coroutine, asynchronous, Awaited(), staticmethod(generator)]
    for function in [*kinds, functools.partial(coroutine, 1)]:
        with pytest.raises(TypeError, match=r"generator function|coroutine function"):
            fettle.table(range(3))(function)


def test_max_bytes_allows() -> None:
    assert len(fettle.table(range(2000), max_bytes="16kB")(one)) == 2000
    with pytest.raises(ValueError, match="16kB"):
        fettle.table(range(2000), max_bytes="15kB")
    fettle.table([1] * 100, max_bytes="4kB")(one)
    assert len(fettle.table((n for n in range(10**6)), max_bytes="1GB", lazy=True)(one)) == 10**6


@pytest.mark.parametrize("error", [ZeroDivisionError, StopIteration, KeyError, MemoryError])
def test_a_function_that_raises(error: type[Exception]) -> None:
    raised = error("mine")

    def picky(a: int, b: str) -> int:
        if (a, b) == (2, "y"):
            raise raised
        return a

    with pytest.raises(error) as caught:
        fettle.table(range(4), "xyz")(picky)
    assert caught.value is raised
    assert len(raised.__notes__) == 1
    assert "picky(2, 'y')" in raised.__notes__[0]
    late = fettle.table(range(4), "xyz", lazy=True)(picky)
    for _ in range(2):  # it is tried again
        with pytest.raises(error) as caught:
            late(0, "x")
        assert caught.value is raised


def test_a_recursive_function_is_told_of_lazy() -> None:
    with pytest.raises(NameError) as caught:
        exec(
            "@table(range(9))\ndef fac(n): return n * fac(n - 1) if n else 1",
            {"table": fettle.table},
        )
    assert "lazy=True" in caught.value.__notes__[0]


# ---- answers ----


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
import array, gc, statistics, sys, fettle

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

counts = array.array("q", [0]) * 200
for place in range(len(counts)):
    build()
    gc.collect() # it empties the free lists, which count as allocated
    counts[place] = sys.getallocatedblocks()
print(statistics.median(after - before for before, after in zip(counts, counts[1:])))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(ended.stdout) == 0


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
        def __del__(self) -> None:
            told.append(self.table(1))

    def built() -> None:
        last = Last()
        last.table = fettle.table(range(2), lazy=True)(lambda n: [last, n])  # type: ignore[attr-defined]
        last.table(0)  # type: ignore[attr-defined]

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
