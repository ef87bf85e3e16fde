# SPDX-License-Identifier: Apache-2.0
"""line_profiler's files as line_profiler itself sees ours, and as fettle sees its."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from fettle._core import Profile, load_lprof, read_lprof, write_lprof

from . import consumers, lprof
from .synthetic import SAMPLES, Recording

THEIRS = ["line_profiler 5", "line_profiler 4"]

# Prints what an object that line_profiler loaded holds: JSON has no tuples.
DUMP = """\
import json, sys
from line_profiler import load_stats
stats = load_stats(sys.argv[1])
print(json.dumps([list(map(list, stats.timings.items())), stats.unit]))
"""

APP = """\
def outer(n):
    total = 0
    for i in range(n):
        total += inner(i)
    return total


def inner(x):
    if x % 2:
        return x
    return sum(y for y in range(x))


def never(x):
    return x
"""

# Profiles APP with line_profiler.
PROFILE = """\
import sys
sys.path.insert(0, sys.argv[1])
import app
from line_profiler import LineProfiler
profiler = LineProfiler(app.outer, app.inner, app.never)
profiler.runcall(app.outer, 100)
profiler.dump_stats(sys.argv[2])
"""

Table = dict[str, list[tuple[int, int, float]]]  # "inner at line 8": line, hits, microseconds


def run(which: str, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [consumers.path(which), *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def dumped(which: str, path: Path) -> tuple[lprof.Timings, float]:
    """What their load_stats makes of the file."""
    functions, unit = json.loads(run(which, path.parent, "-c", DUMP, path.name))
    return {tuple(key): list(map(tuple, rows)) for key, rows in functions}, unit


def shown(which: str, path: Path) -> Table:
    """The tables that `python -m line_profiler` prints."""
    tables: Table = {}
    for line in run(which, path.parent, "-m", "line_profiler", path.name).splitlines():
        if head := re.fullmatch(r"Function: (\S+ at line \d+)", line):
            rows = tables[head[1]] = []
        elif row := re.match(r" +(\d+) +(\d+) +([\d.]+) +[\d.]+ +[\d.]+  ", line):
            rows.append((int(row[1]), int(row[2]), float(row[3])))
    return tables


def exported(recording: Recording, folder: Path) -> Path:
    path = folder / "ours.lprof"
    path.write_bytes(Profile.read(str(recording.write(folder))).export("lprof"))
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Recording:
    """A recording of APP's lines."""
    (tmp_path / "app.py").write_text(APP)
    file = str(tmp_path / "app.py").encode()
    r = Recording()
    outer = r.code(file, 1, b"outer", b"outer")
    inner = r.code(file, 8, b"inner", b"inner")
    never = r.code(file, 14, b"never", b"never")
    r.lines = [
        *((outer, 0, 1, 0, 0, 0), (outer, 2, 1, 300, 0, 0), (outer, 3, 11, 4_100, 0, 0)),
        *((outer, 4, 10, 5_000_000_000, 4_000_000_000, 0), (outer, 5, 1, 0, 0, 0)),
        *((inner, 0, 10, 0, 0, 0), (inner, 9, 10, 60_500, 0, 0), (inner, 11, 0, 0, 0, 0)),
        *((never, 0, 0, 0, 0, 0), (never, 15, 0, 0, 0, 0)),
    ]
    return r


@pytest.mark.parametrize("which", THEIRS)
def test_they_show_our_lines(which: str, recorded: Recording, tmp_path: Path) -> None:
    assert shown(which, exported(recorded, tmp_path)) == {
        "outer at line 1": [(2, 1, 0.3), (3, 11, 4.1), (4, 10, 5_000_000.0), (5, 1, 0.0)],
        "inner at line 8": [(9, 10, 60.5)],
        "never at line 14": [],
    }


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("which", THEIRS)
def test_they_load_each_number_as_it_was(which: str, sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    assert dumped(which, exported(recording, tmp_path)) == (lprof.expected(recording), 1e-9)


@pytest.mark.parametrize("which", THEIRS)
def test_they_load_what_has_their_own_unit(which: str, tmp_path: Path) -> None:
    timings: lprof.Timings = {
        ("f.py", 3, "A.f"): [(4, 10**12, -5), (5, 2**40, 2**62)],
        ("f.py", 9, "é\U0001f40d"): [],
    }
    path = tmp_path / "x.lprof"
    path.write_bytes(write_lprof(timings, 1e-7))
    assert dumped(which, path) == (timings, 1e-7)


def profiled(which: str, folder: Path) -> Path:
    """What they wrote of APP."""
    (folder / "app.py").write_text(APP)
    run(which, folder, "-c", PROFILE, str(folder), "theirs.lprof")
    return folder / "theirs.lprof"


@pytest.mark.parametrize("which", THEIRS)
def test_we_read_what_they_wrote(which: str, tmp_path: Path) -> None:
    path = profiled(which, tmp_path)
    timings, unit = dumped(which, path)
    assert read_lprof(path) == (timings, unit)
    assert sum(map(len, timings.values())) == 7
    by_line = {
        (file, first, name): [(line, hits, time) for line, hits, time, *_ in rows]
        for file, first, name, _, _, rows in load_lprof(str(path)).lines()
    }
    assert unit == 1e-9 and by_line == timings


@pytest.mark.parametrize("which", THEIRS)
def test_calls_are_guessed_right_where_the_first_line_runs_once(which: str, tmp_path: Path) -> None:
    tables = load_lprof(str(profiled(which, tmp_path))).lines()
    assert {name: calls for _, _, name, _, calls, _ in tables} == {
        "outer": 1,
        "inner": 100,
        "never": 0,
    }
