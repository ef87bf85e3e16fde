# SPDX-License-Identifier: Apache-2.0
"""read_lprof, write_lprof, load_lprof: what line_profiler pickles, and what pickle makes of ours.

Python's own pickle is the judge: of a class that stands where line_profiler's is."""

import io
import os
import pickle
import pickletools
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fettle._core import FileError, Profile, load_lprof, read_lprof, write_lprof

from tests.leaks import least_growth

Timings = dict[tuple[str, int, str], list[tuple[int, int, int]]]

MODULES = ["line_profiler._line_profiler", "line_profiler.line_profiler", "_line_profiler"]
MODULES += ["fettle.compat.line_profiler.line_stats"]

SMALL: Timings = {
    ("/a/b.py", 3, "outer"): [(4, 1, 20), (5, 301, 2**40), (6, 300, 0)],
    ("/a/b.py", 9, "C.größe.<locals>.f"): [(10, 2**31, 2**63 - 1)],
    ("\udcff/é\U0001f40d.py", 1, "never"): [],
}


class LineStats:
    """As line_profiler's: two attributes."""

    def __init__(self, timings: Any, unit: Any) -> None:
        self.timings = timings
        self.unit = unit


@pytest.fixture(params=MODULES)
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[LineStats]:
    """LineStats where pickle finds it under the name that a version of line_profiler gave it."""
    return place(request.param, monkeypatch)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> type[LineStats]:
    return place(MODULES[0], monkeypatch)


def place(name: str, monkeypatch: pytest.MonkeyPatch) -> type[LineStats]:
    parts = name.split(".")
    for at in range(len(parts)):
        module = ModuleType(".".join(parts[: at + 1]))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    named = type("LineStats", (LineStats,), {"__module__": name})
    sys.modules[name].LineStats = named  # type: ignore[attr-defined]
    return named


def python_dumps(value: Any, protocol: int) -> bytes:
    """By the pickler that is written in Python: not always the opcodes of the one in C."""
    out = io.BytesIO()
    pickle._Pickler(out, protocol).dump(value)  # type: ignore[attr-defined]
    return out.getvalue()


def optimized(value: Any, protocol: int) -> bytes:
    return pickletools.optimize(pickle.dumps(value, protocol))


DUMPS: list[Callable[[Any, int], bytes]] = [pickle.dumps, python_dumps, optimized]


def drawn(seed: int) -> Timings:
    """Any timings; long lists, shared texts and tuples that are one object, among them."""
    rng = random.Random(seed)
    texts = ["", "f", "größe", "\ud800", "C.f", "\n\\u", "x" * 300, "\0", "漢字\U0001f40d"]

    def number() -> int:
        return rng.choice([1, 1, 1, -1]) * (rng.getrandbits(63) >> rng.randrange(64))

    timings: Timings = {}
    for _ in range(rng.randrange(6)):
        rows = [(number(), number(), number()) for _ in range(rng.choice([0, 1, 5, 2500]))]
        timings[rng.choice(texts), number(), rng.choice(texts)] = rows + rows[:3]
    return timings


@pytest.mark.parametrize("dumps", DUMPS)
@pytest.mark.parametrize("protocol", range(6))
def test_what_python_pickles_is_read(
    dumps: Callable[[Any, int], bytes], protocol: int, made: type[LineStats], tmp_path: Path
) -> None:
    data = dumps(made(SMALL, 1e-6), protocol)
    assert read_lprof(data) == (SMALL, 1e-6)
    path = tmp_path / "x.lprof"
    path.write_bytes(data)
    assert read_lprof(path) == read_lprof(str(path)) == (SMALL, 1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_any_timings_are_read_as_they_are(seed: int, theirs: type[LineStats]) -> None:
    timings = drawn(seed)
    unit = random.Random(seed).random()
    for dumps in DUMPS:
        for protocol in range(1, 6):
            assert read_lprof(dumps(theirs(timings, unit), protocol)) == (timings, unit)


@pytest.mark.parametrize("unit", [1e-6, 1e-9, 1, 0.015625, 1e300, 5e-324, float("inf"), -2.5])
def test_units_are_read_as_they_are(unit: float, theirs: type[LineStats]) -> None:
    for protocol in range(1, 6):
        assert read_lprof(pickle.dumps(theirs({}, unit), protocol))[1] == unit
    in_decimals = read_lprof(pickle.dumps(theirs({}, unit), 0))[1]
    assert in_decimals == pytest.approx(unit, rel=1e-15) and (unit > 1 or in_decimals == unit)


@pytest.mark.parametrize("seed", range(30))
def test_pickle_reads_what_is_written(seed: int, theirs: type[LineStats]) -> None:
    timings = drawn(seed)
    data = write_lprof(timings, 1e-7)
    stats = pickle.loads(data)
    assert type(stats) is theirs
    assert vars(stats) == {"timings": timings, "unit": 1e-7}
    assert list(stats.timings) == list(timings)
    assert read_lprof(data) == (timings, 1e-7)


class Ordered(dict[Any, Any]):
    """A dictionary of another class: read as what it holds."""


def test_what_can_not_be_written_is_said() -> None:
    key, row = ("f.py", 1, "f"), (1, 2, 3)
    assert read_lprof(write_lprof(Ordered({key: [row]}), 1)) == ({key: [row]}, 1.0)
    wrong: list[Any] = [
        {("f.py", 1): [row]},
        {("f.py", "1", "f"): [row]},
        {(b"f.py", 1, "f"): [row]},
        {key: (row,)},
        {key: [(1, 2)]},
        {key: [(1, 2, 3.5)]},
        {key: [[1, 2, 3]]},
        {"f": [row]},
    ]
    for timings in wrong:
        with pytest.raises(TypeError, match=r"write_lprof\(\) takes a dictionary of lists"):
            write_lprof(timings, 1.0)
    with pytest.raises(TypeError):
        write_lprof([], 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        write_lprof({}, "1")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        write_lprof({key: [(1, 2, 2**63)]}, 1.0)


# ---- hostile files ----


class Calls:
    """What pickle would call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def refused(data: bytes) -> str:
    with pytest.raises(FileError) as caught:
        read_lprof(data)
    kind, path, detail = caught.value.args
    assert kind in {"corrupt", "foreign"} and path is None
    return str(detail)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_called(protocol: int, theirs: type[LineStats], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    evil = Calls(os.mkdir, str(trace))
    for value in [evil, theirs({}, evil), theirs(evil, 1), theirs({("f", 1, "f"): evil}, 1)]:
        detail = refused(pickle.dumps(value, protocol))
        assert f"the name {os.mkdir.__module__}.mkdir at byte " in detail or value is evil
    assert not trace.exists()


def test_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bystander.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert refused(b"\x80\x02cbystander\nLineStats\n)\x81.") == (
        "the name bystander.LineStats at byte 2"
    )
    assert "bystander" not in sys.modules


def test_other_objects_are_refused(theirs: type[LineStats]) -> None:
    values: list[Any] = [
        *(None, 1, "text", [], {}, (1, 2), SMALL, {"timings": {}, "unit": 1}),
        *(theirs, theirs({}, None), theirs(None, 1), theirs([], 1), theirs({1: []}, 1)),
        *(theirs({("f", 1, "f"): [(1, 2, 3.0)]}, 1), theirs({("f", 1, "f"): [(1, 2, 2**64)]}, 1)),
        *(theirs({("f", 1, b"f"): []}, 1), theirs({("f", 1, "f"): {}}, 1), [theirs({}, 1)]),
        *(theirs({("f", 1, "f"): [(1, 2, True)]}, 1), theirs({("f", 1, "f"): [(1, 2, 3, 4)]}, 1)),
    ]
    for value in values:
        for protocol in range(2, 6):
            assert refused(pickle.dumps(value, protocol))
    more = theirs({}, 1)
    more.extra = 1  # type: ignore[attr-defined]
    assert refused(pickle.dumps(more)) == "no line statistics"


def test_bytes_that_are_no_text_are_refused() -> None:
    data = write_lprof({("xy", 1, "f"): []}, 1.0).replace(b"xy", b"\xff\xfe")
    assert refused(data) == "a text that is no UTF-8"


def test_each_cut_is_refused(theirs: type[LineStats]) -> None:
    data = pickle.dumps(theirs(SMALL, 1e-6))
    for length in range(len(data)):
        with pytest.raises(FileError) as caught:
            read_lprof(data[:length])
        assert caught.value.args[0] in {"empty", "foreign", "corrupt"}


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_lprof(tmp_path / "nosuch")
    with pytest.raises(OSError):
        load_lprof(str(tmp_path))
    with pytest.raises(TypeError):
        read_lprof(1)  # type: ignore[arg-type]
    for read in (read_lprof, load_lprof):
        with pytest.raises(TypeError):
            read(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="null"):
        read_lprof("a\0b")


# ---- as a Profile ----


def loaded(timings: Timings, unit: float, folder: Path) -> Profile:
    path = folder / "x.lprof"
    path.write_bytes(write_lprof(timings, unit))
    return load_lprof(str(path))


def test_a_profile_has_the_lines(tmp_path: Path) -> None:
    timings: Timings = {
        ("b.py", 1, "f"): [(3, 7, 50), (2, 4, 6)],
        ("a.py", 9, "C.g"): [],
    }
    profile = loaded(timings, 1e-6, tmp_path)
    assert profile.lines() == [
        ("a.py", 9, "C.g", "C.g", 0, []),
        ("b.py", 1, "f", "f", 4, [(2, 4, 6000, 0, 0), (3, 7, 50000, 0, 0)]),
    ]
    assert profile.ended and not profile.torn and profile.functions() == []


@pytest.mark.parametrize("seed", range(10))
def test_what_a_profile_exports_is_what_it_was_loaded_from(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    timings: Timings = {
        (f"{rng.randrange(3)}.py", rng.randrange(1, 99), f"f{at}"): [
            (line, rng.randrange(1, 9) ** 20, rng.getrandbits(62) >> rng.randrange(60))
            for line in sorted(rng.sample(range(1, 500), rng.randrange(20)))
        ]
        for at in range(rng.randrange(1, 9))
    }
    assert read_lprof(loaded(timings, 1e-9, tmp_path).export("lprof")) == (timings, 1e-9)


def test_a_unit_that_is_none_is_refused(tmp_path: Path) -> None:
    for unit in [0.0, -1.0, float("nan"), float("inf")]:
        with pytest.raises(FileError) as caught:
            loaded({}, unit, tmp_path)
        assert caught.value.args[0] == "corrupt"


def test_nothing_leaks(theirs: type[LineStats], tmp_path: Path) -> None:
    data = pickle.dumps(theirs(SMALL, 1e-6))
    evil = pickle.dumps(Calls(os.getpid))

    def work() -> None:
        timings, unit = read_lprof(data)
        write_lprof(timings, unit)
        loaded(timings, unit, tmp_path)
        for function, argument in [(read_lprof, evil), (read_lprof, b""), (load_lprof, "nosuch")]:
            with pytest.raises((FileError, OSError)):
                function(argument)  # type: ignore[operator]
        with pytest.raises(TypeError):
            write_lprof({("f", 1, "f"): [(1, 2, "3")]}, 1)  # type: ignore[list-item]

    assert least_growth(work, 500, 250) <= 250
