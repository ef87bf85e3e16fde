# SPDX-License-Identifier: Apache-2.0
"""%fettle: what there is; %fettle takeover: the habitual magics over fettle's engine; %fettle
release: as they were.
"""

from typing import Any
from weakref import WeakKeyDictionary

from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TAKEN = {  # names, and what has them after a takeover
    "prun": "a statement or cell, function by function; -s -l -r -q -D -T",
    "run": "-p profiles a script; all else is IPython's own",
    "lprun": "a statement, line by line; -f -m -D -T -r -s -u -z",
    "mprun": "the memory of functions, line by line; -f -T -r",
    "memit": "the memory that a statement takes; -r -o",
    "timeit": "how long a statement takes; -n -r -t -c -p -q -o",
}
HELP = """\
fettle in a notebook. Each magic says more: %frun?

  %frun, %%frun      record a statement or a cell: calls, lines, memory
  %fmem, %%fmem      what it allocates, by line
  %ftime, %%ftime    how long it takes, and which of several is faster
  %fdis, %%fdis      the bytecode of an object or a cell
  %fettle            what has which name
  %fettle takeover   %prun, %run -p, %lprun, %mprun, %memit and %timeit through fettle
  %fettle release    gives these names back"""
_PROFILER = "_run_with_profiler"  # what IPython's %prun and %run -p go through
_MISSING: Any = object()

# Of each shell: the magics that stood under the names, by (kind, name).
_kept: "WeakKeyDictionary[Any, dict[tuple[str, str], Any]]" = WeakKeyDictionary()


def magics(shell: Any) -> "dict[str, Callable[..., object]]":
    """By name."""

    def fettle(line: str) -> None:
        word = line.strip()
        if word == "takeover":
            takeover(shell)
        elif word == "release":
            release(shell)
        elif word in {"", "status", "help", "-h", "--help"}:
            print(HELP if word != "status" else "", end="\n\n" if word != "status" else "")
            print("\n".join(status(shell)))
        else:
            from fettle.notebook import arguments

            arguments.refuse(
                Problem(USAGE, f"%fettle takes takeover, release or status, not {word}.")
            )

    fettle.__doc__ = HELP
    return {"fettle": fettle}


def takeover(shell: Any) -> None:
    """Puts fettle's magics under the habitual names; twice is as once."""
    from fettle.compat.line_profiler.ipython_extension import LineProfilerMagics
    from fettle.notebook import extension, memory, prun, timeit

    if shell in _kept:
        return
    by_kind = shell.magics_manager.magics
    _kept[shell] = {
        (kind, name): by_kind[kind].get(name, _MISSING)
        for kind in ("line", "cell")
        for name in (*TAKEN, "lprun_all")
        if name not in {"prun", "run"}
    }
    for name, magic in (timeit.magics(shell) | memory.magics(shell)).items():
        extension.register(shell, name, magic)
    lines = LineProfilerMagics(shell)
    by_kind["line"]["lprun"] = lines.lprun
    by_kind["cell"]["lprun_all"] = lines.lprun_all
    execution = _execution(shell)
    if execution is not None:
        setattr(execution, _PROFILER, prun.run_with_profiler)


def release(shell: Any) -> None:
    """Gives the names back; nothing, where they were not taken."""
    for (kind, name), magic in _kept.pop(shell, {}).items():
        by_name = shell.magics_manager.magics[kind]
        if magic is _MISSING:
            by_name.pop(name, None)
        else:
            by_name[name] = magic
    execution = _execution(shell)
    if execution is not None:
        vars(execution).pop(_PROFILER, None)


def status(shell: Any) -> list[str]:
    """A line for each of the habitual names: whose it is."""
    lines = []
    for name, what in TAKEN.items():
        magic = shell.magics_manager.magics["line"].get(name)
        if name in {"prun", "run"}:
            is_ours = _PROFILER in vars(_execution(shell) or shell)
        else:
            is_ours = getattr(magic, "__module__", "").partition(".")[0] == "fettle"
        owner = "fettle" if is_ours else "nobody's" if magic is None else _owner(magic)
        lines.append(f"  %{name:<8} {owner:<14} {what}")
    return lines


def _owner(magic: Any) -> str:
    return str(getattr(magic, "__module__", "") or "").partition(".")[0] or "the user's"


def _execution(shell: Any) -> Any:
    """The magics of IPython that profile; None in a shell that has none."""
    found = shell.magics_manager.registry.get("ExecutionMagics")
    return found if hasattr(type(found), _PROFILER) else None


def load_ipython_extension(shell: Any) -> None:
    """What %load_ext fettle.notebook.takeover calls: %load_ext fettle and %fettle takeover in one,
    for who always wants them and names it in the configuration of IPython."""
    from fettle.notebook import extension

    extension.load_ipython_extension(shell)
    takeover(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What %unload_ext fettle.notebook.takeover calls: the names are as they were."""
    release(shell)
