# SPDX-License-Identifier: Apache-2.0
"""Exports as programs see them that read formats of others: snakeviz, gprof2dot, flamegraph.pl."""

import json
import re
import subprocess
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from fettle._core import Profile

from . import consumers, readers, stacks
from .oracle import tables
from .spelling import frame, name
from .synthetic import PYTHON, SAMPLES, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs

TIMES = "\N{MULTIPLICATION SIGN}"
SNAKEVIZ = """
import json, pstats, sys
from snakeviz.stats import json_stats, table_rows
stats = pstats.Stats(sys.argv[1])
print(json.dumps([table_rows(stats), json_stats(stats)]))
"""


def exported(sample: Recording, form: str, folder: Path) -> Path:
    out = folder / f"sample.{form}"
    out.write_bytes(Profile.read(str(sample.write(folder))).export(form))
    return out


def run(*command: str | Path) -> str:
    # flamegraph.pl cuts texts between the bytes of a letter.
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("sample", ["login", "namesakes", "hostile", "arbitrary 1"])
def test_snakeviz(sample: str, tmp_path: Path) -> None:
    """Its table, and what its pictures are drawn from."""
    recording = SAMPLES[sample]()
    functions, edges = readers.expected(recording)
    source = exported(recording, "pstats", tmp_path)
    table, drawn = json.loads(run(consumers.path("snakeviz"), "-c", SNAKEVIZ, source))
    spelled = {key: "{}:{}({})".format(*key) for key in functions}
    assert drawn.keys() == set(spelled.values())
    for key, (calls, primitive, own, cumulative) in functions.items():
        assert drawn[spelled[key]]["stats"] == [primitive, calls, own, cumulative]
        for caller, callee in edges:
            if callee == key:
                seen = drawn[spelled[caller]]["children"][spelled[key]]
                assert seen == list(edges[caller, callee])
    calls_of = {row[-1]: row[0][1] for row in table}
    assert calls_of == {spelled[key]: numbers[0] for key, numbers in functions.items()}


def labels(form: str, source: Path, *options: str) -> dict[str, list[str]]:
    """What stands in the nodes that gprof2dot draws: the name, and the numbers below it."""
    program = consumers.path("gprof2dot"), "-m", "gprof2dot", "--format", form
    graph = run(*program, "--node-thres=0", "--edge-thres=0", *options, source)
    nodes: dict[str, list[str]] = {}
    for label, rest in re.findall(r'label="((?:[^"\\]|\\.)*)"(.*)\];$', graph, re.M):
        parts = label.replace(TIMES, "").split(r"\n")
        numbers = [part for part in parts if re.fullmatch(r"\(?[0-9.]+%?\)?", part)]
        if "labeldistance" not in rest:  # an edge's
            nodes[":".join(parts[: -len(numbers)])] = [part.strip("()") for part in numbers]
    return nodes


def test_gprof2dot_reads_pstats(tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    functions, _ = readers.expected(recording)
    times = "--node-label=self-time", "--node-label=total-time", "--time-format=%.9f"
    assert labels("pstats", exported(recording, "pstats", tmp_path), *times) == {
        f"{file.removesuffix('.py')}:{line}:{name}": [f"{own:.9f}", f"{cumulative:.9f}", str(calls)]
        for (file, line, name), (calls, _, own, cumulative) in functions.items()
    }


NANOSECONDS = "--show-samples", "--node-label=self-time-percentage"


def test_gprof2dot_reads_callgrind(tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    functions, _ = tables(recording)
    whole = sum(sums.own for sums in functions.values())
    expected = {}
    for code, sums in functions.items():
        of = recording.codes[code]
        called = name(of).decode() + (f":{of.line}" if of.kind == PYTHON else "")
        # A format that says what calls what knows no calls of what nothing calls.
        calls = sums.calls if b"<module>" not in name(of) else 0
        expected[called] = [f"{100 * sums.own / whole:.2f}%", str(sums.own), str(calls)]
    assert labels("callgrind", exported(recording, "callgrind", tmp_path), *NANOSECONDS) == expected


def test_gprof2dot_reads_collapsed(tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    functions, _ = tables(recording)
    whole = sum(sums.own for sums in functions.values())
    expected = {}
    for code, sums in functions.items():
        of = recording.codes[code]
        called = (f"{of.file.decode()}:" if of.kind == PYTHON else "") + name(of).decode()
        expected[called] = [f"{100 * sums.own / whole:.2f}%", str(sums.own)]
    assert labels("collapse", exported(recording, "collapsed", tmp_path), *NANOSECONDS) == expected


@pytest.mark.parametrize("sample", ["login", "hostile", "folded", "arbitrary 0", "arbitrary 2"])
def test_flamegraph(sample: str, tmp_path: Path) -> None:
    """The time of each name on each level of the picture, and of the whole."""
    recording = SAMPLES[sample]()
    expected: Counter[tuple[int, str]] = Counter()
    for stack, node in stacks.nodes(recording, frame):
        for depth, called in enumerate(stack, 1):
            expected[depth, called.translate(str.maketrans("<>", "()"))] += node.own
    expected[0, "all"] = sum(node.own for thread in recording.threads for node in thread.nodes)
    source = exported(recording, "collapsed", tmp_path)
    script = consumers.path("flamegraph.pl")
    picture = run("perl", script, "--countname=ns", "--minwidth=0", "--inverted", source)
    seen: Counter[tuple[int, str]] = Counter()
    levels: list[int] = []
    frames = re.findall(
        r'<title>(.*) \(([0-9,]+) ns, [0-9.]+%\)</title><rect .* y="(\d+)"', picture
    )
    for called, time, height in frames:
        levels.append(int(height))
        seen[int(height), unescape(called)] += int(time.replace(",", ""))
    depth = {height: at for at, height in enumerate(sorted(set(levels)))}
    assert {(depth[y], called): time for (y, called), time in seen.items()} == +expected
