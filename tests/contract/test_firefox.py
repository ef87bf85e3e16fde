# SPDX-License-Identifier: Apache-2.0
"""Exports as the Firefox Profiler itself sees them: its profiler-cli, which is its own code."""

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile

from . import consumers, firefox
from .oracle import Sums, path_to, tables
from .spelling import name, text
from .synthetic import SAMPLES, Code, Recording, Thread

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs
NEAR = 1e-12  # it keeps doubles
PATIENCE = 60  # seconds: a hang, not a speed limit


class ProfilerCli:
    """Its command line, and the process behind it that holds what was loaded. Its own `load` starts
    that too, but waits half a second for it and no longer."""

    def __init__(self, folder: str) -> None:
        self._program = consumers.path("profiler-cli")
        self._environment = os.environ | {"PROFILER_CLI_SESSION_DIR": folder}
        self._folder = Path(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def load(self, exported: Path) -> None:
        self._process = subprocess.Popen(
            [self._program, "--daemon", str(exported), "--session", "test"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )
        deadline = time.monotonic() + PATIENCE
        while "loaded successfully" not in (log := self._log()):
            assert "Failed" not in log and self._process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.02)

    def _log(self) -> str:
        return "".join(path.read_text() for path in self._folder.glob("*.log"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [self._program, *words, "--session", "test"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, *words: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run(*words, "--json"))
        return answer

    def functions(self, thread: int, *words: str) -> list[tuple[int, str, float, float]]:
        """The number of each function, its name, its own number and that of what it called too."""
        more = "--thread", f"t-{thread}", "--limit", "0", "--include-idle"
        return [
            (row["functionIndex"], row["name"], row["selfSamples"], row["totalSamples"])
            for row in self.ask("thread", "functions", *more, *words)["functions"]
        ]


@pytest.fixture
def cli() -> Iterator[ProfilerCli]:
    with tempfile.TemporaryDirectory(prefix="fettle-") as folder:  # a socket's path must be short
        cli = ProfilerCli(folder)
        try:
            yield cli
        finally:
            cli.stop()


def load(cli: ProfilerCli, recording: Recording, folder: Path) -> None:
    exported = folder / "app.firefox.json"
    exported.write_bytes(Profile.read(str(recording.write(folder))).export("firefox"))
    cli.load(exported)


def paths_of(thread: Thread, codes: list[Code]) -> dict[int, tuple[int, int]]:
    """The own time of each function, and that of all paths that it is on."""
    own: Counter[int] = Counter()
    whole: Counter[int] = Counter()
    for at, node in enumerate(thread.nodes[1:], 1):
        path = [thread.nodes[id].code for id in path_to(thread, at)]
        if node.own or node.calls:
            own[path[-1]] += node.own
            whole.update(dict.fromkeys(path, node.own))
    return {code: (own[code], whole[code]) for code in whole}


@pytest.mark.parametrize("sample", ["login", "folded", "hostile", "arbitrary 3"])
def test_times(cli: ProfilerCli, sample: str, tmp_path: Path) -> None:
    """Each function of each thread, what it is called, and its times."""
    recording = SAMPLES[sample]()
    load(cli, recording, tmp_path)
    for number, thread in enumerate(recording.threads):
        expected = paths_of(thread, recording.codes)
        seen = cli.functions(number)
        assert {code for code, *_ in seen} == expected.keys()
        for code, called, own, whole in seen:
            known = text(name(recording.codes[code]))
            if "</" in known:  # which its tables take for C++ and shorten
                called = cli.ask("function", "expand", f"f-{code}")["fullName"]
            assert called == known
            assert (own * 1e6, whole * 1e6) == pytest.approx(expected[code], rel=NEAR)
    assert cli.ask("profile", "meta")["preprocessedProfileVersion"] >= 60


def test_the_definitions_agree_where_paths_are_known(tmp_path: Path) -> None:
    for sample in ["login", "namesakes"]:
        recording = SAMPLES[sample]()
        functions, _ = tables(recording)
        (thread,) = recording.threads
        for code, times in paths_of(thread, recording.codes).items():
            sums: Sums = functions[code]
            assert times == (sums.own, sums.cumulative)


def test_threads_and_processes(cli: ProfilerCli, tmp_path: Path) -> None:
    recording = SAMPLES["arbitrary 1"]()
    recording.process(pid=100, command=b"python\0again.py")  # without a thread, with a known pid
    load(cli, recording, tmp_path)
    rows = cli.ask("thread", "list")["threads"]
    expected = [
        (text(thread.name), firefox.pid(recording, thread.process), "python app.py")
        for thread in recording.threads
    ]
    expected.append(("[no thread]", "100-4", "python again.py"))
    assert sorted((row["name"], row["pid"], row["processName"]) for row in rows) == sorted(expected)
    for number, thread in enumerate(recording.threads):
        breakdown = cli.ask("thread", "samples", "--thread", f"t-{number}", "--include-idle")
        categories = Counter[str]()
        for node in thread.nodes[1:]:
            categories[firefox.frame(recording.codes[node.code])[1]] += node.own
        total = breakdown["categoryBreakdown"]["totalSamples"]
        assert total * 1e6 == pytest.approx(sum(categories.values()), rel=NEAR)
        seen = {row["name"]: row["samples"] for row in breakdown["categoryBreakdown"]["categories"]}
        assert {key: value * 1e6 for key, value in seen.items()} == pytest.approx(
            dict(categories), rel=NEAR
        )


def test_memory(cli: ProfilerCli, tmp_path: Path) -> None:
    recording = Recording()
    recording.process()
    recording.process(pid=101)
    load_code = recording.code(b"app.py", 3, b"load", b"load")
    parse = recording.code(b"parse.py", 10, b"parse", b"Parser.parse")
    recording.memory.sites = [  # totals, peaks, what is alive, what was temporary
        (load_code, 4, 0, 0, 9, 900, 5, 500, 2, 200, 0, 0),
        (parse, 12, 1, 0, 3, 30_000, 1, 10_000, 0, 0, 0, 0),
        (parse, 13, 1, 0, 1, 7, 1, 7, 1, 7, 0, 0),
        (0, 0, 0, 0, 1, 2**40, 1, 2**40, 1, 2**40, 0, 0),
    ]
    recording.memory.heaps = [(1, 9, 0, 14, 30_907 + 2**40, 2**40, 5, 4, 207 + 2**40)]
    recording.memory.moments = [(0, 0, 10, 2**20), (0, 10**6, 70, 2**20), (0, 10**9, 30, 2**21)]
    recording.memory.points = [(0, b"</b>loaded", 2 * 10**6, 5, 6, 7), (1, b"end", 10, 1, 2, 3)]
    load(cli, recording, tmp_path)
    kept = {load_code: (200, 207), parse: (7, 7), 0: (2**40, 2**40)}
    ever = {load_code: (900, 30_907), parse: (30_007, 30_007), 0: (2**40, 2**40)}
    for strategy, expected in [("allocations", ever), ("retained-allocations", kept)]:
        seen = cli.functions(0, "--strategy", f"native-{strategy}")
        assert {code: numbers for code, _, *numbers in seen} == {
            code: list(numbers) for code, numbers in expected.items()
        }
    freed = cli.functions(0, "--strategy", "native-deallocations-sites")
    assert {code: numbers for code, _, *numbers in freed} == {
        load_code: [-700, -30_700],
        parse: [-30_000, -30_000],
    }
    check_timeline(cli)


def check_timeline(cli: ProfilerCli) -> None:
    counters = {row["name"]: row for row in cli.ask("counter", "list")["counters"]}
    ranges = {
        name: [stat["value"] for stat in row["stats"] if stat["source"] == "count-range"]
        for name, row in counters.items()
    }
    assert ranges == {"live memory": [60], "resident memory": [2**20]}
    assert {row["pid"] for row in counters.values()} == {"100"}
    for thread, called, milliseconds, numbers in [
        (0, "</b>loaded", 2, [5, 6, 7]),
        (1, "end", 1e-5, [1, 2, 3]),
    ]:
        (marker,) = cli.ask("thread", "markers", "--thread", f"t-{thread}")["byType"]
        (first,) = marker["topMarkers"]
        assert (marker["markerName"], first["start"]) == (called, milliseconds)
        fields = cli.ask("marker", "info", first["handle"])["fields"]
        assert [field["value"] for field in fields] == numbers


@pytest.mark.parametrize("sample", ["empty", "extremes", "memory", "lines only"])
def test_what_has_little_to_show_is_opened(cli: ProfilerCli, sample: str, tmp_path: Path) -> None:
    load(cli, SAMPLES[sample](), tmp_path)
    assert "fettle" in cli.run("profile", "info")


def test_garbage_collections(cli: ProfilerCli, tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    recording.collections = [(0, 0, 5 * 10**6, 10**6, 3, 0), (0, 2, 7 * 10**6, 10**9, 7, 1)]
    load(cli, recording, tmp_path)
    (kind,) = cli.ask("thread", "markers", "--thread", "t-0")["byType"]
    assert (kind["markerName"], kind["count"]) == ("garbage collection", 2)
    seen = {(row["start"], row["duration"]) for row in kind["topMarkers"]}
    assert seen == {(5, 1), (7, 1000)}
    (longest,) = (row["handle"] for row in kind["topMarkers"] if row["duration"] == 1000)
    fields = cli.ask("marker", "info", longest)["fields"]
    assert [field["value"] for field in fields] == [2, 7, 1]


def test_lifetimes_of_threads(cli: ProfilerCli, tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    recording.thread(name=b"thread 2")
    recording.spans = [(0, 1, 10**6, 0), (1, 3, 2 * 10**6, 4 * 10**6 + 1)]
    load(cli, recording, tmp_path)
    for thread, start, duration, uses in [(0, 1, 4999, 1), (1, 2, 4, 3)]:
        (kind,) = cli.ask("thread", "markers", "--thread", f"t-{thread}")["byType"]
        (seen,) = kind["topMarkers"]
        assert (kind["markerName"], seen["start"], seen["duration"]) == (
            "lifetime",
            start,
            duration,
        )
        (field,) = cli.ask("marker", "info", seen["handle"])["fields"]
        assert field["value"] == uses
