# SPDX-License-Identifier: Apache-2.0
"""`from fettle.compat.line_profiler import profile` in a program of its own."""

import doctest
import os
import subprocess
import sys

import pytest
from fettle.compat.line_profiler import explicit_profiler, load_stats

PROGRAM = """\
from fettle.compat.line_profiler import profile
def f(n):
    for i in range(n):
        n = i
marked = profile(f)
marked(3)
"""


def run(folder, text, *words, **variables):
    (folder / "app.py").write_text(text)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "LINE_PROF"))}
    return subprocess.run(
        [sys.executable, "app.py", *words],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def files(folder):
    return sorted(path.name for path in folder.glob("*") if path.name != "app.py")


def test_examples():
    tried = doctest.testmod(explicit_profiler)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize("value", ["", "0", "off", "No", "FALSE"])
def test_the_function_itself_when_nothing_records(tmp_path, value):
    done = run(tmp_path, PROGRAM + "print(marked is f)", LINE_PROFILE=value)
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "variables"),
    [([], {"LINE_PROFILE": "1"}), (["--line-profile"], {}), (["x", "--line_profile"], {})],
)
def test_switched_on_from_outside(tmp_path, words, variables):
    done = run(tmp_path, PROGRAM, *words, **variables)
    assert done.stderr == ""
    assert done.stdout.count("Wrote profile results to profile_output") == 3
    lprof, text, dated = files(tmp_path)
    assert (lprof, text) == ("profile_output.lprof", "profile_output.txt")
    assert (tmp_path / text).read_text() == (tmp_path / dated).read_text()
    (rows,) = load_stats(str(tmp_path / lprof)).timings.values()
    assert [row[:2] for row in rows] == [(3, 4), (4, 3)]


def test_only_what_is_asked_for_is_written(tmp_path):
    text = "profile.enable(output_prefix='mine')\n"
    text += "profile.write_config.update(text=False, timestamped_text=False, stdout=False)\n"
    done = run(tmp_path, PROGRAM.replace("def f", text + "def f", 1))
    assert files(tmp_path) == ["mine.lprof"]
    assert done.stdout.startswith("Wrote profile results to mine.lprof\n")


def test_a_forked_child_shows_nothing(tmp_path):
    text = "import os, sys\nif os.fork() == 0: sys.exit()\nos.wait()\n"
    done = run(tmp_path, PROGRAM + text, LINE_PROFILE="1")
    assert done.stdout.count("Timer unit") == 1
    assert done.stdout.count("Wrote") == 3


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_show_nothing(tmp_path, method):
    text = (
        "import multiprocessing\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        print(pool.map(f, [1, 2]))\n"
    )
    done = run(tmp_path, PROGRAM + text, LINE_PROFILE="1")
    assert done.stderr == ""
    assert done.stdout.startswith("[None, None]\n")
    assert done.stdout.count("Wrote") == 3


def test_a_folder_that_cannot_be_written(tmp_path):
    text = PROGRAM.replace("def f", "profile.enable(output_prefix='nowhere/x')\ndef f", 1)
    done = run(tmp_path, text)
    assert len(done.stderr.splitlines()) == 3
    for line in done.stderr.splitlines():
        assert line.startswith("fettle: cannot write nowhere/x") and line.endswith("output_prefix.")


def test_kernprof_takes_over_and_gives_back():
    marker = explicit_profiler.GlobalProfiler(config=False)
    marker._kernprof_overwrite(lambda function: (function, "recorded"))
    assert marker(len) == (len, "recorded")
    marker._kernprof_overwrite(None)
    marker.disable()
    assert marker(len) is len
