# SPDX-License-Identifier: Apache-2.0
"""The text of files that a recording of calls names but does not hold: read now, where it is sure
to be what ran.

A report is for others to read, and a recording may be a stranger's who names any file. So of this
machine only, Python sources only, and not those that were written since the recording began.
"""

from fettle import properties, sourcetext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

MOST_BYTES = 8 << 20  # of all files together: a page is opened in a browser
LEAST_SHARE = 0.001  # of all time: files in which a function took less, with what it called


def hot(profile: "Profile") -> list[str]:
    """The files that matter of the calls and have no text yet, the hottest first.

    >>> from fettle import _core
    >>> hot(_core.Profile())
    []
    """
    own: dict[str, float] = {}
    for row in profile.functions():
        own[row.file] = own.get(row.file, 0.0) + row.own
    least = LEAST_SHARE * profile.totals().own
    wanted = {row.file for row in profile.functions() if row.cumulative >= least}
    files = sorted(wanted, key=lambda file: (-own[file], file))[: sourcetext.MOST_FILES]
    return [file for file in files if profile.source(file) is None]


def add(profile: "Profile") -> None:
    """Puts them in; the recording's file stays as it is."""
    meta = profile.meta()
    started = min((process.started for process in profile.processes()), default=0.0)
    is_here = meta.get("machine") == properties.gather([], "")["machine"]
    if meta.get(sourcetext.KEPT) == "no" or not is_here:
        return
    left = MOST_BYTES
    for file in hot(profile):
        found = _read(profile, file, left)
        if found and found[1] < started:
            left -= len(found[0])
            profile.set_source(file, found[0])


def _read(profile: "Profile", file: str, most: int) -> tuple[str, float] | None:
    """A file's text and when it was written."""
    if file == sourcetext.CODE_FILE:
        sourcetext.put_code(profile)
    return sourcetext.read(sourcetext.place(profile, file), most) if file.endswith(".py") else None
