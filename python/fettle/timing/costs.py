# SPDX-License-Identifier: Apache-2.0
"""fettle.costs(): what the common constructs cost on this machine and this interpreter."""

from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from fettle.problem import CHECK_FAILED, Problem
from fettle.report.names import visible
from fettle.timing.construct import Construct
from fettle.timing.constructs import constructs
from fettle.timing.figures import Figure, Kept
from fettle.timing.interpreters import Interpreter, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fettle.timing.pricing import Progress

NEAR = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of a construct: the median of its samples, and the 95 % interval of that. spread:
    of the samples, as a share of the median. ratio: to the base of its group; None without one."""

    group: str
    name: str
    nanoseconds: float
    low: float
    high: float
    statement: str
    spread: float
    ratio: float | None


class Costs:
    """Prices by name, in the order of the table. str() is the table.

    interpreter: what was measured. measured: when the oldest of the figures was, in seconds since
    the epoch. skipped: why there are no figures, by name: what this interpreter lacks. notes:
    sentences, such as that the figures could not be kept.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        figures: dict[Construct, Figure],
        shown: "list[Construct]",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.interpreter = interpreter
        self.notes = notes
        self.measured = min((figures[each].when for each in shown), default=0.0)
        self.skipped = {c.name: figures[c].skipped for c in shown if figures[c].skipped}
        self._costs = {
            each.name: _cost(each, figures) for each in shown if not figures[each].skipped
        }

    def __iter__(self) -> "Iterator[Cost]":
        return iter(self._costs.values())

    def __len__(self) -> int:
        return len(self._costs)

    def __contains__(self, name: object) -> bool:
        return name in self._costs

    def __getitem__(self, name: str) -> Cost:
        found = self._costs.get(name)
        if found is None:
            raise KeyError(f"no price of {name!r}{_near(name, list(self._costs), parts=False)}.")
        return found

    def get(self, name: str) -> Cost | None:
        """None for a name that is not in the table."""
        return self._costs.get(name)

    def table(self) -> str:
        """As `fettle costs` prints it."""
        from fettle.report.costs import text

        return text([self])

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<fettle.costs: {len(self)} constructs on Python {self.interpreter.number}>"


def costs(pattern: str | None = None, *, again: bool = False) -> Costs:
    """What the common constructs cost on this machine and this interpreter, in nanoseconds.

    Figures are kept: only the first call takes its time, up to 15 seconds for all (again=True
    measures anew). pattern, a glob or a part of names or groups, keeps the others out.

    ValueError for a pattern that means none; RuntimeError where nothing could be measured.

    >>> import fettle
    >>> price = fettle.costs("dict")["dict[key], hit"]
    >>> price.group, price.statement, price.low <= price.nanoseconds <= price.high
    ('dict', 'd[k]', True)
    """
    try:
        return priced(own(), pattern or "", again)
    except Problem as problem:
        kind = ValueError if problem.code == CHECK_FAILED else RuntimeError
        raise kind(problem.sentence) from None


def priced(
    interpreter: Interpreter,
    pattern: str = "",
    again: bool = False,
    seconds: float | None = None,
    progress: "Progress" = lambda share: None,
) -> Costs:
    """The prices that pattern means, on an interpreter; what is not kept yet is measured."""
    every = constructs()
    shown = selected(every, pattern)
    kept = Kept(interpreter)
    groups = {each.group for each in shown}
    needed = [each for each in every if each in shown or (each.is_base and each.group in groups)]
    missing = [each for each in needed if again or kept.get(each) is None]
    figures = {each: figure for each in needed if (figure := kept.get(each)) is not None}
    if missing:
        from fettle.timing.pricing import measure

        new = measure(interpreter, missing, seconds, progress)
        kept.add(new)
        figures.update(new)
    return Costs(interpreter, figures, shown, (kept.trouble,) if kept.trouble else ())


def selected(every: tuple[Construct, ...], pattern: str) -> list[Construct]:
    """Those whose name or group a pattern means: as a part, or as a glob of the whole. Problem."""
    low = pattern.lower()
    shown = [each for each in every if _means(low, each.name) or _means(low, each.group)]
    if not shown:
        known = list(dict.fromkeys(text for each in every for text in (each.group, each.name)))
        near = _near(pattern, known, parts=True) or "; `fettle costs` lists them all"
        raise Problem(CHECK_FAILED, f"no construct is called {visible(pattern)!r}{near}.")
    return shown


def _means(pattern: str, text: str) -> bool:
    return pattern in text.lower() or fnmatchcase(text.lower(), pattern)


def _near(word: str, known: list[str], parts: bool) -> str:
    """; near: names that word may stand for. parts: one of their words will do as well."""
    spelled = {name.lower(): name for name in known}
    for name in known:
        for part in name.lower().replace(",", " ").split():
            spelled.setdefault(part, part if parts else name)
    found = get_close_matches(word.lower(), spelled, n=NEAR)
    names = dict.fromkeys(spelled[each] for each in found)
    return f"; near: {', '.join(map(repr, names))}" if names else ""


def _cost(construct: Construct, figures: dict[Construct, Figure]) -> Cost:
    figure = figures[construct]
    base = next(f for c, f in figures.items() if c.group == construct.group and c.is_base)
    return Cost(
        construct.group,
        construct.name,
        figure.nanoseconds,
        figure.low,
        figure.high,
        construct.statement,
        figure.spread,
        figure.nanoseconds / base.nanoseconds if base.nanoseconds > 0 else None,
    )
