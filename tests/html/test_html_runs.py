# SPDX-License-Identifier: Apache-2.0
"""`fettle diff --html` of sides that are several runs: comparable, however many there are of each,
with the verdicts that the tables have."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # the harness is shared
from cli.harness import Folder
from contract.synthetic import Recording

from tests.html.test_html_diff import payload_of

pytestmark = pytest.mark.once

MS = 10**6
OLD, NEW = [100, 103, 101], [205, 199, 202, 207]  # ms that f takes in each run


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def write(folder: Folder, name: str, own: int, workers: int = 0) -> str:
    """A run in which f takes so many ms, as each worker process, and g now more, now less."""
    recording = Recording(meta=[(b"cwd", b"/app")])
    f, g, top = (
        recording.code(b"/app/main.py", line, code, code)
        for line, code in ((3, b"f"), (5, b"g"), (1, b"<module>"))
    )
    process = recording.process(pid=own, command=b"python\0main.py")
    thread = recording.thread(process)
    main = thread.add(0, top, 1, MS)
    thread.add(main, f, 4, own * MS)
    thread.add(main, g, 2, (50 + own // 20 + own % 7 * 3) * MS)
    for at in range(workers):
        process = recording.process(pid=1000 + own + at, command=b"python\0worker.py")
        recording.thread(process).add(0, f, 1, own * MS)
    (folder.path / name).write_bytes(recording.write(folder.path).read_bytes())
    return name


def sides(folder: Folder, old: list[int], new: list[int], workers: int = 0) -> list[str]:
    names = [
        [write(folder, f"{side}{at}.fettle", own, workers) for at, own in enumerate(owns)]
        for side, owns in (("old", old), ("new", new))
    ]
    return [*names[0], "--vs", *names[1]]


def page(folder: Folder, words: list[str]) -> dict[str, Any]:
    ended = folder.fettle("diff", *words, "--html", "-")
    assert (ended.code, ended.stderr) == (0, "")
    return payload_of(ended.stdout.encode())


def column(found: dict[str, Any], key: str) -> dict[str, Any]:
    return dict(zip(found["functions"]["name"], found["functions"][key], strict=True))


def paths(found: dict[str, Any], key: str) -> dict[str, int]:
    """The sum of a column of the tree, by the names on the way from the top."""
    part, names = found["calls"], found["functions"]["name"]
    ways: list[str] = []
    for at, (parent, function) in enumerate(zip(part["parent"], part["function"], strict=True)):
        name = names[function] if function >= 0 else part["text"][str(at)]
        ways.append(f"{ways[parent]}/{name}" if parent >= 0 else name)
    assert len(set(ways)) == len(ways)
    return dict(zip(ways, part[key], strict=True))


def test_numbers_are_sums_of_so_many_runs(folder: Folder) -> None:
    found = page(folder, sides(folder, OLD, NEW))
    assert (found["runs0"], found["runs"]) == (3, 4)
    assert column(found, "own0")["f"] == sum(OLD) * MS
    assert column(found, "own")["f"] == sum(NEW) * MS
    assert (column(found, "calls0")["f"], column(found, "calls")["f"]) == (3 * 4, 4 * 4)
    header = dict(found["header"])
    assert header["Runs"] == "4 (old: 3)"
    assert header["Calls"].startswith("7 (")
    assert (
        "calls, lines and times are means of the runs, of 3 old and 4 new ones."
        in (found["remarks"])
    )
    assert found["old"] == "old0.fettle ... old2.fettle"


@pytest.mark.parametrize("old", [OLD, OLD[:1]])
def test_the_runs_are_one_tree(old: list[int], folder: Folder) -> None:
    """Each is a process of its own, and none is beside the others."""
    found = page(folder, sides(folder, old, NEW))
    top = "recording/<module>"
    assert paths(found, "own")[f"{top}/f"] == sum(NEW) * MS
    assert paths(found, "own0")[f"{top}/f"] == sum(old) * MS
    assert set(paths(found, "own")) == {"recording", top, f"{top}/f", f"{top}/g"}


def test_processes_of_runs_are_matched(folder: Folder) -> None:
    found = page(folder, sides(folder, OLD, NEW, workers=2))
    own, own0 = ([each for each in found["calls"][key] if each] for key in ("own", "own0"))
    assert own.count(sum(NEW) * MS) == own0.count(sum(OLD) * MS) == 3  # f in all, and each worker
    texts = sorted(found["calls"]["text"].values())
    worker = "[process: python worker.py]"
    assert texts == ["[process: python main.py]", worker, worker, "recording"]


def test_verdicts_are_those_of_the_table(folder: Folder) -> None:
    words = sides(folder, OLD, NEW)
    found, printed = page(folder, words), folder.fettle("diff", *words, "-n", "0").stdout
    heading, *rows = printed.splitlines()
    assert f"{dict(found['header'])['Change of time']}; 3 and 4 runs" in heading
    verdicts, times = column(found, "verdict"), column(found, "times")
    assert "slower (95%:" in verdicts["f"] and times["f"] == pytest.approx(2, rel=0.05)
    assert "unclear" in verdicts["g"] and times["g"] == 1
    for name in "fg":
        (row,) = [row for row in rows if f"({name})" in row]
        assert row.endswith(f" {verdicts[name]}")
    assert verdicts["<module>"] == ""  # it takes no hundredth of the time


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [(OLD, NEW[:1], "one run on one side, which"), (OLD[:1], NEW[:1], "one run each, which")],
)
def test_one_run_has_no_verdict(old: list[int], new: list[int], said: str, folder: Folder) -> None:
    found = page(folder, sides(folder, old, new))
    assert "verdict" not in found["functions"]
    assert any(said in text for text in found["remarks"])
    assert any("means of the runs" in text for text in found["remarks"]) == (len(old) > 1)


def test_runs_of_one_file(folder: Folder) -> None:
    folder.write("one.py", "def f(): pass\nfor _ in range(3): f()\n")
    for number in ("2", "3"):
        assert folder.fettle("run", "-q", "--repeat", number, "one.py").code == 0
    found = page(folder, [])
    assert (found["runs0"], found["runs"]) == (2, 3)
    assert (column(found, "calls0")["f"], column(found, "calls")["f"]) == (6, 9)
    assert "verdict" in found["functions"]


def test_memory_is_that_of_a_run(folder: Folder) -> None:
    """Of the one whose peak is the median: a sum would be no peak."""
    folder.write("mem.py", "import sys\nkept = bytearray(int(sys.argv[1]) * 10**6)\n")
    for size in "132":
        run = folder.fettle("run", "-q", "-M", "-o", f"m{size}.fettle", "mem.py", size)
        assert run.code == 0
    found = page(folder, ["m1", "m2", "m3", "--vs", "m2"])
    memory = found["memory"]
    assert memory["peakBytes"] == memory["peakBytes0"]
    assert sum(memory["peakBytes"]) >= 2 * 10**6
    assert "memory and objects are those of the run whose peak is the median." in found["remarks"]


def test_a_point_is_no_side(folder: Folder) -> None:
    write(folder, "one.fettle", 1)
    ended = folder.fettle("diff", "one", "one@loaded", "--vs", "one", "--html", "x.html")
    assert ended.code == 2 and "one@loaded is a point" in ended.sentence()
