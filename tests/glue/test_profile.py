# SPDX-License-Identifier: Apache-2.0
"""fettle._core.Profile: what it gives is what was recorded, what it refuses is said."""

import ast
import contextlib
import copy
import errno
import gc
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle import _core
from fettle._core import FileError, Profile

sys.path.append(str(Path(__file__).parents[1]))  # the recordings and their oracle are shared
from contract import oracle, synthetic
from contract.spelling import text

from tests.leaks import least_growth

STUB = Path(__file__).parents[2] / "python" / "fettle" / "_core.pyi"
HEADER = synthetic.header()
MEMORY = ["heaps", "sites", "moments", "points", "objects", "classes"]
TABLES = ["meta", "functions", "edges", "tree", "totals", "processes", "threads", "notes", "lines"]
TABLES += MEMORY


def read(recording: synthetic.Recording, folder: Path) -> Profile:
    return Profile.read(str(recording.write(folder)))


def rows_of(recording: synthetic.Recording) -> list[tuple[Any, ...]]:
    functions, _ = oracle.tables(recording)
    rows = []
    for code, sums in sorted(functions.items()):
        c = recording.codes[code]
        times = [sums.own, sums.cumulative, sums.own_waiting, sums.cumulative_waiting]
        times += [sums.own_awaited, sums.cumulative_awaited]
        seconds = [ns / 1e9 for ns in times]
        names = text(c.file), c.line, text(c.name), text(c.qualname)
        rows.append((*names, sums.calls, sums.primitive, *seconds))
    return rows


# ---- tables ----


@pytest.mark.parametrize("sample", synthetic.SAMPLES)
def test_functions_are_those_of_the_tree(sample: str, tmp_path: Path) -> None:
    recording = synthetic.SAMPLES[sample]()
    assert read(recording, tmp_path).functions() == rows_of(recording)


@pytest.mark.parametrize("sample", synthetic.SAMPLES)
def test_edges_are_those_of_the_tree(sample: str, tmp_path: Path) -> None:
    recording = synthetic.SAMPLES[sample]()
    functions, edges = oracle.tables(recording)
    places = {code: place for place, code in enumerate(sorted(functions))}
    expected = []
    for (caller, callee), sums in sorted(edges.items(), key=lambda item: item[0][::-1]):
        times = [sums.own, sums.cumulative, sums.own_waiting, sums.cumulative_waiting]
        times += [sums.own_awaited, sums.cumulative_awaited]
        seconds = [ns / 1e9 for ns in times]
        ends = places.get(caller, -1), places[callee]
        expected.append((*ends, sums.calls, sums.primitive, *seconds))
    assert read(recording, tmp_path).edges() == expected


def test_a_caller_without_a_row_is_nobody(tmp_path: Path) -> None:
    """Its own calls were lost or never counted: only the edge names it."""
    recording = synthetic.Recording()
    recording.process()
    lost = recording.code(b"a.py", 1, b"lost")
    kept = recording.code(b"a.py", 2, b"kept")
    thread = recording.thread()
    thread.add(thread.add(0, lost, 0), kept, 3)
    profile = read(recording, tmp_path)
    assert [row.name for row in profile.functions()] == ["kept"]
    assert [row[:3] for row in profile.edges()] == [(-1, 0, 3)]


def paths_of(recording: synthetic.Recording) -> list[tuple[Any, ...]]:
    """What the call rows of the whole tree must say: the path, its calls and times, and whether."""
    rows = []
    for thread in recording.threads:
        for at in range(1, len(thread.nodes)):
            below = [
                node
                for id, node in enumerate(thread.nodes)
                if at in oracle.path_to(thread, id) and recording.codes[node.code].kind <= 2
            ]
            node = thread.nodes[at]
            own = node if node in below else synthetic.Node(0, 0, 0, 0)
            if not any(each.own | each.waiting for each in below) and not own.calls:
                continue
            times = [own.own, sum(each.own for each in below)]
            times += [own.waiting, sum(each.waiting for each in below)]
            path = tuple(named(recording, thread.nodes[id]) for id in oracle.path_to(thread, at))
            seconds = [min(ns, oracle.LARGEST) / 1e9 for ns in times]
            rows.append((path, own.calls, *seconds))
    return sorted(rows)


def named(recording: synthetic.Recording, node: synthetic.Node) -> tuple[Any, ...]:
    code = recording.codes[node.code]
    return text(code.file), code.line, text(code.name), text(code.qualname)


@pytest.mark.parametrize(
    "recording",
    [
        *(synthetic.SAMPLES[name]() for name in ("login", "namesakes", "hostile", "extremes")),
        synthetic.folded(),
        synthetic.arbitrary(3, nodes=60),
    ],
)
def test_the_tree_is_that_of_the_threads(recording: synthetic.Recording, tmp_path: Path) -> None:
    rows = read(recording, tmp_path).tree()
    paths: list[tuple[Any, ...]] = []
    got = []
    for row in rows:
        calls = row.kind in {"call", "task", "folded", "folded again"}
        above = paths[row.parent] if row.parent >= 0 else ()
        paths.append((*above, row[3:7]) if calls else above)
        if calls:
            got.append((paths[-1], *row[7:12]))
        assert row[12:] == (0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert sorted(got) == paths_of(recording)
    assert rows[0][:7] == ("recording", -1, -1, "", 0, "", "")


def test_processes_and_threads_of_the_tree(tmp_path: Path) -> None:
    recording = synthetic.arbitrary(0)
    top = [row for row in read(recording, tmp_path).tree() if row.kind in {"process", "thread"}]
    processes = [row.place for row in top if row.kind == "process"]
    assert processes == sorted({thread.process for thread in recording.threads})
    by_process = [thread.process for thread in recording.threads]
    several = [at for at, one in enumerate(by_process) if by_process.count(one) > 1]
    assert [row.place for row in top if row.kind == "thread"] == several
    assert [row.name for row in top if row.kind == "thread"] == [
        text(recording.threads[at].name) for at in several
    ]


def test_the_wanted_of_the_tree(tmp_path: Path) -> None:
    profile = read(synthetic.login(), tmp_path)
    wanted = bytes(row.name == "fact" for row in profile.functions())
    rows = profile.tree(0.0, 0, wanted)
    assert [row.name for row in rows] == ["", "<module>", "main_app", "fact", "fact"]
    assert [row.folded_calls for row in rows] == [0, 0, 6, 0, 1]
    assert [row.name for row in profile.tree(0.0, 2, None)] == ["", "<module>", "main_app"]
    assert len(profile.tree(0.0, 0, bytes(len(wanted)))) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((-0.1,), ValueError),
        ((1.1,), ValueError),
        ((float("nan"),), ValueError),
        ((0.0, -1), ValueError),
        ((0.0, 0, b"\1"), ValueError),
        ((0.0, 0, bytes(6)), ValueError),
        ((0.0, 0, "text"), TypeError),
        (("much",), TypeError),
        ((0.0, 0, None, 1), TypeError),
        ((0.0, 1 << 80), OverflowError),
    ],
)
def test_trees_that_can_not_be(
    arguments: tuple[Any, ...], error: type[Exception], tmp_path: Path
) -> None:
    profile = read(synthetic.login(), tmp_path)
    assert len(profile.functions()) == 5
    with pytest.raises(error):
        profile.tree(*arguments)
    assert len(profile.tree(0.0, 1 << 40)) == 8


@pytest.mark.parametrize("sample", ["empty", "login", "folded", "arbitrary 1", "hostile"])
def test_totals_are_the_sums_of_the_functions(sample: str, tmp_path: Path) -> None:
    recording = synthetic.SAMPLES[sample]()
    functions, _ = oracle.tables(recording)
    totals = read(recording, tmp_path).totals()
    assert totals == (
        sum(f.calls for f in functions.values()),
        sum(f.primitive for f in functions.values()),
        sum(f.own for f in functions.values()) / 1e9,
        sum(f.own_waiting for f in functions.values()) / 1e9,
        sum(len(thread.nodes) for thread in recording.threads),
    )


@pytest.mark.parametrize("sample", synthetic.SAMPLES)
def test_processes_threads_notes_and_meta(sample: str, tmp_path: Path) -> None:
    r = synthetic.SAMPLES[sample]()
    profile = read(r, tmp_path)
    assert profile.processes() == [
        (
            p.pid,
            p.parent_pid,
            tuple(map(text, p.command.split(b"\0"))) if p.command else (),
            text(p.python),
            p.started / 1e9,
            p.elapsed / 1e9,
        )
        for p in r.processes
    ]
    assert profile.threads() == [
        (
            t.process,
            text(t.name),
            t.uses,
            len(t.nodes),
            sum(node.calls for node in t.nodes),
            sum(node.own for node in t.nodes) / 1e9,
            sum(node.waiting for node in t.nodes) / 1e9,
        )
        for t in r.threads
    ]
    assert [note[1:] for note in profile.notes()] == [note[1:] for note in r.notes]
    assert profile.meta() == {text(key): text(value) for key, value in r.meta}


def test_notes_have_names(tmp_path: Path) -> None:
    r = synthetic.Recording()
    r.process()
    r.notes = [(kind, 0, kind) for kind in [*range(1, 18), 2**32 - 1]]
    assert [note.kind for note in read(r, tmp_path).notes()] == [
        "folded",
        "disk full",
        "no tool id",
        "hook taken",
        "still running",
        "torn",
        "deep stack",
        "out of memory",
        "children lost",
        "never started",
        "too many lines",
        "tracer taken",
        "allocator taken",
        "no shadow",
        "interpreters",
        "collections",
        "note 17",
        "note 4294967295",
    ]


def test_a_new_profile_is_empty() -> None:
    profile = Profile()
    for table in [
        profile.functions,
        profile.edges,
        profile.threads,
        profile.processes,
        profile.notes,
        profile.lines,
        *(getattr(profile, table) for table in MEMORY),
    ]:
        assert table() == []
    assert profile.meta() == {}
    assert profile.totals() == (0, 0, 0.0, 0.0, 0)
    assert (profile.ended, profile.torn, profile.newer_chunks) == (False, False, 0)


# ---- lines and sources ----


def tables_of(recording: synthetic.Recording) -> list[tuple[Any, ...]]:
    tables: dict[int, dict[int, list[int]]] = {}
    for code, line, *numbers in recording.lines:
        sums = tables.setdefault(code, {}).setdefault(line, [0] * 4)
        tables[code][line] = [
            min(a + b, oracle.LARGEST) for a, b in zip(sums, numbers, strict=True)
        ]
    rows = []
    for code, lines in tables.items():
        c = recording.codes[code]
        calls = lines.pop(0, [0])[0]
        of_lines = [(line, *numbers) for line, numbers in sorted(lines.items())]
        rows.append((text(c.file), c.line, text(c.name), text(c.qualname), calls, of_lines))
    return sorted(rows)


@pytest.mark.parametrize("make", [synthetic.lines, synthetic.lines_only, synthetic.login])
def test_lines_are_the_tables_of_functions(
    make: Callable[[], synthetic.Recording], tmp_path: Path
) -> None:
    recording = make()
    profile = read(recording, tmp_path)
    assert profile.lines() == tables_of(recording)
    assert profile.lines() == tables_of(recording)  # sorted by now
    merged = Profile()
    merged.merge(profile)
    merged.merge(profile)
    recording.lines *= 2
    assert merged.lines() == tables_of(recording)


def test_sources(tmp_path: Path) -> None:
    for recording in [synthetic.lines(), synthetic.lines_only()]:
        profile = read(recording, tmp_path)
        first: dict[str, str] = {}
        for name, source in recording.sources:
            first.setdefault(text(name), text(source))
        assert {name: profile.source(name) for name in first} == first
        assert profile.source("elsewhere.py") is None


def test_sources_are_set_once() -> None:
    profile = Profile()
    sources = {"a.py": "print()\n", "": "", "é 🐍.py": "a\0b", "a\0b": "caf\\udce9"}
    for name, source in sources.items():
        profile.set_source(name, source)
        profile.set_source(name, "something else")
    assert {name: profile.source(name) for name in sources} == sources
    profile.set_source("lone \udcff.py", "\ud800")
    assert profile.source("lone \\udcff.py") == "\\ud800"
    for wrong in [("a",), ("a", b"b"), (None, "b")]:
        with pytest.raises(TypeError):
            profile.set_source(*wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes the name of a file, not bytes"):
        profile.source(b"a.py")  # type: ignore[arg-type]


def test_more_sources_than_are_kept() -> None:
    profile = Profile()
    for i in range(8200):
        profile.set_source(f"{i}.py", "")
    assert (profile.source("8191.py"), profile.source("8192.py")) == ("", None)


# ---- the stub and the types ----


def stub_classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse(STUB.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def fields(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(line.target) for line in node.body if isinstance(line, ast.AnnAssign)]


def annotated(name: str) -> list[ast.AnnAssign]:
    return [line for line in stub_classes()[name].body if isinstance(line, ast.AnnAssign)]


def stub_rows() -> dict[str, list[str]]:
    return {
        name: fields(node)
        for name, node in stub_classes().items()
        if "structseq[Any]" in map(ast.unparse, node.bases)
    }


@pytest.mark.parametrize("name", stub_rows())
def test_rows_are_tuples_with_the_names_of_the_stub(name: str) -> None:
    names = stub_rows()[name]
    row_type = getattr(_core, name)
    row = row_type(range(len(names)))
    assert isinstance(row, tuple) and row == tuple(range(len(names)))
    assert [getattr(row, field) for field in names] == list(row)
    assert (row_type.__module__, row_type.__name__) == ("fettle._core", name)
    assert len({row, tuple(row)}) == 1
    first, *_ = row
    assert first == 0 and row[1:] == tuple(range(1, len(names)))
    assert pickle.loads(pickle.dumps(row)) == row
    of_tuple = ast.unparse(stub_classes()[name].bases[1])
    in_order = ", ".join(ast.unparse(line.annotation)[6:-1] for line in annotated(name))
    assert of_tuple == f"tuple[{in_order}]", "what it is unpacked into, and its names"
    assert not any(hasattr(row, more) for more in ("_fields", "_asdict", "_replace"))


def test_the_profile_has_what_the_stub_says() -> None:
    members = stub_classes()["Profile"].body
    names = [m.name for m in members if isinstance(m, ast.FunctionDef)]
    names += fields(stub_classes()["Profile"])
    assert all(getattr(Profile, name).__doc__ for name in names)


def test_the_profile_is_final() -> None:
    with pytest.raises(TypeError):
        type("Mine", (Profile,), {})
    with pytest.raises(TypeError):
        Profile.more = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Profile().more = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Profile().ended = True
    for arguments in [(1,), ("path",)]:
        with pytest.raises(TypeError, match="takes no arguments"):
            Profile(*arguments)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        copy.copy(Profile())
    with pytest.raises(TypeError):
        pickle.dumps(Profile())


# ---- reading ----


def test_any_kind_of_path(tmp_path: Path) -> None:
    path = synthetic.login().write(tmp_path)
    odd = tmp_path / os.fsdecode(b"caf\xe9.fettle")
    odd.write_bytes(path.read_bytes())
    for each in [str(path), os.fsencode(path), path, odd, str(odd)]:
        assert len(Profile.read(each).functions()) == 5  # type: ignore[arg-type]


def test_paths_that_are_none() -> None:
    for wrong, error in [(1, TypeError), (None, TypeError), ("a\0b", ValueError)]:
        with pytest.raises(error):
            Profile.read(wrong)  # type: ignore[arg-type]


def test_what_the_system_refuses_is_an_os_error(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)  # nobody writes to it: opening it must not wait
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, number in [
        (tmp_path / "missing", errno.ENOENT),
        (tmp_path, errno.EISDIR),
        (fifo, errno.EINVAL),
        (Path("/dev/null"), errno.EINVAL),
        (loop, errno.ELOOP),
    ]:
        with pytest.raises(OSError) as caught:
            Profile.read(str(path))
        assert (caught.value.errno, caught.value.filename) == (number, str(path))
        assert caught.value.strerror
    with pytest.raises(FileNotFoundError):
        Profile.read(str(tmp_path / "missing"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = synthetic.login().write(tmp_path)
    path.chmod(0)
    with pytest.raises(PermissionError):
        Profile.read(str(path))


def newer() -> bytes:
    start = HEADER[:8] + b"\x63\0\0\0"
    return start + synthetic.u32(synthetic.crc32c(start))


CODE_OF_NO_TEXT = synthetic.chunk(b"CODE", synthetic.varints(1, 77, 77, 77, 1), 0)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"x", "foreign"),
        (b"#!/usr/bin/env python3\nprint()\n", "foreign"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "foreign"),
        (newer(), "newer"),
        (HEADER + CODE_OF_NO_TEXT, "corrupt"),
    ],
)
def test_files_that_are_refused(content: bytes, kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "it.fettle")
    Path(path).write_bytes(content)
    with pytest.raises(FileError) as caught:
        Profile.read(path)
    got, where, detail = caught.value.args
    assert (got, where) == (kind, path)
    assert detail and isinstance(detail, str)
    assert not isinstance(caught.value, OSError)


def test_a_file_larger_than_any_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.fettle"
    path.write_bytes(HEADER)
    os.truncate(path, (4 << 30) + 1)  # sparse: it takes no room
    with pytest.raises(FileError) as caught:
        Profile.read(str(path))
    assert caught.value.args[0] == "limit"
    path.write_bytes(b"a film")
    os.truncate(path, (4 << 30) + 1)
    with pytest.raises(FileError) as caught:
        Profile.read(str(path))
    assert caught.value.args[0] == "foreign"


def test_a_cut_file_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    recording = synthetic.login()
    whole = synthetic.file_bytes(recording)
    tree_ends = whole.index(b"END ")
    path = tmp_path / "cut.fettle"
    for length in [*range(len(HEADER), len(whole), 31), tree_ends, len(whole) - 1]:
        path.write_bytes(whole[:length])
        profile = Profile.read(str(path))
        assert not profile.ended
        assert profile.functions() == (rows_of(recording) if length >= tree_ends else [])
    path.write_bytes(whole[:-1])
    assert Profile.read(str(path)).torn
    path.write_bytes(synthetic.file_bytes(recording, ended=False))
    profile = Profile.read(str(path))
    assert (profile.ended, profile.torn) == (False, False)
    path.write_bytes(whole)
    profile = Profile.read(str(path))
    assert (profile.ended, profile.torn) == (True, False)


def test_parts_by_a_newer_fettle_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "newer.fettle"
    path.write_bytes(HEADER + synthetic.chunk(b"????", b"what?", 0, flags=1))
    assert Profile.read(str(path)).newer_chunks == 1


def test_is_fettle() -> None:
    whole = synthetic.file_bytes(synthetic.login())
    for first_bytes in [whole, whole[:16], bytearray(whole), memoryview(whole)[:16]]:
        assert _core.is_fettle(first_bytes) is True  # type: ignore[arg-type]
    for first_bytes in [b"", b"\x89", b"\x89PNG\r\n\x1a\n" + bytes(8), b"#!/bin/sh", bytes(16)]:
        assert _core.is_fettle(first_bytes) is False
    with pytest.raises(TypeError):
        _core.is_fettle("text")  # type: ignore[arg-type]


# ---- changing and writing ----


def test_meta() -> None:
    profile = Profile()
    for key, value in [("git", "a1b2"), ("", ""), ("ключ", "значение 🐍"), ("git", "c3d4")]:
        profile.set_meta(key, value)
    profile.set_meta("lone", "caf\udce9 \ud800")
    assert profile.meta() == {
        "git": "c3d4",
        "": "",
        "ключ": "значение 🐍",
        "lone": "caf\\udce9 \\ud800",
    }
    for key, value in [("a\0", "b"), ("a", "\0")]:
        with pytest.raises(ValueError, match="NUL"):
            profile.set_meta(key, value)
    for wrong in [("a",), ("a", "b", "c"), ("a", b"b"), (1, "b")]:
        with pytest.raises(TypeError):
            profile.set_meta(*wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", synthetic.SAMPLES)
def test_what_is_appended_is_read_again(sample: str, tmp_path: Path) -> None:
    profile = read(synthetic.SAMPLES[sample](), tmp_path)
    with open(tmp_path / "again", "wb") as file:
        profile.begin(file.fileno())
        begun = Profile.read(file.name)
        profile.append(file.fileno())
    assert begun.meta() == profile.meta() and not begun.ended and not begun.torn
    again = Profile.read(file.name)
    assert again.ended and not again.torn
    for table in TABLES:
        assert getattr(again, table)() == getattr(profile, table)()
    assert again.export("json") == profile.export("json")


@pytest.mark.parametrize("method", [Profile.begin, Profile.append])
def test_where_nothing_can_be_written(method: Callable[..., None], tmp_path: Path) -> None:
    profile = read(synthetic.login(), tmp_path)
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError) as caught:
        method(profile, full.fileno())
    assert caught.value.errno == errno.ENOSPC
    (tmp_path / "file").touch()
    with open(tmp_path / "file", "rb") as read_only, pytest.raises(OSError) as caught:
        method(profile, read_only.fileno())
    assert caught.value.errno == errno.EBADF
    for wrong in ["file", None, 1.5]:
        with pytest.raises(TypeError):
            method(profile, wrong)
    with pytest.raises(ValueError):
        method(profile, -1)


def test_merge_adds_all(tmp_path: Path) -> None:
    one, other = synthetic.login(), synthetic.arbitrary(7)
    merged = read(one, tmp_path)
    merged.set_meta("command", "mine")
    merged.merge(read(other, tmp_path))
    assert sorted(merged.functions()) == sorted(rows_of(one) + rows_of(other))
    assert len(merged.threads()) == len(one.threads) + len(other.threads)
    assert [row.process for row in merged.threads()] == [0] + [1 + t.process for t in other.threads]
    assert merged.meta()["command"] == "mine"
    merged.merge(read(one, tmp_path))
    calls = {row[:4]: row.calls for row in merged.functions()}
    assert all(calls[row[:4]] == 2 * row[4] for row in rows_of(one))


def test_a_merged_profile_is_whole_if_both_were(tmp_path: Path) -> None:
    whole = synthetic.login().write(tmp_path)
    torn = tmp_path / "torn"
    torn.write_bytes(whole.read_bytes()[:-1])
    for first, second in [(whole, whole), (whole, torn), (torn, whole), (torn, torn)]:
        profile = Profile.read(str(first))
        profile.merge(Profile.read(str(second)))
        assert profile.ended == (first == second == whole)
        assert profile.torn == (torn in (first, second))


def test_what_can_not_be_merged(tmp_path: Path) -> None:
    profile = read(synthetic.login(), tmp_path)
    with pytest.raises(ValueError, match="itself"):
        profile.merge(profile)
    with pytest.raises(TypeError):
        profile.merge(None)  # type: ignore[arg-type]
    assert profile.functions() == rows_of(synthetic.login())


def test_harvest_of_nothing(tmp_path: Path) -> None:
    profile = Profile()
    assert profile.harvest(str(tmp_path)) == 0
    with pytest.raises(FileNotFoundError) as caught:
        profile.harvest(str(tmp_path / "missing"))
    assert caught.value.filename == str(tmp_path / "missing")


# ---- one call at a time ----


@contextlib.contextmanager
def exported_all_the_time(profile: Profile) -> Iterator[None]:
    stop = threading.Event()

    def export() -> None:
        while not stop.is_set():
            with contextlib.suppress(RuntimeError):  # it may meet another call at work
                profile.export("json")

    thread = threading.Thread(target=export)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except RuntimeError as error:
        return "at work in another call" in str(error)
    return False


def test_a_second_call_meanwhile_is_refused(tmp_path: Path) -> None:
    """Each method is called until it meets an export at work."""
    profile, other = read(synthetic.arbitrary(1, nodes=20_000), tmp_path), Profile()
    with exported_all_the_time(profile), open(tmp_path / "out", "wb") as file:
        calls: list[Callable[[], object]] = [
            profile.functions,
            profile.edges,
            profile.tree,
            profile.totals,
            profile.processes,
            profile.threads,
            profile.notes,
            profile.meta,
            profile.lines,
            lambda: profile.source("a.py"),
            lambda: profile.set_source("a.py", "b"),
            lambda: profile.set_meta("a", "b"),
            lambda: profile.export("pstats"),
            lambda: profile.begin(file.fileno()),
            lambda: profile.append(file.fileno()),
            lambda: profile.merge(other),
            lambda: Profile().merge(profile),
            lambda: profile.harvest(str(tmp_path)),
        ]
        for call in calls:
            assert any(refused(call) for _ in range(10_000))
    other.merge(profile)
    assert other.totals() == profile.totals()  # a refused merge leaves neither of them busy


# ---- nothing leaks ----


def mistakes(other: Profile, folder: Path) -> list[Callable[[], object]]:
    return [
        lambda: Profile.read(str(folder)),
        lambda: Profile.read(str(folder / "missing")),
        lambda: Profile.read(__file__),
        lambda: Profile.read(1),  # type: ignore[arg-type]
        lambda: other.export("nothing"),
        lambda: other.tree(2.0),
        lambda: other.tree(0.0, 0, b""),
        lambda: other.tree(0.0, 0, 1),  # type: ignore[arg-type]
        lambda: other.prune(-1),
        lambda: other.prune("1"),  # type: ignore[arg-type]
        lambda: other.merge(other),
        lambda: other.merge(1),  # type: ignore[arg-type]
        lambda: other.set_meta("a\0", ""),
        lambda: other.set_meta("a"),  # type: ignore[call-arg]
        lambda: other.set_source("a"),  # type: ignore[call-arg]
        lambda: other.source(1),  # type: ignore[arg-type]
        lambda: other.append(12345),
        lambda: other.begin("x"),  # type: ignore[arg-type]
        lambda: other.harvest(str(folder / "missing")),
        lambda: Profile(1),  # type: ignore[call-arg]
        lambda: _core.is_fettle(1),  # type: ignore[arg-type]
    ]


def exercise(profile: Profile, path: str, folder: Path) -> None:
    """Every method, with success and with each kind of failure."""
    other = Profile.read(path)
    for table in TABLES:
        getattr(other, table)()
        getattr(profile, table)()
    for name, *_ in _core.exporters():
        other.export(name)
    other.tree(0.5, 3, bytes(len(other.functions())))
    other.prune(1)
    other.merge(profile)
    other.set_meta("key", "value")
    other.set_source("a.py", "text")
    assert other.source("a.py") == "text" and other.source("b.py") is None
    with open(folder / "leak", "wb") as file:
        other.begin(file.fileno())
        other.append(file.fileno())
    _core.is_fettle(HEADER)
    _ = other.ended, other.torn, other.newer_chunks
    other.harvest(str(folder))
    for call in mistakes(other, folder):
        with pytest.raises((OSError, FileError, TypeError, ValueError)):
            call()


def test_nothing_leaks(tmp_path: Path) -> None:
    profile = read(synthetic.lines_only(), tmp_path)
    profile.merge(read(synthetic.memory(), tmp_path))
    path = str(synthetic.arbitrary(3).write(tmp_path))
    arenas = tmp_path / "arenas"
    arenas.mkdir()

    types = [Profile, FileError, _core.FunctionRow, _core.Totals, _core.NoteRow]
    types += [_core.SiteRow, _core.PointRow, _core.ObjectRow, _core.ClassRow]

    def work() -> None:
        exercise(profile, path, arenas)

    assert least_growth(work, 40, 39) < 40
    assert least_growth(work, 40, 39, lambda: len(gc.get_objects())) < 40
    before = [sys.getrefcount(each) for each in types]
    for _ in range(40):
        work()
    gc.collect()
    assert [sys.getrefcount(each) for each in types] == before


def test_segments_are_not_more_than_memory_bears(tmp_path: Path) -> None:
    """A header alone is a segment, and a Profile takes a hundred times as much."""
    path = tmp_path / "many.fettle"
    path.write_bytes(HEADER * 1000)
    assert len(_core.read_segments(str(path))) == Profile.read(str(path)).segments == 1000
    path.write_bytes(HEADER * (2**16 + 1))
    with pytest.raises(FileError) as caught:
        _core.read_segments(str(path))
    assert caught.value.args[:2] == ("limit", str(path))


def test_totals_are_those_of_what_is_there_by_now(tmp_path: Path) -> None:
    one, other = synthetic.login(), synthetic.arbitrary(3)
    merged = read(one, tmp_path)
    before = [tuple(merged.totals()), tuple(merged.totals())]
    merged.merge(read(other, tmp_path))
    sums = [sum(row.calls for row in merged.functions()), merged.totals().calls]
    assert before[0] == before[1] != tuple(merged.totals())
    assert sums[0] == sums[1] > before[0][0]
