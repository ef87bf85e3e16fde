# SPDX-License-Identifier: Apache-2.0
"""Domains of all kinds, arguments of all kinds, and the dict that a table stands for."""

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any

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


def one(n: object) -> object:
    return n
