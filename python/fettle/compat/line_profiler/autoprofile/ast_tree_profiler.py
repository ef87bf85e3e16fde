# SPDX-License-Identifier: Apache-2.0
"""A script as a syntax tree in which what is to be profiled is marked."""

from __future__ import annotations

import ast
import os

from .ast_profile_transformer import AstProfileTransformer, ast_create_profile_node
from .profmod_extractor import ProfmodExtractor

__all__ = ["AstTreeProfiler"]


class AstTreeProfiler:
    """prof_mod: dotted names and files; the script's own file means all its functions, and with
    profile_imports all that it imports."""

    def __init__(self, script_file: str, prof_mod: list[str], profile_imports: bool) -> None:
        self._script_file = script_file
        self._prof_mod = prof_mod
        self._profile_imports = profile_imports

    def profile(self) -> ast.Module:
        """The tree, ready to be compiled."""
        with open(self._script_file, "rb") as stream:
            tree = ast.parse(stream.read(), self._script_file)
        found = ProfmodExtractor(tree, self._script_file, self._prof_mod, self._package()).run()
        for index in sorted(found, reverse=True):
            tree.body[index + 1 : index + 1] = map(ast_create_profile_node, found[index])
        if self._whole_script():
            marked = [name for names in found.values() for name in names]
            tree = AstProfileTransformer(self._profile_imports, marked).visit(tree)
        return ast.fix_missing_locations(tree)

    def _package(self) -> str | None:
        return None

    def _whole_script(self) -> bool:
        return os.path.realpath(self._script_file) in map(os.path.realpath, self._prof_mod)
