# SPDX-License-Identifier: Apache-2.0
"""The statistics of samples: against the standard library's, by properties, and bad input."""

import gc
import math
import random
import statistics
import sys
import threading
from array import array
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from fettle import _core

Groups = list["array[float]"]


def made(
    seed: int, groups: int = 5, samples: int = 20, factor: float = 1.0, noise: float = 0.01
) -> Groups:
    draw = random.Random(seed)
    return [
        array("d", [factor * math.exp(draw.gauss(0, noise)) for _ in range(samples)])
        for _ in range(groups)
    ]


def scaled(groups: Groups, factor: float) -> Groups:
    return [array("d", [factor * x for x in group]) for group in groups]


@pytest.mark.parametrize("seed", range(30))
def test_a_description_is_what_the_standard_library_says(seed: int) -> None:
    draw = random.Random(seed)
    groups = made(seed, draw.randint(1, 6), draw.randint(2, 30), draw.choice([1e-9, 1.0]), 0.2)
    groups.append(array("d"))  # it says nothing
    every = [x for group in groups for x in group]
    found = _core.describe(groups)
    median = statistics.median(every)
    assert found.median == pytest.approx(median, rel=1e-15)
    deviation = statistics.median([abs(x - median) for x in every])
    assert found.spread == pytest.approx(deviation * 1.4826 / median, rel=1e-12)
    assert (found.least, found.most, found.count) == (min(every), max(every), len(every))
    assert 0 <= found.low <= found.median <= found.high < math.inf


def test_the_interval_of_a_median_is_narrower_with_more_and_wider_with_confidence() -> None:
    def width(groups: Groups, confidence: float = 0.95) -> float:
        found = _core.describe(groups, confidence=confidence)
        return found.high - found.low

    assert width(made(1, 40)) < width(made(1, 6)) / 1.5
    assert width(made(1, 1, 2000)) < width(made(1, 1, 20)) / 3
    assert width(made(1), 0.5) < width(made(1), 0.95) < width(made(1), 0.999)


def test_the_interval_of_a_median_is_nearly_that_of_theory() -> None:
    """Of many groups without luck: 1.96 * 1.2533 * sigma / sqrt(n) (the normal's median)."""
    found = _core.describe(made(3, 60, 60))
    theory = 1.96 * 1.2533 * 0.01 / math.sqrt(3600)
    # Both stages of the bootstrap see the noise inside groups: up to sqrt(2) too wide.
    assert 0.7 * theory < (found.high - found.low) / 2 < 2 * theory


def test_one_sample_says_little() -> None:
    found = _core.describe([array("d", [3.0])])
    assert (found.median, found.low, found.high, found.spread) == (3.0, 0.0, math.inf, 0.0)
    assert found.count == 1


def test_times_about_nothing_can_be_described() -> None:
    assert _core.describe([array("d", [0.0] * 5)]) == (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5)
    found = _core.describe([array("d", [-2.0, -1.0, 0.0])])
    assert found.median == -1.0
    assert found.spread == math.inf


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("paired", [True, False])
def test_swapping_inverts_and_scaling_changes_nothing(seed: int, paired: bool) -> None:
    draw = random.Random(seed)
    groups, samples = draw.randint(1, 12), draw.randint(2, 40)
    first = made(seed, groups, samples)
    second = made(seed + 1000, groups, samples, draw.choice([1.0, 0.97, 1.1]))
    there = _core.compare(first, second, paired=paired)
    back = _core.compare(second, first, paired=paired)
    assert there.ratio * back.ratio == pytest.approx(1)
    other = {"faster": "slower", "slower": "faster", "same": "same", "unclear": "unclear"}
    assert back.verdict == other[there.verdict]
    assert there.low <= there.ratio <= there.high
    if paired:
        assert there.low * back.high == pytest.approx(1)
    again = _core.compare(scaled(first, 1e-6), scaled(second, 1e-6), paired=paired)
    assert again.verdict == there.verdict
    assert again[:4] == pytest.approx(there[:4], rel=1e-9)
    assert there.pairs == groups * samples


def test_the_ratio_is_the_mean_of_the_medians_of_groups() -> None:
    first, second = made(1, 6), made(2, 6, factor=0.5)
    medians = [
        statistics.median([math.log(a / b) for a, b in zip(one, two, strict=True)])
        for one, two in zip(first, second, strict=True)
    ]
    found = _core.compare(first, second)
    assert found.ratio == pytest.approx(math.exp(statistics.fmean(medians)), rel=1e-12)
    # t(0.025, 5 degrees) from a table; the deviation may not be taken below half a percent.
    half = 2.5706 * max(0.005, statistics.stdev(medians)) / math.sqrt(6)
    assert math.log(found.high / found.ratio) == pytest.approx(half, rel=1e-3)
    assert found.verdict == "faster"


def test_verdicts() -> None:
    first = made(1, 12, 30)
    assert _core.compare(first, made(2, 12, 30)).verdict == "same"
    assert _core.compare(first, made(2, 12, 30, 1.05)).verdict == "slower"
    assert _core.compare(first, made(2, 12, 30, 0.1)).verdict == "faster"
    assert _core.compare(first, made(2, 12, 30, 0.1)).ratio == pytest.approx(10, rel=0.01)
    assert _core.compare(first, made(2, 12, 30, noise=2.0)).verdict == "unclear"
    assert _core.compare(first, made(2, 12, 30), margin=0.0001).verdict == "unclear"


def test_one_process_and_two_sets_need_three_percent() -> None:
    one, many = made(1, 1, 2000, noise=0.001), made(1, 12, 30, noise=0.001)
    for paired in (True, False):
        for factor, verdict in ((1.02, "unclear"), (1.005, "same"), (1.04, "slower")):
            assert _core.compare(one, scaled(one, factor), paired).verdict == verdict
    assert _core.compare(many, scaled(many, 1.02)).verdict == "slower"
    assert _core.compare(many, scaled(many, 1.02), paired=False).verdict == "unclear"
    assert _core.compare(many, scaled(many, 1.04), paired=False).verdict == "slower"


def test_few_samples_in_one_process_need_much() -> None:
    few = array("d", [1.0, 1.01, 0.99, 1.0, 1.02])
    assert _core.compare([few], scaled([few], 1.2)).verdict == "unclear"
    assert _core.compare([few], scaled([few], 3.0)).verdict == "slower"
    assert _core.compare([few[:1]], scaled([few[:1]], 3.0)).verdict == "unclear"


def test_more_looks_are_wider() -> None:
    first, second = made(1), made(2)
    widths = [_core.compare(first, second, looks=looks).high for looks in (1, 2, 10, 100)]
    assert widths == sorted(set(widths))


def test_unpaired_sets_may_differ_in_shape() -> None:
    found = _core.compare(made(1, 5, 20), [*made(2, 9, 7, 2.0), array("d")], paired=False)
    assert (found.verdict, found.pairs) == ("slower", 63)
    assert found.ratio == pytest.approx(0.5, rel=0.02)


def test_statements_that_take_nothing_are_never_faster() -> None:
    nothing, noise = [array("d", [0.0] * 20)] * 5, made(1, 5, 20)
    around = [array("d", [x - 1.0 for x in group]) for group in noise]
    for first, second in permutations((nothing, noise, around), 2):
        assert _core.compare(first, second) == (1.0, 0.0, math.inf, 100, "unclear")
    assert _core.compare(around, nothing, floor=0.1).verdict == "same"
    assert _core.compare(around, around[::-1], floor=0.1)[:3] == pytest.approx((1, 1, 1), abs=0.02)


def test_equal_seeds_give_equal_answers() -> None:
    first, second = made(1, 6), made(2, 6)
    assert _core.compare(first, second, seed=5) == _core.compare(first, second, seed=5)
    assert _core.describe(first, seed=5) == _core.describe(first, seed=5)
    assert _core.describe(first, seed=5) != _core.describe(first, seed=6)
    assert _core.describe(first, seed=2**64 - 1).count == 120


def test_a_trend_is_found_where_there_is_one() -> None:
    flat = made(1, 6, 100)
    rising = [array("d", [x * (1 + 0.002 * i) for i, x in enumerate(group)]) for group in flat]
    change, probability = _core.trend(rising)
    assert change == pytest.approx(0.198 / 1.1, rel=0.1)
    assert probability < 0.001
    change, probability = _core.trend(flat)
    assert abs(change) < 0.01
    assert probability > 0.01
    assert _core.trend([array("d", [1.0])]) == (0.0, 1.0)


def test_the_probability_of_a_trend_counts_orders() -> None:
    """Of five samples in order: one order of 120 on either side."""
    assert _core.trend([array("d", [1, 2, 3, 4, 5])])[1] == pytest.approx(2 / 120)
    rising, falling = array("d", [1, 2, 3]), array("d", [3, 2, 1])
    assert _core.trend([rising, rising])[1] == pytest.approx(2 / 36)
    assert _core.trend([rising, falling])[1] == 1.0


ONE = [array("d", [1.0, 2.0])]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: _core.describe([]), ValueError, "at least one sample"),
        (lambda: _core.describe([array("d")]), ValueError, "at least one sample"),
        (lambda: _core.trend([]), ValueError, "at least one sample"),
        (lambda: _core.compare([], []), ValueError, "at least one sample"),
        (lambda: _core.compare(ONE, []), ValueError, "at least one sample"),
        (lambda: _core.describe([array("d", [1, math.nan])]), ValueError, "sample 1 of group 0"),
        (lambda: _core.compare(ONE, [array("d", [math.inf, 1])]), ValueError, "sample 0 of"),
        (lambda: _core.trend([*ONE, array("d", [-math.inf])]), ValueError, "sample 0 of group 1"),
        (lambda: _core.compare(ONE, ONE * 2), ValueError, "paired=False"),
        (lambda: _core.compare(ONE, [array("d", [1.0])]), ValueError, "paired=False"),
        (lambda: _core.compare(ONE, ONE, margin=0.0), ValueError, "margin"),
        (lambda: _core.compare(ONE, ONE, margin=math.nan), ValueError, "margin"),
        (lambda: _core.compare(ONE, ONE, confidence=1.0), ValueError, "confidence"),
        (lambda: _core.describe(ONE, confidence=0.0), ValueError, "confidence"),
        (lambda: _core.describe(ONE, confidence=1e-17), ValueError, "confidence"),
        (lambda: _core.compare(ONE, ONE, confidence=5e-324), ValueError, "confidence"),
        (lambda: _core.describe(ONE, confidence=math.nan), ValueError, "confidence"),
        (lambda: _core.compare(ONE, ONE, looks=0), ValueError, "looks"),
        (lambda: _core.compare(ONE, ONE, floor=-1.0), ValueError, "floor"),
        (lambda: _core.describe([array("f", [1.0])]), TypeError, "group 0"),
        (lambda: _core.describe([*ONE, b"12345678"]), TypeError, "group 1"),
    ],
)
def test_bad_input_is_named(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("wrong", [None, 3, [1.0], [[1.0]], ["text"]])
def test_no_buffers(wrong: Any) -> None:
    for call in (_core.describe, _core.trend, lambda x: _core.compare(x, x)):
        with pytest.raises(TypeError):
            call(wrong)


def test_a_view_and_bytes_of_doubles_will_do() -> None:
    samples = array("d", [1.0, 2.0, 4.0])
    assert _core.describe([memoryview(samples)]).median == 2.0
    assert _core.describe([memoryview(samples.tobytes()).cast("d")]).median == 2.0
    with pytest.raises((TypeError, BufferError)):
        _core.describe([memoryview(samples)[::2]])


def test_groups_may_grow_meanwhile() -> None:
    """Samples come in one thread while another one looks."""
    groups = made(1, 4, 50)
    stop = threading.Event()

    def grow() -> None:
        while not stop.is_set():
            for group in groups:
                group.append(1.0)  # BufferError, were the buffer held without the GIL
                group.pop()

    grower = threading.Thread(target=grow)
    grower.start()
    try:
        seen = {_core.describe(groups).count for _ in range(300)}
    finally:
        assert grower.is_alive()
        stop.set()
        grower.join()
    assert seen <= set(range(200, 205))


def test_nothing_is_kept() -> None:
    groups = made(1, 3)
    before = [sys.getrefcount(group) for group in groups]
    for _ in range(20):
        _core.describe(groups)
        _core.compare(groups, groups)
        _core.trend(groups)
        with pytest.raises(ValueError, match="finite"):
            _core.describe([*groups, array("d", [math.nan])])
    gc.collect()
    assert [sys.getrefcount(group) for group in groups] == before
    groups[0].append(1.0)  # no buffer is held


def test_a_trend_beyond_all_doubles_is_none() -> None:
    huge = array("d", [-1e308, 1e308, 1.7e308, 1e308])
    change, probability = _core.trend([huge, array("d"), array("d", [1e308, 1e-300, 5e-324])])
    assert math.isfinite(change)
    assert 0 <= probability <= 1
