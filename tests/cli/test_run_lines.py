# SPDX-License-Identifier: Apache-2.0
"""`fettle run -l` from end to end: what is marked, how often its lines ran, where its source is."""

import os
import sys
from pathlib import Path

import pytest
from fettle import _core

from .harness import Folder, until

APP = """\
def twice(n):
    return n + n

@profile
def work(n):
    total = 0
    for i in range(n):
        total += twice(i)
    return total

print(work(10))
"""
HITS = {4: 0, 5: 0, 6: 1, 7: 11, 8: 10, 9: 1}  # of work, by line


def hits(path: Path, name: str = "work") -> dict[int, int]:
    """Of the lines that have code."""
    return {row[0]: row[1] for row in table(path, name)[5]}


def table(path: Path, name: str) -> tuple[str, int, str, str, int, list[tuple[int, ...]]]:
    (found,) = (each for each in _core.Profile.read(str(path)).lines() if each[3] == name)
    return found


def ran(path: Path, name: str = "work") -> dict[int, int]:
    return {line: count for line, count in hits(path, name).items() if count}


NONZERO = {line: count for line, count in HITS.items() if count}


def test_what_is_marked_is_recorded(folder: Folder) -> None:
    folder.write("app.py", APP)
    ended = folder.fettle("run", "-l", "app.py")
    assert (ended.code, ended.stdout) == (0, "90\n")
    assert ended.stderr.startswith("lines of 1 function    -> app.fettle\napp.py:4 work    1 call ")
    assert "total += twice(i)" in ended.stderr
    assert "function calls" not in ended.stderr
    assert "fettle: " not in ended.stderr
    assert ran(folder.path / "app.fettle") == NONZERO
    assert table(folder.path / "app.fettle", "work")[:5] == (
        *(str(folder.path / "app.py"), 4, "work", "work", 1),
    )


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "from fettle import profile\n",
        "import fettle; profile = fettle.lines\n",
        "import fettle; profile = fettle.profile\n",
        "from fettle.compat.line_profiler import profile\n",
    ],
)
def test_every_mark_counts_the_same(folder: Folder, mark: str) -> None:
    folder.write("app.py", mark + APP)
    folder.fettle("run", "-lq", "app.py")
    assert sorted(ran(folder.path / "app.fettle").values()) == sorted(NONZERO.values())
    if mark:
        assert folder.python("app.py").stdout == "90\n"


def test_kernprofs_interface_hears_of_fettles_marks(folder: Folder) -> None:
    folder.write("app.py", "from fettle import profile\n" + APP)
    ended = folder.python("-m", "fettle.compat.kernprof", "-l", "-q", "app.py")
    assert ended.code == 0, ended.stderr
    (rows,) = _core.read_lprof(str(folder.path / "app.py.lprof"))[0].values()
    assert sorted(hits for _, hits, _ in rows) == sorted(NONZERO.values())


def test_what_is_imported_from_us_has_no_row(folder: Folder) -> None:
    folder.write("app.py", "from fettle import profile\n" + APP)
    folder.fettle("run", "-Clq", "app.py")
    profile = _core.Profile.read(str(folder.path / "app.fettle"))
    names = {(row.file, row.name) for row in profile.functions()}
    assert not [each for each in names if "fettle" in each[1] or "/fettle/" in each[0]]


def test_file_names_that_are_no_utf8(folder: Folder) -> None:
    name = os.fsdecode(b"a\xff.py")
    folder.write(name, APP)
    folder.fettle("run", "-q", "-o", "app.fettle", f"--lines={name}:twice", name)
    assert ran(folder.path / "app.fettle", "twice") == {2: 10}


def test_profile_is_a_builtin_only_where_lines_are_recorded(folder: Folder) -> None:
    folder.write("app.py", "import builtins\nprint(hasattr(builtins, 'profile'))\n")
    assert folder.fettle("run", "-q", "app.py").stdout == "False\n"
    assert folder.fettle("run", "-lq", "app.py").stdout == "True\n"
    assert folder.fettle("run", "-q", "--lines=app", "app.py").stdout == "True\n"
    assert folder.python("app.py", FETTLE="lines", FETTLE_DISABLE="1").stdout == "False\n"
    assert folder.python("app.py").stdout == "False\n"


def test_selectors_and_marks_in_one_run(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.fettle("run", "-q", "--lines=app.py:twice", "app.py")
    assert ran(folder.path / "app.fettle", "twice") == {2: 10}
    assert ran(folder.path / "app.fettle", "work") == NONZERO


def test_calls_and_lines_in_one_file(folder: Folder) -> None:
    folder.write("app.py", APP)
    ended = folder.fettle("run", "-C", "-l", "app.py")
    assert ended.stderr.index("function calls in") < ended.stderr.index("lines of 1 function\n")
    assert ended.stderr.count("-> app.fettle") == 1
    assert "In callees" in ended.stderr
    profile = _core.Profile.read(str(folder.path / "app.fettle"))
    assert {row.name: row.calls for row in profile.functions()}["twice"] == 10
    assert ran(folder.path / "app.fettle") == NONZERO
    assert "In callees" not in folder.fettle("run", "-l", "app.py").stderr


def test_calls_are_the_default_and_their_options_need_them(folder: Folder) -> None:
    folder.write("app.py", "print(1)\n")
    assert "function call" in folder.fettle("run", "app.py").stderr
    for option in ("--no-builtins", "--max-nodes=5"):
        ended = folder.fettle("run", "-l", option, "app.py")
        assert (ended.code, ended.stdout) == (2, "")
        assert "add -C" in ended.sentence()
        assert folder.fettle("run", "-lC", option, "app.py").code == 0


@pytest.mark.parametrize("selector", ["app:main", "app.py:main", "app"])
def test_a_selector_without_its_equals_sign_is_told_from_a_script(
    folder: Folder, selector: str
) -> None:
    folder.write("app.py", "def main(): pass\n")
    ended = folder.fettle("run", "--lines", selector, "app.py")
    assert (ended.code, ended.stdout) == (2, "")
    assert f"--lines={selector}" in ended.sentence()


def test_lines_of_nothing_are_no_table_of_calls(folder: Folder) -> None:
    folder.write("app.py", "print(1)\n")
    folder.fettle("run", "-lq", "app.py")
    assert folder.fettle("view", "app").stdout == "app.fettle: lines of 0 functions\n"
    assert "no lines" in folder.fettle("view", "app", "--lines").sentence()
    assert "no calls" in folder.fettle("view", "app", "--calls").sentence()


@pytest.mark.parametrize(
    "selector", ["shop.cart", "shop.cart:add", "shop.cart.add", "shop", "s*.c*"]
)
def test_a_module_that_is_run_has_its_own_name(folder: Folder, selector: str) -> None:
    folder.write("shop/__init__.py", "")
    folder.write("shop/cart.py", "def add(): pass\nadd()\n")
    ended = folder.fettle("run", f"--lines={selector}", "-m", "shop.cart")
    assert "cart.py:1 add    1 call " in ended.stderr
    assert "fettle: " not in ended.stderr


def test_a_package_that_is_run_has_its_own_name(folder: Folder) -> None:
    folder.write("shop/till/__init__.py", "")
    folder.write("shop/till/__main__.py", "def add(): pass\nadd()\n")
    ended = folder.fettle("run", "--lines=shop.till:add", "-m", "shop.till")
    assert "__main__.py:1 add    1 call " in ended.stderr


def test_children_are_in_the_table(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.write(
        "family.py",
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, 'app.py'])\n"
        "import app\n"
        "if not os.fork():\n"
        "    app.work(10)\n"
        "    os._exit(0)\n"
        "os.wait()\n",
    )
    folder.fettle("run", "-lq", "family.py")
    assert ran(folder.path / "family.fettle") == {line: 3 * n for line, n in NONZERO.items()}


@pytest.mark.parametrize("end", ["sys.exit(3)", "1/0", "os._exit(4)", "os.kill(os.getpid(), 9)"])
def test_nothing_is_lost_however_it_ends(folder: Folder, end: str) -> None:
    folder.write("app.py", f"import os, sys\n{APP}{end}\n")
    folder.fettle("run", "-lq", "app.py")
    assert sorted(ran(folder.path / "app.fettle").values()) == sorted(NONZERO.values())


def test_the_environment_switches_lines_on(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.python("app.py", FETTLE="lines lines=app.twice")
    ended = folder.fettle("view")
    assert "total += twice(i)" in ended.stdout
    assert ran(folder.path / "app.fettle") == NONZERO
    assert ran(folder.path / "app.fettle", "twice") == {2: 10}
    profile = _core.Profile.read(str(folder.path / "app.fettle"))
    assert profile.source(str(folder.path / "app.py")) == APP  # put in when it was finished


# ---- the source in the recording ----


def test_the_recording_can_be_read_elsewhere(folder: Folder) -> None:
    folder.write("app.py", APP)
    there = folder.fettle("run", "-l", "app.py").stderr.splitlines()[1:]
    elsewhere = Folder(folder.path / "elsewhere")
    elsewhere.path.mkdir()
    (folder.path / "app.fettle").rename(elsewhere.path / "app.fettle")
    (folder.path / "app.py").unlink()
    here = elsewhere.fettle("view").stdout.splitlines()[1:]
    assert here[: len(there)] == there
    assert ["is gone" in line for line in here[len(there) :]] == [True]


def test_the_source_may_be_left_out(folder: Folder) -> None:
    folder.write("app.py", APP)
    folder.fettle("run", "-l", "--no-source", "app.py")
    profile = _core.Profile.read(str(folder.path / "app.fettle"))
    assert profile.source(str(folder.path / "app.py")) is None
    assert "was not recorded" in folder.fettle("view").stdout


def test_source_stays_left_out_when_view_finishes_the_recording(folder: Folder) -> None:
    folder.write("app.py", f"import os, signal\n{APP}os.kill(os.getppid(), signal.SIGKILL)\n")
    folder.fettle("run", "-lq", "--no-source", "app.py")
    until(lambda: "it is now" in folder.fettle("view").stdout)
    profile = _core.Profile.read(str(folder.path / "app.fettle"))
    assert profile.source(str(folder.path / "app.py")) is None
    assert profile.lines()


def test_the_source_of_c_code(folder: Folder) -> None:
    code = "x = 1\nfor i in range(3):\n\tx += i\n"
    ended = folder.fettle("run", "--lines=__main__", "-c", code)
    assert "<string>:1 <module>    1 call" in ended.stderr
    assert "        x += i" in ended.stderr
    profile = _core.Profile.read(str(folder.path / "code.fettle"))
    assert profile.source("<string>") == code
    assert ran(folder.path / "code.fettle", "<module>") == {1: 1, 2: 4, 3: 3}


def test_source_that_changed_while_it_ran(folder: Folder) -> None:
    folder.write("app.py", f"{APP}open(__file__, 'a').write('# more\\n')\n")
    ended = folder.fettle("run", "-l", "app.py")
    assert "was written while the program ran" in ended.stderr
    assert "was written while the program ran" in folder.fettle("view").stdout


def test_source_that_is_gone_when_it_ended(folder: Folder) -> None:
    folder.write("app.py", f"import os\n{APP}os.unlink(__file__)\n")
    ended = folder.fettle("run", "-l", "app.py")
    assert ended.code == 0
    assert "the numbers stand alone" in ended.stderr
    assert sorted(ran(folder.path / "app.fettle").values()) == sorted(NONZERO.values())


def test_code_without_any_source(folder: Folder) -> None:
    folder.write("app.py", f"exec(compile({APP!r}, '<made>', 'exec'))\n")
    ended = folder.fettle("run", "-l", "app.py")
    assert ended.stdout == "90\n"
    assert "the source of <made> was not recorded and is not here" in ended.stderr
    assert ran(folder.path / "app.fettle") == NONZERO


def test_marks_on_anything_leave_it_as_it_is(folder: Folder) -> None:
    folder.write(
        "app.py",
        "import functools\n"
        "for thing in (len, 1, None, print, functools.partial(int, base=2), object()):\n"
        "    assert profile(thing) is thing\n"
        "class A:\n"
        "    def f(self):\n"
        "        return 1\n"
        "assert profile(A) is A and profile(profile(A)) is A\n"
        "A().f()\n",
    )
    ended = folder.fettle("run", "-lq", "app.py")
    assert (ended.code, ended.stderr) == (0, "")
    assert ran(folder.path / "app.fettle", "A.f") == {6: 1}


def test_a_running_program_is_viewed(folder: Folder) -> None:
    folder.write("app.py", f"import sys, time\n{APP}sys.stdout.flush()\ntime.sleep(60)\n")
    with folder.start(sys.executable, "app.py", FETTLE="lines") as running:
        until(lambda: bool(list(folder.path.glob("app.fettle.parts/*"))))
        assert running.stdout is not None
        assert running.stdout.readline() == "90\n"
        text = folder.fettle("view").stdout
        assert "total += twice(i)" in text
        assert "is still being recorded" in text
        assert "the source of" not in text
        running.kill()
