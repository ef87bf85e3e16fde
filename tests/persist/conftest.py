# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of results that are kept."""

from collections.abc import Iterator
from pathlib import Path

import fettle
import pytest

from .memos import CALLS, Programs


@pytest.fixture
def memo(tmp_path: Path) -> Iterator[fettle.Memo]:
    """A store that is empty, and no calls counted."""
    CALLS.clear()
    made = fettle.Memo(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    made = Programs(tmp_path)
    yield made
    made.end()
