# SPDX-License-Identifier: Apache-2.0
"""[tool.fettle.VERB] in pyproject.toml."""

import doctest

import pytest
from fettle import settings
from fettle._core import Profile

from .harness import Folder

APP = """
import time
def work():
    return [str(n) for n in range(50)]
work()
time.sleep(0)
"""


def test_examples() -> None:
    assert doctest.testmod(settings).failed == 0


def parts(folder: Folder, *words: str) -> tuple[bool, bool, bool]:
    """What a run with these words recorded: calls, lines, memory."""
    ended = folder.fettle("run", "-q", *words, "app.py")
    assert (ended.code, ended.stderr) == (0, "")
    profile = Profile.read(str(folder.path / "app.fettle"))
    return bool(profile.functions()), bool(profile.lines()), bool(profile.heaps())


def test_the_project_says_what_is_recorded(folder: Folder) -> None:
    folder.write("app.py", APP)
    assert parts(folder) == (True, False, False)
    folder.write("pyproject.toml", '[tool.fettle.run]\nmem = true\nlines = ["app.py"]\n')
    assert parts(folder) == (False, True, True)
    assert parts(folder, "-C") == (True, True, True)
    folder.write("pyproject.toml", "[tool.fettle.run]\nmem = false\n")
    assert parts(folder) == (True, False, False)


def test_what_is_typed_wins_and_folders_above_count(folder: Folder) -> None:
    folder.write("pyproject.toml", '[tool.fettle.view]\nrows = 1\nsort = "ncalls"\n')
    folder.write("app.py", APP)
    folder.fettle("run", "-q", "app.py")
    (folder.path / "deep" / "er").mkdir(parents=True)
    (folder.path / "app.fettle").rename(folder.path / "deep" / "er" / "app.fettle")
    below = Folder(folder.path / "deep" / "er")
    assert len(below.fettle("view").stdout.splitlines()) == 4  # heading, head, a row, the rest
    assert len(below.fettle("view", "-n", "2").stdout.splitlines()) == 5
    below.write("pyproject.toml", "[project]\nname = 'nearer'\n")
    assert "more function" not in below.fettle("view").stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[tool.fettle.view]\nrow = 1\n", "no option --row; `fettle view --help` lists them"),
        ("[tool.fettle.view]\nrows = true\n", "rows needs a text, a number or a list of them"),
        ("[tool.fettle.view]\nn = 3\n", "no option --n;"),
        ("[tool.fettle.view]\ncalls = 3\n", "calls needs true or false, not 3"),
        ("[tool.fettle.view]\nrows = 'x'\n", "--rows needs a whole number"),
        ("[tool.fettle]\nview = 3\n", "needs a table [tool.fettle.view]"),
        ("tool.fettle = 3\n", "needs a table [tool.fettle.view]"),
        ("[tool.fettle.view\n", "pyproject.toml is no TOML"),
    ],
)
def test_what_is_wrong_is_said(folder: Folder, text: str, sentence: str) -> None:
    folder.write("pyproject.toml", text)
    ended = folder.fettle("view")
    assert ended.code == 2
    assert sentence in ended.sentence()
    assert folder.fettle("view", "--help").code == 0
    assert folder.fettle("memo", "--help").code == 0


def test_a_program_is_no_setting(folder: Folder) -> None:
    for name in ("m", "c", '""'):
        folder.write("pyproject.toml", f"[tool.fettle.run]\n{name} = 'x'\n")
        ended = folder.fettle("run", "app.py")
        assert (ended.code, "`fettle run` has no option" in ended.sentence()) == (2, True)


def test_other_projects_are_left_alone(folder: Folder) -> None:
    for text in ("[tool]\nother = 1\n", "not TOML [", '[tool.x]\nk = "fettle"\n'):
        folder.write("pyproject.toml", text)
        assert "there is no recording in this folder" in folder.fettle("view").sentence()
