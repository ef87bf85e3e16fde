# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.kernprof`: programs run as they do without, and are recorded.

line_profiler's own tests judge the rest (tools/peers.sh); here is what they do not ask, and where
ours is to be better: hits are those of the program's own counters, files are read by pstats and
load_stats.
"""

import builtins
import doctest
import os
import pstats
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from fettle.compat.kernprof import RepeatedTimer, contextual, found, main
from fettle.compat.line_profiler import load_stats

COMMAND = [sys.executable, "-m", "fettle.compat.kernprof"]


def run(*words, cwd, command=COMMAND, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "LINE_PROF"))}
    return subprocess.run(
        [*command, *map(str, words)],
        cwd=cwd,
        env=environment | options.pop("env", {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def hits(path):
    """{function: hits of its lines that ran} in a .lprof file."""
    timings = load_stats(str(path)).timings
    return {key[2]: [row[1] for row in rows] for key, rows in timings.items()}


def calls(path):
    """{function: calls} in a .prof file."""
    return {key[2]: row[1] for key, row in pstats.Stats(str(path)).stats.items()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "@profile\n"
        "def f(n):\n"
        "    for i in range(n):\n"
        "        n = i\n"
        "f(3); f(0)\n"
        "print(sys.argv[1:])\n"
        "if 'fail' in sys.argv: raise ValueError('mine')\n"
        "if 'exit' in sys.argv: sys.exit(7)\n"
    )
    return tmp_path


@pytest.mark.parametrize("module", [contextual, found])
def test_examples(module):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


# ---- what is recorded ----


def test_lines(folder):
    done = run("-l", "app.py", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert hits(folder / "app.py.lprof") == {"f": [3 + 1 + 1, 3]}


def test_calls(folder):
    done = run("-b", "app.py", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert calls(folder / "app.py.prof")["f"] == 2


def test_all_calls(folder):
    (folder / "app.py").write_text("def f(): pass\nf(); f(); f()\n")
    assert run("app.py", cwd=folder).returncode == 0
    assert calls(folder / "app.py.prof")["f"] == 3


def test_what_p_names_without_touching_it(folder):
    (folder / "library.py").write_text("def g():\n    return 1\ndef h():\n    return 2\n")
    (folder / "app.py").write_text("from library import g, h\ng(); h(); h()\n")
    for options in ([], ["--preimports=no"]):
        for names, wanted in {
            "library": {"g": [1], "h": [2]},
            "library.h": {"h": [2]},
            "library.g,library.h": {"g": [1], "h": [2]},
        }.items():
            assert run("-l", "-p", names, *options, "app.py", cwd=folder).stderr == ""
            assert hits(folder / "app.py.lprof") == wanted, (options, names)


def test_a_target_is_no_program_on_the_path(folder):
    """There is a /usr/bin/test."""
    (folder / "app.py").write_text("import ls\nls.g()\n")
    (folder / "ls.py").write_text("def g():\n    return 1\n")
    assert run("-l", "-p", "ls", "app.py", cwd=folder).stderr == ""
    assert hits(folder / "app.py.lprof") == {"g": [1]}


def test_code_without_a_file_is_not_in_the_file(folder):
    (folder / "library.py").write_text("def g():\n    return 1\n")
    code = "import library\ndef mine():\n    return library.g()\nmine()"
    done = run("-lv", "-p", "library", "-o", "x.lprof", "-c", code, cwd=folder)
    assert "return library.g()" in done.stdout
    assert hits(folder / "x.lprof") == {"g": [1]}


def test_a_setup_is_not_recorded(folder):
    (folder / "setup.py").write_text("def s(): pass\ns()\nprint('set up')\n")
    done = run("-s", "setup.py", "-b", "app.py", cwd=folder)
    assert done.stdout.startswith("set up\n")
    assert set(calls(folder / "app.py.prof")) >= {"f"}
    assert "s" not in calls(folder / "app.py.prof")


# ---- the program ----


@pytest.mark.parametrize("mode", [["-l"], ["-b"], []])
def test_the_program_is_main(folder, mode):
    """Its classes can be pickled, and it starts with its folder on sys.path."""
    text = (
        "import os, pickle, sys, __main__\n"
        "class Mine: pass\n"
        "assert vars(__main__) is globals()\n"
        "assert type(pickle.loads(pickle.dumps(Mine()))) is Mine\n"
        "print(__name__, os.path.basename(__file__), sys.argv, sys.path[0])\n"
    )
    (folder / "inner").mkdir()
    (folder / "inner" / "app.py").write_text(text)
    plain = run("inner/app.py", "-m", "x", cwd=folder, command=[sys.executable])
    done = run("-q", *mode, "inner/app.py", "-m", "x", cwd=folder)
    assert done.stderr == ""
    assert done.stdout == plain.stdout


@pytest.mark.parametrize("mode", [["-l"], ["-b"], []])
def test_a_module_runs_once(folder, mode):
    (folder / "once.py").write_text("print(__name__)\n")
    done = run("-q", *mode, "-m", "once", cwd=folder)
    assert (done.stdout, done.stderr) == ("__main__\n", "")


def test_a_module_that_the_interpreter_has_in_it(folder):
    done = run("-q", "-m", "site", "--user-base", cwd=folder)
    plain = run("-m", "site", "--user-base", cwd=folder, command=[sys.executable])
    assert (done.stdout, done.stderr) == (plain.stdout, "")


@pytest.mark.parametrize("mode", [["-l"], ["-lp", "app.py"], ["-b"]])
def test_a_program_that_fails_is_recorded_and_shown_without_us(folder, mode):
    done = run(*mode, "app.py", "fail", cwd=folder)
    assert done.returncode == 1
    head, file, *_, last = done.stderr.splitlines()
    assert head == "Traceback (most recent call last):"
    assert "app.py" in file and last == "ValueError: mine"
    assert "fettle" not in done.stderr
    (path,) = folder.glob("app.py.*prof")
    assert (calls(path)["f"] == 2) if path.suffix == ".prof" else hits(path)["f"]


def test_its_exit_code_is_the_program_s(folder):
    assert run("-l", "app.py", "exit", cwd=folder).returncode == 7
    assert hits(folder / "app.py.lprof")["f"]


def test_arguments_of_the_program(folder):
    for words, seen in {
        ("app.py", "-m", "x", "-l"): ["-m", "x", "-l"],
        ("app.py", "--", "-m", "x"): ["-m", "x"],
        ("--", "app.py", "--", "-l"): ["-l"],
        ("-m", "app", "-c", "x"): ["-c", "x"],
        ("-m", "app", "--", "x"): ["--", "x"],
    }.items():
        done = run("-ql", *words, cwd=folder)
        assert (done.stdout, done.stderr) == (f"{seen}\n", ""), words


def test_a_program_may_leave_the_folder(folder):
    (folder / "away").mkdir()
    (folder / "app.py").write_text("import os\nos.chdir('away')\n")
    assert run("app.py", cwd=folder).returncode == 0
    assert [p.name for p in folder.rglob("*.prof")] == ["app.py.prof"]
    assert (folder / "app.py.prof").exists()


def test_a_forked_child_writes_nothing(folder):
    (folder / "app.py").write_text(
        "import os\n"
        "@profile\n"
        "def f():\n"
        "    return 1\n"
        "f()\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0); f()\n"
    )
    done = run("-l", "app.py", cwd=folder)
    assert done.stdout.count("Wrote") == 1
    assert hits(folder / "app.py.lprof") == {"f": [2]}


# ---- the file ----


def test_the_file_is_written_while_the_program_runs(folder):
    (folder / "app.py").write_text(
        "import os, time\n"
        "@profile\n"
        "def f():\n"
        "    return 1\n"
        "f()\n"
        "while not os.path.exists('app.py.lprof'): time.sleep(0.01)\n"
        "f()\n"
        "os._exit(3)\n"
    )
    assert run("-l", "-i", "1", "app.py", cwd=folder).returncode == 3
    assert hits(folder / "app.py.lprof") == {"f": [1]}
    assert not list(folder.glob("*.part"))


def test_calls_are_recorded_on_while_the_file_is_written(folder):
    (folder / "app.py").write_text(
        "import os, time\n"
        "def f(): pass\n"
        "f()\n"
        "while not os.path.exists('app.py.prof'): time.sleep(0.01)\n"
        "f()\n"
    )
    assert run("-i", "1", "app.py", cwd=folder).stderr == ""
    assert calls(folder / "app.py.prof")["f"] == 2


def test_a_profile_is_overwritten(folder):
    for mode in ("-l", "-b"):
        for _ in range(2):
            done = run(mode, "-o", "same", "app.py", cwd=folder)
            assert (done.returncode, done.stderr) == (0, "")
    assert calls(folder / "same")["f"] == 2


def test_no_writing_after_stop(tmp_path):
    written = []
    timer = RepeatedTimer(0.001, written.append, "x")
    while not written:
        pass
    timer.stop()
    count = len(written)
    assert not timer.is_running
    assert written == ["x"] * count


def test_a_file_that_cannot_be_written(folder):
    early = run("-o", "missing/x", "-l", "app.py", cwd=folder)
    assert (early.returncode, early.stdout) == (2, "")
    late = run("-o", "/proc/x", "-l", "app.py", cwd=folder)
    assert late.returncode == 125
    assert late.stdout == "[]\n"
    source = (folder / "app.py").read_text()
    own = run("-o", "app.py", "-l", "app.py", cwd=folder)
    assert (own.returncode, own.stdout) == (2, "")
    assert (folder / "app.py").read_text() == source
    assert own.stderr.endswith(
        "app.py is not a profile and stays as it is; name another file with -o.\n"
    )
    for done in (early, late):
        (line,) = done.stderr.splitlines()
        assert line.startswith("fettle: cannot write ") and line.endswith("-o.")


# ---- what cannot be ----


@pytest.mark.parametrize(
    "words",
    [
        ["nope.py"],
        ["-m", "nope"],
        ["-m", "package"],
        ["-s", "nope.py", "app.py"],
        [],
        ["-m"],
        ["-c", "--"],
        ["-u", "0", "app.py"],
        ["-u", "x", "app.py"],
        ["-i", "x", "app.py"],
        ["--nope", "app.py"],
        ["--config", "nope.toml", "app.py"],
        ["--config", "app.py", "app.py"],
        ["--config", "list.toml", "app.py"],
        ["--config", "kind.toml", "app.py"],
        ["--config", "unit.toml", "app.py"],
    ],
)
def test_wrong_words_are_told_in_a_sentence(folder, words):
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "list.toml").write_text("[[tool.line_profiler.kernprof]]\n")
    (folder / "kind.toml").write_text("[tool.line_profiler.kernprof]\nprof-mod = 'app'\n")
    (folder / "unit.toml").write_text("[tool.line_profiler.kernprof]\nunit = -1\n")
    done = run(*words, cwd=folder)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len([s for s in done.stderr.splitlines() if not s.startswith("usage: ")]) == 1


def test_targets_that_cannot_be_are_warned_of(folder):
    (folder / "other-name.py").touch()
    done = run("-l", "-p", "./nope.py,other-name.py,nope.at.all", "app.py", cwd=folder)
    assert done.returncode == 0
    assert "./nope.py" in done.stderr and "other-name.py" in done.stderr
    assert "nope.at.all" in done.stderr
    assert hits(folder / "app.py.lprof")["f"]


# ---- from Python ----


def test_main_leaves_things_as_they_were(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = sys.argv[:], sys.path[:], sys.modules["__main__"]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "profile", "mine", raising=False)
        for words in (["-l", "app.py", "a"], ["-b", "-m", "app", "a"], ["-b", "app.py", "fail"]):
            with pytest.raises(ValueError, match="mine") if "fail" in words else nullcontext():
                main(words)
            assert (sys.argv, sys.path, sys.modules["__main__"]) == before
            assert builtins.profile == "mine"
    assert capsys.readouterr().out.count("['a']") == 2
    main(["-l", "app.py"])
    assert not hasattr(builtins, "profile")


def test_main_may_raise_instead_of_exiting(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for words, error in {
        ("--nope",): RuntimeError,
        ("nope.py",): FileNotFoundError,
        ("-m", "nope"): ModuleNotFoundError,
        ("-o", "missing/x", "app.py"): OSError,
    }.items():
        with pytest.raises(error):
            main(list(words), exit_on_error=False)
    assert main(["--help"], exit_on_error=False) is None
    assert "--line-by-line" in capsys.readouterr().out
    assert not list(Path().glob("*prof"))
