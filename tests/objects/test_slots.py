# SPDX-License-Identifier: Apache-2.0
"""fettle.slots: the twin does what the class did, and takes less."""

import collections
import copy
import enum
import functools
import inspect
import pickle
import subprocess
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import fettle
import pytest

from tests.leaks import least_growth

from .measure import made, traced_bytes

T = TypeVar("T")


class Plain:
    """Documented."""

    def __init__(self, a: int) -> None:
        self._a = a
        self._b = 3

    def sum(self) -> int:
        return self._a + self._b


Slotted = fettle.slots(Plain)


def test_the_twin_is_the_class_with_slots() -> None:
    assert Slotted is not Plain
    assert Slotted.__slots__ == ("_a", "_b")
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__bases__"):
        assert getattr(Slotted, name) == getattr(Plain, name)
    one = Slotted(4)
    assert (one.sum(), one._a, type(one)) == (7, 4, Slotted)
    assert not hasattr(one, "__dict__")
    with pytest.raises(AttributeError):
        one.other = 1
    assert inspect.signature(Slotted) == inspect.signature(Plain)


def test_it_takes_what_layout_says() -> None:
    found = fettle.layout(Plain)
    assert traced_bytes(lambda: Slotted(1)) == pytest.approx(found.slotted, abs=1)
    assert traced_bytes(lambda: Plain(1)) == pytest.approx(found.bytes, abs=1)


# ---- defaults ----


class Lamp:
    colour = "red"
    watts: int = 60
    shape: str
    made: ClassVar[int] = 0
    limit = 100  # assigned by nobody

    def __init__(self) -> None:
        self.on = False

    def paint(self, colour: str) -> None:
        self.colour = colour

    def brighter(self) -> None:
        self.watts += 40

    def answer(self) -> str:
        return "lamp"

    def deaf(self) -> None:
        self.answer = lambda: "nothing"


def test_defaults_stay() -> None:
    lamp_class = fettle.slots(Lamp)
    assert set(lamp_class.__slots__) == {"colour", "watts", "shape", "on", "answer"}
    one, other = lamp_class(), lamp_class()
    assert (one.colour, lamp_class.colour, one.limit, lamp_class.made) == ("red", "red", 100, 0)
    one.paint("blue")
    one.brighter()
    assert (one.colour, one.watts, other.colour, other.watts) == ("blue", 100, "red", 60)
    assert (lamp_class.colour, lamp_class.watts) == ("red", 60)
    del one.colour
    assert one.colour == "red"
    with pytest.raises(AttributeError):
        del one.colour
    with pytest.raises(AttributeError):
        _ = one.shape
    assert one.answer() == "lamp" == lamp_class.answer(one)
    one.deaf()
    assert (one.answer(), other.answer()) == ("nothing", "lamp")


def test_a_default_is_for_instances_of_the_class_only() -> None:
    lamp_class = fettle.slots(Lamp)
    default = lamp_class.__dict__["colour"]
    with pytest.raises(TypeError, match="colour"):
        default.__get__(5, int)
    with pytest.raises(TypeError, match="colour"):
        default.__set__(5, "blue")
    assert default.__get__(None, lamp_class) == "red"


def test_slot_default_takes_the_member_of_a_slot() -> None:
    from fettle._core import SlotDefault

    class Slot:
        __slots__ = ("x",)

    assert SlotDefault(Slot.x, 5).__get__(Slot(), Slot) == 5
    for wrong in ((), (5, 5), (Slot.x,), (type.__basicsize__, 5)):
        with pytest.raises(TypeError):
            SlotDefault(*wrong)
    with pytest.raises(TypeError):
        SlotDefault(member=Slot.x, default=5)


# ---- inheritance ----


@fettle.slots
class Base:
    size = 1

    def __init__(self, x: int) -> None:
        self.x = x

    def __repr__(self) -> str:
        return f"<{self.x}>"


@fettle.slots
class Derived(Base):
    def __init__(self, x: int, y: int) -> None:
        super().__init__(x)
        self.y = y
        self.x = x + 1

    @property
    def both(self) -> tuple[int, int]:
        return (super().__getattribute__("x"), self.y)

    @classmethod
    def make(cls) -> "Derived":
        assert __class__ is cls
        return cls(1, 2)

    @staticmethod
    def which() -> type:
        return __class__

    @functools.lru_cache  # noqa: B019
    def cached(self) -> str:
        return super().__repr__()

    def grow(self) -> None:
        self.size = 2


def test_a_class_and_its_heir() -> None:
    one = Derived.make()
    assert Derived.__slots__ == ("y", "size")
    assert (one.x, one.y, one.both, repr(one)) == (2, 2, (2, 2), "<2>")
    assert one.cached() == "<2>"
    assert Derived.which() is Derived
    assert isinstance(one, Base)
    assert not hasattr(one, "__dict__")
    assert (one.size, Derived.size) == (1, 1)
    one.grow()
    assert (one.size, Derived.size, Base.size) == (2, 1, 1)


def test_an_heir_without_slots_has_a_dict_as_ever() -> None:
    class Open(Derived):
        pass

    one = Open(1, 2)
    one.more = 3
    assert (one.x, one.__dict__) == (2, {"more": 3})


def test_abstract_and_generic_classes_and_protocols() -> None:
    @fettle.slots
    class Shape(ABC):
        def __init__(self) -> None:
            self.name = "shape"

        @abstractmethod
        def area(self) -> float: ...

    @fettle.slots
    class Square(Shape):
        def __init__(self, side: float) -> None:
            super().__init__()
            self.side = side

        def area(self) -> float:
            return self.side**2

    @fettle.slots
    class Box(Generic[T]):
        def __init__(self, inside: T) -> None:
            self.inside = inside

    @runtime_checkable
    class HasArea(Protocol):
        def area(self) -> float: ...

    with pytest.raises(TypeError):
        Shape()
    assert Square(3).area() == 9
    assert isinstance(Square(3), HasArea)
    assert Box[int](5).inside == 5
    assert Box.__parameters__ == (T,)
    assert not hasattr(Box(1), "__weakref__") and not hasattr(Square(1), "__dict__")


def test_init_subclass_and_set_name_run_for_the_twin() -> None:
    told: list[type] = []

    class Register:
        __slots__ = ()

        def __init_subclass__(cls) -> None:
            told.append(cls)

    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            told.append(owner)

    @fettle.slots
    class Plugin(Register):
        named = Named()

    assert told[-2:] == [Plugin, Plugin]


# ---- dataclasses ----


@fettle.slots
@dataclass(order=True)
class Item:
    name: str
    size: int = 5
    parts: list[int] = field(default_factory=list)
    kind: ClassVar[str] = "item"

    def __post_init__(self) -> None:
        self.total = self.size + len(self.parts)


@fettle.slots
@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0

    def __hash__(self) -> int:
        return super().__hash__()


@fettle.slots
@dataclass
class Heavy(Item):
    weight: int = 1


def test_dataclasses() -> None:
    one = Item("a")
    assert set(Item.__slots__) == {"name", "size", "parts", "total"}
    assert (one, one.total, one.kind) == (Item("a", 5, []), 5, "item")
    assert Item("a") < Item("b")
    assert asdict(one) == {"name": "a", "size": 5, "parts": []}
    assert replace(one, size=7).total == 7
    assert [each.name for each in fields(Item)] == ["name", "size", "parts"]
    assert Item.size == 5
    heavy = Heavy("h", weight=3)
    assert Heavy.__slots__ == ("weight",)
    assert (heavy.weight, heavy.total, heavy.size) == (3, 5, 5)
    assert not hasattr(heavy, "__dict__")


def test_frozen_dataclasses() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    with pytest.raises(FrozenInstanceError):
        del point.x
    with pytest.raises((FrozenInstanceError, AttributeError)):
        point.z = 2
    assert Point(1) == point != Point(2)
    assert copy.copy(point) == copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point


def test_slots_under_dataclass_says_so() -> None:
    with pytest.raises(
        TypeError, match=r"parts is a field still: @fettle\.slots stands above @dataclass"
    ):

        @dataclass
        @fettle.slots
        class Wrong:
            parts: list[int] = field(default_factory=list)


def test_slots_under_dataclass_without_fields_works() -> None:
    @dataclass
    @fettle.slots
    class Right:
        x: int
        y: int = 5

    assert (Right(1), Right(1).y, Right.y) == (Right(1, 5), 5, 5)
    assert not hasattr(Right(1), "__dict__")


# ---- pickle and copy ----


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    for one in (Item("a", 3, [1]), Point(1, 2), Derived(1, 2), Heavy("h")):
        again = pickle.loads(pickle.dumps(one, protocol))
        assert type(again) is type(one)
        names = [n for base in type(one).__mro__ for n in getattr(base, "__slots__", ())]
        assert [getattr(again, n) for n in names] == [getattr(one, n) for n in names]
    again = copy.deepcopy(Item("a", 3, [1]))
    assert again == Item("a", 3, [1])
    assert copy.copy(again).parts is again.parts


PROGRAM = """
import sys, pickle, fettle
{decorator}
class P:
    size = 5
    def __init__(self): self.x = [1]; self.y = self
if sys.argv[1] == "write":
    pickle.dump(P(), open("p.pickle", "wb"), int(sys.argv[2]))
else:
    one = pickle.load(open("p.pickle", "rb"))
    assert one.x == [1] and one.y is one and one.size == 5
"""


@pytest.mark.parametrize("protocol", [0, 1, 2, 5])
def test_pickles_of_the_plain_class_can_be_read(tmp_path: Path, protocol: int) -> None:
    for decorator, what in (("", "write"), ("@fettle.slots", "read")):
        (tmp_path / "p.py").write_text(PROGRAM.format(decorator=decorator))
        done = subprocess.run([sys.executable, "p.py", what, str(protocol)], cwd=tmp_path)
        assert done.returncode == 0


def test_a_class_that_restores_itself_is_left_to_it() -> None:
    @fettle.slots
    class Own:
        def __init__(self) -> None:
            self.x = 1

        def __getstate__(self) -> int:
            return self.x + 1

        def __setstate__(self, state: int) -> None:
            self.x = state

    assert copy.copy(Own()).x == 2


# ---- weak references ----


def test_weak_references() -> None:
    with pytest.raises(TypeError):
        weakref.ref(Slotted(1))
    weak = fettle.slots(weakref=True)(Plain)
    one = weak(1)
    assert weakref.ref(one)() is one

    class Observed:
        def __init__(self) -> None:
            self.me = weakref.ref(self)

    assert (own := fettle.slots(Observed)()).me() is own
    assert "__weakref__" not in fettle.slots(Observed, weakref=False).__slots__

    class Held:
        def __init__(self) -> None:
            self.x = 1

    held = Held()
    referring = weakref.ref(held)
    assert "__weakref__" in fettle.slots(Held).__slots__
    assert referring() is held

    @fettle.slots(weakref=True)
    class First:
        pass

    @fettle.slots(weakref=True)
    class Second(First):
        pass

    assert Second.__slots__ == ()
    assert weakref.ref(kept := Second())() is kept


# ---- what can not be ----


class Colour(enum.Enum):
    RED = 1


class Mistake(Exception): ...


class Meta(type):
    def __new__(mcs, name: str, bases: Any, body: dict[str, Any]) -> Any:
        if "__slots__" in body:
            raise LookupError("no \x1b[2Jslots here")
        return super().__new__(mcs, name, bases, body)


class Strict(metaclass=Meta):
    def __init__(self) -> None:
        self.x = 1


class Lazy(type):
    def __new__(mcs, name: str, bases: Any, body: dict[str, Any]) -> Any:
        return made_before.get(name) or made_before.setdefault(
            name, super().__new__(mcs, name, bases, body)
        )


made_before: dict[str, Any] = {}


class Once(metaclass=Lazy):
    def __init__(self) -> None:
        self.x = 1


class Wants:
    __slots__ = ()

    def __init_subclass__(cls, flag: int) -> None: ...


class Flagged(Wants, flag=1):
    def __init__(self) -> None:
        self.x = 1


class Parent:
    def __init__(self) -> None:
        self.x = 1


class Child(Parent): ...


class Number(int):
    def __init__(self, *_: Any) -> None:
        self.unit = "m"


CAN_NOT: dict[type, str] = {
    Colour: "it is an Enum",
    Mistake: "its base class Exception is written in C and has a __dict__ of its own",
    Strict: "its metaclass {}.Meta can not make it a second time"
    " (LookupError: no \\x1b[2Jslots here)",
    Once: "its metaclass {}.Lazy does not make a new class",
    Flagged: "Python can not make it a second time (TypeError: ",
    Parent: "it has a subclass already ({}.Child): decorate it where it is made",
    Child: "its base class {}.Parent has no __slots__: give it some first",
    Number: "its base class int has a variable size, with which Python allows no slots",
    Slotted: "it has __slots__ already",
    int: "it is written in C",
}


@pytest.mark.parametrize("cls", CAN_NOT, ids=lambda cls: cls.__name__)
def test_why_a_class_can_not_have_slots(cls: type) -> None:
    with pytest.raises(TypeError) as raised:
        fettle.slots(cls)
    message = str(raised.value)
    assert f" can not have __slots__: {CAN_NOT[cls].format(__name__)}" in message
    assert message.isprintable()


def test_what_is_no_class() -> None:
    for thing in (5, "P", list[int], lambda: None):
        with pytest.raises(TypeError, match=r"^slots\(\) takes a class, not \w"):
            fettle.slots(thing)


def test_subclasses_of_containers() -> None:
    @fettle.slots
    class Stack(list):
        def __init__(self, *items: int) -> None:
            super().__init__(items)
            self.top = items[-1]

    @fettle.slots
    class Pair(collections.namedtuple("Pair", "a b")):
        def sum(self) -> int:
            return int(self.a + self.b)

    stack = Stack(1, 2)
    assert (stack, stack.top) == ([1, 2], 2)
    assert Pair(1, 2).sum() == 3
    assert not hasattr(stack, "__dict__") and not hasattr(Pair(1, 2), "__dict__")


def test_functions_that_generated_code_closed_over_know_the_twin() -> None:
    """A factory's cells, as dataclasses and attrs have them."""

    def method(cls: type) -> Callable[[object], type]:
        def which(self: object) -> type:
            return cls

        return which

    class Made:
        def __init__(self) -> None:
            self.x = 1

    Made.which = method(Made)
    twin = fettle.slots(Made)
    assert twin().which() is twin


def test_nothing_of_the_plain_class_is_left() -> None:
    def work() -> None:
        cls = fettle.slots(made("class Plain:\n    d = 1\n    def __init__(self): self.d = None\n"))
        assert cls().d is None

    assert least_growth(work, 12, 9) < 10


def test_the_census_sees_a_twin_as_one_that_has_slots() -> None:
    kept = [Slotted(n) for n in range(100)]
    row = next(row for row in fettle.census() if row.type is Slotted)
    assert (row.instances, row.saving, row.why) == (100, 0, "it has __slots__ already")
    assert len(kept) == 100


def test_cached_methods_keep_their_results_in_a_slot() -> None:
    class Plain:
        def __init__(self, x: int) -> None:
            self.x = x

        @fettle.cache
        def twice(self, by: int) -> tuple["Plain", int]:
            return self, self.x * by

        @property
        @fettle.cache
        def who(self) -> str:
            return super().__repr__()  # the function is told of the twin

    twin = fettle.slots(Plain)
    assert twin.__slots__ == ("x", "__fettle__")
    one, other = twin(2), twin(3)
    assert (one.twice(5), other.twice(5)) == ((one, 10), (other, 15))
    assert one.twice(5) is one.twice(5) and one.who is one.who
    copied = copy.copy(one)
    assert copied.twice(5)[0] is copied and one.twice(5)[0] is one
