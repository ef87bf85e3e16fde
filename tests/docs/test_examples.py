# SPDX-License-Identifier: Apache-2.0
"""examples/: what the documents say of them is true, with or without fettle."""

import ast
import cProfile
import io
import math
import pstats
import re
import runpy
import subprocess
import sys
import time
from collections import Counter, deque
from contextlib import redirect_stdout
from itertools import pairwise, permutations
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LOGIN = EXAMPLES / "login.py"
LOGIN_LINES = EXAMPLES / "login_lines.py"
ALL = sorted(EXAMPLES.glob("*.py"))

# The calls of login.py, by (line of the def or 0, name).
CALLS = {
    (1, "<module>"): 1,
    (26, "main_app"): 1,
    (14, "login_user"): 2,
    (8, "fetch_user_password"): 2,
    (0, "<built-in method builtins.print>"): 5,
    (0, "<built-in method math.fabs>"): 4,  # in the place of time.sleep, see no_waiting
    (0, "<method 'format' of 'str' objects>"): 2,
}
OF_THE_PROFILER = {
    (0, "<built-in method builtins.exec>"): 1,
    (0, "<method 'disable' of '_lsprof.Profiler' objects>"): 1,
}


def namespace(example: str) -> dict[str, Any]:
    """What a module that imports the example sees of it."""
    return runpy.run_path(str(EXAMPLES / f"{example}.py"), run_name=example)


def under_cprofile(code: str | CodeType, module: dict[str, Any]) -> dict[tuple[int, str], int]:
    """The calls that cProfile counts; a StringIO has no Python code of pytest's to count."""
    profile = cProfile.Profile()
    with redirect_stdout(io.StringIO()):
        profile.runctx(code, module, module)  # type: ignore[arg-type]  # it takes what exec takes
    stats: Any = pstats.Stats(profile)
    return {(line, name): row[1] for (_, line, name), row in stats.stats.items()}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """time.sleep is another function in C of one number: same calls, none of the six seconds."""
    monkeypatch.setattr(time, "sleep", math.fabs)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_importing_an_example_runs_nothing(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", None)
    monkeypatch.syspath_prepend(str(EXAMPLES))  # as for a script: one imports another
    assert "main" in {name.partition("_")[0] for name in namespace(path.stem)}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_an_example_says_what_there_is_to_find(path: Path) -> None:
    assert "To find" in (ast.get_docstring(ast.parse(path.read_text())) or "")


def test_the_lines_of_login_stand_where_the_seed_shows_them() -> None:
    lines = LOGIN.read_text().splitlines()
    assert lines[8 - 1].startswith("def fetch_user_password(")
    assert lines[10 - 1] == "    time.sleep(1)"
    assert lines[11 - 1] == "    return 'DUMMY'"
    assert lines[14 - 1] == "def login_user(user_name, user_secret):"
    assert lines[26 - 1] == "def main_app():"


def test_login_lines_is_login_with_the_mark_where_the_seed_has_it() -> None:
    lines = LOGIN_LINES.read_text().splitlines()
    assert lines[12 - 1] == "@profile"
    assert lines[13 - 1] == "def login_user(user_name, user_secret):"

    def functions(path: Path) -> list[str]:
        tree = ast.parse(path.read_text())
        found = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
        return [ast.unparse(each).removeprefix("@profile\n") for each in found]

    assert functions(LOGIN_LINES) == functions(LOGIN)


def test_the_lines_of_the_seed_run_as_often_as_it_shows(no_waiting: None) -> None:
    """Told by sys.settrace, which is not how fettle knows."""
    hits: Counter[int] = Counter()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and frame.f_code.co_name == "login_user":
            hits[frame.f_lineno] += 1
        return trace

    main_app = namespace("login_lines")["main_app"]
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        main_app()
    finally:
        sys.settrace(before)
    assert hits == dict.fromkeys(range(15, 20), 2)


@pytest.mark.parametrize("path", [LOGIN, LOGIN_LINES], ids=lambda path: path.stem)
def test_login_prints_what_the_seed_shows(
    path: Path, capsys: pytest.CaptureFixture[str], no_waiting: None
) -> None:
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "Running application.",
        "Try login for user 0.",
        "Success",
        "Try login for user 1.",
        "Success",
    ]


def test_login_makes_seventeen_calls(no_waiting: None) -> None:
    code = compile(LOGIN.read_text(), str(LOGIN), "exec")
    assert under_cprofile(code, {"__name__": "__main__"}) == CALLS | OF_THE_PROFILER
    assert sum(CALLS.values()) == 17


def test_login_makes_the_eighteen_calls_of_the_seed(no_waiting: None) -> None:
    # What differs is said in docs/seed.md: one print less, because it comes before main_app, and
    # the module is "<string>".
    expected = CALLS | OF_THE_PROFILER | {(0, "<built-in method builtins.print>"): 4}
    assert under_cprofile("main_app()", namespace("login")) == expected
    assert sum(expected.values()) == 18


def test_login_sleeps_six_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    runpy.run_path(str(LOGIN), run_name="__main__")
    assert slept == [2, 1, 2, 1]


def distances(rooms: set[tuple[int, int]], start: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Steps from start to each room: the example's question, asked once and for all rooms."""
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        row, column = room = waiting.popleft()
        for place in ((row, column + 1), (row, column - 1), (row + 1, column), (row - 1, column)):
            if place in rooms and place not in steps:
                steps[place] = steps[room] + 1
                waiting.append(place)
    return steps


def test_the_tour_of_the_dungeon_is_the_shortest(capsys: pytest.CaptureFixture[str]) -> None:
    dungeon = namespace("dungeon")
    dungeon["main"]()
    said = capsys.readouterr().out.splitlines()
    grid = {
        (row, column): what
        for row, line in enumerate(dungeon["DUNGEON"].split("\n"))
        for column, what in enumerate(line)
        if what not in "#"
    }
    assert said[0] == f"{len(grid)} rooms, 6 treasures"
    places = {what: room for room, what in grid.items() if what != "."}
    steps = {what: distances(set(grid), room) for what, room in places.items()}

    def length(stops: str) -> int:
        return sum(steps[here][places[there]] for here, there in pairwise(f"S{stops}S"))

    best = min(length("".join(order)) for order in permutations("abcdef"))
    tour, _, total = said[1].removeprefix("shortest tour: S ").partition(" S, ")
    assert sorted(tour.split()) == list("abcdef")
    assert length(tour.replace(" ", "")) == best
    assert total == f"{best} steps"


def test_the_report_on_the_log_is_right() -> None:
    weblog = namespace("weblog")
    log = weblog["write_log"](3_000)
    assert log == weblog["write_log"](3_000)
    entries = [weblog["parse_line"](line) for line in log]
    assert weblog["count_visitors"](entries) == len({line.split()[0] for line in log})
    hours = Counter(int(line.split()[2][:2]) for line in log)
    assert weblog["busiest_hour"](entries) in hours.items()
    assert weblog["busiest_hour"](entries)[1] == max(hours.values())
    means = dict(weblog["slowest_pages"](entries))
    assert list(means.values()) == sorted(means.values(), reverse=True)
    searches = [int(line.split()[-1].rstrip("ms")) for line in log if "/search" in line]
    assert means["/search"] == sum(searches) / len(searches)


def test_the_primes_of_the_pool_are_all() -> None:
    count_primes = namespace("pool")["count_primes"]
    sieve = [True] * 6000
    sieve[:2] = [False, False]
    for n in range(2, 78):
        if sieve[n]:
            sieve[n * n :: n] = [False] * len(sieve[n * n :: n])
    assert [count_primes(0), count_primes(3000)] == [sum(sieve[:1000]), sum(sieve[3000:4000])]
    assert sum(sieve) == 783  # what docs/seed.md shows


def test_the_rows_of_memory_are_tracemallocs(tmp_path: Path) -> None:
    """Up to a block or two: 3.11 and 3.12 reuse lists and floats without a word."""
    ours = (EXAMPLES / "memory.py").read_text()
    theirs = ours.replace("from fettle.compat import tracemalloc", "import tracemalloc")
    assert theirs != ours
    rows = []
    for name, text in (("ours", ours), ("theirs", theirs)):
        (tmp_path / name).mkdir()
        script = tmp_path / name / "memory.py"
        script.write_text(text)
        printed = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert printed[:5] == ["First list creation.", "Second list creation.", "1000", "2000", ""]
        found = [
            re.search(r"py:(\d+): size=([\d.]+) KiB, count=(\d+), ", line) for line in printed[5:]
        ]
        rows.append([tuple(map(float, each.groups())) for each in found if each])
    for mine, reference in zip(*rows, strict=True):
        assert mine[0] == reference[0]
        assert mine[1] == pytest.approx(reference[1], rel=0.002, abs=0.11)
        assert mine[2] == pytest.approx(reference[2], rel=0.002, abs=1)
    assert len(rows[0]) == 2


def test_the_factorials_are_there_in_the_next_run(tmp_path: Path) -> None:
    def run(*words: str) -> list[str]:
        return subprocess.run(
            [sys.executable, str(EXAMPLES / "persistent.py"), str(tmp_path / "kept"), *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()

    computed = [f"computing factorial_cache({n})" for n in range(10, -1, -1)]
    assert run("10") == [*computed, f"10! = {math.factorial(10)}"]
    assert run("10") == [f"10! = {math.factorial(10)}"]
    assert run("11") == ["computing factorial_cache(11)", f"11! = {math.factorial(11)}"]
    assert run("clear") == ["12 results forgotten"]
    assert run() == [*computed, f"10! = {math.factorial(10)}"]
