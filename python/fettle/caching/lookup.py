# SPDX-License-Identifier: Apache-2.0
"""fettle.table: all answers of a function, computed beforehand.

The table itself is fettle._core.LookupTable. Here is what happens once: a domain is checked and
becomes a range or a tuple of members, the function's parameters are read, and a Plan tells the
table in which order to call, what to say of a wrong call, and shows progress.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import math
import reprlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from enum import EnumMeta
from typing import Any, Final, ParamSpec, TextIO, TypeVar

from fettle import _core
from fettle.report.size import amount, counted, read

_P = ParamSpec("_P")
_R = TypeVar("_R")

_MISSING: Final = object()
_UNSIZED_MOST = 1_000_000  # members taken from what has no len(): it may have no end
_DOMAINS_MOST = 64  # dimensions of a buffer
_ANSWER_BYTES = 8
_MEMBER_BYTES = 32  # of a domain that is no range: a reference, and its share of two indexes
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))
_PROGRESS_AFTER = 1.0  # seconds
_PROGRESS_EVERY = 0.1


def table(
    *domains: Iterable[Any] | type,
    default: object = _MISSING,
    compute: bool = False,
    lazy: bool = False,
    max_bytes: str | int = "256MB",
) -> Callable[[Callable[_P, _R]], _core.LookupTable[_P, _R]]:
    """A decorator: the function is called for every member of its domain, once, and a call of what
    it becomes is a look at a table.

    There is one domain for each parameter: a range (an array, the fastest), bool, an Enum, or any
    other finite iterable of hashable members. A call with anything else raises IndexError where
    all domains are ranges, else KeyError; or it gives default=; or, with compute=True, it calls the
    function. Members are what equals them, as in a dict: True, 1 and 1.0 are one.

    >>> import fettle
    >>> @fettle.table(range(8))
    ... def ones(n):
    ...     return bin(n).count("1")
    >>> ones(5)
    2
    >>> ones(9)
    Traceback (most recent call last):
    IndexError: ones(9) is outside of range(0, 8)

    The answers are computed at once, or with lazy=True at the first use. Who calls while they are
    computed gets those that are there already, else the function is called. If the function raises,
    so does the decorator, with a note of which member it was. Where it takes more than a second,
    a terminal shows how far it is.

    Answers that are all int (of 64 bits) or all float take 8 bytes each, and numpy.asarray(ones) or
    memoryview(ones) is their array, with one dimension for each domain. ones.values is a tuple of
    all answers, the last domain counting fastest; it is made when it is asked for, or at once where
    there are few (4096), and calls give its objects then. A call takes a third to a half of the
    time of one that functools.lru_cache answers; VALUES = ones.values and VALUES[n] is two to three
    times as fast again, where n is known to be in the range.

    >>> ones.values
    (0, 1, 1, 2, 1, 2, 2, 3)
    >>> memoryview(ones)[5]
    2

    Nothing of a table can be changed. In a class it acts like a static method. It is pickled by
    name, as a function.

    ValueError, TypeError: a domain without end, without members, with members that can not be
    hashed, or that would take more than max_bytes; a class, generator or coroutine function.
    """
    if default is not _MISSING and compute:
        raise ValueError(
            "fettle.table can not both give default= and call the function (compute=True) outside "
            "of its domain: leave one of them out"
        )
    most = _bytes(max_bytes)
    _check_given(domains)
    found = [_domain(given, number, most) for number, given in enumerate(domains, 1)]
    labels = tuple(label for _, label in found)
    members = tuple(members for members, _ in found)
    _check_size(" x ".join(labels), members, most)

    def decorate(function: Callable[_P, _R]) -> _core.LookupTable[_P, _R]:
        _check_function(function)
        names, defaults = _parameters(function, len(members))
        plan = Plan(function, members, labels, names)
        qualname = getattr(function, "__qualname__", plan.name)
        made = _core.LookupTable(
            function,
            members,
            names,
            defaults,
            _attributes(function),
            plan,
            f"<fettle.table {qualname} over {' x '.join(labels)}>",
            () if default is _MISSING else (default,),
            compute,
        )
        if not lazy:
            made._build()
        return made

    return decorate


class Plan:
    """What a table asks for now and then: the order of its members, and what to say."""

    __slots__ = ("domains", "function", "labels", "name", "names")

    def __init__(
        self,
        function: Callable[..., object],
        domains: tuple[range | tuple[Any, ...], ...],
        labels: tuple[str, ...],
        names: tuple[str | None, ...],
    ) -> None:
        self.function = function
        self.domains = domains
        self.labels = labels
        self.names = names
        self.name = _name(function)

    def members(self) -> Iterator[tuple[Any, ...]]:
        """The arguments of each call, the last domain counting fastest."""
        # zip: product would make a tuple of each domain, and there may be one long range.
        alone = len(self.domains) == 1
        members = zip(*self.domains, strict=True) if alone else itertools.product(*self.domains)
        if not _is_terminal(sys.stderr):
            return members
        total = math.prod(map(len, self.domains))
        return _shown(members, total, f"table of {self.name}", sys.stderr)

    def note(self, error: BaseException, arguments: tuple[Any, ...]) -> None:
        """Says on the exception which member it was."""
        text = f"fettle.table called {self._call(arguments)}, whose answer belongs into its table"
        name = getattr(self.function, "__name__", None)
        if isinstance(error, NameError) and error.name is not None and error.name == name:
            text += f"; {name} has no such name yet: lazy=True computes the answers when it has"
        error.add_note(text)

    def outside(self, arguments: tuple[Any, ...], position: int) -> Exception:
        """The exception for arguments of which the one at position is the first outside."""
        text = f"{self._call(arguments)} is outside of {self.labels[position]}"
        if len(self.domains) > 1:
            text += f", the domain of {self.names[position] or f'argument {position + 1}'}"
        ranges = all(isinstance(domain, range) for domain in self.domains)
        return IndexError(text) if ranges else KeyError(text)

    def misuse(self, arguments: tuple[Any, ...], names: tuple[str, ...]) -> Exception:
        """The exception for a call that has not one argument for each domain."""
        try:
            inspect.signature(self.function).bind(*arguments, **dict.fromkeys(names))
        except (TypeError, ValueError) as error:
            return TypeError(f"{self.name}(): {error}")
        return TypeError(
            f"{self.name}() was called with other arguments than its table has domains for "
            f"({' x '.join(self.labels)}): compute=True calls the function then"
        )

    def _call(self, arguments: tuple[Any, ...]) -> str:
        return f"{self.name}({', '.join(map(reprlib.repr, arguments))})"


# ---- domains ----


def _bytes(max_bytes: str | int) -> int:
    found = read(max_bytes) if isinstance(max_bytes, str) else max_bytes
    if found is None or isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise ValueError(
            f"fettle.table: max_bytes={max_bytes!r} is no size of memory: write "
            '"256MB", "16GB" or a number of bytes'
        )
    return found


def _check_given(domains: tuple[object, ...]) -> None:
    only = domains[0] if domains else None
    if not domains or (callable(only) and not isinstance(only, type) and not _is_iterable(only)):
        of = f" of {_name(only)}" if domains else ""
        raise TypeError(
            f"fettle.table needs a domain for each parameter{of}: write @fettle.table(range(256))"
        )
    if len(domains) > _DOMAINS_MOST:
        raise ValueError(
            f"fettle.table takes {_DOMAINS_MOST} domains at most, not {len(domains)}: join some of "
            "them to one whose members are tuples"
        )


def _domain(given: Any, number: int, most: int) -> tuple[range | tuple[Any, ...], str]:
    """Its members, and what messages call it."""
    where = f"domain {number} of fettle.table"
    if given is bool:
        return (False, True), "bool"
    if isinstance(given, range):
        if not given:
            raise _empty(where, given)
        return given, repr(given)
    if isinstance(given, type) and not isinstance(given, EnumMeta):
        raise TypeError(
            f"{where} is the class {given.__name__}, whose members can not be listed: give a range "
            "or a list of those that occur"
        )
    if not _is_iterable(given):
        hint = f"range({given})" if isinstance(given, int) else "a range or a list"
        raise TypeError(f"{where} is {reprlib.repr(given)}, which has no members: give {hint}")
    members = _members(given, where, most)
    if not members:
        raise _empty(where, given)
    return members, given.__name__ if isinstance(given, type) else reprlib.repr(members)


def _is_iterable(given: object) -> bool:
    return hasattr(type(given), "__iter__") or hasattr(type(given), "__getitem__")


def _empty(where: str, given: object) -> ValueError:
    return ValueError(f"{where}, {reprlib.repr(given)}, has no members: give one that has some")


def _members(given: Iterable[Any], where: str, most: int) -> tuple[Any, ...]:
    """Each once, in order, as the keys of a dict."""
    label = f"{where}, {reprlib.repr(given)},"
    size: int | None = None
    with contextlib.suppress(TypeError):
        size = len(given)  # type: ignore[arg-type]
    if size is not None:
        _check_bytes(label, size, size * _MEMBER_BYTES, most)
    found: dict[Any, None] = {}
    limit = _UNSIZED_MOST if size is None else max(size, _UNSIZED_MOST)
    for taken, member in enumerate(given):
        if taken == limit:
            raise ValueError(
                f"{label} did not end within {counted(limit, 'member')}: give a range, or a list"
            )
        try:
            hash(member)
        except TypeError as error:
            raise TypeError(
                f"{where} has the member {reprlib.repr(member)}, which can not be hashed "
                f"({error}): give hashable ones, a tuple for a list"
            ) from None
        found.setdefault(member)
    return tuple(found)


def _length(domain: range | tuple[Any, ...]) -> int:
    """len(), which a long range has not."""
    if isinstance(domain, range):
        return -((domain.start - domain.stop) // domain.step)
    return len(domain)


def _check_size(label: str, domains: tuple[range | tuple[Any, ...], ...], most: int) -> None:
    count = math.prod(map(_length, domains))
    listed = sum(len(domain) for domain in domains if not isinstance(domain, range))
    _check_bytes(label, count, count * _ANSWER_BYTES + listed * _MEMBER_BYTES, most)


def _check_bytes(label: str, count: int, needed: int, most: int) -> None:
    if needed <= most:
        return
    unit, name = next((unit, name) for unit, name in _UNITS if needed >= unit)
    enough = f"{-(-needed // unit)}{name}"
    raise ValueError(
        f"fettle.table: {label} has {counted(count, 'member')}, whose table would take "
        f'{amount(needed)} at least: give a smaller domain, or max_bytes="{enough}" if you mean it'
    )


# ---- the function ----


def _name(function: object) -> str:
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else reprlib.repr(function)


def _check_function(function: object) -> None:
    if isinstance(function, type):
        raise TypeError(
            f"fettle.table can not be made of {function.__name__}, a class: decorate a function"
        )
    if not callable(function):
        raise TypeError(
            f"fettle.table can not be made of {reprlib.repr(function)}, which can not be called: "
            "decorate a function"
        )
    plain = function.__func__ if isinstance(function, staticmethod) else function
    for one in (plain, getattr(plain, "__call__", None)):  # noqa: B004
        for asks, what in _UNFIT:
            if asks(one):
                raise TypeError(
                    f"fettle.table can not be made of {_name(function)}, {what} function, whose "
                    "answer can be used once only: decorate a function that returns its answer"
                )


_UNFIT: Final[tuple[tuple[Callable[[Any], bool], str], ...]] = (
    (inspect.isgeneratorfunction, "a generator"),
    (inspect.iscoroutinefunction, "a coroutine"),
    (inspect.isasyncgenfunction, "an asynchronous generator"),
)


def _parameters(
    function: Callable[..., object], domains: int
) -> tuple[tuple[str | None, ...], tuple[Any, ...]]:
    """The name that each parameter can be called by, and the defaults of the last ones."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a C function that does not say
        return (None,) * domains, ()
    placed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    more = domains - len(placed)
    if more < 0 or (more > 0 and all(p.kind is not p.VAR_POSITIONAL for p in parameters)):
        listed = f" ({', '.join(p.name for p in placed)})" if placed else ""
        raise ValueError(
            f"fettle.table was given {counted(domains, 'domain')}, but {_name(function)} takes "
            f"{counted(len(placed), 'argument')}{listed}: give one domain for each"
        )
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise ValueError(
                f"fettle.table can not call {_name(function)}, which needs its argument "
                f"{parameter.name} by name: give it a default, or let it be given by position"
            )
    names = [None if p.kind is p.POSITIONAL_ONLY else p.name for p in placed] + [None] * more
    defaults = [p.default for p in placed if p.default is not p.empty and not more]
    return tuple(names), tuple(defaults)


def _attributes(function: object) -> dict[str, Any]:
    """What functools.update_wrapper would set."""
    missing = object()
    found = {name: getattr(function, name, missing) for name in functools.WRAPPER_ASSIGNMENTS}
    found = {name: value for name, value in found.items() if value is not missing}
    return {**found, **getattr(function, "__dict__", {}), "__wrapped__": function}


# ---- progress ----


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except Exception:  # whatever a program put in the place of stderr
        return False


def _shown(
    members: Iterator[tuple[Any, ...]], total: int, what: str, stream: TextIO
) -> Iterator[tuple[Any, ...]]:
    """The same, with a progress bar when it takes long."""
    bar = None
    due = time.monotonic() + _PROGRESS_AFTER
    try:
        for done, arguments in enumerate(members):
            now = time.monotonic()
            if now >= due:
                due = now + _PROGRESS_EVERY
                bar = bar or _Bar(what, total, stream)
                bar.show(done)
            yield arguments
    finally:
        if bar is not None:
            bar.close()


class _Bar:
    """rich's, without its thread and its hold on the streams; nothing where rich does not do."""

    def __init__(self, what: str, total: int, stream: TextIO) -> None:
        self._progress: Any = None
        try:
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import Progress

            self._progress = Progress(
                console=Console(file=stream),
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._progress.add_task(escape(what), total=total)
            self._progress.start()
        except Exception:  # it is missing, or another display is on: the table matters more
            self._progress = None

    def show(self, done: int) -> None:
        self._quietly(lambda: self._progress.update(self._task, completed=done, refresh=True))

    def close(self) -> None:
        self._quietly(lambda: self._progress.stop())
        self._progress = None

    def _quietly(self, action: Callable[[], object]) -> None:
        if self._progress is None:
            return
        try:
            action()
        except Exception:
            self._progress = None
