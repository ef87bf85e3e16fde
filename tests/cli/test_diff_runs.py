# SPDX-License-Identifier: Apache-2.0
"""`fettle diff` of calls and lines, and `fettle run --repeat`: counts beside those of cProfile and
of the program itself."""

import pstats
import re
from pathlib import Path

import pytest

_core = pytest.importorskip("fettle._core")

from .harness import FETTLE, Ended, Folder  # noqa: E402

BEFORE = """\
import sys

def leaf(n):
    return sum(i for i in range(n))

def spare():
    return 1

def work(rounds):
    total = 0
    for _ in range(rounds):
        total += leaf(10)
    return total

spare()
work(20)
"""
AFTER = """\
import sys

# something above it all
def work(rounds):
    total = 0
    for _ in range(rounds):
        total += leaf(10)
        total += leaf(1)
    return total

def leaf(n):
    return sum(i for i in range(n))

def fresh():
    return 2

fresh()
fresh()
work(30)
"""


@pytest.fixture
def two(folder: Folder) -> Folder:
    folder.write("app.py", BEFORE)
    assert folder.fettle("run", "-qC", "--lines=app.py", "app.py").code == 0
    folder.write("app.py", AFTER)
    assert folder.fettle("run", "-qC", "--lines=app.py", "app.py").code == 0
    return folder


def row(text: str, label: str) -> str:
    """The row of what is called so, without its label."""
    (line,) = [line for line in text.splitlines() if re.search(rf"\b{re.escape(label)}", line)]
    return line


def counts(folder: Folder, name: str, text: str) -> dict[str, int]:
    """Calls by function as cProfile counts them; several of one name together."""
    folder.write(f"{name}.py", text)
    assert folder.python("-m", "cProfile", "-o", f"{name}.out", f"{name}.py").code == 0
    found: dict[str, int] = {}
    stats = pstats.Stats(str(folder.path / f"{name}.out")).stats  # type: ignore[attr-defined]
    for (_, _, function), (_, calls, *_) in stats.items():
        found[function] = found.get(function, 0) + calls
    return found


def test_calls_are_what_cprofile_counts(two: Folder) -> None:
    old, new = counts(two, "old", BEFORE), counts(two, "new", AFTER)
    text = two.fettle("diff", "--calls", "-n", "0", "-s", "calls").stdout
    for function in ("leaf", "fresh", "spare"):
        grew = new.get(function, 0) - old.get(function, 0)
        assert row(text, f"({function})").split()[0] == f"{grew:+}", function
    assert " new  " in row(text, "(fresh)")
    assert " gone  " in row(text, "(spare)")
    assert "was :3 " in row(text, "(leaf)")  # which moved down
    assert "proves nothing" in text
    assert "fettle run --repeat 5" in text


def test_lines_are_matched_by_their_text(two: Folder) -> None:
    text = two.fettle("diff", "--lines", "-s", "hits", "-n", "0").stdout
    line = row(text, "total += leaf(10)")
    assert re.match(r" +\+10 +30 ", line)
    assert "was :12  app.py:7  work" in line
    assert re.match(r" +\+30 +30 .* new  app.py:8  work ", row(text, "total += leaf(1)"))
    assert re.match(r" +-1 .* gone  app.py:7  spare ", row(text, "return 1"))


def test_every_part_that_both_hold_has_a_table(two: Folder) -> None:
    text = two.fettle("diff").stdout
    headings = [line for line in text.splitlines() if line.startswith("app.prev.fettle -> ")]
    assert [line.split()[3] for line in headings] == ["calls", "hits"]
    assert two.fettle("diff", "--mem").code == 1
    assert "fettle run -M" in two.fettle("diff", "--mem").sentence()
    ended = two.fettle("diff", "--calls", "--in", "nowhere/*")
    assert (ended.code, ended.stdout) == (1, "")


def test_what_one_side_lacks_is_said(two: Folder) -> None:
    assert two.fettle("run", "-q", "-o", "calls.fettle", "app.py").code == 0
    text = two.fettle("diff", "app", "calls").stdout
    assert "calls.fettle has no lines, so lines were not compared" in text
    assert two.fettle("run", "-qM", "-o", "mem.fettle", "app.py").code == 0
    ended = two.fettle("diff", "calls", "mem")
    assert (ended.code, ended.stdout) == (2, "")
    assert "calls.fettle holds calls and mem.fettle holds memory" in ended.sentence()


@pytest.mark.once
@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("calls>0", 1),
        ("calls>5%", 1),
        ("calls>100000", 0),
        ("hits>0", 1),
        ("hits>1000%", 0),
        ("calls>100000,hits>10", 1),
    ],
)
def test_conditions_of_counts(two: Folder, condition: str, code: int) -> None:
    ended = two.fettle("diff", "--fail-on", condition)
    assert ended.code == code
    assert "proves nothing" in ended.stdout  # the tables in any case
    if code:
        assert "app.py:" in ended.sentence()
        assert condition.split(",")[-1] in ended.sentence()


@pytest.mark.once
def test_a_recording_is_as_it_was(two: Folder) -> None:
    ended = two.fettle("diff", "app", "app", "--fail-on", "calls>0,hits>0")
    assert (ended.code, ended.stderr) == (0, "")
    assert "no function changed" in ended.stdout
    assert "no line changed" in ended.stdout
    shrank = two.fettle("diff", "app", "app.prev", "--fail-on", "calls>0")
    assert shrank.code == 0


@pytest.mark.once
def test_times_of_one_run_fail_nothing(two: Folder) -> None:
    ended = two.fettle("diff", "--fail-on", "time>5%")
    assert (ended.code, ended.stdout) == (2, "")
    assert "fettle run --repeat 5" in ended.sentence()
    ended = two.fettle("diff", "--lines", "--fail-on", "calls>5")
    assert (ended.code, ended.stdout) == (2, "")
    assert "hits>0" in ended.sentence()


def repeated(folder: Folder, text: str, *words: str) -> Ended:
    folder.write("app.py", text)
    return folder.fettle("run", *words, "app.py")


def test_several_runs_are_one_file(folder: Folder) -> None:
    ended = repeated(folder, BEFORE, "-C", "--repeat", "3")
    assert ended.code == 0
    heading = ended.stderr.splitlines()[0]
    assert re.search(r", 3 runs    -> app\.fettle$", heading)
    assert "processes" not in heading and "on the CPU" not in heading  # which is of each run
    assert folder.names() == {"app.py", "app.fettle"}
    viewed = folder.fettle("view").stdout
    assert ", 3 runs" in viewed.splitlines()[0]
    assert viewed.splitlines()[1:] == ended.stderr.splitlines()[1:]  # the same sums
    path = str(folder.path / "app.fettle")
    runs = _core.read_segments(path)
    assert [run.meta()["run"] for run in runs] == ["1", "2", "3"]
    calls = [{row.name: row.calls for row in run.functions()}["leaf"] for run in runs]
    assert calls == [20, 20, 20]
    assert {row.name: row.calls for row in _core.Profile.read(path).functions()}["leaf"] == 60


def test_runs_are_compared_by_run(folder: Folder) -> None:
    """Three runs and two: the counts are those of one."""
    assert repeated(folder, BEFORE, "-q", "--repeat", "3").code == 0
    assert repeated(folder, AFTER, "-q", "--repeat", "2").code == 0
    ended = folder.fettle("diff", "-s", "calls", "-n", "0", "--fail-on", "time>900000%")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0].endswith("; 3 and 2 runs")
    assert re.match(r" +\+40 +60 ", row(ended.stdout, "(leaf)"))
    assert "(95%" in ended.stdout.splitlines()[0] or "unclear" in ended.stdout.splitlines()[0]
    assert "proves nothing" not in ended.stdout
    assert folder.fettle("diff", "--fail-on", "calls>0").code == 1


@pytest.mark.once
def test_several_files_are_several_runs(folder: Folder) -> None:
    for name in ("a1", "a2", "b1", "b2"):
        folder.write("app.py", BEFORE if name[0] == "a" else AFTER)
        assert folder.fettle("run", "-q", "-o", f"{name}.fettle", "app.py").code == 0
    ended = folder.fettle("diff", "a1", "a2", "--vs", "b1", "b2", "-s", "calls", "-n", "0")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0].endswith("; 2 and 2 runs")
    assert re.match(r" +\+40 +60 ", row(ended.stdout, "(leaf)"))
    assert folder.fettle("diff", "a1", "a2", "b1").code == 2
    assert folder.fettle("diff", "--vs", "b1").code == 2
    assert folder.fettle("diff", "a1", "--vs", "b1", "--vs", "b2").code == 2
    assert folder.fettle("diff", "a1", "a2@x", "--vs", "b1").code == 2


@pytest.mark.once
def test_counts_that_vary_are_marked_and_fail_only_for_sure(folder: Folder) -> None:
    text = """\
import os
def f(): pass
seen = os.path.exists("seen")
open("seen", "w").close()
for _ in range(10 if seen else 5): f()
"""
    assert repeated(folder, text, "-q", "--repeat", "3").code == 0  # 5, 10, 10
    folder.write("app.py", text)
    assert folder.fettle("run", "-q", "--repeat", "3", "app.py").code == 0  # 10 each
    ended = folder.fettle("diff", "--fail-on", "calls>0")
    assert ended.code == 0
    assert "(~)" in ended.stdout
    assert "~" in row(ended.stdout, "(f)")


def test_a_run_that_fails_is_the_last(folder: Folder) -> None:
    text = """\
import os, sys
at = len([name for name in os.listdir() if name.startswith("mark")])
open(f"mark{at}", "w").close()
sys.exit(7 if at == 2 else 0)
"""
    ended = repeated(folder, text, "-q", "--repeat", "5")
    assert ended.code == 7
    assert "run 3 of 5 ended with exit code 7, so there were no more" in ended.stderr
    assert "app.fettle holds the 2 runs before it, app.run3.fettle holds that one" in ended.stderr
    assert len(_core.read_segments(str(folder.path / "app.fettle"))) == 2
    assert folder.fettle("view", "app.run3.fettle").code == 0
    assert {name for name in folder.names() if name.startswith("mark")} == {
        "mark0",
        "mark1",
        "mark2",
    }


@pytest.mark.once
def test_a_first_run_that_fails_is_the_only_one(folder: Folder) -> None:
    ended = repeated(folder, "raise SystemExit(3)", "-q", "--repeat", "5")
    assert ended.code == 3
    assert "run 1 of 5 ended with exit code 3" in ended.stderr
    assert folder.names() == {"app.py", "app.fettle"}
    killed = repeated(folder, "import os; os.kill(os.getpid(), 9)", "-q", "--repeat", "2")
    assert killed.code == 128 + 9


@pytest.mark.once
@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1001", "1.5"])
def test_so_many_runs_there_are_not(folder: Folder, number: str) -> None:
    folder.write("app.py", "pass")
    ended = folder.fettle("run", f"--repeat={number}", "app.py")
    assert ended.code == 2
    assert ended.sentence()
    assert folder.names() == {"app.py"}


@pytest.mark.once
def test_the_program_must_be_there_again(folder: Folder) -> None:
    ended = folder.fettle("run", "--repeat", "2", "-")
    assert ended.code == 2
    assert "SCRIPT" in ended.sentence()


@pytest.mark.once
def test_memory_of_several_runs_is_that_of_one(folder: Folder) -> None:
    assert repeated(folder, "kept = bytearray(1_000_000)", "-qM", "--repeat", "3").code == 0
    assert repeated(folder, "kept = bytearray(3_000_000)", "-qM", "--repeat", "3").code == 0
    ended = folder.fettle("diff", "--fail-on", "mem>1MB")
    assert ended.code == 1
    assert "peak grew by 2.0 MB" in ended.sentence()
    assert "app.py:1" in ended.sentence()
    assert re.search(r"peak 1\.0 MB -> 3\.0 MB", ended.stdout)
    assert "whose peak is the median" in ended.stdout
    assert folder.fettle("diff", "--fail-on", "mem>3MB").code == 0


@pytest.mark.once
def test_objects_are_counted(folder: Folder) -> None:
    text = "class Thing: pass\nkept = [Thing() for _ in range({})]\n"
    assert repeated(folder, text.format(100), "-qM").code == 0
    assert repeated(folder, text.format(5100), "-qM").code == 0
    ended = folder.fettle("diff", "--objects", "--fail-on", "objects>4000")
    assert ended.code == 1
    assert "Thing" in ended.sentence()
    assert re.search(r"\+5 000  \S*Thing", ended.stdout)
    assert folder.fettle("diff", "--fail-on", "objects>6000").code == 0


def segments(folder: Folder) -> tuple[Path, bytes]:
    assert repeated(folder, BEFORE, "-q", "--repeat", "3").code == 0
    path = folder.path / "app.fettle"
    return path, path.read_bytes()


@pytest.mark.once
def test_a_file_that_is_cut_keeps_its_whole_runs(folder: Folder) -> None:
    path, whole = segments(folder)
    starts = [found.start() for found in re.finditer(re.escape(whole[:8]), whole)]
    assert len(starts) == 3
    for cut in [*range(starts[1] - 3, starts[1] + 60), *range(starts[2], len(whole), 97)]:
        path.write_bytes(whole[:cut])
        kept = sum(cut >= end for end in [*starts[1:], len(whole)])
        ended = [run.ended for run in _core.read_segments(str(path))]
        assert ended.count(True) == kept
    path.write_bytes(whole[: starts[2] + 100])
    ended = folder.fettle("diff", "app", "app")
    assert ended.code == 0
    assert ended.stdout.splitlines()[0].endswith("; 2 and 2 runs")
    assert "cut off or damaged" in ended.stdout


@pytest.mark.once
def test_a_damaged_header_ends_the_file(folder: Folder) -> None:
    path, whole = segments(folder)
    second = whole.index(whole[:8], 8)
    damaged = bytearray(whole)
    damaged[second + 13] ^= 1
    path.write_bytes(damaged)
    assert [run.meta()["run"] for run in _core.read_segments(str(path))] == ["1"]
    assert _core.Profile.read(str(path)).torn


@pytest.mark.once
def test_what_cprofile_wrote_is_compared_too(folder: Folder) -> None:
    old, new = counts(folder, "app", BEFORE), {}
    (folder.path / "app.out").rename(folder.path / "old.out")
    new = counts(folder, "app", AFTER)
    ended = folder.fettle("diff", "old.out", "app.out", "-n", "0", "-s", "calls")
    assert (ended.code, ended.stderr) == (0, "")
    grew = new["leaf"] - old["leaf"]
    assert re.match(rf" +\+{grew} +{new['leaf']} ", row(ended.stdout, "(leaf)"))
    assert folder.fettle("run", "-q", "app.py").code == 0
    mixed = folder.fettle("diff", "old.out", "app.fettle", "-n", "0", "-s", "calls").stdout
    assert re.match(rf" +\+{grew} +{new['leaf']} ", row(mixed, "(leaf)"))
    assert folder.fettle("diff", "old.out", "app.out", "--fail-on", "calls>0").code == 1
    assert folder.fettle("diff", "old.out@x", "app.out").code == 2


@pytest.mark.once
def test_hostile_names_do_not_draw(folder: Folder) -> None:
    evil = "exec(compile('def f(): pass\\nf()', 'a\\x1b[31m\\u202ebc', 'exec'))\n"
    for times in (1, 2):
        assert repeated(folder, evil * times, "-q").code == 0
    ended = folder.fettle("diff", "-n", "0", "-s", "calls")
    assert ended.code == 0
    assert "\x1b" not in ended.stdout
    assert "\\x1b[31m\\u202ebc" in ended.stdout
    failed = folder.fettle("diff", "--fail-on", "calls>0")
    assert "\x1b" not in failed.stderr


@pytest.mark.once
def test_a_recording_of_a_newer_fettle_or_of_nothing(two: Folder) -> None:
    data = bytearray((two.path / "app.fettle").read_bytes())
    (two.path / "empty.fettle").write_bytes(b"")
    (two.path / "half.fettle").write_bytes(data[: len(data) // 2])
    ended = two.fettle("diff", "app", "empty")
    assert (ended.code, ended.stdout) == (3, "")
    assert "empty" in ended.sentence()
    assert two.fettle("diff", "app", "half").code in {0, 3}
    assert two.fettle("diff", "app", "no").code == 3


@pytest.mark.once
def test_pipes_may_close(two: Folder) -> None:
    ended = two.execute("sh", "-c", f"'{FETTLE}' diff -n 0 | head -1")
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 1
