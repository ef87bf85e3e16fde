# SPDX-License-Identifier: Apache-2.0
"""Whole commands: what is measured, what ends it, and that nothing of them is left."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fettle.problem import NOT_EXECUTABLE, NOT_FOUND, USAGE, Problem
from fettle.timing import commands
from fettle.timing.commands import Command, Commands, Failed, read

pytestmark = pytest.mark.once  # what is measured is programs

SPIN = """
import time
end = time.process_time() + {cpu}
while time.process_time() < end: pass
time.sleep({sleep})
"""


def python(code: str, label: str = "python", folder: str = "") -> Command:
    return Command(label, (sys.executable, "-S", "-c", code), folder)


def once(command: Command, timeout: float = 0.0) -> commands.Run:
    return commands.run(command, commands.executable.find(command.words[0]), timeout)


@pytest.fixture
def without_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)


# ---- reading a command line ----


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["make"], [("make",)]),
        (["make", "-j", "2"], [("make", "-j", "2")]),
        (["make", "all", "--vs", "make", "-j2", "all"], [("make", "all"), ("make", "-j2", "all")]),
        (["a", "--vs", "b", "--vs", "c"], [("a",), ("b",), ("c",)]),
        (["sort -n 'a b'"], [("sort", "-n", "a b")]),
        ([" sort  -n "], [("sort", "-n")]),
        (["sort", "-n 'a b'"], [("sort", "-n 'a b'")]),
        (['echo "a\\"b" c\\ d'], [("echo", 'a"b', "c d")]),
        (["grep 'a|b;$c' x"], [("grep", "a|b;$c", "x")]),
    ],
)
def test_commands_are_read(words: list[str], expected: list[tuple[str, ...]]) -> None:
    assert [command.words for command in read(words)] == expected


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "after --;"),
        ([""], "after --;"),
        (["a", "--vs"], "after --vs;"),
        (["--vs", "a"], "after --;"),
        (["a", "--vs", "--vs", "b"], "after --vs;"),
        (["  "], "empty"),
        (["'' a"], "empty"),
        (["echo 'a"], "can not be read"),
        (["a | b"], "needs a shell"),
        (["a > b"], "needs a shell"),
        (['echo "$HOME"'], "needs a shell"),
        (["echo `date`"], "needs a shell"),
        (["ls *.py"], "needs a shell"),
        (["a && b"], "needs a shell"),
    ],
)
def test_command_lines_that_can_not_be(words: list[str], part: str) -> None:
    with pytest.raises(Problem) as refused:
        read(words)
    assert refused.value.code == USAGE
    assert part in refused.value.sentence
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "line", [r"a \| b", r"a '\' | b", "a '|' \"|\"", r'a "\$HOME"', "a 'b\"' \"c'\"", "a\\ b"]
)
def test_only_a_shells_own_letters_need_a_shell(line: str) -> None:
    assert commands.needs_shell(line) == ("' |" in line)


def test_a_program_with_a_blank_in_its_name(tmp_path: Path) -> None:
    program = tmp_path / "my tool"
    program.write_text("#!/bin/sh\n")
    assert read([str(program)])[0].words == (str(program),)


# ---- one run ----


def test_cpu_and_wall_are_two_things() -> None:
    """The CPU time of a sleeper is not its wall time; of one that works it is a part of it."""
    asleep = once(python(SPIN.format(cpu=0, sleep=0.3))).sample()
    assert asleep.wall >= 0.3
    assert asleep.cpu < 0.3
    assert asleep.waits >= 1
    assert asleep.helped == 0
    busy = once(python(SPIN.format(cpu=0.3, sleep=0))).sample()
    assert busy.wall >= 0.3
    assert 0.3 <= busy.cpu <= busy.wall + 0.02
    assert busy.loops == 1


def test_the_cpu_time_of_children_counts() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', sys.argv[1]])"
    words = (sys.executable, "-c", code, SPIN.format(cpu=0.3, sleep=0))
    assert once(Command("parent", words)).sample().cpu >= 0.3


@pytest.mark.skipif(
    not os.path.exists("/proc/self/schedstat"), reason="this system does not tell of its queue"
)
def test_one_that_computes_does_not_wait_however_busy_the_machine_is() -> None:
    """Others take the processors from it, and it gives them up for as long as a read takes."""
    others = [
        subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        busy = once(python(SPIN.format(cpu=0.5, sleep=0))).sample()
        asleep = once(python(SPIN.format(cpu=0.1, sleep=0.5))).sample()
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert busy.wall > busy.cpu
    assert busy.waits == 0
    assert asleep.waits >= 1


def test_processes_beside_one_another_help() -> None:
    """What took less time than it computed was in several processes or threads."""
    run = commands.Run(1.0, (1.5, 0.25, *[0] * 14), 0.0, 0, b"", False)
    assert (run.sample().cpu, run.sample().helped, run.sample().waits) == (1.75, 0.75, 0)


def test_the_last_of_what_it_writes_is_kept() -> None:
    code = "import os\nfor n in range(40000): os.write(1 + n % 2, b'line %d\\n' % n)"
    ended = once(python(code))
    assert ended.status == 0
    assert len(ended.output) == commands.LAST_BYTES
    assert ended.output.endswith(b"line 39998\nline 39999\n")


@pytest.mark.usefixtures("without_pidfd")
def test_without_descriptors_of_processes() -> None:
    assert once(python("import os; os.write(1, b'x'); os._exit(7)")).status == 7
    assert once(python("import time; time.sleep(60)"), timeout=0.2).late


def test_it_reads_nothing() -> None:
    assert once(python("import sys; sys.exit(sys.stdin.read() != '')")).status == 0


def test_one_that_closes_its_output_is_waited_for() -> None:
    ended = once(python("import os, time; os.close(1); os.close(2); time.sleep(0.2); os._exit(5)"))
    assert (ended.status, ended.output) == (5, b"")
    assert ended.wall >= 0.2


def test_a_child_that_stays_behind_is_not_waited_for(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "if not os.fork():\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(30)\n"
        "    os._exit(0)\n"
        "os._exit(0)\n"
    )
    try:
        assert once(python(code)).wall < 30
    finally:
        deadline = time.monotonic() + 10
        while not (text := (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(int(text), signal.SIGKILL)


def test_a_script_without_its_first_line_runs_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('test "$1" = "a b" && exit 4\n')
    script.chmod(0o755)
    assert once(Command("script", (str(script), "a b"))).status == 4


def test_the_folder_it_runs_in(tmp_path: Path) -> None:
    place = os.path.realpath(tmp_path)
    code = (
        "import os, sys; sys.exit(os.getcwd() != sys.argv[1] or os.environ['PWD'] != sys.argv[1])"
    )
    command = Command("x", (sys.executable, "-c", code, place), place)
    assert once(command).status == 0


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


@pytest.fixture
def nothing_left() -> Iterator[None]:
    before = len(descriptors()), children()
    yield
    assert (len(descriptors()), children()) == before


@pytest.mark.usefixtures("nothing_left")
def test_a_time_out_that_is_longer_than_poll_can_wait() -> None:
    assert once(python("pass"), timeout=1e9).status == 0


@pytest.mark.parametrize("timeout", [0.0, 0.2])
def test_the_whole_group_ends_when_we_do(tmp_path: Path, timeout: float) -> None:
    """By a time-out, or by ^C here: what the command started is gone too."""
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "if child:\n"
        f"    with open({str(tmp_path / 'new')!r}, 'w') as file: file.write(str(child))\n"
        f"    os.rename({str(tmp_path / 'new')!r}, {str(tmp_path / 'pid')!r})\n"
        "time.sleep(60)\n"
    )
    if timeout:
        assert once(python(code), timeout).late
        if not (tmp_path / "pid").exists():
            return  # ended before it could start anything
    else:
        main = threading.get_ident()

        def interrupt() -> None:
            while not (tmp_path / "pid").exists():
                time.sleep(0.01)
            signal.pthread_kill(main, signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            once(python(code))
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


# ---- as a source of samples ----


@pytest.mark.usefixtures("nothing_left")
def test_a_round_has_a_sample_of_each_in_their_order() -> None:
    source = Commands(
        [python(SPIN.format(cpu=0.2, sleep=0), "slow"), python("pass", "quick")], seed=1
    )
    assert source.warm_up() >= 0.2
    group = next(iter(source.groups()))
    for _ in range(3):
        slow, quick = group.round()
        assert slow.cpu >= 0.2 > quick.cpu
    group.close()


def test_the_order_of_a_round_is_random(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write = "import os; os.write(os.open({!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), b'{}')"
    source = Commands([python(write.format(str(log), name)) for name in "ab"], seed=3)
    source.warm_up()
    assert log.read_text() == "ab"
    group = next(iter(source.groups()))
    for _ in range(12):
        group.round()
    text = log.read_text()[2:]
    pairs = [text[at : at + 2] for at in range(0, 24, 2)]
    assert set(pairs) == {"ab", "ba"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; print('one\\n\\ntwo', flush=True); os._exit(3)", "ended with exit code 3"),
        ("import os; os.abort()", "was killed by SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
    ],
)
def test_a_command_that_fails_ends_it(code: str, said: str) -> None:
    source = Commands([python("pass"), python(code, "bad.py")])
    with pytest.raises(Failed) as failed:
        source.warm_up()
    assert failed.value.code == 1
    assert failed.value.sentence.startswith(f"bad.py {said} in its first run; ")
    if "print" in code:
        assert failed.value.lines == ["one", "two"]


def test_one_that_fails_later(tmp_path: Path) -> None:
    seen = str(tmp_path / "seen")
    code = f"import os, sys; sys.exit(9) if os.path.exists({seen!r}) else open({seen!r}, 'w')"
    source = Commands([python(code, "twice")])
    source.warm_up()
    with pytest.raises(Failed, match="twice ended with exit code 9 in run 2;"):
        source.round()


def test_failures_that_do_not_matter_are_told() -> None:
    source = Commands([python("pass", "good"), python("raise SystemExit(5)", "bad")], 0.0, True)
    source.warm_up()
    source.round()
    assert source.notes() == [
        "bad ended with exit code 5 in 2 of 2 runs, which were measured all the same, as"
        " --ignore-failure asks."
    ]


def test_a_time_out_ends_it_even_if_failures_do_not_matter() -> None:
    code = "import time; print('so far', flush=True); time.sleep(60)"
    source = Commands([python(code, "endless")], timeout=0.7, ignore_failure=True)
    with pytest.raises(Failed) as failed:
        source.warm_up()
    assert failed.value.sentence == (
        "endless was still running after 0.7 s and was ended; --timeout gives it more time."
    )
    assert failed.value.lines == ["so far"]


def test_programs_are_looked_up_before_anything_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("x")
    for words, code in (
        (("no-such-command",), NOT_FOUND),
        ((str(tmp_path / "none"),), NOT_FOUND),
        ((str(data),), NOT_EXECUTABLE),
        ((str(tmp_path),), NOT_EXECUTABLE),
    ):
        with pytest.raises(Problem) as refused:
            Commands([python("raise SystemExit(1)"), Command("x", words)])
        assert refused.value.code == code


def test_a_command_of_a_folder_is_looked_up_there(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    Commands([Command("tool", ("./tool",), str(tmp_path))]).warm_up()
    with pytest.raises(Problem):
        Commands([Command("tool", ("./tool",), str(tmp_path / "other"))])


def test_children_that_nobody_waits_for_do_not_lose_the_status() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        source = Commands([python("pass")])
        source.warm_up()
        assert len(source.round()) == 1
    finally:
        signal.signal(signal.SIGCHLD, before)
