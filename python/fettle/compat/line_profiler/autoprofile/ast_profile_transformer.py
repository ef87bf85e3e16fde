# SPDX-License-Identifier: Apache-2.0
"""Marks everything in a parsed source: a decorator for each function, a call after each import."""

from __future__ import annotations

import ast

__all__ = ["AstProfileTransformer", "ast_create_profile_node"]


def ast_create_profile_node(
    modname: str,
    profiler_name: str = "profile",
    attr: str = "add_imported_function_or_module",
) -> ast.Expr:
    """The statement that marks what a dotted name names.

    >>> ast.unparse(ast_create_profile_node("package.module"))
    'profile.add_imported_function_or_module(package.module)'
    """
    statement = ast.parse(f"{profiler_name}.{attr}({modname})").body[0]
    assert isinstance(statement, ast.Expr)
    for node in ast.walk(statement):  # it belongs to no line of its own
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, place):
                delattr(node, place)
    return statement


class AstProfileTransformer(ast.NodeTransformer):
    """profiled_imports: what is marked already.

    >>> tree = AstProfileTransformer(profile_imports=True).visit(ast.parse("import a\\ndef f(): 0"))
    >>> print(ast.unparse(tree))
    import a
    profile.add_imported_function_or_module(a)
    <BLANKLINE>
    @profile
    def f():
        0
    """

    def __init__(
        self,
        profile_imports: bool = False,
        profiled_imports: list[str] | None = None,
        profiler_name: str = "profile",
    ) -> None:
        self._profile_imports = profile_imports
        self._profiled_imports = set(profiled_imports or ())
        self._profiler_name = profiler_name

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        """The decorator comes last: what others make of the function may be no function."""
        decorators = node.decorator_list
        if not any(isinstance(d, ast.Name) and d.id == self._profiler_name for d in decorators):
            decorators.append(ast.Name(self._profiler_name, ast.Load()))
        return self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _visit_function

    def _visit_import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        if not self._profile_imports or getattr(node, "module", None) == "__future__":
            return node
        statements: list[ast.stmt] = [node]
        for alias in node.names:
            name = alias.asname or alias.name
            if name == "*" or name in self._profiled_imports:
                continue
            self._profiled_imports.add(name)
            statements.append(ast_create_profile_node(name, self._profiler_name))
        return statements

    visit_Import = visit_ImportFrom = _visit_import
