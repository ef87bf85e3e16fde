# SPDX-License-Identifier: Apache-2.0
"""%ftime and %%ftime: how long statements take in the names of a notebook."""

from typing import Any

from fettle import _core, options
from fettle.notebook import arguments, shown
from fettle.options import Option
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from fettle.notebook.arguments import Arguments
    from fettle.timing.options import Options, Progress
    from fettle.timing.timing import Timing

_core.leave_out(__file__)

BETWEEN = "--vs"
TIME = [
    Option("-s --setup", "run before each sample, not timed", "CODE"),
    Option("-n --loops", "calls of a sample, if they are not to be chosen", "N"),
    Option("--clock", "cpu, wall, or auto", "CLOCK"),
    Option("--precision", "when it is known well enough (0.01: 1 %)", "SHARE"),
    Option("--budget", "most seconds to spend (5)", "S"),
    Option("--gc", "collect garbage meanwhile"),
    Option("-M --memory", "what one call allocates, too"),
    Option("-v --verbose", "with a histogram of the samples"),
    Option("-o --result", "give the timing, too"),
    Option("-q --quiet", "show nothing"),
]
HELP = f"""\
How long a statement takes in the names of the notebook; of several, which is faster.

  %ftime [OPTIONS] STATEMENT [--vs STATEMENT]...
  %%ftime [OPTIONS] [SETUP]
  STATEMENTS
  --vs
  STATEMENTS

{options.help_lines(TIME)}

It is fettle.time(..., globals=...): the statements take turns, and what is said is a median with
its interval. In a cell the rest of the first line is the setup, as %%timeit has it. The statements
may await.

  %ftime sorted(numbers) --vs numbers.copy().sort()"""


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name."""

    def ftime(line: str, cell: str | None = None, local_ns: Any = None) -> object:
        __tracebackhide__ = True
        try:
            given = arguments.parse("%ftime", TIME, line)
            timing = _timed(shell, given, cell, local_ns)
        except options.HelpWanted:
            return print(HELP)
        except Problem as problem:
            if isinstance(problem.__cause__, Exception):
                raise problem.__cause__.with_traceback(_theirs(problem.__cause__)) from None
            arguments.refuse(problem)
        if not given.has("quiet"):
            shown.display(Timed(timing, given.has("verbose")))
        return timing if given.has("result") else None

    ftime.__doc__ = HELP
    return {"ftime": ftime}


def _theirs(error: BaseException) -> "TracebackType | None":
    """The traceback from where the statement begins."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == "fettle.timing":
        trace = trace.tb_next
    return trace


class Timed:
    """A timing that shows itself: a table, in a notebook too."""

    def __init__(self, timing: "Timing", verbose: bool = False) -> None:
        self.timing = timing
        self.verbose = verbose

    @property
    def text(self) -> str:
        """What `fettle time` prints."""
        from fettle.report import screen, timing

        stream = screen.Text()
        timing.show(self.timing, stream, self.verbose)
        return stream.getvalue()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text.rstrip("\n"))

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text)}</pre>"


def parted(text: str, lines: bool = False) -> list[str]:
    """The statements between --vs, which is a word of a line or a line of a cell.

    >>> parted("sum(x)  --vs  max(x)"), parted("a\\nb\\n--vs\\nc\\n", lines=True)
    (['sum(x)', 'max(x)'], ['a\\nb', 'c'])
    """
    import re

    pattern = rf"^[ \t]*{BETWEEN}[ \t]*$" if lines else rf"(?:^|\s){BETWEEN}(?=\s|$)"
    parts = re.split(pattern, text, flags=re.MULTILINE)
    return [part.strip("\n") if lines else part.strip() for part in parts]


def _timed(shell: Any, given: "Arguments", cell: str | None, local: Any) -> "Timing":
    setup = given.values.get("setup", "")
    if cell is None:
        statements = parted(given.rest)
        if statements == [""]:
            raise Problem(USAGE, "there is nothing to time; write a statement behind.")
    else:
        setup = "\n".join(part for part in (setup, given.rest) if part)
        statements = parted(cell, lines=True)
    python = [shell.transform_cell(each) for each in statements]
    names = shell.user_ns if cell is not None or local is None else {**shell.user_ns, **local}
    chosen = _options(given)

    def measured(progress: "Callable[[Progress], None] | None" = None) -> "Timing":
        from fettle.timing.interface import measure

        prepared = shell.transform_cell(setup) if setup else "pass"
        return measure(python, prepared, chosen, progress, names=names)

    return _elsewhere(measured) if _in_event_loop(python, setup) else measured()


def _options(given: "Arguments") -> "Options":
    from fettle.timing.options import BUDGET, Options

    return Options(
        loops=given.number("loops", 0),
        clock=given.values.get("clock", "auto"),
        precision=arguments.seconds(given, "precision", 0.01),
        budget=arguments.seconds(given, "budget", BUDGET),
        gc=given.has("gc"),
        memory=given.has("memory"),
    )


def _in_event_loop(statements: "Sequence[str]", setup: str) -> bool:
    import asyncio

    if not any("await" in each or "async" in each for each in (*statements, setup)):
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _elsewhere(measured: "Callable[..., Timing]") -> "Timing":
    """In a thread, which may have an event loop of its own; a notebook's runs in this one. An
    interrupt ends it with what there is."""
    import threading

    found: list[Timing] = []
    failed: list[BaseException] = []
    ends = threading.Event()

    def progress(_: object) -> None:
        if ends.is_set():
            raise KeyboardInterrupt

    def work() -> None:
        try:
            found.append(measured(progress))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="%ftime", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        ends.set()
        thread.join()
    if failed:
        raise failed[0]
    return found[0]
