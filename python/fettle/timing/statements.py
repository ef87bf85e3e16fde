# SPDX-License-Identifier: Apache-2.0
"""What is measured, as code: an inner function that runs a statement as often as it is told.

    def inner(_it, _start, _stop):
        SETUP
        _start()
        for _i in _it:
            STATEMENT
            pass
        return _stop()

It is timeit's template: names that the setup makes are local variables of the statement, and the
setup is run again for each sample. It is put together of syntax trees and not of text, so that
strings of several lines stay as they are and line numbers are the user's.
"""

import ast
import marshal
import os
from dataclasses import dataclass
from types import CodeType
from typing import Any

from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fettle.timing.runner import Inner

FILE = "<fettle {}>"  # of candidate 1, 2, ...
SETUP_LINES = 1_000_000  # the setup's lines begin there
OUR_LINES = 2_000_000  # and the loop's: each on its own, as the compiler drops what shares a line
_AWAITS = 0x80  # CO_COROUTINE

_SHAPE = """
{kind}def inner(_it, _start, _stop{parameters}):
    _start()
    for _i in _it:
        pass
    return _stop()
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Marshalled code that defines `inner` in the names it is run in, and what it needs there."""

    label: str
    number: int  # from 1
    code: bytes
    is_async: bool
    function: "Callable[..., object] | None" = None
    args: tuple[object, ...] = ()
    kwargs: "Mapping[str, object] | None" = None

    @property
    def file(self) -> str:
        """Of the code, in tracebacks."""
        return FILE.format(self.number)

    def names(self, function: object) -> dict[str, object]:
        """What the code needs to find, with `function` in the function's place."""
        if self.function is None:
            return {}
        found: dict[str, object] = {"_f": function}
        found |= {f"_{i}": value for i, value in enumerate(self.args)}
        return found | {f"_k{i}": value for i, value in enumerate((self.kwargs or {}).values())}


def of_statement(statement: str, setup: str, number: int, of: int) -> Candidate:
    """Problem, with the place, for what does not compile."""
    filename = FILE.format(number)
    prepared = _parsed(setup, filename, "the setup")
    body = _parsed(statement, filename, called(number, of))
    code = _assembled(prepared, body, "", filename, called(number, of))
    return Candidate(statement.strip(), number, marshal.dumps(code), _is_async(code))


def of_function(
    function: "Callable[..., object]",
    args: "Sequence[object]",
    kwargs: "Mapping[str, object]",
    setup: str,
    number: int,
) -> Candidate:
    """Its calls with these arguments, which are local variables; a coroutine function's awaited."""
    filename = FILE.format(number)
    named = all(name.isidentifier() for name in kwargs)
    words = [f"_{i}" for i in range(len(args))]
    if named:
        words += [f"{name}=_k{i}" for i, name in enumerate(kwargs)]
    else:
        given = ", ".join(f"{name!r}: _k{i}" for i, name in enumerate(kwargs))
        words.append(f"**{{{given}}}")
    call = f"{'await ' * awaits(function)}_f({', '.join(words)})"
    inward = ["_f", *(f"_{i}" for i in range(len(args))), *(f"_k{i}" for i in range(len(kwargs)))]
    parameters = "".join(f", {name}={name}" for name in inward)
    prepared = _parsed(setup, filename, "the setup")
    body = ast.parse(call, filename, type_comments=False).body
    code = _assembled(prepared, body, parameters, filename, "the function")
    return Candidate(
        name_of(function),
        number,
        marshal.dumps(code),
        _is_async(code),
        function,
        tuple(args),
        dict(kwargs),
    )


def of_trees(setup: list[ast.stmt], body: list[ast.stmt], filename: str) -> CodeType:
    """Code that defines `inner`, of statements that somebody else has parsed."""
    return _assembled(setup, body, "", filename, "the statement")


def empty() -> Candidate:
    """The loop alone, which is subtracted."""
    return of_statement("pass", "pass", 0, 0)


def inner_of(
    code: bytes, names: dict[str, Any] | None = None, local: dict[str, Any] | None = None
) -> "Inner":
    """A fresh function each time, for where code lies in memory is luck. names: its globals, which
    stay as they are; local: what the code finds besides."""
    found: dict[str, Any] = {} if local is None else local
    exec(marshal.loads(code), {"__name__": "__main__"} if names is None else names, found)
    inner: Inner = found["inner"]
    return inner


def called(number: int, of: int) -> str:
    """In sentences."""
    return "the statement" if of <= 1 else f"statement {number}"


def name_of(function: object) -> str:
    """What a function is called; what has no name is as it prints."""
    name = getattr(function, "__qualname__", None)
    if isinstance(name, str):
        short = name.replace("<locals>.", "")
        code = getattr(function, "__code__", None)
        if not short.endswith("<lambda>") or code is None:
            return short
        return f"{short} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
    inner = getattr(function, "func", None)
    if inner is not None and inner is not function:
        return f"{type(function).__name__}({name_of(inner)})"
    return repr(function)


def awaits(function: object) -> bool:
    """Is what it returns to be awaited?"""
    import inspect

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004
    )


def _parsed(text: str, filename: str, what: str) -> list[ast.stmt]:
    """The statements of text, once it is sure that they compile on their own."""
    try:
        try:
            return _tree(text, filename)
        except IndentationError:
            import textwrap

            dedented = textwrap.dedent(text).strip("\n")
            if dedented == text:
                raise
            return _tree(dedented, filename)
    except SyntaxError as error:
        raise Problem(USAGE, pointed(text, error, what)) from None
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        reason = str(error) or "it is nested too deeply"
        raise Problem(USAGE, f"{what} does not compile: {reason}.") from None


def _tree(text: str, filename: str) -> list[ast.stmt]:
    compile(text, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return ast.parse(text, filename).body


def pointed(text: str, error: SyntaxError, what: str) -> str:
    """One sentence, and below it the line with a mark."""
    line, column = error.lineno or 1, error.offset or 1
    lines = text.splitlines() or [""]
    source = lines[line - 1] if line <= len(lines) else error.text or ""
    column = max(1, min(column, len(source) + 1))
    blanks = "".join(c if c.isspace() else " " for c in source[: column - 1])
    message = error.msg or "invalid syntax"
    return (
        f"{what} does not compile: {message} (line {line}, column {column}).\n"
        f"    {source}\n    {blanks}^"
    )


def _assembled(
    setup: list[ast.stmt], body: list[ast.stmt], parameters: str, filename: str, what: str
) -> CodeType:
    for each in setup:
        ast.increment_lineno(each, SETUP_LINES)
    kind = "async " if _has_await([*setup, *body], filename) else ""
    module = ast.parse(_SHAPE.format(kind=kind, parameters=parameters), filename)
    (inner,) = module.body
    assert isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
    loop = inner.body[1]
    assert isinstance(loop, ast.For)
    _move(module, OUR_LINES)
    _move(loop.body[0], OUR_LINES + 1)
    _move(inner.body[2], OUR_LINES + 2)
    loop.body[:0] = body
    inner.body[:0] = setup
    try:
        return compile(module, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = error.lineno or 1
        if line > SETUP_LINES:
            what, line = "the setup", line - SETUP_LINES
        raise Problem(
            USAGE,
            f"{what} does not work inside a loop of a function: {error.msg} (line {line}).",
        ) from None
    except (RecursionError, MemoryError, ValueError) as error:
        reason = str(error) or "it is nested too deeply"
        raise Problem(USAGE, f"{what} does not compile: {reason}.") from None


def _move(tree: ast.AST, line: int) -> None:
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]


def _has_await(body: list[ast.stmt], filename: str) -> bool:
    code = compile(
        ast.Module(body, []), filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return bool(code.co_flags & _AWAITS)


def _is_async(module: CodeType) -> bool:
    return any(
        isinstance(each, CodeType) and each.co_name == "inner" and each.co_flags & _AWAITS
        for each in module.co_consts
    )
