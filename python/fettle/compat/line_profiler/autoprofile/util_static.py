# SPDX-License-Identifier: Apache-2.0
"""Between a module's name and its file, by looking at folders: nothing is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec

__all__ = ["modname_to_modpath", "modpath_to_modname", "package_modpaths"]


def modname_to_modpath(
    modname: str,
    hide_init: bool = True,
    hide_main: bool = False,
    sys_path: Sequence[str] | None = None,
) -> str | None:
    """The file of a module, or None: a package without `__init__.py` counts for nothing.

    hide_init: a package's folder instead of its `__init__.py`. hide_main: the same for its
    `__main__.py`.

    >>> os.path.basename(modname_to_modpath("json.decoder")), modname_to_modpath("json.nothing")
    ('decoder.py', None)
    >>> os.path.basename(modname_to_modpath("json"))
    'json'
    """
    folders = sys_path
    spec = None
    parts = modname.split(".")
    for depth in range(1, len(parts) + 1):
        spec = _spec(".".join(parts[:depth]), folders, top=depth == 1)
        if spec is None or not spec.has_location or spec.origin is None:
            return None
        folders = spec.submodule_search_locations or []
    if spec is None or spec.origin is None or not os.path.isfile(spec.origin):
        return None
    return _without_ends(spec.origin, hide_init, hide_main)


def _spec(name: str, folders: Sequence[str] | None, top: bool) -> ModuleSpec | None:
    try:
        spec = PathFinder.find_spec(name, folders)
        if spec is None and top:  # an editable install has a finder of its own
            spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec


def modpath_to_modname(
    modpath: str, hide_init: bool = True, hide_main: bool = False, check: bool = True
) -> str:
    """The name to import a file or a package's folder by, from the folder above its packages.

    ValueError if check, and it is missing or a folder that is no package.

    >>> modpath_to_modname(modname_to_modpath("json.decoder"))
    'json.decoder'
    >>> modpath_to_modname("/lib/fast.cpython-312.so", check=False)
    'fast'
    """
    path = os.path.abspath(os.path.expanduser(modpath))
    if check and not (os.path.isfile(path) or _is_package(path)):
        raise ValueError(f"{modpath} is neither a module nor a package")
    if not hide_init and _is_package(path):
        path = os.path.join(path, "__init__.py")
    folder, name = os.path.split(_without_ends(path, hide_init, hide_main))
    parts = [name.split(".")[0]]
    while _is_package(folder):
        folder, name = os.path.split(folder)
        parts.append(name)
    return ".".join(reversed(parts))


def package_modpaths(pkgpath: str, with_pkg: bool = False) -> Iterator[str]:
    """The modules in a package's folder and in the packages within; with_pkg: the `__init__.py`s
    too. A file is its own only module."""
    if os.path.isfile(pkgpath):
        yield pkgpath
        return
    for folder, folders, names in os.walk(pkgpath, followlinks=True):
        if not _is_package(folder):
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py") and (with_pkg or name != "__init__.py"):
                yield os.path.join(folder, name)


def _is_package(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "__init__.py"))


def _without_ends(path: str, hide_init: bool, hide_main: bool) -> str:
    folder, name = os.path.split(path)
    hidden = (hide_init and name == "__init__.py") or (
        hide_main and name == "__main__.py" and _is_package(folder)
    )
    return folder if hidden else path
