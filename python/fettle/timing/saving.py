# SPDX-License-Identifier: Apache-2.0
"""A timing as a .fettle file."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.timing.timing import Timing


def save(timing: "Timing", path: str) -> None:
    """See Timing.save."""
    raise NotImplementedError
