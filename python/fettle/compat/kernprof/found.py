# SPDX-License-Identifier: Apache-2.0
"""Finds what the command line names: scripts, modules, and what is to be profiled in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import NoReturn

from fettle.compat.line_profiler.autoprofile.util_static import modname_to_modpath

__all__ = ["find_module_script", "find_script", "targets"]


def find_script(script_name: str, *, exit_on_error: bool = True) -> str:
    """The path of a script: its name, else where PATH has it.

    FileNotFoundError if there is none; SystemExit and a sentence if exit_on_error.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for path in (script_name, *(os.path.join(f, script_name) for f in folders if f)):
        if os.path.isfile(path):
            return path
    _give_up(FileNotFoundError(f"Could not find script {script_name!r}"), exit_on_error)


def find_module_script(module_name: str, *, static: bool = True, exit_on_error: bool = True) -> str:
    """The file that `python -m module_name` would run. static: look at folders only; else the
    packages around it are imported.

    ModuleNotFoundError if there is none; SystemExit and a sentence if exit_on_error.
    """
    path = None if static else _imported_path(module_name)
    path = path or _static_path(module_name)  # of os and site, the interpreter knows no file
    if path is None:
        _give_up(ModuleNotFoundError(f"Could not find module `{module_name}`"), exit_on_error)
    return path


def _imported_path(name: str) -> str | None:
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{name}.__main__")
    except (ImportError, ValueError):
        return None
    return _existing(None if spec is None else spec.origin)


def _static_path(name: str) -> str | None:
    return modname_to_modpath(f"{name}.__main__") or _existing(modname_to_modpath(name))


def _existing(path: str | None) -> str | None:
    return path if path and os.path.isfile(path) else None


def _give_up(error: Exception, exit_on_error: bool) -> NoReturn:
    if not exit_on_error:
        raise error
    print(error, file=sys.stderr)
    raise SystemExit(1)


def targets(words: Iterable[str]) -> list[str]:
    """What the options -p name: files by their absolute paths, anything else as it is. A word may
    hold several with commas between; an empty one forgets those before it.

    >>> targets(["nothing.here", "", "json,json.decoder", "json"])
    ['json', 'json.decoder']
    """
    found: dict[str, None] = {}
    for word in words:
        if not word:
            found.clear()
            continue
        names = [word] if os.path.isfile(word) else word.split(",")
        found.update((os.path.abspath(n) if os.path.isfile(n) else n, None) for n in names)
    return list(found)
