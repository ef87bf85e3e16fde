# SPDX-License-Identifier: Apache-2.0
"""`fettle dis`, run as a user runs it: what it prints beside what `dis` prints, after a run, with a
recording, beside another interpreter, and where there is nothing to print."""

import dis
import io
import json
import re
import shutil
import sys

import pytest

from .harness import Folder

APP = """\
import time

def slow(n):
    total = 0
    for each in range(n):
        total += each
    return total

def fast(n):
    return sum(range(n))

class Shape:
    def area(self):
        return [side ** 2 for side in self.sides]

if __name__ == "__main__":
    slow(50)
    slow(50)
    fast(5)
"""


@pytest.fixture
def app(folder: Folder) -> Folder:
    folder.write("app.py", APP)
    return folder


def by_dis(source: str, name: str, **options: bool) -> str:
    code = compile(source, "app.py", "exec")
    code = next(each for each in code.co_consts if getattr(each, "co_name", "") == name)
    file = io.StringIO()
    dis.dis(code, file=file, **options)
    return file.getvalue()


@pytest.mark.parametrize("selector", ["app.py:slow", "app:slow", "app.slow", "app.py:3"])
def test_it_reads_as_dis_does(app: Folder, selector: str) -> None:
    ended = app.fettle("dis", selector)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == by_dis(APP, "slow")
    ended = app.fettle("dis", "-C", selector)
    assert ended.stdout == by_dis(APP, "slow", show_caches=True)
    if "show_offsets" in dis.dis.__kwdefaults__:
        ended = app.fettle("dis", "-CO", selector)
        assert ended.stdout == by_dis(APP, "slow", show_caches=True, show_offsets=True)
    ended = app.fettle("dis", "-P", selector)
    if "show_positions" in dis.dis.__kwdefaults__:
        assert ended.stdout == by_dis(APP, "slow", show_positions=True)
    else:
        assert ended.code == 2
        assert "--source" in ended.sentence()


def test_text(app: Folder) -> None:
    file = io.StringIO()
    dis.dis("x + 1", file=file)
    assert app.fettle("dis", "-c", "x + 1").stdout == file.getvalue()


def test_source(app: Folder) -> None:
    ended = app.fettle("dis", "app.py:slow", "--source")
    assert (ended.code, ended.stderr) == (0, "")
    assert re.search(r"^ +6          total \+= each$", ended.stdout, re.MULTILINE)


def test_counts(app: Folder) -> None:
    assert app.fettle("run", "-q", "--lines=app.py:slow", "app.py").code == 0
    ended = app.fettle("dis", "app.py:slow", "--counts", "app.fettle")
    assert (ended.code, ended.stderr) == (0, "")
    assert "2 calls" in ended.stdout.splitlines()[0]
    assert re.search(r"^ +6 +100 +\S+ .* total \+= each$", ended.stdout, re.MULTILINE)
    rows = json.loads(app.fettle("dis", "app:slow", "--counts", "app", "--json").stdout)
    assert {row["hits"] for row in rows if row["line"] == 6} == {100}
    ended = app.fettle("dis", "app.py:fast", "--counts", "app.fettle")
    assert ended.code == 1
    assert "--lines=app.py:fast" in ended.sentence()
    app.write("app.py", APP.replace("total = 0", "total = 1"))
    ended = app.fettle("dis", "app.py:slow", "--counts", "app.fettle")
    assert "changed" in ended.sentence()
    assert "2 calls" in ended.stdout


def test_a_recording_without_lines(app: Folder) -> None:
    assert app.fettle("run", "-q", "app.py").code == 0
    ended = app.fettle("dis", "app.py:slow", "--counts", "app.fettle")
    assert (ended.code, ended.stdout) == (1, "")
    assert "--lines=" in ended.sentence()
    ended = app.fettle("dis", "app.py:slow", "--counts", "missing.fettle")
    assert (ended.code, ended.stdout) == (3, "")
    assert "missing.fettle" in ended.sentence()


def test_after_a_run(app: Folder) -> None:
    ended = app.fettle("dis", "app:slow", "--run", "print('it was here'); slow(3)")
    assert ended.code == 0
    assert "BINARY_OP_ADD_INT" in ended.stdout
    assert "it was here" not in ended.stdout
    assert "it was here" in ended.stderr
    both = app.fettle("dis", "app:slow", "-S", "--source", "--run", "slow(3)").stdout
    assert "total += each" in both
    assert "BINARY_OP_ADD_INT" in both
    everything = app.fettle("dis", "app", "--run", "slow(3)").stdout
    assert {"slow", "fast", "Shape.area"} <= set(re.findall("Disassembly of (.*):", everything))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["app:slow", "--run", "1 / 0"], 1, "ZeroDivisionError"),
        (["app:slow", "--run", "slow('x')"], 1, "app.py:5"),
        (["app:slow", "--run", "import sys; sys.exit(3)"], 1, "SystemExit"),
        (["app:slow", "--run", "slow("], 2, "--run does not compile"),
        (["app.py:slow", "--run", "slow(1)"], 2, "MODULE:NAME"),
        (["app:slw", "--run", "slow(1)"], 2, "near: app:slow"),
        (["app:slow", "-S"], 2, "--run"),
        (["-c", "1", "--run", "1"], 2, "--run"),
    ],
)
def test_a_run_that_fails(app: Folder, words: list[str], code: int, said: str) -> None:
    ended = app.fettle("dis", *words)
    assert (ended.code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_beside_another_function(app: Folder) -> None:
    ended = app.fettle("dis", "app.py:slow", "--vs", "app.py:fast")
    assert (ended.code, ended.stderr) == (0, "")
    head, *_, last = ended.stdout.splitlines()
    assert head.split()[0] == "app.py:3"
    assert head.endswith("app.py:9 fast")
    same, differing = map(int, re.findall(r"\d+", last))
    assert same + differing >= len(by_dis(APP, "slow").split("\n")) // 2


def test_what_never_ends(app: Folder) -> None:
    app.write("ends.py", APP.replace("import time", "import time; calls = []"))
    run = "slow(3); calls.append(3)\nif len(calls) > 50: time.sleep(1e6)"
    ended = app.fettle("dis", "ends:slow", "--run", run, "--timeout", "1")
    assert ended.code == 0
    assert "BINARY_OP_ADD_INT" in ended.stdout
    said = "--run did not end within 1 s, so this is the code as it was by then;"
    assert said in ended.sentence()
    app.write("endless.py", "def f(): pass\nwhile True: pass\n")
    ended = app.fettle("dis", "endless:f", "--run", "f()", "--timeout", "0.5s")
    assert (ended.code, ended.stdout) == (1, "")
    assert "importing endless did not end within 0.5 s, so nothing" in ended.sentence()


def test_what_hears_no_alarm_is_ended(app: Folder) -> None:
    endless = "import itertools, collections; collections.deque(itertools.count(), 0)"
    ended = app.fettle("dis", "app:slow", "--run", endless, "--timeout", "0.1")
    assert (ended.code, ended.stdout) == (1, "")
    assert "--run did not end within 0.1 s, so it was ended; " in ended.sentence()


def test_counts_of_both_sides(app: Folder) -> None:
    assert app.fettle("run", "-q", "--lines=app.py", "app.py").code == 0
    ended = app.fettle("dis", "app.py:slow", "--vs", "app.py:fast", "--counts", "app.fettle")
    assert (ended.code, ended.stderr) == (0, "")
    title, head, *rows, _ = ended.stdout.splitlines()
    assert "app.py:3 slow    2 calls" in title and "app.py:9 fast    1 call " in title
    assert head.split() == ["Hits", "Time"] * 2
    left = [re.match(r" +(\d+) +[\d.]+[mun]?s +(\d+) ", row) for row in rows]
    hits = {int(match[2]): int(match[1]) for match in left if match}
    assert hits == {4: 2, 5: 102, 6: 100, 7: 2}
    assert any(re.search(r" [<|>] +1 +[\d.]+[mun]?s +10 ", row) for row in rows)
    ended = app.fettle("dis", "app.py:slow", "--vs", sys.executable, "--counts", "app.fettle")
    assert ended.stdout.splitlines()[1].split() == ["Hits", "Time"]
    assert ended.stdout.splitlines()[-1].endswith(" 0 are not")


def test_json_of_both_sides(app: Folder) -> None:
    both = json.loads(app.fettle("dis", "app.py:slow", "--vs", "app.py:fast", "--json").stdout)
    for side, name in (("old", "slow"), ("new", "fast")):
        alone = json.loads(app.fettle("dis", f"app.py:{name}", "--json").stdout)
        assert both[side] == alone
    both = json.loads(app.fettle("dis", "app.py:Shape", "--vs", sys.executable, "--json").stdout)
    assert {row["opname"] for row in both["new"]} <= set(dis.opmap)
    for mine, other in zip(both["old"], both["new"], strict=True):
        for key in ("file", "offset", "opname", "arg", "line"):  # labels count handlers here alone
            assert mine[key] == other[key]
    assert app.fettle("run", "-q", "--lines=app.py", "app.py").code == 0
    words = ["app.py:slow", "--vs", "app.py:fast", "--json", "--counts", "app.fettle"]
    both = json.loads(app.fettle("dis", *words).stdout)
    assert {row["hits"] for row in both["old"] if row["line"] == 6} == {100}
    assert {row["hits"] for row in both["new"] if row["line"] == 10} == {1}


def test_beside_another_python(app: Folder) -> None:
    """This Python stands for another: all is the same, name by name."""
    ended = app.fettle("dis", "app.py", "--vs", sys.executable)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1].endswith(" 0 are not")
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in ended.stdout
    for selector in ("app.py:Shape", "app.py:14", "app:slow"):
        ended = app.fettle("dis", selector, "--vs", sys.executable)
        assert ended.stdout.splitlines()[-1].endswith(" 0 are not"), ended
    ended = app.fettle("dis", "-c", "x + 1", "--vs", sys.executable)
    assert ended.stdout.splitlines()[-1].endswith(" 0 are not")


def test_what_is_no_python(app: Folder) -> None:
    ended = app.fettle("dis", "app.py:slow", "--vs", shutil.which("true") or "/bin/true")
    assert (ended.code, ended.stdout) == (2, "")
    assert "true" in ended.sentence()
    ended = app.fettle("dis", "app.py:slow", "--vs", "nosuchpython")
    assert ended.code == 2
    assert "nosuchpython" in ended.sentence()


def test_json(app: Folder) -> None:
    rows = json.loads(app.fettle("dis", "app.py:fast", "--json").stdout)
    code = next(each for each in compile(APP, "", "exec").co_consts if hasattr(each, "co_name"))
    assert code.co_name == "slow"
    assert [row["opname"] for row in rows][-1].startswith("RETURN")
    assert {row["function"] for row in rows} == {"fast"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "SEL"),
        (["a.py", "b.py"], "--vs"),
        (["-c", "1", "app.py"], "-c"),
        (["app.py", "--vs", "app.py", "--source"], "--source"),
        (["app.py", "--timeout", "3"], "--run"),
        (["app:slow", "--run", "1", "--timeout", "soon"], "--timeout needs seconds"),
        (["app.py", "--no-such"], "--no-such"),
        (["app.py:slwo"], "near: app.py:slow"),
        (["math"], "written in C"),
        (["."], "folder"),
        (["nosuch.py"], "nosuch.py"),
    ],
)
def test_bad_words(app: Folder, words: list[str], said: str) -> None:
    ended = app.fettle("dis", *words)
    assert (ended.code, ended.stdout) == (2, "")
    assert said in ended.sentence()


def test_a_program_is_never_run(app: Folder) -> None:
    app.write("loud.py", "open('trace', 'w')\nprint('loud')\ndef f(): pass\n")
    for selector in ("loud.py", "loud", "loud.py:f", "loud:f"):
        ended = app.fettle("dis", selector)
        assert (ended.code, ended.stderr) == (0, "")
        assert "loud\n" not in ended.stdout
    assert not (app.path / "trace").exists()


def test_a_syntax_error(app: Folder) -> None:
    app.write("wrong.py", "x = 1\ny = = 2\n")
    ended = app.fettle("dis", "wrong.py")
    assert (ended.code, ended.stdout) == (2, "")
    first, line, mark = ended.stderr.splitlines()
    assert first.startswith("fettle: wrong.py does not compile, line 2, column 5")
    assert line[mark.index("^")] == "="
