# SPDX-License-Identifier: Apache-2.0
"""Curves against functools.lru_cache itself, which is run at every size over the same calls."""

import doctest
import functools
import io
import json
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from fettle.caching import curve as module
from fettle.caching.curve import Curve

Trace = list[int]


def lru_hits(trace: Trace, size: int | None) -> int:
    cached = functools.lru_cache(maxsize=size)(lambda key: key)
    for key in trace:
        cached(key)
    return cached.cache_info().hits


def curve_of(trace: Trace, maxsize: int | None = 128, policy: str = "lru") -> Curve:
    """Made of what lru_cache hits at each size."""
    steps: list[tuple[int, float]] = []
    for size in range(1, len(set(trace)) + 1):
        hits = lru_hits(trace, size)
        if hits != (steps[-1][1] if steps else 0):
            steps.append((size, hits))
    return Curve(
        calls=len(trace), distinct=len(set(trace)), steps=steps, maxsize=maxsize, policy=policy
    )


def loop(keys: int, rounds: int) -> Trace:
    return list(range(keys)) * rounds


def skewed(keys: int, calls: int) -> Trace:
    source = random.Random(5)
    return [int(keys * source.random() ** 3) for _ in range(calls)]


def phases() -> Trace:
    source = random.Random(6)
    return [phase * 20 + source.randrange(30) for phase in range(5) for _ in range(200)]


TRACES: dict[str, Callable[[], Trace]] = {
    "loop": lambda: loop(40, 5),
    "skewed": lambda: skewed(150, 1500),
    "phases": phases,
    "one key": lambda: [7] * 12,
    "one call": lambda: [7],
    "no key twice": lambda: list(range(50)),
}


@pytest.fixture(params=TRACES)
def trace(request: pytest.FixtureRequest) -> Trace:
    return TRACES[request.param]()


def test_ratio_is_what_lru_cache_hits(trace: Trace) -> None:
    curve = curve_of(trace)
    for size in (*range(curve.distinct + 5), 10**6, None):
        assert curve.hits(size) == lru_hits(trace, size)
        assert curve.ratio(size) == lru_hits(trace, size) / len(trace)


def test_size_for_is_the_smallest(trace: Trace) -> None:
    curve = curve_of(trace)
    ratios = [lru_hits(trace, size) / len(trace) for size in range(curve.distinct + 1)]
    for wanted in (0, 0.001, 0.25, 0.5, 0.9, 0.999, 1, *ratios):
        right = next((size for size, ratio in enumerate(ratios) if ratio >= wanted), None)
        assert curve.size_for(wanted) == right


def test_best_size(trace: Trace) -> None:
    hits = [lru_hits(trace, size) for size in range(len(set(trace)) + 1)]
    assert curve_of(trace).best_size == hits.index(max(hits))


def test_points(trace: Trace) -> None:
    curve = curve_of(trace, maxsize=13)
    points = curve.points()
    sizes = [size for size, _ in points]
    assert list(curve) == points
    assert sizes == sorted(set(sizes))
    assert all(ratio == lru_hits(trace, size) / len(trace) for size, ratio in points)
    powers = {2**power for power in range(20) if 2**power <= curve.distinct}
    assert powers | {13} <= set(sizes) <= powers | {13, curve.best_size}
    assert curve.best_size in {0, *sizes}
    assert 13 not in dict(curve_of(trace, maxsize=None)) or curve.best_size == 13


def test_no_calls_yet() -> None:
    curve = Curve(calls=0, distinct=0, steps=[], maxsize=128)
    assert curve.ratio(0) == curve.ratio(128) == curve.ratio(None) == 0.0
    assert curve.size_for(0) == 0
    assert curve.size_for(0.1) is None
    assert curve.points() == [(128, 0.0)]
    assert str(curve) == "no calls yet"
    assert repr(curve) == "<Curve: no calls yet>"


def test_no_key_came_twice() -> None:
    curve = curve_of(list(range(50)))
    assert curve.size_for(0.01) is None
    assert str(curve) == "no size would hit any of 50 calls: none had the arguments of one before"


def test_one_key() -> None:
    curve = curve_of([7] * 10, maxsize=128)
    assert curve.points() == [(1, 0.9), (128, 0.9)]
    assert str(curve).splitlines()[0] == (
        "maxsize=128 hits 90.0 % of 10 calls, as much as any size; 1 would do"
    )


@pytest.mark.parametrize(
    ("maxsize", "sentence"),
    [
        (10, "maxsize=10 hits 0.0 % of 200 calls; 40 would hit 80.0 %, the most there is"),
        (0, "maxsize=0 hits 0.0 % of 200 calls; 40 would hit 80.0 %, the most there is"),
        (40, "maxsize=40 hits 80.0 % of 200 calls, as much as any size"),
        (64, "maxsize=64 hits 80.0 % of 200 calls, as much as any size"),
        (80, "maxsize=80 hits 80.0 % of 200 calls, as much as any size; 40 would do"),
        (None, "maxsize=None hits 80.0 % of 200 calls, as much as any size; 40 would do"),
    ],
)
def test_the_sentence_about_a_loop(maxsize: int | None, sentence: str) -> None:
    # 40 keys five times: of LRU all or nothing, 160 of 200
    assert repr(curve_of(loop(40, 5), maxsize)) == f"<Curve: {sentence}>"


def test_the_sentence_names_a_power_of_two_where_more_is_worth_little() -> None:
    # 980 of 1000 calls are within reach, 970 of them at 100, which is more than 97 %
    curve = Curve(calls=1000, distinct=20, steps=[(10, 500), (100, 970), (700, 980)], maxsize=16)
    assert repr(curve) == (
        "<Curve: maxsize=16 hits 50.0 % of 1 000 calls;"
        " 128 would hit 97.0 %, no size above 700 hits more>"
    )
    there = Curve(calls=1000, distinct=20, steps=[(10, 500), (100, 970), (700, 980)], maxsize=128)
    assert repr(there) == (
        "<Curve: maxsize=128 hits 97.0 % of 1 000 calls; 700 would hit 98.0 %, the most there is>"
    )


def sampled(maxsize: int) -> Curve:
    steps = [(size, 9000.25 * size / 20000) for size in range(100, 20001, 100)]
    return Curve(
        calls=10000,
        distinct=20100,
        steps=steps,
        maxsize=maxsize,
        policy="car",
        exact=False,
        exact_sizes=2048,
        entry_bytes=50.0,
    )


def test_estimates_are_marked() -> None:
    text = sampled(128).text(plain=True)
    rows = {row[2:].strip(" *").split("  ")[0]: row for row in text.splitlines()[2:18]}
    assert "~" not in rows["2 048"]
    assert "~" in rows["4 096"]
    assert "~90.0 %" in text.splitlines()[0]
    assert "~" not in repr(sampled(1024)).split(";")[0]
    assert "maxsize=4096 hits ~" in repr(sampled(4096))
    assert "about 20 100 keys; what is said of sizes above 2 048 is an estimate" in text
    assert "the policy of this function is car" in text


def test_the_table_says_what_points_says() -> None:
    curve = sampled(128)
    lines = curve.text().splitlines()[1 : len(curve.points()) + 2]
    assert lines[0].split() == ["size", "hit", "ratio", "misses", "bytes"]
    for (size, ratio), line in zip(curve, lines[1:], strict=True):
        cells = [cell.replace("~", "") for cell in line.strip(" *").split("  ") if cell]
        assert cells[0] == f"{size:,}".replace(",", " ")
        assert cells[1].strip() == f"{100 * ratio:.1f} %"
        assert int(cells[2].replace(" ", "")) == round(10000 * (1 - ratio))
        assert line.startswith("  *") == (size == 128)
    assert lines[-1].endswith("1.0 MB")  # 20 000 entries of 50 bytes, none more


def test_bytes_are_of_no_more_entries_than_keys() -> None:
    curve = Curve(calls=9, distinct=3, steps=[(3, 6)], maxsize=1000, entry_bytes=50.0)
    row = curve.text().splitlines()[5]
    assert row.strip(" *").startswith("1 000")
    assert row.endswith("150 B")


def plot_of(text: str) -> list[str]:
    lines = text.splitlines()
    first = next(at for at, line in enumerate(lines) if "|" in line or "│" in line)
    return lines[first : first + 11]


@pytest.mark.parametrize("width", [20, 26, 40, 74, 200])
@pytest.mark.parametrize("maxsize", [0, 1, 7, 100, 5000, 2**31])
@pytest.mark.parametrize("plain", [False, True])
def test_the_plot_fits(width: int, maxsize: int, plain: bool) -> None:
    for trace in (skewed(150, 500), loop(3, 4), loop(2, 2)):
        text = curve_of(trace, maxsize).text(plain=plain, width=width)
        assert max(map(len, plot_of(text))) <= max(width, 26)
        assert text.isascii() == plain


def test_the_plot_is_as_high_as_the_ratio() -> None:
    """Each column against the ratio at a size that it stands for: sizes 1 to 64, one for each."""
    trace = skewed(64, 3000)
    curve = curve_of(trace, maxsize=5)
    assert curve.best_size <= 64
    rows = [line[10:].ljust(64) for line in plot_of(curve.text(width=74))[:8]]
    best = curve.ratio(None)
    for column in range(64):
        height = sum(module.timeline.BARS.index(row[column]) for row in rows) / 64
        size = 1 + column * curve.best_size // 64
        assert abs(height - curve.ratio(size) / best) <= 0.5 / 64 + 1e-9


@pytest.mark.parametrize(("encoding", "ascii_only"), [("ascii", True), ("utf-8", False)])
def test_str_is_ascii_where_the_encoding_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, ascii_only: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert str(curve_of(loop(40, 5))).isascii() == ascii_only
    monkeypatch.setattr(sys, "stdout", None)
    assert str(curve_of(loop(40, 5))).isascii()


def test_as_dict_is_json(trace: Trace) -> None:
    curve = curve_of(trace, policy="clock")
    again = json.loads(json.dumps(curve.as_dict()))
    assert again["calls"] == len(trace)
    assert again["distinct"] == len(set(trace))
    assert again["policy"] == "clock"
    assert again["points"] == [list(point) for point in curve.points()]
    assert Curve(**{name: again[name] for name in Curve.__slots__}) == curve


def test_it_does_not_change() -> None:
    given = [(1, 2.0)]
    curve = Curve(calls=4, distinct=2, steps=given)
    given.append((2, 3.0))
    assert curve.ratio(2) == 0.5
    with pytest.raises(FrozenInstanceError):
        curve.calls = 5  # type: ignore[misc]
    assert not hasattr(curve, "__dict__")


def raised(calls: Iterable[Callable[[], object]]) -> list[str]:
    found = []
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as error:
            call()
        found.append(f"{type(error.value).__name__}: {error.value}")
    return found


def test_bad_questions() -> None:
    curve = curve_of(loop(4, 2))
    nan = float("nan")
    asked: Any = curve
    assert raised([lambda: curve.ratio(-1), lambda: asked.ratio(1.5)]) == [
        "ValueError: size must be 0 or more entries, or None, not -1",
        "TypeError: size must be a number of entries or None, not 1.5",
    ]
    assert raised([lambda: curve.size_for(90), lambda: curve.size_for(nan)]) == [
        "ValueError: ratio must be a share from 0 to 1 (0.9 is 90 %), not 90",
        "ValueError: ratio must be a share from 0 to 1 (0.9 is 90 %), not nan",
    ]
    assert raised([lambda: asked.size_for("90 %")]) == [
        "TypeError: ratio must be a share from 0 to 1 (0.9 is 90 %), not '90 %'",
    ]


def test_the_examples() -> None:
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert attempted > 5
