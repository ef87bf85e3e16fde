# SPDX-License-Identifier: Apache-2.0
"""What the tests of fettle.compat.joblib share: each runs with either way to keep results."""

import pytest
from fettle.compat.joblib import Memory

from .cached import CALLS


@pytest.fixture(params=["files", "store"])
def mode(request, monkeypatch):
    monkeypatch.setenv("FETTLE_JOBLIB_BACKEND", request.param)
    CALLS.clear()
    return request.param


@pytest.fixture
def memory(tmp_path, mode):
    return Memory(str(tmp_path), verbose=0)
