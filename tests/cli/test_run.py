# SPDX-License-Identifier: Apache-2.0
"""`fettle run`: the program runs as it does without. The oracle is plain Python."""

import json
import shutil
import sys
import zipfile

import pytest
from fettle._core import Profile

from .harness import FETTLE, PYTHON, Folder, rows

SURROUNDINGS = """\
import json, os, pickle, signal, sys, threading

class Mine:
    pass

def main():
    known = pickle.loads(pickle.dumps(Mine()))
    handlers = {s.name: str(signal.getsignal(s)) for s in signal.Signals}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FETTLE")}
    print(json.dumps({
        "name": __name__, "file": __file__, "argv": sys.argv, "path": sys.path,
        "orig_argv": sys.orig_argv[1:], "flags": str(sys.flags), "xoptions": str(sys._xoptions),
        "warnoptions": sys.warnoptions, "executable": sys.executable, "cwd": os.getcwd(),
        "class": str(type(known)), "spec": str(__spec__ and __spec__.name),
        "package": str(__package__), "cached": str(__cached__ if "__cached__" in globals() else 0),
        "environment": environment, "handlers": handlers,
        "mask": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
        "threads": threading.active_count(), "group": os.getpgid(0) == os.getpgid(os.getppid()),
        "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
        "modules": sorted(m for m in sys.modules if m.partition(".")[0] != "fettle"
                          and m not in sys.builtin_module_names),
        "stdin": sys.stdin.read(), "umask": os.umask(0),
    }))

main()
"""


def surroundings(folder: Folder, *words: str, **extra: str) -> tuple[dict, dict]:
    """What the program sees without fettle, and with it."""
    plain = folder.execute(PYTHON, *words, stdin="hello\n", **extra)
    under = folder.execute(FETTLE, "run", "-q", *words, stdin="hello\n", **extra)
    assert plain.code == under.code == 0, under.stderr
    return json.loads(plain.stdout), json.loads(under.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ("app.py", "-q", "--", "x y"),
        ("./app.py",),
        ("package",),
        ("app.zip", "1"),
        ("-m", "package", "-n", "2"),
        ("-m", "package.part"),
    ],
)
def test_a_program_sees_what_it_sees_without(folder: Folder, words: tuple[str, ...]) -> None:
    folder.write("app.py", SURROUNDINGS)
    folder.write("package/__main__.py", SURROUNDINGS)
    folder.write("package/part.py", SURROUNDINGS)
    with zipfile.ZipFile(folder.path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SURROUNDINGS)
    plain, under = surroundings(folder, *words)
    assert under == plain


def test_code_sees_what_it_sees_without(folder: Folder) -> None:
    code = SURROUNDINGS.replace("__file__", "'none'").replace("pickle.dumps(Mine())", "b'N.'")
    plain, under = surroundings(folder, "-c", code, "an", "argument")
    assert under == plain


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_the_locale_is_the_same(folder: Folder, locale: str) -> None:
    folder.write("app.py", SURROUNDINGS)
    plain, under = surroundings(folder, "app.py", LC_ALL="", LANG=locale)
    assert under == plain
    shown = folder.execute("env", LANG=locale).stdout.splitlines()
    under_fettle = folder.fettle("run", "-q", "--", "env", LANG=locale).stdout.splitlines()
    assert [line for line in under_fettle if not line.startswith("FETTLE")] == shown


def test_interpreter_flags_are_for_the_program(folder: Folder) -> None:
    folder.write("app.py", SURROUNDINGS)
    flags = ("-X", "dev", "-W", "error", "-u", "-B")
    plain = folder.execute(sys.executable, *flags, "app.py", stdin="")
    under = folder.execute(sys.executable, *flags, "-m", "fettle", "run", "-q", "app.py", stdin="")
    assert json.loads(under.stdout) == json.loads(plain.stdout)


def test_the_users_own_modules_win(folder: Folder) -> None:
    """In the program, and beside it for the launcher: neither imports what lies in the folder."""
    for name in ("json", "signal", "fcntl", "enum", "fnmatch", "shlex", "rich"):
        folder.write(f"{name}.py", f"print('my own {name}')")
    folder.write("app.py", "import json, signal, fcntl, enum, fnmatch, shlex")
    expected = folder.python("app.py").stdout
    assert "my own signal" in expected
    for command in ((FETTLE,), (sys.executable, "-m", "fettle")):
        ended = folder.execute(*command, "run", "app.py")
        assert ended.stdout == expected
        assert ended.code == 0
        assert "my own" not in ended.stderr


def test_output_is_untouched_and_the_table_is_on_stderr(folder: Folder) -> None:
    folder.write("app.py", "import sys; print('out'); print('err', file=sys.stderr)")
    ended = folder.fettle("run", "app.py")
    assert ended.stdout == "out\n"
    assert ended.stderr.startswith("err\n")
    assert " -> app.fettle\n" in ended.stderr
    assert "\x1b" not in ended.stderr
    quiet = folder.fettle("run", "-q", "app.py")
    assert (quiet.stdout, quiet.stderr) == ("out\n", "err\n")


COUNTED = """\
def leaf():
    return len("abc")

def middle(n):
    for _ in range(n):
        leaf()

middle(3)
middle(2)
"""


def test_the_table_counts(folder: Folder) -> None:
    folder.write("app.py", COUNTED)
    table = rows(folder.fettle("run", "-n", "0", "app.py").stderr)
    expected = {
        "app.py:1(<module>)": "1",
        "app.py:1(leaf)": "5",
        "app.py:4(middle)": "2",
        "{built-in method builtins.len}": "5",
    }
    assert expected.items() <= table.items()
    without = rows(folder.fettle("run", "--no-builtins", "-n", "0", "app.py").stderr)
    assert without == {name: n for name, n in expected.items() if name.startswith("app")}


def test_rows_are_limited_and_it_says_so(folder: Folder) -> None:
    folder.write("app.py", COUNTED)
    ended = folder.fettle("run", "-n", "2", "app.py")
    assert len(rows(ended.stderr)) == 2
    assert "more function" in ended.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("app.py",), "app.fettle"),
        (("sub/app.py",), "app.fettle"),
        (("sub",), "sub.fettle"),
        (("-c", "pass"), "code.fettle"),
        (("-m", "sub.app"), "sub.app.fettle"),
        (("--", "true"), "true.fettle"),
        (("-",), "stdin.fettle"),
        (("-o", "x.y", "app.py"), "x.y"),
        (("-o", "sub/z.fettle", "app.py"), "sub/z.fettle"),
    ],
)
def test_recordings_get_their_names(folder: Folder, words: tuple[str, ...], name: str) -> None:
    for script in ("app.py", "sub/app.py", "sub/__main__.py"):
        folder.write(script, "pass")
    assert folder.fettle("run", "-q", *words).code == 0
    assert Profile.read(str(folder.path / name)).ended
    assert not (folder.path / f"{name}.parts").exists()


def test_the_recording_says_what_it_is(folder: Folder) -> None:
    folder.write("app.py", "import sys; sys.exit(7)")
    assert folder.fettle("run", "-q", "--no-builtins", "app.py", "a b").code == 7
    meta = Profile.read(str(folder.path / "app.fettle")).meta()
    assert meta["command"] == f"{PYTHON} app.py 'a b'"
    assert meta["cwd"] == str(folder.path)
    assert meta["exit"] == "7"
    assert meta["state"] == "ended"
    assert meta["options"] == "calls no-builtins"
    assert meta["python"].split()[0] == sys.version.split()[0].rstrip("+")


def test_a_second_run_keeps_the_first(folder: Folder) -> None:
    folder.fettle("run", "-q", "-c", "len('first')")
    first = (folder.path / "code.fettle").read_bytes()
    folder.fettle("run", "-q", "-c", "len('second')")
    assert (folder.path / "code.prev.fettle").read_bytes() == first
    assert folder.names() == {"code.fettle", "code.prev.fettle"}


def test_child_processes_are_in_the_recording(folder: Folder) -> None:
    folder.write("child.py", "def in_child(): pass\nin_child()")
    folder.write(
        "app.py",
        "import os, subprocess, sys\n"
        "def in_fork(): pass\n"
        "subprocess.run([sys.executable, 'child.py'])\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    in_fork()\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n",
    )
    ended = folder.fettle("run", "-n", "0", "app.py")
    table = rows(ended.stderr)
    assert table["child.py:1(in_child)"] == "1"
    assert table["app.py:2(in_fork)"] == "1"
    assert "3 processes" in ended.stderr


def test_a_command_records_the_pythons_in_it(folder: Folder) -> None:
    folder.write("a.py", "def in_a(): pass\nin_a()")
    folder.write("b.py", "def in_b(): pass\nin_b()")
    command = f"{sys.executable} a.py && {sys.executable} b.py; exit 4"
    ended = folder.fettle("run", "-n", "0", "--", "sh", "-c", command)
    assert ended.code == 4
    table = rows(ended.stderr)
    assert (table["a.py:1(in_a)"], table["b.py:1(in_b)"]) == ("1", "1")


def test_a_command_without_a_shebang_runs_as_in_a_shell(folder: Folder) -> None:
    folder.write("script", "echo from the shell $1\n").chmod(0o755)
    ended = folder.fettle("run", "-q", "--", "./script", "ok")
    assert ended.stdout == "from the shell ok\n"


def test_sigpipe_of_a_command_is_not_ignored(folder: Folder) -> None:
    """Python ignores SIGPIPE; what it starts must not inherit that."""
    ended = folder.fettle("run", "-q", "--", "sh", "-c", "kill -PIPE $$; echo survived")
    assert ended.code == 128 + 13
    assert ended.stdout == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_stay_closed(folder: Folder, closed: str) -> None:
    folder.write(
        "app.py",
        "import os\n"
        "def is_open(fd):\n"
        "    try: return bool(os.fstat(fd))\n"
        "    except OSError: return False\n"
        "with open('seen', 'w') as file: file.write(str([is_open(n) for n in (0, 1, 2)]))",
    )
    seen = []
    for command in (PYTHON, f"{FETTLE} run"):
        folder.execute("sh", "-c", f"{command} app.py {closed}")
        seen.append((folder.path / "seen").read_text())
    assert seen[0] == seen[1]
    assert Profile.read(str(folder.path / "app.fettle")).ended


def test_fettle_itself_is_not_recorded(folder: Folder) -> None:
    ended = folder.fettle("run", "-q", "--", FETTLE, "--version")
    assert ended.code == 0
    assert "nothing was recorded" in ended.stderr


def test_fettle_in_fettle(folder: Folder) -> None:
    folder.write("app.py", "def inner(): pass\ninner()")
    command = [FETTLE, "run", "-q", "-o", "inner.fettle", "app.py"]
    folder.write("outer.py", f"import subprocess\nsubprocess.run({command!r}, check=True)")
    assert folder.fettle("run", "-q", "outer.py").code == 0
    for name, there in (("inner.fettle", True), ("outer.fettle", False)):
        profile = Profile.read(str(folder.path / name))
        assert any(row.name == "inner" for row in profile.functions()) is there


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_script_from_a_pipe(folder: Folder) -> None:
    ended = folder.execute("bash", "-c", f"{FETTLE} run -q -o x.fettle <(echo 'print(6*7)')")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "42\n", "")
