# SPDX-License-Identifier: Apache-2.0
"""Several runs of one program in one file: what `fettle run --repeat N` writes.

Each run is a recording of its own, written behind the one before; its meta has the key `run`. Read
as one they are summed, as recordings that were concatenated are. Whoever compares takes them apart.
"""

from fettle import _core
from fettle.problem import UNREADABLE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile, Stats
    from fettle.recording import Recording, Summary

KEY = "run"  # of each run: its number, from 1
COUNT = "runs"  # of what was summed: of how many it is the sum; in no file


def note(profile: "Profile", count: int) -> None:
    """Says of a sum that it is one. The CPU time was that of a single run."""
    profile.set_meta(COUNT, str(count))
    profile.set_meta("cpu", "")


def count(profile: "Profile | Stats") -> int:
    """Of how many runs it is the sum; 1 for what was not repeated.

    >>> profile = _core.Profile()
    >>> count(profile)
    1
    >>> note(profile, 5)
    >>> count(profile), words(profile)
    (5, ', 5 runs')
    """
    text = profile.meta().get(COUNT, "")
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 10 else 1


def cpu_of(several: "list[Profile]") -> str:
    """The CPU time of all, for the meta of their sum; "" where that of one is not known.

    >>> first, other = _core.Profile(), _core.Profile()
    >>> first.set_meta("cpu", "1.500000"); other.set_meta("cpu", "0.250000")
    >>> cpu_of([first, other]), cpu_of([first, _core.Profile()])
    ('1.750000', '')
    """
    try:
        return f"{sum(float(profile.meta()['cpu']) for profile in several):.6f}"
    except (KeyError, ValueError):
        return ""


def words(profile: "Profile | Stats") -> str:
    """For a heading: ", 5 runs"."""
    number = count(profile)
    return f", {number} runs" if number > 1 else ""


def are_in(profile: "Profile") -> bool:
    """Was it read from a file of several runs?"""
    return profile.segments > 1 and KEY in profile.meta()


def apart(opened: "Recording | Summary") -> "list[Profile | Stats]":
    """The runs in a file; the recording itself if it is one."""
    profile = opened.profile
    if isinstance(profile, _core.Stats) or not are_in(profile):
        return [profile]
    try:
        found = _core.read_segments(opened.path)
    except _core.FileError:  # it was read before, as a sum
        raise Problem(
            UNREADABLE, f"{opened.path} has too many runs; record fewer with --repeat."
        ) from None
    except (OSError, MemoryError) as error:
        raise Problem(
            UNREADABLE,
            f"cannot read the runs of {opened.path}: {reason(error)}; name the file again.",
        ) from None
    whole = [run for run in found if run.ended and run.processes()]
    return [*whole] or [profile]
