# SPDX-License-Identifier: Apache-2.0
"""Trace events as Perfetto itself sees them: its trace processor, asked in SQL."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile

from . import chrome, consumers
from .chromium import Chromium
from .oracle import path_to
from .perfetto import TraceProcessor
from .synthetic import SAMPLES, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs

SLICES = """
select slice.id, slice.parent_id, slice.name, category, ts, dur, track_id,
    extract_arg(slice.arg_set_id, 'args.file'), extract_arg(slice.arg_set_id, 'args.line'),
    extract_arg(slice.arg_set_id, 'args.calls'), extract_arg(slice.arg_set_id, 'args.own_ns'),
    extract_arg(slice.arg_set_id, 'args.waiting_ns'),
    pid, process.name, tid, thread.name
from slice join thread_track on track_id = thread_track.id
    join thread using (utid) join process using (upid)
order by slice.id
"""
COUNTERS = """
select pid, process.name, process_counter_track.name, ts, value
from counter join process_counter_track on process_counter_track.id = track_id
    join process using (upid)
"""
POINTS = """
select pid, process.name, slice.name, ts, extract_arg(slice.arg_set_id, 'args.live_count'),
    extract_arg(slice.arg_set_id, 'args.live_bytes'), extract_arg(slice.arg_set_id, 'args.rss')
from slice join process_track on track_id = process_track.id join process using (upid)
"""
PROBLEMS = "select name, value from stats where severity in ('error', 'data_loss') and value > 0"


@pytest.fixture(scope="module")
def perfetto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceProcessor]:
    folder, chromium = Path(consumers.path("perfetto")), consumers.path("chromium")
    with (
        Chromium(chromium, tmp_path_factory.mktemp("browser")) as browser,
        TraceProcessor(browser, folder) as perfetto,
    ):
        yield perfetto


def load(perfetto: TraceProcessor, recording: Recording, folder: Path) -> None:
    perfetto.load(Profile.read(str(recording.write(folder))).export("chrome"))
    assert perfetto.query(PROBLEMS) == []


def shown(text: str) -> str:
    """Perfetto unescapes what holds an escaped quote, and nothing else."""
    if '"' in text:
        return text
    escaped = "".join(
        json.dumps(sign)[1:-1] if sign < " " or sign in "\\\x7f\u2028\u2029" else sign
        for sign in text
    )
    return escaped.replace("\\n", "\\u000a").replace("\\r", "\\u000d").replace("\\t", "\\u0009")


def expected(recording: Recording) -> Counter[tuple[Any, ...]]:
    seen: Counter[tuple[Any, ...]] = Counter()
    frames = [chrome.frame(code) for code in recording.codes]
    for number, thread in enumerate(recording.threads, 1):
        pid, label = chrome.label(recording, thread.process)
        whole = [node.own for node in thread.nodes]
        for at in range(len(whole) - 1, 0, -1):
            whole[thread.nodes[at].parent] += whole[at]
        for at, node in enumerate(thread.nodes[1:], 1):
            path = [frames[thread.nodes[id].code] for id in path_to(thread, at)]
            names = tuple(shown(name) for name, *_ in path)
            _, category, file, line = path[-1]
            place = (shown(file), line) if category == "python" else (None, None)
            numbers = node.calls, node.own, node.waiting
            whose = pid, shown(label), number, chrome.text(thread.name)
            seen[
                names if whole[at] else names[-1:], category, whole[at], place, numbers, whose
            ] += 1
    return seen


# Its times are signed numbers of 64 bits.
@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample != "extremes"])
def test_every_path_with_its_numbers(perfetto: TraceProcessor, sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    for thread in recording.threads:
        thread.name = thread.name.replace(b"\0", b"")
    load(perfetto, recording, tmp_path)
    paths: dict[int, tuple[str, ...]] = {}
    seen: Counter[tuple[Any, ...]] = Counter()
    ends: Counter[int] = Counter()
    for id, parent, called, category, start, length, track, file, line, *rest in perfetto.query(
        SLICES
    ):
        paths[id] = (*paths.get(parent, ()), called)
        numbers, (pid, label, tid, thread) = tuple(rest[:3]), rest[3:]
        place = paths[id] if length else paths[id][-1:], category, length
        seen[*place, (file, line), numbers, (pid, label, tid, thread)] += 1
        ends[track] = max(ends[track], start + length)
    assert seen == expected(recording)
    totals = [sum(node.own for node in thread.nodes) for thread in recording.threads]
    assert sorted(ends.values()) == sorted(totals)


def test_memory_over_time(perfetto: TraceProcessor, tmp_path: Path) -> None:
    recording = SAMPLES["memory"]()
    recording.memory.moments = [(0, 0, 10, 2**20), (0, 5, 20, 2**21), (1, 5, 2**53, 0)]
    load(perfetto, recording, tmp_path)
    assert perfetto.query(SLICES) == []
    assert Counter(perfetto.query(COUNTERS)) == Counter(
        (*chrome.label(recording, process), f"{what} memory bytes", time, value)
        for process, time, live, resident in recording.memory.moments
        for what, value in [("live", live), ("resident", resident)]
    )
    assert Counter(perfetto.query(POINTS)) == Counter(
        (*chrome.label(recording, process), shown(chrome.text(point)) or None, *numbers)
        for process, point, *numbers in recording.memory.points
    )


def test_garbage_collections(perfetto: TraceProcessor, tmp_path: Path) -> None:
    """Beside the calls, in a thread of their own of each process."""
    recording = SAMPLES["login"]()
    recording.process(pid=101)
    recording.collections = [(0, 0, 5, 1000, 3, 0), (0, 2, 2000, 10**9, 7, 1), (1, 1, 9, 8, 0, 0)]
    load(perfetto, recording, tmp_path)
    slices = perfetto.query(SLICES)
    seen = [(row[-4], row[-1], *row[2:6]) for row in slices if row[3] == "gc"]
    assert Counter(seen) == Counter(
        (process + 1, "garbage collections", f"generation {generation}", "gc", start, duration)
        for process, generation, start, duration, *_ in recording.collections
    )
    assert sum(row[5] for row in slices if row[6] == slices[0][6] and row[1] is None) == sum(
        node.own for node in recording.threads[0].nodes
    )


def test_lifetimes_of_threads(perfetto: TraceProcessor, tmp_path: Path) -> None:
    """They overlap, so each thread has a track beside those of the calls."""
    recording = SAMPLES["login"]()
    recording.threads[0].name = b"main"
    recording.thread(name=b'a "b"')
    recording.spans = [(0, 1, 5, 0), (1, 1, 10, 101), (1, 3, 200, 51)]
    load(perfetto, recording, tmp_path)
    seen = perfetto.query(
        "select process.name, slice.name, ts, dur from slice"
        " join process_track on track_id = process_track.id join process using (upid)"
        " where category = 'thread'"
    )
    (_, process) = chrome.label(recording, 0)
    elapsed = recording.processes[0].elapsed
    assert Counter(seen) == Counter(
        [
            (process, "lifetime of main", 5, elapsed - 5),
            (process, 'lifetime of a "b"', 10, 100),
            (process, 'lifetime of a "b"', 200, 50),
        ]
    )
    calls = [row for row in perfetto.query(SLICES) if row[3] != "thread"]
    assert len(calls) == len(recording.threads[0].nodes) - 1
