# SPDX-License-Identifier: Apache-2.0
"""What was run, where, when, and what recording it cost: labels and texts ready to show."""

from fettle import runs
from fettle.html import cost
from fettle.html.naming import Side
from fettle.report.names import visible
from fettle.report.size import counted, grouped
from fettle.report.table import thread_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

WORDS = {
    "Command": "command",
    "Folder": "cwd",
    "Interpreter": "python",
    "Machine": "machine",
    "Processor": "processor",
    "Load at start": "load",
    "Started": "started",
    "Exit": "exit",
    "Commit": "git",
    "Recorded": "options",
    "Written by": "fettle",
}
SHORT = {"Runs", "Duration", "Calls", "Time"}  # what a notebook does not know already
NOT_KNOWN = "-"


def rows(new: Side, old: Side | None, is_short: bool = False) -> list[list[str]]:
    """[label, text] of all that is known; where the old side was another, it stands behind."""
    found = {label: text for label, text in _of(new).items() if not is_short or label in SHORT}
    if old is None:
        return [[label, text] for label, text in found.items()]
    before = _of(old)
    if "Runs" in found or "Runs" in before:
        found.setdefault("Runs", "1")
        before.setdefault("Runs", "1")
    return [
        [label, _both(found.get(label), before.get(label))]
        for label in dict.fromkeys([*found, *before])
    ]


def _both(now: str | None, before: str | None) -> str:
    if now == before or before is None:
        return now or NOT_KNOWN
    return f"{now or NOT_KNOWN} (old: {before})"


def _of(side: Side) -> dict[str, str]:
    meta = side.profile.meta()
    found = {label: visible(meta[key]) for label, key in WORDS.items() if meta.get(key)}
    if "Written by" in found:
        found["Written by"] = f"fettle {found['Written by']}"
    if side.number > 1:
        found["Runs"] = str(side.number)
    elif runs.count(side.profile) > 1:
        found["Runs"] = f"{runs.count(side.profile)}, summed up"
    if side.typical:
        found |= _of_processes(side.typical)
        spent = cost.text(side.typical, side.has_cost)
        if spent:
            found["Cost of recording"] = spent
    totals = side.profile.totals()
    if totals.calls:
        calls, primitive = (
            grouped(round(each / side.number)) for each in (totals.calls, totals.primitive)
        )
        own, waiting = (each / side.number for each in (totals.own, totals.waiting))
        found["Calls"] = f"{calls} ({primitive} primitive)"
        found["Time"] = f"{own:.3f} s, {waiting:.3f} s of it waiting"
    return found


def _of_processes(profile: "Profile") -> dict[str, str]:
    """What the processes themselves say; META holds the first one's only."""
    processes = profile.processes()
    found: dict[str, str] = {}
    if processes:
        found["Duration"] = f"{max(row.elapsed for row in processes):.3f} s"
        found["Processes"] = f"{len(processes)}, with {counted(thread_count(profile), 'thread')}"
    return found
