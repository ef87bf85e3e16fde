# SPDX-License-Identifier: Apache-2.0
"""What all tests share."""

import gc


def pytest_collection_finish() -> None:
    """Tests collect garbage often; what pytest holds of all tests would take most of that time."""
    gc.collect()
    gc.freeze()
