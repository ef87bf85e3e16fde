# SPDX-License-Identifier: Apache-2.0
"""`fettle view` and `fettle export` of what line_profiler wrote, and of pickles that it did not."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fettle._core import read_lprof, write_lprof

from .harness import Folder

TIMINGS = {
    ("app.py", 3, "login_user"): [(4, 2, 10), (5, 2, 4_000_000), (7, 1, 3)],
    ("app.py", 9, "never"): [],
}
REAL = Path(__file__).parents[2] / "fuzz" / "corpus" / "lprof"


class Calls:
    """What pickle would call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("timings", [TIMINGS, {}])
def test_it_is_shown(timings: dict[Any, Any], folder: Folder) -> None:
    (folder.path / "x").write_bytes(write_lprof(timings, 1e-6))  # known by what it holds
    ended = folder.fettle("view", "x")
    assert ended.code == 0 and "nothing was recorded" not in ended.stderr


def test_it_is_exported_line_by_line(folder: Folder) -> None:
    (folder.path / "x").write_bytes(write_lprof(TIMINGS, 1e-6))
    assert folder.fettle("export", "x", "-f", "lprof", "-o", "y").code == 0
    timings, unit = read_lprof(str(folder.path / "y"))
    assert unit == 1e-9
    assert timings == {
        key: [(line, hits, time * 1000) for line, hits, time in rows]
        for key, rows in TIMINGS.items()
    }
    assert folder.fettle("export", "x", "-f", "json", "-o", "x.json").code == 0
    codes = json.loads((folder.path / "x.json").read_text())["codes"]
    assert {(code["file"], code["line"], code["name"]) for code in codes[1:]} == set(TIMINGS)


@pytest.mark.parametrize("version", ["3.1.0", "3.5.1", "4.0.3", "4.2.0", "5.0.2"])
def test_each_version_of_line_profiler_is_read(version: str, folder: Folder) -> None:
    (folder.path / "x.lprof").write_bytes((REAL / f"line_profiler-{version}").read_bytes())
    assert folder.fettle("view", "x.lprof").code == 0
    assert folder.fettle("export", "x.lprof", "-f", "lprof", "-o", "y.lprof").code == 0
    timings, _ = read_lprof(folder.path / "y.lprof")
    hits = {first: [hits for _, hits, _ in rows] for (_, first, _), rows in timings.items()}
    rounds = 300 if version == "4.0.3" else 301  # it loses one
    assert hits == {1: [1, rounds, 300, 1], 9: [300], 13: [300], 17: []}


PICKLES = {
    "a call": Calls(os.mkdir, "trace"),
    "a call within": [{("a.py", 1, "f"): [(1, 2, Calls(os.mkdir, "trace"))]}],
    "a table": TIMINGS,
    "a class": dict,
    "bytes": b"a",
}


@pytest.mark.parametrize("name", PICKLES)
@pytest.mark.parametrize("protocol", range(2, 6))
def test_another_pickle_is_one_sentence(name: str, protocol: int, folder: Folder) -> None:
    (folder.path / "evil.lprof").write_bytes(pickle.dumps(PICKLES[name], protocol))
    for words in [("view", "evil.lprof"), ("export", "evil.lprof", "-f", "json")]:
        ended = folder.fettle(*words)
        assert (ended.code, ended.stdout) == (3, "")
        assert "evil.lprof is a pickle but no line profile (it holds " in ended.sentence()
    assert os.listdir(folder.path) == ["evil.lprof"]


HOSTILE = {
    "cut off": write_lprof(TIMINGS, 1e-6)[:-1],
    "nested deeply": b"\x80\x04" + b"(" * 1_000_000,
    "lists in lists": b"\x80\x04" + b"]" * 500_000 + b"a" * 499_999 + b".",
    "a huge text": b"\x80\x04\x8d" + b"\xff" * 8,
    "a huge memo": b"\x80\x04Nr\xff\xff\xff\xff.",
    "of a later protocol": b"\x80\x09N.",
    "no unit": write_lprof({}, 0.0),
    "names that draw": b"\x80\x02cevil\x1b[31m\xe2\x80\xae\nx\n.",
    "of an old protocol": b"cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_hostile_file_is_one_sentence(name: str, folder: Folder) -> None:
    (folder.path / "evil.lprof").write_bytes(HOSTILE[name])
    ended = folder.fettle("view", "evil.lprof")
    assert (ended.code, ended.stdout) == (3, "")
    assert "evil.lprof is" in ended.sentence() and ended.sentence().isprintable()


def test_what_is_wrong_is_named(folder: Folder) -> None:
    (folder.path / "x.lprof").write_bytes(HOSTILE["no unit"])
    assert "(it holds a unit that is no time)" in folder.fettle("view", "x.lprof").sentence()
    (folder.path / "x.lprof").write_bytes(HOSTILE["cut off"])
    assert "(it holds an early end at byte " in folder.fettle("view", "x.lprof").sentence()
    (folder.path / "x.lprof").write_bytes(pickle.dumps(Calls(os.mkdir, "trace")))
    assert f"the name {os.mkdir.__module__}.mkdir" in folder.fettle("view", "x.lprof").sentence()


def test_one_that_is_too_large_is_one_sentence(folder: Folder) -> None:
    with (folder.path / "large.lprof").open("wb") as file:
        file.write(b"\x80\x04")
        file.truncate(1 << 31)
    ended = folder.fettle("view", "large.lprof")
    assert (ended.code, ended.stdout) == (3, "")
    assert "large.lprof is larger than fettle reads of line_profiler" in ended.sentence()


def test_several_are_added(folder: Folder) -> None:
    for name in ("one.lprof", "two.lprof"):
        (folder.path / name).write_bytes(write_lprof(TIMINGS, 1e-6))
    assert folder.fettle("view", "one.lprof", "two.lprof").code == 0
