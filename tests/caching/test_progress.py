# SPDX-License-Identifier: Apache-2.0
"""A table that takes long to build shows how far it is: on a terminal, and only there."""

import os
import pty
import subprocess
import sys

import pytest

# No time passes: the clock of the table runs a tenth of a second for each look.
PROGRAM = """
import itertools, sys, types
{before}
from fettle.caching import lookup
ticks = itertools.count()
lookup.time = types.SimpleNamespace(monotonic=lambda: next(ticks) / 10)
@lookup.table(range({count}))
def halved(n):
    if n == {fails}: raise ZeroDivisionError("mine")
    return n / 2
print(halved(4), "rich" in sys.modules, {after})
"""


def run(
    count: int = 40, fails: int = -1, before: str = "", after: str = "''", terminal: bool = True
) -> tuple[int, str, str]:
    """The exit code, what was printed, and what the terminal (or pipe) in stderr's place got."""
    text = PROGRAM.format(count=count, fails=fails, before=before, after=after)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHON_COLORS": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as program:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # how a terminal says that nobody is there any more
            pass
        finally:
            os.close(ours)
        assert program.stdout is not None
        printed = program.stdout.read().decode()
    return program.returncode, printed, seen.decode()


def test_a_terminal_shows_a_bar() -> None:
    code, printed, seen = run(after="len(__import__('threading').enumerate())")
    assert (code, printed) == (0, "2.0 True 1\n")
    assert "table of halved" in seen
    assert "50%" in seen
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") == 1  # the cursor is back


def test_a_short_table_shows_nothing() -> None:
    assert run(count=5) == (0, "2.0 False \n", "")


@pytest.mark.parametrize(
    "before",
    [
        "sys.modules['rich.progress'] = None",
        "import rich.progress; rich.progress.Progress.start = lambda self: 1 / 0",
        "import rich.progress; rich.progress.Progress.update = lambda *a, **k: 1 / 0",
    ],
    ids=["missing", "does not start", "does not go on"],
)
def test_rich_may_fail(before: str) -> None:
    code, printed, seen = run(before=before)
    assert (code, printed[:4]) == (0, "2.0 ")
    assert "Error" not in seen


def test_no_terminal_no_bar() -> None:
    assert run(terminal=False) == (0, "2.0 False \n", "")
    odd = "type('Odd', (), {'isatty': lambda self: 1 / 0, 'flush': lambda self: None})()"
    for stderr in ("None", odd):
        code, printed, _ = run(before=f"sys.stderr = {stderr}")
        assert (code, printed) == (0, "2.0 False \n")


def test_the_bar_is_gone_when_the_function_raises() -> None:
    code, printed, seen = run(fails=30)
    assert (code, printed) == (1, "")
    assert seen.rindex("\x1b[?25h") < seen.rindex("ZeroDivisionError: mine")
    assert "halved(30)" in seen
