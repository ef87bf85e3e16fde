# SPDX-License-Identifier: Apache-2.0
"""What is said of times: equal programs are rarely told apart, a slower function is found."""

import doctest
import math
import random

import pytest
from fettle.diffing import change, files, functions, judged, side, table

from . import made

pytestmark = pytest.mark.once  # arithmetic

SHARES = [0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01]  # of the time, by function


def runs(
    rng: random.Random, count: int, noise: float, common: float, slower: float = 1.0
) -> list[made.Run]:
    """Runs of one program; each has luck of its own, and so has each function in it. slower: the
    factor by which function f2 takes longer."""
    found = []
    for _ in range(count):
        luck = math.exp(rng.gauss(0, common))
        found.append(
            made.Run(
                made.function(
                    f"f{at}",
                    share * luck * math.exp(rng.gauss(0, noise)) * (slower if at == 2 else 1.0),
                    line=at + 1,
                )
                for at, share in enumerate(SHARES)
            )
        )
    return found


def verdicts(old: list[made.Run], new: list[made.Run]) -> dict[str, str]:
    changes = functions.matched(made.side(*old), made.side(*new))
    change.judge(changes, "own", sum(SHARES))
    return {one.entry().name: one.verdict.verdict for one in changes if one.verdict}


@pytest.mark.parametrize("module", [change, files, functions, judged, side, table])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize(("noise", "common"), [(0.02, 0.0), (0.05, 0.05), (0.15, 0.1)])
def test_equal_programs_are_rarely_told_apart(count: int, noise: float, common: float) -> None:
    """In at most one of twenty comparisons any function is claimed to have changed."""
    rng = random.Random(f"{count} {noise}")
    sessions, wrong = 150, 0
    for _ in range(sessions):
        found = verdicts(runs(rng, count, noise, common), runs(rng, count, noise, common))
        assert len(found) >= len(SHARES) - 1  # the smallest may be below a hundredth
        wrong += bool({"faster", "slower"} & set(found.values()))
    limit = sessions * 0.05
    assert wrong <= limit + 3 * math.sqrt(limit * 0.95)


def test_runs_of_a_heavy_tail_do_not_make_claims() -> None:
    """One run in five is disturbed, all of it or a function."""
    rng = random.Random(11)

    def disturbed() -> list[made.Run]:
        found = runs(rng, 5, 0.01, 0.01)
        if rng.random() < 0.7:
            victim = rng.randrange(len(found))
            luck = random.Random(victim)
            found[victim] = runs(luck, 1, 0.3, 0.5)[0]
        return found

    wrong = sum(
        bool({"faster", "slower"} & set(verdicts(disturbed(), disturbed()).values()))
        for _ in range(150)
    )
    assert wrong <= 150 * 0.05 + 8


def test_a_slower_function_is_found() -> None:
    """10 % slower, where runs differ by a hundredth: in nine of ten comparisons with ten runs, and
    it is the only one of which it is said."""
    rng = random.Random(3)
    found = other = 0
    for _ in range(100):
        told = verdicts(runs(rng, 10, 0.01, 0.0), runs(rng, 10, 0.01, 0.0, slower=1.1))
        found += told["f2"] == "slower"
        other += any(told[name] in {"faster", "slower"} for name in told if name != "f2")
    assert found >= 90
    assert other <= 10


def test_five_runs_find_what_is_twice_as_slow() -> None:
    rng = random.Random(4)
    told = [
        verdicts(runs(rng, 5, 0.01, 0.01), runs(rng, 5, 0.01, 0.01, slower=2.0))["f2"]
        for _ in range(50)
    ]
    assert told.count("slower") >= 45


def test_one_run_says_nothing() -> None:
    assert judged.compared([1.0], [3.0]).verdict == "unclear"
    assert judged.growth(judged.compared([1.0], [3.0])) == 0.0
    assert not judged.enough(1, 5)
    assert not judged.enough(5, 1)
    assert judged.enough(2, 2)


def test_what_takes_no_time_is_the_same() -> None:
    assert judged.compared([0.0] * 5, [0.0] * 5).verdict == "same"
    assert judged.growth(judged.compared([0.0] * 5, [1e-7] * 5)) == 0.0
