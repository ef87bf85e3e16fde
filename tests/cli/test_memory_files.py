# SPDX-License-Identifier: Apache-2.0
"""`fettle view` and `fettle diff` of recordings of memory, as a user runs them."""

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Folder
from .memoryfiles import written

sys.path.append(str(Path(__file__).parents[1]))
from report.memories import MB, Memory, Site, a_class, alive, heap, moment, point

GOLDEN = Path(__file__).parents[1] / "golden"
SOURCE = (
    "import x\n\ndef load(n):\n    rows = []\n    for i in range(n):\n        rows.append(P(i))\n"
)


def build(rows: int = 50_000) -> Memory:
    """A program that keeps `rows` objects of 96 bytes."""
    size = 96 * rows
    kept, more = (rows, size), (rows + 10, size + 1000)
    once, table = (1, MB), (1, 400_000)
    made = Memory(
        [
            Site(31, "<module>", total=(1, 100)),
            Site(6, parent=0, peak=kept, alive=kept, total=more, temporary=(10, 1000)),
            Site(4, parent=0, peak=table, alive=(1, 300_000), total=(18, MB)),
            Site(0, "", file="", total=(3, 99)),
            Site(9, "f", "/np/core.py", parent=1, domain=389047, peak=once, total=once),
        ],
        moment_list=[moment(at / 10, at * MB // 2, 20 * MB) for at in range(11)],
        point_list=[
            point("start", 0.1, [(1, 10, 960)]),
            point("loaded", 0.6, [(1, rows // 2, size // 2), (2, 1, 300_000)]),
        ],
        object_list=[alive("build.P", 1, rows, size), alive("list", 2, 1, 300_000)],
        class_list=[
            a_class("build.P", rows, 80, 40),
            a_class("build.Q", 1000, 104, 0, "it uses its __dict__"),
        ],
        sources={"/app/build.py": SOURCE},
        properties={"state": "ended", "options": "mem", "command": "python build.py"},
    )
    whole = {"total_count": rows + 33, "total_bytes": size + 2_001_199, "peak_time": 0.75}
    stays = {"alive_count": rows + 1, "alive_bytes": size + 300_000}
    made.heap_list = [heap(frames=8, peak_bytes=size + 1_400_000, **whole, **stays)]
    return made


@pytest.fixture
def app(folder: Folder) -> Folder:
    written(folder.path / "build.prev.fettle", build(40_000))
    moved = build()
    moved.sources = {"/app/build.py": SOURCE.replace("import x\n", "import x\nimport y\n")}
    for site in moved.site_list:
        if site.file == "/app/build.py":
            site.line += 1
            site.first_line += 1
    written(folder.path / "build.fettle", moved)
    return folder


SESSIONS = {
    "memory.txt": [
        "view build.prev",
        "view build.prev --alive -n 1",
        "view build.prev --objects",
        "view build.prev --timeline",
        "view build.prev --mem --tree",
    ],
    "diff.txt": [
        "diff --help",
        "diff",
        "diff build.prev build --alive -n 1",
        "diff build",
        "diff build@loaded",
    ],
}


@pytest.mark.parametrize("name", SESSIONS)
def test_the_pages_stay_as_they_are(app: Folder, name: str) -> None:
    text = ""
    for line in SESSIONS[name]:
        ended = app.fettle(*line.split(), PYTHONIOENCODING="utf-8")
        assert (ended.code, ended.stderr) == (0, ""), line
        text += f"$ fettle {line}\n{ended.stdout}"
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_view_shows_what_there_is(app: Folder) -> None:
    assert app.fettle("view", "build").stdout == app.fettle("view", "build", "--mem").stdout
    ended = app.fettle("view", "build", "--calls")
    assert (ended.code, ended.stdout) == (1, "")
    assert "memory only" in ended.sentence()
    tree = app.fettle("view", "build", "--tree").stdout
    assert tree == app.fettle("view", "build", "--mem", "--tree").stdout
    both = app.fettle("view", "build", "--objects", "--mem").stdout
    assert both.count("still alive") == 1
    assert both.index("allocated at") < both.index("build.P")


def test_recordings_are_added(app: Folder) -> None:
    app.path.joinpath("same.fettle").write_bytes(app.path.joinpath("build.fettle").read_bytes())
    heading = app.fettle("view", "build", "same", "--mem").stdout.splitlines()[0]
    assert "peak 12.4 MB in 2 processes" in heading
    assert "10.2 MB still alive" in heading


def test_a_locale_without_letters_gets_ascii(app: Folder) -> None:
    ended = app.fettle("view", "build", "--timeline", PYTHONIOENCODING="ascii")
    assert ended.code == 0
    assert ended.stdout.isascii()
    assert "\\u" not in ended.stdout


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("mem>1MB", 0),
        ("mem>959999B", 1),
        ("mem>960kB", 0),
        ("mem>10%", 1),
        ("mem>50%", 0),
        ("mem>50%,mem>1kB", 1),
    ],
)
def test_a_check_of_growth(app: Folder, condition: str, code: int) -> None:
    ended = app.fettle("diff", "--fail-on", condition)
    assert ended.code == code
    assert ended.stdout == app.fettle("diff").stdout
    if code:
        assert condition.split(",")[-1] in ended.sentence()


def test_the_other_way_round_it_shrank(app: Folder) -> None:
    ended = app.fettle("diff", "build", "build.prev", "--fail-on", "mem>0")
    assert ended.code == 0
    assert "-960.0 kB" in ended.stdout


def test_points_are_checked_too(app: Folder) -> None:
    assert app.fettle("diff", "build@start", "build@loaded", "--fail-on", "mem>2MB").code == 1
    assert app.fettle("diff", "build@start", "build@loaded", "--fail-on", "mem>3MB").code == 0
    assert app.fettle("diff", "build", "--fail-on", "mem>5MB").code == 1
    assert app.fettle("diff", "build", "--fail-on", "mem>6MB").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build@never"], "it has start, loaded and end"),
        (["build@loaded:2", "build"], "no point loaded:2"),
        (["build", "build@"], "FILE@POINT"),
        (["build", "build.prev", "--in", "nothing"], "nothing"),
    ],
)
def test_what_is_not_there_is_one_sentence(app: Folder, words: list[str], said: str) -> None:
    ended = app.fettle("diff", *words)
    assert ended.code in {1, 2}
    assert said in ended.sentence()


def test_a_file_may_have_the_sign_of_a_point_in_its_name(app: Folder) -> None:
    (app.path / "build.fettle").rename(app.path / "a@b.fettle")
    ended = app.fettle("diff", "a@b.fettle", "a@b@start")
    assert ended.code == 0
    assert ended.stdout.startswith("a@b.fettle -> a@b.fettle@start: alive 5.1 MB -> 960 B")


@pytest.mark.parametrize("name", ["a@b", "@", "@@x", "a@", "loaded:2", "end@"])
def test_a_point_may_be_called_anything(app: Folder, name: str) -> None:
    made = build()
    made.point_list[1].name = name
    written(app.path / "odd.fettle", made)
    ended = app.fettle("diff", f"odd@{name}")
    assert (ended.code, ended.stderr) == (0, "")
    heading = f"odd.fettle@{name} -> odd.fettle@end: alive 2.7 MB -> 5.1 MB"
    assert ended.stdout.startswith(heading)
    assert app.fettle("diff", "odd", "--fail-on", "mem>6MB").code == 0


def test_the_end_is_compared_with_something(app: Folder) -> None:
    ended = app.fettle("diff", "build@end")
    assert (ended.code, ended.stdout) == (2, "")
    assert "name a point" in ended.sentence()


def test_a_recording_without_points_and_without_another(app: Folder) -> None:
    made = build()
    made.point_list = []
    written(app.path / "alone.fettle", made)
    ended = app.fettle("diff", "alone")
    assert (ended.code, ended.stdout) == (3, "")
    assert "alone.prev.fettle" in ended.sentence()


def _no_heaps(made: Memory) -> None:
    made.heap_list = [heap()]


def _no_objects(made: Memory) -> None:
    made.object_list, made.class_list = [], []


def _no_moments(made: Memory) -> None:
    made.moment_list = []


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (_no_objects, ["--objects"], "no objects"),
        (_no_moments, ["--timeline"], "no moments"),
        (_no_heaps, ["--mem", "--tree"], "no call paths"),
    ],
)
def test_what_a_recording_lacks_is_said(
    app: Folder, change: Callable[[Memory], None], words: list[str], said: str
) -> None:
    made = copy.deepcopy(build())
    change(made)
    written(app.path / "less.fettle", made)
    ended = app.fettle("view", "less", *words)
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "fettle: " in line[:8]]
    assert len(lines) == 1
    assert said in lines[0]
