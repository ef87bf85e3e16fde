# SPDX-License-Identifier: Apache-2.0
"""A file that a command writes for others to read: an export, a report.

Other tools' files are replaced, but no recording and no source of what was recorded; and whole or
not at all: it is written beside its name, then renamed. "-" is stdout.
"""

import os
import stat
import sys

from fettle.problem import USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile, Stats

STDOUT = "-"


def check(
    out: str,
    profiles: "Iterable[Profile | Stats]",
    option: str = "-o",
    inputs: "Iterable[str]" = (),
) -> None:
    """Problem if out is to stay as it is. option: what names another; inputs: files that are read,
    which may be other tools' too.

    >>> check("/dev/null", [])
    """
    if out == STDOUT:
        return
    try:
        if os.path.isfile(out) and any(os.path.samefile(path, out) for path in inputs):
            raise Problem(USAGE, f"{out} is what is to be read; name another output.")
        if _is_recording(out):
            raise Problem(USAGE, f"{out} is a recording and stays as it is; name another output.")
        if any(_is_source(out, profile) for profile in profiles):
            raise Problem(
                USAGE, f"{out} is source of the recorded program and stays; name another output."
            )
    except OSError as error:
        raise _cannot_write(out, error, option) from error


def write(data: bytes, out: str, option: str = "-o") -> None:
    """Writes it. Problem, caused by the OSError, if that can not be; then out is as before.

    >>> write(b"all of it", "/dev/null")
    """
    if out == STDOUT:
        sys.stdout.buffer.write(data)
        return
    fresh = f"{out}.{os.getpid()}.new"
    try:
        if os.path.exists(out) and not os.path.isfile(out):  # /dev/stdout, a pipe
            with open(out, "wb") as file:
                file.write(data)
            return
        try:
            with open(fresh, "xb") as file:
                if os.path.exists(out):  # who may read it stays as it was
                    os.fchmod(file.fileno(), stat.S_IMODE(os.stat(out).st_mode))
                file.write(data)
            os.rename(fresh, out)
        finally:
            if os.path.lexists(fresh):
                os.unlink(fresh)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _cannot_write(out, error, option) from error


def _is_recording(path: str) -> bool:
    from fettle import _core

    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return _core.is_fettle(file.read(16))


def _is_source(out: str, profile: "Profile | Stats") -> bool:
    """A link of another name to a source is none: the link is what would be replaced."""
    from fettle import _core

    if not os.path.isfile(out):
        return False
    folder, name = profile.meta().get("cwd", ""), os.path.basename(out)
    files = {row.file for row in profile.functions()}
    if isinstance(profile, _core.Profile):
        files |= {table[0] for table in profile.lines()} | {row.file for row in profile.sites()}
    paths = [os.path.join(folder, file) for file in files if os.path.basename(file) == name]
    return any(os.path.isfile(path) and os.path.samefile(path, out) for path in paths)


def _cannot_write(out: str, error: OSError, option: str) -> Problem:
    return Problem(
        USAGE, f"cannot write {out}: {reason(error)}; name another output with {option}."
    )
