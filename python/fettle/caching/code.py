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

Not by value: a global or a captured variable that the function itself assigns (global n; n += 1),
and a global list, dictionary, set or the like that it does nothing with but change
(calls.append(x), counts[x] += 1): these are its state, such as a count of its calls. A container
that it also reads, passes on or sorts, and objects of other classes, subclasses of the containers
too, count as all else does.

What is not, and counts by name and version: the standard library, installed packages other than the
function's own, C functions. And what no code tells: methods of arguments, getattr(x, name), exec,
modules in containers and attributes, the attributes of functions, objects of installed packages
(their type counts; numpy's arrays, pandas' frames and argparse's namespaces count by value), files,
the environment. `depends=` adds such things.

Data counts as it is when identify() runs, so data that a program changes as it goes (a counter, a
dictionary that is a cache) makes results of other runs be computed again: `version=` stands in for
all of it. No more than so many functions, classes and objects are followed (NODES); `doubts` says
that there were more.

Within a process, a global that is bound anew is noticed at the next call, and so is a function
whose __code__ is replaced (`watched`, `codes`). is_current() also sees attributes and bases of
classes, defaults, captured variables and the files of depends=; not those variables and class data
that the code itself assigns. Lists, dictionaries and instances that are changed in place are not
noticed, nor is a name that is found in builtins and later becomes a global.

The interpreter's minor version is part of the digest, and -O may change it. Annotations of
functions and classes that are made within a function are its code, and a line that is broken anew
may be other bytecode on some Pythons: then results are computed again.
"""

import functools
import os
import re
import sys
from collections.abc import Iterable
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from fettle.caching.project import folder_of, name_of, readable_name, wrapped_by
from fettle.caching.shape import pack
from fettle.caching.walk import MISSING, NODES, NotPlainError, Walk, said_by

__all__ = ["MISSING", "Identity", "identify"]

FORMAT = 2  # of digests: whoever changes what goes in raises it
LAYERS = 100  # of partials, methods and decorators around a function


class Identity:
    """What identify() found.

    name: for people: "module.qualname", of a script "stem.qualname".
    digest: 32 bytes; nothing in it says where the project lies, nor, but for a version, its name.
    place: where a version stands in for the code, the folder that the function's package, module or
        script is in, or its notebook: so that two projects of one name are two. For keys of this
        machine; b"" without a version, and for what is typed at a prompt.
    watched: (namespace, name, object): all as they were, by identity, or the digest is out of date.
        MISSING: the name was not there.
    codes: (function, its __code__), likewise.
    files: (path, (mtime in ns, size, inode)) of those that depends= names; None: there is no such.
    doubts: sentences for people about what may not count as they think.
    """

    __slots__ = (
        "_classes",
        "_others",
        "_parts",
        "_stored",
        "codes",
        "digest",
        "doubts",
        "files",
        "name",
        "place",
        "watched",
    )

    def __init__(self, name: str, digest: bytes, place: str, walk: Walk) -> None:
        self.name = name
        self.digest = digest
        self.place = os.fsencode(place)
        self.watched: list[tuple[dict[str, Any], str, object]] = list(walk.watched.values())
        self.codes: list[tuple[FunctionType, CodeType]] = walk.codes
        self.files: list[tuple[str, tuple[int, int, int] | None]] = walk.files
        self.doubts: list[str] = walk.doubts
        self._stored = walk.stored
        self._others = [row for row in walk.others if not self._is_its_own(*row)]
        self._classes = walk.classes
        self._parts = walk.parts

    def _is_its_own(self, owner: Any, name: str, found: object) -> bool:
        """Data of a class under a name that the code itself sets: a count of instances, say."""
        return name in self._stored and isinstance(owner, type) and not hasattr(found, "__get__")

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
        """Whether nothing was bound anew, attributes and bases of classes, captured variables and
        defaults too, and the files are as they were. For where there is time: a miss."""
        return (
            all(space.get(name, MISSING) is found for space, name, found in self.watched)
            and all(function.__code__ is code for function, code in self.codes)
            and self.holds()
        )

    def holds(self) -> bool:
        """The same of what is neither in watched nor in codes. Each miss asks, so it is quick."""
        for owner, name, found in self._others:
            if _held(owner, name) is not found:
                return False
        for row in self._classes:
            if not self._has_same_names(*row):
                return False
        return not self.files or all(_mark(path) == mark for path, mark in self.files)

    def _has_same_names(self, kind: type, names: frozenset[str], count: int, bases: object) -> bool:
        space = vars(kind)
        return kind.__bases__ is bases and (
            len(space) == count or said_by(kind) - self._stored == names - self._stored
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
    heads = [b"fettle", bytes([FORMAT])]
    try:
        place = ""
        if version is None:
            heads += ("{}.{}".format(*sys.version_info).encode(), _root(walk, function))
        else:
            place = folder_of(module, inner)
            heads += (b"version", walk.value(version), name.encode(errors="surrogatepass"))
        heads += [_dependency(walk, each) for each in depends]
        digest = walk.digest(*heads)
        if walk.was_cut:
            walk.doubts.append(_CUT.format(name=name, most=NODES))
        return Identity(name, digest, place, walk)
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
        return _file(walk, os.fspath(thing))
    if type(thing) is str and _seems_path(thing):
        is_folder = os.path.isdir(thing)
        walk.files.append((os.path.abspath(thing), _mark(thing)))
        walk.doubts.append((_FOLDER if is_folder else _NO_FILE).format(path=thing))
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


def _file(walk: Walk, path: Any) -> bytes:
    with open(path, "rb") as file:
        known = os.fstat(file.fileno())
        content = blake2b(file.read(), digest_size=32).digest()
    mark = (known.st_mtime_ns, known.st_size, known.st_ino)
    walk.files.append((os.path.abspath(os.fsdecode(path)), mark))
    walk.parts.append(("file", str(path), content))
    return pack(b"file", os.fsencode(os.path.basename(path)), content)


def _mark(path: str) -> tuple[int, int, int] | None:
    """What shows that a file was changed; None: there is no such file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _seems_path(text: str) -> bool:
    if "\n" in text or "://" in text:
        return False
    return bool(_SUFFIX.search(text)) or (os.sep in text and not any(map(str.isspace, text)))


_SUFFIX = re.compile(r"\w\.[A-Za-z]\w{0,7}$")
_NO_FILE = "depends names {path!r}, and there is no such file: it counts as a text."
_FOLDER = (
    "depends names {path!r}, which is a folder: it counts as a text; name the files that matter."
)
_CUT = (
    "the code of {name} leads to more than {most} functions, classes and objects, and those beyond "
    "count by name only: give version=, or name what matters in depends=."
)


def _held(owner: Any, name: str) -> object:
    """An attribute as it is, not as it is looked up; an item of a dictionary."""
    if isinstance(owner, type):
        return vars(owner).get(name, MISSING)
    if type(owner) is dict:
        return owner.get(name, MISSING)
    try:
        return getattr(owner, name, MISSING)
    except ValueError:  # an empty cell
        return MISSING
