# SPDX-License-Identifier: Apache-2.0
"""%timeit and %%timeit through fettle's clocks: the options, the line that is printed and the
result are IPython's own. The result has more to say, and where runs differ a second line says why.
"""

import functools
import gc
from array import array
from itertools import repeat as repeated
from time import process_time
from typing import Any

from fettle import _core
from fettle.notebook import arguments
from fettle.notebook.cell import number_of
from fettle.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle._core import Reading
    from fettle.timing.runner import Inner
    from fettle.timing.timing import Timing

_core.leave_out(__file__)

OPTIONS = "n:r:tcp:qov:"
_ENOUGH = 0.2  # seconds of a run, where its length is ours to choose
_SLOW = 0.1  # seconds of compiling that are worth a word
_REPEAT = 7
_EMPTY = 3  # times that the empty loop is looked at


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name."""
    execution = shell.magics_manager.registry["ExecutionMagics"]

    def timeit(line: str = "", cell: str | None = None, local_ns: Any = None) -> object:
        __tracebackhide__ = True
        opts, statement = execution.parse_options(
            line, OPTIONS, posix=False, strict=False, preserve_non_opts=True
        )
        if statement == "" and cell is None:
            return None
        try:
            result = _measured(shell, opts, statement, cell, local_ns)
        except Problem as problem:
            arguments.refuse(problem)
        if "q" not in opts:
            _show(result)
        if "v" in opts:
            shell.user_ns[opts["v"]] = result
        return result if "o" in opts else None

    timeit.__doc__ = shell.find_line_magic("timeit").__doc__
    return {"timeit": timeit}


@functools.cache
def _result_class() -> Any:
    """IPython's, and what fettle knows besides."""
    from IPython.core.magics.execution import TimeitResult

    class Result(TimeitResult):
        """loops, repeat, best, worst, average, stdev, all_runs, timings and compile_time are
        IPython's. timing is fettle's: median, low, high and spread are of its calls, less the empty
        loop; cpu is the seconds of CPU time of each run's call, noise says why the runs differ."""

        timing: "Timing"
        cpu: list[float]
        noise = ""

        @property
        def median(self) -> float:
            return self.timing.median

        @property
        def low(self) -> float:
            return self.timing.low

        @property
        def high(self) -> float:
            return self.timing.high

        @property
        def spread(self) -> float:
            return self.timing.spread

    Result.__name__ = Result.__qualname__ = "TimeitResult"
    return Result


def _number(opts: Any, key: str, usual: int) -> int:
    """What an option says; UsageError if it is no such number."""
    from IPython.core.error import UsageError

    text = str(opts.get(key, usual))
    least = 1 if key == "r" else 0
    if not text.isdecimal() or int(text) < least:
        raise UsageError(f"-{key} needs a whole number from {least}, not {text!r}.")
    return int(text)


def _measured(shell: Any, opts: Any, statement: str, cell: str | None, local: Any) -> Any:
    from fettle.compat import timeit
    from fettle.timing.stopwatch import stopwatch

    begun = process_time()
    inner = _inner(shell, statement, cell, local)
    compiling = process_time() - begun
    number = _number(opts, "r", max(timeit.default_repeat, _REPEAT))
    digits = _number(opts, "p", 3)
    loops = _number(opts, "n", 0) or _loops(inner)
    watch = stopwatch()
    with watch:
        readings = [_run(inner, loops) for _ in range(number)]
    runs = [each.cpu if "c" in opts else each.wall for each in readings]
    each = [run / loops for run in runs]
    result = _result_class()(loops, number, min(each), max(each), runs, compiling, digits)
    label = statement if cell is None else cell
    result.timing = _timing(label.strip(), "cpu" if "c" in opts else "wall", loops, each)
    result.cpu = [reading.cpu / loops for reading in readings]
    result.noise = _noise(sorted(each), watch)
    return result


def _inner(shell: Any, statement: str, cell: str | None, local: Any) -> "Inner":
    """The loop around what is timed, in the user's names."""
    from fettle.timing import statements

    setup, body = ("", statement) if cell is None else (statement, cell)
    text = shell.transform_cell(body)
    file = shell.compile.cache(text, number_of(shell), raw_code=body)
    trees = [
        shell.transform_ast(shell.compile.ast_parse(each))
        for each in (shell.transform_cell(setup or "pass"), text)
    ]
    for tree in trees:  # what is wrong outside of a function may be right within
        shell.compile(tree, file, "exec")
    code = statements.of_trees(trees[0].body, trees[1].body, file)
    names = shell.user_ns
    if local is not None and cell is None and local is not names:
        names = {**names, **local}
    found: dict[str, Any] = {}
    exec(code, names, found)
    inner: Inner = found["inner"]
    return inner


def _run(inner: "Inner", loops: int) -> "Reading":
    """One run, without collecting garbage, as timeit has it."""
    meter = _core.Meter()
    collects = gc.isenabled()
    gc.disable()
    try:
        reading: Reading = inner(repeated(None, loops), meter.start, meter.stop)
    finally:
        if collects:
            gc.enable()
    return reading


def _loops(inner: "Inner") -> int:
    """As many as take long enough: a power of ten."""
    for power in range(9):
        if _run(inner, 10**power).wall >= _ENOUGH:
            return int(10**power)
    return 10**9


def _timing(label: str, clock: str, loops: int, each: list[float]) -> "Timing":
    from fettle.timing import statements
    from fettle.timing.series import Series
    from fettle.timing.timing import judged

    nothing = statements.inner_of(statements.empty().code)
    many = min(max(loops, 1000), 1_000_000)
    empty = min(_run(nothing, many).wall for _ in range(_EMPTY)) / many
    less = array("d", [max(0.0, one - empty) for one in each])
    return judged((Series(label, clock, loops, empty, (less,)),))


def _noise(each: list[float], watch: Any) -> str:
    """Why runs differ, if they do; each: seconds of a call, in order."""
    from statistics import median

    from fettle.compat.timeit import _NOISY, _cause, _interval

    outside, _ = _interval(len(each))
    low, high = each[outside], each[-1 - outside]
    is_noisy = high - low > _NOISY * median(each)
    return _cause(watch.wall, watch.cpu, watch.waiting) if is_noisy else ""


def _show(result: Any) -> None:
    if result.worst > 4 * result.best > 0 and result.worst > 1e-6:
        times = result.worst / result.best
        print(
            f"The slowest run took {times:0.2f} times longer than the fastest. This could mean that"
            " an intermediate result is being cached."
        )
    print(result)
    if result.noise:
        print(f"fettle: {result.noise}")
    if result.compile_time > _SLOW:
        print(f"Compiler time: {result.compile_time:.2f} s")
