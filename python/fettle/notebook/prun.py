# SPDX-License-Identifier: Apache-2.0
"""%prun, %%prun and %run -p over fettle's engine: IPython's own magics, with the profiler in them
replaced. It reads the options, finds the script and keeps the names, as ever.
"""

import sys
from typing import Any

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pstats import Stats

_core.leave_out(__file__)

_EXITED = "*** SystemExit exception caught in code being profiled."


def run_with_profiler(code: str, opts: "Mapping[str, Any]", namespace: dict[str, Any]) -> Any:
    """In place of ExecutionMagics._run_with_profiler(). What raises is shown up to there."""
    from fettle.compat.cProfile import Profile

    __tracebackhide__ = True
    _check(opts.get("s", []))
    profile, exited = Profile(), ""
    try:
        profile.runctx(code, namespace, namespace)
    except SystemExit:
        exited = _EXITED
    except BaseException:
        _show(profile, opts, "")
        raise
    return _show(profile, opts, exited)


def _check(keys: "Sequence[str]") -> None:
    """UsageError for an order that pstats does not know, before anything runs."""
    import pstats

    from IPython.core.error import UsageError

    known = pstats.Stats().get_sort_arg_defs()
    for key in keys:
        if key not in known:
            names = ", ".join(each.value for each in pstats.SortKey)
            raise UsageError(f"-s needs one of {names}, not {key!r}.")


def _show(profile: Any, opts: "Mapping[str, Any]", exited: str) -> "Stats | None":
    from IPython.core.page import page

    profile.create_stats()
    table = _table(profile, opts.get("s", ["time"]), opts.get("l", []))
    if "q" not in opts:
        page(table)
    print(exited, end=" ")
    dump, text = opts.get("D", [""])[0], opts.get("T", [""])[0]
    if dump:
        profile.dump_stats(dump)
        print(f"\n*** Profile stats marshalled to file {dump!r}.{exited}")
    if text:
        with open(text, "w", encoding="utf-8") as file:
            file.write(table)
        print(f"\n*** Profile printout saved to text file {text!r}.{exited}")
    return _sorted(profile, opts.get("s", ["time"])) if "r" in opts else None


def _table(profile: Any, keys: "Sequence[str]", limits: "Sequence[str]") -> str:
    """As pstats prints it; what a terminal would obey, or cannot show, is escaped in the names."""
    from io import StringIO

    from fettle.compat.cProfile import rows_of
    from fettle.compat.entries import printable

    if not profile.stats:
        return "         0 function calls in 0.000 seconds"
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    stats = _sorted(rows_of(printable(profile.stats, encoding)), keys)
    stream: Any = StringIO()
    stats.stream = stream  # type: ignore[attr-defined]
    stats.print_stats(*map(_limit, limits))
    return str(stream.getvalue()).rstrip()


def _sorted(profile: Any, keys: "Sequence[str]") -> "Stats":
    import pstats

    return pstats.Stats(profile).strip_dirs().sort_stats(*keys)


def _limit(text: str) -> int | float | str:
    """What -l means: a number of rows, a share of them, or a part of their names.

    >>> _limit("5"), _limit("0.5"), _limit("work")
    (5, 0.5, 'work')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
