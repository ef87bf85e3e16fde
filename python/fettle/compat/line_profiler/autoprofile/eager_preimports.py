# SPDX-License-Identifier: Apache-2.0
"""Writes a module that imports what is to be profiled, and marks it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from keyword import iskeyword
from pkgutil import walk_packages
from typing import NamedTuple, TextIO
from warnings import warn

from .util_static import modname_to_modpath, modpath_to_modname, package_modpaths

__all__ = (
    "is_dotted_path",
    "resolve_profiling_targets",
    "split_dotted_path",
    "write_eager_import_module",
)


class ResolvedResult(NamedTuple):
    """targets: for each module, what in it is meant, None for the module itself; indirect: those
    that were only found inside a package; unresolved: what is no module and in no module."""

    targets: dict[str, set[str | None]]
    indirect: set[str]
    unresolved: list[str]


def is_dotted_path(obj: object) -> bool:
    """Could it be the name of a module, or of something in one?

    >>> is_dotted_path("os.path.join"), is_dotted_path("a.class"), is_dotted_path("./a.py")
    (True, False, False)
    """
    if not isinstance(obj, str):
        return False
    return all(part.isidentifier() and not iskeyword(part) for part in obj.split("."))


def split_dotted_path(dotted_path: str, static: bool = True) -> tuple[str, str | None]:
    """The longest module in dotted_path, and what is left of it, which is an attribute's name.

    static: look at folders only; else the packages on the way are imported.
    TypeError if it is no dotted path, ModuleNotFoundError if it begins with no module.

    >>> split_dotted_path("json.decoder.JSONDecoder.decode"), split_dotted_path("json.decoder")
    (('json.decoder', 'JSONDecoder.decode'), ('json.decoder', None))
    """
    if not is_dotted_path(dotted_path):
        raise TypeError(f"dotted_path = {dotted_path!r}: expected names with dots between")
    parts = dotted_path.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        if _exists(module, static):
            return module, ".".join(parts[count:]) or None
    raise ModuleNotFoundError(f"dotted_path = {dotted_path!r}: it does not begin with a module")


def _exists(module: str, static: bool) -> bool:
    try:
        return bool(modname_to_modpath(module) if static else find_spec(module))
    except (ImportError, ValueError):
        return False


def resolve_profiling_targets(
    dotted_paths: Collection[str], static: bool = True, recurse: Collection[str] | bool = False
) -> ResolvedResult:
    """Which modules to import for dotted_paths and recurse, and what in them is meant.

    recurse: those whose packages are meant with all modules in them; True: all dotted_paths.
    static: as in split_dotted_path.
    """
    deep = set(dotted_paths if recurse else ()) if isinstance(recurse, bool) else set(recurse)
    named = deep.union(dotted_paths)
    targets: dict[str, set[str | None]] = {}
    indirect: set[str] = set()
    unresolved = []
    for path in sorted(named):
        try:
            module, target = split_dotted_path(path, static)
        except ModuleNotFoundError:
            unresolved.append(path)
            continue
        targets.setdefault(module, set()).add(target)
        if path in deep and target is None:
            indirect.update(filter(is_dotted_path, _modules_in(path, static)))
    for module in sorted(indirect):
        targets.setdefault(module, set()).add(None)
    return ResolvedResult(targets, indirect - named, unresolved)


def _modules_in(package: str, static: bool) -> Iterator[str]:
    if static:
        folder = modname_to_modpath(package)
        if folder is not None:
            yield from map(modpath_to_modname, package_modpaths(folder, with_pkg=True))
        return
    spec = find_spec(package)
    folders = spec and spec.submodule_search_locations
    if folders:
        # A package that cannot be imported is named by the module that is written.
        for found in walk_packages(folders, package + ".", onerror=lambda name: None):
            yield found.name


def write_eager_import_module(
    dotted_paths: Collection[str],
    stream: TextIO | None = None,
    *,
    static: bool = True,
    recurse: Collection[str] | bool = False,
    adder: str = "profile.add_imported_function_or_module",
    indent: str = "    ",
) -> None:
    """Writes a module that imports all targets and calls adder with each.

    stream: where to, else to stdout.
    adder: an expression on one line. See resolve_profiling_targets for the others. What is in no
    module is warned of here, what cannot be imported by the module that is written.
    TypeError and ValueError if adder, indent or a path cannot be what they should be.

    >>> write_eager_import_module(["json.dumps"])  # doctest: +ELLIPSIS
    add = profile.add_imported_function_or_module  # noqa: F821
    failures = []
    <BLANKLINE>
    try:
        import json as module
    except ImportError:
        failures.append('json.dumps')
    else:
        try:
            add(module.dumps)
        except AttributeError:
            failures.append('json.dumps')
    ...
    """
    _check_words(adder, indent)
    resolved = resolve_profiling_targets(dotted_paths, static, recurse)
    if resolved.unresolved:
        count = len(resolved.unresolved)
        plural = "" if count == 1 else "s"
        warn(
            f"{count} import target{plural} cannot be resolved: {resolved.unresolved!r}",
            stacklevel=2,
        )
    lines = _module_lines(resolved, adder, indent)
    print(*lines, sep="\n", file=sys.stdout if stream is None else stream)


def _check_words(adder: str, indent: str) -> None:
    for name, word in {"adder": adder, "indent": indent}.items():
        if not isinstance(word, str):
            raise TypeError(f"{name} = {word!r}: expected a string")
        if len(word.splitlines()) != 1:
            raise ValueError(f"{name} = {word!r}: expected one line")
    if not indent or indent.strip(" \t"):
        raise ValueError(f"indent = {indent!r}: expected blanks or tabs")
    try:
        ast.parse(adder, mode="eval")
    except SyntaxError:
        raise ValueError(f"adder = {adder!r}: expected an expression") from None


def _module_lines(resolved: ResolvedResult, adder: str, indent: str) -> Iterator[str]:
    add, failures, module = (_free(name, adder) for name in ("add", "failures", "module"))
    yield f"{add} = {adder}  # noqa: F821"
    yield f"{failures} = []"
    for name, targets in resolved.targets.items():
        paths = {f".{target}" if target else "" for target in targets}
        yield ""
        yield "try:"
        yield f"{indent}import {name} as {module}"
        yield f"except {'Exception' if name in resolved.indirect else 'ImportError'}:"
        for path in sorted(paths):
            yield f"{indent}{failures}.append({name + path!r})"
        yield "else:"
        if "" in paths:
            yield f"{indent}{add}({module})"
        for path in sorted(paths - {""}):
            yield f"{indent}try:"
            yield f"{indent * 2}{add}({module}{path})"
            yield f"{indent}except AttributeError:"
            yield f"{indent * 2}{failures}.append({name + path!r})"
    yield ""
    yield f"if {failures}:"
    yield f"{indent}import warnings"
    yield ""
    yield f"{indent}msg = '{{}} target{{}} cannot be imported: {{!r}}'.format("
    yield f"{indent * 2}len({failures}), '' if len({failures}) == 1 else 's', {failures}"
    yield f"{indent})"
    yield f"{indent}warnings.warn(msg, stacklevel=2)"


def _free(name: str, adder: str) -> str:
    """A name that adder does not use."""
    used = {node.id for node in ast.walk(ast.parse(adder)) if isinstance(node, ast.Name)}
    while name in used:
        name += "_"
    return name
