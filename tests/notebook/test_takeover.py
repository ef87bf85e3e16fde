# SPDX-License-Identifier: Apache-2.0
"""The habitual magics over fettle's engine, beside IPython's own."""

import pstats
import re
import sys
from pathlib import Path

import pytest

from .conftest import Shell

SCRIPT = """\
import sys
def inner(n):
    return n + 1
def main_app():
    return [inner(i) for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3)]
if __name__ == "__main__":
    result = main_app()
"""
HEAD = re.compile(r"^ +(\d+) function calls .*in \d+\.\d{3} seconds$", re.MULTILINE)


@pytest.fixture
def script(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "argv", ["ipython"])
    path = folder / "profile_code_example.py"
    path.write_text(SCRIPT)
    return path


def rows(text: str) -> set[tuple[str, str]]:
    """Calls and function of each line of pstats, without the profilers' own."""
    found = re.findall(r"^ +(\d+(?:/\d+)?) +\d+\.\d+ .* (\S+|\{.*\})$", text, re.MULTILINE)
    return {(count, name) for count, name in found if "Profiler" not in name}


def test_the_session_of_the_seed(shell: Shell, script: Path) -> None:
    shell.good("%fettle takeover")
    shell.good("%run -n profile_code_example.py")
    assert "result" not in shell.names  # -n: __name__ is not __main__
    text = shell.good("%prun main_app()").text
    assert HEAD.search(text) and "Ordered by: internal time" in text
    assert ("3", "profile_code_example.py:2(inner)") in rows(text)
    text = shell.good("%prun -s cumulative main_app()").text
    assert "Ordered by: cumulative time" in text


@pytest.mark.parametrize(
    "cell",
    [
        "%prun main_app()",
        "%prun -l 2 main_app()",
        "%prun -l 0.5 -l inner main_app()",
        "%prun -s cumulative -s name main_app()",
        "%prun -q -T out.txt -D out.prof main_app()",
        "%%prun\nmain_app()\nmain_app()",
        "%%prun x = 3\nmain_app()",
        "%run -p -s calls profile_code_example.py 5",
        "%run -p -m profile_code_example",
        "%run -n -p profile_code_example.py",
    ],
)
def test_what_is_printed_is_as_ipython_prints_it(shell: Shell, script: Path, cell: str) -> None:
    sys.path.insert(0, str(script.parent))
    try:
        shell.good("%run -n profile_code_example.py")
        own = shell.good(cell).text
        shell.good("%fettle takeover")
        ours = shell.good(cell).text
    finally:
        sys.path.remove(str(script.parent))
    if "-l 2" not in cell and "0.5" not in cell:  # which rows are first is a matter of time
        wanted = {row for row in rows(own) if "profile_code_example" in row[1]}
        assert {row for row in rows(ours) if "profile_code_example" in row[1]} == wanted
        assert wanted or "-q" in cell
    ordered = re.findall(r"Ordered by: .*|due to restriction .*|\*\*\*.*", own)
    assert re.findall(r"Ordered by: .*|due to restriction .*|\*\*\*.*", ours) == ordered


def test_prun_gives_and_writes_what_pstats_reads(shell: Shell, script: Path) -> None:
    shell.good("%fettle takeover")
    shell.good("%run -n profile_code_example.py")
    shell.good("stats = %prun -r -q -D out.prof main_app()")
    assert isinstance(shell.names["stats"], pstats.Stats)
    assert pstats.Stats("out.prof").total_calls == shell.names["stats"].total_calls


def test_prun_of_what_exits_and_of_what_raises(shell: Shell) -> None:
    shell.good("%fettle takeover")
    text = shell.good("%prun raise SystemExit").text
    assert "*** SystemExit exception caught in code being profiled." in text
    result = shell.run("%prun 1 / 0")
    assert isinstance(result.error, ZeroDivisionError)
    assert HEAD.search(result.text)


def test_every_other_option_of_run_is_ipythons(shell: Shell, script: Path) -> None:
    for cell in (
        "%run profile_code_example.py 4",
        "%run -i profile_code_example.py",
        "%run -e profile_code_example.py",
        "%run -t -N2 profile_code_example.py",
        "%run -G profile_code_example.py 2",
    ):
        shell.names.pop("result", None)
        shell.good(cell)
        own = shell.names.pop("result")
        shell.good("%fettle takeover")
        shell.good(cell)
        assert shell.names["result"] == own
        shell.good("%fettle release")


def test_release_gives_every_name_back(shell: Shell) -> None:
    def held() -> dict[tuple[str, str], object]:
        return {
            (kind, name): magic
            for kind, magics in shell.ip.magics_manager.magics.items()
            for name, magic in magics.items()
        }

    execution = shell.ip.magics_manager.registry["ExecutionMagics"]
    before, attributes = held(), set(vars(execution))
    shell.good("%fettle takeover")
    shell.good("%fettle takeover")
    taken = held()
    assert taken["line", "timeit"] is not before["line", "timeit"]
    assert {("line", "mprun"), ("cell", "memit"), ("cell", "lprun_all")} <= set(taken) - set(before)
    shell.good("%fettle release")
    shell.good("%fettle release")
    assert held() == before
    assert set(vars(execution)) == attributes


def test_unloading_leaves_nothing(shell: Shell) -> None:
    shell.good("%fettle takeover")
    shell.good("%unload_ext fettle")
    for kind, magics in shell.ip.magics_manager.magics.items():
        ours = [n for n, m in magics.items() if getattr(m, "__module__", "").startswith("fettle")]
        assert ours == [], kind
    assert shell.ip.input_transformers_post == []
    shell.good("%load_ext fettle")
    assert "1 function call" in shell.good("%frun pass").shown[0]["text/plain"]


def test_status(shell: Shell) -> None:
    assert re.search(r"%timeit +IPython", shell.good("%fettle").text)
    shell.good("%load_ext fettle.notebook.takeover")
    text = shell.good("%fettle status").text
    assert re.findall(r"^ +%(\w+) +fettle ", text, re.MULTILINE) == [
        "prun",
        "run",
        "lprun",
        "mprun",
        "memit",
        "timeit",
    ]
    assert "%fettle takes takeover" in shell.run("%fettle give").text


# ---- %timeit ----


@pytest.fixture
def taken(shell: Shell) -> Shell:
    shell.good("%fettle takeover")
    return shell


def test_timeit_runs_as_often_as_it_is_told(taken: Shell) -> None:
    taken.good("counted = []")
    taken.good("%timeit -n 7 -r 3 counted.append(1)")
    assert len(taken.names["counted"]) == 21
    taken.good("%timeit -n1 -r1 counted.append(1)")
    assert len(taken.names["counted"]) == 22


def test_the_line_of_timeit(taken: Shell) -> None:
    text = taken.good("%timeit -n 10 -r 3 -p 4 sum(range(100))").text
    assert re.match(
        r"[\d.]+ [num]?s (?:±|\+-) [\d.]+ [nmu]?s per loop "
        r"\(mean (?:±|\+-) std\. dev\. of 3 runs, 10 loops each\)$",
        text.splitlines()[0].replace("μ", "u").replace("µ", "u"),
    )
    assert taken.good("%timeit -q -n 1 -r 1 pass").text == ""


def test_the_result_of_timeit_is_ipythons_and_more(taken: Shell) -> None:
    from IPython.core.magics.execution import TimeitResult

    result = taken.good("%timeit -o -q -n 100 -r 5 sum(range(100))").value
    assert isinstance(result, TimeitResult)
    assert (result.loops, result.repeat, len(result.all_runs)) == (100, 5, 5)
    assert result.best == min(result.timings) and result.worst == max(result.timings)
    assert result.best <= result.average <= result.worst
    assert result.low <= result.median <= result.high
    assert result.timing.series[0].label == "sum(range(100))"
    assert len(result.cpu) == 5


def test_a_cell_of_timeit_has_a_setup(taken: Shell) -> None:
    taken.good("seen = []")
    taken.good("%%timeit -n 2 -r 3 local = 5\nseen.append(local)")
    assert taken.names["seen"] == [5] * 6
    assert "local" not in taken.names


def test_timeit_within_a_function(taken: Shell) -> None:
    taken.good("def f():\n    inside = 3\n    %timeit -n 1 -r 1 inside + 1\nf()")


@pytest.mark.parametrize("clock", ["-t", "-c"])
def test_clocks_of_timeit(taken: Shell, clock: str) -> None:
    taken.good("import time")
    result = taken.good(f"%timeit {clock} -o -q -n 1 -r 2 time.sleep(0.02)").value
    assert (result.best > 0.019) == (clock == "-t")  # type: ignore[attr-defined]


def test_timeit_of_what_raises(taken: Shell) -> None:
    assert isinstance(taken.run("%timeit 1 / 0").error, ZeroDivisionError)
    assert isinstance(taken.run("%timeit return").error, SyntaxError)


def test_what_no_option_can_mean_is_said_before_anything_runs(taken: Shell) -> None:
    said = {
        "%timeit -n many ran.append(1)": "-n needs a whole number from 0, not 'many'",
        "%timeit -r 0 ran.append(1)": "-r needs a whole number from 1, not '0'",
        "%timeit -p x ran.append(1)": "-p needs a whole number from 0, not 'x'",
        "%prun -s nothing ran.append(1)": "-s needs one of calls, cumulative, ",
    }
    taken.good("ran = []")
    for cell, sentence in said.items():
        ended = taken.run(cell)
        assert sentence in ended.text and "Traceback" not in ended.text, ended.text
    assert taken.names["ran"] == []


def test_timeit_keeps_its_result_in_a_variable(taken: Shell) -> None:
    taken.good("%timeit -v kept -q -n 3 -r 1 pass")
    assert taken.names["kept"].loops == 3


# ---- lines and memory ----


def test_lprun(taken: Shell, folder: Path) -> None:
    taken.good("def f(n):\n    for _ in range(n):\n        pass")
    result = taken.good("%lprun -r -T out.txt -f f f(5)")
    assert re.search(r"^ +2 +6 .*for _ in range\(n\):$", result.text, re.MULTILINE)
    assert (folder / "out.txt").read_text().strip() in result.text


def test_memit(taken: Shell) -> None:
    result = taken.good("%memit -o -r 2 bytearray(20 << 20)")
    match = re.match(r"peak memory: ([\d.]+) MiB, increment: ([\d.]+) MiB\n", result.text)
    assert match and 20 <= float(match[2]) < 21
    assert float(match[1]) > 20
    assert len(result.value.mem_usage) == 2  # type: ignore[attr-defined]


def test_memit_has_a_setup_in_a_cell(taken: Shell) -> None:
    taken.good("%%memit size = 3 << 20\nbytearray(size)")
    assert "there is no statement" in taken.run("%memit").text
    assert "-r needs a whole number" in taken.run("%memit -r x pass").text


def test_mprun_counts_what_was_called_for_the_line_that_called(taken: Shell, folder: Path) -> None:
    taken.good("def give(n):\n    return bytearray(n)")
    taken.good("def f():\n    kept = [give(1_000_000) for _ in range(3)]\n    return kept")
    text = taken.good("%mprun -T out.txt -f f kept = f()").text
    assert re.search(r"^ +2 +3\.0 MB +3\.0 MB +1 .*kept = ", text, re.MULTILINE)
    assert (folder / "out.txt").read_text().strip() in text


def test_mprun_counts_recursion_once(taken: Shell) -> None:
    taken.good(
        "def f(n):\n    here = bytearray(1_000_000)\n    return f(n - 1) + [here] if n else []"
    )
    text = taken.good("%mprun -f f kept = f(3)").text
    assert re.search(r"^ +2 +4\.0 MB +3\.0 MB +4 ", text, re.MULTILINE)


def test_mprun_of_a_file_that_was_changed(taken: Shell, folder: Path) -> None:
    module = folder / "changing.py"
    module.write_text("def f():\n    return bytearray(1_000_000)\n")
    taken.good("import importlib, sys; sys.path.insert(0, '.'); importlib.invalidate_caches()")
    taken.good("import changing")
    module.write_text('def f():\n    return """\n')  # it has no end
    text = taken.good("%mprun -f changing.f kept = changing.f()").text
    assert re.search(r"^ +2 +1\.0 MB +1\.0 MB +1$", text, re.MULTILINE)


def test_mprun_needs_a_function(taken: Shell) -> None:
    assert "there is no function" in taken.run("%mprun pass").text
    assert "len is no Python function" in taken.run("%mprun -f len pass").text
    assert "nowhere is no Python function" in taken.run("%mprun -f nowhere pass").text
