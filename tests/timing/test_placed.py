# SPDX-License-Identifier: Apache-2.0
"""Where candidates lie in memory is luck, and no candidate has more of it than another."""

from collections import Counter
from typing import Any

from fettle.timing.runner import BETWEEN, Dice, placed

ROUNDS = 3000


def first_made(seed: int, count: int) -> int:
    made: list[int] = []

    def make(index: int) -> Any:
        made.append(index)
        return lambda *_: index

    inners, _ = placed(make, count, Dice(seed))
    assert [inner() for inner in inners] == list(range(count))  # type: ignore[call-arg]
    assert {*made} == {*range(count)} and len(made) <= count * BETWEEN
    order = list(dict.fromkeys(made))
    return order[0]


def test_each_candidate_is_as_often_the_first_to_be_made() -> None:
    count = 3
    first = Counter(first_made(seed * 7919, count) for seed in range(ROUNDS))
    for index in range(count):  # 5 standard deviations
        assert abs(first[index] - ROUNDS / count) < 5 * (ROUNDS * 2 / 9) ** 0.5


def test_what_lies_between_is_given_to_be_kept() -> None:
    made: list[object] = []

    def make(index: int) -> Any:
        made.append(lambda *_: index)
        return made[-1]

    inners, between = placed(make, 2, Dice(3))
    assert isinstance(between, list) and between
    assert {*map(id, inners), *map(id, between)} == {*map(id, made)}


def test_orders_are_orders_and_equal_for_equal_seeds() -> None:
    orders = [tuple(Dice(seed).order(5)) for seed in range(500)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len(set(orders)) > 100  # of 120
    assert orders[:20] == [tuple(Dice(seed).order(5)) for seed in range(20)]
