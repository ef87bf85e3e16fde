# SPDX-License-Identifier: Apache-2.0
"""What must be known to read a table right: one sentence for each kind of note."""

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile, Stats

# {count} is what the notes of a kind count together, {processes} in how many processes.
SENTENCES = {
    "folded": "the call tree reached its cap: {count} calls are kept by caller and callee only;"
    " raise the cap with --max-nodes, or max_nodes= of fettle.run.",
    "disk full": "the disk was full: {count} calls or allocations in new places were not recorded;"
    " make room or choose another place with -o.",
    "no tool id": "{processes} recorded nothing, because other tools hold every sys.monitoring"
    " tool id; run without them.",
    "hook taken": "another tool took the profile hook in {processes}: calls after that are"
    " missing; run without it.",
    "still running": "{processes} still ran when this was written: later calls are missing; end"
    " child processes before the program ends.",
    "torn": "{count} damaged blocks were left out: some calls are missing.",
    "deep stack": "the stack was so deep that --no-builtins went on with the slower hook in"
    " {processes}; its overhead is higher there.",
    "out of memory": "memory ran out: {count} calls or allocations were not recorded; raise the"
    " limit (ulimit -v), or lower --max-nodes, max_nodes= of fettle.run.",
    "children lost": "{forked} could not be recorded: no room for the data, or no right to write"
    " it as another user; choose another place with -o.",
    "never started": "{processes} ended before the first line of the program: nothing of it was"
    " recorded.",
    "too many lines": "{count} functions have lines too far apart to be recorded: their tables are"
    " missing.",
    "tracer taken": "another tool follows the objects of {processes}: those that Python made in"
    " memory which it had kept count at the line that had it first; run without that tool.",
    "allocator taken": "another tool took the allocators of {processes} back: memory after that is"
    " missing; run without it.",
    "no shadow": "{processes} had no room for the table of small blocks, so a slower one was used"
    " and the numbers are right; raise the limit of its address space (ulimit -v).",
    "interpreters": "memory of other interpreters within {processes} was not recorded; run what"
    " they do as programs of their own.",
}
UNKNOWN = "the recording has a note that this fettle does not know ({kind}); a newer one does."

NOTHING = (
    "nothing was recorded: no Python that has fettle ran (python -S and FETTLE_DISABLE leave it"
    " out), or the disk was full; install fettle where the program's Python is."
)
NOTHING_RAN = "nothing ran while the recording was on; put what is to be recorded inside of it."
NOTHING_MEANT = (
    "no function was recorded line by line: lines=True means what @fettle.lines marks, lines=[...]"
    " functions, classes, modules and selectors such as 'app:main'."
)
NOTHING_NAMED = (
    "no function was recorded line by line: {named} means none that is there; name a function or"
    " class of the cell or the notebook, a module, or MODULE:NAME."
)


def sentences(profile: "Profile | Stats") -> list[str]:
    """The sentences for a recording, each kind once."""
    known = isinstance(profile, _core.Stats) or profile.processes() or profile.totals().calls
    if not known:
        if not isinstance(profile, _core.Stats) and profile.timings():
            return []
        return [] if profile.meta().get("recorded") == "line_profiler" else [NOTHING]
    quiet = profile.meta().get("recorded") == "inside" and not _has_any(profile)
    counts: dict[str, int] = {}
    processes: dict[str, set[int]] = {}
    for note in profile.notes():
        if quiet and note.kind == "never started":  # the program did, the recording did not
            continue
        if note.kind == "collections":  # only a timeline says so (pauses.py)
            continue
        counts[note.kind] = counts.get(note.kind, 0) + note.count
        processes.setdefault(note.kind, set()).add(note.process)
    return [_nothing(profile)] * quiet + [
        SENTENCES.get(kind, UNKNOWN).format(
            kind=kind,
            count=count,
            processes=_several(len(processes[kind]), "process", "processes"),
            forked=_several(count, "forked process", "forked processes"),
        )
        for kind, count in counts.items()
    ]


def _nothing(profile: "Profile | Stats") -> str:
    """Why the recording of a part is empty."""
    if isinstance(profile, _core.Stats) or profile.lines():
        return NOTHING_RAN
    meta = profile.meta()
    if meta.get("options") != "lines":
        return NOTHING_RAN
    return NOTHING_NAMED.format(named=meta["named"]) if "named" in meta else NOTHING_MEANT


def _has_any(profile: "Profile | Stats") -> bool:
    """Is there any call, line or allocation?"""
    if any(profile.totals()[:4]) or isinstance(profile, _core.Stats):
        return True
    if any(heap.total_count for heap in profile.heaps()):
        return True
    return any(table[4] or any(row[1] for row in table[5]) for table in profile.lines())


def _several(count: int, one: str, many: str) -> str:
    return f"a {one}" if count == 1 else f"{count} {many}"
