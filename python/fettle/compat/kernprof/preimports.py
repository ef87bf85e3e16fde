# SPDX-License-Identifier: Apache-2.0
"""Imports what -p names before the program starts, and marks it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

from fettle.compat.line_profiler import _diagnostics as switches
from fettle.compat.line_profiler.autoprofile.autoprofile import (
    _extend_line_profiler_for_profiling_imports as extend,
)
from fettle.compat.line_profiler.autoprofile.eager_preimports import (
    is_dotted_path,
    write_eager_import_module,
)
from fettle.compat.line_profiler.autoprofile.util_static import modpath_to_modname

from .scratch import Scratch

__all__ = ["preimport"]


def preimport(
    prof: Any, targets: list[str], kept: set[str], scratch: Scratch, say: Callable[[str], None]
) -> None:
    """kept: files that are not to be imported, since they are to be run."""
    alone, deep = _modules(targets, kept)
    if not alone and not deep:
        return
    extend(prof)
    text = StringIO()
    write_eager_import_module(alone, text, static=switches.STATIC_ANALYSIS, recurse=deep)
    # A file, so that a traceback through it has lines.
    path = scratch.write("kernprof-eager-preimports.py", text.getvalue())
    say(f"Importing the targets by {path!r}:\n{text.getvalue()}")
    exec(compile(text.getvalue(), path, "exec", dont_inherit=True), {"__name__": "__main__"})


def _modules(targets: list[str], kept: set[str]) -> tuple[list[str], list[str]]:
    """The dotted names of what is meant alone, and of what is meant with all that is in it."""
    alone, deep, wrong = [], [], set()
    for target in targets:
        name = target if is_dotted_path(target) else _module(target)
        if os.path.exists(target) and any(os.path.samefile(target, path) for path in kept):
            continue
        if name is None:
            wrong.add(target)
        elif name.endswith(".__init__"):
            alone.append(name.removesuffix(".__init__"))
        else:
            deep.append(name)
    if wrong:
        warnings.warn(
            f"{len(wrong)} profile-on-import target{'s'[: len(wrong) > 1]} cannot be converted to "
            f"dotted-path form: {sorted(wrong)!r}",
            stacklevel=2,
        )
    return alone, deep


def _module(path: str) -> str | None:
    try:
        name = modpath_to_modname(path, hide_init=False)
    except ValueError:
        return None
    return name if is_dotted_path(name) else None
