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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_COROUTINE = 0x80  # CO_COROUTINE
_VALUE = "_fettle_value"  # the name that has the value of the last expression for a moment

_core.leave_out(__file__)


class Cell:
    """Code of the shell's user. SyntaxError for what does not compile."""

    def __init__(
        self,
        shell: Any,
        text: str,
        local: "Mapping[str, Any] | None" = None,
        keeps: bool = True,  # the value of the last expression
    ) -> None:
        self._names: dict[str, Any] = shell.user_ns
        self._local = self._names if local is None else local
        transformed = shell.transform_cell(text)
        self.file: str = shell.compile.cache(transformed, number_of(shell), raw_code=text)
        tree = shell.transform_ast(shell.compile.ast_parse(transformed, filename=self.file))
        self._shows = not _is_silenced(transformed)
        with shell.compile.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
            code: CodeType = shell.compile(_with_value(tree) if keeps else tree, self.file, "exec")
        self.function = FunctionType(code, self._names)

    @property
    def is_async(self) -> bool:
        """Does it await something itself?"""
        return bool(self.function.__code__.co_flags & _COROUTINE)

    def marked(self) -> list[object]:
        """What is to be said to a recorder of lines for all of it."""
        inner = [code.co_name for code in self.function.__code__.co_consts if _is_named(code)]
        return [self.function, *(f"__main__:{name}" for name in dict.fromkeys(inner))]

    def run(self, start: "Callable[[], object]", stop: "Callable[[], object]") -> object:
        """What the last expression gives; start and stop are called right before and after."""
        __tracebackhide__ = True
        start()
        try:
            if self._local is self._names:
                self.function()
            else:
                exec(self.function.__code__, self._names, self._local)
        finally:
            stop()
        return self.value()

    async def wait(self, start: "Callable[[], object]", stop: "Callable[[], object]") -> object:
        """The same of a cell that awaits."""
        __tracebackhide__ = True
        start()
        try:
            steps: Awaitable[object] = self.function()
            await steps
        finally:
            stop()
        return self.value()

    def value(self) -> object:
        """Once; None if the cell ends in a semicolon, as anywhere in IPython."""
        local: Any = self._local
        value: object = local.pop(_VALUE, None)
        return value if self._shows else None


def _is_named(code: object) -> bool:
    """Is it the code of a function or class that has a name?"""
    return isinstance(code, CodeType) and not code.co_name.startswith("<")


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
