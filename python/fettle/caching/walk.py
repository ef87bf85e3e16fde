# SPDX-License-Identifier: Apache-2.0
"""From a function to all the code and data that its result may depend on (see code.py).

Plain data is encoded by value, each distinct value to distinct bytes. Functions, classes and
instances of the project are nodes: a reference to one is its number in the order in which it was
first met, and what it consists of is encoded once, when its turn comes. So cycles need no care, and
the encoding of the whole depends on nothing but the start. All orders are those of the code, or
sorted.
"""

import collections
import copyreg
import functools
import marshal
import sys
import types
from collections.abc import Callable, Iterable
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from fettle import _core
from fettle.caching.project import Project, name_of, version_of, wrapped_by
from fettle.caching.shape import ATOMS, Shape, pack, rebound_cells

MISSING: Final = object()  # in what is watched: there is no such name
NODES = 20_000  # that are followed from one function: what comes later counts by its name
DEPTH = 40  # of containers within containers before one becomes a node
SHORT = 64  # bytes of an encoding that is copied; a longer one is hashed

# Instances of these modules' classes say by __reduce_ex__ what they consist of.
_BY_PARTS = """
    array collections datetime decimal fractions ipaddress operator pathlib pathlib._local re uuid
    zoneinfo
"""
_REDUCED = frozenset(_BY_PARTS.split())
_FRAMES = ("DataFrame", "Series", "Index", "Timestamp", "Timedelta")
# What a class has that says nothing of what it does, or says it again.
_BESIDES = """
    __doc__ __module__ __qualname__ __dict__ __weakref__ __annotations__ __annotate__
    __annotate_func__ __annotations_cache__ __firstlineno__ __static_attributes__ _abc_impl
    __abstractmethods__ __dataclass_fields__ _value2member_map_ _member_names_
    _hashable_values_ _unhashable_values_ _unhashable_values_map_
"""
_SKIPPED = frozenset(_BESIDES.split())
_LAZY: type | None = getattr(types, "LazyImportType", None)
_NAMED = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
# What is state where a function only changes it. No subclass: those have code of their own.
_CONTAINERS = (
    list,
    dict,
    set,
    bytearray,
    collections.deque,
    collections.defaultdict,
    collections.Counter,
    collections.OrderedDict,
)
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, lambda x: bytes.join(b"", (x, b""))),
    (tuple, lambda x: tuple(tuple.__iter__(x))),
    (list, lambda x: list(list.__iter__(x))),
    (dict, lambda x: dict(dict.items(x))),
    (set, lambda x: set(set.__iter__(x))),
    (frozenset, lambda x: frozenset(frozenset.__iter__(x))),
)


class NotPlainError(TypeError):
    """A callable object holds something that can not be told by value."""


class Walk:
    """One walk: references by value(), then digest()."""

    def __init__(self, roots: set[str]) -> None:
        self.project = Project(roots)
        self.watched: dict[tuple[int, str], tuple[dict[str, Any], str, object]] = {}
        self.codes: list[tuple[FunctionType, CodeType]] = []
        self.others: list[tuple[Any, str, object]] = []
        self.classes: list[tuple[type, frozenset[str], int, object]] = []
        self.stored: set[str] = set()  # attributes that the code sets
        self.files: list[tuple[str, tuple[int, int, int] | None]] = []
        self.doubts: list[str] = []
        self.was_cut = False
        self.parts: list[tuple[str, Any, bytes]] = []  # kind, name or what has one, digits
        self._numbers: dict[int, int] = {}
        self._nodes: list[Any] = []
        self._tokens: dict[int, bytes] = {}
        self._kept: list[Any] = []  # whose id is a key above
        self._active: set[int] = set()
        self._strict: set[int] = set()  # instances whose whole state must be plain
        self._current: Any = None

    # ---- references ----

    def value(self, thing: Any) -> bytes:
        """A reference to whatever it is."""
        if type(thing) in ATOMS:
            return b"=" + marshal.dumps(thing, 2)
        token = self._tokens.get(id(thing))
        if token is not None:
            return token
        if id(thing) in self._active or len(self._active) > DEPTH:
            return self._node(thing)
        self._active.add(id(thing))
        try:
            token = self._compound(thing)
        except (NotPlainError, RecursionError, MemoryError):
            raise
        except Exception:  # of an odd object
            token = self._opaque(thing)
        finally:
            self._active.discard(id(thing))
        if len(token) > SHORT:
            token = b"#" + blake2b(token, digest_size=32).digest()
        self._tokens[id(thing)] = token
        self._kept.append(thing)
        return token

    def must_be_plain(self, instance: Any) -> None:
        self._strict.add(id(instance))

    def _node(self, thing: Any) -> bytes:
        number = self._numbers.get(id(thing))
        if number is None:
            if len(self._nodes) >= NODES:
                self.was_cut = True
                return self.outside(thing, "not followed")
            number = self._numbers[id(thing)] = len(self._nodes)
            self._nodes.append(thing)
            if id(self._current) in self._strict and not isinstance(thing, type | FunctionType):
                self._strict.add(id(thing))
        return b"@" + number.to_bytes(4, "little")

    def outside(self, thing: Any, what: str = "outside") -> bytes:
        """What is not followed: its name, and the version of the package it comes from."""
        module, name = name_of(thing)
        version = version_of(module) if module else ""
        if module != "builtins":
            self.parts.append((what, f"{module}.{name} {version}".rstrip(), b""))
        return pack(b"!", module.encode(), name.encode(), version.encode())

    def _opaque(self, thing: Any) -> bytes:
        kind = type(thing)
        if id(self._current) in self._strict:
            raise NotPlainError(".".join(name_of(kind)))
        self.parts.append(("unknown", ".".join(name_of(kind)), b""))
        return pack(b"o", self.value(kind), name_of(thing)[1].encode())

    def _compound(self, thing: Any) -> bytes:
        kind = type(thing)
        encode = _ENCODERS.get(kind)
        if encode is not None:
            return encode(self, thing)
        if isinstance(thing, type):
            return self._node(thing) if self.project.has_class(thing) else self.outside(thing)
        return self._instance(thing, kind)

    # ---- containers and other data ----

    def _sequence(self, thing: Any) -> bytes:
        tag = b"(" if type(thing) is tuple else b"["
        if len(thing) > 8 and ATOMS.issuperset(map(type, thing)):
            return tag + b"m" + marshal.dumps(thing, 2)
        return pack(tag, *map(self.value, thing))

    def _dict(self, thing: dict[Any, Any]) -> bytes:
        pieces = [self.value(each) for pair in list(thing.items()) for each in pair]
        return pack(b"{", *pieces)

    def _set(self, thing: Iterable[Any]) -> bytes:
        tag = b"s" if type(thing) is set else b"f"
        items = list(thing)  # at once: other threads may run below
        if not ATOMS.issuperset(map(type, items)):
            items.sort(key=_order)
        return pack(tag, *sorted(map(self.value, items)))

    def _partial(self, thing: Any) -> bytes:
        keywords = sorted(thing.keywords.items())
        return pack(b"p", *map(self.value, (type(thing), thing.func, thing.args, keywords)))

    def _builtin(self, thing: Any) -> bytes:
        owner = getattr(thing, "__self__", None)
        if owner is None or type(owner) is ModuleType:
            return self.outside(thing)
        return pack(b"b", thing.__name__.encode(), self.value(owner))  # such as ", ".join

    def _function(self, thing: FunctionType) -> bytes:
        if self.project.has_function(thing):
            return self._node(thing)
        pieces = [self.outside(thing), *self._closure(thing, None)]  # a decorator's, perhaps
        wrapped = vars(thing).get("__wrapped__")
        if wrapped is not None:
            pieces.append(self.value(wrapped))
        return pack(b"d", *pieces)

    def _module(self, thing: ModuleType) -> bytes:
        name = getattr(thing, "__name__", "")
        return pack(
            b"m",
            str(name).encode(),
            b"" if self.project.has_module(name) else version_of(name).encode(),
        )

    def _instance(self, thing: Any, kind: type) -> bytes:
        enum = sys.modules.get("enum")
        if enum is not None and isinstance(thing, enum.Enum):
            return pack(b"e", *map(self.value, (kind, thing._name_, thing._value_)))
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            if kind is numpy.ndarray or isinstance(thing, numpy.generic):
                return self._array(thing, numpy)
            if isinstance(thing, numpy.dtype):
                return pack(b"T", repr(thing).encode())
            if isinstance(thing, numpy.ndarray):  # masked, and others with more than data
                return pack(b"A", self.value(kind), self.value(thing.__reduce_ex__(2)))
        argparse = sys.modules.get("argparse")
        if argparse is not None and isinstance(thing, argparse.Namespace):
            return pack(b"G", self.value(kind), self.value(sorted(vars(thing).items())))
        frame = _frame(thing)
        if frame is not None:
            return pack(b"D", self.value(kind), frame)
        if isinstance(thing, functools.partial):
            return self._partial(thing)
        if kind.__module__ in _REDUCED:
            reduce = copyreg.dispatch_table.get(kind)
            made = reduce(thing) if reduce is not None else thing.__reduce_ex__(2)
            if type(made) is tuple:
                parts = [list(x) if at > 2 and x is not None else x for at, x in enumerate(made)]
                return pack(b"r", *map(self.value, parts))
        if self.project.has_class(kind) or id(thing) in self._strict:
            return self._node(thing)
        wrapped = wrapped_by(thing)
        if wrapped is not None:
            return pack(b"w", self.value(kind), self.value(wrapped))
        for base, plain in _BASES:
            if isinstance(thing, base):
                return pack(b"i", self.value(kind), self.value(plain(thing)))
        return self._opaque(thing)

    def _array(self, thing: Any, numpy: Any) -> bytes:
        if thing.dtype.hasobject:
            return pack(b"a", self.value(thing.shape), self.value(thing.tolist()))
        data = numpy.ascontiguousarray(thing).tobytes()
        head = (type(thing).__qualname__, repr(thing.dtype), thing.shape)
        return pack(b"a", self.value(head), blake2b(data, digest_size=32).digest())

    # ---- what a function refers to ----

    def _watch(self, namespace: dict[str, Any], name: str, found: object) -> None:
        self.watched.setdefault((id(namespace), name), (namespace, name, found))

    def _closure(self, function: FunctionType, attributes: Iterable[str] | None) -> list[bytes]:
        pieces = []
        code, cells = function.__code__, function.__closure__ or ()
        own = rebound_cells(code) if cells else ()
        for name, cell in zip(code.co_freevars, cells, strict=False):
            try:
                found = cell.cell_contents
            except ValueError:
                found = MISSING
            if name in own and _is_data(found):
                pieces.append(b"~")
                continue
            self.others.append((cell, "cell_contents", found))
            pieces.append(b"-" if found is MISSING else self._used(found, attributes or ()))
        return pieces

    def _used(self, found: Any, attributes: Iterable[str]) -> bytes:
        """What a variable holds. Of a module of the project, whatever its attribute may be."""
        if type(found) is ModuleType and self.project.has_module(found.__name__):
            return pack(b"M", *self._attributes(found, attributes, set()))
        return self.value(found)

    def _attributes(
        self, module: ModuleType, attributes: Iterable[str], seen: set[int]
    ) -> list[bytes]:
        seen.add(id(module))
        namespace = vars(module)
        pieces: list[bytes] = []
        for name in attributes:
            if name not in namespace:
                continue
            found = _held(namespace, name)
            if type(found) is not ModuleType:
                pieces += (name.encode(), self._taken(namespace, name, found))
            elif id(found) not in seen and self.project.has_module(found.__name__):
                pieces += self._attributes(found, attributes, seen)
        return pieces

    def _taken(self, namespace: dict[str, Any], name: str, found: object) -> bytes:
        """What a name of a module's stands for."""
        self._watch(namespace, name, namespace.get(name, MISSING))
        if found is MISSING:
            return b"?"
        token = self.value(found)
        if token[:1] != b"@" and not callable(found):
            self.parts.append(("data", f"{namespace.get('__name__')}.{name}", token))
        return token

    def _global(self, function: FunctionType, chain: tuple[str, ...], shape: Shape) -> bytes:
        namespace, name = function.__globals__, chain[0]
        if name not in namespace:
            builtins = function.__builtins__  # type: ignore[attr-defined, unused-ignore]
            if name in builtins:
                self._watch(namespace, name, MISSING)
                return self.value(builtins[name])
            return self._taken(namespace, name, MISSING)
        found = _held(namespace, name)
        if name in shape.changed and type(found) in _CONTAINERS:
            self._watch(namespace, name, found)
            return pack(b"S", *map(self.value, (type(found), _factory(found))))
        for attribute in chain[1:]:
            if type(found) is not ModuleType or not self.project.has_module(found.__name__):
                break
            self._watch(namespace, name, found)
            namespace, name, found = vars(found), attribute, self._lookup(found, attribute)
        if type(found) is not ModuleType:
            return self._taken(namespace, name, found)
        if self.project.has_module(found.__name__):
            self._watch(namespace, name, found)
        return self._used(found, shape.attributes)

    def _lookup(self, module: ModuleType, name: str) -> Any:
        """An attribute of a module of the project, as the function itself would get it."""
        namespace = vars(module)
        if name in namespace:
            return _held(namespace, name)
        try:
            return getattr(module, name)
        except Exception:
            pass
        if "__path__" in namespace:
            return self._load(f"{module.__name__}.{name}") or MISSING
        return MISSING

    def _load(self, name: str) -> ModuleType | None:
        """A module of the project that the function imports, or would look for."""
        found = sys.modules.get(name)
        if found is None:
            from importlib import import_module

            try:
                found = import_module(name)
            except Exception:
                return None
        return found if type(found) is ModuleType else None

    def _import(
        self, namespace: dict[str, Any], wanted: tuple[int, str, tuple[str, ...]], shape: Shape
    ) -> bytes:
        level, name, names = wanted
        if level:
            package = namespace.get("__package__") or ""
            base = package.rsplit(".", level - 1)[0] if package else ""
            name = f"{base}.{name}" if name else base
        if not name or not self.project.could_import(name):
            return pack(b"!", name.encode(), *map(str.encode, names))
        pieces = [name.encode()]
        module = self._load(name)
        for each in names:
            found: Any = MISSING if module is None else self._lookup(module, each)
            if type(found) is ModuleType:
                pieces.append(self._used(found, shape.attributes))
            elif module is not None:
                pieces.append(self._taken(vars(module), each, found))
        if not names:
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                found = sys.modules.get(".".join(parts[:count]))
                if type(found) is ModuleType:
                    pieces += self._attributes(found, shape.attributes, set())
        return pack(b"I", *pieces)

    def _owner(self, function: FunctionType, code: CodeType) -> bytes:
        """The class whose method this is: what it calls through self."""
        path = code.co_qualname.split(".")[:-1]
        if not path or "<locals>" in path:
            return b""
        found: Any = function.__globals__.get(path[0], MISSING)
        self._watch(function.__globals__, path[0], found)
        for name in path[1:]:
            found = vars(found).get(name) if isinstance(found, type) else None
        return self.value(found) if isinstance(found, type) else b""

    # ---- nodes ----

    def digest(self, *heads: bytes) -> bytes:
        """Of all that was referred to, and of all that this refers to."""
        made = blake2b(pack(b"H", *heads), digest_size=32)
        for thing in self._nodes:  # grows
            self._current = thing
            try:
                made.update(self._content(thing))
            except (NotPlainError, RecursionError, MemoryError):
                raise
            except Exception:
                made.update(self.outside(thing, "unknown"))
        self._current = None
        return made.digest()

    def _content(self, thing: Any) -> bytes:
        if type(thing) is FunctionType:
            return self._function_content(thing)
        if isinstance(thing, type):
            return self._class_content(thing)
        if type(thing) in _ENCODERS:
            self._active.add(id(thing))
            try:
                return _ENCODERS[type(thing)](self, thing)
            finally:
                self._active.discard(id(thing))
        return self._instance_content(thing)

    def _function_content(self, function: FunctionType) -> bytes:
        code = function.__code__
        self.codes.append((function, code))
        shape = Shape(code)
        self.parts.append(("function", function, shape.data))
        keywords = function.__kwdefaults__
        self.others.append((function, "__defaults__", function.__defaults__))
        self.others.append((function, "__kwdefaults__", keywords))
        self.others += ((keywords, name, found) for name, found in (keywords or {}).items())
        wrapped = vars(function).get("__wrapped__")
        self.others.append((function, "__wrapped__", MISSING if wrapped is None else wrapped))
        self.stored |= shape.stored
        pieces = [
            shape.data,
            self.value(function.__defaults__),
            self.value(keywords and sorted(keywords.items())),
            pack(b"c", *self._closure(function, shape.attributes)),
            pack(
                b"g",
                *(
                    self._global(function, x, shape)
                    for x in shape.loads
                    if not _is_state(function, x[0], shape)
                ),
            ),
            pack(b"i", *(self._import(function.__globals__, x, shape) for x in shape.imports)),
            self.value(wrapped),
            self._owner(function, code),
        ]
        return pack(b"F", *pieces)

    def _class_content(self, kind: type) -> bytes:
        self.parts.append(("class", kind, b""))
        bases = kind.__bases__
        pieces = [self.value(type(kind)), *map(self.value, bases)]
        self.classes.append((kind, said_by(kind), len(vars(kind)), bases))
        for name, found in sorted(vars(kind).items()):
            if name not in _SKIPPED:
                self.others.append((kind, name, found))
                pieces += (name.encode(), self.value(found))
        return pack(b"K", *pieces)

    def _instance_content(self, thing: Any) -> bytes:
        kind = type(thing)
        self.parts.append(("instance", ".".join(name_of(kind)), b""))
        pieces = [self.value(kind)]
        for base, plain in _BASES:
            if isinstance(thing, base):
                pieces.append(self.value(plain(thing)))
        state = dict(getattr(thing, "__dict__", {}))
        for each in kind.__mro__:
            for name, slot in vars(each).items():
                if type(slot) is types.MemberDescriptorType:
                    state.setdefault(name, getattr(thing, name, MISSING))
        for name, found in sorted(state.items()):
            pieces += (name.encode(), b"?" if found is MISSING else self.value(found))
        return pack(b"O", *pieces)


def said_by(kind: type) -> frozenset[str]:
    """The names of a class that say what it does."""
    return frozenset(name for name in list(vars(kind)) if name not in _SKIPPED)


def _frame(thing: Any) -> bytes | None:
    """A digest of pandas' data, as it has among arguments; None: it is something else."""
    pandas = sys.modules.get("pandas")
    kinds = [getattr(pandas, name, None) for name in _FRAMES]
    if not isinstance(thing, tuple(each for each in kinds if isinstance(each, type))):
        return None
    try:
        return _core.digest(thing)
    except Exception:  # of a column with objects that can not be told by value
        return None


def _is_state(function: FunctionType, name: str, shape: Shape) -> bool:
    """Is it data that the function itself assigns, as a count of its calls?"""
    found = function.__globals__.get(name)
    return name in shape.assigned and _is_data(found)


def _is_data(found: object) -> bool:
    return not callable(found) and type(found) is not ModuleType


def _held(namespace: dict[str, Any], name: str) -> Any:
    """A name's object. What was imported lazily is imported, and bound, as by whoever uses it."""
    found = namespace[name]
    if _LAZY is not None and type(found) is _LAZY:
        try:
            found = namespace[name] = found.resolve()  # type: ignore[attr-defined]
        except Exception:
            return MISSING
    return found


def _factory(container: Any) -> Any:
    """What makes the items that a defaultdict does not have."""
    return container.default_factory if type(container) is collections.defaultdict else None


def _order(thing: Any) -> tuple[str, ...]:
    """What a set's items are sorted by, so that those that are nodes have the same numbers."""
    kind = type(thing)
    if kind in ATOMS:
        return ("", kind.__name__, repr(thing))
    if kind in (tuple, frozenset):
        items = thing if kind is tuple else sorted(thing, key=_order)
        return (kind.__name__, *(text for each in items for text in _order(each)))
    return (kind.__qualname__, *name_of(thing), str(getattr(thing, "name", "")))


_ENCODERS: dict[type, Callable[[Walk, Any], bytes]] = {
    tuple: Walk._sequence,
    list: Walk._sequence,
    dict: Walk._dict,
    set: Walk._set,
    frozenset: Walk._set,
    bytearray: lambda walk, x: b"y" + bytes(x),
    type(NotImplemented): lambda walk, x: b"NotImplemented",
    range: lambda walk, x: pack(b"n", *map(walk.value, (x.start, x.stop, x.step))),
    slice: lambda walk, x: pack(b"l", *map(walk.value, (x.start, x.stop, x.step))),
    types.MappingProxyType: lambda walk, x: pack(b"P", walk.value(dict(x))),
    types.SimpleNamespace: lambda walk, x: pack(b"N", walk.value(sorted(vars(x).items()))),
    FunctionType: Walk._function,
    ModuleType: Walk._module,
    CodeType: lambda walk, x: pack(b"x", Shape(x).data),
    types.MethodType: lambda walk, x: pack(b"h", walk.value(x.__func__), walk.value(x.__self__)),
    staticmethod: lambda walk, x: pack(b"t", walk.value(x.__func__)),
    classmethod: lambda walk, x: pack(b"k", walk.value(x.__func__)),
    property: lambda walk, x: pack(b"q", *map(walk.value, (x.fget, x.fset, x.fdel))),
    functools.cached_property: lambda walk, x: pack(b"Q", walk.value(x.func)),
    functools.partialmethod: Walk._partial,
    **dict.fromkeys(_NAMED, Walk._builtin),
}
