# SPDX-License-Identifier: Apache-2.0
"""Prices: the statistics, what is kept, what a pattern means, the table, from figures made up."""

import doctest
import json
import random
import re
import statistics
import time
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle.problem import Problem
from fettle.report import costs as report
from fettle.timing import costs as module
from fettle.timing import figures as keeping
from fettle.timing import interpreters, pricing
from fettle.timing.construct import Construct
from fettle.timing.constructs import constructs
from fettle.timing.costs import Costs, selected
from fettle.timing.figures import Figure, Kept
from fettle.timing.interpreters import Interpreter

A, B, C = (
    Construct("one", "Base", "x", is_base=True),
    Construct("one", "dict[key], twice", "y"),
    Construct("Two", "lacking", "z", is_base=True),
)
PYTHON = Interpreter("/bin/p", "/bin/p", "3.99.1 (main) [GCC]")
NOW = 1e9


def figure(ns: float, spread: float = 0.0, skipped: str = "", when: float = NOW) -> Figure:
    return Figure(ns, ns * 0.9, ns * 1.1, spread, when, skipped)


def made_up(base: float = 50.0, path: str = "/bin/p") -> Costs:
    figures = {A: figure(base), B: figure(100.0, 0.25), C: figure(0.0, skipped="SyntaxError: no")}
    return Costs(replace(PYTHON, path=path), figures, [A, B, C])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FETTLE_CACHE_DIR", str(tmp_path))
    return tmp_path / "costs"


@pytest.mark.parametrize("each", [module, keeping, interpreters, pricing, report])
def test_examples(each: Any) -> None:
    failed, attempted = doctest.testmod(each)
    assert failed == 0
    assert attempted


# ---- statistics ----


def test_a_figure_is_of_all_samples() -> None:
    chance = random.Random(8)
    groups = [array("d", [chance.gauss(100 + n, 3) for _ in range(31)]) for n in range(5)]
    found = pricing._figure(groups, "", NOW)
    assert found.nanoseconds == statistics.median(value for group in groups for value in group)
    assert found.low < found.nanoseconds < found.high
    assert not found.skipped


def test_an_interval_holds_the_truth() -> None:
    """Processes that differ by more than their samples: in 95 of 100, give or take chance."""
    chance, held = random.Random(3), 0
    for _ in range(400):
        centres = [chance.gauss(100, 2) for _ in range(pricing.PROCESSES)]
        groups = [array("d", [chance.gauss(each, 1) for _ in range(20)]) for each in centres]
        found = pricing._figure(groups, "", NOW)
        held += found.low <= 100 <= found.high
    assert held >= 360


def test_no_price_is_less_than_nothing() -> None:
    found = pricing._figure([array("d", [-0.2, -0.1, -0.3])] * 3, "", NOW)
    assert (found.nanoseconds, found.low) == (0.0, 0.0)
    assert found.high >= 0.0


def test_what_no_process_measured_is_skipped() -> None:
    assert pricing._figure([], "SyntaxError: x", NOW).skipped == "SyntaxError: x"
    assert pricing._figure([], "", NOW).skipped


def test_parts_are_whole_groups_and_all_of_them() -> None:
    every = constructs()
    seen = []
    for _ in range(20):
        parts = pricing._parts(every)
        assert sorted(c.name for part in parts for c in part) == sorted(c.name for c in every)
        homes = [{c.group for c in part} for part in parts]
        assert sum(map(len, homes)) == len(set.union(*homes))
        assert max(map(len, parts)) < 2 * pricing.TOGETHER
        seen.append(homes)
    assert any(homes != seen[0] for homes in seen)  # the company changes
    assert pricing._parts([A, C]) in ([[A, C]], [[C, A]])


# ---- what is kept ----


def test_what_is_kept_is_found_again() -> None:
    figures = {A: figure(1.5), B: figure(2.0, skipped="why")}
    kept = Kept(PYTHON)
    assert kept.get(A) is None
    kept.add(figures)
    assert kept.trouble == ""
    again = Kept(PYTHON)
    assert (again.get(A), again.get(B), again.get(C)) == (figures[A], figures[B], None)


@pytest.mark.parametrize(
    "other",
    [
        replace(A, name="other"),
        replace(A, statement="other"),
        replace(A, setup="other"),
        replace(A, before="other"),
        replace(A, free=("x",)),
        replace(A, is_async=True),
        replace(A, repeated=8),
    ],
)
def test_what_is_measured_in_another_way_is_another_construct(other: Construct) -> None:
    Kept(PYTHON).add({A: figure(1.5)})
    assert Kept(PYTHON).get(other) is None
    assert Kept(PYTHON).get(replace(A, group="moved")) == figure(1.5)


@pytest.mark.parametrize(
    "other",
    [replace(PYTHON, path="/bin/q"), replace(PYTHON, version="3.99.1 (main) [Clang]")],
)
def test_another_interpreter_has_its_own(other: Interpreter) -> None:
    Kept(PYTHON).add({A: figure(1.5)})
    assert Kept(other).get(A) is None
    Kept(other).add({A: figure(2.5)})
    assert Kept(PYTHON).get(A) == figure(1.5)


def test_another_machine_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Kept(PYTHON).add({A: figure(1.5)})
    monkeypatch.setattr(interpreters, "processor", lambda: "Another CPU")
    assert Kept(PYTHON).get(A) is None


def test_two_processes_keep_what_each_measured() -> None:
    first, second = Kept(PYTHON), Kept(PYTHON)
    first.add({A: figure(1.0)})
    second.add({B: figure(2.0)})
    assert Kept(PYTHON).get(A) == figure(1.0)
    assert Kept(PYTHON).get(B) == figure(2.0)


def damaged(data: dict[str, Any], how: str) -> str:
    row = next(iter(data["figures"].values()))
    if how in {"layout", "key"}:
        data[how] = None
    elif how in row:
        row[how] = {"nanoseconds": "1", "low": 1e9, "high": -1.0, "spread": None}.get(how, 1e300)
    elif how == "missing":
        del row["low"]
    elif how == "nan":
        row["nanoseconds"] = float("nan")
    elif how == "list":
        data["figures"] = [row]
    text = json.dumps(data)
    return text[: len(text) // 2] if how == "cut" else "" if how == "empty" else text


HOW = ["layout", "key", "nanoseconds", "low", "high", "spread", "when", "skipped"]


@pytest.mark.parametrize("how", [*HOW, "missing", "nan", "list", "cut", "empty", "[" * 5])
def test_a_damaged_file_counts_as_none(cache: Path, how: str) -> None:
    Kept(PYTHON).add({A: figure(1.5)})
    (file,) = cache.iterdir()
    file.write_text(damaged(json.loads(file.read_text()), how) if how[0] != "[" else "[" * 99999)
    kept = Kept(PYTHON)
    assert kept.get(A) is None
    kept.add({A: figure(2.5)})
    assert Kept(PYTHON).get(A) == figure(2.5)
    assert [each.name for each in cache.iterdir()] == [file.name]  # nothing half-written is left


def test_bytes_that_are_no_text_count_as_none(cache: Path) -> None:
    Kept(PYTHON).add({A: figure(1.5)})
    next(cache.iterdir()).write_bytes(b"\xff\xfe\x00")
    assert Kept(PYTHON).get(A) is None


def test_where_nothing_can_be_kept_the_figures_are_there_all_the_same(cache: Path) -> None:
    cache.write_text("a file, not a folder")
    kept = Kept(PYTHON)
    kept.add({A: figure(1.5)})
    assert kept.get(A) == figure(1.5)
    assert kept.trouble.startswith(f"the figures could not be kept in {cache} (")
    assert kept.trouble.endswith("FETTLE_CACHE_DIR names another folder.")


# ---- what a pattern means ----


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [A, B, C]),
        ("one", [A, B]),
        ("TWO", [C]),
        ("base", [A]),
        ("dict[key]", [B]),
        ("dict*twice", [B]),
        ("*e", [A, B]),
        ("l?ck*", [C]),
    ],
)
def test_a_pattern_means(pattern: str, found: list[Construct]) -> None:
    assert selected((A, B, C), pattern) == found


def test_no_match_has_near_names() -> None:
    with pytest.raises(Problem) as problem:
        selected(constructs(), "dcit")
    assert problem.value.code == 1
    assert "'dcit'; near: 'dict" in problem.value.sentence
    with pytest.raises(Problem, match="`fettle costs` lists them all"):
        selected((A, B, C), "qqqqqqqq\x1b[2J")


# ---- the prices ----


def test_prices_by_name() -> None:
    costs = made_up()
    assert [each.name for each in costs] == ["Base", "dict[key], twice"]
    assert (len(costs), "Base" in costs, "lacking" in costs) == (2, True, False)
    assert costs.skipped == {"lacking": "SyntaxError: no"}
    twice = costs["dict[key], twice"]
    assert (twice.group, twice.statement, twice.nanoseconds, twice.ratio) == ("one", "y", 100, 2)
    assert (twice.low, twice.high) == (90.0, pytest.approx(110.0))
    assert costs.get("lacking") is None
    with pytest.raises(KeyError, match=r"near: 'dict\[key\], twice'"):
        costs["dict[key], twise"]


def test_there_is_no_ratio_to_nothing() -> None:
    assert made_up(0.0)["dict[key], twice"].ratio is None


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + 7200.0)
    monkeypatch.setattr(interpreters, "processor", lambda: "CPU")
    costs = made_up()
    heading, base, twice, foot = costs.table().splitlines()
    assert heading == "one"
    assert base.split() == ["Base", "50", "ns", "1.0x"]
    assert twice.split() == ["dict[key],", "twice", "100", "ns", "2.0x", "+-25%"]
    assert base.index(" ns") == twice.index(" ns")
    assert foot == (
        "Python 3.99.1, which lacks 1 construct, CPU: measured 2.0 h ago; --again measures anew"
    )
    assert str(costs) == costs.table()


def test_the_age_is_that_of_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {A: figure(1.0), B: figure(2.0, when=NOW - 86400 * 3)}
    monkeypatch.setattr(time, "time", lambda: NOW)
    assert "measured 3.0 d ago" in Costs(PYTHON, figures, [A, B]).table()
    assert "measured just now" in Costs(PYTHON, figures, [A]).table()


@pytest.mark.parametrize(("several", "room"), [(1, 36), (2, 51)])
def test_a_narrow_terminal_cuts_names_and_no_figures(several: int, room: int) -> None:
    made = [made_up(), made_up(25.0, "/bin/q")][:several]
    figures = re.compile(r"\b\d+ ns|\d\.\dx")
    whole = [figures.findall(line) for line in report.text(made).splitlines()]
    narrow = [line for line, style in report._lines(made, room) if style not in ("dim", "foot")]
    assert [figures.findall(line) for line in narrow] == whole[: len(narrow)]
    assert max(map(len, narrow)) <= room
    assert narrow[-1].startswith(" dict[key]... ")


def test_side_by_side() -> None:
    text = report.text([made_up(), made_up(25.0, "/bin/q")])
    head, heading, base, twice, *feet = text.splitlines()
    assert head.split() == ["3.99.1", "/bin/p", "3.99.1", "/bin/q", "ratio"]
    assert heading == "one"
    assert base.split() == ["Base", "50", "ns", "25", "ns", "0.5x"]
    assert twice.split() == ["dict[key],", "twice", "100", "ns", "100", "ns", "1.0x"]
    assert len(feet) == 2


def test_side_by_side_with_one_that_lacks_some() -> None:
    figures = {A: figure(10.0), B: figure(0.0, skipped="x"), C: figure(5.0)}
    rows = report.text([made_up(), Costs(PYTHON, figures, [A, B, C])]).splitlines()
    assert rows[3].split() == ["dict[key],", "twice", "100", "ns", "-"]
    assert rows[5].split() == ["lacking", "-", "5.0", "ns"]


def test_json_is_a_plain_list() -> None:
    (base, twice) = json.loads(report.as_json([made_up()]))
    assert base == {"group": "one", "name": "Base", "nanoseconds": 50, "low": 45, "high": 55}
    assert set(twice) == set(base)
    both = json.loads(report.as_json([made_up(), made_up(path="/bin/q")]))
    assert [row["interpreter"] for row in both] == ["3.99.1 /bin/p"] * 2 + ["3.99.1 /bin/q"] * 2


# ---- what is measured, and when ----


def test_only_what_is_missing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def measure(interpreter: object, missing: list[Construct], *_: object) -> dict[Any, Figure]:
        asked.append([each.name for each in missing])
        return {each: figure(7.0) for each in missing}

    monkeypatch.setattr(pricing, "measure", measure)
    assert fettle.costs("dict[key], hit")["dict[key], hit"].nanoseconds == 7.0
    fettle.costs("dict[key], hit")
    fettle.costs("DICT.GET(key), *")
    fettle.costs("dict[key], hit", again=True)
    hits = [each.name for each in constructs() if "dict[key], hit" in each.name]
    base = "dict.get(key), hit"  # is measured with any of its group
    assert asked == [[base, *hits], ["dict.get(key), miss"], [base, *hits]]
    assert len(fettle.costs()) == len(constructs())
    assert len(asked[-1]) == len(constructs()) - len({*asked[0], *asked[1]})
