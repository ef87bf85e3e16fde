# SPDX-License-Identifier: Apache-2.0
"""Each test begins with nothing computed."""

import pytest

from .kinds import CALLS, EVERY


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    CALLS.clear()
    for kind in EVERY:
        for name in dir(kind):
            found = getattr(kind, name)
            found = found.fget if isinstance(found, property) else found
            clear = getattr(found, "cache_clear", None)
            if clear is not None:
                clear()
