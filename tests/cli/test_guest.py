# SPDX-License-Identifier: Apache-2.0
"""FETTLE in the environment: recording without a launcher."""

import os
import sys

import pytest
from fettle._core import Profile

from .harness import FETTLE, Folder, rows

APP = "def work(): pass\nfor _ in range(5): work()\nprint('done')\n"


def test_a_program_is_recorded_and_view_finishes_it(folder: Folder) -> None:
    folder.write("app.py", APP)
    ended = folder.python("app.py", FETTLE="calls")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "done\n", "")
    assert folder.names() == {"app.py", "app.fettle", "app.fettle.parts"}
    assert not Profile.read(str(folder.path / "app.fettle")).ended
    assert rows(folder.fettle("view").stdout)["app.py:1(work)"] == "5"
    assert folder.names() == {"app.py", "app.fettle"}
    finished = Profile.read(str(folder.path / "app.fettle"))
    assert finished.ended
    assert finished.meta()["command"].endswith("app.py")
    assert "\nfettle:" not in folder.fettle("view").stdout, "it is finished once"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("-m", "app"), "app.fettle"),
        (("-c", "pass"), "code.fettle"),
        (("-X", "dev", "app.py"), "app.fettle"),
        (("./sub",), "sub.fettle"),
    ],
)
def test_the_recording_is_named_after_the_program(
    folder: Folder, words: tuple[str, ...], name: str
) -> None:
    folder.write("app.py", APP)
    folder.write("sub/__main__.py", APP)
    assert folder.python(*words, FETTLE="calls").code == 0
    assert name in folder.names()


def test_the_next_run_keeps_the_one_before(folder: Folder) -> None:
    folder.write("app.py", APP)
    for _ in range(2):
        folder.python("app.py", FETTLE="calls")
    for name in ("app.prev.fettle", "app.fettle"):
        assert rows(folder.fettle("view", name).stdout)["app.py:1(work)"] == "5"


def test_programs_with_one_output_join(folder: Folder) -> None:
    folder.write("app.py", APP)
    (folder.path / "elsewhere").mkdir()
    script = f"{sys.executable} app.py; cd elsewhere; {sys.executable} ../app.py"
    output = str(folder.path / "all.fettle")
    assert folder.execute("sh", "-c", script, FETTLE="calls", FETTLE_OUT=output).code == 0
    shown = folder.fettle("view", "all.fettle").stdout
    assert "2 processes" in shown
    assert sum(int(calls) for name, calls in rows(shown).items() if name.endswith("(work)")) == 10


def test_children_join_whatever_their_folder(folder: Folder) -> None:
    folder.write("sub/child.py", APP)
    folder.write(
        "app.py",
        "import os, subprocess, sys\n"
        "os.chdir('sub')\n"
        "subprocess.run([sys.executable, 'child.py'])\n",
    )
    folder.python("app.py", FETTLE="calls", FETTLE_OUT="mine.fettle")
    assert "(work)" in folder.fettle("view", "mine.fettle", "-n", "0").stdout
    assert os.listdir(folder.path / "sub") == ["child.py"]


def test_options_are_taken(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.python("app.py", FETTLE="calls no-builtins")
    shown = folder.fettle("view").stdout
    assert "(work)" in shown
    assert "built-in" not in shown


ENDLESS = pytest.param("calls max-nodes=" + "9" * 5000, id="endless")


@pytest.mark.parametrize(
    "words", ["1", "calls lines=", "lines line=app", "max-nodes=x", "max-nodes=N", "Calls", ENDLESS]
)
def test_unknown_words_are_one_sentence_and_the_program_runs(folder: Folder, words: str) -> None:
    folder.write(
        "app.py", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])\n{APP}"
    )
    ended = folder.python("app.py", FETTLE=words)
    assert (ended.code, ended.stdout) == (0, "done\n")
    assert "FETTLE" in ended.sentence()
    assert folder.names() == {"app.py"}


def test_an_unwritable_output_is_one_sentence_and_the_program_runs(folder: Folder) -> None:
    folder.write("app.py", APP)
    for output in ("no/such/x.fettle", "app.py"):
        ended = folder.python("app.py", FETTLE="calls", FETTLE_OUT=output)
        assert (ended.code, ended.stdout) == (0, "done\n")
        assert output in ended.sentence()
    assert folder.names() == {"app.py"}


@pytest.mark.parametrize(
    "variables", [{}, {"FETTLE": ""}, {"FETTLE": "calls", "FETTLE_DISABLE": "1"}]
)
def test_nothing_is_recorded_unless_asked(folder: Folder, variables: dict[str, str]) -> None:
    folder.write("app.py", APP)
    ended = folder.python("app.py", **variables)
    assert (ended.stdout, ended.stderr) == ("done\n", "")
    assert folder.names() == {"app.py"}


def test_a_late_process_finds_the_recording_ended(folder: Folder) -> None:
    gone = str(folder.path / "gone.fettle")
    ended = folder.python("-c", "print(1)", FETTLE="calls joined", FETTLE_OUT=gone)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "1\n", "")
    assert folder.names() == set()


def test_fettles_own_command_is_never_recorded(folder: Folder) -> None:
    assert folder.fettle("--version", FETTLE="calls").code == 0
    assert folder.python("-m", "fettle", "--version", FETTLE="calls").code == 0
    assert folder.names() == set()


def test_run_overrides_the_environment(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.fettle("run", "-q", "app.py", FETTLE="wrong words", FETTLE_OUT="other.fettle")
    assert folder.names() == {"app.py", "app.fettle"}
    disabled = folder.fettle("run", "app.py", FETTLE_DISABLE="1")
    assert "nothing was recorded" in disabled.stderr


def test_the_guest_imports_nothing_of_the_standard_library(folder: Folder) -> None:
    """Neither with a launcher nor without: the program's own modules must win."""
    code = "import sys; print(sorted(set(sys.modules) - set(sys.builtin_module_names)))"
    plain = folder.python("-c", code).stdout
    ours = {"fettle", "fettle._core", "fettle.guest"}
    under = folder.execute(FETTLE, "run", "-q", "-c", code).stdout
    assert set(eval(under)) - set(eval(plain)) == ours
    alone = folder.python("-c", code, FETTLE="calls").stdout
    assert all(name.startswith("fettle") for name in set(eval(alone)) - set(eval(plain)))
