# SPDX-License-Identifier: Apache-2.0
"""fettle.slots: a class decorator that gives the class __slots__.

Slots are laid out when a class is made, so the class is made anew, out of the same body: the twin.
Its functions are the same objects; where they know the class (zero-argument super) they are told of
the twin.
"""

import sys
from collections.abc import Callable, Iterator
from types import CellType
from typing import Any, TypeVar, cast, overload

from fettle import _core
from fettle.objects import classes
from fettle.objects.attributes import learned
from fettle.objects.layout import attributes
from fettle.objects.obstacles import obstacle
from fettle.report.names import visible

C = TypeVar("C", bound=type)

# Names in a method's code that say that it refers to instances weakly.
WEAKLY = {
    "weakref",
    "WeakSet",
    "WeakKeyDictionary",
    "WeakValueDictionary",
    "WeakMethod",
    "finalize",
}
MISSING: Any = object()


@overload
def slots(cls: C, /, *, weakref: bool | None = None) -> C: ...
@overload
def slots(cls: None = None, /, *, weakref: bool | None = None) -> Callable[[C], C]: ...
def slots(cls: C | None = None, /, *, weakref: bool | None = None) -> C | Callable[[C], C]:
    """A class decorator: the same class with __slots__ for its attributes.

    The attributes are its fields, its annotations and what its methods assign to self. Defaults in
    the class body stay: an instance reads them until it is assigned, and so does the class. Pickles
    of the plain class can still be read. weakref: whether instances can be referred to weakly; by
    default if the class does so itself.

    It stands above @dataclass and other decorators that add attributes. The class is made a second
    time, so its metaclass, __init_subclass__ of its bases and __set_name__ run again.

    TypeError, with the reason, where a class can not have slots.

    >>> import fettle
    >>> @fettle.slots
    ... class Point:
    ...     unit = "m"
    ...     def __init__(self, x):
    ...         self.x = x
    >>> Point(1).x, Point(1).unit, Point.__slots__
    (1, 'm', ('x',))
    >>> Point(1).y = 2
    Traceback (most recent call last):
    AttributeError: 'Point' object has no attribute 'y'
    """
    if cls is None:
        return lambda cls: _slotted(cls, weakref)
    return _slotted(cls, weakref)


def _slotted(cls: C, weakref: bool | None) -> C:
    if not classes.is_class(cls):
        raise TypeError(f"slots() takes a class, not {visible(classes.full_name(type(cls)))}")
    seen = learned(cls)
    names = attributes(cls, seen)
    why = obstacle(cls, names, seen) or _beyond_layout(cls)
    if why is not None:
        raise TypeError(f"{_shown(cls)} can not have __slots__: {why}")
    if weakref is None:
        weakref = seen.weakly > 0 or _refers_weakly(cls)
    slotted = _slot_names(cls, names, weakref)
    defaults = {name: value for name in names if (value := _default(cls, name)) is not MISSING}
    twin = _made(cls, _body(cls, slotted))
    for name, value in defaults.items():
        type.__setattr__(twin, name, _core.SlotDefault(classes.namespace(twin)[name], value))
    _tell_functions(cls, twin)
    return cast(C, twin)


def _shown(cls: type) -> str:
    return visible(classes.full_name(cls))


def _beyond_layout(cls: type) -> str | None:
    """What only matters to making the twin."""
    heirs = classes.heirs(cls)
    if heirs:
        return f"it has a subclass already ({_shown(heirs[0])}): decorate it where it is made"
    dataclasses = sys.modules.get("dataclasses")
    for name, value in classes.namespace(cls).items():
        if dataclasses is not None and type(value) is dataclasses.Field:
            return f"{visible(name)} is a field still: @fettle.slots stands above @dataclass"
    return None


def _refers_weakly(cls: type) -> bool:
    return any(
        WEAKLY & set(code.co_names)
        for function in classes.functions(cls)
        for code in classes.codes(function.__code__)
    )


def _slot_names(cls: type, names: tuple[str, ...], weakref: bool) -> tuple[str, ...]:
    needed = weakref and not any(classes.has_weakref(base) for base in classes.bases(cls))
    return (*names, "__weakref__") if needed else names


def _default(cls: type, name: str) -> Any:
    """What an instance reads under the name while it has no attribute of it."""
    for base in classes.mro(cls):
        if name in classes.namespace(base):
            return classes.namespace(base)[name]
    return MISSING


# ---- the twin ----


def _body(cls: type, slotted: tuple[str, ...]) -> dict[str, Any]:
    left_out = {"__dict__", "__weakref__", "__slotnames__", *slotted}
    body = {n: value for n, value in classes.namespace(cls).items() if n not in left_out}
    body["__slots__"] = slotted
    body["__qualname__"] = classes.qualname(cls)
    if not _restores_itself(cls):
        body["__setstate__"] = _restore
        if not _has_way(cls, {"__getstate__"}):
            body["__getstate__"] = _state
    return body


def _restores_itself(cls: type) -> bool:
    """Has it, or a base, its own way into and out of a pickle?"""
    return _has_way(cls, {"__setstate__", "__reduce__", "__reduce_ex__"})


def _has_way(cls: type, names: set[str]) -> bool:
    return any(names & set(classes.namespace(base)) for base in classes.mro(cls)[:-1])


def _state(self: object) -> object:
    """What pickle takes anyway: with slots its protocols 0 and 1 ask that the class says so."""
    return object.__getstate__(self)


_state.__name__ = "__getstate__"


def _restore(self: object, state: Any) -> None:
    """Takes the state of a pickle or copy: of the twin, or of the plain class it was."""
    for part in state if isinstance(state, tuple) else (state,):
        for name, value in (part or {}).items():
            object.__setattr__(self, name, value)


_restore.__name__ = "__setstate__"


def _made(cls: type, body: dict[str, Any]) -> type:
    meta = type(cls)
    try:
        twin = meta(classes.qualname(cls).rpartition(".")[2], classes.bases(cls), body)
    except Exception as error:
        who = f"its metaclass {_shown(meta)}" if meta is not type else "Python"
        raise TypeError(
            f"{_shown(cls)} can not have __slots__: {who} can not make it a second time"
            f" ({type(error).__name__}: {visible(str(error))})"
        ) from error
    if not classes.is_class(twin) or twin is cls:
        raise TypeError(
            f"{_shown(cls)} can not have __slots__: its metaclass {_shown(meta)} does not make a"
            " new class"
        )
    return twin


def _tell_functions(cls: type, twin: type) -> None:
    """Points what functions keep of the old class to the twin: __class__ for super(), and what
    dataclasses generate."""
    for cell in _cells(cls):
        if _content(cell) is cls:
            cell.cell_contents = twin


def _cells(cls: type) -> Iterator[CellType]:
    for function in classes.functions(cls):
        yield from function.__closure__ or ()


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None
