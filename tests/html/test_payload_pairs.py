# SPDX-License-Identifier: Apache-2.0
"""The payload of two recordings: rows are matched by what they are, totals are exact on both
sides."""

import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile, prune_columns, sum_column, unite_columns
from fettle.html import payload
from fettle.html.union import Union

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract.synthetic import SAMPLES, Recording, arbitrary

NS = 10**9
Path_ = tuple[str, ...]


def read(recording: Recording, folder: Path) -> Profile:
    return Profile.read(str(recording.write(folder)))


def compared(new: Profile, old: Profile, **options: Any) -> dict[str, Any]:
    found = payload.collect(new, "new", old, "old", has_cost=False, **options)
    return json.loads(json.dumps(found, default=list, allow_nan=False))


def program(*functions: tuple[bytes, int, bytes, int], folder: bytes = b"/app") -> Recording:
    """A main module that calls each: (file, line, name, own time)."""
    recording = Recording(meta=[(b"cwd", folder)])
    recording.process()
    thread = recording.thread()
    top = thread.add(0, recording.code(folder + b"/main.py", 1, b"<module>", b"<module>"), 1, 5)
    for file, line, name, own in functions:
        thread.add(top, recording.code(file, line, name, name), 1, own)
    return recording


def by_label(found: dict[str, Any], key: str) -> dict[str, int]:
    part = found["functions"]
    return dict(zip(part["name"], part[key], strict=True))


def ways(found: dict[str, Any], key: str) -> dict[Path_, int]:
    """Each path of names from the top, with the sum of a column."""
    part, names = found["calls"], found["functions"]["name"]
    paths: list[Path_] = []
    sums: Counter[Path_] = Counter()
    for at, (parent, function) in enumerate(zip(part["parent"], part["function"], strict=True)):
        name = names[function] if function >= 0 else part["text"][str(at)]
        paths.append((*(paths[parent] if parent >= 0 else ()), name))
        sums[paths[at]] += part[key][at]
    assert len(set(paths)) == len(paths)
    return dict(sums)


@pytest.mark.parametrize("seed", range(6))
def test_totals_are_exact_on_both_sides(seed: int, tmp_path: Path) -> None:
    new, old = (read(arbitrary(each), tmp_path) for each in (seed, seed + 100))
    found = compared(new, old)
    for profile, suffix in ((new, ""), (old, "0")):
        rows = profile.tree()
        for key, field in (("own", "own"), ("waiting", "own_waiting"), ("calls", "calls")):
            scale = 1 if key == "calls" else NS
            whole = sum(round(getattr(row, field) * scale) for row in rows)
            assert sum(found["calls"][key + suffix]) == whole
        functions = profile.functions()
        assert sum(found["functions"]["own" + suffix]) == sum(
            round(row.own * NS) for row in functions
        )


@pytest.mark.parametrize("name", ["login", "namesakes", "memory", "lines"])
def test_a_recording_beside_itself(name: str, tmp_path: Path) -> None:
    profile = read(SAMPLES[name](), tmp_path)
    found = compared(profile, profile)
    for part in ("functions", "calls", "memory", "objects", "classes"):
        twins = [key for key in found[part] or {} if key + "0" in found[part]]
        assert twins or not found[part]
        for key in twins:
            assert found[part][key] == found[part][key + "0"], (part, key)
    assert found["lineBytes"] == found["lineBytes0"]
    assert [each["rows"] for each in found["lines"] or []] == [
        each["rows0"] for each in found["lines"] or []
    ]


def test_lines_may_shift(tmp_path: Path) -> None:
    new = program((b"/app/a.py", 20, b"load", 7), (b"/app/a.py", 30, b"save", 2))
    old = program((b"/app/a.py", 10, b"load", 4), (b"/app/a.py", 15, b"gone", 3))
    found = compared(read(new, tmp_path), read(old, tmp_path))
    assert by_label(found, "own") == {"<module>": 5, "load": 7, "save": 2, "gone": 0}
    assert by_label(found, "own0") == {"<module>": 5, "load": 4, "save": 0, "gone": 3}
    above = ("recording", "<module>")
    assert ways(found, "own")[*above, "load"] == 7 and ways(found, "own0")[*above, "load"] == 4


def test_files_that_moved_are_the_same(tmp_path: Path) -> None:
    """From the folder of the program; else where both sides call a file the same."""
    new = program(
        (b"/new/app.py", 1, b"f", 7), (b"/opt/py/json/decoder.py", 1, b"g", 1), folder=b"/new"
    )
    old = program(
        (b"/old/app.py", 1, b"f", 4), (b"/usr/lib/json/decoder.py", 1, b"g", 2), folder=b"/old"
    )
    found = compared(read(new, tmp_path), read(old, tmp_path))
    assert by_label(found, "own0") == {"<module>": 5, "f": 4, "g": 2}
    assert len(found["files"]) == 3


def test_a_file_is_found_from_the_folder_of_its_program(tmp_path: Path) -> None:
    """Its label is another one by now, since another file has its name."""
    new = program((b"/new/util.py", 1, b"f", 7), (b"/new/sub/util.py", 1, b"f", 1), folder=b"/new")
    old = program((b"/old/util.py", 1, b"f", 4), folder=b"/old")
    found = compared(read(new, tmp_path), read(old, tmp_path))
    part = found["functions"]
    rows = sorted(zip(part["name"], part["own"], part["own0"], strict=True))
    assert rows == [("<module>", 5, 5), ("f", 1, 0), ("f", 7, 4)]


def test_files_of_one_name_are_not_the_same(tmp_path: Path) -> None:
    new = program((b"/app/a/util.py", 1, b"f", 7), (b"/app/b/util.py", 1, b"g", 1))
    old = program((b"/app/a/util.py", 1, b"f", 4), (b"/app/c/util.py", 1, b"g", 2))
    found = compared(read(new, tmp_path), read(old, tmp_path))
    part = found["functions"]
    rows = sorted(zip(part["name"], part["own"], part["own0"], strict=True))
    assert rows == [("<module>", 5, 5), ("f", 7, 4), ("g", 0, 2), ("g", 1, 0)]


def test_namesakes_in_a_file_keep_their_order(tmp_path: Path) -> None:
    new = program(*[(b"/app/a.py", line, b"<lambda>", line) for line in (11, 21, 31)])
    old = program(*[(b"/app/a.py", line, b"<lambda>", line) for line in (10, 21, 30)])
    found = compared(read(new, tmp_path), read(old, tmp_path))
    part = found["functions"]
    rows = sorted(zip(part["own"], part["own0"], strict=True))
    assert rows == [(5, 5), (11, 10), (21, 21), (31, 30)]


def test_processes_are_matched_by_what_they_ran(tmp_path: Path) -> None:
    def of(pids: list[int]) -> Profile:
        recording = Recording()
        work = recording.code(b"a.py", 1, b"f", b"f")
        for at, pid in enumerate(pids):
            process = recording.process(pid=pid, command=b"python\0w%d.py" % (at % 2))
            recording.thread(process).add(0, work, 1, pid)
        return read(recording, tmp_path)

    found = compared(of([10, 11, 12]), of([20, 21, 22]))
    rows = list(zip(found["calls"]["own"], found["calls"]["own0"], strict=True))
    assert sorted(rows)[-3:] == [(10, 20), (11, 21), (12, 22)]


def test_two_trees_are_pruned_together(tmp_path: Path) -> None:
    """What is heavy on either side stays, with the numbers of both."""
    codes = [(b"/app/a.py", i + 1, b"f%d" % i, 1) for i in range(60)]
    heavy_now, heavy_then = codes[:], codes[:]
    heavy_now[50] = (*codes[50][:3], 1000)
    heavy_then[51] = (*codes[51][:3], 2000)
    new, old = (read(program(*each), tmp_path) for each in (heavy_now, heavy_then))
    found = compared(new, old, nodes=20)
    part = found["calls"]
    assert len(part["parent"]) <= 20
    own = ways(found, "own"), ways(found, "own0")
    above = ("recording", "<module>")
    assert [each[*above, "f50"] for each in own] == [1000, 1]
    assert [each[*above, "f51"] for each in own] == [1, 2000]
    assert sum(part["own"]) == 5 + 59 + 1000 and sum(part["own0"]) == 5 + 59 + 2000
    assert part["pruned"]["own"] == own[0][*above, "[pruned]"] > 0


def test_lines_are_matched_by_their_source(tmp_path: Path) -> None:
    def of(text: bytes, line: int) -> Profile:
        recording = Recording(meta=[(b"cwd", b"/app")])
        recording.process()
        recording.thread()
        code = recording.code(b"/app/a.py", 1, b"f", b"f")
        recording.lines = [(code, 0, 1, 0, 0, 0), (code, line, 3, line, 0, 0)]
        recording.sources = [(b"/app/a.py", text)]
        return read(recording, tmp_path)

    new = of(b"def f():\n    # new\n    x = 1\n", 3)
    old = of(b"def f():\n    x = 1\n", 2)
    (table,) = compared(new, old)["lines"]
    assert [row[:3] for row in table["rows"]] == [[3, 3, 3]]
    assert [row[:3] for row in table["rows0"]] == [[3, 3, 2]]


def test_one_side_without_a_part(tmp_path: Path) -> None:
    calls, memory = (read(SAMPLES[name](), tmp_path) for name in ("login", "memory"))
    for new, old in ((calls, memory), (memory, calls)):
        found = compared(new, old)
        suffix = "0" if old is memory else ""
        heap = sum(min(row.total_bytes, 2**63 - 1) for row in memory.sites())
        assert sum(found["memory"]["totalBytes" + suffix]) == heap


@pytest.mark.parametrize("seed", range(30))
def test_union_is_what_a_search_finds(seed: int) -> None:
    source = random.Random(seed)
    trees = []
    for _ in range(2):
        count = source.randrange(0, 60)
        parent = [source.randrange(-1, at) for at in range(count)]
        trees.append((parent, [source.randrange(-2, 3) for _ in range(count)]))
    both = Union(*trees[0], *trees[1])

    def path(parent: Any, key: Any, at: int) -> tuple[int, ...]:
        return (*path(parent, key, parent[at]), key[at]) if at >= 0 else ()

    paths = [path(both.parent, both.key, at) for at in range(len(both.parent))]
    wanted = {path(*tree, at) for tree in trees for at in range(len(tree[0]))}
    assert len(paths) == len(set(paths)) and set(paths) == wanted
    for tree, places in zip(trees, (both.of_new, both.of_old), strict=True):
        assert [paths[at] for at in places] == [path(*tree, at) for at in range(len(tree[0]))]
        sums: Counter[int] = Counter()
        for at, place in enumerate(places):
            sums[place] += at
        assert list(both.summed(range(len(places)), places)) == [
            sums[at] for at in range(len(paths))
        ]


def columns(*lists: list[int]) -> list[bytes]:
    return [b"".join(one.to_bytes(8, "little", signed=True) for one in each) for each in lists]


def test_columns_that_are_no_tree_are_refused() -> None:
    for parent, key in (([0], [1]), ([-1, 2], [1, 1]), ([-2], [1]), ([-1], [2**31])):
        with pytest.raises(ValueError, match="parent must come before"):
            unite_columns(*columns(parent, key), *columns([], []))
    with pytest.raises(ValueError, match="equal lengths"):
        unite_columns(*columns([-1], []), *columns([], []))
    with pytest.raises(ValueError, match="buffer of int64"):
        unite_columns(b"abc", b"abc", b"", b"")
    with pytest.raises(ValueError, match="parent must come before"):
        prune_columns(*columns([-1, -1], [1, 1], [1, 1]), 1, 9)  # siblings with one key
    with pytest.raises(ValueError, match="parent must come before"):
        prune_columns(*columns([-1], [1], [1]), 0, 9)
    for places, count in (([1], 1), ([-1], 1), ([0], 0)):
        with pytest.raises(ValueError, match="place must be"):
            sum_column(*columns([1], places), count)
    with pytest.raises(ValueError, match="count of 0 or more"):
        sum_column(*columns([], []), -1)
    with pytest.raises(TypeError):
        unite_columns(None, None, None, None)  # type: ignore[arg-type]


def test_sums_stop_at_the_ends() -> None:
    most = 2**63 - 1
    assert sum_column(*columns([most, 5], [0, 0]), 1) == columns([most])[0]
    assert sum_column(*columns([-most, -5], [0, 0]), 1) == columns([-most - 1])[0]
