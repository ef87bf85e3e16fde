# SPDX-License-Identifier: Apache-2.0
"""`fettle costs`: measured for a moment only, on this Python and on programs that are none."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from .harness import FETTLE, TIMEOUT, Ended, Folder, until
from .test_terminal import Terminal

FEW = ("imports", "--budget", "0.05")
KEYS = ["group", "name", "nanoseconds", "low", "high"]
ROW = re.compile(r" (\S.*?) +([\d. ]+) ns +([\d.]+)x(?:  \+-\d+%)?")


def cache(folder: Folder) -> str:
    return str(folder.path / "cache")


def costs(folder: Folder, *words: str, **extra: str) -> Ended:
    return folder.fettle("costs", *words, **{"FETTLE_CACHE_DIR": cache(folder), **extra})


def kept(folder: Folder) -> list[Path]:
    return sorted((folder.path / "cache" / "costs").glob("*.json"))


def change(folder: Folder, nanoseconds: float) -> None:
    """Every figure that is kept becomes this one."""
    for file in kept(folder):
        data = json.loads(file.read_text())
        for row in data["figures"].values():
            row.update(nanoseconds=nanoseconds, low=nanoseconds, high=nanoseconds)
        file.write_text(json.dumps(data))


def program(folder: Folder, name: str, text: str) -> str:
    file = folder.write(name, text)
    file.chmod(0o755)
    return str(file)


def claims(folder: Folder, answer: str, then: str = "exit 3") -> str:
    """A program that answers what a Python is asked, and does then whatever else it is told."""
    text = f"#!/bin/sh\nif [ \"$4\" = -c ]; then echo 'fettle asks:{answer}'; exit; fi\n{then}\n"
    return program(folder, "claims", text)


# ---- the table ----


def test_the_table_has_groups_prices_and_ratios(folder: Folder) -> None:
    ended = costs(folder, *FEW)
    assert (ended.code, ended.stderr) == (0, "")
    heading, *rows, foot = ended.stdout.splitlines()
    assert heading == "imports"
    found = [ROW.fullmatch(row) for row in rows]
    assert all(found) and len(rows) == 7
    assert found[0] is not None
    assert (found[0][1], found[0][3]) == ("import, module is loaded", "1.0")
    assert foot.startswith(f"Python {sys.version.split()[0]}, ")
    assert foot.endswith(": measured just now; --again measures anew")


def test_json_is_a_list_of_what_was_promised(folder: Folder) -> None:
    ended = costs(folder, *FEW, "--json")
    assert (ended.code, ended.stderr) == (0, "")
    rows = json.loads(ended.stdout)
    assert len(rows) == 7
    for row in rows:
        assert list(row) == KEYS
        assert 0 <= row["low"] <= row["nanoseconds"] <= row["high"]


@pytest.mark.once
def test_kept_figures_are_shown_until_they_are_wanted_anew(folder: Folder) -> None:
    costs(folder, *FEW)
    change(folder, 123456.0)
    assert costs(folder, "imports").stdout.count("123 000 ns     1.0x") == 7
    assert "123 000 ns" not in costs(folder, *FEW, "--again").stdout
    assert "123 000 ns" not in costs(folder, "imports").stdout


@pytest.mark.once
def test_a_broken_file_is_measured_anew(folder: Folder) -> None:
    costs(folder, *FEW)
    (file,) = kept(folder)
    file.write_text(file.read_text()[:100])
    ended = costs(folder, *FEW)
    assert (ended.code, ended.stderr) == (0, "")
    assert len(json.loads(file.read_text())["figures"]) == 7


@pytest.mark.once
def test_a_folder_where_nothing_can_be_written_is_said_once(folder: Folder) -> None:
    folder.write("cache", "a file")
    ended = costs(folder, *FEW, "--vs", sys.executable)
    assert ended.code == 0
    assert ended.sentence().startswith("fettle: the figures could not be kept in ")
    assert ended.stdout.count("sys.modules[name]") == 1


@pytest.mark.once
def test_environments_of_one_interpreter_share_its_figures(folder: Folder) -> None:
    costs(folder, *FEW)
    real = program(folder, "another", f'#!/bin/sh\nexec {os.path.realpath(sys.executable)} "$@"\n')
    change(folder, 5.0)
    ended = costs(folder, "imports", "--vs", real)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.count("5.0 ns") == 14
    assert len(kept(folder)) == 1


@pytest.mark.once
def test_colour_where_it_is_asked_for(folder: Folder) -> None:
    plain = costs(folder, *FEW).stdout
    assert "\x1b" not in plain
    coloured = costs(folder, "imports", FORCE_COLOR="1").stdout
    assert "\x1b[1mimports\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain
    assert costs(folder, "imports", FORCE_COLOR="1", NO_COLOR="1").stdout == plain


@pytest.mark.once
def test_progress_is_for_a_terminal(folder: Folder) -> None:
    terminal = Terminal(folder)
    try:
        terminal.expect(r"\$ ")
        terminal.type(f"FETTLE_CACHE_DIR=cache {FETTLE} costs {' '.join(FEW)}; echo code=$?\n")
        seen = terminal.expect(r"code=0")
    finally:
        terminal.close()
    assert f"\rmeasuring on Python {sys.version.split()[0]}: " in seen
    assert seen.index("measuring on") < seen.index("imports\x1b")


def test_what_is_said_when_interrupted_stands_in_a_line_of_its_own(folder: Folder) -> None:
    terminal = Terminal(folder)
    try:
        terminal.expect(r"\$ ")
        terminal.type(f"FETTLE_CACHE_DIR=cache {FETTLE} costs --again; echo code=$?\n")
        terminal.expect(r"measuring on Python [\d.]+: \d+%")
        terminal.type("\x03")
        seen = terminal.expect(r"code=130")
    finally:
        terminal.close()
    assert re.search(r"\r +\rfettle: interrupted: ", seen), seen


# ---- another interpreter ----


def test_two_interpreters_side_by_side(folder: Folder) -> None:
    path = os.path.realpath(sys.executable)
    answer = f'("cpython", [3, 99], "3.99.0 (x)", "{folder.path}/claims")'
    other = claims(folder, answer, f'exec {path} "$@"')
    ended = costs(folder, *FEW, "--vs", other)
    assert (ended.code, ended.stderr) == (0, "")
    head, heading, *rows, first, second = ended.stdout.splitlines()
    assert head.split() == [sys.version.split()[0], "3.99.0", "ratio"]
    assert (heading, len(rows)) == ("imports", 7)
    assert first.startswith(f"Python {sys.version.split()[0]}, ")
    assert second.startswith("Python 3.99.0, ")
    rows = json.loads(costs(folder, "imports", "--vs", other, "--json").stdout)
    assert [row["interpreter"].split()[0] for row in rows[::7]] == [first.split()[1][:-1], "3.99.0"]
    assert list(rows[0]) == [*KEYS, "interpreter"]
    assert len(kept(folder)) == 2


OLDER = Path.home() / ".pyenv/versions/3.8.18/bin/python"


@pytest.mark.skipif(not OLDER.exists(), reason=f"there is no {OLDER}")
def test_an_older_python_lacks_what_it_lacks(folder: Folder) -> None:
    ended = costs(folder, "dict | dict*", "--budget", "0.05", "--vs", str(OLDER))
    assert (ended.code, ended.stderr) == (0, "")
    _, heading, *rows, _, foot = ended.stdout.splitlines()
    assert heading == "containers"
    assert rows[0].split()[:7] == ["dict", "|", "dict,", "3", "and", "3", rows[0].split()[6]]
    assert rows[0].endswith(" -")
    assert ", which lacks 1 construct, " in foot


@pytest.mark.once
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('("pypy", [3, 11], "3.11.1 (x)", "")', "claims is pypy 3.11; fettle costs measures CPyth"),
        ('("cpython", [2, 7], "2.7.1", "")', "claims is Python 2.7; fettle costs needs one from 3"),
        ('("cpython", [3, 7], "3.7.1", "")', "claims is Python 3.7; fettle costs needs one from 3"),
        ('("cpython", [3, 14], "3.14.0 free-threading build", "")', "is a free-threaded Python 3"),
        ("(1, 2)", "is no Python: its answer makes no sense"),
        ("[" * 9999, "is no Python: its answer makes no sense"),
        ("open(1)", "is no Python: its answer makes no sense"),
    ],
)
def test_what_can_not_be_compared_says_which_it_is(folder: Folder, answer: str, said: str) -> None:
    ended = costs(folder, *FEW, "--vs", claims(folder, answer))
    assert ended.code == 2
    assert said in ended.sentence()
    assert (ended.stdout, kept(folder)) == ("", [])


@pytest.mark.once
def test_what_is_no_python(folder: Folder) -> None:
    silent = program(folder, "silent", "#!/bin/sh\necho Hello\n")
    broken = program(folder, "broken", "#!/no/such/interpreter\n")
    for word, said in (
        (silent, "silent is no Python: it gave no answer to -c; name a Python."),
        (broken, "broken does not start: No such file or directory; name a Python."),
        (str(folder.path), f"{folder.path} is a folder; --vs takes a Python, such as"),
        ("no-such-python", "no-such-python is no program; --vs takes a Python, such as"),
        ("", "--vs is empty; --vs takes a Python, such as"),
    ):
        ended = costs(folder, *FEW, "--vs", word)
        assert (ended.code, ended.stdout) == (2, "")
        assert said in ended.sentence()


def test_a_python_that_fails_while_it_is_measured(folder: Folder) -> None:
    answer = '("cpython", [3, 99], "3.99.0 (x)", "/claims")'
    for then, why in (("exit 3", "it ended with 3"), ("echo Ouch! >&2; exit 1", "Ouch!")):
        ended = costs(folder, *FEW, "--vs", claims(folder, answer, then))
        assert (ended.code, ended.stdout) == (125, "")
        assert f"could not be measured on Python 3.99.0 (/claims): {why}; " in ended.sentence()
    assert len(kept(folder)) == 1  # what this Python gave


# ---- words ----


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["improts"], 1, "no construct is called 'improts'; near: 'imports'"),
        ([""], 2, "the PATTERN is empty; write one, or nothing for the whole table."),
        (["a", "b"], 2, "fettle costs takes one PATTERN, not 2; a glob means several."),
        (["--budget", "0"], 2, "--budget needs seconds, more than 0 and up to 600, not '0'."),
        (["--budget", "nan"], 2, "--budget needs seconds, more than 0 and up to 600, not 'nan'."),
        (["--budget", "x"], 2, "--budget needs seconds, more than 0 and up to 600, not 'x'."),
        (["--vs"], 2, "--vs needs a value: --vs PYTHON."),
    ],
)
def test_words_that_mean_nothing(folder: Folder, words: list[str], code: int, said: str) -> None:
    ended = costs(folder, *words)
    assert (ended.code, ended.stdout) == (code, "")
    assert said in ended.sentence()


@pytest.mark.once
def test_the_help(folder: Folder) -> None:
    ended = folder.fettle("costs", "--help")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: fettle costs [PATTERN] [OPTIONS]")


# ---- interrupted ----


def lives(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_interrupted_it_keeps_and_shows_nothing_that_is_half_measured(folder: Folder) -> None:
    """The figures of the first interpreter are whole by then, and are kept."""
    answer = f'("cpython", [3, 99], "3.99.0 (x)", "{folder.path}/claims")'
    measuring = "read order; echo $$ >started; while kill -0 $PPID; do sleep 0.05; done"
    other = claims(folder, answer, measuring)
    words = ("costs", *FEW, "--vs", other)
    process = folder.start(FETTLE, *words, FETTLE_CACHE_DIR=cache(folder))
    started = folder.path / "started"
    until(lambda: started.exists() and started.read_text().endswith("\n"))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, stdout) == (130, ""), stderr
    assert stderr.startswith("fettle: interrupted: Python 3.99.0 was not measured to the end, ")
    assert len(stderr.splitlines()) == 1
    until(lambda: not lives(started.read_text().strip()))
    (file,) = kept(folder)
    assert len(json.loads(file.read_text())["figures"]) == 7


# ---- in Python ----

PROGRAM = """
import fettle
costs = fettle.costs("imports")
print(len(costs), costs["sys.modules[name]"].statement, costs.table() == str(costs))
print(sorted(each.name for each in costs)[0], costs.notes)
"""


def test_as_an_object(folder: Folder) -> None:
    costs(folder, *FEW)
    folder.write("app.py", PROGRAM)
    ended = folder.python("app.py", FETTLE_CACHE_DIR=cache(folder))
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "7 sys.modules['math'] True",
        "from import, module is loaded ()",
    ]


def test_a_program_asks_for_what_there_is_not(folder: Folder) -> None:
    folder.write(
        "app.py",
        "import fettle\ntry:\n    fettle.costs('dcit')\nexcept ValueError as error:\n"
        "    print(error)\n",
    )
    ended = folder.python("app.py", FETTLE_CACHE_DIR=cache(folder))
    assert ended.stdout.startswith("no construct is called 'dcit'; near: "), ended.stderr


def test_a_recorded_program_may_ask_for_prices(folder: Folder) -> None:
    """The processes that measure are not recorded with it."""
    folder.write("app.py", "import fettle\nprint(len(fettle.costs('imports', again=True)))\n")
    ended = folder.fettle("run", "-q", "app.py", FETTLE_CACHE_DIR=cache(folder))
    assert (ended.code, ended.stdout) == (0, "7\n")
    view = folder.fettle("view", "-n", "0")
    assert "costs_worker.py" not in view.stdout.replace("fettle/timing", "")
