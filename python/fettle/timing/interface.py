# SPDX-License-Identifier: Apache-2.0
"""fettle.time: how long code takes, and which of several is faster."""

import sys

from fettle.problem import USAGE, Problem
from fettle.timing import statements
from fettle.timing.collect import collect
from fettle.timing.options import BUDGET, TIMEOUT, Options
from fettle.timing.processes import Processes, Unprepared
from fettle.timing.series import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from fettle.timing.options import Callback
    from fettle.timing.series import Source
    from fettle.timing.statements import Candidate
    from fettle.timing.timing import Timing


def time(
    *candidates: "str | Callable[..., object]",
    setup: str = "pass",
    args: "Sequence[object]" = (),
    kwargs: "Mapping[str, object] | None" = None,
    globals: "dict[str, Any] | None" = None,
    n: int = 0,
    clock: str = "auto",
    processes: int | None = None,
    gc: bool = False,
    memory: bool = False,
    precision: float = 0.01,
    timeout: float = TIMEOUT,
    budget: float = BUDGET,
    counters: bool = True,
    seed: int | None = None,
    progress: "Callback | None" = None,
) -> "Timing":
    """How long each candidate takes, and which is faster. Times are seconds a call.

    A candidate is a statement (which may await), a function or a coroutine function, called with
    args and kwargs. They take turns in a random order; the empty loop is measured beside them and
    subtracted. setup is run before each sample, and its names are local variables of the
    statements.

    Statements, and functions that can be imported by name, are measured in fresh processes, one
    after the other, because hash seeds and places in memory are luck; all others, and statements
    with globals, in this one, as with processes=0. What a process of its own prints is thrown away.

    It measures until the answer is known to within precision (0.01: 1 %) or for budget seconds.
    n is the number of calls a sample, if you do not want it chosen. clock: "cpu", "wall", or
    "auto", which is the CPU's unless a candidate waits or computes in several threads. Garbage is
    not collected meanwhile, but for gc=True. memory=True: what one call allocates, too. timeout:
    seconds without a sample after which a process is stopped, or, in this one, a call on the main
    thread interrupted by SIGALRM, where nobody else uses that signal.

    ValueError and TypeError for what cannot be measured; RuntimeError where a candidate raised
    (whose exception is its cause, in this process) or ended its process.

    >>> import fettle
    >>> t = fettle.time("[0 for _ in range(1000)]", "[0] * 1000")
    >>> t.verdict, t.ratio > 3
    ('faster', True)
    >>> def slow(): return sum(range(3000))
    >>> def fast(): return sum(range(100))
    >>> t = fettle.time(slow, fast, precision=0.05)
    >>> t.verdict, t.median > 0
    ('faster', True)
    """
    options = Options(
        precision=precision,
        clock=clock,
        loops=n,
        processes=processes,
        timeout=timeout,
        budget=budget,
        gc=gc,
        memory=memory,
        counters=counters,
        seed=seed,
    )
    try:
        return measure(
            candidates, setup, options, progress, args=args, kwargs=kwargs, names=globals
        )
    except Problem as problem:
        kind = ValueError if problem.code == USAGE else RuntimeError
        raise kind(problem.sentence) from problem.__cause__


def measure(
    given: "Sequence[object]",
    setup: str = "pass",
    options: Options = Options(),  # noqa: B008 (it is frozen)
    progress: "Callback | None" = None,
    *,
    args: "Sequence[object]" = (),
    kwargs: "Mapping[str, object] | None" = None,
    names: "dict[str, Any] | None" = None,
) -> "Timing":
    """fettle.time for the command line: what goes wrong is a Problem."""
    options.check()
    candidates = _candidates(given, setup, args, kwargs or {})
    labels = [each.label for each in candidates]
    found = None if names is not None or options.processes == 0 else _names(candidates)
    if found is not None:
        try:
            source: Source = Processes(candidates, options, found)
            return collect(source, labels, options, progress)
        except Unprepared as why:
            if options.processes:
                raise Problem(
                    USAGE,
                    f"a fresh process cannot measure {_either(labels)}: {why}; processes=0 measures"
                    " in this one.",
                ) from None
    elif options.processes and names is not None:
        raise Problem(
            USAGE, "globals are in this process and processes in others; leave one of them out."
        )
    elif options.processes:
        raise Problem(
            USAGE,
            f"a fresh process cannot import {_either(labels)} by name; leave processes out, or"
            " give it a function of a module.",
        )
    from fettle.timing.inprocess import InProcess

    return collect(InProcess(candidates, options, names), labels, options, progress)


def _candidates(
    given: "Sequence[object]",
    setup: object,
    args: "Sequence[object]",
    kwargs: "Mapping[str, object]",
) -> "list[Candidate]":
    if not given:
        raise Problem(USAGE, "there is nothing to time: give a statement or a function.")
    if not isinstance(setup, str):
        raise Problem(USAGE, f"setup needs a statement, not {type(setup).__name__}.")
    candidates = []
    for number, each in enumerate(given, 1):
        if isinstance(each, str):
            candidates.append(statements.of_statement(each, setup, number, len(given)))
        elif callable(each):
            candidates.append(statements.of_function(each, args, kwargs, setup, number))
        else:
            raise Problem(
                USAGE,
                f"only a statement (str) or a function can be timed, and {each!r} is neither;"
                " write a lambda around it."
                if not isinstance(each, bytes)
                else "a statement is a str, and these are bytes; decode them.",
            )
    if (args or kwargs) and all(isinstance(each, str) for each in given):
        raise Problem(USAGE, "args and kwargs are for functions; write them into the statement.")
    return candidates


def _names(candidates: "Sequence[Candidate]") -> "list[tuple[str, str] | None] | None":
    """By which name a fresh process imports each function; None: it cannot import them all."""
    found: list[tuple[str, str] | None] = []
    for each in candidates:
        name = None if each.function is None else _name(each.function)
        if each.function is not None and name is None:
            return None
        found.append(name)
    return found


def _name(function: object) -> tuple[str, str] | None:
    module = getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        return None
    loaded = sys.modules.get(module)
    if module == "__main__" or getattr(loaded, "__spec__", None) is None:
        return None
    at: object = loaded
    for name in qualname.split("."):
        at = getattr(at, name, None)
    return (module, qualname) if at is function else None


def _either(labels: "Sequence[str]") -> str:
    return " or ".join(f"`{short(label)}`" for label in labels)
