# SPDX-License-Identifier: Apache-2.0
"""`fettle export`."""

import json
import pstats
import re
import sys
from pathlib import Path

import pytest
from fettle import _core

from .harness import Folder

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract import callgrind
from contract.stacks import in_lines, read_collapsed
from contract.synthetic import AWAITED, SAMPLES, Code, Recording


@pytest.fixture
def recorded(folder: Folder) -> Folder:
    """one.fettle calls f 3 times."""
    folder.write("one.py", "def f(): g()\ndef g(): pass\nfor _ in range(3): f()\n")
    assert folder.fettle("run", "-q", "one.py").code == 0
    return folder


def chain(length: int) -> Recording:
    """Each function calls the next: as many frames as half the square of the length."""
    recording = Recording()
    recording.process()
    code = recording.code(b"deep.py", 1, b"down")
    thread = recording.thread()
    for at in range(length):
        thread.add(at, code, 1, 1)
    return recording


def fan(width: int) -> Recording:
    """A function that calls many others, each of which takes a nanosecond more."""
    recording = Recording()
    recording.process()
    thread = recording.thread()
    top = thread.add(0, recording.code(b"wide.py", 1, b"top"), 1, 7)
    for i in range(width):
        thread.add(top, recording.code(b"wide.py", i + 2, b"f%d" % i), 1, i + 1)
    return recording


def test_pstats_is_read_by_pstats(recorded: Folder) -> None:
    assert recorded.fettle("export", "one.fettle", "-f", "pstats").code == 0
    stats = pstats.Stats(str(recorded.path / "one.fettle.pstats"))
    calls = {name: row[1] for (_, _, name), row in stats.stats.items()}
    assert (calls["f"], calls["g"]) == (3, 3)


MARKED = """\
@profile
def f(n):
    s = 0
    for i in range(n):
        s += sum(x for x in range(i))
    return s
f(5); f(7)
"""


def test_a_program_line_by_line(folder: Folder) -> None:
    """What was recorded, not made up: hits by counting, and callgrind's costs are the calls'."""
    folder.write("marked.py", MARKED)
    assert folder.fettle("run", "-q", "-l", "-C", "marked.py").code == 0
    document = json.loads(folder.fettle("export", "marked", "-f", "json", "-o", "-").stdout)
    (code,) = {row["code"] for row in document["lines"]}
    assert document["codes"][code]["name"] == "f"
    hits = {row["line"]: row["hits"] for row in document["lines"]}
    assert {line: hits[line] for line in (0, 3, 4, 5, 6)} == {0: 2, 3: 2, 4: 14, 5: 12, 6: 2}
    exported = folder.fettle("export", "marked", "-f", "callgrind", "-o", "-").stdout
    read = callgrind.read(exported.encode())
    own = {key: ns for key, ns in read.own.items() if key[1].startswith("f:")}
    (row,) = (row for row in document["functions"] if row["code"] == code)
    assert list(own.values()) == [row["own_ns"]]
    assert read.total == sum(row["own_ns"] for row in document["functions"])
    assert {line for (key, line), ns in read.lines.items() if key in own and ns} >= {3, 4}


def test_lines_without_calls(folder: Folder) -> None:
    """What holds calls only says so, and what holds lines is written."""
    source = SAMPLES["lines only"]().write(folder.path).name
    before = folder.names()
    for form in ["pstats", "collapsed", "speedscope", "chrome", "firefox"]:
        held = "calls and memory" if form in ("chrome", "firefox") else "calls"
        ended = folder.fettle("export", source, "-f", form)
        assert (ended.code, ended.stdout) == (2, "")
        assert ended.stderr == (
            f"fettle: {source} holds lines and no calls, and {form} holds {held} only; "
            "export json, callgrind, pprof or lprof, or record calls with -C too.\n"
        )
    assert folder.names() == before
    for form in ["json", "callgrind", "pprof", "lprof"]:
        ended = folder.fettle("export", source, "-f", form)
        assert (ended.code, ended.stderr) == (0, "")
    for form in ["pstats", "pprof"]:  # of one that has both
        both = SAMPLES["lines"]().write(folder.path).name
        assert folder.fettle("export", both, "-f", form).code == 0


def test_memory_alone(folder: Folder) -> None:
    """What has no place for it says so."""
    source = SAMPLES["memory"]().write(folder.path).name
    before = folder.names()
    for form in ["pstats", "collapsed", "speedscope", "callgrind"]:
        ended = folder.fettle("export", source, "-f", form)
        assert (ended.code, ended.stdout) == (2, "")
        assert ended.stderr == (
            f"fettle: {source} holds memory only, and {form} has no place for it; "
            "export json, chrome, firefox or pprof, or record calls with -C too.\n"
        )
    assert folder.names() == before
    for form in ["json", "chrome", "firefox", "pprof"]:
        ended = folder.fettle("export", source, "-f", form)
        assert (ended.code, ended.stderr) == (0, "")


def test_lines_and_memory_without_calls(folder: Folder) -> None:
    recording = SAMPLES["lines only"]()
    recording.memory.heaps = [(0, 1, 0, 5, 600, 500, 10**9, 2, 300)]
    source = recording.write(folder.path).name
    for form in ["chrome", "firefox"]:
        assert folder.fettle("export", source, "-f", form).code == 0
    assert folder.fettle("export", source, "-f", "speedscope").code == 2


def test_calls_without_lines(recorded: Folder) -> None:
    before = recorded.names()
    ended = recorded.fettle("export", "one.fettle", "-f", "lprof")
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.sentence().startswith("fettle: one.fettle holds no lines, and lprof holds nothing")
    assert recorded.names() == before


def test_a_source_of_lines_is_not_overwritten(folder: Folder) -> None:
    recording = SAMPLES["lines only"]()
    recording.codes[1] = Code(b"mine.py", 1, b"f")
    recording.lines = [(1, 2, 1, 1, 0, 0)]
    source = recording.write(folder.path).name
    folder.write("mine.py", "text")
    ended = folder.fettle("export", source, "-f", "json", "-o", "mine.py")
    assert ended.code == 2 and "mine.py is source of the recorded program" in ended.stderr
    assert (folder.path / "mine.py").read_text() == "text"


def test_a_source_of_memory_is_not_overwritten(folder: Folder) -> None:
    recording = SAMPLES["memory"]()
    recording.codes[1] = Code(b"mine.py", 1, b"f")
    source = recording.write(folder.path).name
    folder.write("mine.py", "text")
    ended = folder.fettle("export", source, "-f", "json", "-o", "mine.py")
    assert ended.code == 2 and "mine.py is source of the recorded program" in ended.stderr
    assert (folder.path / "mine.py").read_text() == "text"


def test_to_stdout_and_by_suffix(recorded: Folder) -> None:
    piped = recorded.fettle("export", "one", "-f", "json", "-o", "-")
    assert (piped.code, piped.stderr) == (0, "")
    assert recorded.fettle("export", "one", "-o", "x.json").code == 0
    assert json.loads((recorded.path / "x.json").read_text()) == json.loads(piped.stdout)
    assert recorded.fettle("export", "one.fettle", "-o", "x.speedscope.json").code == 0
    assert "$schema" in json.loads((recorded.path / "x.speedscope.json").read_text())


def test_the_default_name_is_nobody_elses(recorded: Folder) -> None:
    recorded.write("one.json", "{}")
    before = recorded.names()
    assert recorded.fettle("export", "one", "-f", "json").code == 0
    assert recorded.names() - before == {"one.fettle.json"}
    assert (recorded.path / "one.json").read_text() == "{}"
    (recorded.path / "one.fettle").rename(recorded.path / "one")
    before = recorded.names()
    assert recorded.fettle("export", "one", "-f", "collapsed").code == 0
    assert recorded.names() - before == {"one.fettle.collapsed"}


def test_what_is_named_is_overwritten_but_no_recording_and_no_source(recorded: Folder) -> None:
    source = (recorded.path / "one.py").read_text()
    recording = (recorded.path / "one.fettle").read_bytes()
    for name in ["one.py", "../" + recorded.path.name + "/one.py", "one.fettle"]:
        ended = recorded.fettle("export", "one", "-f", "json", "-o", name)
        assert ended.code == 2
        assert ended.sentence().startswith(f"fettle: {name} is ")
    assert (recorded.path / "one.py").read_text() == source
    assert (recorded.path / "one.fettle").read_bytes() == recording
    recorded.write("other/one.py", "not of the recording")
    for name in ["other/one.py", "fresh.py"]:
        assert recorded.fettle("export", "one", "-f", "json", "-o", name).code == 0
        assert json.loads((recorded.path / name).read_text())["format"] == "fettle"


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_who_may_read_a_file_that_is_overwritten_stays_as_it_was(
    recorded: Folder, mode: int
) -> None:
    out = recorded.write("out.json", "{}")
    out.chmod(mode)
    assert recorded.fettle("export", "one", "-o", "out.json").code == 0
    assert json.loads(out.read_text()) and out.stat().st_mode & 0o777 == mode


def test_only_the_heaviest_are_kept_and_the_rest_is_said(folder: Folder) -> None:
    name = fan(9).write(folder.path).name
    ended = folder.fettle("export", name, "-o", "x.collapsed", "--max-nodes", "4")
    assert ended.code == 0
    assert ended.sentence() == (
        "fettle: 6 of 10 call paths with 40.38% of the time were left out and are summed up as "
        "[pruned] below the 4 heaviest; --max-nodes 0 keeps all."
    )
    assert read_collapsed((folder.path / "x.collapsed").read_bytes()) == {
        ("top (wide.py:1)",): 7,
        ("top (wide.py:1)", "f8 (wide.py:10)"): 9,
        ("top (wide.py:1)", "f7 (wide.py:9)"): 8,
        ("top (wide.py:1)", "f6 (wide.py:8)"): 7,
        ("top (wide.py:1)", "[pruned]"): 1 + 2 + 3 + 4 + 5 + 6,
    }


def test_marks_of_tasks_are_no_call_paths(folder: Folder) -> None:
    recording = fan(9)
    awaited = recording.code(b"", 0, b"<awaited>", b"", AWAITED)
    recording.threads[0].add(1, awaited, 1, 50, 50)
    name = recording.write(folder.path).name
    ended = folder.fettle("export", name, "-o", "x.collapsed", "--max-nodes", "4")
    assert "6 of 10 call paths" in ended.sentence()
    assert "below the 4 heaviest" in ended.sentence()
    assert len(read_collapsed((folder.path / "x.collapsed").read_bytes())) == 4 + 1


@pytest.mark.parametrize("form", ["pstats", "callgrind", "json", "pprof", "speedscope", "chrome"])
def test_every_format_can_be_cut(form: str, folder: Folder) -> None:
    name = SAMPLES["arbitrary 1"]().write(folder.path).name
    ended = folder.fettle("export", name, "-f", form, "--max-nodes", "10")
    assert (ended.code, ended.stdout) == (0, "")
    assert "--max-nodes 0 keeps all." in ended.sentence()


def test_nothing_is_said_where_nothing_is_left_out(folder: Folder) -> None:
    name = fan(9).write(folder.path).name
    for number in ["0", "10", "999999999"]:
        ended = folder.fettle("export", name, "-o", "x.collapsed", "--max-nodes", number)
        assert (ended.code, ended.stderr) == (0, "")
        assert read_collapsed((folder.path / "x.collapsed").read_bytes()) == in_lines(fan(9))


def test_what_viewers_can_take_is_the_default(folder: Folder) -> None:
    width = 100_050
    name = fan(width).write(folder.path).name
    ended = folder.fettle("export", name, "-o", "x.collapsed")
    assert ended.code == 0
    assert ended.sentence().startswith(f"fettle: 51 of {width + 1} call paths with <0.01% of the ")
    times = read_collapsed((folder.path / "x.collapsed").read_bytes())
    assert times["top (wide.py:1)", "[pruned]"] == sum(range(1, 52))
    assert sum(times.values()) == 7 + sum(range(1, width + 1))
    ended = folder.fettle("export", name, "-f", "json", "-o", "x.json")
    assert (ended.code, ended.stderr) == (0, ""), "for programs: all of it"


def test_deep_paths_are_cut_unless_asked_for(folder: Folder) -> None:
    name = chain(30_000).write(folder.path).name
    ended = folder.fettle("export", name, "-f", "collapsed", "-o", "x.collapsed")
    assert ended.code == 0
    assert "of 30000 call paths" in ended.sentence()
    written = (folder.path / "x.collapsed").read_bytes()
    assert sum(read_collapsed(written).values()) == 30_000
    assert written.count(b"down") <= 1_000_000 * 1.01
    ended = folder.fettle("export", name, "-f", "collapsed", "--max-nodes", "0", "-o", "y")
    assert ended.code == 3
    assert ended.stderr == (
        f"fettle: the paths of {name} would fill more than 2 GiB as collapsed; "
        "export another format, or fewer of them with --max-nodes.\n"
    )
    assert folder.fettle("export", name, "-f", "pstats").code == 0


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "", "1000000000"])
def test_a_wrong_number_is_refused(number: str, recorded: Folder) -> None:
    ended = recorded.fettle("export", "one", "-f", "json", f"--max-nodes={number}")
    assert ended.code == 2
    assert "--max-nodes needs a whole number" in ended.sentence()


def test_help_names_every_format(folder: Folder) -> None:
    (formats,) = re.findall(r"FORMAT is one of ([^.]*)\.", folder.fettle("export", "--help").stdout)
    assert formats.split(", ") == [name for name, *_ in _core.exporters()]
