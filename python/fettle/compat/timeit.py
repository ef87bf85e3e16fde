# SPDX-License-Identifier: Apache-2.0
"""timeit by another import: the interface is timeit's own, and so are its numbers.

    from fettle.compat import timeit
    timeit.timeit("sorted(numbers)", "numbers = list(range(100))")

    python -m fettle.compat.timeit -s "numbers = list(range(100))" "sorted(numbers)"

timeit's are all functions, the template, the loop and the clock, and what is accepted, refused and
printed, each as in the Python that runs this. They work here with this module's names, so that
whoever sets timeit.template, timeit.default_repeat or timeit.Timer finds that it is heeded. Numbers
can be compared with timeit's, since it is the same code that takes them.

Ours is one option of the command line, --spread: how far the number can be believed.
"""

from __future__ import annotations

import timeit as _timeit
from types import FunctionType as _Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from timeit import Timer as Timer
    from timeit import _Timer
    from timeit import default_timer as default_timer
    from timeit import repeat as repeat
    from timeit import timeit as timeit
    from typing import Any

    default_repeat: int
    default_number: int

__all__ = list(_timeit.__all__)

if _timeit.__doc__ is not None:  # what -h prints
    __doc__ = f"""{_timeit.__doc__}
fettle.compat.timeit is that, and adds:

  --spread: a last line with the median, and between which values it lies with that certainty; and
            what made the runs differ, where they do. Comes before the statement.

To compare statements with each other: fettle time STATEMENT STATEMENT
"""

_SURE = 0.95
_NOISY = 0.05  # of the median: a wider range than that needs a reason
_TAKEN = 0.03  # of the time: a share that is worth a word
_UNITS = (("sec", 1.0), ("msec", 1e-3), ("usec", 1e-6), ("nsec", 1e-9))
_SHORT, _LONG = "nusrt", ("--number", "--unit", "--setup", "--repeat", "--target-time")


def _here(function: Any) -> Any:
    """A function of timeit's that works with the names of this module."""
    ours = _Function(
        function.__code__, globals(), function.__name__, function.__defaults__, function.__closure__
    )
    ours.__kwdefaults__ = function.__kwdefaults__
    ours.__qualname__ = function.__qualname__
    ours.__doc__ = function.__doc__
    ours.__dict__.update(function.__dict__)
    return ours


if not TYPE_CHECKING:

    def _methods(peer: type) -> dict[str, Any]:
        return {
            name: _here(value) for name, value in vars(peer).items() if isinstance(value, _Function)
        }

    def _globals() -> dict[str, Any]:
        """Where statements run that were given no namespace: in timeit's own, as ever."""
        return vars(_timeit)

    for _name, _value in vars(_timeit).items():
        if _name.startswith("__") or _name == "main":
            continue
        if isinstance(_value, _Function):
            _value = _here(_value)
        elif _name == "Timer":
            _more = {"__doc__": _value.__doc__, "__module__": __name__}
            _value = type(_name, (_value,), {**_methods(_value), **_more})
        globals().setdefault(_name, _value)
    del _name, _value, _more


def main(
    args: Sequence[str] | None = None,
    *,
    _wrap_timer: Callable[[_Timer], _Timer] | None = None,
) -> Any:
    """timeit's command line, and --spread. The exit code, or None.

    >>> main(["-n", "10", "-r", "1", "-u", "sec", "pass"])  # doctest: +ELLIPSIS
    10 loops, best of 1: ... sec per loop
    """
    import sys

    given = list(sys.argv[1:] if args is None else args)
    place = _place_of_spread(given)
    command = _here(_timeit.main)
    if place is None:
        return command(given, _wrap_timer=_wrap_timer)
    del given[place]
    from fettle.timing.stopwatch import stopwatch

    class Noted(Timer):
        """Notes what repeat() measured."""

        watch = stopwatch()
        each: list[float] = []  # noqa: RUF012  (one run of the program, one class)

        def repeat(self, repeat: int = 0, number: int = 0) -> list[float]:
            with self.watch:
                timings = super().repeat(repeat, number)
            self.each[:] = [timing / number for timing in timings]
            return timings

    noted = _Function(command.__code__, {**globals(), "Timer": Noted}, "main")
    code = noted(given, _wrap_timer=_wrap_timer)
    if Noted.each:
        print(_spread(sorted(Noted.each), Noted.watch))
    return code


def _place_of_spread(args: Sequence[str]) -> int | None:
    """Where --spread stands before the statement, if it does."""
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] not in ("-", "--"):
        option = args[at]
        if option == "--spread":
            return at
        if option.startswith("--"):
            takes = "=" not in option and any(long.startswith(option) for long in _LONG)
        else:  # the first letter that takes a value has the rest for it
            value = next((i for i, letter in enumerate(option) if letter in _SHORT), None)
            takes = value == len(option) - 1
        at += 2 if takes else 1
    return None


def _spread(each: list[float], watch: Any) -> str:
    """What the line says of seconds per loop, in order."""
    import statistics

    median = statistics.median(each)
    outside, sure = _interval(len(each))
    low, high = each[outside], each[-1 - outside]
    scale, unit = next(((size, name) for name, size in _UNITS if median >= size), (1e-9, "nsec"))
    text = f"median {median / scale:.3g} {unit} per loop"
    if len(each) > 1:
        text += f", {low / scale:.3g} to {high / scale:.3g} ({100 * sure:.0f} % certain)"
    if high - low > _NOISY * median:
        text += f"; {_cause(watch.wall, watch.cpu, watch.waiting)}"
    return text


def _interval(count: int) -> tuple[int, float]:
    """How many of so many runs are outside at each end of the interval of the median, and how
    certain that is: each run is above the median, or below, as a coin falls.

    >>> _interval(5), _interval(20)
    ((0, 0.9375), (5, 0.9586105346679688))
    """
    from math import comb

    outside, sure, tail = 0, 0.0, 0
    for least in range((count + 1) // 2):
        tail += comb(count, least)
        certain = 1 - 2 * tail / 2**count
        if least and certain < _SURE:
            break
        outside, sure = least, certain
    return outside, sure


def _cause(wall: float, cpu: float, waiting: float) -> str:
    """Why runs differ.

    >>> _cause(10.0, 6.0, 0.0)
    'the runs differ: other programs had the CPU for 40 % of the time'
    >>> _cause(10.0, 6.0, 4.0)
    'the runs differ: it waited for 40 % of the time'
    """
    displaced = max(wall - cpu - waiting, 0.0)
    if displaced > _TAKEN * wall and displaced >= waiting:
        why = f"other programs had the CPU for {100 * displaced / wall:.0f} % of the time"
    elif waiting > _TAKEN * wall:
        why = f"it waited for {100 * waiting / wall:.0f} % of the time"
    else:
        why = "it had the CPU all the time, so the CPU's own speed or its caches varied"
    return f"the runs differ: {why}"


if __name__ == "__main__":
    from fettle.cli import stand_in

    stand_in(main)
