# SPDX-License-Identifier: Apache-2.0
"""%fdis and %%fdis: the bytecode of an object of the notebook, or of a cell."""

from typing import Any

from fettle import options
from fettle.notebook import arguments
from fettle.options import Option
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle.notebook.arguments import Arguments

DIS = [
    Option("-C --show-caches", "with the inline caches"),
    Option("-O --show-offsets", "with the offset of each instruction"),
    Option("-P --show-positions", "with lines and columns"),
    Option("-S --adaptive", "as the interpreter has specialised it so far"),
    Option("--source", "each line of source above its instructions"),
    Option("--counts", "how often each line ran and its time, of a recording or its file", "NAME"),
    Option("--vs", "beside another object, an expression without blanks", "OBJECT"),
]
HELP = f"""\
The bytecode of a function, class, module or generator, or with %%fdis of a cell, which is not run.

  %fdis [OPTIONS] OBJECT
  %%fdis [OPTIONS]

{options.help_lines(DIS)}

OBJECT is an expression. --counts is a recording of lines: recording = %frun -r -l f f()

  %fdis --source login_user
  %fdis --vs fast slow"""


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name."""

    def fdis(line: str, cell: str | None = None) -> None:
        __tracebackhide__ = True
        try:
            _show(shell, arguments.parse("%fdis", DIS, line), cell)
        except options.HelpWanted:
            print(HELP)
        except Problem as problem:
            arguments.refuse(problem)
        except (ValueError, TypeError) as error:
            arguments.refuse(Problem(USAGE, arguments.sentence(error)))

    fdis.__doc__ = HELP
    return {"fdis": fdis}


def _show(shell: Any, given: "Arguments", cell: str | None) -> None:
    from fettle.bytecode.interface import dis

    if cell is not None and given.rest:
        raise Problem(USAGE, f"the cell is what is shown; leave {given.rest} out.")
    if cell is None and not given.rest:
        raise Problem(USAGE, "there is nothing to show; name a function behind.")
    dis(
        _code(shell, cell) if cell is not None else _evaluated(shell, given.rest),
        adaptive=given.has("adaptive"),
        show_caches=given.has("show-caches"),
        show_offsets=given.has("show-offsets"),
        show_positions=given.has("show-positions"),
        source=given.has("source"),
        counts=_counts(shell, given.values["counts"]) if given.has("counts") else None,
        vs=_evaluated(shell, given.values["vs"]) if given.has("vs") else None,
    )


def _code(shell: Any, cell: str) -> object:
    from fettle.notebook.cell import Cell

    return Cell(shell, f"#\n{cell}", keeps=False).function.__code__


def _evaluated(shell: Any, expression: str) -> Any:
    try:
        return eval(expression, shell.user_global_ns, shell.user_ns)
    except Exception as error:
        raise Problem(
            USAGE,
            f"{expression} gives no object: {type(error).__name__}: {error}; define it in a cell"
            " before.",
        ) from None


def _counts(shell: Any, name: str) -> Any:
    """A recording by its name, or the path of one."""
    return shell.user_ns.get(name, name)
