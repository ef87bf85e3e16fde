# SPDX-License-Identifier: Apache-2.0
"""A timing as a .fettle file."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.timing.timing import Timing

OPTIONS = "time"  # in the file's properties, where a recording has its collectors


def save(timing: "Timing", path: str) -> None:
    """See Timing.save."""
    from fettle import _core, output, properties
    from fettle.problem import Problem

    profile = _core.Profile()
    for key, value in properties.gather(sys.orig_argv, OPTIONS).items():
        profile.set_meta(key, value)
    profile.set_meta("state", "ended")
    for each in timing.series:
        profile.add_timing(
            each.label,
            each.clock,
            each.loops,
            each.empty,
            each.groups,
            each.memory,
            each.peak,
            each.counters,
        )
    try:
        claimed = output.claim(os.path.abspath(path), locked=True)
    except Problem as problem:
        cause = problem.__cause__
        if isinstance(cause, OSError):
            raise OSError(cause.errno, cause.strerror, cause.filename) from None
        raise OSError(problem.sentence.replace(" with -o", "")) from None
    try:
        profile.begin(claimed.fd)
        profile.append(claimed.fd)
    except BaseException:
        claimed.discard()
        raise
    output.remove_parts(claimed.parts)
    os.close(claimed.fd)
