# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run, and what they write is what docs/bench.md says. No time is judged."""

from __future__ import annotations

import json
import math
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.once  # the benchmarks are programs beside the project, run for a moment

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"

# The table of docs/bench.md: path of a field, where * is any name or index, and its type.
ROW = re.compile(r"^\| `([^`]+)` \| (text|number|yes or no|nothing or text|nothing or number) \|")
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "yes or no": (bool,),
    "nothing or text": (str, type(None)),
    "nothing or number": (int, float, type(None)),
}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def documented() -> dict[str, tuple[type, ...]]:
    rows = (ROW.match(line) for line in (ROOT / "docs/bench.md").read_text().splitlines())
    return {row[1]: KINDS[row[2]] for row in rows if row}


def fields(value: object, path: str = "") -> dict[str, list[object]]:
    """The leaves of a JSON value by their path."""
    if isinstance(value, dict):
        parts = [(f"{path}.{key}" if path else key, each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[]", each) for each in value]
    else:
        return {path: [value]}
    found: dict[str, list[object]] = {}
    for name, each in parts:
        for leaf, values in fields(each, name).items():
            found.setdefault(leaf, []).extend(values)
    return found


def pattern(path: str) -> re.Pattern[str]:
    """`*` in the documented path stands for any name, also one with spaces."""
    return re.compile(re.escape(path).replace(r"\*", r"[^.\[\]]+"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("bench") / "out.json"
    parts = ("fib", "small functions", "objects", "int", "misses", "scans", "exchange")
    parts += ("hashing", "entries", "watched", "readers", "redis", "same", "answer")
    done = bench("--tiny", *(word for part in parts for word in ("--only", part)), "-o", str(out))
    assert done.returncode == 0, done.stderr
    for heading in (
        "overhead:",
        "shares:",
        "trees,",
        "distortion:",
        "lines:",
        "unmarked:",
        "memory:",
        "sampled:",
        "blocks:",
        "snapshot:",
        "census:",
        "cache:",
        "bytes for each entry",
        "stampede:",
        "persist:",
        "policies:",
        "view:",
        "startup:",
        "timing:",
    ):
        assert f"\n{heading}" in done.stdout, heading
    assert [line for line in done.stdout.splitlines()[1:] if len(line) > 120] == []
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_the_json_is_as_documented(report: dict[str, Any]) -> None:
    kinds = documented()
    seen = set()
    for path, values in fields(report).items():
        rows = [row for row in kinds if pattern(row).fullmatch(path)]
        assert len(rows) == 1, f"{path} is documented {len(rows)} times"
        seen.update(rows)
        for value in values:
            assert isinstance(value, kinds[rows[0]]), (path, value)
            assert not isinstance(value, float) or math.isfinite(value), path
    # A trial run may be unclear; without line_profiler there is nothing to compare with.
    lines = ("results.lines.share.workloads.", "results.lines.share.geometric_mean.", "peer_hits")
    # Nor without peers of what outlives the process, or without a server.
    lines += ("results.persist.redis.", "results.persist.loads.*.speed", "hashing.speed")
    lists = ("unclear[]", "over[]", "endless[]")
    optional = {row for row in kinds if row.endswith(lists) or any(each in row for each in lines)}
    assert set(kinds) - seen <= optional, "documented, but not written"


def test_shares_are_of_the_times_beside_them(report: dict[str, Any]) -> None:
    ways = report["results"]["calls"]["workloads"]["fib"]["ways"]
    cpu = {way: values["cpu"][0] for way, values in ways.items()}
    for pair in report["results"]["calls"]["shares"]:
        added = [cpu[pair[who]] - cpu["plain"] for who in ("ours", "peer")]
        if "fib" in pair["workloads"]:
            assert pair["workloads"]["fib"]["value"] == pytest.approx(added[0] / added[1])
        else:
            assert "fib" in pair["unclear"]


def test_trees_count_what_the_program_did(report: dict[str, Any]) -> None:
    workload = report["results"]["calls"]["workloads"]["fib"]
    tree = workload["tree"]
    # fib(16) is 3193 calls; work() and what surrounds it are the rest.
    assert 0 < tree["calls"] - 3194 * workload["repeats"] < 1000
    assert tree["functions"] <= tree["nodes"]
    assert tree["functions"] - 2 <= tree["edges"] <= tree["nodes"]


def test_both_line_profilers_count_the_lines_that_ran(report: dict[str, Any]) -> None:
    workload = report["results"]["lines"]["workloads"]["fib"]
    # fib(16) is 3193 calls of one line.
    assert workload["hits"] == 3193 * workload["repeats"]
    assert workload.get("peer_hits", workload["hits"]) == workload["hits"]


def test_both_snapshots_have_all_blocks_of_all_lines(report: dict[str, Any]) -> None:
    for way in report["results"]["memory"]["snapshot"]["ways"].values():
        assert way["lines"] == 100
        # 10 objects each, and the list that keeps them, which grows on one of these lines.
        assert 1000 <= way["blocks"] <= 1001


def test_cached_calls_hit_where_they_should(report: dict[str, Any]) -> None:
    result = report["results"]["cache"]
    for name, hits in (("int", 1), ("misses", 0)):
        assert {each["hits"] for each in result["loads"][name]["ways"].values()} == {hits}
    found = {way: each["computations"] for way, each in result["stampede"]["ways"].items()}
    assert (found["fettle"], found["fettle lru"]) == (1, 1)
    for sizes in result["bytes"].values():
        # 8 bytes for the key and 8 for the value is the least that there can be.
        assert all(each["evicting"] >= each["full"] * 0.9 > 16 for each in sizes.values())


def test_kept_results_are_there_and_go(report: dict[str, Any]) -> None:
    result = report["results"]["persist"]
    entries = result["entries"]
    assert entries["reduce"]["removed"] == entries["entries"][1] // 2
    if redis := result["redis"]:
        assert redis["names"] == redis["hits"] == redis["keys"]  # one round of them


def test_what_sampling_adds_by_hand() -> None:
    sys.path.insert(0, str(BENCH))
    try:
        cost = runpy.run_path(str(BENCH / "bench_memory.py"))["cost"]
    finally:
        sys.path.remove(str(BENCH))
    found = cost([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], [1.5, 3.0, 4.0])
    assert found == {"value": 0.25, "lowest": 0.0, "highest": 0.5}


def test_a_cost_by_hand() -> None:
    sys.path.insert(0, str(BENCH))
    try:
        cost = runpy.run_path(str(BENCH / "bench_lines.py"))["cost"]
    finally:
        sys.path.remove(str(BENCH))
    found = cost([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    assert found == {"value": 0.0, "lowest": -0.25, "highest": 0.5}


@pytest.mark.parametrize(
    ("module", "table"),
    [("workloads", "WORKLOADS"), ("memory_workloads", "MEMORY_WORKLOADS")],
)
def test_there_are_workloads_enough_each_with_its_reason(module: str, table: str) -> None:
    workloads = runpy.run_path(str(BENCH / f"{module}.py"))[table]
    assert len(workloads) >= 10
    for name, (why, source) in workloads.items():
        assert why, name
        assert "def work():" in source, name


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["--only", "nonsense"], ["--rounds", "0"], ["distortion", "--only", "json"]],
)
def test_wrong_words_are_said_in_a_sentence(words: list[str]) -> None:
    done = bench(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(r"error: .+: .+$", done.stderr.strip())


def test_what_only_leaves_empty_is_skipped(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench("--tiny", "calls", "distortion", "--only", "json", "-o", str(out))
    assert (done.returncode, "\ndistortion: skipped" in done.stdout) == (0, True), done.stderr
    assert list(json.loads(out.read_text())["results"]) == ["calls"]


def test_what_is_finished_is_saved_though_the_next_fails(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    program = f"""
import runpy, sys
sys.path.insert(0, {str(BENCH)!r})
import bench_startup, bench_view
bench_view.measure = lambda effort: {{}}
bench_view.table = lambda result: []
def fail(effort): raise SystemExit(7)
bench_startup.measure = fail
sys.argv[1:] = ["view", "startup", "--tiny", "-o", {str(out)!r}]
runpy.run_path({str(BENCH)!r}, run_name="__main__")
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=300).returncode == 7
    assert list(json.loads(out.read_text())["results"]) == ["view"]


def test_an_output_that_can_not_be_written_is_refused_first(tmp_path: Path) -> None:
    for out in (tmp_path / "none" / "x.json", tmp_path):
        done = bench("-o", str(out))
        assert done.returncode == 2
        assert done.stdout == ""
        assert re.search(rf"error: .*{re.escape(str(out))}.*: .+$", done.stderr.strip())
    assert list(tmp_path.iterdir()) == []


def load_shares() -> dict[str, Any]:
    return runpy.run_path(str(BENCH / "shares.py"))


def test_a_share_by_hand() -> None:
    shares = load_shares()
    share = shares["of_overhead"]([1.0, 2.0, 1.0, 9.0], [2.0, 5.0, 2.5], [5.0, 6.0, 4.0])
    assert share == {"value": 0.5, "lowest": 0.25, "highest": 0.75}
    assert shares["of_overhead"]([1.0], [1.0], [1.01]) is None, "a peer without overhead"


def test_a_geometric_mean_by_hand() -> None:
    shares = load_shares()
    two = [{"value": v, "lowest": v, "highest": v} for v in (0.1, 0.4)]
    assert shares["geometric_mean"](two)["value"] == pytest.approx(0.2)
    noise = [{"value": v, "lowest": v, "highest": v} for v in (-0.02, 1.0)]
    assert shares["geometric_mean"](noise)["value"] == pytest.approx(0.1), "1 % is the least"
    assert shares["geometric_mean"]([None, *two]) == shares["geometric_mean"](two)
    assert shares["geometric_mean"]([None]) == {}
