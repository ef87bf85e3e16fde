# SPDX-License-Identifier: Apache-2.0
"""Bytes and counts are read back as what they were; conditions on growth; columns."""

import doctest
import random
import re

import pytest
from fettle import failon
from fettle.problem import Problem
from fettle.report import columns, difftable, growth, leaks, listing, size, span

FACTORS = {unit: 1000**power for power, unit in enumerate(size.UNITS)}


@pytest.mark.parametrize("module", [size, columns, growth, leaks, difftable, listing, span])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
    assert doctest.testmod(module).attempted > 0  # type: ignore[arg-type]


def test_an_amount_is_within_its_last_digit() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        count = rng.choice((-1, 1)) * rng.randrange(10 ** rng.randrange(1, 20))
        found = re.fullmatch(r"(-?)(\d{1,3})(\.\d)? (\w+)", size.amount(count))
        assert found, count
        factor = FACTORS[found[4]]
        value = float(found[2] + (found[3] or "")) * factor * (-1 if found[1] else 1)
        assert abs(value - count) <= 0.0501 * factor * (10 if factor == 1 else 1)
        assert bool(found[1]) == (count < 0)
        assert factor == 1 or float(found[2] + (found[3] or "")) >= 1


def test_sizes_that_are_typed_are_read() -> None:
    rng = random.Random(6)
    for _ in range(500):
        number = rng.randrange(10**6)
        for unit, factor in {
            "": 1,
            "B": 1,
            "kB": 1000,
            "KB": 1000,
            "M": 10**6,
            "GiB": 2**30,
        }.items():
            assert (
                size.read(f"{number}{unit}") == size.read(f" {number} {unit} ") == number * factor
            )
    for word in ("", "MB", "-1MB", "1e3", "1iB", "1 M B", "1,5MB", "²MB", "nan", "inf", "1" * 20):
        assert size.read(word) is None, word


@pytest.mark.parametrize(
    ("text", "before", "now", "failed"),
    [
        ("mem>1MB", 0, 1_000_000, False),
        ("mem>1MB", 0, 1_000_001, True),
        ("mem>5%", 100, 105, False),
        ("mem>5%", 100, 106, True),
        ("mem > 5 %", 0, 1, True),
        ("mem>0", 7, 7, False),
        ("mem>0", 7, 8, True),
        ("mem>0%", 8, 7, False),
        ("mem>1MiB", 0, 1_048_576, False),
    ],
)
def test_a_condition_fails_above_its_limit(text: str, before: int, now: int, failed: bool) -> None:
    assert [each.failed(before, now) for each in failon.read(text)] == [failed]


@pytest.mark.parametrize(("text", "share"), [("time>5%", 0.05), ("time > 0%", 0.0)])
def test_conditions_of_time_are_shares(text: str, share: float) -> None:
    (condition,) = failon.read(text)
    assert (condition.kind, condition.least_share()) == ("time", pytest.approx(share))


@pytest.mark.parametrize("word", ["time>1ms", "time>5", "time>1MB", "time>", "time>-1%"])
def test_times_have_no_amount(word: str) -> None:
    with pytest.raises(Problem, match="percentage for time"):
        failon.read(word)


def test_conditions_are_several() -> None:
    assert [each.text for each in failon.read("mem>1MB, mem>5%")] == ["mem>1MB", "mem>5%"]


@pytest.mark.parametrize("kind", ["calls", "hits", "objects"])
def test_counts_are_numbers_or_shares(kind: str) -> None:
    at_most, share = failon.read(f"{kind}>1 000, {kind} > 5%")
    assert [at_most.failed(7, now) for now in (1006, 1007, 1008)] == [False, False, True]
    assert [share.failed(100, now) for now in (99, 105, 106)] == [False, False, True]
    for word in ("1MB", "-1", "1.5", "1e3", "²", "", "1" * 16):
        with pytest.raises(Problem, match="such as"):
            failon.read(f"{kind}>{word}")


@pytest.mark.parametrize(
    "word",
    ["", "mem", "mem>", "mem<1", "mem>=1", "mem>x", "mem>-1%", "mem>nan%", "mem>1,", "rss>1"],
)
def test_conditions_that_are_none_are_one_sentence(word: str) -> None:
    with pytest.raises(Problem) as refused:
        failon.read(word)
    assert refused.value.code == 2
    assert refused.value.sentence.endswith(".")
    assert "mem>1MB" in refused.value.sentence
