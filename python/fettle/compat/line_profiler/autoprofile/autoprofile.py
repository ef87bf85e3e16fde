# SPDX-License-Identifier: Apache-2.0
"""Runs a script in which what is to be profiled was marked."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import CodeType, MethodType, ModuleType
from typing import Any

from .ast_tree_profiler import AstTreeProfiler
from .line_profiler_utils import add_imported_function_or_module
from .run_module import AstTreeModuleProfiler
from .util_static import modpath_to_modname

__all__ = ["run"]

PROFILER_LOCALS_NAME = "prof"


def _extend_line_profiler_for_profiling_imports(prof: Any) -> None:
    """Gives a profiler the method that a marked source calls after an import."""
    prof.add_imported_function_or_module = MethodType(add_imported_function_or_module, prof)


def run(
    script_file: str,
    ns: dict[str, Any],
    prof_mod: list[str],
    profile_imports: bool = False,
    as_module: bool = False,
) -> None:
    """Marks what prof_mod names in a script, and runs it in ns, which has the profiler as `prof`.

    as_module: as `python -m` would, in a module of its own, with what ns has.
    """
    kind = AstTreeModuleProfiler if as_module else AstTreeProfiler
    code = compile(kind(script_file, prof_mod, profile_imports).profile(), script_file, "exec")
    _extend_line_profiler_for_profiling_imports(ns[PROFILER_LOCALS_NAME])
    if as_module:
        _run_as_module(code, script_file, ns)
    else:
        exec(code, ns)


def _run_as_module(code: CodeType, script_file: str, ns: dict[str, Any]) -> None:
    """All modules that it leaves behind are forgotten, as it is."""
    name = modpath_to_modname(script_file)
    module = ModuleType(name)
    vars(module).update(ns)
    module.__spec__ = find_spec(name)
    module.__package__ = name.rpartition(".")[0] if module.__spec__ is None else None
    before = dict(sys.modules)
    sys.modules["__main__"] = module
    try:
        exec(code, vars(module))
    finally:
        sys.modules.clear()
        sys.modules.update(before)
