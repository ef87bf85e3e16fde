# SPDX-License-Identifier: Apache-2.0
"""cProfile's interface over fettle's engine.

    from fettle.compat import cProfile
    cProfile.run('main_app()')

    python -m fettle.compat.cProfile -s tottime app.py

The names, arguments, rows and files are cProfile's own, so that what was written for it goes on
working; recording costs less. pstats is loaded when a table is printed, not before.
"""

import sys

from fettle import _core
from fettle.compat.entries import collect, label, printable

TYPE_CHECKING = False  # importing typing would cost more than the rest of this module
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike
    from types import CodeType
    from typing import Any, ParamSpec, Self, TypeVar

    from fettle.compat.entries import Stats

    P = ParamSpec("P")
    R = TypeVar("R")
    Sort = str | int | tuple[str | int, ...]
    File = str | bytes | PathLike[str] | PathLike[bytes]

__all__ = ("Profile", "label", "main", "run", "runctx")


def run(statement: "str | CodeType", filename: "File | None" = None, sort: "Sort" = -1) -> None:
    """Executes statement in `__main__`, then prints its profile, or writes it to filename.

    sort: a key of pstats, or a tuple of them. SystemExit ends the statement only.

    >>> run("sorted([3, 1, 2])", sort="tottime")  # doctest: +ELLIPSIS
             4 function calls in ... seconds
    ...
            1    ... {built-in method builtins.sorted}
    ...
    """
    import __main__

    runctx(statement, vars(__main__), vars(__main__), filename, sort)


def runctx(
    statement: "str | CodeType",
    globals: "dict[str, Any]",
    locals: "Mapping[str, object] | None",
    filename: "File | None" = None,
    sort: "Sort" = -1,
) -> None:
    """As run(), in namespaces of the caller's choice.

    >>> runctx("sorted(numbers)", {"numbers": [3, 1, 2]}, None)  # doctest: +ELLIPSIS
             4 function calls in ... seconds
    ...
    """
    profile = Profile()
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        profile.create_stats()
        if profile.stats:  # else it could not even begin, and that is what the caller must hear
            _show(profile, filename, sort)


def _show(profile: "Profile", filename: "File | None", sort: "Sort") -> None:
    if filename is None:
        profile.print_stats(sort)
    else:
        profile.dump_stats(filename)


class Profile(_core.Profiler):
    """Profile(timer=None, timeunit=0.0, subcalls=True, builtins=True)

    timer gives the time in seconds, or in units of timeunit seconds; without it the clock is
    fettle's own. Without subcalls nothing is said of callers, without builtins C functions are left
    out.

    >>> with Profile() as profile:
    ...     _ = sorted([3, 1, 2])
    >>> import pstats
    >>> pstats.Stats(profile).total_calls
    3
    """

    stats: "Stats"  # what create_stats and snapshot_stats made

    def print_stats(self, sort: "Sort" = -1) -> None:
        """Ends the recording and prints the table to stdout, ordered by a key of pstats or several.

        What a terminal would obey, or cannot show, is escaped in the names.
        """
        import pstats

        self.create_stats()
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        keys: tuple[Any, ...] = sort if isinstance(sort, tuple) else (sort,)
        rows: Any = _Rows(printable(self.stats, encoding)) if self.stats else self  # it says why
        pstats.Stats(rows).strip_dirs().sort_stats(*keys).print_stats()

    def dump_stats(self, file: "File") -> None:
        """Ends the recording and writes it to file, for pstats and the tools that read its files.

        OSError if the file cannot be written.
        """
        import marshal

        with open(file, "wb") as stream:
            self.create_stats()
            stream.write(marshal.dumps(self.stats))

    def create_stats(self) -> None:
        """Ends the recording and makes `stats` of what was recorded."""
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self) -> None:
        """Makes `stats` of what was recorded so far; the recording goes on.

        >>> profile = Profile()
        >>> profile.runcall(sorted, [3, 1, 2])
        [1, 2, 3]
        >>> profile.snapshot_stats()
        >>> profile.stats["~", 0, "<built-in method builtins.sorted>"][:2]
        (1, 1)
        """
        self.stats = collect(self.getstats())

    def run(self, cmd: "str | CodeType") -> "Self":
        """Executes cmd in `__main__` and records it."""
        import __main__

        return self.runctx(cmd, vars(__main__), vars(__main__))

    def runctx(
        self,
        cmd: "str | CodeType",
        globals: "dict[str, Any]",
        locals: "Mapping[str, object] | None",
    ) -> "Self":
        """Executes cmd in these namespaces and records it."""
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func: "Callable[P, R]", /, *args: "P.args", **kw: "P.kwargs") -> "R":
        """Calls func, records it, and gives what it gives.

        >>> Profile().runcall(max, 3, 1, 2)
        3
        """
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self) -> "Self":
        self.enable()
        return self

    def __exit__(self, *exception: object) -> None:
        self.disable()


def rows_of(stats: "Stats") -> "Any":
    """What pstats.Stats() takes a table from.

    >>> import pstats
    >>> pstats.Stats(rows_of({("~", 0, "f"): (2, 2, 0.0, 0.0, {})})).total_calls
    2
    """
    return _Rows(stats)


class _Rows:
    """A table that is made already."""

    def __init__(self, stats: "Stats") -> None:
        self.stats = stats

    def create_stats(self) -> None:
        """There is nothing left to make."""


def main() -> None:
    """`python -m fettle.compat.cProfile`, whose arguments are sys.argv's."""
    from fettle.compat.profiled import main as command

    command(sys.argv[1:])


if __name__ == "__main__":
    main()
