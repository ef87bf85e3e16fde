# SPDX-License-Identifier: Apache-2.0
"""`fettle view prof.out`: what cProfile wrote, as pstats would show it."""

import marshal
import os
import pstats
from pathlib import Path
from typing import Any

import pytest

from .harness import Folder, rows

APP = """\
import json
def fact(n): return n * fact(n - 1) if n else 1
for _ in range(3): fact(4)
json.loads("[1]")
"""


@pytest.fixture
def profiled(folder: Folder) -> Folder:
    """app.py, prof.out by cProfile, and app.fettle."""
    folder.write("app.py", APP)
    assert folder.python("-m", "cProfile", "-o", "prof.out", "app.py").code == 0
    assert folder.fettle("run", "-q", "app.py").code == 0
    return folder


def loaded(*paths: Path) -> Any:
    return pstats.Stats(*map(str, paths))


def test_it_is_shown_with_pstats_numbers(profiled: Folder) -> None:
    theirs = loaded(profiled.path / "prof.out")
    ended = profiled.fettle("view", "prof.out", "-n", "0")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith(
        f"prof.out (pstats): {theirs.total_calls} function calls ({theirs.prim_calls} primitive"
        f" calls) in {theirs.total_tt:.3f} s\n"
    )
    table = rows(ended.stdout)
    assert len(table) == len(theirs.stats)
    assert table["app.py:2(fact)"] == "15/3"
    assert sorted(table.values()) == sorted(
        str(calls) if calls == primitive else f"{calls}/{primitive}"
        for primitive, calls, *_ in theirs.stats.values()
    )


def test_options_hold(profiled: Folder) -> None:
    ended = profiled.fettle("view", "prof.out", "-s", "name", "-n", "1", "--in", "app.py")
    assert list(rows(ended.stdout)) == ["app.py:1(<module>)"]
    assert profiled.fettle("view", "prof.out", "--in", "nosuch*").code == 1


def test_several_are_added_as_pstats_adds(profiled: Folder) -> None:
    (profiled.path / "again").write_bytes((profiled.path / "prof.out").read_bytes())
    theirs = loaded(profiled.path / "prof.out", profiled.path / "again")
    ended = profiled.fettle("view", "prof.out", "again", "-n", "0")
    assert f"prof.out, again (pstats): {theirs.total_calls} function calls" in ended.stdout
    assert rows(ended.stdout)["app.py:2(fact)"] == "30/6"


def test_what_fettle_exports_for_pstats_is_shown_again(profiled: Folder) -> None:
    assert profiled.fettle("export", "app.fettle", "-f", "pstats", "-o", "back.out").code == 0
    own = profiled.fettle("view", "app.fettle", "-n", "0", "-s", "stdname").stdout.splitlines()
    back = profiled.fettle("view", "back.out", "-n", "0", "-s", "stdname").stdout.splitlines()
    numbers = slice(0, 43), slice(52, None)  # all but what only fettle knows, the share of waiting
    assert len(own) > 3
    assert [[line[part] for part in numbers] for line in back[1:]] == [
        [line[part] for part in numbers] for line in own[1:]
    ]
    assert own[0].partition(", ")[0].removeprefix("app.fettle: ") in back[0]


def test_recordings_and_statistics_are_not_mixed(profiled: Folder) -> None:
    for words in [("app.fettle", "prof.out"), ("prof.out", "app.fettle")]:
        ended = profiled.fettle("view", *words)
        assert (ended.code, ended.stdout) == (2, "")
        assert all(name in ended.sentence() for name in words)


def test_samples_are_called_samples(folder: Folder) -> None:
    stats = {("a.py", 1, "f"): (2, 9, 0.2, 0.9, {}), ("__sampled__",): True}
    (folder.path / "prof.out").write_bytes(marshal.dumps(stats))
    ended = folder.fettle("view", "prof.out")
    assert ended.stdout.startswith("prof.out (pstats): 2 samples in 0.200 s\n")
    assert "fettle: prof.out holds samples: " in ended.stdout
    (folder.path / "calls.out").write_bytes(marshal.dumps({("a.py", 1, "f"): (2, 9, 0.2, 0.9, {})}))
    mixed = folder.fettle("view", "prof.out", "calls.out")
    assert (mixed.code, mixed.stdout) == (2, "")
    assert "samples" in mixed.sentence()


def test_statistics_of_nothing(folder: Folder) -> None:
    (folder.path / "prof.out").write_bytes(marshal.dumps({}))
    ended = folder.fettle("view", "prof.out")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("prof.out (pstats): 0 function calls in 0.000 s\n")


def test_names_can_not_draw_on_the_screen(folder: Folder) -> None:
    key = ("evil\x1b[31m\n\u202e.py", 1, "<script>\ud800'\"")
    (folder.path / "prof.out").write_bytes(marshal.dumps({key: (1, 1, 0.5, 0.5, {})}))
    ended = folder.fettle("view", "prof.out")
    assert "evil\\x1b[31m\\n\\u202e.py:1(<script>\\xed\\xa0\\x80'\")" in ended.stdout
    assert "\x1b" not in ended.stdout


def test_a_caller_without_a_row(folder: Folder) -> None:
    stats = {("a.py", 1, "f"): (1, 1, 0.5, 0.5, {("b.py", 2, "gone"): (1, 1, 0.5, 0.5)})}
    (folder.path / "prof.out").write_bytes(marshal.dumps(stats))
    table = rows(folder.fettle("view", "prof.out").stdout)
    assert table["a.py:1(f)"] == "1"


HOSTILE = {
    "one byte": b"{",
    "two bytes": b"{)",
    "nested deeply": b"{" + b")\x01" * 100_000,
    "a huge tuple": b"{(\xff\xff\xff\x7f",
    "cut off": marshal.dumps({("a.py", 1, "f"): (1, 1, 0.5, 0.5, {})})[:-1],
    "a list": marshal.dumps([1, 2, 3]),
    "no time": marshal.dumps({("a.py", 1, "f"): (1, 1, float("nan"), 0.5, {})}),
    "bytecode": marshal.dumps(compile("1 + 1", "a.py", "eval")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_hostile_file_is_one_sentence(name: str, folder: Folder) -> None:
    (folder.path / "prof.out").write_bytes(HOSTILE[name])
    for words in [("view", "prof.out"), ("export", "prof.out", "-f", "json")]:
        ended = folder.fettle(*words)
        assert (ended.code, ended.stdout) == (3, "")
        assert "prof.out" in ended.sentence()


def test_one_that_is_too_large_is_one_sentence(folder: Folder) -> None:
    (folder.path / "prof.out").write_bytes(b"{)")
    os.truncate(folder.path / "prof.out", (1 << 30) + 1)  # sparse: it takes no room
    ended = folder.fettle("view", "prof.out")
    assert ended.code == 3
    assert "larger" in ended.sentence()


def test_statistics_have_no_paths_to_export(profiled: Folder) -> None:
    ended = profiled.fettle("export", "prof.out", "-f", "speedscope")
    assert ended.code == 3
    assert "no call paths" in ended.sentence()
    assert "prof.speedscope.json" not in profiled.names()


# ---- the other reports ----


def test_callers_and_callees_are_pstats(profiled: Folder) -> None:
    theirs = loaded(profiled.path / "prof.out").stats
    (fact,) = (key for key in theirs if key[2] == "fact")
    callers = {caller[2]: edge[:2] for caller, edge in theirs[fact][4].items()}
    assert callers == {"<module>": (3, 3), "fact": (12, 3)}
    ended = profiled.fettle("view", "prof.out", "--callers", "fact")
    assert (ended.code, ended.stderr) == (0, "")
    lines = [line.split() for line in ended.stdout.splitlines() if "<-" in line]
    assert {line[-1]: line[0] for line in lines} == {
        "app.py:1(<module>)": "3",
        "app.py:2(fact)": "12/3",
    }
    ended = profiled.fettle("view", "prof.out", "--callees", "fact")
    assert [line.split()[-1] for line in ended.stdout.splitlines() if "->" in line] == [
        "app.py:2(fact)"
    ]


def test_a_caller_without_a_row_keeps_its_name(folder: Folder) -> None:
    stats = {("a.py", 1, "f"): (1, 1, 0.5, 0.5, {("b.py", 2, "gone"): (1, 1, 0.5, 0.5)})}
    (folder.path / "prof.out").write_bytes(marshal.dumps(stats))
    assert "<- b.py:2(gone)" in folder.fettle("view", "prof.out", "--callers", "f").stdout
    assert "-> a.py:1(f)" in folder.fettle("view", "prof.out", "--callees", "gone").stdout


def test_callers_that_were_not_timed_are_said(folder: Folder) -> None:
    stats = {("a.py", 1, "f"): (3, 3, 0.5, 0.5, {("b.py", 2, "g"): 3})}
    (folder.path / "prof.out").write_bytes(marshal.dumps(stats))
    assert "does not time callers" in folder.fettle("view", "prof.out", "--callers", "f").stdout
    assert "does not time callers" not in folder.fettle("view", "prof.out").stdout


def test_statistics_have_no_tree(profiled: Folder) -> None:
    ended = profiled.fettle("view", "prof.out", "--tree")
    assert (ended.code, ended.stdout) == (1, "")
    assert "no call tree" in ended.sentence()
