# SPDX-License-Identifier: Apache-2.0
"""For folders whose tests collect garbage often: what pytest holds of all tests would take most of
that time. Who asks the collector for all objects is not told of these, so it is not for every
folder."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def what_was_there_is_not_searched() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
