# SPDX-License-Identifier: Apache-2.0
"""From a profiler's entries to the dictionary that pstats reads, and to one that can be printed.

Functions that bear one label (two lambdas on a line, methods made by one decorator) are one row:
nothing that was recorded is lost.
"""

from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from fettle._core import profiler_entry, profiler_subentry

    Label = tuple[str, int, str]  # file, line, name
    # primitive calls, calls, own seconds, cumulative seconds
    Row = tuple[int, int, float, float, dict[Label, "Caller"]]
    Caller = tuple[int, int, float, float]  # calls, primitive calls, own, cumulative
    Stats = dict[Label, Row]

C_FILE = "~"  # the "file" of functions written in C: it sorts behind all others
_NEVER = (0, 0, 0.0, 0.0)


def label(code: "CodeType | str") -> "Label":
    """What the tables call a function: a code object, or the name of one written in C.

    >>> label("<built-in method time.sleep>")
    ('~', 0, '<built-in method time.sleep>')
    >>> label((lambda: 0).__code__)[1:]
    (1, '<lambda>')
    """
    if isinstance(code, str):
        return (C_FILE, 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def collect(entries: "list[profiler_entry]") -> "Stats":
    """The entries as pstats wants them: rows by label, each with its callers by label."""
    stats: Stats = {}
    for entry in entries:
        calls, primitive, own, cumulative = _numbers(entry)
        _add_row(stats, label(entry.code), (primitive, calls, own, cumulative, {}))
    for entry in entries:
        for called in entry.calls or ():
            callers = stats[label(called.code)][4]
            _add_callers(callers, [(label(entry.code), _numbers(called))])
    return stats


def printable(stats: "Stats", encoding: str = "utf-8") -> "Stats":
    """The same rows with names that cannot draw on the screen and that the encoding has.

    >>> printable({("a.py", 1, "f\\n\\x1b[2J"): (1, 1, 0.0, 0.0, {})})
    {('a.py', 1, 'f\\\\n\\\\x1b[2J'): (1, 1, 0.0, 0.0, {})}
    """

    def shown(name: "Label") -> "Label":
        file, line, function = (
            part if isinstance(part, int) else _encodable(visible(part), encoding) for part in name
        )
        return (file, line, function)  # type: ignore[return-value]

    result: Stats = {}
    for name, row in stats.items():
        _add_row(result, shown(name), (*row[:4], {}))
        callers = ((shown(caller), numbers) for caller, numbers in row[4].items())
        _add_callers(result[shown(name)][4], callers)
    return result


def _numbers(entry: "profiler_entry | profiler_subentry") -> "Caller":
    calls = entry.callcount
    return (calls, calls - entry.reccallcount, entry.inlinetime, entry.totaltime)


def _add_row(stats: "Stats", name: "Label", row: "Row") -> None:
    there = stats.get(name)
    if there is not None:
        row = (*_sum(there[:4], row[:4]), there[4])
    stats[name] = row


def _add_callers(callers: "dict[Label, Caller]", more: "Iterable[tuple[Label, Caller]]") -> None:
    for name, numbers in more:
        callers[name] = _sum(callers.get(name, _NEVER), numbers)


def _sum(left: "Caller", right: "Caller") -> "Caller":
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2], left[3] + right[3])


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)
