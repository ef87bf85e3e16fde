# SPDX-License-Identifier: Apache-2.0
"""Each test begins with nothing computed."""

import pytest

from .kinds import CALLS


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    CALLS.clear()
