# SPDX-License-Identifier: Apache-2.0
"""Projects whose tests are run by pytest with the plugin, in a process of its own."""

from pathlib import Path

import pytest

from .harness import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
