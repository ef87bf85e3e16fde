# SPDX-License-Identifier: Apache-2.0
"""The payload of one recording: what it says is what the model says, row by row."""

import doctest
import importlib
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fettle import _core
from fettle._core import Profile
from fettle.html import document, payload
from fettle.report import names

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract.synthetic import SAMPLES, Recording
from report.timings import series

EXACT = [name for name in SAMPLES if name != "extremes"]  # a float holds no 2**64 - 1
NS = 10**9
PARTS = ("calls", "cost", "document", "header", "lines", "payload", "union")


def read(recording: Recording, folder: Path) -> Profile:
    return Profile.read(str(recording.write(folder)))


def collected(profile: Profile, **options: Any) -> dict[str, Any]:
    """As a reader gets it: through JSON, which holds no more than text, numbers and None."""
    found = payload.collect(profile, "app.fettle", has_cost=False, **options)
    return json.loads(json.dumps(found, default=list, allow_nan=False))


def wide(width: int) -> Recording:
    """A function that calls many others, each of which takes a nanosecond more."""
    recording = Recording()
    recording.process()
    thread = recording.thread()
    top = thread.add(0, recording.code(b"wide.py", 1, b"top", b"top"), 1, 7)
    for i in range(width):
        code = recording.code(b"wide.py", i + 2, b"f%d" % i, b"f%d" % i)
        thread.add(top, code, 1, i + 1)
    return recording


@pytest.mark.parametrize("module", PARTS)
def test_examples(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(f"fettle.html.{module}"))
    assert failed == 0


@pytest.mark.parametrize("name", EXACT)
def test_functions_are_the_models(name: str, tmp_path: Path) -> None:
    profile = read(SAMPLES[name](), tmp_path)
    part = collected(profile)["functions"]
    rows = profile.functions()
    if not rows:
        assert part is None
        return
    files = names.Files([row.file for row in rows])
    assert part["label"][: len(rows)] == [files.label(row) for row in rows]
    for key, field in FIELDS.items():
        scale = 1 if field in {"calls", "primitive"} else NS
        assert part[key][: len(rows)] == [round(getattr(row, field) * scale) for row in rows], key
    assert {len(column) for column in part.values()} == {len(rows)}


FIELDS = {
    "calls": "calls",
    "primitive": "primitive",
    "own": "own",
    "cumulative": "cumulative",
    "ownWaiting": "own_waiting",
    "cumulativeWaiting": "cumulative_waiting",
}


@pytest.mark.parametrize("name", EXACT)
def test_the_tree_is_the_models(name: str, tmp_path: Path) -> None:
    profile = read(SAMPLES[name](), tmp_path)
    found = collected(profile)
    part, rows = found["calls"], profile.tree()
    if len(rows) < 2:
        assert part is None
        return
    assert part["parent"] == [row.parent for row in rows]
    assert part["own"] == [round(row.own * NS) for row in rows]
    assert part["waiting"] == [round(row.own_waiting * NS) for row in rows]
    assert part["calls"] == [row.calls for row in rows]
    assert part["pruned"] is None
    functions = profile.functions()
    for row, function in zip(rows, part["function"], strict=True):
        if function >= 0:
            called = functions[function]
            assert row.kind in {"call", "task"}
            assert (row.file, row.line, row.name) == (called.file, called.line, called.name)
    texts = {int(at): text for at, text in part["text"].items()}
    assert set(texts) == {at for at, function in enumerate(part["function"]) if function < 0}
    assert texts[0] == "recording"
    assert [text for text in texts.values() if not text.isprintable()] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_any_recording_has_a_payload(name: str, tmp_path: Path) -> None:
    found = collected(read(SAMPLES[name](), tmp_path))
    lengths = {
        part: {len(column) for column in found[part].values() if isinstance(column, list)}
        for part in ("functions", "places", "memory", "objects", "classes")
        if found[part]
    }
    assert all(len(each) == 1 for each in lengths.values()), lengths
    files = len(found["files"])
    for part in ("functions", "places"):
        assert all(-1 <= at < files for at in (found[part] or {"file": []})["file"])


@pytest.mark.parametrize("most", [1, 2, 3, 10, 39, 40, 41])
def test_what_is_pruned_is_summed_up(most: int, tmp_path: Path) -> None:
    profile = read(wide(40), tmp_path)
    part = collected(profile, nodes=most)["calls"]
    rows = profile.tree()
    assert sum(part["own"]) == round(sum(row.own for row in rows) * NS)
    assert sum(part["calls"]) == sum(row.calls for row in rows)
    assert len(part["parent"]) <= max(most, 1) + 2  # the recording, and one that is "[pruned]"
    assert all(parent < at for at, parent in enumerate(part["parent"]))
    if most <= 40:
        assert part["pruned"]["nodes"] + len(part["parent"]) - 2 == 41
    else:
        assert part["pruned"] is None


def test_pruning_is_said(tmp_path: Path) -> None:
    found = collected(read(wide(40), tmp_path), nodes=10)
    pruned = [at for at, label in enumerate(found["functions"]["label"]) if label == "[pruned]"]
    assert len(pruned) == 1 and found["functions"]["kind"][pruned[0]] == 2
    own = [
        own
        for function, own in zip(found["calls"]["function"], found["calls"]["own"], strict=True)
        if function == pruned[0]
    ]
    assert own == [found["calls"]["pruned"]["own"]] and own[0] > 0
    assert any(str(found["calls"]["pruned"]["nodes"]) in text for text in found["remarks"])


def test_the_heaviest_stay(tmp_path: Path) -> None:
    found = collected(read(wide(40), tmp_path), nodes=10)
    kept = {found["functions"]["name"][at] for at in found["calls"]["function"] if at >= 0}
    lost = [f"f{i}" for i in range(40) if f"f{i}" not in kept]
    assert lost == [f"f{i}" for i in range(len(lost))]


def test_memory_is_the_models(tmp_path: Path) -> None:
    profile = read(SAMPLES["memory"](), tmp_path)
    found = collected(profile)
    sites, part, places = profile.sites(), found["memory"], found["places"]
    assert part["parent"] == [row.parent for row in sites]
    for key, field in (
        ("totalBytes", "total_bytes"),
        ("totalCount", "total_count"),
        ("peakBytes", "peak_bytes"),
        ("peakCount", "peak_count"),
        ("aliveBytes", "alive_bytes"),
        ("aliveCount", "alive_count"),
    ):
        assert part[key] == [getattr(row, field) for row in sites], key
    assert [places["line"][at] for at in part["place"]] == [row.line for row in sites]
    sums: Counter[int] = Counter()
    for row in sites:
        if row.line > 0 and row.file:
            sums[row.line] += row.total_bytes
    by_line: Counter[int] = Counter()
    for _, line, total, _, _ in found["lineBytes"]:
        by_line[line] += total
    assert +by_line == +sums


def test_objects_and_classes_are_the_models(tmp_path: Path) -> None:
    profile = read(SAMPLES["memory"](), tmp_path)
    found = collected(profile)
    for part, rows in (("objects", profile.objects()), ("classes", profile.classes())):
        assert sum(found[part]["bytes"]) == sum(row.bytes for row in rows) > 0
    assert sum(found["objects"]["count"]) == sum(row.count for row in profile.objects())
    assert sum(found["classes"]["instances"]) == sum(row.instances for row in profile.classes())
    assert all(-1 <= at < len(found["places"]["line"]) for at in found["objects"]["place"])


def test_what_is_older_than_the_recording_has_no_place(tmp_path: Path) -> None:
    profile = read(SAMPLES["memory"](), tmp_path)
    part = collected(profile)["objects"]
    older = sum(row.bytes for row in profile.objects() if row.site < 0)
    places = zip(part["place"], part["bytes"], strict=True)
    assert sum(size for place, size in places if place == -1) == older > 0


def test_other_domains_are_named(tmp_path: Path) -> None:
    profile = read(SAMPLES["memory"](), tmp_path)
    found = collected(profile)
    named = [found["places"]["name"][at] for at in found["memory"]["place"]]
    for row, name in zip(profile.sites(), named, strict=True):
        assert name.endswith("]") == bool(row.domain)


def test_the_timeline_is_the_models(tmp_path: Path) -> None:
    profile = read(SAMPLES["memory"](), tmp_path)
    part = collected(profile)["timeline"]
    rows = [
        (round(row.time * NS), row.live, row.rss)
        for row in sorted(profile.moments(), key=lambda row: row.process)
    ]
    columns = [
        moment
        for each in part["moments"]
        for moment in zip(each["time"], each["live"], each["rss"], strict=True)
    ]
    assert columns == rows and rows
    points = [(round(row.time * NS), names.visible(row.name)) for row in profile.points()]
    assert [tuple(point[1:]) for point in part["points"]] == points


def test_spans_are_the_models(tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    recording.collections = [(0, 2, 5_000, 700, 30, 1), (0, 0, 9_000, 50, 2, 0)]
    profile = read(recording, tmp_path)
    collections, threads = profile.spans()
    part = collected(profile)["timeline"]
    assert len(collections) == 2
    assert [each[1:] for each in part["collections"]] == [
        [round(row.start * NS), round(row.duration * NS), row.generation, row.collected]
        for row in collections
    ]
    assert [each[1:3] for each in part["threads"]] == [
        [names.visible(row.name), round(row.start * NS)] for row in threads
    ]


def test_lines_are_the_models(tmp_path: Path) -> None:
    profile = read(SAMPLES["lines"](), tmp_path)
    found = collected(profile)
    assert [(each["calls"], each["rows"]) for each in found["lines"]] == [
        (calls, [list(row) for row in rows]) for *_, calls, rows in profile.lines()
    ]
    assert found["sources"][str(found["files"].index("app.py"))] == "import time\n"


def test_sources_stay_at_home(tmp_path: Path) -> None:
    assert collected(read(SAMPLES["lines"](), tmp_path), has_sources=False)["sources"] == {}


def test_every_text_can_be_seen(tmp_path: Path) -> None:
    """Nothing in it draws on the screen or turns letters round; sources keep their lines."""
    for name in ("hostile", "lines only", "memory"):
        found = collected(read(SAMPLES[name](), tmp_path))
        sources = found.pop("sources")
        assert [text for text in texts_of(found) if not text.isprintable()] == []
        for text in sources.values():
            assert all(line.isprintable() for line in text.split("\n"))


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, list):
        inner = value
    return [text for each in inner for text in texts_of(each)]


def test_labels_of_many_files_are_short_and_different(tmp_path: Path) -> None:
    source = random.Random(1)
    recording = Recording()
    recording.process()
    thread = recording.thread()
    paths = {f"/srv/{source.randrange(50)}/pkg{i % 400}/mod{i % 7}.py" for i in range(50_000)}
    for i, path in enumerate(sorted(paths)):
        thread.add(0, recording.code(path.encode(), 1, b"f", b"f"), 1, i)
    found = collected(read(recording, tmp_path))
    assert len(found["files"]) == len(set(found["files"])) == len(paths)
    by_label = dict(zip(found["files"], sorted(paths), strict=True))
    assert all(path.endswith(label) for label, path in by_label.items())


def test_a_summary_of_cprofile_has_functions_alone(tmp_path: Path) -> None:
    import cProfile

    profiler = cProfile.Profile()
    profiler.runcall(sorted, [3, 1, 2])
    profiler.dump_stats(tmp_path / "prof.out")
    stats = _core.Stats.read(str(tmp_path / "prof.out"))
    found = payload.collect(stats, "prof.out")
    columns: Any = found["functions"]
    assert any("sorted" in label for label in columns["label"])
    assert sum(columns["calls"]) == stats.totals().calls
    assert [found[part] for part in ("calls", "memory", "lines", "timeline")] == [None] * 4
    assert document.page(found).startswith(b"<!doctype html>")


def test_timings(tmp_path: Path) -> None:
    from fettle.timing import saving
    from fettle.timing.timing import judged

    timing = judged((series("f()", [1e-6, 2e-6, 3e-6]), series("<g>\u202e", [5e-6] * 3)))
    first, second = collected(saving.written(timing))["timings"]
    assert (first["label"], second["label"]) == ("f()", "<g>\\u202e")
    assert first["samples"] == [1e-6, 2e-6, 3e-6]
    assert (first["median"], first["low"], first["high"]) == (
        timing.median,
        timing.low,
        timing.high,
    )
