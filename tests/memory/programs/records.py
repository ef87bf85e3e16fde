# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import enum
import typing


@dataclasses.dataclass(order=True)
class Item:
    x: int = 0
    tags: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Named(typing.NamedTuple):
    first: str
    second: int


Pair = collections.namedtuple("Pair", "left right")
items = [Item(i, [str(i)]) for i in range(300)]
points = [Point(i * 0.5, i * 2.5) for i in range(300)]
named = [Named(str(i), i) for i in range(1000, 1300)]
pairs = [Pair(i, Colour(1 + i % 2)) for i in range(300)]
changed = [dataclasses.replace(item, x=item.x + 1000) for item in items]
plain = [dataclasses.asdict(item) for item in items[:50]]
order = sorted(changed, reverse=True)
del items[::3]
measure()
