# SPDX-License-Identifier: Apache-2.0
"""All that a recording holds, one report below the other, and once what must be known of them."""

from fettle import _core
from fettle.problem import CHECK_FAILED, Problem
from fettle.report import flat, lines, names, notes, screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile, Stats


class Choice:
    """What of the calls and of the lines to show (None: nothing), and of which recording."""

    __slots__ = ("calls", "lines", "source")

    def __init__(
        self, calls: "flat.Choice | None", lines: "lines.Choice | None", source: str = ""
    ) -> None:
        self.calls = calls
        self.lines = lines
        self.source = source


def held(profile: "Profile | Stats") -> set[str]:
    """What there is to show: "calls", "lines". Of nothing at all there is an empty table, of what
    was asked for."""
    if isinstance(profile, _core.Stats):
        return {"calls"}
    has_calls = profile.totals().calls > 0
    if profile.lines():
        return {"calls", "lines"} if has_calls else {"lines"}
    asked_for = profile.meta().get("options", "")
    return {"lines"} if asked_for.startswith("lines") and not has_calls else {"calls"}


def show(
    profile: "Profile | Stats", choice: Choice, stream: "TextIO | None", remarks: list[str]
) -> None:
    """Prints the tables that are chosen. Problem if a named recording has no such thing."""
    if stream is None:
        return
    if choice.source:
        _check(profile, choice)
    said = [*remarks, *notes.sentences(profile)]
    if choice.calls:
        flat.page(profile, choice.calls, stream)
    if choice.lines and not isinstance(profile, _core.Stats):
        said = [*lines.show(profile, choice.lines, stream), *said]
    screen.sentences(said, stream)


def _check(profile: "Profile | Stats", choice: Choice) -> None:
    source = names.visible(choice.source)
    if choice.lines and (isinstance(profile, _core.Stats) or not profile.lines()):
        raise Problem(
            CHECK_FAILED,
            f"{source} has no lines; record some with `fettle run -l` or --lines=SEL.",
        )
    if choice.calls:
        need_calls(profile, choice.source)


def need_calls(profile: "Profile | Stats", source: str) -> None:
    """Problem if there are lines and no calls, for a report that is of the calls alone."""
    if "calls" not in held(profile):
        raise Problem(
            CHECK_FAILED,
            f"{names.visible(source) or 'the recording'} has lines only, no calls; record both with"
            " `fettle run -C -l`.",
        )
