# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.cProfile`: the program runs as it does without, the table is cProfile's,
and where the original is at fault ours is not."""

import marshal
import os
import pstats
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "fettle.compat.cProfile"]
SHOW_ITSELF = """\
import sys, json, pickle, __main__
class Mine: pass
def show():
    print(json.dumps([__name__, __file__, sys.argv, sys.path[:2], str(__spec__ and __spec__.name),
        str(__package__), sorted(vars(__main__)), vars(__main__) is globals(),
        pickle.loads(pickle.dumps(Mine())).__class__ is Mine, show.__code__.co_filename,
        str(type(__loader__)), type(__builtins__).__name__]))
show()
"""


def run(*words, cwd, command=COMMAND, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "PYTHON"))}
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


def plain(*words, cwd):
    return run(*words, cwd=cwd, command=[sys.executable])


def rows(path):
    stats = marshal.loads(Path(path).read_bytes())
    return {label[2]: row[:2] for label, row in stats.items()}


def timeless(table):
    return sorted(re.sub(r" *\d+\.\d+", " 0.0", table).splitlines())


def sentence(ended):
    """The one line that is all stderr has."""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("fettle: ") and line.endswith(".")
    assert ended.stdout == ""
    return line


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text("def f(): pass\nf(); f()\nprint('ran')\n")
    return tmp_path


# ---- what is printed ----


def test_the_table_is_that_of_the_original(folder):
    """Word for word but for the times, which may order the rows."""
    text = "def slow(n): return [i for i in range(n)]\nfor i in range(3): slow(i)\n"
    (folder / "app.py").write_text(text)
    for options in (["-s", "stdname"], ["-s", "calls"], ["-s", "ncalls"], ["--sort=name"]):
        ours = run(*options, "app.py", cwd=folder)
        theirs = run(*options, "app.py", cwd=folder, command=[sys.executable, "-m", "cProfile"])
        assert timeless(ours.stdout) == timeless(theirs.stdout)
        assert (ours.returncode, ours.stderr) == (0, "")


def test_sorted_by_cumulative_time_if_nothing_is_said(folder):
    assert "Ordered by: cumulative time" in run("app.py", cwd=folder).stdout


def test_sort_keys_are_those_of_pstats():
    from fettle.compat import profiled

    assert sorted(pstats.Stats.sort_arg_dict_default) == profiled.KEYS


def test_the_file_is_for_pstats(folder):
    ended = run("-o", "out.prof", "app.py", cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ran\n", "")
    stats = pstats.Stats(str(folder / "out.prof"))
    assert stats.total_calls == 6  # exec, <module>, f twice, print, disable
    assert run("-o", "out.prof", "app.py", cwd=folder).returncode == 0  # again, over the first


def test_the_file_lies_where_the_command_began(folder):
    (folder / "app.py").write_text("import os; os.mkdir('x'); os.chdir('x')")
    assert run("-o", "out.prof", "app.py", cwd=folder).returncode == 0
    assert "<module>" in rows(folder / "out.prof")


def test_hostile_names_are_printed_harmlessly(folder):
    name = "\\x1b[2J\\n\\u202e\\udc80"
    text = f"f = lambda: 0\nf.__code__ = f.__code__.replace(co_name='{name}')\nf()\n"
    (folder / "app.py").write_text(text)
    ended = run("app.py", cwd=folder)
    assert ended.stdout.replace("\n", "").isprintable()
    assert f"({name})" in ended.stdout


# ---- the program is itself ----


@pytest.mark.parametrize(
    "words",
    [
        ["app.py", "a", "-o", "b"],
        ["./sub/../app.py"],
        ["sub/inner.py"],
        ["link.py"],
        ["sub"],
        ["app.zip"],
        ["-m", "app", "-m"],
        ["-m", "package"],
        ["-m", "package.part"],
    ],
    ids=" ".join,
)
def test_the_program_sees_what_it_sees_without(folder, words):
    for path in ("app.py", "sub/inner.py", "sub/__main__.py", "package/__main__.py"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(SHOW_ITSELF)
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "part.py").write_text(SHOW_ITSELF)
    (folder / "link.py").symlink_to("sub/inner.py")
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW_ITSELF)
    alone, ended = plain(*words, cwd=folder), run("-o", "o.prof", *words, cwd=folder)
    assert alone.returncode == 0, alone.stderr
    assert ended.stdout == alone.stdout
    assert (ended.returncode, ended.stderr) == (0, "")
    assert rows(folder / "o.prof")["show"] == (1, 1)


@pytest.mark.parametrize("flag", ["-P", "-I", "-E", "-O", "-Xdev"])
def test_flags_of_the_interpreter(folder, flag):
    (folder / "app.py").write_text("import sys; print(sys.flags, sys.path[0])")
    alone = plain(flag, "app.py", cwd=folder)
    ended = run(flag, *COMMAND[1:], "-o", "o.prof", "app.py", cwd=folder, command=[sys.executable])
    assert (ended.stdout, ended.returncode) == (alone.stdout, 0)


def test_a_compiled_script(folder):
    import py_compile

    py_compile.compile(str(folder / "app.py"), cfile=str(folder / "app.pyc"))
    ended = run("-o", "o.prof", "app.pyc", cwd=folder)
    assert (ended.returncode, ended.stdout) == (0, "ran\n")
    assert rows(folder / "o.prof")["f"] == (2, 2)


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit(3)",
        "sys.exit('a message')",
        "sys.exit()",
        "raise SystemExit(2**40)",
        "1/0",
        "raise KeyboardInterrupt",
        "os.kill(os.getpid(), signal.SIGINT)",
        "raise BaseExceptionGroup('both', [ValueError(1), KeyError(2)])",
        "sys.excepthook = lambda *a: print('hook', a[0], a[2].tb_lineno); 1/0",
        "print(1 +)",
        "'\\0'",
        "raise BrokenPipeError",
        "exec('1/')",
        "atexit.register(lambda: print(sys.modules['__main__'].__name__))",
        "atexit.register(print, 'late'); sys.exit(5)",
        "sys.path[0] = sys.path[1] = 'nowhere'",
        "sys.setprofile(None)",
        "threading.Thread(target=lambda: print('thread')).start()",
        "del sys.modules['__main__']",
        "sys.argv.clear()",
        "sys.stderr = None; 1/0",
    ],
)
def test_the_program_ends_as_it_does_without(folder, end):
    """Exit code, output and traceback."""
    (folder / "app.py").write_text(f"import os, sys, signal, atexit, threading\n{end}\n")
    alone, ended = plain("app.py", cwd=folder), run("-o", "o.prof", "app.py", cwd=folder)
    assert (ended.returncode, ended.stdout) == (alone.returncode, alone.stdout)
    assert ended.stderr == alone.stderr
    if "SyntaxError" not in alone.stderr or "exec" in end:
        assert rows(folder / "o.prof")["<module>"][1] >= 1


def test_the_table_of_a_program_that_failed(folder):
    (folder / "app.py").write_text("def f(): 1/0\nf()\n")
    ended = run("app.py", cwd=folder)
    assert "app.py:1(f)" in ended.stdout
    assert (ended.returncode, ended.stderr) == (1, plain("app.py", cwd=folder).stderr)


def test_a_forked_child_says_nothing_of_its_own(folder):
    text = "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n"
    (folder / "app.py").write_text(text)
    assert run("app.py", cwd=folder).stdout.count("function calls") == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(folder, method):
    (folder / "app.py").write_text(f"""\
import multiprocessing as m
class Box:
    def __init__(self, n): self.n = n
def double(box): return Box(box.n * 2)
if __name__ == "__main__":
    with m.get_context("{method}").Pool(2) as pool:
        print([box.n for box in pool.map(double, [Box(1), Box(2)])])
""")
    ended = run("-o", "o.prof", "app.py", cwd=folder)
    assert (ended.stdout, ended.returncode) == ("[2, 4]\n", 0), ended.stderr


def test_modules_of_the_program_are_its_own(folder):
    """The table needs pstats, which needs others: not those that the program's folder has."""
    for name in ("pstats", "enum", "inspect", "marshal", "dataclasses"):
        (folder / f"{name}.py").write_text("raise SystemError('not this one')\n")
    ended = run("app.py", cwd=folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "app.py:1(f)" in ended.stdout


def test_nothing_is_loaded_for_the_program(folder):
    (folder / "app.py").write_text("import sys; print(*sys.modules)")
    late = {"pstats", "optparse", "argparse", "dataclasses", "inspect", "typing", "rich", "enum"}
    extra = set(run("-o", "o.prof", "app.py", cwd=folder).stdout.split())
    extra -= set(plain("app.py", cwd=folder).stdout.split())
    assert not extra & late


# ---- what users do wrong ----


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-s", "demo", "app.py"], "option -s: invalid choice: 'demo'"),
        (["-s", "", "app.py"], "option -s: invalid choice: ''"),
        (["-s"], "-s needs a value"),
        (["-x", "app.py"], "`python -m fettle.compat.cProfile --help`"),
        ([], "needs a SCRIPT"),
        (["-m"], "needs a MODULE"),
        (["-o", "o.prof"], "needs a SCRIPT"),
        (["nowhere.py"], "cannot run nowhere.py: No such file"),
        (["empty"], "it has no __main__.py"),
        (["-m", "no_module_of_this_name"], "no_module_of_this_name"),
        (["-m", "empty"], "empty"),
        (["-s", "c", "app.py"], "option -s: invalid choice: 'c'"),
        (["-m", "app.py"], "app.py is a script"),
        (["-m", "json.no_such_part"], "json.no_such_part"),
        (["-m", "math.more"], "math.more"),
        (["-m", ".app"], ".app"),
        (["-m", "math"], "math is not written in Python"),
        (["-o", "nowhere/o.prof", "app.py"], "nowhere/o.prof: No such file or directory"),
        (["-o", "empty", "app.py"], "empty: it is a folder"),
        (["-o", "", "app.py"], "cannot write"),
        (["-o", "app.py", "app.py"], "app.py is not a profile and stays as it is"),
        (["-o", "/dev/full/x", "app.py"], "Not a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_one_sentence_before_anything_runs(folder, words, says):
    (folder / "empty").mkdir()
    before = (folder / "app.py").read_bytes()
    ended = run(*words, cwd=folder)
    assert says in sentence(ended)
    assert ended.returncode == 2
    assert (folder / "app.py").read_bytes() == before
    assert not (folder / "o.prof").exists()


def test_help(folder):
    ended = run("--help", cwd=folder)
    assert ended.returncode == 0
    assert "-s, --sort KEY" in ended.stdout
    assert run("-h", cwd=folder).stdout == ended.stdout


def test_a_full_disk(folder):
    ended = run("-o", "/dev/full", "app.py", cwd=folder)
    assert ended.stdout == "ran\n"
    assert ended.stderr == (
        "fettle: cannot write /dev/full: No space left on device; name another file with -o.\n"
    )
    assert ended.returncode == 125


def test_a_full_disk_takes_nothing_from_the_programs_exit_code(folder):
    (folder / "app.py").write_text("import sys; sys.exit(3)")
    assert run("-o", "/dev/full", "app.py", cwd=folder).returncode == 3


@pytest.mark.parametrize("code", [0, 3])
def test_output_that_nobody_reads(folder, code):
    (folder / "app.py").write_text(f"import sys\nsys.exit({code})")
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*COMMAND, "app.py"], cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (code, b"")


@pytest.mark.parametrize("words", ["dis app.py", "timeit -n 1 pass", "line_profiler x.lprof"])
def test_other_command_lines_whose_output_nobody_reads(folder, words):
    (folder / "app.py").write_text("import time\ndef f(): time.sleep(0)\nf()\n")
    for line in ("run -q --lines=app app.py", "export app -f lprof -o x.lprof"):
        assert run(*line.split(), cwd=folder, command=[sys.executable, "-m", "fettle"]).stderr == ""
    module, *rest = words.split()
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", f"fettle.compat.{module}", *rest]
    ended = subprocess.run(command, cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("what", ["sys.stdout = None", "sys.stdout.close()", "sys.stdout = 3"])
def test_stdout_that_is_gone(folder, what):
    (folder / "app.py").write_text(f"import sys\n{what}\n")
    ended = run("app.py", cwd=folder)
    assert "Traceback" not in ended.stderr
    said = ended.stderr.startswith("fettle: the table cannot be printed: ")
    assert said == (what != "sys.stdout = None")  # to None nothing is ever printed


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 has no place for one profiler")
def test_under_another_profiler(folder):
    ended = run("-m", "fettle.compat.cProfile", "app.py", cwd=folder)
    assert "already active" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_killed_by_a_signal(folder):
    (folder / "app.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert run("app.py", cwd=folder).returncode == -signal.SIGTERM


def test_the_name_of_python_315(folder):
    ended = run(
        "-o", "o.prof", "app.py",
        cwd=folder, command=[sys.executable, "-m", "fettle.compat.profiling.tracing"],
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "ran\n")
    from fettle.compat import cProfile
    from fettle.compat.profiling import tracing

    assert {name: getattr(tracing, name) for name in cProfile.__all__} == {
        name: getattr(cProfile, name) for name in cProfile.__all__
    }
