# SPDX-License-Identifier: Apache-2.0
"""Programs whose memory is recorded by `fettle run`: what the tables say, beside tracemalloc."""

import os
import re
import signal
import subprocess
import sys

import pytest
from fettle import _core

from .harness import Folder, environment, until

BUILD = """\
import fettle

class P:
    def __init__(self, n):
        self.n = n

def load(count):
    return [P(n) for n in range(count)]

def index(rows):
    table = {}
    for row in rows:
        table[row.n] = row
    return table

def main():
    rows = load(2000)
    fettle.mark("loaded")
    table = index(rows)
    fettle.mark("indexed")
    spare = bytearray(3_000_000)
    fettle.mark("spared")
    del spare
    return table

kept = main()
"""

# The same, its live blocks counted by tracemalloc from the first line on.
TRACED = """\
import sys, tracemalloc
source = open("build.py").read()
code = compile(source, "build.py", "exec")
import fettle
fettle.mark
tracemalloc.start()
exec(code, {"__name__": "build"})
snapshot = tracemalloc.take_snapshot()
tracemalloc.stop()
for row in snapshot.statistics("lineno"):
    if row.traceback[0].filename == "build.py":
        print(row.traceback[0].lineno, row.count, row.size)
"""


@pytest.fixture
def app(folder: Folder) -> Folder:
    folder.write("build.py", BUILD)
    return folder


def lines_of(profile: _core.Profile, kind: str, file: str = "build.py") -> dict[int, list[int]]:
    """Blocks and bytes by line."""
    found: dict[int, list[int]] = {}
    for row in profile.sites():
        if os.path.basename(row.file) == file:
            pair = found.setdefault(row.line, [0, 0])
            pair[0] += getattr(row, f"{kind}_count")
            pair[1] += getattr(row, f"{kind}_bytes")
    return found


def read(folder: Folder, name: str = "build.fettle") -> _core.Profile:
    return _core.Profile.read(str(folder.path / name))


@pytest.mark.parametrize("options", [["-M"], ["-M", "--frames", "8"], ["-CM"]])
def test_lines_have_what_tracemalloc_counts(app: Folder, options: list[str]) -> None:
    """Up to the few blocks that Python had kept for reuse before either began."""
    app.write("build.py", BUILD.replace("load(2000)", "load(40_000)"))
    assert app.fettle("run", "-q", *options, "build.py").code == 0
    found = lines_of(read(app), "alive")
    app.write("traced.py", TRACED)
    expected = {}
    for line in app.python("traced.py").stdout.splitlines():
        number, *pair = map(int, line.split())
        expected[number] = pair
    for number in (8, 13, 5):
        for ours, theirs in zip(
            found.get(number, [0, 0]), expected.get(number, [0, 0]), strict=True
        ):
            assert abs(ours - theirs) <= 0.002 * theirs, (number, found, expected)
    assert expected[8][0] > 39_000


def test_the_table_is_printed_after_the_run(app: Folder) -> None:
    ended = app.fettle("run", "-M", "-n", "3", "build.py")
    first, head, *rows = ended.stderr.splitlines()
    assert re.match(r"peak 3\.\d MB after 0\.\d{3} s, 3\.0 MB of it at build\.py:21 main; ", first)
    assert first.endswith(" allocations    -> build.fettle")
    assert head.split()[:3] == ["peak", "blocks", "alive"]
    assert "build.py:21  main" in rows[0]
    assert rows[0].endswith("spare = bytearray(3_000_000)")
    assert rows[3].endswith("-n 0 shows all")
    assert app.fettle("view", "-n", "3").stdout.splitlines()[1:] == ended.stderr.splitlines()[1:]


def test_no_source_is_kept_where_none_is_wanted(app: Folder) -> None:
    ended = app.fettle("run", "-M", "--no-source", "build.py")
    assert "build.py:21  main" in ended.stderr
    assert "bytearray" not in ended.stderr


def test_all_there_is_to_record_in_one_file(app: Folder) -> None:
    ended = app.fettle("run", "-CMl", "--lines=build:index", "build.py")
    text = ended.stderr
    assert (
        text.index("function calls")
        < text.index("lines of 1 function")
        < text.index("allocated at")
    )
    assert text.count("-> build.fettle") == 1
    assert max(heap.frames for heap in read(app).heaps()) == 32
    tree = app.fettle("view", "--mem", "--tree").stdout
    assert re.search(r"build\.py:26  <module>\n.*  build\.py:21  main\n", tree)


def test_samples_are_estimates_and_say_so(app: Folder) -> None:
    ended = app.fettle("run", "--mem=sample", "build.py")
    # One block of 3 MB is never missed; what the rest is taken for is off by 0.3 MB or so.
    assert re.search(r"peak about [34]\.", ended.stderr)
    assert "(estimated: one sample for every " in ended.stderr


def test_what_types_are_alive(app: Folder) -> None:
    assert app.fettle("run", "-qM", "build.py").code == 0
    text = app.fettle("view", "--objects").stdout
    assert re.search(r"^ +[\d.]+ kB +2 000  build\.P +build\.py:8 ", text, re.MULTILINE)
    sentence = (
        r"build\.P: 2 000 instances, (\d+) B each; with __slots__ (\d+) B each: saves ([\d.]+) kB"
    )
    saving = re.search(rf"^{sentence}$", text, re.MULTILINE)
    assert saving
    assert float(saving[3]) == pytest.approx(2 * (int(saving[1]) - int(saving[2])))
    assert int(saving[2]) == 40  # header, two words of the collector, one slot


def test_points_of_a_run(app: Folder) -> None:
    assert app.fettle("run", "-qM", "build.py").code == 0
    points = read(app).points()
    assert [point.name for point in points] == ["loaded", "indexed", "spared"]
    for point in points:
        assert sum(row[1] for row in point.rows) == point.count
        assert sum(row[2] for row in point.rows) == point.bytes
    assert points[2].bytes - points[1].bytes == pytest.approx(3_000_000, abs=5000)
    grown = app.fettle("diff", "build@indexed", "build@spared").stdout
    assert re.search(r"\+3\.0 MB  3\.0 MB .* new  build\.py:21  main", grown)
    gone = app.fettle("diff", "build@spared", "build@end").stdout
    assert re.search(r"-3\.0 MB .* gone  build\.py:21  main", gone)


LEAK = """\
import fettle
seen = []
def handle(request):
    seen.append(bytearray(1000))
    return [request] * 100
for request in range(5):
    for _ in range(20):
        handle(request)
    fettle.mark("round")
"""


def test_a_leak_grows_at_every_mark(folder: Folder) -> None:
    folder.write("leak.py", LEAK)
    assert folder.fettle("run", "-qM", "leak.py").code == 0
    lines = folder.fettle("diff", "leak").stdout.splitlines()
    at = next(place for place, line in enumerate(lines) if line.endswith("grew at every mark"))
    leaks = [line for line in lines[at + 2 :][: int(lines[at].split()[0])] if "leak.py" in line]
    assert re.search(r"\+8\d\.\d kB +\+2\d\.\d kB .* leak\.py:4  handle", leaks[0])
    assert not any("leak.py:5 " in line for line in leaks)
    assert folder.fettle("diff", "leak@round", "leak@round:5", "--fail-on", "mem>80kB").code == 1
    assert folder.fettle("diff", "leak@round", "leak@round:5", "--fail-on", "mem>100kB").code == 0


def test_the_newest_is_compared_with_the_one_before(app: Folder) -> None:
    assert app.fettle("run", "-qM", "build.py").code == 0
    app.write("build.py", "# a line\n\n" + BUILD.replace("3_000_000", "5_000_000"))
    assert app.fettle("run", "-qM", "build.py").code == 0
    text = app.fettle("diff").stdout
    assert re.search(r"^ +\+2\.0 MB  5\.0 MB .* was :21  build\.py:23  main", text, re.MULTILINE)
    assert text.startswith("build.prev.fettle -> build.fettle: peak 3.")
    assert "matched by their source" in text
    assert app.fettle("diff", "--fail-on", "mem>1MB").code == 1


def test_memory_of_a_program_that_is_killed(folder: Folder) -> None:
    folder.write("app.py", "import os\nkept = bytearray(2_000_000)\nos.kill(os.getpid(), 9)\n")
    ended = folder.fettle("run", "-M", "app.py")
    assert ended.code == 128 + signal.SIGKILL
    assert "2.0 MB of it at app.py:2 <module>; 2.0 MB still alive" in ended.stderr
    viewed = folder.fettle("view", "--objects")
    assert viewed.code == 0
    assert "no objects were recorded" in viewed.stdout


FORKS = """\
import os
kept = bytearray(1_000_000)
if os.fork() == 0:
    own = bytearray(2_000_000)
    os._exit(0)
os.wait()
"""


def test_a_forked_child_has_a_heap_of_its_own(folder: Folder) -> None:
    folder.write("app.py", FORKS)
    ended = folder.fettle("run", "-M", "app.py")
    assert "in 2 processes, each at its own time (the largest 2.0 MB)" in ended.stderr
    heaps = read(folder, "app.fettle").heaps()
    assert [round(heap.alive_bytes / 1e6) for heap in heaps] == [1, 2]


def test_names_of_points_can_not_draw(folder: Folder) -> None:
    folder.write(
        "app.py", "import fettle\nfettle.mark('\\x1b[31m\\u202eevil')\nx = bytearray(9999)\n"
    )
    assert folder.fettle("run", "-qM", "app.py").code == 0
    for words in (["view", "--timeline"], ["diff", "app"], ["diff", "app@never"]):
        ended = folder.fettle(*words)
        assert "\x1b" not in ended.stdout + ended.stderr
        assert "\\x1b[31m\\u202eevil" in ended.stdout + ended.stderr


def test_the_environment_records_memory(app: Folder) -> None:
    assert app.python("build.py", FETTLE="mem frames=4").code == 0
    ended = app.fettle("view", "--mem", "--tree")
    assert "build.py:21  main" in ended.stdout
    assert [heap.frames for heap in read(app).heaps()] == [4]


def test_a_recording_that_goes_on_shows_what_there_is(folder: Folder) -> None:
    folder.write("app.py", "kept = bytearray(2_000_000)\nopen('ready', 'w')\ninput()\n")
    command = [sys.executable, "app.py"]
    with subprocess.Popen(
        command, cwd=folder.path, env=environment(FETTLE="mem"), stdin=subprocess.PIPE
    ) as program:
        until(lambda: (folder.path / "ready").exists())
        ended = folder.fettle("view")
        assert program.stdin
        program.stdin.write(b"\n")
    assert "2.0 MB of it at app.py:1 <module>" in ended.stdout
    assert "still being recorded" in ended.stdout


def test_a_program_without_site_is_no_problem(folder: Folder) -> None:
    ended = folder.fettle("run", "-M", "--", sys.executable, "-S", "-c", "pass")
    assert ended.code == 0
    assert ended.stderr.count("fettle: ") == 1
    assert "nothing was recorded" in ended.stderr
