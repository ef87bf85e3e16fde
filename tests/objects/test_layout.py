# SPDX-License-Identifier: Apache-2.0
"""fettle.layout against tracemalloc's count over 10 000 instances of the class, and of a slotted
twin that is written out by hand."""

import collections
import enum
import functools
import gc
import types
import weakref
from abc import ABC, ABCMeta
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import fettle
import pytest
from fettle.objects.attributes import assigned
from fettle.objects.classes import full_name

from tests.leaks import least_growth

from .measure import attributes, made, plain_class, slotted_class, traced_bytes

T = TypeVar("T")


class NObj:  # the seed's
    def __init__(self) -> None:
        self._a = 1
        self._b = 3


class SObj:
    __slots__ = ["_a", "_b"]

    def __init__(self) -> None:
        self._a = 1
        self._b = 3


def test_the_seeds_classes_are_exact() -> None:
    found = fettle.layout(NObj)
    assert found.bytes == round(traced_bytes(NObj))
    assert found.slotted == round(traced_bytes(SObj)) == 48
    assert found.saved == found.bytes - 48
    assert found.attributes == ("_a", "_b")
    assert found.why is None
    twin = fettle.layout(SObj)
    assert (twin.bytes, twin.slotted, twin.saved) == (48, 0, 0)
    assert twin.why == "it has __slots__ already"


@pytest.mark.parametrize("alive", [0, 5, 2000])
@pytest.mark.parametrize("count", [0, 1, 2, 4, 8, 16, 29, 30, 31, 40])
def test_bytes_before_and_after(count: int, alive: int) -> None:
    names = attributes(count)
    plain, slotted = plain_class(names), slotted_class(names)
    before, after = traced_bytes(plain), traced_bytes(slotted)
    kept = [plain() for _ in range(alive)]
    found = fettle.layout(plain)
    assert found.bytes == pytest.approx(before, abs=1)
    assert found.slotted == pytest.approx(after, abs=1)
    assert found.instances == len(kept)
    assert found.attributes == tuple(names)


def test_the_cliff_past_thirty_attributes() -> None:
    def saved(count: int) -> int:
        return fettle.layout(plain_class(attributes(count))).saved

    assert saved(28) < 100 < 500 < saved(31)


@dataclass
class Field:
    kind: ClassVar[str] = "field"
    name: str
    size: int = 0
    parts: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    x: int = 1
    y: int = 2


class Annotated:
    x: int
    y: "int" = 5
    z: "ClassVar[int]" = 6


class Stack(list):
    def __init__(self) -> None:
        super().__init__()
        self.top = None


class Pair(collections.namedtuple("Pair", "a b")):
    pass


class Shape(ABC):  # noqa: B024
    __slots__ = ("colour",)


class Square(Shape):
    def __init__(self) -> None:
        self.side = None


class Box(Generic[T]):
    def __init__(self) -> None:
        self.inside = None


class Late:
    """Attributes in places other than __init__."""

    def __new__(cls) -> "Late":
        self = super().__new__(cls)
        self.made = None
        return self

    def open(self) -> None:
        self.__secret = None

    @property
    def state(self) -> None:
        self.asked = None


MADE: list[tuple[type, Callable[[], object], tuple[type, ...], tuple[str, ...]]] = [
    (Field, lambda: Field("a", 1, None), (), ("name", "size", "parts")),
    (Frozen, Frozen, (), ("x", "y")),
    (Stack, Stack, (list,), ("top",)),
    (Pair, lambda: Pair(None, None), (tuple,), ()),
    (Square, Square, (Shape,), ("side",)),
    (Box, Box, (Generic,), ("inside",)),
]


@pytest.mark.parametrize(("cls", "make", "bases", "slots"), MADE, ids=lambda each: str(each)[:20])
def test_bytes_of_all_kinds_of_classes(
    cls: type, make: Callable[[], object], bases: tuple[Any, ...], slots: tuple[str, ...]
) -> None:
    def shell(space: dict[str, Any]) -> None:
        space["__slots__"] = slots

    bases = tuple(object if base is Generic else base for base in bases)  # it has no room itself
    twin = types.new_class("Twin", bases, {}, shell)
    kept = [make() for _ in range(2000)]
    found = fettle.layout(cls)
    assert found.attributes == slots
    assert found.why is None
    assert found.bytes == pytest.approx(traced_bytes(make), abs=16)
    new: Any = functools.partial(twin, (None, None)) if tuple in bases else twin
    assert found.slotted == pytest.approx(traced_bytes(new), abs=16)
    del kept


def test_where_attributes_come_from() -> None:
    assert fettle.layout(Field).attributes == ("name", "size", "parts")
    assert fettle.layout(Annotated).attributes == ("x", "y")
    assert sorted(fettle.layout(Late).attributes) == ["_Late__secret", "asked", "made"]
    assert fettle.layout(Square).attributes == ("side",)

    class Set:
        x: int

        def __init__(self) -> None:
            self.y = None

    one = Set()
    one.z = None
    assert fettle.layout(Set).attributes == ("x", "y", "z")


class Assigner:
    total = 0

    def __init__(self, other: Any, *more: Any) -> None:
        self.plain = self.second = 1
        self.left, (self.right, *self.rest) = 1, (2, 3)
        self.annotated: int = 5
        other.not_mine = self
        for self.loop in range(3):
            self.total += 1
        with open("/dev/null") as self.file:
            pass

        def later() -> None:
            self.nested = 1

        later()
        local = self
        local.missed = 1  # not by its first argument's name
        setattr(self, "by_name", 1)  # noqa: B010
        object.__setattr__(self, "by_object", other)
        if self.read:
            self.chosen = 1 if other else 2
        self[0] = 1
        del self.deleted

    @staticmethod
    def static(self: Any) -> None:
        self.no_instance = 1

    @classmethod
    def of_class(cls) -> None:
        cls.on_class = 1

    @functools.lru_cache  # noqa: B019
    def cached(self) -> None:
        self.behind_cache = 1

    @property
    def prop(self) -> int:
        return 1

    @prop.setter
    def prop(self, value: int) -> None:
        self.by_setter = value

    def sets_prop(self) -> None:
        self.prop = 2

    def __setitem__(self, key: int, value: int) -> None: ...


EXPECTED = {
    *("plain", "second", "left", "right", "rest", "annotated", "loop", "total", "file", "nested"),
    *("by_name", "by_object", "chosen", "behind_cache", "by_setter", "prop"),
}


def test_assignments_to_self_are_found_in_bytecode() -> None:
    assert set(assigned(Assigner)) == EXPECTED
    assert "prop" not in fettle.layout(Assigner).attributes  # its setter takes that


@pytest.mark.skipif(
    not hasattr(NObj, "__static_attributes__"), reason="the compiler's own list: 3.13+"
)
def test_assignments_are_those_that_the_compiler_saw() -> None:
    for cls in (Assigner, NObj, Late, Stack, Box, collections.UserDict, functools.partialmethod):
        compiled = set(cls.__dict__["__static_attributes__"])
        found = set(assigned(cls)) - {"by_name", "by_object"}
        # the compiler counts any method's "self", and has names as they are written
        compiled = {n for n in compiled if not n.startswith("__")} - {"no_instance", "on_class"}
        assert {n for n in found if "__" not in n} >= compiled - {"deleted"}


# ---- why not ----


class Colour(enum.Enum):
    RED = 1


class Mistake(ValueError):
    def __init__(self) -> None:
        self.code = 1


class Parent: ...


class Child(Parent):
    def __init__(self) -> None:
        self.x = 1


class Looks:
    def __init__(self, **more: Any) -> None:
        self.__dict__.update(more)


class Caches:
    @functools.cached_property
    def x(self) -> int:
        return 1


class Number(int):
    def __init__(self, *_: Any) -> None:
        self.unit = "m"


class Left:
    def __init__(self) -> None:
        self.left = 1


class Right:
    def __init__(self) -> None:
        self.right = 1


class Both(Left, Right): ...


class Kind(type): ...


class Timed(NamedTuple):
    x: int


HERE = __name__
REASONS: dict[type, str] = {
    Colour: "it is an Enum, whose members are made once and for all",
    Mistake: "its base class ValueError is written in C and has a __dict__ of its own",
    Child: f"its base class {HERE}.Parent has no __slots__: give it some first",
    Looks: "its method Looks.__init__ uses __dict__",
    Caches: "it has a cached_property (x), which needs a __dict__",
    Number: "its base class int has a variable size, with which Python allows no slots",
    Left: f"its subclass {HERE}.Both inherits from {HERE}.Right too, and Python allows slots in one"
    " of them only",
    Both: f"its base class {HERE}.Left has no __slots__: give it some first",
    SObj: "it has __slots__ already",
    Timed: "it has __slots__ already",
    Kind: "its instances are classes",
    int: "it is written in C",
    functools.partial: "it is written in C",
    ABCMeta: "its instances are classes",
}


@pytest.mark.parametrize("cls", REASONS, ids=lambda cls: cls.__name__)
def test_why_a_class_can_not_have_slots(cls: type) -> None:
    found = fettle.layout(cls)
    assert found.why == REASONS[cls]
    assert (found.slotted, found.saved) == (0, 0)
    assert repr(found).endswith(f"no __slots__: {REASONS[cls]}")


def test_dynamic_attributes() -> None:
    class Bag:
        def __init__(self) -> None:
            self.size = 0

    kept = [Bag() for _ in range(3)]
    assert fettle.layout(Bag).why is None
    kept[1].strange = 1
    kept[2].size = 2
    why = fettle.layout(Bag).why
    assert why == (
        "its instances have attributes that it does not set itself (strange), and not all have the"
        " same"
    )
    for one in kept:
        one.strange = 1
    assert fettle.layout(Bag).why is None  # they are all alike: it is one more attribute
    setattr(kept[0], "odd \x1b[2J", 1)
    assert fettle.layout(Bag).why == (
        "its instances have an attribute 'odd \\\\x1b[2J', a name that no slot can have"
    )
    for n in range(300):
        setattr(kept[0], f"name{n}", 1)
    assert fettle.layout(Bag).why == "its instances have attributes of any name"


def test_weak_references_are_kept() -> None:
    class Weak:
        def __init__(self) -> None:
            self.x = None

    one = Weak()
    before = fettle.layout(Weak)
    referring = weakref.ref(one)
    after = fettle.layout(Weak)
    twin = made("class Plain:\n    __slots__ = ('x', '__weakref__')\n")
    assert after.slotted == round(traced_bytes(twin)) > before.slotted
    assert referring() is one


def test_live_instances_that_take_more_are_told_of() -> None:
    cls = plain_class(["a", "b"])
    kept = [cls() for _ in range(3000)]
    before = fettle.layout(cls).bytes
    assert all(one.__dict__ for one in kept)
    assert fettle.layout(cls).bytes >= before + 48


def test_what_layout_says_a_census_says_too() -> None:
    """Two ways: measured on a twin, and reckoned by the formula without running anything."""
    classes = [plain_class(attributes(n)) for n in (0, 1, 5, 29, 40)]
    kept = [[cls() for _ in range(10_000 if n < 4 else 2000)] for n, cls in enumerate(classes)]
    others: dict[type, list[object]] = {
        Stack: [Stack() for _ in range(2000)],
        Square: [Square() for _ in range(2000)],
        Pair: [Pair(1, 2) for _ in range(2000)],
        Box: [Box() for _ in range(2000)],
        Child: [Child() for _ in range(2000)],
        Mistake: [Mistake() for _ in range(2000)],
        Caches: [Caches() for _ in range(2000)],
    }
    rows = {row.type: row for row in fettle.census()}
    for cls in (*classes, *others):
        found, row = fettle.layout(cls), rows[cls]
        assert (found.why is None) == (row.why is None), (cls, found, row)
        assert found.bytes == pytest.approx(row.bytes_each, abs=8)
        if found.why is None:
            assert row.bytes - row.saving == found.slotted * row.instances
    del kept


# ---- input of all kinds ----


def test_what_is_no_class() -> None:
    class Liar:
        __class__ = type

    for thing in (5, Liar(), fettle.layout, list[int]):
        with pytest.raises(TypeError, match=r"^layout\(\) takes a class, not [\w.<>]+$"):
            fettle.layout(thing)


def test_names_are_shown_harmless() -> None:
    cls = type("E\x1b[2Jvil\u202e", (), {"__module__": "mod\nule"})
    shown = repr(fettle.layout(cls))
    assert shown.isprintable()
    assert shown.startswith("mod\\nule.E\\x1b[2Jvil\\u202e: ")


def test_the_sentence() -> None:
    cls = made("class Plain:\n    __module__ = 'build'\n    def __init__(self): self.x = None\n")
    found = fettle.layout(cls)
    assert repr(found) == (
        f"build.Plain: {found.bytes} B each; with __slots__ 40 B each: saves {found.bytes - 40} B"
    )
    kept = [cls() for _ in range(50_000)]
    saved = f"{(found.bytes - 40) * 50_000:,}".replace(",", " ")
    assert repr(fettle.layout(cls)) == (
        f"build.Plain: 50 000 instances, {found.bytes} B each; with __slots__ 40 B each: saves"
        f" {found.bytes - 40} B, {saved} B in all"
    )
    del kept


def test_no_code_of_the_program_runs() -> None:
    ran: list[str] = []

    class Meta(type):
        def __new__(mcs, name: str, bases: Any, body: Any) -> Any:
            ran.append(f"new {name}")
            return super().__new__(mcs, name, bases, body)

        def __getattribute__(cls, name: str) -> Any:
            ran.append(f"get {name}")
            raise RuntimeError("never to be seen")

    class Base(metaclass=Meta):
        __slots__ = ()

        def __init_subclass__(cls) -> None:
            ran.append("subclass")

    class Derived(Base):
        def __new__(cls) -> Any:
            raise RuntimeError("never to be seen")

        def __init__(self) -> None:
            self.x = 1

        def __setattr__(self, name: str, value: object) -> None:
            raise RuntimeError("never to be seen")

    ran.clear()
    found = fettle.layout(Derived)
    assert (found.slotted, found.why) == (40, None)
    assert ran == []
    assert full_name(Derived).endswith("Derived")


def test_the_class_is_left_as_it_was() -> None:
    cls = plain_class(["a", "b"])
    kept = [cls() for _ in range(100)]
    each, heirs, body = fettle.sizeof(kept[-1]), cls.__subclasses__(), dict(vars(cls))
    fettle.layout(cls)
    gc.collect()
    kept.append(cls())
    assert fettle.sizeof(kept[-1]) == each
    assert (cls.__subclasses__(), dict(vars(cls))) == (heirs, body)


def test_nothing_leaks() -> None:
    def work() -> None:
        for cls in (NObj, Field, Stack, Child, Colour, Both):
            fettle.layout(cls)

    assert least_growth(work, 12, 49) < 50  # 72 classes
