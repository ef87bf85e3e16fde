# SPDX-License-Identifier: Apache-2.0
"""Units of time: each number in the one that fits it, or all in the one that was asked for."""

import math

from fettle.problem import USAGE, Problem

NANOSECONDS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
_ROUNDS_UP = 0.99995  # of a unit: 999.95us are 1.00ms
_RESOLVED = 1e3  # ns: what a number in a unit of one's own shows at least


class Unit:
    """How times are written.

    >>> Unit().cell(4022648200), Unit().cell(760900)
    ('4.02s', '760.9us')
    >>> Unit("ms").cell(760900), Unit("1e-3").cell(760900)
    ('0.761', '0.761')
    """

    __slots__ = ("_decimals", "_size", "note")

    def __init__(self, word: str | None = None) -> None:
        self.note = ""
        self._size = 0.0
        self._decimals = 0
        if word is not None:
            self.note = f"times in {word if word in NANOSECONDS else f'units of {word} s'}"
            self._size = _size(word)
            places = math.ceil(math.log10(self._size / _RESOLVED))
            self._decimals = 0 if self._size == 1.0 else max(1, places)

    def cell(self, nanoseconds: float) -> str:
        """A time as a column has it."""
        if self._size:
            return f"{nanoseconds / self._size:.{self._decimals}f}"
        if nanoseconds < _ROUNDS_UP * 1e3:
            return f"{nanoseconds:.0f}ns"
        size, name = _fitting(nanoseconds)
        value = nanoseconds / size
        return f"{value:.2f}{name}" if value < 9.995 else f"{value:.1f}{name}"


def total(nanoseconds: int) -> str:
    """A time as a heading has it: 6.054 s."""
    size, name = _fitting(nanoseconds)
    return f"{nanoseconds / size:.{0 if name == 'ns' else 3}f} {name}"


class Scale:
    """The unit and the figures in which a time is written with three of them, for this one and for
    others beside it, such as the ends of its interval.

    >>> of = Scale(1424.0)
    >>> of.text(1424.0), of.number(1397.0), of.number(1452.0), Scale(14.0).text(14.0)
    ('1.42 us', '1.40', '1.45', '14.0 ns')
    """

    __slots__ = ("_decimals", "_size", "name")

    def __init__(self, nanoseconds: float) -> None:
        self._size, self.name = _fitting(nanoseconds)
        value = nanoseconds / self._size
        self._decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0

    def number(self, nanoseconds: float) -> str:
        """Without the unit."""
        return f"{round(nanoseconds / self._size, self._decimals) + 0.0:.{self._decimals}f}"

    def text(self, nanoseconds: float) -> str:
        """With the unit."""
        return f"{self.number(nanoseconds)} {self.name}"


def moment(seconds: float) -> str:
    """When, or how long, to a millisecond; below that with three figures.

    >>> moment(6.02), moment(0.000282), moment(0.0)
    ('6.020 s', '282 us', '0.000 s')
    """
    if not 0 < seconds < _ROUNDS_UP * 1e-3:
        return f"{seconds:.3f} s"
    return Scale(1e9 * seconds).text(1e9 * seconds)


def _fitting(nanoseconds: float) -> tuple[float, str]:
    """The largest unit of which there is one at least, once the number is rounded."""
    if nanoseconds < _ROUNDS_UP * 1e6:
        return (1e3, "us") if nanoseconds >= _ROUNDS_UP * 1e3 else (1.0, "ns")
    return (1e9, "s") if nanoseconds >= _ROUNDS_UP * 1e9 else (1e6, "ms")


def _size(word: str) -> float:
    """In nanoseconds; a number is one of seconds, as kernprof takes it."""
    if word in NANOSECONDS:
        return NANOSECONDS[word]
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 1e-12 <= seconds <= 1e6:
        raise Problem(
            USAGE, f"-u needs s, ms, us, ns or a number of seconds such as 1e-3, not {word!r}."
        )
    return seconds * 1e9
