# SPDX-License-Identifier: Apache-2.0
"""A cell, or the statement of a line magic, as code that runs in the user's names.

It is compiled as the shell compiles its own cells: IPython's syntax, its transformations, a file
name under which linecache has the source. It is one code object that is called as a function, so
that nothing between the magic and the user's code is recorded. The value of the last expression is
what it gives.
"""

import ast
from types import CodeType, FunctionType
from typing import Any

from fettle import _core
from fettle.notebook import arguments
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_COROUTINE = 0x80  # CO_COROUTINE
_VALUE = "_fettle_value"  # the name that has the value of the last expression for a moment
_MARK = "_fettle_mark"  # and the one that has a decorator

_core.leave_out(__file__, True)


class Cell:
    """Code of the shell's user. What does not compile is refused, with the place."""

    def __init__(
        self,
        shell: Any,
        text: str,
        local: "Mapping[str, Any] | None" = None,
        keeps: bool = True,  # the value of the last expression
    ) -> None:
        self._names: dict[str, Any] = shell.user_ns
        # From 3.13 on the variables of a function are no dictionary, and can not be removed.
        self._local = self._names if local is None else _dictionary(local)
        transformed = shell.transform_cell(text)
        self.file: str = shell.compile.cache(transformed, number_of(shell), raw_code=text)
        self._shows = not _is_silenced(transformed)
        self._shell = shell
        self._mark: Callable[[Any], Any] | None = None
        try:
            tree = shell.transform_ast(shell.compile.ast_parse(transformed, filename=self.file))
            self._tree = _with_value(tree) if keeps else tree
            self.function = self._compiled()
        except SyntaxError as error:
            from fettle.timing.statements import pointed

            what = "the cell" if "\n" in text else "the statement"
            arguments.refuse(Problem(USAGE, pointed(transformed, error, what)))

    def _compiled(self) -> FunctionType:
        with self._shell.compile.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
            code: CodeType = self._shell.compile(self._tree, self.file, "exec")
        return FunctionType(code, self._names)

    @property
    def is_async(self) -> bool:
        """Does it await something itself?"""
        return bool(self.function.__code__.co_flags & _COROUTINE)

    def defines(self, name: str) -> bool:
        """Has it a function or class of this name? Of no name: yes."""
        return not name or _Marking(name, only_looks=True).looked(self._tree)

    def mark_with(self, mark: "Callable[[Any], Any]", name: str = "") -> None:
        """Has its functions marked as they are defined, those of this name or in this class; the
        code itself too, without a name. What is defined within a function may be so after the cell,
        and is left as it is."""
        self._mark = mark
        _Marking(name).visit(self._tree)
        ast.fix_missing_locations(self._tree)
        self.function = self._compiled()
        if not name:
            mark(self.function)

    def run(self, start: "Callable[[], object]", stop: "Callable[[], object]") -> object:
        """What the last expression gives; start and stop are called right before and after."""
        __tracebackhide__ = True
        self._begin()
        start()
        try:
            if self._local is self._names:
                self.function()
            else:
                exec(self.function.__code__, self._names, self._local)
        finally:
            stop()
            self._names.pop(_MARK, None)
        return self.value()

    async def wait(self, start: "Callable[[], object]", stop: "Callable[[], object]") -> object:
        """The same of a cell that awaits."""
        __tracebackhide__ = True
        self._begin()
        start()
        try:
            steps: Awaitable[object] = self.function()
            await steps
        finally:
            stop()
            self._names.pop(_MARK, None)
        return self.value()

    def _begin(self) -> None:
        if self._mark is not None:
            self._names[_MARK] = self._mark

    def value(self) -> object:
        """Once; None if the cell ends in a semicolon, as anywhere in IPython."""
        local: Any = self._local
        value: object = local.pop(_VALUE, None)
        return value if self._shows else None


def _dictionary(local: Any) -> Any:
    return local if isinstance(local, dict) else dict(local)


class _Marking(ast.NodeTransformer):
    """Decorates functions, those of classes too: next to the function itself, on its own line."""

    def __init__(self, name: str, only_looks: bool = False) -> None:
        self._name = name
        self._only_looks = only_looks
        self._path: list[str] = []
        self._found = False

    def looked(self, tree: ast.Module) -> bool:
        """Is there anything to decorate?"""
        self.visit(tree)
        return self._found

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._path.append(node.name)
        self.generic_visit(node)
        self._path.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._decorated(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._decorated(node)

    def _decorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        qualname = ".".join([*self._path, node.name])
        if f"{qualname}.".startswith(f"{self._name}.") or not self._name:
            self._found = True
            if not self._only_looks:
                node.decorator_list.append(ast.copy_location(ast.Name(_MARK, ast.Load()), node))
        return node


def number_of(shell: Any) -> int:
    """Of the cell that runs: IPython 9 has counted on already."""
    result = getattr(shell.displayhook, "exec_result", None)
    number: int = getattr(result, "execution_count", None) or shell.execution_count
    return number


def _with_value(tree: ast.Module) -> ast.Module:
    """The last expression is assigned to a name."""
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        name = ast.Name(_VALUE, ast.Store())
        tree.body[-1] = ast.copy_location(ast.Assign([name], last.value), last)
        ast.fix_missing_locations(tree)
    return tree


def _is_silenced(text: str) -> bool:
    """Does it end in a semicolon, but for comments?

    >>> _is_silenced("f();  # quiet"), _is_silenced("f(';')"), _is_silenced("f()")
    (True, False, False)
    """
    import io
    import tokenize

    last = ""
    blank = {tokenize.COMMENT, tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.DEDENT}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in blank:
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        return False
    return last == ";"
