# SPDX-License-Identifier: Apache-2.0
"""Finds the imports of a source that bring what is to be profiled."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from importlib.util import resolve_name

from .util_static import modname_to_modpath, modpath_to_modname, package_modpaths

__all__ = ["ProfmodExtractor"]


class ProfmodExtractor:
    """tree: the script's; prof_mod: dotted names and files; package: where the script's relative
    imports start."""

    def __init__(
        self, tree: ast.Module, script_file: str, prof_mod: list[str], package: str | None = None
    ) -> None:
        self._tree = tree
        self._script_file = os.path.realpath(script_file)
        self._prof_mod = prof_mod
        self._package = package

    def run(self) -> dict[int, list[str]]:
        """For each statement of the script, by its index, the names by which it brings them.

        >>> tree = ast.parse("import json.decoder as d, sys\\nfrom json import dumps, loads")
        >>> ProfmodExtractor(tree, "script.py", ["json"]).run()
        {0: ['d'], 1: ['dumps', 'loads']}
        """
        wanted = set(self._wanted())
        found: dict[int, list[str]] = {}
        seen = set()
        for index, node in enumerate(self._tree.body):
            for name, alias in self._imports(node):
                if name not in seen and not wanted.isdisjoint((name, name.rpartition(".")[0])):
                    found.setdefault(index, []).append(alias)
                    seen.add(name)
        return found

    def _wanted(self) -> Iterator[str]:
        """The dotted names of what is to be profiled, and of the modules in it. The script's own
        would only be mistaken for others."""
        folders = [os.path.dirname(self._script_file), *sys.path]
        for target in self._prof_mod:
            if os.path.realpath(target) == self._script_file:
                continue
            path = modname_to_modpath(target, sys_path=folders)
            if path is None and os.path.exists(target):
                path = target
            if path is None:
                if not ("/" in target or target.endswith(".py")):
                    yield target  # a function, a class, or a module without a file
                continue
            try:
                yield modpath_to_modname(path)
            except ValueError:  # a folder that is no package
                continue
            yield from map(modpath_to_modname, package_modpaths(path))

    def _imports(self, node: ast.stmt) -> Iterator[tuple[str, str]]:
        """The full dotted name of each thing that node imports, and its name in the script."""
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.asname or alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            try:
                module = resolve_name("." * node.level + (node.module or ""), self._package)
            except ImportError:  # which the script will hear itself
                return
            for alias in node.names:
                if alias.name != "*":
                    yield f"{module}.{alias.name}", alias.asname or alias.name
