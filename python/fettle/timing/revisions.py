# SPDX-License-Identifier: Apache-2.0
"""Revisions of a git repository, each in a work tree of its own, for as long as it is measured.

The trees lie in a temporary folder. What happens meanwhile, they are gone in the end, and git has
forgotten them. Hooks do not run: nobody asked for what they do.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager

from fettle.problem import CHECK_FAILED, USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def check(revisions: "Sequence[str]") -> list[str]:
    """The commits that the revisions mean; Problem if there is no git, no repository, or one of
    them is unknown."""
    if len(revisions) == 1:
        raise Problem(
            USAGE,
            f"--rev {revisions[0]} stands alone; name what it is compared with: --rev A --rev B.",
        )
    found = _git("rev-parse", "--show-prefix")
    if found.returncode:
        if "not a git repository" in found.stderr:
            raise Problem(
                USAGE,
                "this folder is in no git repository, and --rev compares revisions of one; go to"
                " where the code is.",
            )
        raise Problem(USAGE, f"git can not use this repository: {_words(found.stderr)}.")
    commits = []
    for revision in revisions:
        name = f"{revision}^{{commit}}"
        answer = _git("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        if answer.returncode or not revision:
            raise Problem(
                USAGE,
                f"git knows no revision {revision!r} here; `git log --oneline` and `git branch -a`"
                " list some.",
            )
        commits.append(answer.stdout.split()[-1])
    return commits


@contextmanager
def checked_out(revisions: "Sequence[str]") -> "Iterator[list[str]]":
    """The place, in a tree of each revision, that this folder has in the repository."""
    commits = check(revisions)
    prefix = _git("rev-parse", "--show-prefix").stdout.rstrip("\n")
    try:
        folder = os.path.realpath(tempfile.mkdtemp(prefix="fettle-"))
    except OSError as error:
        raise Problem(
            USAGE, f"there is no room for work trees: {reason(error)}; set TMPDIR to another place."
        ) from None
    trees = [os.path.join(folder, f"{at}-{_plain(name)}") for at, name in enumerate(revisions, 1)]
    try:
        for tree, commit, revision in zip(trees, commits, revisions, strict=True):
            _add(tree, commit, revision)
        yield [_place(tree, prefix, name) for tree, name in zip(trees, revisions, strict=True)]
    finally:
        _remove(folder, trees)


def _add(tree: str, commit: str, revision: str) -> None:
    with _undisturbed():  # one that is killed at work leaves what no git removes
        made = _git("worktree", "add", "--quiet", "--detach", "--force", tree, commit)
    if made.returncode:
        raise Problem(
            CHECK_FAILED,
            f"git could not make a work tree of {revision}: {_words(made.stderr)}; see that there"
            " is room in the temporary folder (TMPDIR) and that you may write to the repository.",
        )


def _place(tree: str, prefix: str, revision: str) -> str:
    place = os.path.join(tree, prefix).rstrip("/")
    if not os.path.isdir(place):
        raise Problem(
            USAGE,
            f"there is no folder {prefix.rstrip('/')} in revision {revision}; start from a folder"
            " that all of them have.",
        )
    return place


def _remove(folder: str, trees: "Sequence[str]") -> None:
    with _undisturbed():
        for tree in trees:
            _git("worktree", "remove", "--force", "--force", tree)
        shutil.rmtree(folder, ignore_errors=True)
        _git("worktree", "prune")


@contextmanager
def _undisturbed() -> "Iterator[None]":
    """Nothing may come in between: what is told to end meanwhile does so afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _git(*words: str) -> "subprocess.CompletedProcess[str]":
    """Runs git, in a process group of its own: ^C is for us, and we tidy up."""
    try:
        return subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            env={**os.environ, "LC_ALL": "C"},
            process_group=0,
            check=False,
        )
    except OSError as error:
        raise Problem(
            USAGE, f"--rev needs git, which can not be run ({reason(error)}); install it."
        ) from None


def _words(text: str) -> str:
    """What git said last, less the word before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"]
    return lines[-1].removeprefix("fatal:").removeprefix("error:").strip().rstrip(".")


def _plain(revision: str) -> str:
    """A name of a folder that reminds of the revision."""
    return "".join(letter if letter.isalnum() else "-" for letter in revision)[:40]
