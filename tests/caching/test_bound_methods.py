# SPDX-License-Identifier: Apache-2.0
"""A bound method is a function like any other: its instance is chosen, what is cached is calls."""

from __future__ import annotations

import fettle


class Scale:
    def __init__(self, factor: int) -> None:
        self.factor = factor
        self.calls: list[int] = []
        self.times = fettle.cache(maxsize=2)(self.times)

    def times(self, number: int) -> int:
        self.calls.append(number)
        return self.factor * number


def test_a_bound_method_can_be_cached() -> None:
    two, three = Scale(2), Scale(3)
    assert [two.times(4), two.times(4), three.times(4)] == [8, 8, 12]
    assert (two.calls, three.calls) == ([4], [4])
    assert two.times.cache_info().hits == 1
