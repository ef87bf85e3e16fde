# SPDX-License-Identifier: Apache-2.0
"""%frun and %%frun, %fmem and %%fmem: a statement or a cell, recorded."""

from typing import Any

from fettle import _core, options
from fettle.notebook import arguments, shellthreads, shown
from fettle.notebook.cell import Cell
from fettle.options import Option
from fettle.problem import FETTLE_FAILED, UNREADABLE, USAGE, Problem, reason
from fettle.report import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fettle.notebook.arguments import Arguments

_core.leave_out(__file__, True)

SORT = Option(
    "-s --sort", "the order of the functions (cumulative), as `fettle view` has it", "KEY"
)
RUN = [
    SORT,
    Option("-l --function", "the lines of FUNC, an expression without blanks; repeatable", "FUNC"),
    Option("--lines", "the lines of the cell, or of SEL as `fettle run` has it", "[=SEL]"),
    Option("-M --mem", "what is allocated, by line; --mem=sample costs less", "[=sample]"),
    Option("-C --calls", "the calls too, which are recorded when nothing else is asked for"),
    Option("--frames", "of -M: keep call paths of N lines (1; with -C 32)", "N"),
    Option("-n --rows", "N rows of each table (30; 0: all)", "N"),
    Option("-o --output", "save the recording to FILE", "FILE"),
    Option("-q --quiet", "show nothing"),
    Option("-r --result", "give the recording, not the value; it shows itself"),
]
MEM = [
    Option("-s --sort", "the order of the lines: peak (which is usual), alive, total", "KEY"),
    *(option for option in RUN if option.key in {"frames", "rows", "output", "quiet", "result"}),
]
RUN_HELP = f"""\
Records a statement, or with %%frun a cell, and shows what ran.

  %frun [OPTIONS] STATEMENT
  %%frun [OPTIONS] [STATEMENT]

{options.help_lines(RUN)}

The value of the last expression is the magic's own, so `x = %frun f()` is as without it. What
raises or is interrupted is shown up to there. The code may await.

  %frun -s tottime main_app()
  %frun -l login_user main_app()
  recording = %frun -r main_app()"""
MEM_HELP = f"""\
Records what a statement, or with %%fmem a cell, allocates: which line, and how much of it stays.

  %fmem [OPTIONS] STATEMENT
  %%fmem [OPTIONS] [STATEMENT]

{options.help_lines(MEM)}

It is %frun -M with its own order, and gives no value: what nobody keeps is not alive.

  %fmem table = [[0] * 100 for _ in range(100)]"""
_MEMORY_KEYS = ("peak", "alive", "total", "temporary")


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name; each for a line and for a cell."""
    from IPython.core import interactiveshell

    _core.leave_out(interactiveshell.__file__)  # it resumes a cell that awaits

    def frun(line: str, cell: str | None = None, local_ns: Any = None) -> object:
        __tracebackhide__ = True
        given = _read("%frun", RUN, line, RUN_HELP)
        return (
            None if given is None else _Recording(shell, given, cell, local_ns, True).run(_of_run)
        )

    def fmem(line: str, cell: str | None = None, local_ns: Any = None) -> object:
        __tracebackhide__ = True
        given = _read("%fmem", MEM, line, MEM_HELP)
        return (
            None
            if given is None
            else _Recording(shell, given, cell, local_ns, False).run(_of_memory)
        )

    frun.__doc__, fmem.__doc__ = RUN_HELP, MEM_HELP
    return {"frun": frun, "fmem": fmem}


def _read(magic: str, table: list[Option], line: str, text: str) -> "Arguments | None":
    try:
        return arguments.parse(magic, table, line)
    except options.HelpWanted:
        print(text)
    except Problem as problem:
        arguments.refuse(problem)
    return None


class _Recording:
    """One use of a magic."""

    def __init__(
        self,
        shell: Any,
        given: "Arguments",
        cell: str | None,
        local: "Mapping[str, Any] | None",
        keeps: bool,  # the value, which is the magic's
    ) -> None:
        self.shell = shell
        self.given = given
        self.is_cell = cell is not None
        if cell is None and not given.rest:
            arguments.refuse(
                Problem(USAGE, "there is nothing to record; write a statement behind.")
            )
        # a line for that of the magic: the lines of the recording are those of the cell
        text = given.rest if cell is None else f"{given.rest or '#'}\n{cell}"
        self.cell = Cell(shell, text, None if self.is_cell else local, keeps)
        self.recorded = shown.Recorded()
        self.has_begun = False

    def run(self, prepare: "Callable[[_Recording], shown.Recorded]") -> object:
        __tracebackhide__ = True
        try:
            self.recorded = prepare(self)
        except Problem as problem:
            arguments.refuse(problem)
        except (ValueError, TypeError) as error:
            arguments.refuse(Problem(USAGE, arguments.sentence(error)))
        self.recorded.spare(shellthreads.idents())
        start, stop = self._start, self.recorded.stop
        if self.cell.is_async:
            return self._wait()
        try:
            value = self.cell.run(start, stop)
        except BaseException:
            self._failed()
            raise
        self._show()
        return self._given(value)

    async def _wait(self) -> object:
        __tracebackhide__ = True
        try:
            value = await self.cell.wait(self._start, self.recorded.stop)
        except BaseException:
            self._failed()
            raise
        self._show()
        return self._given(value)

    def _start(self) -> None:
        __tracebackhide__ = True
        try:
            self.recorded.start()
        except RuntimeError as error:
            arguments.refuse(Problem(FETTLE_FAILED, arguments.sentence(error)))
        self.has_begun = True

    def _failed(self) -> None:
        """Shows it, for nobody is given it."""
        if not self.has_begun:
            return
        self.given.values.pop("result", None)
        self._show()

    def _given(self, value: object) -> object:
        return self.recorded if self.given.has("result") else value

    def _show(self) -> None:
        if not (self.given.has("quiet") or self.given.has("result")):
            shown.display(self.recorded)
        path = self.given.values.get("output")
        if path is not None:
            try:
                self.recorded.save(path)
            except OSError as error:
                arguments.refuse(
                    Problem(
                        UNREADABLE,
                        f"the recording could not be written to {path}: {reason(error)}; give"
                        " another file.",
                    )
                )
            print(f"fettle: the recording is in {path}.")

    def evaluated(self, expression: str) -> object:
        """What an option means by it."""
        try:
            return eval(expression, self.shell.user_global_ns, self.shell.user_ns)
        except Exception as error:
            raise Problem(
                USAGE,
                f"there is no function {expression}: {type(error).__name__}: {error}; define it in"
                " a cell before, or write --lines for those of this cell.",
            ) from None


def _of_run(use: _Recording) -> shown.Recorded:
    from fettle.report import order

    given = use.given
    sort, rows = order.find(given.values.get("sort", "cumulative")), given.number("rows", 30)
    wanted = _lines(use)
    in_cell = [name for name in given.given.get("lines", []) if use.cell.defines(name)]
    has_mem = given.has("mem")
    if given.has("frames") and not has_mem:
        raise Problem(USAGE, "--frames is about memory; add -M.")
    recorded = shown.Recorded(
        calls=True if given.has("calls") else None,
        lines=wanted or bool(in_cell),
        mem="sample" if given.values.get("mem") == "sample" else _switch(given, "mem"),
        frames=given.number("frames", 1) if given.has("frames") else None,
    )
    for name in in_cell:
        use.cell.mark_with(recorded.mark, name)
    recorded.shown = {"sort": sort, "rows": rows}
    recorded.named = _named(given)
    return recorded


def _switch(given: "Arguments", key: str) -> bool:
    value = given.values.get(key)
    if value:
        raise Problem(USAGE, f"--{key}={value} means nothing; write --{key} or --{key}=sample.")
    return value is not None


def _of_memory(use: _Recording) -> shown.Recorded:
    given = use.given
    key = given.values.get("sort", "peak")
    if key not in _MEMORY_KEYS:
        raise Problem(USAGE, f"--sort needs {', '.join(_MEMORY_KEYS)}, not {key!r}.")
    frames = given.number("frames", 1)
    rows = given.number("rows", 30)
    recorded = shown.Recorded(mem=True, frames=frames)
    recorded.shown = {"what": key, "rows": rows}
    return recorded


def _lines(use: _Recording) -> list[object]:
    """What fettle.run() takes for it, but for what is in the cell itself."""
    wanted: list[object] = [use.evaluated(each) for each in use.given.given.get("function", [])]
    for selector in use.given.given.get("lines", []):
        if selector and not use.cell.defines(selector):
            wanted.append(_selected(use, selector))
    return wanted


def _named(given: "Arguments") -> str:
    """The options for lines, as they were written but for quotes."""
    words = [f"-l {each}" for each in given.given.get("function", [])]
    words += [f"--lines={each}" for each in given.given.get("lines", []) if each]
    return names.visible(" ".join(words))


def _selected(use: _Recording, selector: str) -> object:
    """An object of that name, or the selector."""
    if not selector.replace(".", "").replace("_", "").isalnum():
        return selector
    try:
        return eval(selector, use.shell.user_global_ns, use.shell.user_ns)
    except Exception:
        return selector
