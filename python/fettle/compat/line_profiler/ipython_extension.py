# SPDX-License-Identifier: Apache-2.0
"""%lprun and %%lprun_all: a statement or a cell of a notebook, profiled line by line.

%load_ext fettle.compat.line_profiler
%lprun -f work work(1000)
"""

import builtins
import os
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from types import CodeType, FunctionType
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.page import page

from .autoprofile.ast_tree_profiler import AstTreeProfiler
from .line_profiler import LineProfiler
from .text import CELL

__all__ = ("LineProfilerMagics",)


@magics_class
class LineProfilerMagics(Magics):
    """The magics; see their own help (%lprun?)."""

    @line_magic
    def lprun(self, parameter_s: str = "") -> LineProfiler | None:
        """Run a statement and profile functions line by line.

        %lprun [-f FUNCTION]... [-m MODULE]... [-D FILE] [-T FILE] [-r] [-z] [-u UNIT] STATEMENT

        -f FUNCTION  an expression without blanks that gives a function: profile it
        -m MODULE    profile the functions and classes of a module
        -D FILE      write the profile to an .lprof file
        -T FILE      write the tables to a text file
        -r           give the LineProfiler
        -z, -s       leave out functions that never ran
        -u UNIT      unit of the times, in seconds
        """
        chosen = _Chosen(self, parameter_s, "rszf:m:D:T:u:")
        names, local = self.shell.user_global_ns, self.shell.user_ns
        profile = LineProfiler()
        for expression in chosen.all("f"):
            profile.add_function(_found("function", expression, lambda e: eval(e, names, local)))
        for name in chosen.all("m"):
            profile.add_module(_found("module", name, _import))
        with _as_builtin(profile):
            said, _ = _run(lambda: profile.runctx(chosen.rest, names, local))
        return chosen.show(profile, chosen.tables(profile), said)

    @cell_magic
    def lprun_all(self, parameter_s: str = "", cell: str = "") -> LineProfiler | None:
        """Run a cell and profile all of it line by line, the functions it defines too.

        %%lprun_all [-p] [-t] [-D FILE] [-T FILE] [-r] [-z] [-u UNIT]

        -p           only the cell itself, not the functions it defines
        -t           put the time it took, in seconds, into the variable _total_time_taken
        -D FILE      write the profile to an .lprof file
        -T FILE      write the tables to a text file
        -r           give the LineProfiler
        -z           leave out functions that never ran
        -u UNIT      unit of the times, in seconds
        """
        chosen = _Chosen(self, parameter_s, "rzptD:T:u:")
        profile = LineProfiler()
        with _file_with(textwrap.dedent(cell).strip("\n")) as path, _as_builtin(profile):
            code = _compiled(path, functions_too=not chosen.has("p"))
            names, local = self.shell.user_global_ns, self.shell.user_ns
            whole = FunctionType(code.replace(co_name=CELL, co_qualname=CELL), names)
            profile.add_function(whole)
            said, seconds = _run(lambda: profile.runctx(whole.__code__, names, local))
            tables = chosen.tables(profile)  # while there is the file with the source
        if chosen.has("t"):
            local["_total_time_taken"] = seconds
        return chosen.show(profile, tables, said)


class _Chosen:
    """The options of a magic, and `rest`, what follows them."""

    def __init__(self, magics: Any, line: str, options: str) -> None:
        # Not as a shell would: what follows the options is Python, with quotes of its own.
        self._values, self.rest = magics.parse_options(
            line, options, list_all=True, posix=False, strict=False, preserve_non_opts=True
        )

    def has(self, option: str) -> bool:
        return option in self._values

    def all(self, option: str) -> list[str]:
        return [_unquoted(value) for value in self._values.get(option, [])]

    def first(self, option: str) -> str | None:
        return next(iter(self.all(option)), None)

    def tables(self, profile: LineProfiler) -> str:
        """The tables as text; TypeError for a unit that is no number."""
        unit = self.first("u")
        try:
            seconds = None if unit is None else float(unit)
        except ValueError:
            raise TypeError(f"the timer unit must be a number, not {unit!r}") from None
        text = StringIO()
        hidden = self.has("z") or self.has("s")
        profile.get_stats().print(text, output_unit=seconds, stripzeros=hidden)
        return text.getvalue().rstrip()

    def show(self, profile: LineProfiler, tables: str, said: str | None) -> LineProfiler | None:
        """Shows and writes what was asked for; gives what the magic gives."""
        page(tables)
        if lprof := self.first("D"):
            profile.dump_stats(lprof)
            print(f"\n*** Profile stats written to file {lprof!r}.")
        if path := self.first("T"):
            with open(path, "w", encoding="utf-8") as stream:
                print(tables, file=stream)
            print(f"\n*** Profile printout saved to text file {path!r}.")
        if said:
            print(f"\n*** {said}")
        return profile if self.has("r") else None


def _run(action: Callable[[], object]) -> tuple[str | None, float]:
    """What is to be said of how it ended, and the seconds it took."""
    said, start = None, time.perf_counter()
    try:
        action()
    except (SystemExit, KeyboardInterrupt) as error:
        said = f"{type(error).__name__} exception caught in code being profiled."
    return said, time.perf_counter() - start


def _found(what: str, name: str, find: Callable[[str], Any]) -> Any:
    try:
        return find(name)
    except Exception as error:
        raise UsageError(
            f"Could not find {what} {name}.\n{type(error).__name__}: {error}"
        ) from None


def _import(name: str) -> Any:
    return __import__(name, fromlist=[""])


def _compiled(path: str, functions_too: bool) -> CodeType:
    if functions_too:
        tree = AstTreeProfiler(path, [path], profile_imports=False).profile()
        return compile(tree, path, "exec")
    with open(path, encoding="utf-8") as stream:
        return compile(stream.read(), path, "exec")


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] in "'\"" else value


@contextmanager
def _file_with(source: str) -> Iterator[str]:
    """A file with source, so that the tables can show it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".py", delete=False) as stream:
        stream.write(source or "...")
    try:
        yield stream.name
    finally:
        os.unlink(stream.name)


@contextmanager
def _as_builtin(profile: LineProfiler) -> Iterator[None]:
    """@profile means this profiler."""
    names: dict[str, Any] = vars(builtins)
    kept = {name: names[name] for name in ("profile",) if name in names}
    names["profile"] = profile
    try:
        yield
    finally:
        del names["profile"]
        names.update(kept)
