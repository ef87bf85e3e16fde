# SPDX-License-Identifier: Apache-2.0
"""What a type checker says of a program that uses stopwatches: nothing."""

from pathlib import Path

import pytest

from tests.caching.test_typed import complaints

pytestmark = pytest.mark.once  # what a type checker says of annotations


def test_types(tmp_path: Path) -> None:
    assert complaints(Path(__file__).with_name("typed.py"), tmp_path) == ""
