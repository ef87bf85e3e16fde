# SPDX-License-Identifier: Apache-2.0
"""%memit and %mprun: the memory of a statement, of functions line by line. They are told of every
block, where the habitual magics look at the process from time to time.
"""

import os
from typing import Any

from fettle import _core
from fettle.notebook import arguments
from fettle.notebook.cell import Cell
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle.inside import Run

_core.leave_out(__file__, True)

_MIB = 1 << 20
_FRAMES = 64  # of a path: a block counts for every line of a function that led to it
MEMIT_HELP = """\
The memory that a statement takes, or %%memit a cell, whose first line is a setup.

  %memit [-r R] [-o] STATEMENT
  %%memit [-r R] [-o] [SETUP]

  -r R      run it R times; the largest is shown (1)
  -o        give the result: mem_usage, baseline, recording
  -t, -i    are accepted: every block is heard of, so there is neither timeout nor interval
  -c        is accepted: child processes are not looked at

peak memory is what the process had resident at most; increment is what the statement allocated and
held at most, by Python's own account, and so the same again every time."""
MPRUN_HELP = """\
The memory of functions, line by line, while a statement runs.

  %mprun -f FUNC [-f FUNC]... [-T FILE] [-r] STATEMENT

  -f FUNC   an expression without blanks that gives a Python function
  -T FILE   write the tables to FILE, too
  -r        give the recording
  -c        is accepted: child processes are not looked at

Peak is what a line, and all that it called, held when most was held; Increment is what of that is
alive at the end."""


class MemitResult:
    """What %memit -o gives; sizes are MiB."""

    def __init__(self, mem_usage: list[float], increments: list[float], baseline: float) -> None:
        self.mem_usage = mem_usage  # of each run: resident at most
        self.increments = increments  # of each run: what it held at most
        self.baseline = baseline
        self.repeat = len(mem_usage)
        self.timeout = self.interval = self.include_children = None
        self.recording: Run | None = None  # of the last run

    def __str__(self) -> str:
        peak, more = max(self.mem_usage), max(self.increments)
        return f"peak memory: {peak:.2f} MiB, increment: {more:.2f} MiB"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"<MemitResult : {self}>")


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name."""
    execution = shell.magics_manager.registry["ExecutionMagics"]

    def options(line: str, letters: str) -> Any:
        return execution.parse_options(
            line, letters, list_all=True, posix=False, strict=False, preserve_non_opts=True
        )

    def memit(line: str = "", cell: str | None = None, local_ns: Any = None) -> object:
        __tracebackhide__ = True
        opts, statement = options(line, "r:t:i:co")
        if cell is not None:
            _code(shell, statement).run(_nothing, _nothing)
        elif not statement:
            arguments.refuse(Problem(USAGE, "there is no statement; write one behind %memit."))
        code = _code(shell, statement if cell is None else cell, local_ns if cell is None else None)
        result = _memit(code, _count(opts))
        print(result)
        return result if "o" in opts else None

    def mprun(line: str = "", local_ns: Any = None) -> object:
        __tracebackhide__ = True
        opts, statement = options(line, "f:T:rc")
        return _mprun(shell, opts, _code(shell, statement, local_ns))

    memit.__doc__, mprun.__doc__ = MEMIT_HELP, MPRUN_HELP
    return {"memit": memit, "mprun": mprun}


def _code(shell: Any, text: str, local: Any = None) -> Cell:
    cell = Cell(shell, text, local)
    if cell.is_async:
        arguments.refuse(Problem(USAGE, "this magic can not await; %fmem can."))
    return cell


def _count(opts: Any) -> int:
    text = opts.get("r", ["1"])[0]
    if not text.isdecimal() or not int(text):
        arguments.refuse(Problem(USAGE, f"-r needs a whole number from 1, not {text!r}."))
    return int(text)


def _memit(code: Cell, times: int) -> MemitResult:
    from fettle.inside import Run

    __tracebackhide__ = True
    baseline = _resident()
    peaks, increments = [], []
    for _ in range(times):
        run = Run(mem=True)
        code.run(run.start, run.pause)
        profile = run.profile()
        seen = [moment.rss / _MIB for moment in profile.moments()]
        peaks.append(max([*seen, _resident()]))
        increments.append(max((heap.peak_bytes / _MIB for heap in profile.heaps()), default=0.0))
    result = MemitResult(peaks, increments, baseline)
    result.recording = run
    return result


def _resident() -> float:
    """MiB of the process."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MIB
    except (OSError, ValueError, IndexError):
        return 0.0


def _nothing() -> None:
    """Where nothing is recorded."""


def _mprun(shell: Any, opts: Any, code: Cell) -> "Run | None":
    from IPython.core.page import page

    from fettle.inside import Run
    from fettle.notebook import linememory

    __tracebackhide__ = True
    functions = [_function(shell, expression) for expression in opts.get("f", [])]
    if not functions:
        arguments.refuse(Problem(USAGE, "there is no function; name one with -f FUNC."))
    run = Run(mem=True, lines=functions, frames=_FRAMES)
    try:
        code.run(run.start, run.stop)
    except BaseException:
        page("\n".join(linememory.tables(run.profile(), functions)))
        raise
    tables = "\n".join(linememory.tables(run.profile(), functions))
    page(tables)
    if path := opts.get("T", [""])[0]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(tables)
        print(f"\n*** Profile printout saved to text file {path!r}.")
    return run if "r" in opts else None


def _function(shell: Any, expression: str) -> Any:
    try:
        found = eval(expression, shell.user_global_ns, shell.user_ns)
        found = getattr(found, "__func__", found)
        if hasattr(found, "__code__"):
            return found
        why = f"{type(found).__name__} has no lines"
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    arguments.refuse(
        Problem(USAGE, f"{expression} is no Python function: {why}; define it in a cell before.")
    )
