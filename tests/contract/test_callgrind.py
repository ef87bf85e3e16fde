# SPDX-License-Identifier: Apache-2.0
"""The callgrind format as Valgrind's own callgrind_annotate sees it."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from fettle._core import Profile

from . import callgrind, consumers, spelling
from .synthetic import SAMPLES, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs


def annotate(recording: Recording, folder: Path, *options: str) -> str:
    """In a folder of its own: callgrind_annotate cuts the current one off the names of files."""
    path = folder / "out.callgrind"
    path.write_bytes(Profile.read(str(recording.write(folder))).export("callgrind"))
    (folder / "elsewhere").mkdir()
    command = [consumers.path("callgrind_annotate"), "--threshold=100", "--show-percs=no"]
    done = subprocess.run(
        [*command, "--auto=no", *options, str(path)],
        cwd=folder / "elsewhere",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape")


def costs(printed: str) -> Counter[str]:
    """The rows of the table of functions: "  6,000 file:function []"."""
    rows = re.findall(r"^ *([0-9,]+) +(?![*<>] )(\S.*?)(?: \[\])?$", printed, re.MULTILINE)
    return Counter({name: int(number.replace(",", "")) for number, name in rows})


# callgrind_annotate finds nothing to show in a recording of nothing, and counts past 2**63 in
# floating point.
READABLE = [name for name in SAMPLES if name not in ("empty", "extremes", "memory")]


@pytest.mark.parametrize("sample", READABLE)
def test_own_times_and_total(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    seen = costs(annotate(recording, tmp_path))
    expected = callgrind.expected(recording)
    assert seen.pop("PROGRAM TOTALS") == expected.total
    assert seen == {":".join(key): ns for key, ns in expected.own.items()}


@pytest.mark.parametrize("command", [b"app.py --all", b"a\nfn=(1) b\r\x1b[31m \xff"])
def test_the_command_is_told_on_its_line(command: bytes, tmp_path: Path) -> None:
    recording = SAMPLES["login"]()
    recording.meta[0] = b"command", command
    printed = annotate(recording, tmp_path)
    assert f"\nProfiled target:  {spelling.line(command)}\n" in printed
    assert costs(printed)["PROGRAM TOTALS"] == callgrind.expected(recording).total


Edges = dict[tuple[str, str], tuple[int, int]]  # (caller, callee): calls, inclusive time


def edges(printed: str, sign: str) -> Edges:
    """The rows of --tree: of callers "<" above the function "*", of callees ">" below it."""
    found: Edges = {}
    row = r"^ *([0-9,]+) +([<*>]) +(\S.*?)(?: \((\d+)x\))?(?: \[\])?$"
    for block in printed.split("\n\n"):
        rows = re.findall(row, block, re.MULTILINE)
        here = next((name for _, kind, name, _ in rows if kind == "*"), "")
        for ns, kind, name, calls in rows:
            if kind == sign:
                pair = (name, here) if sign == "<" else (here, name)
                assert pair not in found
                found[pair] = int(calls), int(ns.replace(",", ""))
    return found


@pytest.mark.parametrize(("tree", "sign"), [("caller", "<"), ("calling", ">")])
@pytest.mark.parametrize("sample", READABLE)
def test_calls_and_inclusive_times_of_each_edge(
    sample: str, tree: str, sign: str, tmp_path: Path
) -> None:
    recording = SAMPLES[sample]()
    expected = callgrind.expected(recording)
    seen = edges(annotate(recording, tmp_path, "--inclusive=yes", f"--tree={tree}"), sign)
    assert seen == {
        (":".join(caller), ":".join(callee)): (calls, expected.inclusive[caller, callee])
        for (caller, callee), calls in expected.calls.items()
    }


def annotated(printed: str) -> Counter[str]:
    """The costs in the annotated sources, by the text of their lines."""
    rows = re.findall(r"^ *([0-9,]+) +(\S+ line [0-9]+)$", printed, re.MULTILINE)
    return Counter({text: int(number.replace(",", "")) for number, text in rows})


@pytest.mark.parametrize("sample", ["lines", "arbitrary lines"])
def test_own_times_of_each_line(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    expected: Counter[str] = Counter()
    for ((file, _), number), ns in callgrind.expected(recording).lines.items():
        if file != "~" and number > 0:  # there is a source to show
            expected[f"{file} line {number}"] += ns
    for file in {code.file.decode() for code in recording.codes} - {"", "~"}:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        text = "".join(f"{file} line {number}\n" for number in range(1, 80))
        (tmp_path / file).write_text(text)
    printed = annotate(recording, tmp_path, "--auto=yes", f"--include={tmp_path}")
    seen = +annotated(printed)
    assert seen == +expected and len(seen) > 5


def test_calls_and_inclusive_times(tmp_path: Path) -> None:
    printed = annotate(SAMPLES["login"](), tmp_path, "--inclusive=yes", "--tree=both")
    blocks = [re.sub(" +", " ", block).splitlines() for block in printed.split("\n\n")]
    assert [
        "6,003,000,001 < login.py:main_app:26 (2x) []",
        "6,003,000,001 * login.py:login_user:14",
        "6,000,000,001 > ~:<built-in method time.sleep> (4x) []",
    ] in blocks
    assert [
        "7,006,001,201 * login.py:<module>:1",
        "7,005,001,201 > login.py:main_app:26 (1x) []",
    ] in blocks
