# SPDX-License-Identifier: Apache-2.0
"""Runs a program several times into one file: `fettle run --repeat N`.

The first run is recorded as a single one is. Each later one is recorded into a file of its own,
app.run2.fettle, which is appended to the first when it ended well, and removed: so the file is
whole after each run, and whatever happens, no run is lost. A run that fails is the last. Its own
file stays; the runs before it are comparable, and it is not one of them.
"""

import os

from fettle import launch, output, runs
from fettle.problem import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.launch import Ended, Launch

_BLOCK = 1 << 20  # bytes copied at once


def launched(program: "Launch", path: str, times: int) -> "tuple[Ended, str]":
    """Records program so many times into path. Gives what is to be shown, and a sentence about
    runs that did not come, or "". Problem if the program can not be run."""
    claimed = output.claim(path, locked=True)
    if times == 1:
        return launch.launch(program, claimed), ""
    kept = os.dup(claimed.fd)  # with its lock
    try:
        program.run = 1
        whole = launch.launch(program, claimed)
        done, said = 1, _failed(whole, 1, times, path, "")
        while whole.profile is not None and not said and done < times:
            done, said = _again(program, whole, kept, claimed.path, done, times)
        if whole.profile is not None and done > 1:
            runs.note(whole.profile, done)
        return whole, said
    finally:
        os.close(kept)


def _again(
    program: "Launch", whole: "Ended", kept: int, path: str, done: int, times: int
) -> tuple[int, str]:
    """One more run, which is added to whole and to the file. Gives how many there are now, and why
    there are no more."""
    number = done + 1
    own = beside(path, number)
    program.run = number
    ended = launch.launch(program, output.claim(own, locked=True))
    if ended.profile is None:
        whole.code = ended.code
        return done, ended.problem
    assert whole.profile is not None
    said = _failed(ended, number, times, path, own)
    if said:
        whole.code = ended.code
        return done, said
    try:
        _append(kept, own)
    except OSError as error:
        return done, (
            f"run {number} could not be added to {path}: {reason(error)}; it stays in {own}."
        )
    os.unlink(own)
    whole.profile.merge(ended.profile)
    return number, ""


def beside(path: str, number: int) -> str:
    """Where a later run is recorded until it ended.

    >>> beside("/tmp/app.fettle", 2)
    '/tmp/app.run2.fettle'
    """
    stem, suffix = os.path.splitext(path)
    return f"{stem}.run{number}{suffix}"


def _failed(ended: "Ended", number: int, times: int, path: str, own: str) -> str:
    """What to say of a run that ended with another exit code than 0."""
    if ended.code == 0 or ended.profile is None:
        return ""
    from fettle.report.flat import shown_path

    rest = "there were no more"
    if own:
        before = "run before it" if number == 2 else f"{number - 1} runs before it"
        rest += f"; {shown_path(path)} holds the {before}, {shown_path(own)} holds that one"
    return f"run {number} of {times} ended with exit code {ended.code}, so {rest}."


def _append(kept: int, own: str) -> None:
    """Adds all of a file to the other; if that can not be, leaves that as it was."""
    end = os.lseek(kept, 0, os.SEEK_END)
    try:
        with open(own, "rb") as file:
            while block := file.read(_BLOCK):
                _write(kept, block)
    except BaseException:
        os.ftruncate(kept, end)
        raise


def _write(fd: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(fd, left) :]
