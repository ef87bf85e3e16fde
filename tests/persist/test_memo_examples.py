# SPDX-License-Identifier: Apache-2.0
"""What the docstrings of fettle.Memo show is what happens."""

import doctest

import fettle.caching.memo


def test_examples() -> None:
    failed, attempted = doctest.testmod(fettle.caching.memo)
    assert failed == 0
    assert attempted > 5
