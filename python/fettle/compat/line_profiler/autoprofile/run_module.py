# SPDX-License-Identifier: Apache-2.0
"""A script that runs as a module: it has a package, and names by which it may be meant."""

from __future__ import annotations

import os

from .ast_tree_profiler import AstTreeProfiler
from .util_static import modname_to_modpath, modpath_to_modname

__all__ = ["AstTreeModuleProfiler"]


class AstTreeModuleProfiler(AstTreeProfiler):
    """As AstTreeProfiler; a package means its `__main__`, too."""

    def _package(self) -> str:
        return modpath_to_modname(self._script_file, hide_init=False).rpartition(".")[0]

    def _whole_script(self) -> bool:
        ours = {os.path.realpath(self._script_file)}
        folder, name = os.path.split(self._script_file)
        if name == "__main__.py":
            ours.add(os.path.realpath(folder))
        paths = [*self._prof_mod, *filter(None, map(modname_to_modpath, self._prof_mod))]
        return not ours.isdisjoint(map(os.path.realpath, paths))
