# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from .harness import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
