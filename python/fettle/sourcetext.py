# SPDX-License-Identifier: Apache-2.0
"""The source of what was recorded by line, time or memory: read once the program ended, kept in the
recording, so that the tables can be read where the source is not.
"""

import os
import stat

from fettle.invocation import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile

MOST_BYTES = 64 << 20  # of all files together: source that people write is far below it
MOST_FILES, LEAST_SHARE = 200, 0.001  # of memory: files that are kept, and what they hold of it
CODE_FILE = "<string>"  # what Python calls the text after -c
KEPT = "source"  # the property that is "no" where source is left out
WRITTEN_LATE = "written-late"  # the property that names the files which may not be what ran


def decoded(data: bytes) -> str:
    """The text of a source file as Python reads it (PEP 263, any kind of line end); what can not be
    decoded is replaced.

    >>> decoded(b"# coding: latin-1\\r\\nx = '\\xe9'\\r")
    "# coding: latin-1\\nx = 'é'\\n"
    """
    from io import BytesIO
    from tokenize import detect_encoding

    try:
        encoding, _ = detect_encoding(BytesIO(data).readline)
    except SyntaxError:  # an encoding that there is not, or not what the file says
        encoding = "utf-8"
    text = data.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(path: str, most: int = MOST_BYTES) -> tuple[str, float] | None:
    """The text of a regular file and when it was last written; None if it can not be had."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            return None
        try:
            return decoded(file.read(status.st_size)), status.st_mtime
        except OSError:
            return None


def place(profile: "Profile", file: str) -> str:
    """Where file is: names that are not absolute are meant from the folder of the program."""
    return os.path.join(profile.meta().get("cwd", ""), file)


def wanted(profile: "Profile") -> list[str]:
    """The files whose source is kept: all that have lines, and those that matter of the memory."""
    return list(dict.fromkeys([*(table[0] for table in profile.lines()), *_largest(profile)]))


def _largest(profile: "Profile") -> list[str]:
    """The files with a thousandth of the memory or more, of any kind, the largest first: a program
    allocates in hundreds of files, and what nobody reads need not be kept."""
    sums: dict[str, list[int]] = {}
    for row in profile.sites():
        of_file = sums.setdefault(row.file, [0, 0, 0, 0])
        kinds = (row.peak_bytes, row.alive_bytes, row.total_bytes, row.temporary_bytes)
        for at, amount in enumerate(kinds):
            of_file[at] += amount
    whole = [max(sum(column), 1) for column in zip(*sums.values(), strict=True)]
    shares = {
        file: max(part / all_of_it for part, all_of_it in zip(of_file, whole, strict=True))
        for file, of_file in sums.items()
    }
    kept = sorted(shares, key=lambda file: (-shares[file], file))[:MOST_FILES]
    return [file for file in kept if shares[file] >= LEAST_SHARE]


def gather(profile: "Profile") -> None:
    """Puts in the source of all files that are wanted, as far as they can be read."""
    if profile.meta().get(KEPT) == "no":
        return
    files = wanted(profile)
    if not files:
        return
    started = min((process.started for process in profile.processes()), default=0.0)
    left = MOST_BYTES
    late: list[str] = []
    for file in files:
        if file == CODE_FILE:
            put_code(profile)
            continue
        found = read(place(profile, file), left)
        if found is None:
            continue
        text, written = found
        left -= len(text)
        profile.set_source(file, text)
        if started and written > started:
            late.append(file)
    if late:
        profile.set_meta(WRITTEN_LATE, "\n".join(map(ascii, late)))


def late(profile: "Profile", files: "Iterable[str]") -> list[str]:
    """Those of the files that were written after the program started."""
    named = {*profile.meta().get(WRITTEN_LATE, "").split("\n")}
    return [file for file in files if ascii(file) in named]


def is_late(profile: "Profile", file: str) -> bool:
    """Is it one of those?"""
    return bool(late(profile, [file]))


def put_code(profile: "Profile") -> None:
    """The text after -c."""
    from shlex import split

    try:
        command = split(profile.meta().get("command", ""))
    except ValueError:  # a property may hold anything
        return
    invocation = parse(command)
    if invocation.kind == "code" and os.path.basename(command[0]).startswith("python"):
        profile.set_source(CODE_FILE, invocation.target)
