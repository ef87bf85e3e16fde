# SPDX-License-Identifier: Apache-2.0
"""`fettle view --callers` and `--callees`: the oracle is the standard library's pstats."""

import io
import pstats
import re
import sys
from pathlib import Path

import pytest
from fettle._core import Profile
from fettle.problem import Problem
from fettle.report import flat, names, neighbours

from .harness import Folder

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract import synthetic

PROGRAM = """
import re

class Shape:
    def area(self): return sum(self.sides())
    def sides(self):
        for n in range(3):
            yield len(str(n))

def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)

for n in range(9):
    Shape().area(); even(n); fib(n)
sorted("fettle", key=ord); sorted("abc", key=lambda each: fib(3))
re.compile("(a|b)*c[def]+")
"""

ROW = re.compile(
    r" *(?P<calls>\d+(?:/\d+)?) +(?P<own>\d+\.\d{3}) +(?P<all>\d+\.\d{3})"
    r"(?: +(?P<share>\d+\.\d))?(?: +\d+%)? +(?P<arrow>(?:<-|->) )?(?P<name>\S.*)"
)


def shown(profile: Profile, wanted: str, callers: bool, **choice: object) -> list[str]:
    """The lines of the table, without the heading and the head."""
    out = io.StringIO()
    made = flat.Choice(**{"key": "cumulative", "rows": 0, **choice})  # type: ignore[arg-type]
    neighbours.show(profile, wanted, callers, made, out, [])
    return out.getvalue().splitlines()[2:]


def read(lines: list[str]) -> dict[str, dict[str, tuple[str, str, str]]]:
    """For each function its neighbours: calls, own and cumulative time as they are printed."""
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for line in lines:
        row = ROW.fullmatch(line)
        if row is None:
            assert line.strip() in {"<- (nothing)", "-> (nothing)"}
        elif row["arrow"] is None:
            rows = found[row["name"]] = {}
        else:
            rows[row["name"]] = row["calls"], row["own"], row["all"]
    return found


Key = tuple[str, int, str]


def by_pstats(stats: pstats.Stats, callers: bool) -> dict[Key, dict[Key, tuple[int, ...]]]:
    if callers:
        return {key: row[4] for key, row in stats.stats.items()}  # type: ignore[attr-defined]
    stats.calc_callees()  # type: ignore[attr-defined]
    return stats.all_callees  # type: ignore[attr-defined,no-any-return]


def spelled(numbers: tuple[int, ...]) -> tuple[str, str, str]:
    calls, primitive, own, cumulative = numbers
    count = f"{calls}/{primitive}" if calls != primitive else f"{calls}"
    return count, f"{own:.3f}", f"{cumulative:.3f}"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, pstats.Stats]:
    folder = Folder(tmp_path_factory.mktemp("recorded"))
    folder.write("app.py", PROGRAM)
    assert folder.fettle("run", "-q", "app.py").code == 0
    assert folder.fettle("export", "app.fettle", "-f", "pstats").code == 0
    return Profile.read(str(folder.path / "app.fettle")), pstats.Stats(
        str(folder.path / "app.fettle.pstats")
    )


@pytest.mark.parametrize("callers", [True, False])
def test_all_neighbours_are_those_of_pstats(
    recorded: tuple[Profile, pstats.Stats], callers: bool
) -> None:
    profile, stats = recorded
    files = names.Files([row.file for row in profile.functions()])
    labels = {row[:3]: files.label(row) for row in profile.functions()}
    ours = read(shown(profile, "*", callers))
    theirs = by_pstats(stats, callers)
    assert len(ours) == len(labels) > 30
    for key, label in labels.items():
        rows = ours[label]
        rows.pop(neighbours.NOBODY, None)  # which pstats leaves out
        assert rows == {labels[other]: spelled(n) for other, n in theirs.get(key, {}).items()}


def test_shares_are_of_the_function(tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.login().write(tmp_path)))
    (_, *rows) = shown(profile, "sleep", True)
    assert [ROW.fullmatch(row)["share"] for row in rows] == ["85.7", "14.3"]  # type: ignore[index]
    (_, *rows) = shown(profile, "main_app", False)
    assert [ROW.fullmatch(row)["share"] for row in rows] == ["85.7", "14.3"]  # type: ignore[index]


def test_what_nobody_called_and_what_calls_nobody(tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.login().write(tmp_path)))
    assert shown(profile, "<module>", True)[1].endswith("<- (no recorded function)")
    assert shown(profile, "sleep", False)[1].strip() == "-> (nothing)"


def test_what_within_hides_is_counted(tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.login().write(tmp_path)))
    assert shown(profile, "sleep", True, within="json")[1].strip() == "<- (2 outside of json)"
    assert shown(profile, "sleep", False, within="json")[1].strip() == "-> (nothing)"


@pytest.mark.parametrize("callers", [True, False])
def test_the_function_must_be_named(callers: bool, tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.login().write(tmp_path)))
    with pytest.raises(Problem, match=r"of which function\? Name it: --call(er|ee)s NAME, of=NAME"):
        shown(profile, "", callers)


def test_rows_order_and_place(recorded: tuple[Profile, pstats.Stats]) -> None:
    profile, _ = recorded
    first = shown(profile, "app.py:<module>", False, key="name")
    order = [ROW.fullmatch(row)["name"] for row in first[1:]]  # type: ignore[index]
    assert len(order) > 4
    back = shown(profile, "app.py:<module>", False, key="name", reverse=True)
    assert back[1:] == first[:0:-1]
    cut = shown(profile, "app.py:<module>", False, key="name", rows=2)
    assert cut[:3] == first[:3]
    assert cut[3].strip() == f"-> ({len(order) - 2} more; -n 0 shows all)"
    within = shown(profile, "app.py:<module>", False, key="name", within="app.py")
    kept = [row for row in first[1:] if "app.py" in row]
    assert within[1:-1] == kept
    assert within[-1].strip() == f"-> ({len(order) - len(kept)} outside of app.py)"


def test_hostile_names_draw_nothing(tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.hostile().write(tmp_path)))
    for callers in (True, False):
        lines = shown(profile, "*", callers)
        assert all(line.isprintable() for line in lines)
        assert sum("  <- " in line or "  -> " in line for line in lines) == len(synthetic.HOSTILE)


def test_on_the_command_line(folder: Folder) -> None:
    folder.write("app.py", PROGRAM)
    folder.fettle("run", "-q", "app.py")
    (folder.path / "app.py").unlink()  # the source is not asked for
    ended = folder.fettle("view", "--callers", "fib")
    assert (ended.code, ended.stderr) == (0, "")
    assert "<- app.py:12(fib)" in ended.stdout
    assert "-> app.py:11(odd)" in folder.fettle("view", "app", "--callees", "even").stdout


@pytest.mark.parametrize(("word", "near"), [("fibb", "fib"), ("Shape.aera", "area")])
def test_a_name_that_is_none_gets_the_nearest(folder: Folder, word: str, near: str) -> None:
    folder.write("app.py", PROGRAM)
    folder.fettle("run", "-q", "app.py")
    ended = folder.fettle("view", "--callers", word)
    assert (ended.code, ended.stdout) == (1, "")
    assert word in ended.sentence()
    assert near in ended.sentence().split("near it:")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("--callers", "f", "--callees", "f"),
        ("--tree", "--callers", "f"),
        ("--calls", "--tree"),
        ("--fold", "1"),
        ("--tree", "--fold", "101"),
        ("--tree", "--fold", "-1"),
        ("--tree", "--fold", "nan"),
        ("--tree", "--fold", "much"),
        ("--callers",),
        ("-s", "time,speed"),
        ("-s", "3"),
        ("-s", ","),
    ],
)
def test_what_can_not_be_asked_for(folder: Folder, words: tuple[str, ...]) -> None:
    ended = folder.fettle("view", *words)
    assert (ended.code, ended.stdout) == (2, "")
    ended.sentence()
