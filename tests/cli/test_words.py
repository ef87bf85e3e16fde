# SPDX-License-Identifier: Apache-2.0
"""Options, command lines and properties: the pieces of the launcher that need no recording."""

import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import fettle
import pytest
from fettle import invocation, properties
from fettle.options import HelpWanted, Option, parse
from fettle.problem import Problem

TABLE = [
    Option("-q --quiet", "a switch"),
    Option("-C --calls", "a switch"),
    Option("-n --rows", "a value", "ROWS"),
    Option("-l --lines", "a value that may be left out", "[=SEL]"),
    Option("-m", "the last", "MODULE", last=True),
    Option("--", "the last", last=True),
]


@pytest.mark.parametrize(
    ("line", "values", "words"),
    [
        ("", {}, []),
        ("app.py -q", {}, ["app.py", "-q"]),
        ("-q app.py", {"quiet": ""}, ["app.py"]),
        ("-qCn5 app.py", {"quiet": "", "calls": "", "rows": "5"}, ["app.py"]),
        ("-n 5 app.py", {"rows": "5"}, ["app.py"]),
        ("--rows=5 app.py", {"rows": "5"}, ["app.py"]),
        ("--rows 5 app.py", {"rows": "5"}, ["app.py"]),
        ("--rows= app.py", {"rows": ""}, ["app.py"]),
        ("-qm mod -q x", {"quiet": "", "m": "mod"}, ["-q", "x"]),
        ("-mmod -q", {"m": "mod"}, ["-q"]),
        ("-q -- make -q", {"quiet": "", "": ""}, ["make", "-q"]),
        ("- -q", {}, ["-", "-q"]),
        ("-l app.py", {"lines": ""}, ["app.py"]),
        ("--lines app.py", {"lines": ""}, ["app.py"]),
        ("--lines=a:b app.py", {"lines": "a:b"}, ["app.py"]),
        ("-ql app.py", {"quiet": "", "lines": ""}, ["app.py"]),
        ("-lm mod -l", {"lines": "", "m": "mod"}, ["-l"]),
        ("-lq --lines=a=b x", {"lines": "a=b", "quiet": ""}, ["x"]),
    ],
)
def test_options_are_read_as_getopt_reads_them(
    line: str, values: dict[str, str], words: list[str]
) -> None:
    parsed = parse("run", TABLE, shlex.split(line))
    assert (parsed.values, parsed.words) == (values, words)


def test_all_values_of_a_repeated_option_are_kept() -> None:
    parsed = parse("run", TABLE, shlex.split("--lines=a -l -n 3 --lines=b -n 4 app.py --lines=c"))
    assert parsed.given == {"lines": ["a", "", "b"], "rows": ["3", "4"]}
    assert parsed.number("rows", 0) == 4


def test_mixed_options_may_follow_the_words() -> None:
    parsed = parse("view", TABLE[:3], ["a", "-n", "3", "b", "-q", "--", "-c"], mixed=True)
    assert parsed.words == ["a", "b", "-c"]
    assert parsed.values == {"rows": "3", "quiet": ""}


@pytest.mark.parametrize(
    "line",
    [
        "-z",
        "--nope",
        "--lines=",
        "-lz",
        "-n",
        "--rows",
        "--quiet=1",
        "-qz",
        "-n -1",
        "-n x",
        "-n 5.0",
        "-n ²",
    ],
)
def test_wrong_options_are_one_sentence(line: str) -> None:
    with pytest.raises(Problem) as refused:
        parse("run", TABLE, shlex.split(line)).number("rows", 3)
    assert refused.value.code == 2
    assert refused.value.sentence.endswith(".")


def test_help_may_stand_among_the_options() -> None:
    with pytest.raises(HelpWanted):
        parse("run", TABLE, ["-q", "--help"])
    assert parse("run", TABLE, ["app.py", "--help"]).words == ["app.py", "--help"]


SHOW = "import sys; print(sys.orig_argv, file=sys.stderr); print(sys.argv[0])"


@pytest.mark.parametrize(
    ("line", "flags", "kind", "target"),
    [
        ("-X dev -W error -m this_is {0}", ["-X", "dev", "-W", "error"], "module", "this_is"),
        ("-Xdev -Bsm this_is", ["-Xdev", "-Bs"], "module", "this_is"),
        ("-Imthis_is", ["-I"], "module", "this_is"),
        ("-Wm {0} -c", ["-Wm"], "script", "{0}"),
        (
            "--check-hash-based-pycs never {0}",
            ["--check-hash-based-pycs", "never"],
            "script",
            "{0}",
        ),
        ("-BXm {0}", ["-BXm"], "script", "{0}"),
        ("-BW m {0}", ["-BW", "m"], "script", "{0}"),
        ("-cpass {0}", [], "code", "pass"),
        ("-Sc pass", ["-S"], "code", "pass"),
        ("-u -", ["-u"], "stdin", "-"),
        ("-", [], "stdin", "-"),
    ],
)
def test_command_lines_are_split_as_python_does(
    line: str, flags: list[str], kind: str, target: str, tmp_path: Path
) -> None:
    script = tmp_path / "show.py"
    script.write_text(SHOW)
    (tmp_path / "this_is.py").write_text(SHOW)
    words = shlex.split(line.format(script))
    seen = invocation.parse([sys.executable, *words])
    assert (seen.flags, seen.kind, seen.target) == (flags, kind, target.format(script))
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    if kind == "script":  # Python agrees on what it ran
        assert done.stdout.strip() == str(script)
    elif kind == "module" and "I" not in line:
        assert done.stdout.strip() == str(tmp_path / "this_is.py")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app.py", "app"),
        ("a/b/tool.pyz", "tool"),
        ("folder/", "folder"),
        ("my.program", "my.program"),
        ("/", "root"),
    ],
)
def test_recordings_are_named_after_the_script(path: str, name: str) -> None:
    assert invocation.script_name(path) == name


@pytest.mark.parametrize(
    "words", [["a"], ["a b", "c'd", ""], ["$x", "`y`", "é", "\n", "a\\b", "*"], ["-x=1", "/a_b"]]
)
def test_quoted_words_are_read_back_by_a_shell(words: list[str]) -> None:
    assert shlex.split(invocation.quoted(words)) == words


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "deep" / "er").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "trunk/one")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def test_the_commit_is_what_git_says(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert len(head) == 40
    assert properties.commit(str(repository / "deep" / "er")) == head
    git(repository, "pack-refs", "--all")
    assert properties.commit(str(repository)) == head
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(repository, "rev-parse", "HEAD")
    assert properties.commit(str(repository)) == second != head
    git(repository, "checkout", "-q", head)
    assert properties.commit(str(repository)) == head


def test_the_commit_of_a_worktree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    git(tmp_path / "side", "commit", "-q", "--allow-empty", "-m", "on the side")
    head = git(tmp_path / "side", "rev-parse", "HEAD")
    assert properties.commit(str(tmp_path / "side")) == head
    git(repository, "pack-refs", "--all")
    assert properties.commit(str(tmp_path / "side")) == head


def test_no_commit_is_no_problem(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "-q")
    assert properties.commit(str(folder)) == ""
    (folder / ".git" / "HEAD").write_bytes(b"\xff\xfe")
    assert properties.commit(str(folder)) == ""


def test_the_version_is_that_of_the_package() -> None:
    assert fettle.__version__ == version("fettle")
