# SPDX-License-Identifier: Apache-2.0
"""`fettle time STMT`: what statements do, and what they must not be able to do."""

import json
import re
import signal
import time

import pytest

from .harness import FETTLE, TIMEOUT, Ended, Folder, until

QUICK = ("--budget", "0.5")
# A list that grows for as long as the process lives: names of the setup do not live that long.
GROWING = "import builtins; grown = builtins.__dict__.setdefault('grown', [])"


def timed(folder: Folder, *words: str, **extra: str) -> Ended:
    ended = folder.fettle("time", *QUICK, *words, **extra)
    assert ended.code == 0, ended.stderr
    return ended


def test_the_session_of_the_interface(folder: Folder) -> None:
    ended = timed(folder, "[0 for _ in range(1000)]", "[0]*1000")
    lines = ended.stdout.splitlines()
    assert re.fullmatch(r"A  \[0 for _ in range\(1000\)\]    +[\d.]+ [mun]s", lines[0])
    assert re.fullmatch(r"B  \[0\]\*1000                    +[\d.]+ [mun]s", lines[1])
    assert re.fullmatch(
        r"B is [\d.]+x faster \(95%: [\d.]+ to [\d.]+\), \d+ interleaved pairs, CPU clock"
        r"    -> time\.fettle",
        lines[2],
    )
    assert re.fullmatch(
        r"  [\d ]+ samples each of [\d ]+ calls in \d+ process(es)?,"
        r" empty loop [\d.]+ ns subtracted",
        lines[3],
    )
    assert ended.stderr == ""


def test_one_statement(folder: Folder) -> None:
    first, second, *_ = timed(folder, "sorted(range(100))").stdout.splitlines()
    assert re.fullmatch(
        r"sorted\(range\(100\)\)    [\d.]+ [nu]s \(95%: [\d.]+ to [\d.]+\), spread [\d.]+%"
        r"    -> time\.fettle",
        first,
    )
    assert ", CPU clock, empty loop " in second


def test_setups_are_lines_and_statements_are_not(folder: Folder) -> None:
    words = ["-s", "def f(x):", "-s", "    return x + y", "--setup=y = 3", "f(1)", "f(2)"]
    assert timed(folder, *words).stdout.splitlines()[1].startswith("B  f(2) ")


def test_a_statement_of_several_lines(folder: Folder) -> None:
    said = json.loads(timed(folder, "--json", "for x in 'ab':\n    y = x\n").stdout)
    assert said["candidates"][0]["label"].startswith("for x in 'ab':\n    y = x")
    assert timed(folder, "for x in 'ab':\n    y = x\n").stdout.startswith("for x in 'ab': y = x  ")


def test_modules_of_this_folder(folder: Folder) -> None:
    """But what fettle imports is its own, and the standard library's."""
    folder.write("mine.py", "def f(): return 3")
    for name in ("json", "random", "statistics", "tempfile", "select"):
        folder.write(f"{name}.py", f"open('{name}.imported', 'w'); raise SystemExit(99)")
    ended = timed(folder, "--json", "-s", "import mine", "mine.f()")
    assert json.loads(ended.stdout)["candidates"][0]["median"] > 0
    assert not [name for name in folder.names() if name.endswith(".imported")]


def test_memory_of_a_call(folder: Folder) -> None:
    said = json.loads(timed(folder, "--json", "--mem", "bytes(100_000)", "pass").stdout)
    large, nothing = said["candidates"]
    assert 100_000 <= large["bytes"] < 101_000
    assert large["blocks"] == 1
    assert large["peak"] >= 100_000
    assert (nothing["bytes"], nothing["blocks"], nothing["peak"]) == (0, 0, 0)
    lines = timed(folder, "--mem", "bytes(100_000)", "pass").stdout.splitlines()
    assert "  100.0 kB   in 1 block  peak 100.0 kB" in lines[0]


def test_calls_a_sample_and_processes(folder: Folder) -> None:
    words = ["--budget", "50", "-n", "7", "--processes", "3", "len('a')"]
    said = json.loads(timed(folder, "--json", *words).stdout)
    (candidate,) = said["candidates"]
    assert candidate["loops"] == 7
    assert len(candidate["samples"]) == 3
    assert len(json.loads(timed(folder, "--json", "--processes=0", "1").stdout)["candidates"]) == 1


def test_the_clock_is_that_of_who_waits(folder: Folder) -> None:
    words = ["-s", "from time import sleep", "sleep(0.01)"]
    ended = timed(folder, *words)
    assert "wall clock" in ended.stdout.splitlines()[1]
    said = json.loads(timed(folder, "--json", "--clock", "cpu", *words).stdout)
    assert said["candidates"][0]["clock"] == "cpu"
    assert said["candidates"][0]["median"] < 0.01


# ---- what may go wrong ----


@pytest.mark.parametrize("statement", ["x =", "f(1, 2", "a b", "if x:\n    1\n  2", "return 5 5"])
def test_what_does_not_compile_is_pointed_at(folder: Folder, statement: str) -> None:
    with pytest.raises(SyntaxError) as expected:
        compile(statement, "x", "exec")
    ended = folder.fettle("time", "pass", statement)
    assert ended.code == 2
    first, line, mark = ended.stderr.splitlines()
    assert first.startswith("fettle: statement 2 does not compile: ")
    assert line == "    " + statement.splitlines()[(expected.value.lineno or 1) - 1]
    assert mark == "    " + " " * ((expected.value.offset or 1) - 1) + "^"
    assert folder.names() == set()


def test_a_setup_that_does_not_compile(folder: Folder) -> None:
    ended = folder.fettle("time", "-s", "import", "pass")
    assert ended.code == 2
    assert ended.stderr.startswith("fettle: the setup does not compile: ")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["1/0"], "the statement (`1/0`) raised ZeroDivisionError: division by zero"),
        (["pass", "nope"], "statement 2 (`nope`) raised NameError: name 'nope' is not defined"),
        (["-s", "1/0", "pass"], "the setup raised ZeroDivisionError"),
        (["import sys; sys.exit(3)"], "SystemExit"),
        (["import os; os._exit(3)"], "ended with exit code 3"),
        (["import os; os.abort()"], "was killed by SIGABRT"),
    ],
)
def test_what_raises_or_ends_its_process(folder: Folder, words: list[str], part: str) -> None:
    ended = folder.fettle("time", *words)
    assert ended.code == 1
    assert part in ended.sentence()
    assert ended.stdout == ""
    assert folder.names() == set()


def test_what_is_printed_is_not_seen(folder: Folder) -> None:
    ended = timed(folder, "print('some', 'words')")
    assert "some words" not in ended.stdout + ended.stderr
    assert "fettle: what was printed was thrown away." in ended.stdout


def test_what_never_ends(folder: Folder) -> None:
    ended = folder.fettle("time", "--timeout", "0.4", "while True: pass")
    assert ended.code == 1
    assert "`while True: pass` did not end within 0.4 s" in ended.sentence()


def test_what_does_not_end_any_more_shows_what_is_known(folder: Folder) -> None:
    stop = str(folder.path / "stop")
    setup = f"import os, time; stop = {stop!r}; begun = stop + 'ped'"
    statement = "os.path.exists(stop) and time.sleep(60); open(begun, 'w').close()"
    words = ["time", "--timeout", "1", "--budget", "50", "--precision", "0.00001%"]
    process = folder.start(FETTLE, *words, "-s", setup, statement)
    until((folder.path / "stopped").exists)
    time.sleep(0.5)  # so that there are samples; without any there would be a sentence
    folder.write("stop", "")
    out, err = process.communicate(timeout=TIMEOUT)
    assert "A call did not end within 1 s".lower() in (out + err).lower()
    assert process.returncode == 0, err
    assert "(95%: " in out


def test_what_takes_no_time(folder: Folder) -> None:
    lines = timed(folder, "pass").stdout.splitlines()
    assert re.match(r"pass    -?\d\.\d\d ns \(95%: ", lines[0])
    assert "fettle: `pass` takes no longer than the empty loop." in lines


def test_runs_that_are_not_alike_are_said(folder: Folder) -> None:
    words = ["--budget", "4", "-s", GROWING, "grown.extend(range(300)); sum(grown)"]
    said = [line for line in timed(folder, *words).stdout.splitlines() if "not alike" in line]
    assert len(said) == 1
    assert "longer the longer it is measured" in said[0]


def test_an_interrupt_shows_what_is_known(folder: Folder) -> None:
    begun = str(folder.path / "begun")
    statement = f"open({begun!r}, 'w').close()"
    words = ["time", "--budget", "50", "--precision", "0.00001%", statement]
    process = folder.start(FETTLE, *words)
    until((folder.path / "begun").exists)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert "(95%: " in out
    assert "fettle: interrupted after " in out
    assert "Traceback" not in out + err
    assert "time.fettle" in folder.names()


def test_a_command_without_its_dashes(folder: Folder) -> None:
    ended = folder.fettle("time", "sleep", "0.1")
    assert ended.code == 1
    assert ended.stderr.endswith(" A command stands after --: `fettle time -- sleep 0.1`.\n")
    assert "after --" not in folder.fettle("time", "no_such_name(1)").stderr
