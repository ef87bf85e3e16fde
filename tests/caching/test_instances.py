# SPDX-License-Identifier: Apache-2.0
"""The results of cached methods live in the instance, die with it, and are nobody else's."""

import copy
import dataclasses
import gc
import pickle
import weakref
from collections import namedtuple
from typing import Any, NamedTuple

import fettle
import pytest
from fettle import _core

from .harness import ended, sentence
from .kinds import CALLS, KINDS, Child, DictChild, Plain, Slotted, SlottedAndDict, SlottedChild

# ---- where the results are ----


@dataclasses.dataclass
class Point:  # has __eq__, so no __hash__
    x: int

    @fettle.cache
    def double(self) -> int:
        CALLS.append(self.x)
        return 2 * self.x


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int

    @fettle.cache
    def double(self) -> int:
        CALLS.append(self.x)
        return 2 * self.x


@dataclasses.dataclass(slots=True)
class NoRoom:
    x: int

    @fettle.cache
    def double(self) -> int:
        return 2 * self.x


class Room:
    __slots__ = ("__fettle__",)


@dataclasses.dataclass(slots=True)
class WithRoom(Room):
    x: int

    @fettle.cache
    def double(self) -> int:
        CALLS.append(self.x)
        return 2 * self.x


@dataclasses.dataclass(slots=True, frozen=True)
class FrozenWithRoom(Room):
    x: int

    @fettle.cache
    def double(self) -> int:
        CALLS.append(self.x)
        return 2 * self.x


DATA = pytest.mark.parametrize("kind", [Point, Frozen, WithRoom, FrozenWithRoom])


@DATA
def test_dataclasses(kind: Any) -> None:
    one, other = kind(1), kind(1)
    assert one.double() == one.double() == other.double() == 2
    assert CALLS == [1, 1]  # equal, and yet another instance
    assert one == kind(1) and other == one
    assert repr(one) == f"{kind.__name__}(x=1)"
    assert dataclasses.asdict(one) == {"x": 1} and dataclasses.astuple(one) == (1,)
    assert dataclasses.replace(one, x=3).double() == 6
    if kind in (Frozen, FrozenWithRoom):
        assert hash(one) == hash(kind(1))


def test_no_room_is_said() -> None:
    said = sentence(NoRoom(1).double, TypeError)
    assert said.startswith("NoRoom.double can not keep its results in a NoRoom")
    assert "NoRoom" in said and "'__fettle__' in the __slots__" in said
    assert "NoRoom" in sentence(NoRoom(1).double.cache_info, TypeError)

    class NoWeakref:
        __slots__ = ("__dict__",)

        @fettle.cache
        def method(self) -> int:
            return 5

    said = sentence(NoWeakref().method, TypeError)
    assert "NoWeakref" in said and "__weakref__" in said


class Pair(NamedTuple):
    a: int
    b: int

    @fettle.cache
    def total(self) -> int:
        return self.a + self.b


class PairWithDict(namedtuple("PairWithDict", "a b")):
    @fettle.cache
    def total(self) -> int:
        return self.a + self.b


class Whole(int):
    @fettle.cache
    def double(self) -> int:
        return 2 * self


@pytest.mark.parametrize("call", [Pair(1, 2).total, PairWithDict(1, 2).total, Whole(2).double])
def test_those_that_can_have_no_room(call: Any) -> None:
    """A tuple or an int has no room for a slot either: the advice must be one that works."""
    said = sentence(call, TypeError)
    assert "lru_cache" in said and "__slots__" not in said


@pytest.mark.parametrize("thing", [5, "text", (1,), None, object()], ids=repr)
def test_something_else_as_self(thing: object) -> None:
    said = sentence(lambda: Plain.me(thing), TypeError)
    assert "staticmethod" in said and type(thing).__name__ in said


def test_instances_with_manners_of_their_own() -> None:
    class Strange:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"asked for {name}")

        def __getattribute__(self, name: str) -> Any:
            if name in {"method", "__dict__", "__class__"}:
                return super().__getattribute__(name)
            raise RuntimeError(f"asked for {name}")

        def __setattr__(self, name: str, value: object) -> None:
            raise RuntimeError(f"told of {name}")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("compared")

        __hash__ = None  # type: ignore[assignment]

        def __bool__(self) -> bool:
            raise RuntimeError("asked whether")

        @fettle.cache
        def method(self, x: int) -> int:
            CALLS.append(x)
            return x

    one = Strange()
    assert one.method(1) == one.method(1) == 1
    assert CALLS == [1]
    assert list(vars(one)) == ["__fettle__"]


def test_a_class_with_something_of_that_name() -> None:
    class Named:
        __fettle__ = "theirs"

        @fettle.cache
        def method(self, x: int) -> int:
            CALLS.append(x)
            return x

    one = Named()
    assert one.method(1) == one.method(1) == 1 and CALLS == [1]
    assert Named.__fettle__ == "theirs"

    class Refused:
        @property
        def __fettle__(self) -> str:
            return "theirs"

        @fettle.cache
        def method(self, x: int) -> int:
            return x

    sentence(lambda: Refused().method(1), TypeError)


def test_a_dict_that_is_replaced() -> None:
    one = Plain("old")
    one.method(1)
    one.__dict__ = {"name": "new"}
    assert one.method(1) == ("new", 1, 0)
    del one.__dict__["__fettle__"]
    assert one.method(1) == ("new", 1, 0)
    one.__dict__["__fettle__"] = 5
    assert one.method(1) == ("new", 1, 0)
    vars(one).clear()
    one.name = "last"
    assert one.method(1) == ("last", 1, 0)
    assert len(CALLS) == 5


def test_a_dict_that_is_replaced_while_it_computes() -> None:
    class Fickle:
        @fettle.cache
        def method(self, x: int) -> int:
            CALLS.append(x)
            if len(CALLS) == 1:
                self.__dict__ = {}
                gc.collect()
            return x

    one = Fickle()
    assert [one.method(1), one.method(1), one.method(1)] == [1, 1, 1]
    assert CALLS == [1, 1]


def test_a_slot_that_is_meddled_with() -> None:
    class Meddled:
        __slots__ = ("__fettle__",)

        @fettle.cache
        def method(self, x: int) -> int:
            CALLS.append(x)
            return x

    class Late:
        def __del__(self) -> None:
            CALLS.append("late")
            slot.__delete__(one)

    slot = vars(Meddled)["__fettle__"]
    one = Meddled()
    one.__fettle__ = Late()  # before anything is kept it is a slot as any other
    assert one.method(1) == 1
    assert one.method(1) == 1
    assert "late" in CALLS
    assert isinstance(vars(Meddled)["__fettle__"], _core.ShelfSlot)
    with pytest.raises(AttributeError):
        one.__fettle__  # noqa: B018
    with pytest.raises(AttributeError):
        one.__fettle__ = 5
    with pytest.raises(AttributeError):
        del one.__fettle__
    slot.__set__(one, _core.Shelf())
    assert one.method(1) == 1
    slot.__set__(one, 5)
    assert one.method(1) == 1


def test_a_metaclass_that_does_not_let_its_classes_change() -> None:
    class Sealed(type):
        def __setattr__(cls, name: str, value: object) -> None:
            raise TypeError("sealed")

    class Closed(metaclass=Sealed):
        __slots__ = ("__fettle__",)

        @fettle.cache
        def method(self, x: int) -> int:
            return x

    assert ended(Closed().method, 1) == (TypeError, "sealed")


def test_another_class_for_an_instance() -> None:
    one = Plain("one")
    one.method(1)
    one.__class__ = Child
    assert one.method(1) == one.method(1) == ("child", "one", 1, 0)
    one.__class__ = Plain
    assert one.method(1) == one.method(1, y=0) == ("one", 1, 0)
    assert len(CALLS) == 2


# ---- copies and pickles ----


class Boxed:
    """With a __reduce__ that takes its whole dict along, as it is."""

    def __init__(self, name: str = "boxed") -> None:
        self.name = name

    def __reduce__(self) -> Any:
        return rebuilt, (Boxed, dict(self.__dict__))

    @fettle.cache
    def method(self, x: int = 0) -> tuple[str, int]:
        CALLS.append((self.name, x))
        return (self.name, x)


def rebuilt(kind: Any, attributes: dict[str, Any]) -> Any:
    made = kind.__new__(kind)
    made.__dict__.update(attributes)
    return made


def updated(one: Any) -> Any:
    made = type(one).__new__(type(one))
    made.__dict__.update(one.__dict__)
    return made


def shared(one: Any) -> Any:
    """Both have the same dict."""
    made = type(one).__new__(type(one))
    made.__dict__ = one.__dict__
    return made


COPIES: dict[str, Any] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda one, n=n: pickle.loads(pickle.dumps(one, n))
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", [Plain, Boxed, Slotted, SlottedChild, DictChild])
def test_results_do_not_come_along(kind: Any, way: str) -> None:
    if kind in (Slotted, SlottedChild, DictChild) and way in ("pickle 0", "pickle 1"):
        pytest.skip("slots are not pickled by old protocols")
    for warm in (True, False):
        CALLS.clear()
        one = kind("one")
        if warm:
            one.method(1)
        other = COPIES[way](one)
        assert type(other) is kind and other.name == "one"
        other.name = "other"
        assert other.method(1)[:2] == ("other", 1)
        assert one.method(1)[:2] == ("one", 1)
        again = COPIES[way](other)
        assert again.method(1)[:2] == ("other", 1)
        assert len(CALLS) == 3


@pytest.mark.parametrize("way", [copy.copy, updated, copy.deepcopy])
@pytest.mark.parametrize("kind", [Plain, Boxed, DictChild, SlottedAndDict])
def test_chains_of_copies_whose_originals_die(kind: Any, way: Any) -> None:
    """Addresses are used again; a shelf must not be taken for that of whoever lives there now."""
    one = kind("0")
    for number in range(1, 300):
        assert one.method(1)[:2] == (one.name, 1)
        other = way(one)
        if not hasattr(other, "name"):
            other.name = one.name
        del one
        if number % 3:
            other.name = str(number)
            if number % 2:
                assert other.method(1)[:2] == (str(number), 1)
            one = way(other)
            one.name = other.name
            del other
        else:
            one = other
            one.name = str(number)
            del other
            vars_of = getattr(one, "__dict__", {})
            if isinstance(vars_of.get("__fettle__"), _core.Shelf) and number % 2:
                del vars_of["__fettle__"]


def test_one_dict_for_two() -> None:
    one = Plain("shared")
    other = shared(one)
    for _ in range(3):
        assert one.me() is one
        assert other.me() is other


def test_a_pickle_holds_no_results() -> None:
    one, cold = Plain("one"), Plain("one")
    for x in range(100):
        one.method(x)
    assert len(pickle.dumps(one)) < len(pickle.dumps(cold)) + 80
    slotted, cold_one = Slotted("one"), Slotted("one")
    slotted.method(1)
    assert pickle.dumps(slotted) == pickle.dumps(cold_one)


def test_shelves() -> None:
    shelf = _core.Shelf()
    assert shelf == _core.Shelf() and (shelf != _core.Shelf()) is False
    assert shelf != 5 and (shelf == 5) is False
    with pytest.raises(TypeError):
        hash(shelf)
    with pytest.raises(TypeError):
        shelf < shelf  # noqa: B015
    with pytest.raises(TypeError):
        _core.Shelf(1)
    with pytest.raises(TypeError):
        _core.ShelfSlot()
    assert pickle.loads(pickle.dumps(shelf)) == shelf
    assert type(copy.deepcopy(shelf)) is _core.Shelf
    one, other = Plain(), Plain()
    one.method(1)
    other.method(2)
    assert vars(one) == vars(other)
    assert "2 cached methods" in repr(vars(one)["__fettle__"]) or one.me() is one


@pytest.mark.parametrize("copied", [copy.copy, updated])
def test_none_is_not_an_instance_that_died(copied: Any) -> None:
    """A weak reference to what died leads to None; the shelf lives on in the copy's dict."""
    one = Plain("one")
    assert one.method(1) == ("one", 1, 0)
    other = copied(one)
    del one
    sentence(lambda: Plain.method(None, 1), TypeError)
    assert other.name == "one"


@pytest.mark.parametrize("count", [1, 2])
def test_results_are_where_the_dict_is(count: int) -> None:
    """Who puts back what an instance was before has its results of then, and only then."""
    one = Plain("old")
    assert one.inner_property == ["old"] and one.method(1) == ("old", 1, 0)
    saved = dict(vars(one))
    for name in ["new", "newer"][:count]:
        vars(one).clear()
        one.name = name
        for _ in range(2):
            assert one.method(1) == (name, 1, 0)
            assert one.inner_property == [name]
    vars(one).clear()
    vars(one).update(saved)
    assert one.method(1) == ("old", 1, 0)
    assert one.inner_property == ["old"]


# ---- lives ----


@KINDS
def test_results_die_with_the_instance(kind: Any) -> None:
    class Result:
        pass

    class Owner(kind):
        __slots__ = ()

        @fettle.cache
        def make(self, x: int) -> Result:
            return Result()

    gc.disable()
    try:
        one = Owner()
        result = weakref.ref(one.make(1))
        assert result() is not None
        bytes_before = Owner.make.cache_info().bytes
        del one
        assert result() is None  # at once: no cycle is made
    finally:
        gc.enable()
    info = Owner.make.cache_info()
    assert (info.hits, info.misses, info.currsize) == (0, 1, 0)
    assert info.bytes < bytes_before


class WeakSlotted(Slotted):
    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("kind", [Plain, WeakSlotted, DictChild])
def test_results_that_refer_to_their_instance(kind: Any) -> None:
    references = []
    for _ in range(50):
        one = kind()
        assert one.me() is one
        references.append(weakref.ref(one))
    del one
    gc.collect()
    assert [reference() for reference in references] == [None] * 50


def test_a_bound_method_keeps_its_instance() -> None:
    one = Plain("kept")
    method, reference = one.method, weakref.ref(one)
    del one
    assert method(1) == ("kept", 1, 0)
    assert reference() is not None
    del method
    assert reference() is None


def test_the_class_can_die() -> None:
    class Owner:
        @fettle.cache
        def me(self) -> Any:
            return self, type(self)

    one = Owner()
    one.me()
    references = [weakref.ref(Owner), weakref.ref(one), weakref.ref(vars(Owner)["me"])]
    del Owner, one
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_instances_that_die_while_all_is_cleared() -> None:
    """Clearing lets go of results, whose finalisers kill and make instances of the same class."""

    class Result:
        def __init__(self, number: int) -> None:
            self.number = number

        def __del__(self) -> None:
            CALLS.append(self.number)
            if others:
                others.pop()
            if self.number % 3 == 0:
                fresh = Owner()
                fresh.make(1000 + self.number) if self.number < 1000 else None
                late.append(fresh)
            if self.number % 7 == 0 and self.number < 100:
                Owner.make.cache_clear()

    class Owner:
        @fettle.cache
        def make(self, number: int) -> Result:
            return Result(number)

    others: list[Any] = []
    late: list[Any] = []
    keep = [Owner() for _ in range(20)]
    for number, one in enumerate(keep):
        one.make(number)
    for number in range(20, 40):
        others.append(Owner())
        others[-1].make(number)
    Owner.make.cache_clear()
    assert sorted(set(CALLS)) == sorted(CALLS)
    assert set(range(20)) <= set(CALLS)
    others.clear(), late.clear(), keep.clear()
    gc.collect()
    assert Owner.make.cache_info().currsize == 0
