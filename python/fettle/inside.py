# SPDX-License-Identifier: Apache-2.0
"""fettle.run: a program records a part of itself.

Nothing in here is recorded itself: a decorated function is called by its caller, not by a wrapper.
"""

import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

from fettle import _core, frames

if TYPE_CHECKING:
    from typing import Never, TextIO, TypeAlias

    from fettle.diffing.side import Side
    from fettle.report import flat
    from fettle.report.unit import Unit

    Recorded: TypeAlias = "Run | _core.Profile | str | os.PathLike[str]"

F = TypeVar("F", bound=Callable[..., Any])

# What view() takes of the memory, and the report it is in.
OF_MEMORY = {
    "mem": "mem",
    "peak": "mem",
    "alive": "mem",
    "total": "mem",
    "temporary": "mem",
    "objects": "objects",
    "timeline": "timeline",
}

_core.leave_out(__file__)


class Run(_core.Recorder):
    """A recording of the program that makes it: exact calls, lines, memory, or several of these, in
    all threads, while it is on. Without a word which, it is calls.

    lines=True: the lines of all that @fettle.lines marks. Or a list of what is meant: functions,
    classes, modules, and selectors as `fettle run --lines=SEL` takes them.

    mem=True: all that Python allocates, by line; mem="sample": an estimate that costs less. frames:
    how many lines of the way to an allocation are kept, 1 to 128 (1; with calls 32).

    As a context manager, as a decorator, or with start() and stop(). What was recorded adds up, so
    a decorated function has one recording of all its calls; clear() forgets it. Recordings may
    overlap in any way and in any threads: each sees its own span.

    builtins=False leaves C functions out; max_nodes is how many call paths are kept apart.
    RuntimeError when no hook is free; on 3.11 that is when another tool profiles this thread.

    >>> import fettle
    >>> def work():
    ...     return sorted(range(10), key=lambda n: -n)
    >>> with fettle.run(calls=True) as recording:
    ...     result = work()
    >>> [(row.name, row.calls) for row in recording.stats() if row.name == "work"]
    [('work', 1)]
    >>> with fettle.run(lines=[work]) as recording:
    ...     result = work()
    >>> [(name, calls) for file, line, name, qualname, calls, rows in recording.profile().lines()]
    [('work', 1)]
    >>> with fettle.run(mem=True) as recording:
    ...     result = bytearray(1_000_000)
    >>> max(row.alive_bytes for row in recording.profile().sites()) // 1_000_000
    1
    """

    def __init__(
        self,
        *,
        calls: bool | None = None,
        lines: bool | Iterable[object] = False,
        mem: bool | Literal["sample"] = False,
        frames: int | None = None,
        builtins: bool = True,
        max_nodes: int = 2_000_000,
    ) -> None:
        wanted = [] if isinstance(lines, bool) else _listed(lines)
        has_lines = lines is True or bool(wanted)
        if not (calls is None or isinstance(calls, bool)):
            raise ValueError(f"calls needs True, False or None, not {calls!r}")
        has_calls = not (has_lines or mem) if calls is None else calls
        if not (has_calls or has_lines or mem):
            raise ValueError(
                "without calls, lines and mem it records nothing: leave calls=False out"
            )
        super().__init__(
            calls=has_calls,
            lines=has_lines,
            mem=_checked(mem),
            frames=_frames(frames, has_calls, mem),
            marks=lines is True,
            builtins=builtins,
            max_nodes=max_nodes,
        )
        self._options = " ".join(
            ["calls"] * has_calls + ["lines"] * has_lines + ["mem"] * bool(mem)
        )
        for each in wanted:
            self._watch(each)

    def __new__(
        cls,
        *function: "Never",
        calls: bool | None = None,
        lines: bool | Iterable[object] = False,
        mem: bool | Literal["sample"] = False,
        frames: int | None = None,
        builtins: bool = True,
        max_nodes: int = 2_000_000,
    ) -> Self:
        if function:
            raise TypeError("write @fettle.run(): the decorator is what fettle.run() gives")
        return super().__new__(cls)

    def _watch(self, wanted: object) -> None:
        if not isinstance(wanted, str):
            self.mark(wanted)
            return
        from fettle import selectors

        for selector in selectors.absolute(wanted):
            self.select(selector)

    def __repr__(self) -> str:
        """What it records, and whether it is on; view() prints what was recorded."""
        what = self._options.replace(" ", ", ")
        return f"<fettle.run of {what}: {'on' if self.active else 'off'}>"

    def __call__(self, function: F) -> F:
        """Decorates a function, coroutine function or generator function: the recording is on while
        it runs. The recording is its attribute `recording`.

        >>> import fettle
        >>> @fettle.run()
        ... def double(n):
        ...     return n + n
        >>> double(3) + double(4)
        14
        >>> [row.calls for row in double.recording.stats() if row.name == "double"]
        [2]
        """
        return _decorated(self, function)

    def profile(self) -> _core.Profile:
        """What was recorded so far; the recording goes on."""
        profile = super().profile()
        profile.set_meta("recorded", "inside")
        profile.set_meta("options", self._options)
        return profile

    def stats(self) -> list[_core.FunctionRow]:
        """One tuple for each function, in no order: file, line, name, qualname, calls, primitive
        (calls), own and cumulative (seconds), own_waiting and cumulative_waiting (the part of these
        that was waiting), own_awaited and cumulative_awaited (beside these: coroutines suspended).
        """
        return self.profile().functions()

    def view(
        self,
        what: str = "",
        *,
        of: str = "",
        sort: str = "cumulative",
        rows: int | None = None,
        within: str = "",
        fold: float = 1.0,
        unit: str | None = None,
        file: "TextIO | None" = None,
    ) -> None:
        """Prints what `fettle view` prints, to file (stdout): "calls", "lines", "mem" (without a
        word: what there is of them), "objects", "timeline", "tree" (of the calls, or of the memory
        if there are none), "callers" or "callees" of the functions that `of` means. The memory may
        also be asked for by its order: "peak" (as "mem"), "alive", "total" or "temporary".
        rows: how many (30; of the tree 60; 0: all); within: a glob of files or modules; fold:
        percent of all time below which the tree is folded; unit: "s", "ms", "us", "ns" for the
        times of lines. ValueError for what there is not."""
        from fettle.problem import Problem
        from fettle.report import flat, order
        from fettle.report.unit import Unit

        if rows is None:
            rows = 60 if what == "tree" else 30
        _check_rows(rows)
        try:
            choice = flat.Choice(key=order.find(sort), rows=rows, within=within)
            out = sys.stdout if file is None else file
            profile = _with_sources(self.profile())
            if what in {"", "calls", "lines", *OF_MEMORY}:
                _show_tables(profile, what, choice, Unit(unit), out)
            else:
                _show(profile, what, of, fold / 100, choice, out)
        except Problem as problem:
            raise ValueError(problem.sentence) from None

    def diff(
        self,
        other: "Recorded | list[Recorded]",
        what: str = "",
        *,
        rows: int = 30,
        sort: str = "",
        within: str = "",
        file: "TextIO | None" = None,
    ) -> None:
        """Prints what `fettle diff` prints, to file (stdout): what changed from other, which is a
        recording, the path of one, or a list of several that are runs of the same, to this. what:
        "calls", "lines", "mem", "objects" (without a word: all that both hold). sort: "calls",
        "hits", "own", "cumulative", "waiting", and of the memory "peak", "alive" or "total"; rows
        and within as in view(). ValueError for what can not be compared.

        >>> import fettle, io
        >>> with fettle.run() as old:
        ...     text = repr(1)
        >>> with fettle.run() as new:
        ...     text = repr(1) + repr(2)
        >>> out = io.StringIO()
        >>> new.diff(old, "calls", within="builtins", file=out)
        >>> out.getvalue().partition(";")[0]
        'the other -> this: calls 1 -> 2 (+1, +100.0 %)'
        """
        from fettle.diffing import comparing
        from fettle.problem import Problem

        _check_rows(rows)
        out = sys.stdout if file is None else file
        others = other if isinstance(other, list) else [other]
        try:
            sides = _side(others, "the other"), _side([self], "this")
            comparing.show(*sides, what, sort, rows, within, out)
        except Problem as problem:
            raise ValueError(problem.sentence) from None

    def html(self, path: "str | os.PathLike[str]", *, sources: bool = True) -> None:
        """Writes what was recorded so far to path, one HTML file for a browser. sources=False
        leaves out the text of the program's files. A recording, or source of what was recorded,
        stays as it is: ValueError says so. OSError when path can not be written."""
        from fettle.html import document, payload
        from fettle.html import sources as texts
        from fettle.problem import Problem

        profile = self._described()
        if sources:
            texts.add(_with_cells(profile))
        found = payload.collect(profile, "recording", has_sources=sources, has_cost=not self.active)
        try:
            document.write(os.fspath(path), found, [profile])
        except Problem as problem:
            if isinstance(problem.__cause__, OSError):
                raise problem.__cause__ from None
            raise ValueError(problem.sentence) from None

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from fettle.html import document

        return document.embedded(_with_cells(self._described()))

    def _described(self) -> _core.Profile:
        """With sources and with what a saved recording says of itself."""
        profile = _with_sources(self.profile())
        for key, value in _properties(self._options).items():
            profile.set_meta(key, value)
        return profile

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Writes what was recorded so far to path, a .fettle file. A recording that stands there
        becomes NAME.prev.fettle; any other file stays, and OSError says so, as it does, with errno,
        when path can not be written."""
        from fettle import output

        output.save(self._described(), path)


def _checked(mem: object) -> bool | Literal["sample"]:
    if mem == "sample":
        return "sample"
    if isinstance(mem, bool):
        return mem
    raise ValueError(f'mem needs True, False or "sample", not {mem!r}')


def _frames(asked: int | None, has_calls: bool, mem: object) -> int:
    if asked is None:
        return frames.WITH_CALLS if mem and has_calls else 1
    if not mem:
        raise ValueError("frames is about memory; add mem=True")
    if not isinstance(asked, int) or not 1 <= asked <= frames.MOST:
        raise ValueError(f"frames needs a number from 1 to {frames.MOST}, not {asked!r}")
    return asked


def _check_rows(rows: object) -> None:
    if not isinstance(rows, int) or rows < 0:
        raise ValueError(f"rows needs a whole number from 0 (all), not {rows!r}")


def _listed(lines: Iterable[object]) -> list[object]:
    if isinstance(lines, str) or not isinstance(lines, Iterable):
        raise TypeError("lines needs True or a list of functions, classes, modules and selectors")
    found = [each.__name__ if isinstance(each, ModuleType) else each for each in lines]
    for each in found:
        is_descriptor = hasattr(type(each), "__get__")  # such as a property
        if not (each if isinstance(each, str) else callable(each) or is_descriptor):
            raise TypeError(
                f"lines needs functions, classes, modules and selectors, and {each!r} is none"
            )
    return found


def _with_sources(profile: _core.Profile) -> _core.Profile:
    """linecache knows the source of notebooks, doctests and generated code too."""
    import linecache

    from fettle import sourcetext

    for file in sourcetext.wanted(profile):
        text = "".join(linecache.getlines(file))
        if text:
            profile.set_source(file, text)
    return profile


def _with_cells(profile: _core.Profile) -> _core.Profile:
    """With the text of hot functions that no file holds: a notebook's cells, a doctest."""
    import linecache

    from fettle.html import sources

    for file in sources.hot(profile):
        text = "" if os.path.exists(file) else "".join(linecache.getlines(file))
        if text:
            profile.set_source(file, text)
    return profile


def _show_tables(
    profile: _core.Profile, what: str, choice: "flat.Choice", unit: "Unit", file: "TextIO"
) -> None:
    from fettle.report import lines, memory, overview, sitelines

    shown = {OF_MEMORY.get(what, what)} if what else overview.held(profile)
    if what in OF_MEMORY:
        overview.need_memory(profile, "")
    of_lines = lines.Choice(rows=choice.rows, within=choice.within, unit=unit)
    both = overview.Choice(
        choice if "calls" in shown else None,
        of_lines if "lines" in shown else None,
        mem=memory.Choice(
            rows=choice.rows,
            kind=what if what in sitelines.KINDS else "peak",
            within=choice.within,
            parts=tuple(shown),
        )
        if shown & {*OF_MEMORY.values()}
        else None,
        timings="timings" in shown,
    )
    overview.show(profile, both, file, [])


def _show(
    profile: _core.Profile, what: str, of: str, fold: float, choice: "flat.Choice", file: "TextIO"
) -> None:
    from fettle.report import calltree, memory, neighbours, overview, sitetree

    if what == "tree" and 0.0 <= fold <= 1.0 and overview.held(profile) == {"mem"}:
        paths = memory.Choice(choice.rows, within=choice.within)
        sitetree.show(profile, fold, paths, file, [])
    elif what == "tree" and 0.0 <= fold <= 1.0:
        calltree.show(profile, fold, choice, file, [])
    elif what == "tree":
        raise ValueError(f"fold needs a percentage from 0 to 100, not {fold * 100:g}")
    elif what in {"callers", "callees"}:
        neighbours.show(profile, of, what == "callers", choice, file, [])
    else:
        raise ValueError(
            f'there is no view {what!r}: ask for "calls", "lines", "mem", "objects",'
            ' "timeline", "tree", "callers", "callees"'
        )


def _side(recorded: "list[Recorded]", name: str) -> "Side":
    """One side of a comparison."""
    from fettle import recording, runs
    from fettle.diffing.side import Side

    found: list[_core.Profile | _core.Stats] = []
    for each in recorded:
        if isinstance(each, Run):
            found.append(_with_sources(each.profile()))
        elif isinstance(each, _core.Profile):
            found.append(each)
        else:
            name = os.fspath(each)
            found += runs.apart(recording.open_all([name]))
    if not found:
        raise ValueError("the list of recordings to compare with is empty: name one at least")
    return Side(name, found)


def _properties(options: str) -> dict[str, str]:
    from fettle import properties

    return properties.gather(sys.orig_argv, options) | {"state": "ended"}


def _decorated(run: Run, function: F) -> F:
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(_decorated(run, function.__func__))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"fettle.run decorates functions, and {function!r} is none")
    import functools

    wrapper = functools.wraps(function)(_wrapper(run, function))
    wrapper.recording = run  # type: ignore[attr-defined]
    return cast(F, wrapper)


def _wrapper(run: Run, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind that has the recording on while `function` runs."""
    import inspect

    if inspect.iscoroutinefunction(function):

        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            run.start()
            try:
                return await function(*args, **kwargs)
            finally:
                run.pause()

        return coroutine

    if inspect.isasyncgenfunction(function):
        return _async_generator(run, function)

    if inspect.isgeneratorfunction(function):

        def generator(*args: Any, **kwargs: Any) -> Any:
            run.start()
            try:
                return (yield from function(*args, **kwargs))
            finally:
                run.pause()

        return generator

    def plain(*args: Any, **kwargs: Any) -> Any:
        run.start()
        try:
            return function(*args, **kwargs)
        finally:
            run.pause()

    return plain


def _async_generator(run: Run, function: Callable[..., Any]) -> Callable[..., Any]:
    async def generator(*args: Any, **kwargs: Any) -> Any:
        run.start()
        try:
            inner = function(*args, **kwargs)
            step: Any = inner.asend(None)
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    step = inner.athrow(error)
                else:
                    step = inner.asend(sent)
        finally:
            run.pause()

    return generator
