# SPDX-License-Identifier: Apache-2.0
"""Which attributes the instances of a class have.

Four sources, in the order in which they are to be trusted: what live instances have, the fields of
a dataclass, annotations in the class body, and what the functions of the class assign to their
first argument. The last is read from bytecode: source may be missing, and __static_attributes__ is
there from 3.13 on only.
"""

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, FunctionType

from fettle import _core
from fettle.objects import classes

_FIELD = "_FIELD"  # the kind of a dataclass field that is no ClassVar and no InitVar


@dataclass(frozen=True, slots=True)
class Learned:
    """What the live instances of exactly one class say."""

    instances: int
    bytes: int
    fewest: int  # attributes of any instance
    weakly: int  # instances with weak references
    beyond: bool  # names are texts no more, or too many to be attributes
    names: tuple[str, ...]


def learned(cls: type) -> Learned:
    return Learned(*_core.learned(cls))


def declared(cls: type) -> list[str]:
    """Fields, annotations and assignments of the class itself, without its bases."""
    names = [*_fields(cls), *_annotated(cls), *assigned(cls)]
    return [name for name in dict.fromkeys(names) if not is_handled(cls, name)]


def known(cls: type) -> set[str]:
    """All names that the class or a base of it declares."""
    return {
        name
        for base in classes.mro(cls)
        if not classes.is_static(base)
        for name in (*declared(base), *classes.own_slots(base))
    }


def is_handled(cls: type, name: str) -> bool:
    """Does a property or other data descriptor take what is assigned to the name?"""
    for base in classes.mro(cls):
        if name in classes.namespace(base):
            kind = type(classes.namespace(base)[name])
            if name in classes.own_slots(base):
                return base is not cls
            return any("__set__" in classes.namespace(each) for each in classes.mro(kind))
    return False


# ---- what is declared ----


def _fields(cls: type) -> Iterator[str]:
    fields = classes.namespace(cls).get("__dataclass_fields__")
    for name, field in fields.items() if isinstance(fields, dict) else ():
        if getattr(getattr(field, "_field_type", None), "name", "") == _FIELD:
            yield classes.mangled(cls, name)


def _annotated(cls: type) -> Iterator[str]:
    if "__dataclass_fields__" in classes.namespace(cls):
        return  # those that are no fields are no attributes
    for name, meaning in _annotations(cls).items():
        if not _is_class_variable(meaning) and not (name.startswith("__") and name.endswith("__")):
            yield classes.mangled(cls, name)


def _annotations(cls: type) -> dict[str, object]:
    """As they stand in the class body. Where they are evaluated late (3.14+), as texts: so nothing
    is evaluated, and the class keeps no sign of it."""
    body = classes.namespace(cls)
    held = body.get("__annotations__", body.get("__annotations_cache__"))
    if isinstance(held, dict):
        return held
    annotate = body.get("__annotate_func__", body.get("__annotate__"))
    if type(annotate) is not FunctionType:
        return {}
    lib = import_module("annotationlib")
    try:
        found: dict[str, object] = lib.call_annotate_function(annotate, lib.Format.STRING)
    except Exception:  # it is the program's
        return {}
    return found


def _is_class_variable(meaning: object) -> bool:
    if isinstance(meaning, str):
        return meaning.partition("[")[0].rpartition(".")[2].strip() == "ClassVar"
    typing = sys.modules.get("typing")
    wanted = getattr(typing, "ClassVar", None)
    forward = getattr(meaning, "__forward_arg__", None)
    if isinstance(forward, str):
        return _is_class_variable(forward)
    return wanted is not None and (
        meaning is wanted or getattr(meaning, "__origin__", None) is wanted
    )


# ---- what is assigned ----


def assigned(cls: type) -> list[str]:
    """Names that functions in the class's body assign to their first argument."""
    found: dict[str, None] = {}
    for name, value in classes.namespace(cls).items():
        if type(value) is classmethod or (type(value) is staticmethod and name != "__new__"):
            continue  # its first argument is no instance
        for function in classes.unwrapped(value):
            found.update(dict.fromkeys(_assigned_in(function, name == "__new__")))
    return list(found)


def _assigned_in(function: FunctionType, makes: bool) -> Iterator[str]:
    code = function.__code__
    if makes:
        yield from _stores(code, "self")
    elif code.co_argcount > 0:
        yield from _stores(code, code.co_varnames[0])


def _stores(code: CodeType, instance: str) -> Iterator[str]:
    """Names stored in the variable called instance, in this code and in functions within that have
    it from here."""
    by_call = "setattr" in code.co_names or "__setattr__" in code.co_names
    before: list[dis.Instruction] = []
    for each in dis.get_instructions(code):
        if each.opname in {"CACHE", "NOP", "EXTENDED_ARG", "NOT_TAKEN"}:
            continue
        last = before[-1] if before else None
        on_instance = last is not None and _loads(last, instance)
        by_name = by_call and each.opname == "LOAD_CONST" and _is_name(each.argval)
        if on_instance and (each.opname == "STORE_ATTR" or by_name):
            yield each.argval  # the latter: setattr(self, "name", ...)
        elif _is_in_place(each, before, instance):
            yield each.argval
        before = [*before[-1:], each]
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and instance in constant.co_freevars:
            yield from _stores(constant, instance)


def _loads(instruction: dis.Instruction, name: str) -> bool:
    """Is the variable what the instruction leaves on top? Some load two at once."""
    if not instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")):
        return False
    value = instruction.argval
    return bool(value[-1] == name if isinstance(value, tuple) else value == name)


def _is_in_place(each: dis.Instruction, before: list[dis.Instruction], instance: str) -> bool:
    """self.count += 1 loads the instance, copies it, and takes the attribute."""
    return (
        each.opname == "LOAD_ATTR"
        and len(before) == 2
        and before[1].opname == "COPY"
        and _loads(before[0], instance)
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()
