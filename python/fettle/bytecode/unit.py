# SPDX-License-Identifier: Apache-2.0
"""One module or file, compiled and not run. Modules are found as an import finds them, without
importing anything: packages above them are walked through, not executed.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from importlib.machinery import (
    BuiltinImporter,
    ExtensionFileLoader,
    PathFinder,
    SourcelessFileLoader,
)
from types import CodeType

from fettle.bytecode import pyc
from fettle.problem import UNREADABLE, USAGE, Problem, reason
from fettle.report.names import visible
from fettle.sourcetext import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Unit:
    """The code of a whole file or module."""

    name: str  # as the user called it
    file: str  # as its code objects call it
    code: CodeType
    source: str  # "" where it is not known
    module: str = ""  # its full name, if it was found as one


def compiled(source: bytes | str, file: str, shown: str = "") -> CodeType:
    """The code of a module's text. Problem, which points at the place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(source, file, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise Problem(USAGE, wrong(error, shown or file)) from None
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise Problem(
                USAGE, f"{visible(shown or file)} does not compile: {reason(error)}."
            ) from None


def wrong(error: SyntaxError, shown: str) -> str:
    """The sentence, and below it the line with a mark at the place."""
    place = f", line {error.lineno}" if error.lineno else ""
    if error.lineno and error.offset and error.offset > 0:
        place += f", column {error.offset}"
    said = f"{visible(shown)} does not compile{place}: {visible(error.msg)}."
    line = visible((error.text or "").split("\n")[0].expandtabs(1).rstrip())
    if not line.strip() or not error.offset or error.offset < 1:
        return said
    left = len(line) - len(line.lstrip())
    at = max(min(error.offset - 1, len(line)) - left, 0)
    return f"{said}\n    {line.lstrip()}\n    {' ' * at}^"


def of_text(text: str) -> Unit:
    """The text after -c: an expression if it is one, as dis takes it."""
    file = "<dis>"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, file, "eval", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        code = compiled(text, file, "the text after -c")
    return Unit("-c", file, code, text)


def of_file(path: str) -> Unit:
    """A source or compiled file. Problem."""
    if path.endswith(".pyc"):
        code = pyc.read(path)
        return Unit(path, code.co_filename, code, _text(code.co_filename))
    data = _read(path)
    return Unit(path, path, compiled(data, path), decoded(data))


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(fd, "rb") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise Problem(
            UNREADABLE,
            f"cannot read {visible(path)}: {reason(error)}; check the name and the folder.",
        ) from None


def _text(path: str) -> str:
    """A source that need not be there."""
    try:
        return decoded(_read(path))
    except Problem:
        return ""


# ---- modules ----


def find(name: str) -> "ModuleSpec | None":
    """Where a module is; None where there is none.

    >>> find("json.decoder").origin.endswith("decoder.py"), find("json.no_such") is None
    (True, True)
    """
    known = getattr(sys.modules.get(name), "__spec__", None)
    if known is not None and known.name != name:  # os.path is called posixpath where it lies
        return find(known.name)
    path: list[str] | None = search_path()
    spec = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        if path is None:
            return None
        full = ".".join(parts[:end])
        spec = _find_in(full, path)
        if spec is None:
            return None
        path = folders(spec)
    return spec


def folders(spec: "ModuleSpec") -> list[str] | None:
    """Where the modules of a package lie; None of what is none."""
    places = spec.submodule_search_locations
    return None if places is None else list(places)


def search_path() -> list[str]:
    """sys.path of a program that is started here."""
    here = os.getcwd()
    return [here, *(each for each in sys.path if each not in {"", here})]


def _find_in(full: str, path: list[str]) -> "ModuleSpec | None":
    if "." not in full and full in sys.builtin_module_names:
        return BuiltinImporter.find_spec(full)
    try:
        spec = PathFinder.find_spec(full, path)
    except (KeyError, AttributeError, ImportError):
        spec = _bare(full, path)  # it asked for the package above, which was not imported
    except (ValueError, OSError):
        spec = None
    if spec is not None and spec.origin is not None:
        return spec
    for finder in sys.meta_path:  # those of editable installations
        if isinstance(finder, type) and finder.__module__.startswith("_frozen_importlib"):
            continue
        found: Any = None
        try:
            found = finder.find_spec(full, None if "." not in full else path)
        except Exception:  # whatever somebody's finder raises
            continue
        if found is not None:
            return found  # type: ignore[no-any-return]
    return spec


def _bare(full: str, path: list[str]) -> "ModuleSpec | None":
    """A package without __init__ in another."""
    from importlib.machinery import ModuleSpec

    places = (os.path.join(each, full.rpartition(".")[2]) for each in path)
    found = [each for each in places if os.path.isdir(each)]
    if not found:
        return None
    spec = ModuleSpec(full, None, is_package=True)
    spec.submodule_search_locations = found
    return spec


def of_module(name: str) -> Unit:
    """A module that find() finds. Problem where it has no bytecode."""
    spec = find(name)
    if spec is None:
        raise Problem(USAGE, f"there is no module {visible(name)}; check the name and the folder.")
    origin = spec.origin or ""
    loader: Any = spec.loader
    if loader is BuiltinImporter or isinstance(loader, ExtensionFileLoader):
        raise Problem(
            USAGE, f"{name} is written in C and has no bytecode; name a module written in Python."
        )
    if not origin or loader is None:
        raise Problem(
            USAGE, f"{name} is a package without __init__.py; name a module in it: {name}.MODULE."
        )
    if isinstance(loader, SourcelessFileLoader):
        return Unit(name, origin, pyc.read(origin), "", name)
    if os.path.isfile(origin):
        data = _read(origin)
        return Unit(name, origin, compiled(data, origin), decoded(data), name)
    return _of_loader(name, origin, loader)


def _of_loader(name: str, origin: str, loader: "Any") -> Unit:
    """Of a zip file, or of what somebody's own loader has."""
    try:
        source = loader.get_source(name)
        if source is not None:
            return Unit(name, origin, compiled(source, origin), source, name)
        code = loader.get_code(name)
    except Problem:
        raise
    except Exception as error:  # whatever somebody's loader raises
        raise Problem(UNREADABLE, f"cannot read the module {name}: {reason(error)}.") from None
    if not isinstance(code, CodeType):
        raise Problem(USAGE, f"{name} has no bytecode; name a module written in Python.")
    return Unit(name, origin, code, "", name)
