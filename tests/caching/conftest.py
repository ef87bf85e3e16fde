# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of caches."""

import functools

import pytest

from .kinds import CALLS, EVERY
from .loops import KINDS, Run, run_in


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    """Each test begins with nothing computed."""
    CALLS.clear()
    for kind in EVERY:
        for name in dir(kind):
            found = getattr(kind, name)
            found = found.fget if isinstance(found, property) else found
            clear = getattr(found, "cache_clear", None)
            if clear is not None:
                clear()


@pytest.fixture(params=KINDS)
def run(request: pytest.FixtureRequest) -> Run:
    return functools.partial(run_in, request.param)
