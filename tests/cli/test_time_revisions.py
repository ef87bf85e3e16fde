# SPDX-License-Identifier: Apache-2.0
"""Revisions side by side, in a real repository: the trees, and that they are gone in the end."""

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from fettle.problem import Problem
from fettle.timing import revisions

from .harness import FETTLE, PYTHON, Folder, until

pytestmark = pytest.mark.once  # what is measured is programs, in trees that git makes

LOOP = """\
import sys
total = 0
for number in range({count}):
    total += number
print(total, file=sys.stderr)
"""
QUICK = 2_000_000
SLOW = 5 * QUICK


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def repository(folder: Folder) -> Folder:
    """Revision `quick`, and `slow`, which does five times as much. The folder `late` is of both
    branches' last revision alone."""
    git(folder.path, "init", "-q", "-b", "trunk")
    folder.write("deep/app.py", LOOP.format(count=QUICK))
    folder.write("where.py", "import os; print(os.getcwd())")
    commit(folder.path, "quick")
    git(folder.path, "tag", "quick")
    folder.write("deep/app.py", LOOP.format(count=SLOW))
    folder.write("late/x", "")
    commit(folder.path, "slow")
    git(folder.path, "branch", "feature/slow")
    folder.write("deep/app.py", "raise SystemExit('the working tree is not what is measured')")
    return folder


def trees(folder: Path) -> list[str]:
    return git(folder, "worktree", "list").splitlines()


def nothing_left(repository: Folder, place: Path) -> bool:
    return len(trees(repository.path)) == 1 and not list(place.glob("fettle-*"))


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of a run."""
    return tmp_path_factory.mktemp("temporary")


def test_a_revision_five_times_as_slow(repository: Folder, place: Path) -> None:
    inside = Folder(repository.path / "deep")
    line = "time --json -n 5 --clock cpu --rev quick --rev feature/slow --"
    ended = inside.fettle(*shlex.split(line), PYTHON, "-S", "app.py", TMPDIR=str(place))
    assert ended.code == 0, ended.stderr
    said = json.loads(ended.stdout)
    labels = [candidate["label"] for candidate in said["candidates"]]
    assert labels == [f"{name}: {PYTHON} -S app.py" for name in ("quick", "feature/slow")]
    (comparison,) = said["comparisons"]
    # The start of the interpreter is the same for both, hence less than five.
    assert 0.15 < comparison["low"] < comparison["high"] < 0.6
    assert nothing_left(repository, place)


def test_the_trees_are_those_of_the_revisions(repository: Folder) -> None:
    here = os.getcwd()
    os.chdir(repository.path / "deep")
    try:
        with revisions.checked_out(["quick", "HEAD", "quick"]) as folders:
            texts = [(Path(folder) / "app.py").read_text() for folder in folders]
            assert texts == [LOOP.format(count=count) for count in (QUICK, SLOW, QUICK)]
            assert len(set(folders)) == 3
            assert len(trees(repository.path)) == 4
            kept = [Path(folder).parent for folder in folders]
    finally:
        os.chdir(here)
    assert not any(folder.exists() for folder in kept)
    assert len(trees(repository.path)) == 1


def test_hooks_do_not_run(repository: Folder) -> None:
    hook = repository.path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{repository.path}/hooked'\n")
    hook.chmod(0o755)
    ended = repository.fettle("time", "-n", "1", "--rev=quick", "--rev=HEAD", "--", "true")
    assert ended.code == 0, ended.stderr
    assert "hooked" not in repository.names()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("--rev quick -- true", "--rev quick stands alone"),
        ("--rev quick --rev nowhere -- true", "git knows no revision 'nowhere' here"),
        ("--rev quick --rev= -- true", "git knows no revision ''"),
        ("--rev quick --rev=--all -- true", "git knows no revision '--all'"),
        ("--rev quick --rev HEAD -- true --vs false", "leave --vs out"),
        ("--rev quick --rev HEAD pass", "--rev is of commands"),
        ("--rev quick --rev HEAD --", "there is no command after --"),
        ("--rev quick --rev HEAD pass -- true", "'pass' is a statement"),
    ],
)
def test_what_can_not_be_compared(repository: Folder, place: Path, words: str, part: str) -> None:
    ended = repository.fettle("time", *words.split(), TMPDIR=str(place))
    assert ended.code == 2
    assert part in ended.sentence()
    assert nothing_left(repository, place)


def test_a_folder_that_a_revision_lacks(repository: Folder, place: Path) -> None:
    inside = Folder(repository.path / "late")
    words = ["time", "--rev", "HEAD", "--rev", "quick", "--", "true"]
    ended = inside.fettle(*words, TMPDIR=str(place))
    assert ended.code == 2
    assert "there is no folder late in revision quick" in ended.sentence()
    assert nothing_left(repository, place)


def test_a_command_that_fails_in_a_revision(repository: Folder, place: Path) -> None:
    words = ["time", "--rev", "HEAD", "--rev", "quick", "--", "ls", "late"]
    ended = repository.fettle(*words, TMPDIR=str(place))
    assert ended.code == 1
    *lines, sentence = ended.stderr.splitlines()
    assert sentence.startswith("fettle: quick: ls late ended with exit code 2 in its first run;")
    assert any("late" in line for line in lines)
    assert nothing_left(repository, place)


def test_no_repository(folder: Folder) -> None:
    words = ["time", "--rev", "a", "--rev", "b", "--", "true"]
    ended = folder.fettle(*words, GIT_CEILING_DIRECTORIES=str(folder.path.parent))
    assert ended.code == 2
    assert "in no git repository" in ended.sentence()


def test_no_git(folder: Folder) -> None:
    ended = folder.fettle(
        *["time", "--rev", "a", "--rev", "b", "--", "/bin/true"], PATH=str(folder.path)
    )
    assert ended.code == 2
    assert "--rev needs git" in ended.sentence()


def test_no_room_for_trees(repository: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """TMPDIR falls back to other folders, so its failure is made here."""
    monkeypatch.chdir(repository.path)

    def refuse(prefix: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(revisions.tempfile, "mkdtemp", refuse)
    with (
        pytest.raises(Problem, match="No space left on device; set TMPDIR"),
        revisions.checked_out(["quick", "HEAD"]),
    ):
        raise AssertionError


def test_an_end_while_git_is_at_work_waits_for_it(
    repository: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle, `git worktree add` would leave a tree that is locked for ever."""
    monkeypatch.chdir(repository.path)
    real = revisions._git
    added: list[bool] = []

    def interrupted(*words: str) -> "subprocess.CompletedProcess[str]":
        is_adding = words[:2] == ("worktree", "add")
        if is_adding:
            os.kill(os.getpid(), signal.SIGINT)
        answer = real(*words)
        if is_adding:
            added.append(os.path.isdir(words[-2]))
        return answer

    monkeypatch.setattr(revisions, "_git", interrupted)
    with pytest.raises(KeyboardInterrupt), revisions.checked_out(["quick", "HEAD"]):
        raise AssertionError
    assert added == [True]  # the first was made in peace, the second was not begun
    assert len(trees(repository.path)) == 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_trees_go_when_it_is_told_to_end(
    repository: Folder, place: Path, number: int, code: int
) -> None:
    running = repository.path / "running"
    words = ["time", "--rev", "quick", "--rev", "HEAD", "--"]
    command = ["sh", "-c", f"touch '{running}'; sleep 60"]
    process = repository.start(FETTLE, *words, *command, TMPDIR=str(place))
    until(running.exists)
    assert len(list(place.glob("fettle-*"))) == 1
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert nothing_left(repository, place)
