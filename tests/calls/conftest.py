# SPDX-License-Identifier: Apache-2.0
"""Every program runs once per session and tool, whatever number of tests look at the result.

What they look at is millions of objects: it goes with the last test of this folder.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from . import harness
from .counts import Counts

Reference = Callable[..., tuple[harness.Ended, Counts]]
Recording = Callable[..., harness.Recorded]


@pytest.fixture(scope="package")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    @cache
    def run(script: Path, options: tuple[str, ...] = ()) -> tuple[harness.Ended, Counts]:
        return harness.under_cprofile(script, tmp_path_factory.mktemp(script.stem), options)

    return run


@pytest.fixture(scope="package")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    @cache
    def run(script: Path, *arguments: str, options: tuple[str, ...] = ()) -> harness.Recorded:
        folder = tmp_path_factory.mktemp(script.stem)
        return harness.under_fettle(script, folder, *arguments, options=options)

    return run


@pytest.fixture(scope="package")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., harness.Ended]:
    @cache
    def run(script: Path, *arguments: str) -> harness.Ended:
        return harness.plain(script, tmp_path_factory.mktemp(script.stem), *arguments)

    return run
