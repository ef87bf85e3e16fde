# SPDX-License-Identifier: Apache-2.0
"""LineStats: sums against fractions, files, and tables read back from their text."""

import io
import random
import subprocess
import sys
from fractions import Fraction

import pytest
from fettle.compat.line_profiler import LineProfiler, LineStats, load_stats, show_func, show_text
from fettle.compat.line_profiler.line_profiler import get_code_block

KEYS = [("one.py", 1, "work"), ("one.py", 20, "Class.method"), ("two.py", 1, "work")]


def some_stats(dice, unit):
    keys = dice.sample(KEYS, dice.randrange(1, 4))
    timings = {}
    for key in keys:
        lines = sorted(dice.sample(range(key[1], key[1] + 9), dice.randrange(6)))
        timings[key] = [(n, dice.randrange(1, 99), dice.randrange(10**9)) for n in lines]
    return LineStats(timings, unit)


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_of_several(seed):
    dice = random.Random(seed)
    units = [dice.choice([2.0**-30, 2.0**-20, 2.0**-10]) for _ in range(dice.randrange(2, 5))]
    several = [some_stats(dice, unit) for unit in units]
    summed = LineStats.from_stats_objects(*several)
    assert summed.unit == max(units)
    exact = {}
    for stats in several:
        for key, rows in stats.timings.items():
            for line, hits, time in rows:
                before = exact.setdefault(key, {}).setdefault(line, [0, Fraction(0)])
                before[0] += hits
                before[1] += time * Fraction(stats.unit) / Fraction(max(units))
    for key, rows in summed.timings.items():
        table = exact.get(key, {})
        assert [line for line, *_ in rows] == sorted(table)
        for line, hits, time in rows:
            assert hits == table[line][0]
            assert abs(time - table[line][1]) <= Fraction(1, 2) + Fraction(1, 10**6)
    left = several[0]
    for stats in several[1:]:
        left += stats
    assert left is several[0]
    assert left.timings.keys() == summed.timings.keys()


def test_a_copy_is_a_copy():
    stats = LineStats({KEYS[0]: [(2, 1, 5)]}, 1e-6)
    copy = LineStats.from_stats_objects(stats)
    assert copy == stats
    copy.timings[KEYS[0]].append((3, 1, 1))
    assert copy != stats
    assert stats.timings == {KEYS[0]: [(2, 1, 5)]}
    assert stats != "something else"


@pytest.mark.parametrize("seed", range(5))
def test_files_there_and_back(seed, tmp_path):
    dice = random.Random(seed)
    several = [some_stats(dice, 2.0**-20) for _ in range(3)]
    for number, stats in enumerate(several):
        stats.to_file(tmp_path / f"{number}.lprof")
    paths = [tmp_path / f"{number}.lprof" for number in range(3)]
    assert load_stats(paths[0]) == several[0]
    assert load_stats(*map(str, paths)) == LineStats.from_stats_objects(*several)


# ---- tables ----


def table_of(text):
    """{line: (the numbers' cells, source)} of the one table in text."""
    lines = text.splitlines()
    ruler = next(n for n, line in enumerate(lines) if line and set(line) == {"="})
    edge = lines[ruler - 1].index("Line Contents")
    rows = [line for line in lines[ruler + 1 :] if line.strip()]
    return {int(row.split()[0]): (row[:edge].split()[1:], row[edge:]) for row in rows}


def shown(*arguments, **options):
    stream = io.StringIO()
    show_func(*arguments, stream=stream, config=False, **options)
    return stream.getvalue()


SOURCE = "import os\n\n\ndef work(n):\n    a = n\n\n    return a  # end\n\n\nother = 1\n"


def test_the_source_beside_the_numbers(tmp_path):
    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    text = shown(str(file), 4, "work", [(5, 4, 1000), (7, 2, 3000)], 1e-6, 1e-3)
    assert f"File: {file}\nFunction: work at line 4\n" in text
    assert "Total time: 0.004 s" in text
    rows = table_of(text)
    assert [source for _, source in rows.values()] == SOURCE.splitlines()[3:7]
    assert rows[5][0] == ["4", "1.0", "0.2", "25.0"]  # 1 ms in 4 hits: 0.25 shown to one place
    assert rows[7][0] == ["2", "3.0", "1.5", "75.0"]
    assert rows[4][0] == rows[6][0] == []


@pytest.mark.parametrize("seed", range(10))
def test_columns_stay_in_line_however_large_the_numbers(seed, tmp_path):
    dice = random.Random(seed)
    file = tmp_path / "app.py"
    file.write_text("def work():\n" + "    pass\n" * 20)
    timings = []
    for line in sorted(dice.sample(range(2, 21), 10)):
        hits = dice.randrange(1, 10 ** dice.randrange(1, 30))
        timings.append((line, hits, dice.random() * 10 ** dice.randrange(30)))
    rows = table_of(shown(str(file), 1, "work", timings, 1.0))
    for line, hits, time in timings:
        cells, source = rows[line]
        assert source == "    pass"
        assert float(cells[0]) == pytest.approx(hits, rel=1e-5)
        assert float(cells[1]) == pytest.approx(time, rel=1e-2, abs=0.051)
        assert float(cells[2]) == pytest.approx(time / hits, rel=1e-2, abs=0.051)


def test_all_functions_and_their_totals():
    stats = LineStats({KEYS[0]: [(1, 1, 3)], KEYS[1]: [(20, 1, 2)], KEYS[2]: []}, 1.0)
    text = io.StringIO()
    stats.print(text, details=False, summarize=True, sort=True)
    totals = [line.split()[0] for line in text.getvalue().splitlines()[2:]]
    assert totals == ["0.00", "2.00", "3.00"]
    text = io.StringIO()
    stats.print(text, stripzeros=True, summarize=True)
    assert text.getvalue().count("Total time") == 2
    assert "two.py" not in text.getvalue()
    text = io.StringIO()
    show_text({}, 1e-6, 1e-3, text)
    assert text.getvalue().strip() == "Timer unit: 0.001 s"


def test_colours_change_no_character(tmp_path):
    import re

    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    plain = shown(str(file), 4, "work", [(5, 4, 1000)], 1e-6)
    colourful = shown(str(file), 4, "work", [(5, 4, 1000)], 1e-6, rich=True)
    assert colourful != plain
    without = re.sub(r"\x1b\[[0-9;]*m", "", colourful)
    assert [s.split() for s in without.splitlines()] == [s.split() for s in plain.splitlines()]


# ---- sources that are not as they were ----


def test_a_file_that_is_gone():
    text = shown("nowhere/gone.py", 4, "work", [(5, 4, 1000), (9, 1, 1)], 1e-6)
    assert "Could not find file nowhere/gone.py" in text
    assert sorted(table_of(text)) == list(range(4, 10))


@pytest.mark.parametrize("content", ["", "x = 1\n", "\n" * 4 + "(", "\n" * 3 + "def f(:\n  '''\n"])
def test_a_file_that_has_changed_still_shows_every_number(content, tmp_path):
    file = tmp_path / "app.py"
    file.write_text(content)
    rows = table_of(shown(str(file), 4, "work", [(5, 4, 1000), (9, 1, 1)], 1e-6))
    assert rows[5][0][0] == "4"
    assert rows[9][0][0] == "1"


def test_no_newline_at_the_end_tabs_and_form_feeds(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def work():\n\tx = 1\n\x0c\treturn x")
    rows = table_of(shown(str(file), 1, "work", [(2, 1, 1), (3, 1, 1)], 1e-6))
    assert [source for _, source in rows.values()] == ["def work():", "\tx = 1", "\\x0c\treturn x"]


def test_what_a_terminal_would_obey_is_escaped(tmp_path):
    file = tmp_path / "a\x1b[2Jb.py"
    file.write_text("def work():\n    return '\x1b]0;title\x07\u202e'\n")
    stats = LineStats({(str(file), 1, "w\x1bork"): [(2, 1, 1)]}, 1e-6)
    text = io.StringIO()
    stats.print(text, summarize=True)
    assert not set("\x1b\x07\u202e") & set(text.getvalue())
    assert "\\x1b]0;title\\x07\\u202e" in text.getvalue()


def test_a_stream_that_lacks_the_letters(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def work():\n    return 'é→'\n", encoding="utf-8")
    bytes_written = io.BytesIO()
    stream = io.TextIOWrapper(bytes_written, encoding="ascii")
    show_func(str(file), 1, "work", [(2, 1, 1)], 1e-6, stream=stream, config=False)
    stream.flush()
    assert rb"return '\xe9\u2192'" in bytes_written.getvalue()


def test_a_module_is_shown_whole(tmp_path):
    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    rows = table_of(shown(str(file), 1, "<module>", [(1, 1, 1)], 1e-6))
    assert len(rows) == len(SOURCE.splitlines())


def test_a_block_ends_where_the_function_does(tmp_path):
    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    assert get_code_block(str(file), 4) == SOURCE.splitlines(keepends=True)[3:7]


# ---- the command ----


def command(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "fettle.compat.line_profiler", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_shows_files(tmp_path):
    source = tmp_path / "app.py"
    source.write_text(SOURCE)
    names = {}
    exec(compile(SOURCE, str(source), "exec"), names)
    profile = LineProfiler()
    work = profile(names["work"])
    for count in (2, 3):
        for _ in range(count):
            work(1)
        profile.dump_stats(tmp_path / f"{count}.lprof")
    ended = command("-mz", "2.lprof", "3.lprof", cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert table_of(ended.stdout.rpartition("\n\n")[0])[5][0][0] == str(2 + 5)


@pytest.mark.parametrize("content", [None, b"", b"cos\nsystem\n(S'echo hello'\ntR.", b"\x80\x04}."])
def test_what_is_no_profile_is_one_sentence(content, tmp_path):
    if content is not None:
        (tmp_path / "app.lprof").write_bytes(content)
    ended = command("app.lprof", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("fettle: cannot read app.lprof: ")
    assert line.endswith(".")
