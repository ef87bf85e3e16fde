# SPDX-License-Identifier: Apache-2.0
"""The executor of the documents can fail: a page that is wrong is found to be wrong."""

import sys
from pathlib import Path

import pytest

from .console import Block, Command, Shell, blocks, commands, line_matches, mismatch

TABLE = [
    "17 function calls in 6.020 s",
    " ncalls  tottime  filename:lineno(function)",
    "      2    0.000  login.py:14(login_user)",
    "      4    6.019  {built-in method time.sleep}",
]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Success", "Success"),
        ("      2    0.000  login.py:14(login_user)", "  2  0.001 login.py:14(login_user)"),
        ("17 calls in 6.020 s", "17 calls in 12.5 s"),
        ("1  6.020  100%  main", "1  6.020  99%  main"),
        ("2 calls    6.002 s", "2 calls    998.730 ms"),
        ("2  58.9us  29.4us  0.0", "2  1.02ms  29ns  12.5"),
        ("12  78.2 kB  80 B", "12  9 B  1.2 MB"),
        ("time 1.99 s -> 997 ms, sure", "time 2.3 s -> 1.01 s, sure"),
        ("17 calls ... -> login.fettle", "17 calls in no time -> login.fettle"),
        ("5040  0.914        dungeon.py", "5040  0.914  1%  dungeon.py"),
        ("5040  0.914        dungeon.py", "5040  0.914      dungeon.py"),
        ("a (b) [c] {d} *", "a (b) [c] {d} *"),
    ],
)
def test_a_line_that_fits(written: str, printed: str) -> None:
    assert line_matches(written, printed)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Success", "Success."),
        ("Success", "a Success"),
        ("2  0.000  login.py:14(login_user)", "3  0.000  login.py:14(login_user)"),
        ("2  0.000  login.py:14(login_user)", "2  0.000  login.py:15(login_user)"),
        ("17 calls in 6.020 s", "18 calls in 6.020 s"),
        ("17 calls in 6.020 s", "17 calls in 6 s"),
        ("17 calls in 6 s", "17 calls in 7 s"),
        ("17 calls in 6.020 s", "17 calls in -6.020 s"),
        ("1  100%", "1  100"),
        ("5040  0.914    100%  dungeon.py", "5040  0.914         dungeon.py"),
        ("5040  0.914        dungeon.py", "5040  0.914  1  dungeon.py"),
        ("5040  0.914  dungeon.py", "5040  0.914  1%  dungeon.py"),
        ("2 calls    6.002 s", "2 calls    6.0 kB"),
        ("12  78.2 kB", "12  78.2"),
        ("12  78.2 kB", "13  78.2 kB"),
        ("2  6.0 seconds", "2  6.0 minutes"),
        ("a b", "ab"),
        ("17 calls ... -> login.fettle", "17 calls in no time"),
    ],
)
def test_a_line_that_does_not_fit(written: str, printed: str) -> None:
    assert not line_matches(written, printed)


@pytest.mark.parametrize(
    "written",
    [
        TABLE,
        ["..."],
        ["...", *TABLE],
        [*TABLE, "..."],
        [*TABLE[:2], "...", TABLE[3]],
        [TABLE[0], "...", TABLE[2], "..."],
        ["...", TABLE[1], "...", TABLE[2], "...", TABLE[3]],
    ],
)
def test_lines_that_fit(written: list[str]) -> None:
    assert mismatch(written, TABLE) is None


@pytest.mark.parametrize(
    "written",
    [
        [],
        TABLE[:-1],
        TABLE[1:],
        [*TABLE, "more"],
        [TABLE[0], TABLE[2], TABLE[1], TABLE[3]],
        ["...", TABLE[2], "...", TABLE[1], "..."],
        ["...", TABLE[2]],
        [TABLE[1], "..."],
        ["...", TABLE[3], "...", TABLE[3]],
        [*TABLE, "...", TABLE[3]],
        ["...", "  2    0.000  login.py:8(fetch_user_password)", "..."],
    ],
)
def test_lines_that_do_not_fit(written: list[str]) -> None:
    assert mismatch(written, TABLE)


def test_nothing_printed_fits_nothing_written() -> None:
    assert mismatch([], []) is None
    assert mismatch(["..."], []) is None
    assert mismatch(["a"], [])


def test_the_first_difference_is_named() -> None:
    said = mismatch(TABLE, [*TABLE[:3], "      5    6.019  {built-in method time.sleep}"])
    assert said is not None
    assert "      5    6.019  {built-in method time.sleep}" in said


def test_blocks_and_commands_of_a_page() -> None:
    page = "text\n```python\nx = 1\n```\n\n```console\n$ echo a\na\n$ true\n```\n"
    python, console = blocks(page)
    assert python == Block("python", ("x = 1",), 3)
    assert commands(console) == [Command("echo a", ("a",), 7), Command("true", (), 9)]


@pytest.mark.parametrize("page", ["```console\n$ true\n", "```\n```\n```console\n"])
def test_a_block_without_end_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="no end"):
        list(blocks(page))


def test_a_session_without_a_command_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not begin"):
        commands(Block("console", ("a", "$ echo a"), 1))


def test_the_shell_reports_both_streams_and_the_code(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "tools")
    ended = shell.run("echo out; echo err >&2; false | cat")
    assert ended.printed == ("out", "err")
    assert ended.code == 1


def test_the_python_of_a_session_is_that_of_the_tests(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "tools")
    ended = shell.run("python -c 'import sys; print(sys.executable)'")
    assert ended.printed == (sys.executable,)
