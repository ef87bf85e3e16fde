# SPDX-License-Identifier: Apache-2.0
"""Why a class can not have __slots__: one sentence, or None.

The sentences of a census (glue/objects/estimate.c) are the same in the same cases, without names.
"""

import sys
from collections.abc import Iterator

from fettle.objects import classes
from fettle.objects.attributes import Learned, declared, known
from fettle.report.names import visible

NEED_A_DICT = {"__dict__", "vars"}  # in a method: it looks at the dict itself


def obstacle(cls: type, names: tuple[str, ...], seen: Learned) -> str | None:
    """The first reason against slots for these names."""
    return (
        _of_kind(cls)
        or _of_bases(cls)
        or _of_body(cls, names)
        or _of_instances(cls, seen)
        or _of_subclasses(cls, names)
    )


def _of_kind(cls: type) -> str | None:
    if not classes.is_written_in_python(cls):
        return "it is written in C"
    if "__slots__" in classes.namespace(cls):
        if classes.has_dict(cls) and "__dict__" in classes.own_slots(cls):
            return "__dict__ is among its __slots__"
        return "it has __slots__ already"
    enum = sys.modules.get("enum")
    if enum is not None and classes.derives(type(cls), enum.EnumMeta):
        return "it is an Enum, whose members are made once and for all"
    if classes.derives(cls, type):
        return "its instances are classes"
    return None


def _of_bases(cls: type) -> str | None:
    for base in classes.bases(cls):
        if not classes.has_dict(base):
            continue
        name = visible(classes.full_name(base))
        if classes.is_written_in_python(base):
            return f"its base class {name} has no __slots__: give it some first"
        return f"its base class {name} is written in C and has a __dict__ of its own"
    return None


def _of_body(cls: type, names: tuple[str, ...]) -> str | None:
    if names and classes.item_size(cls) != 0:
        base = next(base for base in classes.mro(cls) if not classes.is_written_in_python(base))
        return (
            f"its base class {visible(classes.full_name(base))} has a variable size, with which"
            " Python allows no slots"
        )
    for name, value in classes.namespace(cls).items():
        if classes.qualname(type(value)) == "cached_property":
            return f"it has a cached_property ({visible(name)}), which needs a __dict__"
    for base in classes.mro(cls):
        for function in () if classes.is_static(base) else classes.methods(base):
            if any(NEED_A_DICT & set(code.co_names) for code in classes.codes(function.__code__)):
                return f"its method {visible(function.__qualname__)} uses __dict__"
    return None


def _of_instances(cls: type, seen: Learned) -> str | None:
    if seen.beyond:
        return "its instances have attributes of any name"
    for name in seen.names:
        if not name.isidentifier():
            return (
                f"its instances have an attribute {visible(name)!r}, a name that no slot can have"
            )
    if seen.fewest < len(seen.names):
        strange = [name for name in seen.names if name not in known(cls)]
        if strange:
            return (
                "its instances have attributes that it does not set itself"
                f" ({_listed(strange)}), and not all have the same"
            )
    return None


def _listed(names: list[str], most: int = 3) -> str:
    shown = [visible(name) for name in names[:most]]
    return ", ".join(shown) + (", ..." if len(names) > most else "")


def _of_subclasses(cls: type, names: tuple[str, ...]) -> str | None:
    """A class with two bases that both have slots can not be made."""
    for heir in classes.heirs(cls) if names else ():
        for other in classes.bases(heir):
            related = classes.derives(cls, other) or classes.derives(other, cls)
            if not related and _has_room(other):
                return (
                    f"its subclass {visible(classes.full_name(heir))} inherits from"
                    f" {visible(classes.full_name(other))} too, and Python allows slots in one of"
                    " them only"
                )
    return None


def _has_room(cls: type) -> bool:
    """Has it attributes of its own, or of a base, that would need slots?"""
    return any(_declares(base) for base in classes.mro(cls))


def _declares(cls: type) -> bool:
    if not classes.is_written_in_python(cls):
        return classes.has_room(cls)
    return next(_own_names(cls), None) is not None


def _own_names(cls: type) -> Iterator[str]:
    yield from (name for name in classes.own_slots(cls) if not name.startswith("__"))
    yield from declared(cls)
