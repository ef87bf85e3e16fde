# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of caches."""

import functools

import pytest

from .kinds import CALLS
from .loops import KINDS, Run, run_in


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    """Each test begins with nothing computed."""
    CALLS.clear()


@pytest.fixture(params=KINDS)
def run(request: pytest.FixtureRequest) -> Run:
    return functools.partial(run_in, request.param)
