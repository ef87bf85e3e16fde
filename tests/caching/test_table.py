# SPDX-License-Identifier: Apache-2.0
"""fettle.table beside the dict that it stands for: {arguments: f(*arguments)}."""

import doctest
import functools
import inspect
import itertools
import math
import random
from collections.abc import Callable
from enum import Enum
from typing import Any

import fettle
import pytest
from fettle.caching import lookup

from .members import ARGUMENTS, DOMAINS, UNHASHABLE, Level, Plain, one, oracle, outcome, record


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


def test_parameters_of_all_kinds() -> None:
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
        with pytest.raises(TypeError, match=r", a (generator|coroutine)|, an async"):
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


def test_the_examples_of_the_docstring() -> None:
    result = doctest.testmod(lookup)
    assert (result.failed, result.attempted > 4) == (0, True)
