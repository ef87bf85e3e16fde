# SPDX-License-Identifier: Apache-2.0
"""Making dataclasses, enumerations, abstract and generic classes, and using them."""

import abc
import enum
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar, get_type_hints, runtime_checkable

T = TypeVar("T")


@dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Line:
    a: Point
    b: Point

    def __post_init__(self):
        assert self.a is not self.b


class Colour(enum.Enum):
    RED = 1
    GREEN = enum.auto()


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2
    BOTH = READ | WRITE


class Row(NamedTuple):
    a: int
    b: str = "x"


class Options(TypedDict, total=False):
    name: str


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...


class Square(Shape):
    def area(self) -> float:
        return 4.0


@runtime_checkable
class HasArea(Protocol):
    def area(self) -> float: ...


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value


points = sorted(Point(i * 7 % 5, i) for i in range(20))
print(points[0], asdict(Line(points[0], points[1])), astuple(replace(points[0], x=9)))
print(Colour(2), Colour["RED"], list(Access.BOTH), Access.READ | Access.WRITE, Access(3) & 1)
print(Row(1), Options(name="n"), get_type_hints(Line), isinstance(Square(), HasArea))
print(Box[int](3).value, issubclass(Square, Shape), Box[T][int])
try:
    Shape()
except TypeError:
    print("abstract")
