# SPDX-License-Identifier: Apache-2.0
"""`fettle time` as a user types it: what is refused, where the result goes, what is printed."""

import json
import os
import pty
import re
import select
import signal
import time
from pathlib import Path

import pytest

from .harness import FETTLE, PYTHON, TIMEOUT, Ended, Folder, environment, until

NOTHING = ("-n", "2", "--", "true")  # the quickest of measurements


def timed(folder: Folder, *words: str, **extra: str) -> Ended:
    ended = folder.fettle("time", *words, **extra)
    assert ended.code == 0, ended.stderr
    return ended


# ---- what is asked ----


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ((), "needs a statement, or a command after --"),
        (("-n", "0", "pass"), "-n needs a number of 1 or more"),
        (("-n", "x", "pass"), "needs a whole number"),
        (("--clock", "sun", "pass"), "--clock needs auto, cpu, wall after it, not 'sun'"),
        (("--precision", "0", "pass"), "--precision needs a share"),
        (("--precision", "100%", "pass"), "--precision needs a share"),
        (("--precision", "much", "pass"), "--precision needs a share"),
        (("--precision", "nan", "pass"), "--precision needs a share"),
        (("--budget", "0", "pass"), "--budget needs seconds"),
        (("--budget", "inf", "pass"), "--budget needs seconds"),
        (("--timeout", "soon", "pass"), "--timeout needs seconds"),
        (("--timeout=-1", "pass"), "--timeout needs seconds"),
        (("--processes", "-1", "pass"), "needs a whole number"),
        (("--nope", "pass"), "no option --nope"),
        (("--vs", "b", "a"), "--vs stands between commands"),
        (("-o", "", "pass"), "-o needs the name of a file"),
        (("--ignore-failure", "pass"), "--ignore-failure is of commands"),
        (("--rev", "a", "pass"), "--rev is of commands"),
        (("-s", "x", "--", "true"), "-s is of statements"),
        (("--gc", "--", "true"), "--gc is of statements"),
        (("--mem", "--", "true"), "--mem is of statements"),
        (("--processes", "3", "--", "true"), "--processes is of statements"),
        (("pass", "--", "true"), "'pass' is a statement"),
        (("--",), "no command after --"),
        (("--", "true", "--vs"), "no command after --vs"),
    ],
)
def test_what_can_not_be_is_one_sentence(folder: Folder, line: tuple[str, ...], part: str) -> None:
    ended = folder.fettle("time", *line)
    assert ended.code == 2
    assert part in ended.sentence()
    assert ended.stdout == ""
    assert folder.names() == set()


def test_a_script_is_no_statement(folder: Folder) -> None:
    folder.write("app.py", "raise SystemExit")
    ended = folder.fettle("time", "app.py")
    assert ended.code == 2
    assert "`fettle time -- python app.py` times it" in ended.sentence()


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("-r 5", "--precision"),
        ("--repeat=5", "--precision"),
        ("-p", "--clock cpu"),
        ("--process", "--clock cpu"),
        ("-c", "--clock cpu"),
        ("-t", "--clock wall"),
        ("--time", "--clock wall"),
        ("-u msec", "--json"),
        ("--unit usec", "--json"),
    ],
)
def test_options_of_timeit_name_ours(folder: Folder, words: str, ours: str) -> None:
    ended = folder.fettle("time", *words.split(), "pass")
    assert ended.code == 2
    assert "is an option of timeit; here" in ended.sentence()
    assert ours in ended.sentence()


def test_help(folder: Folder) -> None:
    ended = timed(folder, "--help")
    for word in ("--vs", "--rev", "--precision", "--json", "comparisons", "timeit joins"):
        assert word in ended.stdout
    assert all(len(line) <= 100 for line in ended.stdout.splitlines())
    assert "  time     how long it takes, and which of several is faster" in (
        folder.fettle("--help").stdout
    )


# ---- commands ----


def test_two_commands_are_compared(folder: Folder) -> None:
    quick = f"{PYTHON} -S -c pass"
    slow = "for _ in range(4_000_000): pass"
    ended = timed(folder, "-n", "6", "--", quick, "--vs", PYTHON, "-S", "-c", slow)
    lines = ended.stdout.splitlines()
    assert lines[0].startswith(f"A  {quick[:8]}")  # the middle of a long label is left out
    assert lines[1].startswith(f"B  {PYTHON[:8]}")
    assert "): pass'  " in lines[1]
    assert re.fullmatch(
        r"B is [\d.]+x slower \(95%: [\d.]+ to [\d.]+\), \d+ interleaved pairs, (CPU|wall) clock"
        r"    -> time\.fettle",
        lines[2],
    )
    assert "samples each, every one a process of its own" in lines[3]
    assert not re.search("[\x1b\r]", ended.stdout + ended.stderr)


@pytest.mark.parametrize(
    ("command", "code", "part"),
    [
        (("no-such-command",), 127, "was not found; after -- stands a command"),
        (("no such", "command"), 127, "was not found; a command of one word is split"),
        (("./data",), 126, "cannot be executed"),
        (("a | b",), 2, "needs a shell"),
    ],
)
def test_commands_that_are_none(
    folder: Folder, command: tuple[str, ...], code: int, part: str
) -> None:
    folder.write("data", "x")
    ended = folder.fettle("time", "--", "true", "--vs", *command)
    assert ended.code == code
    assert part in ended.sentence()
    assert folder.names() == {"data"}


def test_a_command_that_fails_shows_its_last_lines(folder: Folder) -> None:
    code = "for n in range(100): print('line', n)\nraise SystemExit('the \x1b[31mend')"
    ended = folder.fettle("time", "--", PYTHON, "-u", "-c", code)
    *lines, sentence = ended.stderr.splitlines()
    assert ended.code == 1
    assert sentence.endswith(
        " ended with exit code 1 in its first run; mend it, or measure it all the same with"
        " --ignore-failure."
    )
    assert "  line 99" in lines
    assert "  the \\x1b[31mend" in lines
    assert len(lines) == 12
    assert folder.names() == set()


def test_failures_may_be_ignored(folder: Folder) -> None:
    ended = timed(folder, "--ignore-failure", *NOTHING[:-1], "false")
    assert "false ended with exit code 1 in" in ended.stdout
    assert json.loads(timed(folder, "--ignore-failure", "--json", *NOTHING[:-1], "false").stdout)


def test_a_command_that_never_ends(folder: Folder) -> None:
    ended = folder.fettle("time", "--timeout", "0.3", "--", "sleep", "60")
    assert ended.code == 1
    assert "sleep 60 was still running after 0.3 s and was ended;" in ended.sentence()


def test_what_a_command_writes_is_not_seen(folder: Folder) -> None:
    ended = timed(folder, *NOTHING[:-1], "sh", "-c", "echo out; echo err >&2")
    assert "out" not in ended.stdout.splitlines()
    assert ended.stderr == ""


# ---- where the result goes ----


def test_the_result_is_kept_and_the_one_before(folder: Folder) -> None:
    assert "-> time.fettle" in timed(folder, *NOTHING).stdout
    assert folder.names() == {"time.fettle"}
    first = (folder.path / "time.fettle").read_bytes()
    timed(folder, *NOTHING)
    assert folder.names() == {"time.fettle", "time.prev.fettle"}
    assert (folder.path / "time.prev.fettle").read_bytes() == first


def test_another_name(folder: Folder) -> None:
    assert "-> a.fettle" in timed(folder, "-o", "a.fettle", *NOTHING).stdout
    assert folder.names() == {"a.fettle"}


@pytest.mark.parametrize("name", ["no/such/folder.fettle", "notes.txt", "."])
def test_a_place_that_can_not_be_is_refused_before_anything_runs(folder: Folder, name: str) -> None:
    folder.write("notes.txt", "not a recording")
    ended = folder.fettle("time", "-o", name, "--", "touch", "ran")
    assert ended.code == 2
    assert "name another output with -o" in ended.sentence()
    assert folder.names() == {"notes.txt"}
    assert (folder.path / "notes.txt").read_text() == "not a recording"


def test_a_foreign_file_by_our_name_stays(folder: Folder) -> None:
    """Nobody asked for the file, so this is said and no error."""
    folder.write("time.fettle", "not a recording")
    ended = timed(folder, *NOTHING)
    assert ended.stdout.startswith("true ")
    assert "->" not in ended.stdout
    assert "is shown and not kept: " in ended.sentence()
    assert (folder.path / "time.fettle").read_text() == "not a recording"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_to_write_to(folder: Folder) -> None:
    folder.path.chmod(0o555)
    try:
        ended = timed(folder, *NOTHING)
    finally:
        folder.path.chmod(0o755)
    assert "is shown and not kept: cannot write" in ended.sentence()


def test_a_folder_that_is_gone(folder: Folder) -> None:
    """As root the one above can not be tested: nobody may write into a folder that is no more."""
    gone = folder.path / "gone"
    gone.mkdir()
    code = (
        f"import os, sys; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r});"
        f" os.execv({FETTLE!r}, [{FETTLE!r}, 'time', *sys.argv[1:]])"
    )
    ended = folder.python("-c", code, *NOTHING)
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith("true ")
    assert "is shown and not kept: " in ended.sentence()


def test_quiet_keeps_it_all_the_same(folder: Folder) -> None:
    ended = timed(folder, "-q", *NOTHING)
    assert (ended.stdout, ended.stderr) == ("", "")
    assert folder.names() == {"time.fettle"}


def test_a_failure_keeps_the_one_before(folder: Folder) -> None:
    timed(folder, *NOTHING)
    assert folder.fettle("time", "--", "false").code == 1
    assert folder.names() == {"time.fettle"}


# ---- as JSON ----


def test_json_has_stable_names(folder: Folder) -> None:
    """Checked against the schema of the help, number by number."""
    ended = timed(folder, "--json", "-n", "4", "--", "sleep 0.01", "--vs", "sleep 0.02")
    said = json.loads(ended.stdout, parse_constant=pytest.fail)
    assert set(said) == {"candidates", "comparisons", "notes"}
    assert [each["label"] for each in said["candidates"]] == ["sleep 0.01", "sleep 0.02"]
    help_text = timed(folder, "--help").stdout
    for candidate in said["candidates"]:
        assert set(candidate) == {
            *("label", "clock", "median", "low", "high", "spread", "least", "most", "samples"),
            *("loops", "empty", "bytes", "blocks", "peak", "counters"),
        }
        assert all(f'"{key}"' in help_text for key in candidate)
        samples = sorted(value for group in candidate["samples"] for value in group)
        assert candidate["least"] == samples[0]
        assert candidate["most"] == samples[-1]
        assert samples[0] <= candidate["median"] <= samples[-1]
        assert candidate["low"] <= candidate["median"]
        assert candidate["loops"] == 1
        assert candidate["bytes"] is candidate["peak"] is None
    (comparison,) = said["comparisons"]
    assert set(comparison) == {"label", "ratio", "low", "high", "pairs", "verdict"}
    assert comparison["verdict"] in {"faster", "slower", "same", "unclear"}
    assert comparison["pairs"] == 4


def test_the_wall_clock_of_sleepers(folder: Folder) -> None:
    words = ["--json", "--clock", "wall", "-n", "4", "--", "sleep 0.05", "--vs", "sleep 0.1"]
    said = json.loads(timed(folder, *words).stdout)
    medians = [candidate["median"] for candidate in said["candidates"]]
    assert medians[0] >= 0.05
    assert medians[1] >= 0.1
    assert {candidate["clock"] for candidate in said["candidates"]} == {"wall"}


# ---- ^C and terminals ----


def test_an_interrupt_shows_what_is_known(folder: Folder) -> None:
    code = "import os, time; os.write(os.open('log', 577 | 1024, 420), b'x'); time.sleep(0.05)"
    words = ["time", "--budget", "1000", "-n", "9999", "--", PYTHON, "-S", "-c", code]
    process = folder.start(FETTLE, *words)
    deadline = time.monotonic() + TIMEOUT
    log = folder.path / "log"
    seen = 0
    while seen < 5:
        assert time.monotonic() < deadline
        if log.exists():
            log.unlink()
            seen += 1
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert "(95%: " in out
    assert "Traceback" not in out + err
    assert "time.fettle" in folder.names()


def test_an_interrupt_before_anything_is_known(folder: Folder) -> None:
    process = folder.start(FETTLE, "time", "--", "sh", "-c", "touch ran; sleep 60")
    until((folder.path / "ran").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert out == ""
    assert err == "fettle: interrupted before anything was known.\n"
    assert folder.names() == {"ran"}


def on_a_terminal(folder: Folder, *words: str, **extra: str) -> tuple[str, int]:
    """All that it wrote to a terminal of 70 columns, and how it ended."""
    pid, fd = pty.fork()
    if not pid:
        os.chdir(folder.path)
        variables = environment(**{"TERM": "xterm", "COLUMNS": "70"} | extra)
        os.execvpe(FETTLE, [FETTLE, "time", *words], variables)
    text = b""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                block = os.read(fd, 65536)
            except OSError:
                break
            if not block:
                break
            text += block
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return text.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def test_a_terminal_sees_progress_and_colour(folder: Folder) -> None:
    words = ("-n", "8", "--", "sleep 0.1", "--vs", "sleep 0.05")
    text, code = on_a_terminal(folder, *words)
    assert code == 0
    progress, _, table = text.rpartition("\r\x1b[K")
    assert "timing: " in progress
    assert "\n" not in progress
    assert "\x1b[32m" in table
    plain = re.sub(r"\x1b\[[0-9;]*m", "", table)
    assert plain.startswith("A  sleep 0.1 ")
    text, _ = on_a_terminal(folder, *words, NO_COLOR="1", TERM="dumb")
    assert "\x1b" not in text
    assert "timing: " not in text


def test_colour_in_a_pipe_if_it_is_forced(folder: Folder) -> None:
    assert "\x1b[1m" in timed(folder, *NOTHING, FORCE_COLOR="1").stdout


def test_ascii_where_the_locale_asks_for_it(folder: Folder) -> None:
    words = ("-v", *NOTHING)
    plain = timed(folder, *words, PYTHONIOENCODING="ascii").stdout
    assert plain.isascii()
    assert "####" in plain
    assert "\u2588" in timed(folder, *words, PYTHONIOENCODING="utf-8").stdout


def test_without_any_output(folder: Folder) -> None:
    words = " ".join(("time", *NOTHING))
    ended = folder.execute("bash", "-c", f"{FETTLE} {words} >&-")
    assert (ended.code, ended.stderr) == (0, "")
    assert folder.names() == {"time.fettle"}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(folder: Folder, closed: str) -> None:
    """Nothing is shown there, and that is all; no file takes their place."""
    for words in ("time --budget 0.3 1", "time --budget 0.3 1", "view", "diff", "dis json"):
        ended = folder.execute("sh", "-c", f"{FETTLE} {words} {closed}")
        assert (ended.code, "should not have" in ended.stderr) == (0, False), (words, ended)
        assert bool(ended.stdout) == (">&-" not in closed.replace("2>", "")), words


def test_a_reader_that_has_seen_enough(folder: Folder) -> None:
    words = " ".join(("time", "-v", *NOTHING))
    ended = folder.execute("bash", "-c", f"set -o pipefail; {FETTLE} {words} | true")
    assert "Traceback" not in ended.stderr
    assert Path(folder.path / "time.fettle").exists()
