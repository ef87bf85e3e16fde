# SPDX-License-Identifier: Apache-2.0
"""`fettle memo`: what it says of a store, and what it removes, held against what was put there."""

import json
import os
import re
import sys
import time

import fettle
import pytest
from fettle import _core
from fettle.caching import look
from fettle.caching import place as placing
from fettle.problem import Problem
from fettle.report import span

from .harness import FETTLE, Ended, Folder
from .test_terminal import Terminal

pytestmark = pytest.mark.once  # a store is looked at, of which the engine keeps the books

FUNCTIONS = """\
import sys
import fettle

memo = fettle.Memo(sys.argv[1])

@memo
def few(n):
    return n

@memo
def large(n):
    return b"x" * 100_000

for n in range(3):
    few(n)
for n in range(5):
    few(n)
large(1)
"""


@pytest.fixture
def cached(folder: Folder) -> Folder:
    """kept/ has 5 results of few(), 3 hits in 8 calls; and one of large(), of 100 kB."""
    folder.write("app.py", FUNCTIONS)
    ended = folder.python("app.py", "kept")
    assert (ended.code, ended.stderr) == (0, "")
    return folder


def listed(folder: Folder, *words: str) -> dict[str, dict[str, object]]:
    ended = folder.fettle("memo", "ls", *words, "--json")
    assert (ended.code, ended.stderr) == (0, "")
    return {row["name"]: row for row in json.loads(ended.stdout)["functions"]}


def entries(folder: Folder, *words: str) -> dict[str, object]:
    return {name: row["entries"] for name, row in listed(folder, *words).items()}


def cells(ended: Ended) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in ended.stdout.splitlines()]


# ---- looking ----


def test_ls_has_a_row_for_each_function(cached: Folder) -> None:
    ended = cached.fettle("memo", "ls", "kept")
    assert (ended.code, ended.stderr) == (0, "")
    heading, head, first, second = cells(ended)
    assert heading[0].startswith("kept: 6 results of 2 functions, ")
    assert head == ["entries", "bytes", "hits", "saved", "oldest", "used", "function"]
    assert (first[0], first[-1]) == ("1", "app.large")  # by bytes
    assert (second[0], second[2], second[-1]) == ("5", "3", "app.few")


def test_numbers_are_those_of_the_memo(cached: Folder) -> None:
    stats = fettle.Memo(cached.path / "kept").stats()
    rows = listed(cached, "kept")
    assert {row.name for row in stats.functions} == set(rows)
    for row in stats.functions:
        told = rows[row.name]
        assert (told["entries"], told["bytes"]) == (row.entries, row.bytes)
        assert (told["hits"], told["misses"]) == (row.hits, row.misses)
        assert told["oldest"] == pytest.approx(row.oldest)
        assert told["used"] == pytest.approx(row.used)
    assert (rows["app.few"]["hits"], rows["app.few"]["misses"]) == (3, 5)


@pytest.mark.parametrize(
    ("key", "first"),
    [("bytes", "large"), ("entries", "few"), ("hits", "few"), ("name", "few"), ("oldest", "few")],
)
def test_the_order_is_asked_for(cached: Folder, key: str, first: str) -> None:
    assert next(iter(listed(cached, "kept", "-s", key))) == f"app.{first}"


def test_what_is_left_out_is_said(cached: Folder) -> None:
    ended = cached.fettle("memo", "ls", "kept", "-n", "1")
    assert ended.stdout.splitlines()[-1] == "  1 more function; -n 0 shows all"
    assert len(cells(cached.fettle("memo", "ls", "kept", "-n", "0"))) == 4


def test_stat_is_the_whole(cached: Folder) -> None:
    ended = cached.fettle("memo", "stat", "kept")
    assert (ended.code, ended.stderr) == (0, "")
    said = {row[0]: row[1:] for row in cells(ended)}
    assert said["functions"] == ["2"]
    assert said["results"] == ["6"]
    assert said["hits"] == ["3 of 9 calls (33.3%)"]
    told = json.loads(cached.fettle("memo", "stat", "kept", "--json").stdout)
    assert (told["entries"], told["functions"], told["hits"], told["misses"]) == (6, 2, 3, 6)
    assert told["hit_ratio"] == pytest.approx(3 / 9)
    files = (path.stat().st_size for path in (cached.path / "kept").rglob("*") if path.is_file())
    assert 100_000 < told["bytes"] <= sum(files)


def test_the_folder_without_a_name_is_the_users(folder: Folder) -> None:
    folder.write("app.py", FUNCTIONS.replace("sys.argv[1]", ""))
    extra = {"FETTLE_CACHE_DIR": str(folder.path / "mine")}
    ended = folder.fettle("memo", "ls", **extra)
    assert ended.code == 3
    assert f"no results are kept in {folder.path}/mine/memo" in ended.sentence()
    assert folder.names() == {"app.py"}
    assert folder.python("app.py", **extra).code == 0
    assert json.loads(folder.fettle("memo", "stat", "--json", **extra).stdout)["entries"] == 6
    assert "/mine/memo: 6 results of 2 functions, " in folder.fettle("memo", "ls", **extra).stdout


@pytest.mark.parametrize("place", ["kept", "kept/", "kept/v1", "./kept/v1/"])
def test_a_store_is_found_from_its_folder_and_from_inside(cached: Folder, place: str) -> None:
    assert entries(cached, place) == {"app.few": 5, "app.large": 1}


@pytest.mark.parametrize("place", ["there", "there/joblib", "there/joblib/.fettle"])
def test_the_store_of_joblibs_interface_is_found(cached: Folder, place: str) -> None:
    (cached.path / "there/joblib").mkdir(parents=True)
    (cached.path / "kept").rename(cached.path / "there/joblib/.fettle")
    assert entries(cached, place) == {"app.few": 5, "app.large": 1}


def test_what_joblibs_interface_kept_is_listed_and_cleared(folder: Folder) -> None:
    folder.write(
        "app.py",
        "from fettle.compat.joblib import Memory\n\n"
        "@Memory('kept', verbose=0).cache\n"
        "def double(n):\n    print('computing')\n    return 2 * n\n\n"
        "double(1), double(2), double(1)\n",
    )
    assert folder.python("app.py").stdout.count("computing") == 2
    (told,) = listed(folder, "kept").values()
    assert told["entries"] == 2
    assert str(told["name"]).endswith("app/double")
    assert folder.python("app.py").stdout.count("computing") == 0
    assert folder.fettle("memo", "clear", "kept").code == 0
    assert folder.python("app.py").stdout.count("computing") == 2


def test_looking_changes_no_byte(cached: Folder) -> None:
    def files() -> dict[str, bytes]:
        every = (cached.path / "kept").rglob("*")
        return {str(path): path.read_bytes() for path in every if path.is_file()}

    before = files()
    for action in ("ls", "stat"):
        assert cached.fettle("memo", action, "kept").code == 0
    assert files() == before


def test_a_name_can_not_draw_on_the_screen(folder: Folder) -> None:
    (folder.path / "kept").mkdir()
    store = _core.Store(str(folder.path / "kept/v1"))
    store.put(b"k" * 16, store.name_function("a\x1b[31mb\n"), 1)
    store.close()
    ended = folder.fettle("memo", "ls", "kept")
    assert "\x1b" not in ended.stdout
    assert "a\\x1b[31mb\\n" in ended.stdout


def test_ascii_where_the_locale_asks(folder: Folder) -> None:
    (folder.path / "kept").mkdir()
    store = _core.Store(str(folder.path / "kept/v1"))
    store.put(b"k" * 16, store.name_function("größe"), 1)
    store.close()
    ended = folder.fettle("memo", "ls", "kept", PYTHONIOENCODING="ascii")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.isascii()
    assert "gr\\xf6\\xdfe" in ended.stdout


# ---- making it smaller ----


def test_prune_to_a_number_of_results(cached: Folder) -> None:
    ended = cached.fettle("memo", "prune", "kept", "--max-items", "2")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("kept: 4 of 6 results forgotten, ")
    assert " 2 results left, " in ended.stdout
    assert sum(entries(cached, "kept").values()) == 2  # type: ignore[arg-type]


def test_prune_to_bytes(cached: Folder) -> None:
    before = json.loads(cached.fettle("memo", "stat", "kept", "--json").stdout)["bytes"]
    ended = cached.fettle("memo", "prune", "kept", "--max-bytes", f"{before - 1}")
    assert (ended.code, ended.stderr) == (0, "")
    after = json.loads(cached.fettle("memo", "stat", "kept", "--json").stdout)["bytes"]
    assert after < before


def test_prune_by_age(cached: Folder) -> None:
    assert cached.fettle("memo", "prune", "kept", "--max-age", "1d").code == 0
    assert entries(cached, "kept") == {"app.few": 5, "app.large": 1}
    memo = fettle.Memo(cached.path / "kept")
    assert memo.stats().entries == 6
    time.sleep(0.6)  # uses are known to a quarter of a second
    ended = cached.fettle("memo", "prune", "kept", "--max-age", "0s")
    assert ended.stdout.startswith("kept: 6 of 6 results forgotten, ")
    assert memo.stats().entries == 0  # another process that has it open sees it


def test_clear_needs_no_answer_where_nobody_can_give_one(cached: Folder) -> None:
    ended = cached.fettle("memo", "clear", "kept")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "kept: 6 results forgotten\n", "")
    assert entries(cached, "kept") == {}
    assert cached.python("app.py", "kept").code == 0
    assert entries(cached, "kept") == {"app.few": 5, "app.large": 1}


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("app.few", {"app.large": 1}),
        ("*.l*", {"app.few": 5}),
        ("*", {}),
        ("app.[a-f]*", {"app.large": 1}),
    ],
)
def test_clear_of_functions(cached: Folder, glob: str, left: dict[str, int]) -> None:
    assert cached.fettle("memo", "clear", "kept", "--function", glob).code == 0
    assert {name: n for name, n in entries(cached, "kept").items() if n} == left


def test_clear_of_no_function_is_said(cached: Folder) -> None:
    ended = cached.fettle("memo", "clear", "kept", "--function", "few")
    assert ended.code == 1
    assert "no function in kept is named 'few'" in ended.sentence()
    assert sum(entries(cached, "kept").values()) == 6  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y", 0, 0), ("YES", 0, 0), ("n", 1, 6), ("", 1, 6)]
)
def test_on_a_terminal_clear_asks(cached: Folder, answer: str, code: int, left: int) -> None:
    terminal = Terminal(cached)
    try:
        terminal.expect(r"\$ ")
        terminal.type(f"{FETTLE} memo clear kept; echo code=$?\n")
        asked = terminal.expect(r"\[y/N\] ")
        assert "forget 6 results of 2 functions, " in asked
        terminal.type(f"{answer}\n")
        terminal.expect(f"code={code}\r")
    finally:
        terminal.close()
    assert fettle.Memo(cached.path / "kept").stats().entries == left


def test_yes_is_said_beforehand(cached: Folder) -> None:
    terminal = Terminal(cached)
    try:
        terminal.expect(r"\$ ")
        terminal.type(f"{FETTLE} memo clear -y kept; echo code=$?\n")
        assert "[y/N]" not in terminal.expect("code=0\r")
    finally:
        terminal.close()
    assert fettle.Memo(cached.path / "kept").stats().entries == 0


def test_a_bar_is_for_terminals_and_many_results(cached: Folder) -> None:
    script = (
        "import fettle.cli.memo as memo, sys, fettle.cli\n"
        "memo.MANY = 1\n"
        "sys.exit(fettle.cli.main(['memo', 'ls', 'kept']))\n"
    )
    cached.write("bar.py", script)
    assert cached.python("bar.py").stderr == ""
    terminal = Terminal(cached)
    try:
        terminal.expect(r"\$ ")
        terminal.type(f"{sys.executable} bar.py; echo code=$?\n")
        seen = terminal.expect("code=0\r")
        assert "looking at results" in seen
        assert "app.large" in seen
    finally:
        terminal.close()


# ---- what is not right ----


@pytest.mark.parametrize("action", ["ls", "stat", "clear"])
def test_an_empty_name_is_not_the_users_folder(folder: Folder, action: str) -> None:
    folder.write("app.py", FUNCTIONS.replace("sys.argv[1]", ""))
    extra = {"FETTLE_CACHE_DIR": str(folder.path / "mine")}
    assert folder.python("app.py", **extra).code == 0
    ended = folder.fettle("memo", action, "", **extra)
    assert (ended.code, ended.stdout) == (2, "")
    assert "the name of the folder is empty" in ended.sentence()
    assert json.loads(folder.fettle("memo", "stat", "--json", **extra).stdout)["entries"] == 6


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ("", 2, "fettle memo ls"),
        ("list", 2, "no fettle memo list"),
        ("ls a b", 2, "one folder, not 2"),
        ("ls --nope", 2, "no option --nope"),
        ("ls kept -s size", 2, "no order 'size'"),
        ("ls kept -n x", 2, "--rows"),
        ("ls kept --trusted", 2, "--trusted"),
        ("prune kept", 2, "needs a bound"),
        ("prune kept --max-bytes much", 2, "not 'much'"),
        ("prune kept --max-bytes 0", 2, "not '0'"),
        ("prune kept --max-bytes -5MB", 2, "not '-5MB'"),
        ("prune kept --max-age 30", 2, "not '30'"),
        ("prune kept --max-age soon", 2, "not 'soon'"),
        ("prune kept --max-items -1", 2, "not '-1'"),
        ("prune kept --max-items 1e3", 2, "not '1e3'"),
        ("ls nowhere", 3, "nowhere is not there"),
        ("stat nowhere/deep", 3, "is not there"),
        ("clear empty", 3, "empty holds no results"),
        ("ls app.py", 3, "app.py is no folder"),
        ("ls app.py/x", 3, "app.py/x"),
        ("ls ftp://host", 2, "redis://"),
        ("prune redis://localhost --max-items 1", 2, "of folders"),
    ],
)
def test_what_is_wrong_is_one_sentence(cached: Folder, words: str, code: int, part: str) -> None:
    (cached.path / "empty").mkdir()
    before = cached.names()
    key = {"FETTLE_CACHE_KEY": "k" * 32} if "ftp" in words else {}
    ended = cached.fettle("memo", *words.split(), **key)
    assert (ended.code, ended.stdout) == (code, "")
    assert part in ended.sentence()
    assert cached.names() == before
    assert list((cached.path / "empty").iterdir()) == []
    assert sum(entries(cached, "kept").values()) == 6  # type: ignore[arg-type]


def test_somebody_elses_head_is_left_alone(folder: Folder) -> None:
    folder.write("kept/v1/head", "of something else\n")
    ended = folder.fettle("memo", "clear", "kept")
    assert ended.code == 3
    assert "holds no results" in ended.sentence()
    assert {path.name for path in (folder.path / "kept/v1").iterdir()} == {"head"}


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "empty"])
def test_a_head_that_is_no_file_is_none(folder: Folder, kind: str) -> None:
    (folder.path / "kept/v1").mkdir(parents=True)
    head = folder.path / "kept/v1/head"
    if kind == "fifo":
        os.mkfifo(head)
    elif kind == "link":
        head.symlink_to("/etc/passwd")
    elif kind == "folder":
        head.mkdir()
    else:
        head.touch()
    ended = folder.fettle("memo", "ls", "kept")
    assert ended.code == 3
    assert "holds no results" in ended.sentence()


class Troubled:
    """A store that has troubles, and can be used or not."""

    def __init__(self, bits: int, usable: bool) -> None:
        self.bits, self.usable = bits, usable

    def __call__(self, folder: str, max_bytes: int) -> "Troubled":
        return self

    def troubles(self) -> tuple[int, int]:
        return self.bits, 5 if self.bits & placing.IO else 0


@pytest.mark.parametrize(
    ("bits", "usable", "part"),
    [
        (placing.NEWER, False, "newer fettle"),
        (placing.FOREIGN, False, "belongs to another user"),
        (placing.IO, False, "Input/output error"),
        (0, False, "damaged"),
    ],
)
def test_a_store_that_can_not_be_read_says_why(
    cached: Folder, monkeypatch: pytest.MonkeyPatch, bits: int, usable: bool, part: str
) -> None:
    monkeypatch.setattr(look, "Store", Troubled(bits, usable))
    with pytest.raises(Problem, match=part) as raised:
        look.Looked(str(cached.path / "kept"))
    assert raised.value.code == 3


@pytest.mark.parametrize(
    ("bits", "part"),
    [
        (placing.READ_ONLY, "permissions"),
        (placing.LOCK, "locked"),
        (placing.FULL, "no room"),
        (placing.IO, "Input/output error"),
    ],
)
def test_what_could_not_be_removed_is_said(
    cached: Folder, monkeypatch: pytest.MonkeyPatch, bits: int, part: str
) -> None:
    monkeypatch.setattr(look, "Store", Troubled(bits, usable=True))
    looked = look.Looked(str(cached.path / "kept"))
    with pytest.raises(Problem, match=part) as raised:
        looked.check_changed()
    assert raised.value.code == 125


def test_damage_that_was_left_out_is_no_failure(
    cached: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "Store", Troubled(placing.CORRUPT, usable=True))
    look.Looked(str(cached.path / "kept")).check_changed()


@pytest.mark.parametrize("action", ["ls", "stat", "clear"])
def test_where_others_may_write_nothing_is_believed(cached: Folder, action: str) -> None:
    (cached.path / "kept/v1").chmod(0o777)
    ended = cached.fettle("memo", action, "kept")
    assert ended.code == 3
    assert "others may write" in ended.sentence()


def test_a_folder_that_may_not_be_entered(cached: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(Problem, match="another user") as raised:
        look.find(str(cached.path / "kept"))
    assert raised.value.code == 3


def test_a_damaged_store_is_listed_as_far_as_it_is_whole(cached: Folder) -> None:
    for path in (cached.path / "kept/v1").glob("*.log"):
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
    ended = cached.fettle("memo", "ls", "kept")
    assert ended.code == 0
    assert "Traceback" not in ended.stderr


# ---- times ----


def test_times_as_people_give_them() -> None:
    assert [span.read(text) for text in ("30d", "12h", "90m", "45s", "2 w", "1.5h", "5min")] == [
        30 * 86400,
        12 * 3600,
        90 * 60,
        45,
        14 * 86400,
        5400,
        300,
    ]
    for text in ("", "d", "30", "-1d", "1y", "1d2h", "1e3s", "٣d", "nan s"):
        assert span.read(text) is None, text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 ms"),
        (0.99994, "999.9 ms"),
        (0.99996, "1.0 s"),
        (59.9, "59.9 s"),
        (59.96, "1.0 min"),
        (3596.9, "59.9 min"),
        (3597.1, "1.0 h"),
        (86400 * 400, "400.0 d"),
        (-5, "0.0 ms"),
    ],
)
def test_times_as_they_are_said(seconds: float, text: str) -> None:
    assert span.said(seconds) == text
