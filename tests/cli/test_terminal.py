# SPDX-License-Identifier: Apache-2.0
"""On a terminal: ^C, ^Z and fg, stdin, colour. A shell with job control runs `fettle run`."""

import os
import pty
import re
import select
import signal
import termios
import time
from collections.abc import Iterator

import pytest
from fettle._core import Profile

from .harness import FETTLE, PYTHON, Folder, environment


class Terminal:
    """A shell on a pseudo-terminal of its own."""

    def __init__(self, folder: Folder) -> None:
        self.text = ""
        pid, self.fd = pty.fork()
        if not pid:
            os.chdir(folder.path)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)  # the tests may run in the background
            shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
            os.execvpe("bash", shell, environment(PS1="$ ", TERM="xterm", HISTFILE=""))
        self.pid = pid

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def expect(self, pattern: str) -> str:
        """Reads until pattern comes; gives all that came before its end."""
        deadline = time.monotonic() + 10
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, f"{pattern!r} never came in {self.text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
        seen, self.text = self.text[: found.end()], self.text[found.end() :]
        return seen

    def close(self) -> None:
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(folder: Folder) -> Iterator[Terminal]:
    opened = Terminal(folder)
    opened.expect(r"\$ ")
    yield opened
    opened.close()


COMMANDS = [f"{PYTHON} app.py", f"{FETTLE} run -q app.py"]


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "fettle"])
def test_interrupt_reaches_the_program_once(
    folder: Folder, terminal: Terminal, command: str
) -> None:
    folder.write(
        "app.py",
        "import signal, time\n"
        "times = []\n"
        "signal.signal(signal.SIGINT, lambda *_: times.append(1))\n"
        "print('rea' + 'dy', flush=True)\n"
        "while not times: time.sleep(0.02)\n"
        "time.sleep(0.3)\n"
        "print('interrupts:', len(times))\n"
        "raise SystemExit(8)\n",
    )
    terminal.type(command + "; echo code=$?\n")
    terminal.expect("ready")
    terminal.type("\x03")
    assert "interrupts: 1\r\n" in terminal.expect(r"code=8\r")


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "fettle"])
def test_an_interrupt_ends_the_program(folder: Folder, terminal: Terminal, command: str) -> None:
    folder.write(  # one long sleep would miss a signal that comes just before it
        "app.py",
        "import os, time\nos.write(1, b'rea' + b'dy')\nwhile True: time.sleep(0.02)\n",
    )
    terminal.type(command + "\n")
    terminal.expect("ready")
    terminal.type("\x03")
    seen = terminal.expect(r"\$ $")
    assert seen.count("KeyboardInterrupt") == 1
    terminal.type("echo code=$?\n")
    terminal.expect("code=130\r")
    if command.startswith(FETTLE):
        assert Profile.read(str(folder.path / "app.fettle")).ended


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "fettle"])
def test_stop_and_continue(folder: Folder, terminal: Terminal, command: str) -> None:
    folder.write(
        "app.py",
        "import os, signal, time\n"
        "seen = []\n"
        "signal.signal(signal.SIGCONT, lambda *_: seen.append(os.write(1, b'conti' + b'nued')))\n"
        "os.write(1, b'rea' + b'dy')\n"
        "while not seen: time.sleep(0.02)\n"  # input() alone would miss a signal just before it
        "print('got', input())\n",
    )
    for _ in range(2):
        terminal.type(command + "; echo code=$?\n")
        terminal.expect("ready")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.type("jobs; echo sh''ell\n")
        terminal.expect("shell\r")
        terminal.type("fg\n")
        terminal.expect("continued")
        terminal.type("some text\n")
        seen = terminal.expect("got some text")
        assert "continued" not in seen
        terminal.expect(r"\$ $")


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "fettle"])
def test_a_background_job_stops_for_input(folder: Folder, terminal: Terminal, command: str) -> None:
    folder.write("app.py", "print('got', input())")
    terminal.type(command + " &\n")
    seen = terminal.expect(r"\$ ")
    while "Stopped" not in seen:
        terminal.type("\n")  # bash tells at a prompt
        seen = terminal.expect(r"\$ ")
    terminal.type("fg\n")
    terminal.expect("app.py\r")
    terminal.type("more text\n")
    terminal.expect("got more text")


def test_the_program_has_the_terminal(folder: Folder, terminal: Terminal) -> None:
    folder.write(
        "app.py",
        "import os, sys, termios\n"
        "print([os.isatty(n) for n in range(3)], os.tcgetpgrp(0) == os.getpgrp())\n"
        "print(input('your na' + 'me? '))\n",
    )
    terminal.type(f"{FETTLE} run app.py\n")
    assert "[True, True, True] True" in terminal.expect(r"your name\? ")
    attributes = termios.tcgetattr(terminal.fd)
    assert attributes[3] & termios.ICANON
    terminal.type("Ada\n")
    seen = terminal.expect("-> app.fettle")
    assert "Ada\r\nAda\r\n" in seen
    terminal.expect("\x1b\\[")  # the table has colour


@pytest.mark.parametrize(
    ("variables", "colour"), [("NO_COLOR=1", False), ("TERM=dumb", False), ("X=1", True)]
)
def test_colour_on_a_terminal(
    folder: Folder, terminal: Terminal, variables: str, colour: bool
) -> None:
    folder.fettle("run", "-q", "-c", "len('abc')")
    terminal.type(f"{variables} {FETTLE} view; echo do''ne\n")
    seen = terminal.expect("done\r")
    assert "builtins.len}" in re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert ("\x1b[" in seen.replace("\x1b[?2004", "")) is colour


def test_hanging_up_ends_program_and_launcher(folder: Folder) -> None:
    """The shell passes SIGHUP on; nobody stays behind, nothing is lost."""
    folder.write(
        "app.py",
        "import os, time\n"
        "def work(): pass\n"
        "work()\n"
        "open('ready', 'w').write(f'{os.getpid()} {os.getppid()}')\n"
        "time.sleep(60)\n",
    )
    terminal = Terminal(folder)
    terminal.expect(r"\$ ")
    terminal.type(f"exec {FETTLE} run -q app.py\n")
    ready = folder.path / "ready"
    deadline = time.monotonic() + 10
    while not (ready.exists() and ready.read_text().count(" ")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pids = ready.read_text().split()
    os.close(terminal.fd)
    os.waitpid(terminal.pid, 0)
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    folder.fettle("view", "app.fettle")
    profile = Profile.read(str(folder.path / "app.fettle"))
    assert [row.calls for row in profile.functions() if row.name == "work"] == [1]


def _runs(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
