# SPDX-License-Identifier: Apache-2.0
"""%frun, %%frun and %%fmem: what is recorded, what is shown, what a cell gives."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fettle import _core, recording

from .conftest import Result, Shell

DEFINED = """\
def double(n):
    return n + n

def work(n):
    total = 0
    for i in range(n):
        total += double(i)
    return total
"""


@pytest.fixture(autouse=True)
def defined(shell: Shell) -> None:
    shell.good(DEFINED)


def plain(result: Result) -> str:
    (data,) = result.shown
    return data["text/plain"]


def calls(text: str) -> dict[str, int]:
    """What a table says: the calls of each function, by its name."""
    rows = re.findall(r"^ *(\d+)(?:/\d+)? +\d.*[:( ](?:\d+\()?([\w<>.]+)\)?$", text, re.MULTILINE)
    return {name: int(count) for count, name in rows}


def test_a_statement_has_its_exact_calls_and_its_value(shell: Shell) -> None:
    result = shell.good("%frun work(7)")
    assert result.value == sum(2 * i for i in range(7))
    assert calls(plain(result)) == {"<module>": 1, "work": 1, "double": 7}


def test_nothing_of_the_shell_is_recorded(shell: Shell) -> None:
    shell.good("import time")
    result = shell.good("recording = %frun -r -q [time.sleep(0.05) for _ in range(3)]")
    assert result.shown == []
    assert threading.active_count() > 1  # the one that writes the history
    profile = shell.names["recording"].profile()
    assert {row.name for row in profile.functions()} <= {
        "<module>",
        "<listcomp>",
        "<built-in method time.sleep>",
    }
    assert len(profile.threads()) == 1


def test_threads_of_the_cell_are_recorded(shell: Shell) -> None:
    text = """\
%%frun -r -q
import threading
thread = threading.Thread(target=work, args=(5,))
thread.start()
thread.join()
"""
    recording = shell.good(text).value
    counted = {row.name: row.calls for row in recording.stats()}  # type: ignore[attr-defined]
    assert counted["double"] == 5


def test_a_cell_gives_the_value_of_its_last_expression(shell: Shell) -> None:
    assert shell.good("%%frun -q\nx = 3\nx + 1").value == 4
    assert shell.good("%%frun -q\nx = 3\nx + 1;").value is None
    assert shell.good("%%frun -q\nx = 3").value is None
    assert shell.names["x"] == 3
    assert not [name for name in shell.names if name.startswith("_fettle")]


def test_the_habits_of_ipython_work_in_a_cell(shell: Shell) -> None:
    shell.good("%%frun -q\n%precision 3\nhere = !echo found")
    assert shell.names["here"] == ["found"]


def test_a_statement_within_a_function_sees_its_variables(shell: Shell) -> None:
    shell.good("def outer():\n    inside = 5\n    %frun -q double(inside)\nouter()")


def test_lines_of_a_function(shell: Shell) -> None:
    text = plain(shell.good("%frun -l work work(4)"))
    assert re.search(r"^ +6 +5 .*for i in range\(n\):$", text, re.MULTILINE)
    assert re.search(r"^ +7 +4 .*total \+= double\(i\)$", text, re.MULTILINE)
    assert "function calls" not in text


def test_lines_by_name(shell: Shell) -> None:
    assert "total += double(i)" in plain(shell.good("%frun --lines=work work(4)"))
    assert "return n + n" in plain(shell.good("%frun --lines=__main__:double work(4)"))


def test_calls_and_lines(shell: Shell) -> None:
    text = plain(shell.good("%frun -C -l double work(4)"))
    assert "return n + n" in text
    assert calls(text)["double"] == 4


CELL = """\
%%frun --lines{}
def inner(k):
    return k + 1
class Pair:
    def both(self):
        return 2
for _ in range(3):
    inner(1), Pair().both()
"""


def test_the_lines_of_a_cell_are_those_of_what_it_defines_too(shell: Shell) -> None:
    text = plain(shell.good(CELL.format("")))
    assert re.search(r"^ +3 +3 .*return k \+ 1$", text, re.MULTILINE)
    assert re.search(r"^ +6 +3 .*return 2$", text, re.MULTILINE)
    assert re.search(r"^ +8 +3 .*inner\(1\), Pair\(\)\.both\(\)$", text, re.MULTILINE)


def test_the_lines_of_what_a_cell_defines_under_a_name(shell: Shell) -> None:
    text = plain(shell.good(CELL.format("=Pair")))
    assert "return 2" in text and "return k + 1" not in text
    ran = [line for line in text.splitlines() if re.search(r" [1-9]\d* calls?  ", line)]
    assert len(ran) == 1  # what other tests marked is there too, and was never called


def test_memory(shell: Shell) -> None:
    text = plain(shell.good("%%fmem\nkept = bytearray(2_000_000)\nbytearray(3_000_000)"))
    assert re.search(r"2\.0 MB.*:2 .*kept = bytearray", text)
    assert re.search(r"3\.0 MB.*:3 .*bytearray\(3_000_000\)", text)
    assert "2.0 MB still alive" in text


def test_memory_beside_calls(shell: Shell) -> None:
    text = plain(shell.good("%frun -M -C kept = [bytearray(1000) for _ in range(1000)]"))
    assert "function call" in text and "MB" in text


def test_order_and_rows(shell: Shell) -> None:
    text = plain(shell.good("%frun -s calls -n 1 work(30)"))
    assert list(calls(text)) == ["double"]
    assert "2 more functions" in text


def test_a_recording_is_saved_with_the_source_of_its_cells(shell: Shell, folder: Path) -> None:
    shell.good("%frun -o out.fettle --lines=work work(4)")
    profile = recording.open_one(os.fspath(folder / "out.fettle")).profile
    (table,) = profile.lines()
    assert profile.source(table[0]) == DEFINED


def test_where_it_can_not_be_saved(shell: Shell, folder: Path) -> None:
    result = shell.run("%frun -o nowhere/out.fettle work(4)")
    assert "could not be written to nowhere/out.fettle" in result.text


def test_html_has_the_tables(shell: Shell) -> None:
    (data,) = shell.good("%frun work(4)").shown
    if "text/html" in data:  # a terminal asks for text alone
        assert "double" in data["text/html"]
    html = shell.good("%frun -r -q work(4)").value._repr_html_()  # type: ignore[attr-defined]
    assert "<pre>" in html and "double" in html


def test_hostile_names_do_not_break_out_of_the_html(shell: Shell) -> None:
    shell.good("def f(): pass\nf.__code__ = f.__code__.replace(co_name='</pre><script>x')")
    html = shell.good("%frun -r -q f()").value._repr_html_()  # type: ignore[attr-defined]
    assert "<script>x" not in html


# ---- what goes wrong ----


def test_what_raises_is_shown_up_to_there(shell: Shell) -> None:
    result = shell.run("%%frun\nwork(3)\n1 / 0\nwork(3)")
    assert isinstance(result.error, ZeroDivisionError)
    assert calls(plain(result))["double"] == 3
    frame = result.error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    assert frame is not None and frame.tb_lineno == 3  # as the notebook counts


def test_the_next_recording_is_as_if_nothing_had_happened(shell: Shell) -> None:
    shell.run("%frun 1 / 0")
    assert calls(plain(shell.good("%frun work(2)"))) == {"<module>": 1, "work": 1, "double": 2}


def test_what_is_interrupted_is_shown_up_to_there(shell: Shell) -> None:
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        shell.names["alarm"] = lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
        result = shell.run("%%frun\nalarm()\nwhile True:\n    work(10)")
    finally:
        signal.signal(signal.SIGALRM, old)
    assert calls(plain(result))["work"] > 0
    assert "KeyboardInterrupt" in result.text


@pytest.mark.parametrize("end", ["alarm()\nwhile True:\n    work(10)", "1 / 0"])
@pytest.mark.parametrize("options", ["-M", "-M -C", "-M --frames=9"])
@pytest.mark.parametrize("begin", ["", "import asyncio\nawait asyncio.sleep(0)\n"])
def test_no_memory_is_ours(shell: Shell, options: str, begin: str, end: str) -> None:
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        shell.names["alarm"] = lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
        result = shell.run(f"%%frun {options}\n{begin}kept = bytearray(100_000)\n{end}")
    finally:
        signal.signal(signal.SIGALRM, old)
    text = plain(result)
    assert result.error is not None and "kept = bytearray" in text
    assert not re.search(r"\b(cell|run)\.py:", text)


@pytest.mark.parametrize("name", ["nope", "app:nope", "len", "nope.py"])
def test_lines_of_nothing_are_one_sentence_of_the_magic(shell: Shell, name: str) -> None:
    for cell in (f"%frun --lines={name} work(3)", f"%%frun --lines={name}\nwork(3)"):
        said = plain(shell.good(cell)).splitlines()
        assert said[0] == "lines of 0 functions"
        (sentence,) = said[1:]
        assert f" --lines={name} means none that is there; " in sentence
        assert "lines=True" not in sentence and "lines=[" not in sentence


def test_what_exits_is_shown_up_to_there(shell: Shell) -> None:
    result = shell.run("%%frun\nwork(3)\nraise SystemExit(2)")
    assert calls(plain(result))["double"] == 3


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%frun", "there is nothing to record"),
        ("%frun --nope work(3)", "%frun has no option --nope"),
        ("%frun -s size work(3)", "size"),
        ("%frun -n many work(3)", "--rows needs a whole number"),
        ("%frun -l nowhere work(3)", "there is no function nowhere"),
        ("%frun --frames 3 work(3)", "--frames is about memory"),
        ("%frun -M --frames 0 work(3)", "frames needs a number"),
        ("%frun --mem=all work(3)", "--mem=all"),
        ("%fmem -s size work(3)", "--sort needs peak"),
        ("%frun -l", "needs a value"),
    ],
)
def test_bad_options_are_one_sentence(shell: Shell, cell: str, sentence: str) -> None:
    result = shell.run(cell)
    assert result.text.startswith("UsageError: ")
    assert sentence in result.text
    assert len(result.text.strip().splitlines()) == 1
    assert result.shown == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%frun 1 +", "the statement does not compile: invalid syntax (line 1, column "),
        ("%%frun\nx = 1\ny = = 2", "the cell does not compile: invalid syntax (line 3, column 5)."),
        ("%%fdis\nreturn x", "the cell does not compile: 'return' outside function (line 2, "),
    ],
)
def test_what_does_not_compile_is_pointed_at(shell: Shell, cell: str, said: str) -> None:
    result = shell.run(cell)
    sentence, line, mark = result.text.rstrip().splitlines()
    assert sentence.startswith(f"UsageError: {said}")
    assert line.strip() == cell.splitlines()[-1].removeprefix("%frun ") and mark.strip() == "^"
    assert result.shown == []


def test_help(shell: Shell) -> None:
    assert "--lines[=SEL]" in shell.good("%frun --help").text


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there each tool has a hook of its own")
def test_where_no_hook_is_free(shell: Shell) -> None:
    sys.setprofile(lambda *event: None)
    try:
        result = shell.run("%frun work(3)")
    finally:
        sys.setprofile(None)
    assert "UsageError: " in result.text and "ZeroDivision" not in result.text
    assert result.shown == []
    shell.good("%frun -q work(3)")


def test_a_recording_that_is_given_shows_itself_and_is_not_shown_twice(shell: Shell) -> None:
    assert shell.good("recording = %frun -r work(3)").shown == []
    result = shell.good("recording")
    assert calls(result.text)["double"] == 3
    assert shell.run("%frun -r 1 / 0").shown != []


# ---- cells that await ----

ASYNC = """\
import asyncio
async def ask(n):
    await asyncio.sleep(0)
    return double(n)
"""


def test_a_statement_that_awaits(shell: Shell) -> None:
    shell.good(ASYNC)
    result = shell.good("%frun -s calls await ask(4)")
    assert result.value == 8
    assert calls(plain(result))["double"] == 1


def test_a_cell_that_awaits(shell: Shell) -> None:
    shell.good(ASYNC)
    cell = "x = await ask(4)\ny = await asyncio.gather(ask(1), ask(2))\ny"
    result = shell.good(f"%%frun -n 0\n{cell}")
    assert result.value == [2, 4]
    assert shell.names["x"] == 8
    assert calls(plain(result))["double"] == 3


def test_what_is_awaited_is_assigned(shell: Shell) -> None:
    shell.good(ASYNC)
    shell.good("got = %frun -q await ask(5)")
    assert shell.names["got"] == 10


def test_an_async_cell_that_raises_is_shown_up_to_there(shell: Shell) -> None:
    shell.good(ASYNC)
    result = shell.run("%%frun -n 0\nawait ask(1)\n1 / 0")
    assert isinstance(result.error, ZeroDivisionError)
    assert calls(plain(result))["double"] == 1


def test_await_in_a_function_of_the_cell_is_not_the_cells(shell: Shell) -> None:
    shell.good("%%frun -q\nasync def later():\n    await ask(1)\nz = 'await'")
    assert shell.names["z"] == "await"


def test_the_lines_of_an_async_cell(shell: Shell) -> None:
    text = plain(
        shell.good("%%frun --lines\nimport asyncio\nfor _ in range(3):\n    await asyncio.sleep(0)")
    )
    assert re.search(r"^ +4 +3 .*await asyncio\.sleep\(0\)$", text, re.MULTILINE)


# ---- threads that are spared ----


def tick() -> None:
    time.sleep(0.001)


def spared_tick() -> None:
    time.sleep(0.001)


def test_a_spared_thread_leaves_no_trace() -> None:
    stop = threading.Event()

    def spin(function: Callable[[], None]) -> None:
        while not stop.is_set():
            function()

    threads = [threading.Thread(target=spin, args=(each,)) for each in (spared_tick, tick)]
    for thread in threads:
        thread.start()
    recorder = _core.Recorder()
    recorder.spare([threads[0].ident or 0])
    with recorder:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    names = {row.name for row in recorder.profile().functions()}
    assert "tick" in names and "spared_tick" not in names


def test_sparing_is_checked() -> None:
    recorder = _core.Recorder()
    with pytest.raises(TypeError, match="identifiers"):
        recorder.spare(["MainThread"])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        recorder.spare(3)  # type: ignore[arg-type]
    recorder.spare([-1])
    with pytest.raises(OverflowError):
        recorder.start()
    recorder.spare([])
    with recorder:
        pass
    with pytest.raises(RuntimeError, match="spares no more"):
        recorder.spare([1])
