# SPDX-License-Identifier: Apache-2.0
"""What Tab offers behind fettle's magics: options, sort keys, functions. All else is Python, and
the shell's own to complete.
"""

from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fettle.options import Option

_FUNCTIONS = {"-l", "-f"}  # options whose value is a function of the user's


def hook(shell: Any, magics: "Iterable[str]") -> None:
    """Registers for these names, for a line and for a cell."""
    for name in magics:
        for command in (f"%{name}", f"%%{name}"):
            shell.set_hook("complete_command", completer(name), str_key=command)


def completer(name: str) -> "Callable[[Any, Any], list[str]]":
    """What IPython calls with itself and the line so far; TryNext leaves it to others."""

    def complete(shell: Any, event: Any) -> list[str]:
        from IPython.core.error import TryNext

        words = event.line[: len(event.line) - len(event.symbol)].split()
        found = candidates(name, words[1:], event.symbol, shell.user_ns)
        if not found and event.symbol[:1].isidentifier():
            found = _python(shell.Completer, event.symbol)
        if not found:
            raise TryNext
        return list(found)

    return complete


def _python(completer: Any, symbol: str) -> list[str]:
    """Names and attributes: what follows a magic is no Python to IPython's completer."""
    find = completer.attr_matches if "." in symbol else completer.global_matches
    return list(find(symbol))


def candidates(name: str, words: list[str], symbol: str, names: dict[str, Any]) -> list[str]:
    """What may stand for symbol behind words.

    >>> candidates("frun", ["-s"], "cum", {})
    ['cumtime', 'cumulative']
    >>> candidates("frun", [], "--m", {})
    ['--mem']
    >>> candidates("frun", ["-l"], "lo", {"login": lambda: 0, "long": 3})
    ['login']
    >>> candidates("frun", ["f(x,"], "y", {"y": 3})
    []
    """
    last = words[-1] if words else ""
    table = _table(name)
    if name == "fettle":
        offered = [] if words else ["release", "status", "takeover"]
    elif last in {"-s", "--sort"} and any(option.key == "sort" for option in table):
        offered = _sort_keys(name)
    elif last in _FUNCTIONS and any(last in option.names for option in table):
        offered = sorted(key for key, value in names.items() if _is_function(key, value))
    elif symbol.startswith("-") and _are_options(words, table):
        offered = sorted(each for option in table for each in option.names)
    else:
        offered = []
    return [each for each in offered if each.startswith(symbol)]


def _are_options(words: list[str], table: "list[Option]") -> bool:
    """Is nothing of what came before Python?"""
    takes = {name for each in table if each.value and not each.optional for name in each.names}
    before = ""
    for word in words:
        if not word.startswith("-") and before not in takes:
            return False
        before = word
    return True


def _table(name: str) -> "list[Option]":
    from fettle.notebook import dis, run, time

    tables = {"frun": run.RUN, "fmem": run.MEM, "ftime": time.TIME, "fdis": dis.DIS}
    return tables.get(name, [])


def _sort_keys(name: str) -> list[str]:
    from fettle.report.order import WORDS

    return ["alive", "peak", "temporary", "total"] if name == "fmem" else sorted(WORDS)


def _is_function(name: str, value: object) -> bool:
    return not name.startswith("_") and hasattr(value, "__code__")
