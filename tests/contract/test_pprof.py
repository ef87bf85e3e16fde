# SPDX-License-Identifier: Apache-2.0
"""The pprof format as pprof itself sees it."""

import gzip
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from fettle._core import Profile

from . import consumers, oracle, pprof
from .spelling import name, text
from .synthetic import SAMPLES, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs


def ask(recording: Recording, folder: Path, *options: str, said: bytes = b"") -> str:
    path = folder / "out.pb.gz"
    path.write_bytes(Profile.read(str(recording.write(folder))).export("pprof"))
    command = [consumers.path("go tool pprof"), "tool", "pprof", "-symbolize=none"]
    done = subprocess.run(
        [*command, *options, path.name], cwd=folder, capture_output=True, check=True
    )
    assert done.stderr == said
    return done.stdout.decode()


def totals(printed: str, unit: str = "") -> tuple[int, dict[str, tuple[int, int]]]:
    """The total of -top, and (flat, cumulative) by name."""
    whole = re.search(rf"of (\d+)(?:{unit})? total", printed)
    assert whole
    cell, share = rf"(\d+)(?:{unit})?", r"\S+%"
    rows = re.findall(
        rf"^ *{cell} +{share} +{share} +{cell} +{share} +(.+)$", printed, re.MULTILINE
    )
    return int(whole[1]), {name: (int(flat), int(cum)) for flat, cum, name in rows}


@pytest.mark.parametrize("sample", ["login", "namesakes", "folded", "arbitrary 1"])
@pytest.mark.parametrize(
    ("index", "field", "unit"),
    [("time", "own", "ns"), ("calls", "calls", ""), ("waiting", "own_waiting", "ns")],
)
def test_totals_are_those_of_the_tree(
    sample: str, index: str, field: str, unit: str, tmp_path: Path
) -> None:
    recording = SAMPLES[sample]()
    functions, _ = oracle.tables(recording)
    own: Counter[str] = Counter()
    for code, sums in functions.items():
        own[text(name(recording.codes[code]))] += getattr(sums, field)
    options = f"-sample_index={index}", "-unit=ns" if unit else "-unit=count"
    whole, rows = totals(ask(recording, tmp_path, "-top", "-nodecount=1000", *options), unit)
    assert whole == sum(own.values())
    flat: Counter[str] = Counter()
    for function, (number, _) in rows.items():
        flat[function] += number
    assert +flat == +own


@pytest.mark.parametrize("sample", ["login", "arbitrary 0", "arbitrary 1", "arbitrary 2"])
@pytest.mark.parametrize(
    ("index", "field"), [("time", "cumulative"), ("waiting", "cumulative_waiting")]
)
def test_cumulative_times_count_recursion_once(
    sample: str, index: str, field: str, tmp_path: Path
) -> None:
    recording = SAMPLES[sample]()
    functions, _ = oracle.tables(recording)
    expected = {text(name(recording.codes[c])): getattr(functions[c], field) for c in functions}
    assert len(expected) == len(functions), "names are unique here"
    options = "-top", f"-sample_index={index}", "-unit=ns", "-nodecount=1000", "-nodefraction=0"
    _, rows = totals(ask(recording, tmp_path, *options), "ns")
    assert {function: cum for function, (_, cum) in rows.items() if cum} == +Counter(expected)


def test_a_table_reads_as_ours(tmp_path: Path) -> None:
    """Recursion counts once; <module> keeps its name; time is what is shown unless asked."""
    options = "-top", "-unit=ns", "-nodecount=1000", "-nodefraction=0"
    _, rows = totals(ask(SAMPLES["login"](), tmp_path, *options), "ns")
    assert rows == {
        "<module>": (1_000_000, 7_006_001_201),
        "main_app": (2_000_000, 7_005_001_201),
        "login_user": (3_000_000, 6_003_000_001),
        "<built-in method time.sleep>": (7_000_000_001, 7_000_000_001),
        "outer.<locals>.fact": (1_200, 1_000_001_200),
    }


@pytest.mark.parametrize("sample", SAMPLES)
def test_pprof_takes_every_sample(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    printed = ask(recording, tmp_path, "-raw")
    samples = printed.split("Samples:\n")[1].split("Locations\n")[0]
    rows = re.findall(r"^ *\d+(?: +\d+)+: ", samples, re.MULTILINE)
    assert len(rows) == sum(pprof.expected(recording).values())


def line_sums(recording: Recording, place: int) -> Counter[tuple[str, int]]:
    """One of hits, time, waiting by name of the function and line."""
    sums: Counter[tuple[str, int]] = Counter()
    for (code, line), numbers in oracle.lines(recording).items():
        if line:
            sums[text(name(recording.codes[code])), line] += numbers[place]
    return +sums


LINE_TYPES = [("line_time", 1, "ns"), ("line_hits", 0, ""), ("line_waiting", 2, "ns")]


@pytest.mark.parametrize("sample", ["lines", "arbitrary lines"])
@pytest.mark.parametrize(("index", "place", "unit"), LINE_TYPES)
def test_lines_are_those_of_the_tables(
    sample: str, index: str, place: int, unit: str, tmp_path: Path
) -> None:
    recording = SAMPLES[sample]()
    options = "-top", "-lines", "-nodecount=1000", "-nodefraction=0", f"-sample_index={index}"
    whole, rows = totals(
        ask(recording, tmp_path, *options, "-unit=ns" if unit else "-unit=count"), unit
    )
    expected = line_sums(recording, place)
    assert whole == expected.total()
    seen: Counter[tuple[str, int]] = Counter()
    for row, (flat, cumulative) in rows.items():
        function, _, line = re.fullmatch(r"(.*) (\S+):(\d+)(?: \(inline\))?", row).groups()
        assert flat == cumulative
        seen[function, int(line)] += flat
    assert +seen == expected


def test_lines_are_in_no_total_of_the_paths(tmp_path: Path) -> None:
    recording = SAMPLES["lines"]()
    options = "-top", "-unit=ns", "-nodecount=1000", "-nodefraction=0"
    whole, rows = totals(ask(recording, tmp_path, *options), "ns")
    functions, _ = oracle.tables(recording)
    assert whole == sum(sums.own for sums in functions.values())
    assert rows["load"] == (5_200, 5_200 + 4_000_000 + 30_000 + 70_000)


def listed(printed: str) -> dict[str, tuple[str, str]]:
    """flat and cum by the text of the line: "  1.50us     1.50us (flat, cum)..." and a number."""
    rows = re.findall(r"^ *(\S+) +(\S+) +\d+:(\S.*)$", printed, re.MULTILINE)
    return {text: (flat, cum) for flat, cum, text in rows}


@pytest.mark.parametrize("calls", [True, False])
def test_list_shows_the_source_with_its_lines(calls: bool, tmp_path: Path) -> None:
    """Of lines alone without being asked for them."""
    recording = SAMPLES["lines"]()
    if not calls:
        recording.threads.clear()
    source = "".join(f"line {number} of app.py\n" for number in range(1, 30))
    (tmp_path / "app.py").write_text(source)
    options = ["-list=^load$", "-unit=ns", f"-source_path={tmp_path}"]
    options += ["-sample_index=line_time"] * calls
    rows = listed(ask(recording, tmp_path, *options))
    assert {text: row for text, row in rows.items() if row != (".", ".")} == {
        "line 4 of app.py": ("4001000ns", "4001000ns"),
        "line 6 of app.py": ("102500ns", "102500ns"),
        "line 7 of app.py": ("1500ns", "1500ns"),
    }


def memory_sums(recording: Recording, place: int) -> tuple[Counter[str], Counter[str]]:
    """Flat and cumulative by name, of one of the six numbers."""
    flat: Counter[str] = Counter()
    cumulative: Counter[str] = Counter()
    names = ["", *(frame_name(recording, row[0]) for row in recording.memory.sites)]
    for path, values in pprof.sites(recording):
        flat[names[path[0]]] += values[place]
        for function in {names[at] for at in path}:
            cumulative[function] += values[place]
    return +flat, +cumulative


def frame_name(recording: Recording, code: int) -> str:
    return text(name(recording.codes[code])) if code else "<unknown>"


def test_memory_is_that_of_the_sites(tmp_path: Path) -> None:
    """And what is shown of memory alone is the peak."""
    recording = Recording()
    recording.process()
    codes = [recording.code(b"a.py", i, b"f%d" % i, b"f%d" % i) for i in range(4)]
    recording.memory.heaps = [(0, 25, 0, *[1] * 6)]
    recording.memory.sites = [
        (codes[i % 4] if i % 5 else 0, i * (i % 5 > 0), i // 3, 0, *range(10 * i + 1, 10 * i + 9))
        for i in range(1, 30)
    ]
    for place, index in enumerate(kind for kind, _ in pprof.TYPES_OF_MEMORY):
        options = [f"-sample_index={index}"] if index != "peak_space" else []
        unit = "B" if index.endswith("space") else ""
        options += ["-unit=B" if unit else "-unit=count", "-nodecount=1000", "-nodefraction=0"]
        whole, rows = totals(ask(recording, tmp_path, "-top", *options), unit)
        flat, cumulative = memory_sums(recording, place)
        assert whole == flat.total()
        assert {row: (flat[row], cumulative[row]) for row in cumulative} == rows


def test_threads_can_be_told_apart(tmp_path: Path) -> None:
    recording = Recording()
    recording.process()
    code = recording.code(b"a.py", 1, b"f")
    for thread, own in [(b"main", 7), (b"worker", 11)]:
        recording.thread(name=thread).add(0, code, 1, own)
    options = "-top", "-unit=ns", "-tagfocus=thread=worker"
    assert totals(ask(recording, tmp_path, *options), "ns")[1] == {"f": (11, 11)}


def test_gzip_of_many_blocks(tmp_path: Path) -> None:
    """Sizes around a stored block's 65 535 bytes; Python's gzip checks length and sum."""
    seen = set()
    for length in range(65_535 - 400, 65_535 + 400, 7):
        recording = Recording()
        recording.process()
        recording.code(b"", 0, b"x" * length)
        path = recording.write(tmp_path)
        whole = gzip.decompress(Profile.read(str(path)).export("pprof"))
        assert b"x" * length in whole
        seen.add(len(whole) > 65_535)
    assert seen == {False, True}


def by_stack(samples: Counter[pprof.Sample]) -> dict[object, list[int]]:
    """Values of equal stacks and labels are summed: pprof does it when it reads."""
    sums: dict[object, list[int]] = {}
    for (frames, values, labels), times in samples.items():
        so_far = sums.setdefault((frames, frozenset(labels)), [0] * len(values))
        so_far[:] = [old + times * new for old, new in zip(so_far, values, strict=True)]
    return sums


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_pprof_writes_again_is_what_was_recorded(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    ask(
        recording,
        tmp_path,
        "-proto",
        "-output=again.pb.gz",
        said=b"Generating report in again.pb.gz\n",
    )
    again = pprof.read((tmp_path / "again.pb.gz").read_bytes())
    assert by_stack(again) == by_stack(pprof.expected(recording))
