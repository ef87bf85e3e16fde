# SPDX-License-Identifier: Apache-2.0
"""A class looked at without its metaclass: nothing in here runs code of the program's.

Reading cls.__mro__ asks the metaclass, which may raise, lie or count; type's own descriptors do
not.
"""

from collections.abc import Iterator
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

from fettle import _core

_MRO = type.__dict__["__mro__"]
_NAMESPACE = type.__dict__["__dict__"]
_BASES = type.__dict__["__bases__"]
_QUALNAME = type.__dict__["__qualname__"]
_MODULE = type.__dict__["__module__"]
_BASICSIZE = type.__dict__["__basicsize__"]
_DICTOFFSET = type.__dict__["__dictoffset__"]
_WEAKREFOFFSET = type.__dict__["__weakrefoffset__"]
_ITEMSIZE = type.__dict__["__itemsize__"]
_FLAGS = type.__dict__["__flags__"]
_HEAPTYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE

# What a cached coroutine method, a function as any, has in its __dict__ (caching/coroutine.py).
KEEPS = "_keeps_in_instance"


def mro(cls: type) -> tuple[type, ...]:
    """The class and its bases in the order in which names are looked up."""
    found: tuple[type, ...] = _MRO.__get__(cls)
    return found


def bases(cls: type) -> tuple[type, ...]:
    found: tuple[type, ...] = _BASES.__get__(cls)
    return found


def namespace(cls: type) -> MappingProxyType[str, Any]:
    """What is in the class's own body."""
    found: MappingProxyType[str, Any] = _NAMESPACE.__get__(cls)
    return found


def qualname(cls: type) -> str:
    found: str = _QUALNAME.__get__(cls)
    return found


def full_name(cls: type) -> str:
    """build.P; what is built in has no module: list."""
    module = _MODULE.__get__(cls) if is_static(cls) else namespace(cls).get("__module__")
    name = qualname(cls)
    return name if not isinstance(module, str) or module in {"", "builtins"} else f"{module}.{name}"


def is_static(cls: type) -> bool:
    """Is it written in C, as a part of its module's data?"""
    return not _FLAGS.__get__(cls) & _HEAPTYPE


def has_dict(cls: type) -> bool:
    """Have its instances a __dict__?"""
    return bool(_DICTOFFSET.__get__(cls) != 0)


def has_weakref(cls: type) -> bool:
    """Can its instances be referred to weakly?"""
    return bool(_WEAKREFOFFSET.__get__(cls) != 0)


def is_class(thing: object) -> bool:
    """Is it a class, whatever it says of itself?"""
    return derives(type(thing), type)


def derives(cls: type, base: type) -> bool:
    """issubclass, by identity: comparing classes may run code of their metaclass's."""
    return any(each is base for each in mro(cls))


def item_size(cls: type) -> int:
    found: int = _ITEMSIZE.__get__(cls)
    return found


class _Statement:
    """What a class statement makes."""


def is_written_in_python(cls: type) -> bool:
    """Was it made by a class statement, or by what is like it?"""
    return _core.made_alike(cls, _Statement)


def has_room(cls: type) -> bool:
    """Have its instances anything that those of object have not?"""
    return bool(
        _BASICSIZE.__get__(cls) != _BASICSIZE.__get__(object)
        or item_size(cls)
        or has_dict(cls)
        or has_weakref(cls)
    )


def heirs(cls: type) -> list[type]:
    """The classes that have it among their bases."""
    return type.__subclasses__(cls)


def own_slots(cls: type) -> tuple[str, ...]:
    """The names in its own __slots__, mangled as its members are."""
    slots = namespace(cls).get("__slots__", ())
    listed = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(mangled(cls, name) for name in listed if isinstance(name, str))


def mangled(cls: type, name: str) -> str:
    """__x in class P is _P__x."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    owner = qualname(cls).rpartition(".")[2].lstrip("_")
    return f"_{owner}{name}" if owner else name


def functions(cls: type) -> Iterator[FunctionType]:
    """The functions in its body, out of what they are wrapped in."""
    for value in namespace(cls).values():
        yield from unwrapped(value)


def methods(cls: type) -> Iterator[FunctionType]:
    """Those that are about instances."""
    for value in namespace(cls).values():
        if type(value) is not classmethod:
            yield from unwrapped(value)


def unwrapped(value: object, depth: int = 4) -> Iterator[FunctionType]:
    """The functions behind a method, property, partial or decorator of the standard library's or
    ours."""
    if type(value) is FunctionType:
        yield value
        value = value.__dict__.get("__wrapped__")
    if value is None or depth == 0:
        return
    parts: list[object] = []
    if type(value) is staticmethod or type(value) is classmethod:
        parts = [value.__func__]
    elif derives(type(value), property):
        parts = [_plain(value, name) for name in ("fget", "fset", "fdel")]
    elif namespace(type(value)).get("__module__") in {"functools", "fettle._core"}:
        parts = [_plain(value, name) for name in ("func", "__wrapped__", "dispatcher")]
    elif type(value) is FunctionType:
        parts = [value]
    for part in parts:
        if part is not None:
            yield from unwrapped(part, depth - 1)


def has_cached_methods(cls: type) -> bool:
    """Is there a method or property in its body whose results its instances keep?"""
    return any(
        type(part) is _core.Memo or (type(part) is FunctionType and KEEPS in part.__dict__)
        for value in namespace(cls).values()
        for part in (value, _plain(value, "fget") if derives(type(value), property) else None)
    )


def _plain(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except Exception:  # a slot that is not set, a wrapper that is half made
        return None


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)
