# SPDX-License-Identifier: Apache-2.0
"""fettle.cache in classes: methods, properties and so on, and what `instance.method` is."""

import abc
import copy
import enum
import functools
import gc
import inspect
import pickle
import pydoc
import types
import weakref
from typing import Any

import fettle
import pytest
from fettle import _core

from .harness import sentence
from .kinds import CALLS, KINDS, Child, Plain

# ---- calls ----


@KINDS
def test_each_instance_has_its_own(kind: Any) -> None:
    one, other = kind("one"), kind("other")
    for _ in range(2):
        assert one.method(1)[:2] == ("one", 1)
        assert other.method(1)[:2] == ("other", 1)
        assert kind.method(one, 1)[:2] == ("one", 1)
        assert kind.method.__get__(other)(1)[:2] == ("other", 1)
    assert len(CALLS) == 2
    assert one.method.cache_info()[:2] == (3, 1)
    assert kind.method.cache_info()[:2] == (6, 2)
    kind.method.cache_clear()
    assert kind.method.cache_info()[:2] == one.method.cache_info()[:2] == (0, 0)


@KINDS
def test_maxsize_is_of_each_instance(kind: Any) -> None:
    class Two(kind):
        __slots__ = ()

        @fettle.cache(maxsize=2, policy="lru")
        def some(self, x: int) -> int:
            return x

    one, other = Two(), Two()
    for x in (1, 2, 3):
        assert one.some(x) == other.some(x) == x
    assert one.some.cache_info()[:5] == (0, 3, 2, 2, 1)
    assert Two.some.cache_info()[:5] == (0, 6, 2, 4, 2)
    assert other.some(3) == 3
    assert other.some.cache_info().hits == 1


def test_keywords_reach_the_method() -> None:
    one = Plain()
    for _ in range(2):
        assert one.method(1, y=2) == one.method(x=1, y=2) == one.method(y=2, x=1)
        assert one.method(*[1], **{"y": 2}) == ("plain", 1, 2)
    assert one.method.cache_info()[:2] == (5, 3)
    many = types.SimpleNamespace()

    class Many:
        @fettle.cache
        def method(self, *args: int, **keywords: int) -> Any:
            return args, keywords

    many = Many()
    names = {f"k{i}": i for i in range(30)}
    for _ in range(2):
        assert many.method(*range(30), **names) == (tuple(range(30)), names)
        assert Many.method(many, *range(9)) == (tuple(range(9)), {})
        bound = many.method
        assert bound(*range(20)) == (tuple(range(20)), {})
    assert many.method.cache_info()[:2] == (3, 3)


def test_wrong_calls() -> None:
    one = Plain()
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'self'"):
        Plain.method()
    with pytest.raises(TypeError, match="unexpected keyword"):
        one.method(z=1)
    with pytest.raises(TypeError, match="unhashable"):
        one.method([])
    assert one.method(1) == ("plain", 1, 0)


def test_class_and_static_methods() -> None:
    for _ in range(2):
        for owner in (Plain, Plain(), Child, Child()):
            cls = owner if isinstance(owner, type) else type(owner)
            assert owner.inner_class(1) == owner.outer_class(1) == (cls, 1)
            assert owner.inner_static(2) == owner.outer_static(2) == 2
    assert len(CALLS) == 6
    assert Plain.inner_class.cache_info()[:2] == Plain.outer_class.cache_info()[:2] == (6, 2)
    assert Plain.inner_static.cache_info()[:2] == Plain().outer_static.cache_info()[:2] == (7, 1)


def test_properties() -> None:
    one, other = Plain("one"), Plain("other")
    for name in ("inner_property", "outer_property"):
        CALLS.clear()
        assert getattr(one, name) is getattr(one, name)
        assert getattr(one, name) == ["one"] and getattr(other, name) == ["other"]
        assert CALLS == ["property"] * 2
        with pytest.raises(AttributeError):
            setattr(one, name, 1)
        found = vars(Plain)[name]
        assert isinstance(found, property) and found.__doc__ == "What it is."
        assert found.fget.cache_info()[:2] == (2, 2)
        found.fget.cache_forget(one)
        getattr(one, name), getattr(other, name)
        assert len(CALLS) == 3
    reference = weakref.ref(one)
    del one
    assert reference() is None


def test_a_property_that_is_set() -> None:
    one = Plain("old")
    assert one.settable == "old"
    one.settable = "new"
    assert (one.name, one.settable) == ("new", "old")
    type(one).settable.fget.cache_clear()
    assert one.settable == "new"


def test_a_property_without_a_getter() -> None:
    said = sentence(lambda: fettle.cache(property(fset=lambda self, x: None)), TypeError)
    assert "getter" in said


def test_super_and_inheritance() -> None:
    one, plain = Child("one"), Plain("plain")
    for _ in range(2):
        assert one.method(1) == ("child", "one", 1, 0)
        assert plain.method(1) == ("plain", 1, 0)
        assert super(Child, one).method(1) == Plain.method(one, 1) == ("one", 1, 0)
        assert one.other(1) == [1]
    assert CALLS == [("one", 1, 0), ("plain", 1, 0), ("one", 1, 0), 1]
    assert one.method.cache_info()[:2] == (1, 1)
    assert super(Child, one).method.cache_info()[:2] == (3, 2)  # (1, y=0) and (1)
    assert Plain.method.cache_info().misses >= 2


def test_a_method_that_calls_itself() -> None:
    class Numbers:
        @fettle.cache(maxsize=None)
        def fibonacci(self, n: int) -> int:
            CALLS.append(n)
            return n if n < 2 else self.fibonacci(n - 1) + self.fibonacci(n - 2)

    assert Numbers().fibonacci(100) == 354224848179261915075
    assert len(CALLS) == 101


def test_methods_of_a_metaclass() -> None:
    """The receiver is a class: nothing is kept in it, but in the function, under the class."""

    class Meta(type):
        @fettle.cache
        def made(self, x: int) -> tuple[type, int]:
            CALLS.append(x)
            return self, x

    class One(metaclass=Meta):
        pass

    class Other(metaclass=Meta):
        pass

    for _ in range(2):
        assert One.made(1) == (One, 1) and Other.made(1) == (Other, 1)
        assert Meta.made(One, 1) == (One, 1)
    assert len(CALLS) == 2
    assert "__fettle__" not in vars(One)


def test_a_function_that_becomes_a_method_later() -> None:
    """Nobody says so to it: it stays a function, and the instance is an argument."""

    @fettle.cache
    def late(self: object, x: int) -> tuple[object, int]:
        CALLS.append(x)
        return self, x

    Late = type("Late", (), {"method": late})
    After = type("After", (), {})
    After.method = late
    for one in (Late(), After()):
        assert one.method(1) == (one, 1) == one.method(1)
        assert vars(one) == {}
    assert late.cache_info()[:2] == (2, 2)
    late.cache_clear()


def test_a_bound_method_can_be_cached() -> None:
    """The receiver is in it already: the arguments are arguments."""

    class Reader:
        def read(self, key: object) -> list[object]:
            CALLS.append(key)
            return [key]

    class Key:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Key)

        def __hash__(self) -> int:
            return 1

    for wrapped in (Reader().read, functools.partial(Reader().read)):
        CALLS.clear()
        read = fettle.cache(wrapped)
        assert read(Key()) is read(Key())
        assert read(1) == [1] and read(None) == [None]
        assert len(CALLS) == 3
        assert read.cache_info()[:2] == (1, 3)

    class Holder:
        class Inner:
            def read(self, key: object) -> list[object]:
                return [key]

        read = staticmethod(fettle.cache(Inner().read))
        named = fettle.cache(Inner.read)

    assert Holder().read(5) == [5]
    assert Holder.named.cache_info()[:2] == (0, 0)


def test_under_another_decorator() -> None:
    """Which stands between it and the class: `self` first says that it is a method."""

    def deco(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    class Owner:
        @deco
        @fettle.cache
        def under(self, x: int) -> Any:
            return self, x

        @fettle.cache
        @deco
        def over(self, x: int) -> Any:
            return self, x

    one = Owner()
    assert one.under(1) == one.over(1) == (one, 1)
    assert isinstance(vars(one)["__fettle__"], _core.Shelf)
    reference = weakref.ref(one)
    del one
    gc.collect()
    assert reference() is None


def test_abstract_methods() -> None:
    class Base(abc.ABC):
        @fettle.cache
        @abc.abstractmethod
        def method(self) -> int: ...

        @fettle.cache
        @property
        @abc.abstractmethod
        def given(self) -> int: ...

    with pytest.raises(TypeError, match="abstract"):
        Base()

    class Concrete(Base):
        given = 1

        @fettle.cache
        def method(self) -> int:
            return 5

    assert Concrete().method() == 5


def test_members_of_an_enum() -> None:
    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

        @fettle.cache
        def shade(self, x: int) -> tuple[str, int]:
            CALLS.append(x)
            return self.name, x

    assert [colour.name for colour in Colour] == ["RED", "BLUE"]
    assert Colour.RED.shade(1) == Colour.RED.shade(1) == ("RED", 1)
    assert Colour.BLUE.shade(1) == ("BLUE", 1)
    assert len(CALLS) == 2


# ---- a.m as an object ----


def test_bound_methods_compare_as_methods_do() -> None:
    one, other = Plain(), Plain()
    assert one.method == one.method and (one.method != one.method) is False
    assert hash(one.method) == hash(one.method)
    assert one.method != other.method and one.method != one.other
    assert one.method != 5 and one.method != Plain.method
    assert {one.method: 1}[one.method] == 1
    with pytest.raises(TypeError):
        one.method < one.method  # noqa: B015
    assert one.method.__self__ is one and one.method.__func__ is Plain.method


def test_what_a_bound_method_shows() -> None:
    method = Plain().method
    assert method.__name__ == "method"
    assert method.__qualname__ == "Plain.method"
    assert method.__doc__ == "What it says."
    assert method.__module__ == Plain.__module__
    assert inspect.get_annotations(method) == inspect.get_annotations(Plain.method)
    assert method.__wrapped__ is Plain.method.__wrapped__
    assert str(inspect.signature(method)) == "(x: int = 0, *, y: int = 0) -> tuple[typing.Any, ...]"
    assert str(inspect.signature(Plain.method)).startswith("(self, x: int = 0")
    assert str(inspect.signature(Plain().me)) == '() -> "Plain"'.replace('"', "'")
    assert "Plain.method" in repr(method) and "Plain object" in repr(method)
    assert callable(method) and inspect.isroutine(method)
    assert weakref.ref(method)() is method
    assert method.cache_parameters() == Plain.method.cache_parameters()
    assert "cache_info" in dir(method)
    with pytest.raises(AttributeError):
        method.no_such_thing  # noqa: B018
    with pytest.raises(AttributeError):
        method.extra = 1
    assert method.__get__(Plain(), Plain) is method  # bound once is bound


def test_help() -> None:
    for thing in (Plain().method, Plain.method, Plain.inner_static):
        text = pydoc.plain(pydoc.render_doc(thing))
        assert thing.__name__ in text and "fettle._core" not in text
    assert "What it says." in pydoc.plain(pydoc.render_doc(Plain().method))
    assert "method(self, x: int = 0" in pydoc.plain(pydoc.render_doc(Plain))


def test_bound_methods_are_copied_and_pickled() -> None:
    one = Plain("one")
    method = one.method
    assert copy.copy(method) == method
    assert copy.deepcopy(method)(1) == ("one", 1, 0)
    assert copy.deepcopy(method).__self__ is not one
    assert pickle.loads(pickle.dumps(method))(2) == ("one", 2, 0)


def test_info_clear_forget_export_and_load_of_one_instance() -> None:
    one, other = Plain("one"), Plain("other")
    for each in (one, other):
        each.method(1), each.method(2), each.method(y=3), each.method()
    assert one.method.cache_info()[:4] == (0, 4, 1024, 4)
    exported = one.method.cache_export()
    assert dict(exported) == {
        1: ("one", 1, 0),
        2: ("one", 2, 0),
        (): ("one", 0, 0),
        _core.Call(((), (("y", 3),))): ("one", 0, 3),
    }
    assert one.method.cache_forget(1) is True
    assert one.method.cache_forget(1) is False
    assert one.method.cache_forget(y=3) is True
    assert Plain.method.cache_forget(other, 2) is True
    one.method.cache_clear()
    assert one.method.cache_info()[:4] == (0, 0, 1024, 0)
    assert other.method.cache_info()[:4] == (0, 4, 1024, 3)
    one.method.cache_load(exported)
    assert one.method(y=3) == ("one", 0, 3)
    other.method.cache_load({5: "loaded"})
    assert other.method(5) == "loaded" and one.method(5) == ("one", 5, 0)
    assert len(CALLS) == 9
    Plain.method.cache_clear()
    assert other.method.cache_export() == one.method.cache_export() == []
    for what in (Plain.method.cache_export, lambda: Plain.method.cache_load([])):
        assert "instance" in sentence(what, TypeError)


def test_nothing_is_kept_with_maxsize_0() -> None:
    class Owner:
        @fettle.cache(maxsize=0)
        def method(self, x: int) -> int:
            CALLS.append(x)
            return x

    class Tight:
        __slots__ = ()

        @fettle.cache(maxsize=0)
        def method(self, x: int) -> int:
            return x

    one = Owner()
    assert one.method(1) == one.method(1) == 1
    assert CALLS == [1, 1]
    assert one.method.cache_info()[:4] == Owner.method.cache_info()[:4] == (0, 2, 0, 0)
    assert vars(one) == {}
    assert Tight().method([]) == [] and Tight().method.cache_info().misses == 1


def test_a_key_function_sees_self() -> None:
    class Owner:
        def __init__(self, scale: int) -> None:
            self.scale = scale

        @fettle.cache(key=lambda self, x: (self.scale, x % 10))
        def method(self, x: int) -> int:
            CALLS.append(x)
            return self.scale * x

    one, other = Owner(2), Owner(2)
    assert one.method(3) == one.method(13) == 6
    assert other.method(13) == 26
    one.scale = 5
    assert one.method(3) == 15
    assert dict(one.method.cache_export()) == {((2, 3),): 6, ((5, 3),): 15}
    assert one.method.cache_forget(23) is True
