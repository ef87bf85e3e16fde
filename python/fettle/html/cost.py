# SPDX-License-Identifier: Apache-2.0
"""What recording cost: how many events there were, times what one takes on this machine.

One event is measured here and now, by a loop that is run with the recording on and off, so this is
said of recordings of this machine and this Python only. It is an estimate: what the caches of the
processor had to give way to is not in it.
"""

import sys
from functools import cache
from time import perf_counter

from fettle import _core
from fettle.report.size import grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle._core import Profile

EVENTS, ROUNDS = 5_000, 3
_NAMES = {"calls": ("call", "calls"), "lines": ("line", "lines"), "mem": ("block", "blocks")}


def text(profile: "Profile", may_measure: bool = True) -> str:
    """What the report says of it; "" where nothing was recorded. What is measured is recorded by
    whatever else records this process, so where a program reports on itself it is not."""
    counts = {kind: count for kind, count in events(profile).items() if count}
    counted = ", ".join(
        f"{grouped(count)} {_NAMES[kind][count != 1]}" for kind, count in counts.items()
    )
    if not counts:
        return ""
    if not may_measure:
        return f"not estimated: {counted} were recorded"
    if not _is_here(profile):
        return f"not estimated, for another machine or Python recorded {counted}"
    seconds = {kind: of_event(kind) for kind in counts}
    if any(one is None for one in seconds.values()):
        return f"not estimated, for another tool has the hooks: {counted} were recorded"
    whole = sum((seconds[kind] or 0.0) * count for kind, count in counts.items())
    each = [f"{(seconds[kind] or 0.0) * 1e9:.0f} ns a {_NAMES[kind][0]}" for kind in counts]
    return f"about {whole:.3f} s: {counted}, at {', '.join(each)} as measured just now"


def events(profile: "Profile") -> dict[str, int]:
    """How many of each kind. Of samples of memory it is not known.

    >>> events(_core.Profile())
    {'calls': 0, 'lines': 0, 'mem': 0}
    """
    heaps = [heap for heap in profile.heaps() if not heap.sample]
    return {
        "calls": profile.totals().calls,
        "lines": sum(row[1] for table in profile.lines() for row in table[5]),
        "mem": sum(heap.total_count for heap in heaps),
    }


def _is_here(profile: "Profile") -> bool:
    """This machine as it names itself, and this Python."""
    from fettle import properties

    meta, here = profile.meta(), properties.gather([], "")
    version = [each.get("python", "").partition(" ")[0] for each in (meta, here)]
    return meta.get("machine") == here["machine"] and version[0] == version[1]


@cache
def of_event(kind: str) -> float | None:
    """Seconds; None where no hook is free.

    >>> of_event("calls") >= 0
    True
    """
    if sys.getprofile() or sys.gettrace():
        return None
    try:
        recorder = _core.Recorder(
            calls=kind == "calls", lines=kind == "lines", mem=kind == "mem", one_thread=True
        )
        if kind == "lines":
            recorder.mark(_of_lines)
        return _measured(recorder, {"calls": _of_calls, "lines": _of_lines, "mem": _of_mem}[kind])
    except RuntimeError:
        return None


def _measured(recorder: _core.Recorder, work: "Callable[[], None]") -> float:
    plain = min(_took(work) for _ in range(ROUNDS))
    with recorder:
        recorded = min(_took(work) for _ in range(ROUNDS))
    return max(recorded - plain, 0.0) / EVENTS


def _took(work: "Callable[[], None]") -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _nothing() -> None:
    pass


def _of_calls() -> None:
    for _ in range(EVENTS):
        _nothing()


def _of_lines() -> None:
    for _ in range(EVENTS // 2):
        pass


def _of_mem() -> None:
    for _ in range(EVENTS):
        bytearray(16)
