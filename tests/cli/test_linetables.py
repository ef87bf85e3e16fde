# SPDX-License-Identifier: Apache-2.0
"""The tables of lines from recordings made by hand; Python itself says where a line of source
begins."""

import ast
import doctest
import io
import os
import pty
import random
import re
from types import ModuleType
from typing import Any

import pytest
from fettle import _core, selectors, sourcetext
from fettle.problem import Problem
from fettle.report import lines, listing, overview, unit
from fettle.report.linetable import LineTable

from .harness import Folder
from .linefiles import Function, profile, recording, written

SECOND, MS, US = 10**9, 10**6, 10**3

SOURCE = """\
def f(n):
    total = 0
    for i in range(n):
\ttotal += g(i)
    else:
        pass  # \u202e
    return total
"""
ROWS = {
    1: (0, 0, 0, 0),
    2: (2, 3 * US, 0, 0),
    3: (22, 997 * US, 0, 0),
    4: (20, 3 * MS, 3 * MS // 2, 2 * MS),
    6: (0, 0, 0, 0),
    7: (2, 0, 0, 0),
}


@pytest.fixture
def app(folder: Folder) -> str:
    return str(folder.write("app.py", SOURCE))


def body(text: str) -> dict[int, list[str]]:
    """The cells of each line by its number: they end where the heads of their columns end."""
    printed = text.splitlines()
    at = next(place for place, line in enumerate(printed) if line.lstrip().startswith("Line #"))
    head = printed[at]
    contents = head.index("Line Contents")
    ends = [match.end() for match in re.finditer(r"\S+( \S+)*", head[:contents])]
    found = {}
    for line in printed[at + 1 :]:
        if not line[: ends[0]].strip().isdecimal():
            break
        cells = [line[low:high].strip() for low, high in zip([0, *ends], ends, strict=False)]
        found[int(cells[0])] = [*cells[1:], line[contents:]]
    return found


def shown(folder: Folder, *words: str) -> str:
    ended = folder.fettle("view", "x.fettle", *words)
    assert ended.code == 0, ended.stderr
    return ended.stdout


def remark(text: str) -> str:
    """The one sentence below the tables."""
    said = [line for line in text.splitlines() if line.startswith("fettle: ")]
    assert len(said) == 1
    return said[0]


def test_a_table_has_kernprofs_columns_and_ours(folder: Folder, app: str) -> None:
    written(
        folder.path / "x.fettle", recording(Function(app, 1, "f", 2, ROWS), sources={app: SOURCE})
    )
    text = shown(folder)
    assert text.splitlines()[0] == "x.fettle: lines of 1 function"
    assert text.splitlines()[1] == "app.py:1 f    2 calls    4.000 ms"
    assert text.splitlines()[2].split("  ")[0] == " Line #"
    assert body(text) == {
        1: ["", "", "", "", "", "", "def f(n):"],
        2: ["2", "3.00us", "1.50us", "0.1", "", "", "    total = 0"],
        3: ["22", "997.0us", "45.3us", "24.9", "", "", "    for i in range(n):"],
        4: ["20", "3.00ms", "150.0us", "75.0", "50%", "67%", "        total += g(i)"],
        5: ["", "", "", "", "", "", "    else:"],
        6: ["", "", "", "", "", "", "        pass  # \\u202e"],
        7: ["2", "0ns", "0ns", "0.0", "", "", "    return total"],
    }


def test_callees_are_a_column_only_where_calls_were_recorded(folder: Folder, app: str) -> None:
    rows = {line: (*row[:3], 0) for line, row in ROWS.items()}
    made = recording(Function(app, 1, "f", 2, rows), sources={app: SOURCE})
    written(folder.path / "x.fettle", made)
    assert "callees" not in shown(folder)
    written(folder.path / "x.fettle", recording(Function(app, 1, "f", 2, ROWS)))
    assert "In callees" in shown(folder)


@pytest.mark.parametrize(
    ("word", "cell", "each", "note"),
    [
        ("s", "0.003000", "0.000150", "times in s"),
        ("ms", "3.000", "0.150", "times in ms"),
        ("us", "3000.0", "150.0", "times in us"),
        ("ns", "3000000", "150000", "times in ns"),
        ("1e-3", "3.000", "0.150", "times in units of 1e-3 s"),
        ("1e-06", "3000.0", "150.0", "times in units of 1e-06 s"),
    ],
)
def test_a_unit_is_forced(
    folder: Folder, app: str, word: str, cell: str, each: str, note: str
) -> None:
    written(folder.path / "x.fettle", recording(Function(app, 1, "f", 2, ROWS)))
    text = shown(folder, "-u", word)
    assert body(text)[4][1:3] == [cell, each]
    assert text.splitlines()[1].endswith(note)


@pytest.mark.parametrize("word", ["", "m", "0", "-1", "nan", "inf", "1e-30", "1e30", "1_", "sec"])
def test_units_that_are_none_are_refused(folder: Folder, app: str, word: str) -> None:
    written(folder.path / "x.fettle", recording(Function(app, 1, "f", 2, ROWS)))
    ended = folder.fettle("view", "x.fettle", f"--unit={word}")
    assert ended.code == 2
    assert "1e-3" in ended.sentence()


def test_a_time_is_written_in_the_unit_that_fits_it() -> None:
    """Read back it is the time within its last digit, with at most three before the point."""
    rng = random.Random(4)
    for _ in range(2000):
        nanoseconds = rng.randrange(1, 10 ** rng.randrange(1, 14))
        found = re.fullmatch(r"(\d+)(\.\d+)?(s|ms|us|ns)", unit.Unit().cell(nanoseconds))
        assert found, nanoseconds
        digits = len(found[2] or ".") - 1
        size = unit.NANOSECONDS[found[3]]
        assert abs(float(found[1] + (found[2] or "")) * size - nanoseconds) <= (
            0.5 * size * 10**-digits + 1e-6
        )
        assert found[1] != "0"
        assert int(found[1]) < 1000 or found[3] == "s"


def six(path: str) -> list[Function]:
    """Functions of two files; the longest is neither the first nor the last."""
    times = {("a.py", "one"): 5, ("a.py", "two"): 50, ("b.py", "three"): 20, ("b.py", "never"): 0}
    return [
        Function(f"{path}/{file}", 10 * at + 1, name, time and 1, {10 * at + 2: (time, time, 0, 0)})
        for at, ((file, name), time) in enumerate(times.items())
    ]


def heads(text: str) -> list[str]:
    return re.findall(r"^[ab]\.py:\d+ (\w+)", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("", ["one", "two", "three", "never"]),
        ("-z", ["one", "two", "three"]),
        ("-t", ["two", "three", "one", "never"]),
        ("-tz", ["two", "three", "one"]),
        ("-n 2", ["two", "three"]),
        ("-n 2 -t", ["two", "three"]),
        ("-n 3", ["one", "two", "three"]),
        ("-n 0", ["one", "two", "three", "never"]),
        ("--in b.py", ["three", "never"]),
        ("--in b -z", ["three"]),
    ],
)
def test_tables_are_chosen_and_ordered(folder: Folder, options: str, names: list[str]) -> None:
    written(folder.path / "x.fettle", recording(*six("/gone")))
    text = shown(folder, "--lines", *options.split())
    assert heads(text) == names
    assert ("more function" in text) == (options[:4] in {"-n 2", "-n 3"})
    summary = shown(folder, "--summary", *options.split())
    assert re.findall(r"[ab]\.py:\d+\((\w+)\)$", summary, re.MULTILINE) == names


def test_a_function_that_never_ran_has_no_table(folder: Folder) -> None:
    written(folder.path / "x.fettle", recording(*six("/gone")[3:]))
    assert shown(folder).splitlines()[1:] == ["b.py:31 never    never called"]


def test_nothing_matches_a_glob(folder: Folder) -> None:
    written(folder.path / "x.fettle", recording(*six("/gone")))
    ended = folder.fettle("view", "x.fettle", "--lines", "--in", "c.py")
    assert (ended.code, ended.stdout) == (1, "")
    assert "c.py" in ended.sentence()


def test_view_shows_what_there_is(folder: Folder) -> None:
    both = recording(*six("/gone"), calls=True)
    written(folder.path / "x.fettle", both)
    text = shown(folder)
    assert text.index("function calls in") < text.index("lines of 4 functions")
    assert heads(shown(folder, "--lines")) == ["one", "two", "three", "never"]
    assert "lines of" not in shown(folder, "--calls")
    assert shown(folder, "--calls", "--lines") == text
    written(folder.path / "x.fettle", recording(*six("/gone")))
    assert "function calls" not in shown(folder)
    ended = folder.fettle("view", "x.fettle", "--calls")
    assert (ended.code, ended.stdout) == (1, "")
    assert "no calls" in ended.sentence()


@pytest.mark.parametrize("report", [["--tree"], ["--callers", "one"], ["--callees", "one"]])
def test_reports_of_calls_need_calls(folder: Folder, report: list[str]) -> None:
    written(folder.path / "x.fettle", recording(*six("/gone")))
    ended = folder.fettle("view", "x.fettle", *report)
    assert (ended.code, ended.stdout) == (1, "")
    assert "no calls" in ended.sentence()


def test_what_cprofile_wrote_has_no_lines(folder: Folder) -> None:
    folder.write("app.py", "len('')")
    folder.python("-m", "cProfile", "-o", "prof.out", "app.py")
    ended = folder.fettle("view", "prof.out", "--lines")
    assert (ended.code, ended.stdout) == (1, "")
    assert "no lines" in ended.sentence()


# ---- the source beside the numbers ----


def test_a_cell_of_a_notebook_is_no_file_that_is_gone(folder: Folder) -> None:
    cell = "/tmp/ipykernel_4321/1234567890.py"
    made = recording(Function(cell, 1, "f", 2, ROWS), sources={cell: SOURCE})
    written(folder.path / "x.fettle", made)
    ended = folder.fettle("view")
    assert (ended.code, ended.stderr) == (0, "")
    assert body(ended.stdout)[7][-1] == "    return total"
    assert "is gone" not in ended.stdout


def test_source_comes_from_the_recording(folder: Folder) -> None:
    gone = str(folder.path / "gone.py")
    made = recording(Function(gone, 1, "f", 2, ROWS), sources={gone: SOURCE})
    written(folder.path / "x.fettle", made)
    ended = folder.fettle("view")
    assert body(ended.stdout)[7][-1] == "    return total"
    assert "is gone" in remark(ended.stdout)
    folder.write("gone.py", SOURCE.replace("total = 0", "total = 1"))
    ended = folder.fettle("view")
    assert body(ended.stdout)[2][-1] == "    total = 0"
    assert "was changed" in remark(ended.stdout)
    folder.write("gone.py", SOURCE)
    assert "\nfettle: " not in folder.fettle("view").stdout


def test_source_that_was_not_recorded(folder: Folder) -> None:
    there = str(folder.path / "there.py")
    written(folder.path / "x.fettle", recording(Function(there, 1, "f", 2, ROWS)))
    ended = folder.fettle("view")
    assert "stand alone" in remark(ended.stdout)
    assert list(body(ended.stdout)) == list(ROWS)
    assert all(cells[-1] == "" for cells in body(ended.stdout).values())
    folder.write("there.py", SOURCE)
    ended = folder.fettle("view")
    assert "stands there now" in remark(ended.stdout)
    assert body(ended.stdout)[7][-1] == "    return total"


@pytest.mark.parametrize("file", ["<string>", "<stdin>", "<ipython-input-1-abc>"])
def test_code_without_a_file(folder: Folder, file: str) -> None:
    made = recording(Function(file, 1, "f", 2, ROWS), sources={file: SOURCE})
    written(folder.path / "x.fettle", made)
    ended = folder.fettle("view")
    assert body(ended.stdout)[7][-1] == "    return total"
    assert "\nfettle: " not in ended.stdout


def test_each_file_is_said_once(folder: Folder) -> None:
    written(folder.path / "x.fettle", recording(*six("/gone")))
    assert shown(folder).count("\nfettle: the source of /gone/") == 2
    assert "\nfettle: " not in shown(folder, "--summary")


def test_a_fifo_in_the_place_of_the_source_does_not_hang(folder: Folder) -> None:
    fifo = folder.path / "fifo.py"
    os.mkfifo(fifo)
    written(folder.path / "x.fettle", recording(Function(str(fifo), 1, "f", 2, ROWS)))
    assert "stand alone" in remark(shown(folder))


TRAPS = {
    "form feeds": "x = 1\n\x0cy = 2\n\x0c\nz = 3\n",
    "separators": "a = 'x\x0b\x1c\x1d\x1e\x85\u2028\u2029'\nb = 2\n",
    "old line ends": "a = 1\rb = 2\rc = '''\rd'''\re = 5\r",
    "mixed line ends": "a = 1\r\nb = 2\rc = 3\nd = '''\r\n\r'''\n\re = 5",
    "no last line end": "a = 1\nb = 2",
    "tabs": "if 1:\n\ta = 1\n\tif a:\n\t\tb = 2\n",
    "continued": "a = (1 +\n     2)\nb = 3 \\\n    + 4\nc = 5\n",
    "empty lines": "\n\n\na = 1\n\n\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lines_begin_where_python_says(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    decoded = sourcetext.decoded(data)
    found = decoded.split("\n")
    assert ast.dump(ast.parse(decoded)) == ast.dump(ast.parse(data))
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            line = found[node.lineno - 1].encode()
            assert line[node.col_offset :].decode().startswith(node.id)


@pytest.mark.parametrize(
    ("data", "second"),
    [
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "x = 'é'"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\nx = 'Я'".encode("cp1251"), None),
        (b"# coding: nosuch\nx = '\xe9'\n", "x = '\ufffd'"),
        (b"# no cookie\nx = '\xff'\n", "x = '\ufffd'"),
        (b"# coding: utf-8\nx = '\xed\xa0\x80'\n", None),
        ("# coding: utf-8\nx = 'é'\n".encode("utf-8-sig"), "x = 'é'"),
        (b"\xff\xfe\x00", None),
    ],
)
def test_any_bytes_are_decoded(data: bytes, second: str | None) -> None:
    found = sourcetext.decoded(data).split("\n")
    if second is not None:
        assert found[1] == second
    try:
        ast.parse(data)
    except (SyntaxError, ValueError):
        return
    assert ast.dump(ast.parse(data)) == ast.dump(ast.parse("\n".join(found)))


def test_names_and_source_can_not_draw_on_the_screen(folder: Folder) -> None:
    evil = "/x/\x1b[31m\u202e.py"
    made = recording(
        Function(evil, 1, "f\n\x9b", 1, {2: (1, 5, 0, 0)}),
        sources={evil: "x\ny = '\x1b[2J\x07\u2066\x00'\n"},
    )
    written(folder.path / "x.fettle", made)
    ended = folder.fettle("view")
    assert all(line.isprintable() for line in (ended.stdout + ended.stderr).split("\n"))
    assert "y = '\\x1b[2J\\x07\\u2066\\x00'" in ended.stdout


def test_hostile_line_numbers_end_soon(folder: Folder) -> None:
    rows = {1: (1, 1, 0, 0), 2**32 - 1: (1, 1, 0, 0)}
    made = recording(Function("/x.py", 1, "f", 1, rows), sources={"/x.py": "a\nb\nc\n"})
    written(folder.path / "x.fettle", made)
    assert list(body(shown(folder))) == [1, 2, 3, 4, 2**32 - 1]


def test_a_table_of_what_ran_alone_goes_on_to_the_end_of_its_function(folder: Folder) -> None:
    """As line_profiler's files have it: no line that did not run."""
    text = "x = 1\n@mark\ndef f(n):\n    if n:\n        return 1\n\n    return 2\n\n\ny = 1\n"
    file = str(folder.write("app.py", text))
    ran = {(file, 2, "f"): [(4, 1, 5), (5, 1, 5)]}
    (folder.path / "x.lprof").write_bytes(_core.write_lprof(ran, 1e-9))
    assert list(body(folder.fettle("view", "x.lprof").stdout)) == [2, 3, 4, 5, 6, 7]
    folder.write("app.py", "\n" * 2 + '"""')
    assert list(body(folder.fettle("view", "x.lprof").stdout)) == [2, 3, 4, 5]


def test_the_end_of_a_function_is_found_without_the_rest_of_its_file() -> None:
    class Listing(list[str]):
        read = 0

        def __getitem__(self, at: Any) -> Any:
            self.read += len(range(len(self))[at]) if isinstance(at, slice) else 1
            return super().__getitem__(at)

    text = Listing(["def f():", "    return 1", ""] * 10_000)
    assert listing.last_line(text, 14_998) == 14_999
    assert text.read < 1_000


def test_columns_hold_the_largest_numbers(folder: Folder, app: str) -> None:
    most = 2**63 - 1
    rows = ROWS | {3: (most, most, most, most), 4: (1, most, 0, 0)}
    made = recording(Function(app, 1, "f", most, rows), sources={app: SOURCE})
    written(folder.path / "x.fettle", made)
    assert body(shown(folder))[3][0] == str(most)
    assert body(shown(folder))[3][-1] == "    for i in range(n):"


def test_long_lines_are_whole_in_a_pipe_and_cut_on_a_terminal(folder: Folder) -> None:
    long = "x = '" + 5000 * "ab" + "'"
    file = str(folder.write("long.py", long))
    made = recording(Function(file, 1, "f", 1, {1: (1, SECOND, 0, 0)}), sources={file: long})
    loaded = profile(folder.path / "x.fettle", made)
    assert long in shown(folder)
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        overview.show(loaded, overview.Choice(None, lines.Choice()), terminal, [])
        printed = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert max(map(len, printed)) == 100
    assert printed[-1].endswith("ab...") or printed[-1].endswith("ba...")


def test_colour_changes_no_text(folder: Folder, app: str) -> None:
    made = recording(Function(app, 1, "f", 2, ROWS), *six("/gone"), sources={app: SOURCE})
    written(folder.path / "x.fettle", made)
    plain = shown(folder, "-n", "2")
    coloured = folder.fettle("view", "x.fettle", "-n", "2", FORCE_COLOR="1").stdout
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_what_the_encoding_lacks_is_escaped_in_source() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    from fettle.report import screen

    screen.styled([("x = 'Grüße'", "")], stream)
    assert raw.getvalue() == b"x = 'Gr\\xfc\\xdfe'\n"


def test_a_line_is_shown_without_its_end() -> None:
    assert listing.shown("\tx  \t\x0c") == "        x"
    assert listing.shown("a\tb") == "a       b"


@pytest.mark.parametrize("module", [unit, listing, sourcetext, selectors], ids=lambda m: m.__name__)
def test_the_examples_of_the_docstrings(module: ModuleType) -> None:
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0


def test_a_table_knows_whether_it_ran() -> None:
    def table(calls: int, hits: int) -> LineTable:
        return LineTable(("a.py", 1, "f", "f", calls, [(2, hits, 0, 0, 0)]))

    assert [table(*each).ran() for each in ((0, 0), (1, 0), (0, 1))] == [False, True, True]


def test_an_unnamed_recording_without_lines_is_an_empty_report(folder: Folder) -> None:
    out = io.StringIO()
    loaded = profile(folder.path / "x.fettle", recording())
    overview.show(loaded, overview.Choice(None, lines.Choice()), out, [])
    assert out.getvalue().splitlines()[0] == "lines of 0 functions"
    with pytest.raises(Problem):
        overview.show(loaded, overview.Choice(None, lines.Choice(), "x.fettle"), out, [])
