# SPDX-License-Identifier: Apache-2.0
"""`fettle view --tree`: what is printed must add up, read as text and by nothing else."""

import io
import marshal
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile, Stats
from fettle.problem import Problem
from fettle.report import calltree, flat

from .harness import Folder

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract import synthetic

LINE = re.compile(
    r" *(?P<all>\d+\.\d{3}) +(?P<share>\d+\.\d)(?: +(?P<calls>\d+) +(?P<own>\d+\.\d{3}))?"
    r"(?: +(?P<waiting>\d+)%)? +(?P<name>\S.*)"
)
FOLD = re.compile(r"\((\d+) functions?, (\d+) calls?\)")


@dataclass
class Line:
    all: int  # ms
    own: int
    calls: int
    name: str
    folds: bool
    below: list["Line"] = field(default_factory=list)


def printed(profile: Profile | Stats, fold: float = 0.0, **choice: object) -> list[str]:
    out = io.StringIO()
    made = flat.Choice(**{"key": "cumulative", "rows": 0, **choice})  # type: ignore[arg-type]
    calltree.show(profile, fold, made, out, [])
    return out.getvalue().splitlines()


def ms(text: str | None) -> int:
    return round(float(text or 0) * 1000)


def read(lines: list[str]) -> Line:
    """The tree that the lines draw, by their indentation."""
    left = lines[1].index("filename")
    top = Line(0, 0, 0, "", False)
    path = [top]
    for text in lines[2:]:
        if text.startswith((" (", "fettle: ")):
            continue
        found = LINE.fullmatch(text)
        assert found, text
        name, depth = found["name"], (found.start("name") - left) // 2
        if level := re.match(r"\[(\d+)\] ", name):
            depth, name = int(level[1]), name[level.end() :]
        fold = FOLD.fullmatch(name)
        calls = fold[2] if fold else found["calls"] or 0
        line = Line(ms(found["all"]), ms(found["own"]), int(calls), name, fold is not None)
        assert depth < len(path)
        del path[depth + 1 :]
        assert not path[-1].folds
        path[-1].below.append(line)
        path.append(line)
    top.all = sum(line.all for line in top.below)
    return top


def every(line: Line) -> list[Line]:
    found, left = [], [line]
    while left:
        found.append(left.pop())
        left += found[-1].below
    return found


def whole_milliseconds(seed: int) -> synthetic.Recording:
    """Random trees whose times are printed exactly."""
    dice = random.Random(seed)
    r = synthetic.Recording()
    for i in range(dice.randrange(1, 4)):
        r.process(pid=100 + i)
    for i in range(9):
        r.code(b"m%d.py" % (i % 4), i, b"f%d" % i, b"f%d" % i)
    r.code(b"", 0, b"", b"", synthetic.FOLDED)
    for i in range(dice.randrange(1, 5)):
        thread = r.thread(dice.randrange(len(r.processes)), b"thread %d" % i)
        for _ in range(dice.randrange(120)):
            parent = max(0, len(thread.nodes) - dice.choice([1, 1, 2, 9]))
            own = dice.choice([0, 1, 5, 80]) * 1_000_000
            thread.add(parent, dice.randrange(1, 10), dice.randrange(1, 9), own)
    return r


@pytest.mark.parametrize("seed", range(25))
def test_every_line_is_the_sum_of_what_stands_below_it(seed: int, tmp_path: Path) -> None:
    recording = whole_milliseconds(seed)
    profile = Profile.read(str(recording.write(tmp_path)))
    nodes = [node for thread in recording.threads for node in thread.nodes]
    folds = 0
    for fold, rows in [(0.0, 0), (0.01, 0), (0.1, 0), (0.0, 7), (0.02, 3), (1.0, 0)]:
        top = read(printed(profile, fold, rows=rows))
        assert top.all == sum(node.own for node in nodes) // 1_000_000
        lines = every(top)[1:]
        assert sum(line.calls for line in lines) == sum(node.calls for node in nodes)
        for line in lines:
            assert line.folds or line.all == line.own + sum(below.all for below in line.below)
            assert line.folds or line.all >= fold * top.all
        assert rows == 0 or sum(not line.folds for line in lines) <= rows
        folds += sum(line.folds for line in lines)
    assert folds or not nodes


def test_the_tree_of_the_login_program(tmp_path: Path) -> None:
    lines = printed(Profile.read(str(synthetic.login().write(tmp_path))), 0.01)
    left = lines[1].index("filename")
    assert [line[left:] for line in lines[2:]] == [
        "login.py:1(<module>)",
        "  login.py:26(main_app)",
        "    login.py:14(login_user)",
        "      {built-in method time.sleep}",
        "    login.py:40(fact)",
        "      login.py:40(fact)",
        "        {built-in method time.sleep}",
    ]
    assert lines[4].split() == ["6.003", "85.7", "2", "0.003", "100%", "login.py:14(login_user)"]


def test_siblings_are_sorted(tmp_path: Path) -> None:
    profile = Profile.read(str(whole_milliseconds(3).write(tmp_path)))

    def orders(key: str, reverse: bool = False) -> list[list[Line]]:
        top = read(printed(profile, key=key, reverse=reverse))
        return [[one for one in line.below if not one.folds] for line in every(top)]

    for below in orders("cumulative"):
        assert below == sorted(below, key=lambda line: -line.all)
    for below in orders("calls"):
        assert below == sorted(below, key=lambda line: -line.calls)
    for below in orders("pcalls", reverse=True):
        assert below == sorted(below, key=lambda line: line.calls)
    for below in orders("time,calls"):
        assert below == sorted(below, key=lambda line: (-line.own, -line.calls))
    assert max(map(len, orders("calls"))) > 3


@pytest.mark.parametrize("seed", range(6))
def test_only_what_leads_to_a_place(seed: int, tmp_path: Path) -> None:
    """The lines are those of the whole tree that lead to m1.py; the rest is counted."""
    profile = Profile.read(str(whole_milliseconds(seed).write(tmp_path)))
    whole, part = read(printed(profile)), read(printed(profile, within="m1.py"))

    def leads(line: Line) -> bool:
        return any("m1.py" in one.name for one in every(line))

    def shape(line: Line, only: bool) -> list[tuple[str, int, list[Any]]]:
        kept = [one for one in line.below if not one.folds and (leads(one) or not only)]
        return sorted((one.name, one.all, shape(one, only)) for one in kept)

    assert shape(part, False) == shape(whole, True)
    assert shape(part, False)
    assert sum(one.calls for one in every(part)) == sum(one.calls for one in every(whole))


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    profile = Profile.read(str(synthetic.login().write(tmp_path)))
    with pytest.raises(Problem, match=r"nowhere\.py"):
        printed(profile, within="nowhere.py")


def test_processes_and_threads_stand_on_top(tmp_path: Path) -> None:
    r = synthetic.Recording()
    for pid in (7, 8):
        r.process(pid=pid, command=b"python\0" + b"x" * 500 + b"\x1b[1m")
    code = r.code(b"a.py", 1, b"work", b"work")
    for process, name, uses in [(0, b"main", 1), (0, b"thread 2\n", 3), (1, b"main", 1)]:
        r.thread(process, name, uses).add(0, code, 1, 1_000_000_000)
    top = read(printed(Profile.read(str(r.write(tmp_path)))))
    one, other = top.below
    assert one.name.startswith("[process 7: python xxx")
    assert len(one.name) < 100
    assert [line.name for line in one.below] == ["[main]", "[thread 2\\n, 3 in turn]"]
    assert [line.name for line in one.below[0].below] == ["a.py:1(work)"]
    assert [line.name for line in other.below] == ["a.py:1(work)"]  # its one thread needs no line


def test_calls_past_the_cap_are_said_to_be(tmp_path: Path) -> None:
    top = read(printed(Profile.read(str(synthetic.folded().write(tmp_path)))))
    assert {line.name for line in top.below} == {"f.py:1(f)", *calltree.PAST_CAP.values()}
    assert sum(line.calls for line in every(top)) == 35


def test_hostile_names_draw_nothing(tmp_path: Path) -> None:
    lines = printed(Profile.read(str(synthetic.hostile().write(tmp_path))))
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 2 + len(synthetic.HOSTILE)


def test_an_empty_recording(tmp_path: Path) -> None:
    lines = printed(Profile.read(str(synthetic.Recording().write(tmp_path))), 0.01)
    assert lines[0].startswith("0 function calls")
    assert "nothing was recorded" in lines[1]
    assert len(lines) == 2


def test_what_cprofile_wrote_has_no_tree(tmp_path: Path) -> None:
    path = tmp_path / "x.prof"
    path.write_bytes(marshal.dumps({("a.py", 1, "f"): (1, 1, 0.5, 0.5, {})}))
    with pytest.raises(Problem, match=r"x\.prof has no call tree") as refused:
        printed(Stats.read(str(path)), source="x.prof")
    assert refused.value.code == 1


def test_a_hundred_thousand_levels(folder: Folder) -> None:
    levels = 100_000
    r = synthetic.Recording()
    r.process()
    code = r.code(b"deep.py", 1, b"down", b"down")
    thread = r.thread()
    for at in range(levels):
        thread.add(at, code, 1, 1_000_000)
    name = r.write(folder.path).name
    ended = folder.fettle("view", name, "--tree", "-n", "0", "--fold", "0")
    assert (ended.code, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert len(lines) == 2 + levels
    assert lines[-1].split() == ["0.001", "0.0", "1", "0.001", f"[{levels - 1}]", "deep.py:1(down)"]
    assert max(map(len, lines)) < 110
    few = folder.fettle("view", name, "--tree", "-n", "3").stdout.splitlines()
    assert few[-2].endswith("(1 function, 99997 calls)")


def test_on_the_command_line(folder: Folder) -> None:
    folder.write("app.py", "def f(): g()\ndef g(): pass\nfor _ in range(3): f()\n")
    folder.fettle("run", "-q", "app.py")
    (folder.path / "app.py").unlink()  # the source is not asked for
    ended = folder.fettle("view", "--tree", "--fold", "0%")
    assert (ended.code, ended.stderr) == (0, "")
    top = read(ended.stdout.splitlines())
    (module,) = (line for line in top.below if line.name == "app.py:1(<module>)")
    assert [(line.name, line.calls) for line in module.below] == [("app.py:1(f)", 3)]
    assert [(line.name, line.calls) for line in module.below[0].below] == [("app.py:2(g)", 3)]
