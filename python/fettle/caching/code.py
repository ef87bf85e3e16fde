# SPDX-License-Identifier: Apache-2.0
"""The identity of a function's code: what the key of a kept result says of the function.

Two identities are equal when the functions would compute the same: the digest changes with the
function's own code, its defaults and captured values, with the data it reads from its modules, and
with the functions and classes of the project that it reaches, down the call graph. It does not
change with comments, docstrings, annotations, line numbers, file names or unused neighbours.

What is followed. Global names, and attributes that are taken from modules at once
(`helpers.scale(x)`), also of modules that the function imports itself: those of the project are
imported for it. Of a module that is kept in a local variable, every attribute that the function
names. Closures, defaults, functools.partial, bound methods, properties, decorators (the wrapper
with its closure, and __wrapped__). Of a method, and of a class that is referred to: all functions
and data of the class and of its bases in the project. Of an instance: its class and its state.
Plain data counts by value, dictionaries with their order, sets without.

Global data that a function itself changes (it assigns the name, calls append() and the like on it,
or sets its items) is that function's state, such as a count of its calls: it does not count for it.

What is not, and counts by name and version: the standard library, installed packages other than the
function's own, C functions. And what no code tells: methods of arguments, getattr(x, name), exec,
modules in containers and attributes, the attributes of functions, objects of installed packages
(their type counts; numpy's arrays, pandas' frames and argparse's namespaces count by value), files,
the environment. `depends=` adds such things.

Data counts as it is when identify() runs, so data that a program changes as it goes (a counter, a
dictionary that is a cache) makes results of other runs be computed again: `version=` stands in for
all of it.

Within a process, a global that is bound anew is noticed at the next call, and so is a function
whose __code__ is replaced (`watched`, `codes`). Lists and dictionaries that are changed in place,
new attributes of classes, defaults and nonlocal variables are not; is_current() sees the last
three. A name that is found in builtins and later becomes a global is not seen either.

The interpreter's minor version is part of the digest, and -O may change it. Annotations of
functions and classes that are made within a function are its code, and a line that is broken anew
may be other bytecode on some Pythons: then results are computed again.
"""

import functools
import os
import sys
from collections.abc import Iterable
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from fettle.caching.project import MAINS, name_of, readable_name, script_path, wrapped_by
from fettle.caching.shape import pack
from fettle.caching.walk import MISSING, NotPlainError, Walk

__all__ = ["MISSING", "Identity", "identify"]

FORMAT = 1  # of digests: whoever changes what goes in raises it
LAYERS = 100  # of partials, methods and decorators around a function


class Identity:
    """What identify() found.

    name: for people: "module.qualname", of a script "stem.qualname".
    digest: 32 bytes.
    watched: (namespace, name, object): all as they were, by identity, or the digest is out of date.
        MISSING: the name was not there.
    codes: (function, its __code__), likewise.
    """

    __slots__ = ("_others", "_parts", "codes", "digest", "name", "watched")

    def __init__(self, name: str, digest: bytes, walk: Walk) -> None:
        self.name = name
        self.digest = digest
        self.watched: list[tuple[dict[str, Any], str, object]] = list(walk.watched.values())
        self.codes: list[tuple[FunctionType, CodeType]] = walk.codes
        self._others = walk.others
        self._parts = walk.parts

    @property
    def parts(self) -> list[str]:
        """What went in, a line each: its kind, its name, and of functions and data some digits that
        change with it. Two lists compared say why a result was computed anew."""
        lines: dict[str, None] = {}
        for kind, what, data in self._parts:
            name = what if type(what) is str else readable_name(what)
            digits = blake2b(data, digest_size=4).hexdigest() if data else ""
            lines[f"{kind} {name} {digits}".rstrip()] = None
        return list(lines)

    def is_current(self) -> bool:
        """Whether nothing was bound anew, attributes of classes, captured variables and defaults
        too. For where there is time: a miss."""
        return (
            all(space.get(name, MISSING) is found for space, name, found in self.watched)
            and all(function.__code__ is code for function, code in self.codes)
            and all(_held(owner, name) is found for owner, name, found in self._others)
        )

    def __repr__(self) -> str:
        return f"<Identity of {self.name}: {self.digest.hex()[:16]}>"


def identify(function: Any, *, depends: Iterable[Any] = (), version: Any = None) -> Identity:
    """The identity of a callable's code.

    depends: functions, classes, modules (all that is theirs), files (a path, or a string that names
    one: what is in it), other values.
    version: stands in for all code; the name and whatever depends names remain.

    TypeError: not callable; a callable object whose state can not be told by value. OSError: a
    file that can not be read.

    >>> def tax(x):
    ...     return x * RATE
    >>> RATE = 0.2
    >>> before = identify(tax)
    >>> RATE = 0.3
    >>> before.is_current(), identify(tax).digest == before.digest
    (False, False)
    """
    if not callable(function):
        raise TypeError(
            f"{function!r} can not be called, so it has no code to identify: give a function."
        )
    inner = _innermost(function)
    module = name_of(inner)[0]
    name = _name(function, inner)
    walk = Walk({module.partition(".")[0]} - {"", "builtins"})
    heads = [b"fettle", bytes([FORMAT]), name.encode(errors="surrogatepass")]
    try:
        if version is None:
            heads += ("{}.{}".format(*sys.version_info).encode(), _root(walk, function))
        else:
            path = script_path(module) if module in MAINS else ""
            heads += (b"version", walk.value(version), path.encode(errors="surrogatepass"))
        heads += [_dependency(walk, each) for each in depends]
        return Identity(name, walk.digest(*heads), walk)
    except NotPlainError as error:
        raise TypeError(
            f"{name} holds an object of type {error}, which can not be told by value: give version="
            " or keep the results of a function instead."
        ) from None


def _root(walk: Walk, function: Any) -> bytes:
    held = function.__self__ if type(function) is MethodType else function
    known = isinstance(held, FunctionType | type | functools.partial | ModuleType)
    if not known and wrapped_by(held) is None:
        walk.must_be_plain(held)
    return walk.value(function)


def _innermost(function: Any) -> Any:
    """The function in the middle of partials, methods and decorators."""
    for _ in range(LAYERS):
        if isinstance(function, functools.partial):
            function = function.func
        elif type(function) in (MethodType, staticmethod, classmethod):
            function = function.__func__
        else:
            found = wrapped_by(function)
            if found is None:
                break
            function = found
    return function


def _name(function: Any, inner: Any) -> str:
    name = readable_name(inner)
    if isinstance(function, functools.partial):
        return f"partial({name})"
    return name


def _dependency(walk: Walk, thing: Any) -> bytes:
    if isinstance(thing, os.PathLike) or (type(thing) is str and os.path.isfile(thing)):
        path = os.fspath(thing)
        with open(path, "rb") as file:
            content = blake2b(file.read(), digest_size=32).digest()
        walk.parts.append(("file", str(path), content))
        return pack(b"file", os.fsencode(os.path.basename(path)), content)
    if type(thing) is ModuleType:
        walk.project.add_root(thing.__name__)
        own = [
            (name, found)
            for name, found in sorted(vars(thing).items())
            if not (name.startswith("__") and name.endswith("__"))
            and not isinstance(found, ModuleType)
            and getattr(found, "__module__", thing.__name__) == thing.__name__
        ]
        return pack(b"module", thing.__name__.encode(), walk.value(own))
    if isinstance(thing, type | FunctionType):
        walk.project.add_root(name_of(thing)[0])
    return pack(b"also", walk.value(thing))


def _held(owner: Any, name: str) -> object:
    """An attribute as it is, not as it is looked up."""
    if isinstance(owner, type):
        return vars(owner).get(name, MISSING)
    return getattr(owner, name, MISSING)
