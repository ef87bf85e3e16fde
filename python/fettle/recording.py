# SPDX-License-Identifier: Apache-2.0
"""Opens recordings to look at: whole ones, cut ones, and those whose launcher did not finish them;
and what cProfile and line_profiler wrote.

A recording without its end has its data still in X.fettle.parts. If nobody records any more, it is
finished here, in a new file that then takes its name; else what is there so far is shown.
"""

import os
import stat

from fettle import _core, output, runs, sourcetext
from fettle.problem import UNREADABLE, USAGE, Problem, reason

_KINDS = {
    "empty": "is empty: nothing was recorded into it; record again with `fettle run`",
    "foreign": "is not a fettle recording; give a file that `fettle run`, cProfile or line_profiler"
    " wrote",
    "newer": "was written by a newer fettle; update this one to read it",
    "corrupt": "is damaged: its content contradicts itself; record again",
    "limit": "is larger than fettle can read; record fewer calls with --max-nodes",
}


class Recording:
    """One recording, and in how far it is not a whole one."""

    __slots__ = ("path", "profile", "remarks")

    def __init__(self, path: str, profile: _core.Profile) -> None:
        self.path = path
        self.profile = profile
        self.remarks: list[str] = []


class Summary:
    """What cProfile, profile or pstats wrote (dump_stats): functions and callers, no call paths."""

    __slots__ = ("path", "profile", "remarks")

    def __init__(self, path: str, profile: _core.Stats) -> None:
        self.path = path
        self.profile = profile
        self.remarks: list[str] = []
        if profile.sampled:
            self.remarks.append(
                f"{path} holds samples: ncalls is how often a function was seen on the stack, and"
                " after the slash how often it was the one that ran."
            )


def newest(folder: str) -> str:
    """The recording in folder that was written last."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.endswith(".fettle")]
        dated = [(entry.stat().st_mtime_ns, entry.name) for entry in found if entry.is_file()]
    except OSError as error:
        raise Problem(UNREADABLE, f"cannot list this folder: {reason(error)}.") from None
    if not dated:
        raise Problem(
            UNREADABLE, "there is no recording in this folder; make one with `fettle run SCRIPT`."
        )
    return max(dated)[1]


def named(word: str) -> str:
    """The path a user means: `app` is app.fettle if there is no app."""
    with_suffix = word + ".fettle"
    return with_suffix if not os.path.isfile(word) and os.path.isfile(with_suffix) else word


def open_one(path: str) -> Recording:
    """Reads path, and finishes it if it must be. Problem: one sentence, exit code 3."""
    opened = _open(path)
    if isinstance(opened, Summary):
        raise Problem(
            UNREADABLE,
            f"{path} is no recording but what cProfile wrote, and holds no call paths: look at it"
            f" with `fettle view {path}`, or record with `fettle run`.",
        )
    return opened


def _open(path: str) -> Recording | Summary:
    profile = _read(path)
    if isinstance(profile, _core.Stats):
        return Summary(path, profile)
    recording = Recording(path, profile)
    if runs.are_in(profile):
        runs.note(profile, profile.segments)
    if not recording.profile.ended:
        _complete(recording)
    elif recording.profile.torn:
        _remark_incomplete(recording)
    if recording.profile.newer_chunks:
        recording.remarks.append(
            f"{path} holds {recording.profile.newer_chunks} parts that only a newer fettle"
            " understands; they are left out."
        )
    return recording


def _read(path: str) -> _core.Profile | _core.Stats:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Problem(UNREADABLE, f"{path} is a folder; name a .fettle file in it.")
        if not stat.S_ISREG(mode):
            raise Problem(UNREADABLE, f"{path} is not a regular file; name a .fettle file.")
        return _read_either(path)
    except _core.FileError as error:
        kind = error.args[0]
        sentence = _KINDS.get(kind, f"cannot be read ({kind}); record again")
        raise Problem(UNREADABLE, f"{path} {sentence}.") from None
    except (OSError, MemoryError) as error:
        raise Problem(
            UNREADABLE, f"cannot read {path}: {reason(error)}; check the name and the folder."
        ) from None


def _read_either(path: str) -> _core.Profile | _core.Stats:
    """All look at the first bytes before they read the rest, and refuse the others'."""
    try:
        return _core.Profile.read(path)
    except _core.FileError as error:
        if error.args[0] != "foreign":
            raise
    for tool, read in (("cProfile", _core.Stats.read), ("line_profiler", _read_lprof)):
        try:
            return read(path)
        except _core.FileError as error:
            if error.args[0] == "limit":
                raise Problem(
                    UNREADABLE,
                    f"{path} is larger than fettle reads of {tool}; profile a part of the program.",
                ) from None
            if error.args[0] != "foreign":
                raise
    raise _core.FileError("foreign", path)


def _read_lprof(path: str) -> _core.Profile:
    """A pickle: read, not unpickled, so it may hold what it likes."""
    try:
        profile = _core.load_lprof(path)
        profile.set_meta("recorded", "line_profiler")  # it names no process
        return profile
    except _core.FileError as error:
        if error.args[0] != "corrupt":
            raise
        from fettle.report.names import visible

        raise Problem(
            UNREADABLE,
            f"{path} is a pickle but no line profile (it holds {visible(error.args[2])}), and was"
            " not unpickled; give a file that line_profiler or kernprof wrote.",
        ) from None


def _complete(recording: Recording) -> None:
    """Takes in the parts of a recording that has not ended."""
    path = recording.path
    parts = output.parts_of(path)
    if not os.path.isdir(parts):
        again = _read(path)  # it may just have ended
        if isinstance(again, _core.Profile) and again.ended:
            recording.profile = again
        else:
            _remark_incomplete(recording)
        return
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Problem(UNREADABLE, f"cannot read {path}: {reason(error)}.") from None
    try:
        ours = output.lock(fd)
        recording.profile = _harvested(recording.profile, parts)
        running = any(note.kind == "still running" for note in recording.profile.notes())
        if ours and not running:
            _finish(recording, parts)
        else:
            recording.remarks.append(f"{path} is still being recorded: this is what it holds now.")
    finally:
        os.close(fd)


def _remark_incomplete(recording: Recording) -> None:
    if not recording.profile.processes() and not recording.profile.timings():
        raise Problem(
            UNREADABLE,
            f"{recording.path} is damaged or cut off at its start and holds nothing; record again.",
        )
    recording.remarks.append(
        f"{recording.path} is cut off or damaged at its end: this is what stands before that."
    )


def _harvested(begun: _core.Profile, parts: str) -> _core.Profile:
    """A profile of all parts, with what the file said of itself.

    What else the file held is a first attempt to write the same parts."""
    whole = _core.Profile()
    for key, value in begun.meta().items():
        whole.set_meta(key, value)
    try:
        whole.harvest(parts)
    except OSError as error:
        raise Problem(UNREADABLE, f"cannot read {parts}: {reason(error)}.") from None
    sourcetext.gather(whole)
    return whole


def _finish(recording: Recording, parts: str) -> None:
    """Writes the whole recording under its name. If that can not be, another view may."""
    path, profile = recording.path, recording.profile
    fresh = f"{path}.{os.getpid()}.new"
    profile.set_meta("state", "ended")
    profile.set_meta("exit", "unknown")
    try:
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            os.fchmod(fd, stat.S_IMODE(os.stat(path).st_mode))
            profile.begin(fd)
            profile.append(fd)
            os.rename(fresh, path)
        except BaseException:
            os.unlink(fresh)
            raise
        finally:
            os.close(fd)
    except OSError as error:
        recording.remarks.append(
            f"{path} could not be finished ({reason(error)}); its data stays in {parts}."
        )
        return
    output.remove_parts(parts)
    recording.remarks.append(f"{path} had not been finished; it is now.")


def open_all(paths: list[str]) -> Recording | Summary:
    """Several of one kind as one. If any can not be read, says so of each, and shows none."""
    opened: list[Recording | Summary] = []
    problems: list[str] = []
    for path in paths:
        try:
            opened.append(_open(path))
        except Problem as problem:
            problems.append(problem.sentence)
    if problems:
        raise Problem(UNREADABLE, "\nfettle: ".join(problems))
    first = opened[0]
    for other in opened[1:]:
        _add(first, other)
        first.remarks += other.remarks
    return first


def _add(first: Recording | Summary, other: Recording | Summary) -> None:
    if isinstance(first, Recording) and isinstance(other, Recording):
        number = runs.count(first.profile), runs.count(other.profile)
        cpu = runs.cpu_of([first.profile, other.profile])
        first.profile.merge(other.profile)
        first.profile.set_meta("cpu", cpu)
        if max(number) > 1:
            runs.note(first.profile, sum(number))
        return
    if (
        isinstance(first, Summary)
        and isinstance(other, Summary)
        and first.profile.sampled == other.profile.sampled
    ):
        first.profile.merge(other.profile)
        return
    raise Problem(
        USAGE,
        f"{first.path} holds {_holds(first)}, {other.path} holds {_holds(other)}: their numbers"
        " can not be added; view each kind by itself.",
    )


def _holds(opened: Recording | Summary) -> str:
    if isinstance(opened, Recording):
        return "a recording of fettle's"
    return "samples" if opened.profile.sampled else "what cProfile wrote"
