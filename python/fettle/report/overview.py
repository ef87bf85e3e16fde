# SPDX-License-Identifier: Apache-2.0
"""All that a recording holds, one report below the other, and once what must be known of them."""

from fettle import _core
from fettle.problem import CHECK_FAILED, Problem
from fettle.report import flat, lines, memory, names, notes, screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile, Stats


NO_SAMPLES = "the recording has timings without any sample; measure again with `fettle time`."


class Choice:
    """What of the calls, of the lines and of the memory to show (None: nothing), whether to show
    the timings, and of which recording."""

    __slots__ = ("calls", "lines", "mem", "source", "timings")

    def __init__(
        self,
        calls: "flat.Choice | None",
        lines: "lines.Choice | None",
        source: str = "",
        mem: "memory.Choice | None" = None,
        timings: bool = False,
    ) -> None:
        self.calls = calls
        self.lines = lines
        self.mem = mem
        self.source = source
        self.timings = timings


def held(profile: "Profile | Stats") -> set[str]:
    """What there is to show: "calls", "lines", "mem", "timings". Of nothing there is an empty
    table, of what was asked for."""
    if isinstance(profile, _core.Stats):
        return {"calls"}
    found = {"calls"} if profile.totals().calls > 0 else set()
    if profile.lines():
        found.add("lines")
    if profile.heaps():
        found.add("mem")
    if profile.timings():
        found.add("timings")
    if found:
        return found
    asked_for = {word.partition("=")[0] for word in profile.meta().get("options", "").split()}
    return {"lines"} if "lines" in asked_for and "calls" not in asked_for else {"calls"}


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
    if choice.mem and not isinstance(profile, _core.Stats):
        said = [*memory.show(profile, choice.mem, stream), *said]
    if choice.timings and not isinstance(profile, _core.Stats):
        said = [*_show_timings(profile, stream), *said]
    screen.sentences(said, stream)


def _show_timings(profile: "Profile", stream: "TextIO") -> list[str]:
    """A table for each session of `fettle time`."""
    from fettle.report import timing
    from fettle.timing import saving

    sessions = saving.read(profile)
    for at, session in enumerate(sessions):
        if at > 0:
            screen.styled([("", "")], stream)
        timing.show(session, stream)
    return [] if sessions else [NO_SAMPLES]


def _check(profile: "Profile | Stats", choice: Choice) -> None:
    source = names.visible(choice.source)
    if choice.lines and (isinstance(profile, _core.Stats) or not profile.lines()):
        raise Problem(
            CHECK_FAILED,
            f"{source} has no lines; record some with `fettle run -l` or --lines=SEL.",
        )
    if choice.mem and not (choice.mem.parts == ("timeline",) and _has_spans(profile)):
        need_memory(profile, choice.source)
    if choice.calls:
        need_calls(profile, choice.source)


def _has_spans(profile: "Profile | Stats") -> bool:
    """Is there something for a timeline beside the memory?"""
    return not isinstance(profile, _core.Stats) and any(profile.spans())


def need_calls(profile: "Profile | Stats", source: str) -> None:
    """Problem if there are lines or memory and no calls, for a report that is of the calls."""
    found = held(profile)
    if "calls" not in found:
        if found == {"timings"}:
            raise Problem(
                CHECK_FAILED,
                f"{names.visible(source) or 'the recording'} has timings only, no calls; record"
                " these with `fettle run`.",
            )
        what, option = ("lines", "-l") if "lines" in found else ("memory", "-M")
        raise Problem(
            CHECK_FAILED,
            f"{names.visible(source) or 'the recording'} has {what} only, no calls; record both"
            f" with `fettle run -C {option}`.",
        )


def need_memory(profile: "Profile | Stats", source: str) -> "Profile":
    """The recording of a report of memory. Problem if none was recorded."""
    if isinstance(profile, _core.Stats) or not profile.heaps():
        raise Problem(
            CHECK_FAILED,
            f"{names.visible(source) or 'the recording'} has no memory; record it with"
            " `fettle run -M` or fettle.run(mem=True).",
        )
    return profile
