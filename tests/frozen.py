# SPDX-License-Identifier: Apache-2.0
"""For folders whose tests collect garbage often, or make much: what pytest holds of all tests would
take most of that time. On 3.11 a selector finds no function that the collector does not search, so
it is not for every folder."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def what_was_there_is_not_searched() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
