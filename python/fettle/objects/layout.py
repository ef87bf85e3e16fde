# SPDX-License-Identifier: Apache-2.0
"""fettle.layout: what an instance of a class takes, and what it would take with __slots__.

Both are measured: on a class of the same make as the one that is asked for, plain and slotted, of
which some instances are made. That class has the bases, slots and attributes, but none of the
methods, so that no code of the program's runs and no registry learns of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from fettle import _core
from fettle.objects import classes
from fettle.objects.attributes import Learned, declared, is_handled, learned
from fettle.objects.obstacles import obstacle
from fettle.report.names import visible

STATIC = "__static_attributes__"
# The first instances of a class are larger: CPython learns from them which attributes there are.
WARM = 64
# So many that the first ones are no more than NOISE in their mean.
ENOUGH_INSTANCES = 1000
NOISE = 16  # bytes


@dataclass(frozen=True, slots=True, repr=False)
class Layout:
    """What instances of a class take. Bytes are for each, without what their attributes refer to.

    bytes is what one more instance would take (the first 30 or so of a class are larger), or the
    mean of the live ones where they are many and it is more: they have dicts, or other attributes.
    slotted is the same with __slots__, 0 where that can not be; then why says the reason, and saved
    is 0 too.
    """

    cls: type
    bytes: int
    slotted: int
    attributes: tuple[str, ...]
    instances: int  # alive now
    why: str | None = field(default=None)

    @property
    def saved(self) -> int:
        return self.bytes - self.slotted if self.why is None else 0

    def __repr__(self) -> str:
        many = f"{digits(self.instances)} instances, " if self.instances > 1 else ""
        head = f"{visible(classes.full_name(self.cls))}: {many}{digits(self.bytes)} B each; "
        if self.why is not None:
            return f"{head}no __slots__: {self.why}"
        each = f"{head}with __slots__ {digits(self.slotted)} B each: saves {digits(self.saved)} B"
        all_saved = self.saved * self.instances
        return f"{each}, {digits(all_saved)} B in all" if self.instances > 1 else each


def digits(number: int) -> str:
    """1 234 567"""
    return f"{number:,}".replace(",", " ")


def layout(cls: type) -> Layout:
    """What an instance of the class takes, and would take with __slots__.

    The attributes are those that live instances have, fields, annotations, and what the methods
    assign. TypeError for what is no class.

    >>> import fettle
    >>> class Point:
    ...     def __init__(self, x, y):
    ...         self.x = x
    ...         self.y = y
    >>> found = fettle.layout(Point)
    >>> found.attributes, found.slotted, found.saved == found.bytes - found.slotted
    (('x', 'y'), 48, True)
    """
    if not classes.is_class(cls):
        raise TypeError(f"layout() takes a class, not {visible(classes.full_name(type(cls)))}")
    seen = learned(cls)
    own = attributes(cls, seen)
    why = obstacle(cls, own, seen)
    mean = round(seen.bytes / seen.instances) if seen.instances else 0
    if not classes.is_written_in_python(cls):
        return Layout(cls, mean, 0, own, seen.instances, why)
    plain = _measured(_base_alike(cls), _all_names(cls, own))
    by_mean = plain is None or _sized(cls, seen) or _says_more(mean, plain, seen)
    now = mean if by_mean or plain is None else plain
    if why is not None:
        return Layout(cls, now, 0, own, seen.instances, why)
    slotted = _measured(_alike(cls, own, weakref=seen.weakly > 0), ())
    if plain is None or slotted is None:
        why = "its base class makes no instance that could be measured"
    elif classes.item_size(cls):  # the items stay
        slotted += now - plain
    if slotted is not None and slotted >= now:
        why = f"it would save nothing: {slotted} B each with them"
    return Layout(cls, now, slotted or 0 if why is None else 0, own, seen.instances, why)


def _says_more(mean: int, plain: int, seen: Learned) -> bool:
    """Do live instances take more than one with all attributes, as where each has a dict?"""
    return seen.instances >= ENOUGH_INSTANCES and mean > plain + NOISE


def _sized(cls: type, seen: Learned) -> bool:
    """Has each instance as many items as it was made with, so that only live ones say how many?"""
    return classes.item_size(cls) != 0 and seen.instances > 0


def attributes(cls: type, seen: Learned) -> tuple[str, ...]:
    """The names that slots of the class's own would be needed for."""
    inherited = {
        name
        for base in classes.mro(cls)[1:]
        if not classes.is_static(base)
        for name in classes.own_slots(base)
    }
    results = ("__fettle__",) if classes.has_cached_methods(cls) else ()  # of cached methods
    names = dict.fromkeys((*declared(cls), *seen.names, *results))
    return tuple(n for n in names if n not in inherited and not is_handled(cls, n))


def _all_names(cls: type, names: tuple[str, ...]) -> tuple[str, ...]:
    """With those of the bases that have a dict too."""
    more = (
        name
        for base in classes.mro(cls)[1:]
        if classes.is_written_in_python(base) and "__slots__" not in classes.namespace(base)
        for name in declared(base)
    )
    return tuple(dict.fromkeys((*more, *names)))


# ---- measuring ----


def _alike(cls: type, slots: tuple[str, ...] | None, weakref: bool = False) -> type:
    """A class laid out as this one is, with these slots or with none declared."""
    bases = tuple(dict.fromkeys(_base_alike(base) for base in classes.bases(cls)))
    body: dict[str, object] = {}
    if STATIC in classes.namespace(cls):  # from 3.14 on instances have room for those at once
        body[STATIC] = classes.namespace(cls)[STATIC]
    if slots is not None:
        needed = weakref and not any(classes.has_weakref(base) for base in bases)
        body["__slots__"] = (*slots, "__weakref__") if needed else slots
    return type("Alike", bases, body)


def _base_alike(base: type) -> type:
    if not classes.is_written_in_python(base):
        return base if classes.has_room(base) else object  # Generic minds being inherited from
    slots = classes.own_slots(base) if "__slots__" in classes.namespace(base) else None
    return _alike(base, slots)


def _measured(cls: type, names: tuple[str, ...]) -> int | None:
    """What an instance with these attributes takes once the class has had some; None if it makes
    none."""
    make = cast(Callable[[type], object], cls.__new__)
    made: list[object] = []
    try:
        for _ in range(WARM):
            one = make(cls)
            for name in names:
                object.__setattr__(one, name, None)
            made.append(one)
    except Exception:  # a base that is written in C wants arguments
        return None
    return _core.sizeof(made[-1])
