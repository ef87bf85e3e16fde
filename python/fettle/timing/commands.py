# SPDX-License-Identifier: Apache-2.0
"""Whole commands, measured from their start to their end.

Each run is a process of its own, in a process group of its own, so that what it started can be
ended with it. It reads nothing, and what it writes is read and thrown away, but for its last lines:
a command that fails is asked what it said. Into /dev/null some programs write faster than into
anything else, hence the pipe.

The CPU time is that of the process and of all that it waited for, as the system counts it. Between
two commands stands no other run than those of their round, and their order is drawn in each round.
"""

import fcntl
import os
import random
import select
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass

from fettle import executable
from fettle.invocation import quoted
from fettle.problem import CHECK_FAILED, FETTLE_FAILED, NOT_EXECUTABLE, USAGE, Problem, reason
from fettle.timing.collect import WAITS, TimedOut
from fettle.timing.options import POLL_MOST
from fettle.timing.series import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEPARATOR = "--vs"
LAST_BYTES = 4096  # of what a command wrote are kept
LAST_LINES = 12
_PIPE_BYTES = 1 << 20  # so that a command seldom waits for us
_LOOK = 0.001  # seconds between two looks where the system does not tell of an end
_EXPANDED = "$`"
_SPECIAL = "|&;<>()*?[" + _EXPANDED


@dataclass(frozen=True, slots=True)
class Command:
    """One of those that are measured."""

    label: str
    words: tuple[str, ...]
    folder: str = ""  # where it runs; "": here


class Failed(Problem):
    """A command that did not end well, and the last lines that it wrote."""

    def __init__(self, sentence: str, output: bytes) -> None:
        super().__init__(CHECK_FAILED, sentence)
        lines = output.decode(errors="replace").splitlines()
        self.lines = [line for line in lines if line.strip()][-LAST_LINES:]


@dataclass(frozen=True, slots=True)
class Run:
    """How one run of a command ended."""

    wall: float  # seconds
    usage: "Sequence[float]"  # a struct rusage
    delayed: float  # seconds that it could have run in, had others not had the processors
    status: int  # its exit code; -n: killed by signal n
    output: bytes  # the last of what it wrote
    late: bool  # it was ended by us, for it took too long

    def sample(self) -> Sample:
        """A program gives the processor up now and then whatever it does; it waits if time went by
        in which it did not want to run."""
        cpu = self.usage[0] + self.usage[1]
        is_idle = self.wall - cpu - self.delayed > WAITS * self.wall
        waits, preempted = int(self.usage[14]), int(self.usage[15])
        return Sample(
            self.wall,
            cpu,
            max(waits, 1) if is_idle else 0,
            preempted,
            1,
            helped=max(0.0, cpu - self.wall),
            faults=int(self.usage[7]),
        )


def read(words: "Sequence[str]") -> list[Command]:
    """The commands between the separators.

    >>> [command.words for command in read(["sort", "a b", "--vs", "sort -u 'a b'"])]
    [('sort', 'a b'), ('sort', '-u', 'a b')]
    """
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    if not all(part and part[0] for part in parts):
        where = f"after {SEPARATOR}" if parts[0] and parts[0][0] else "after --"
        raise Problem(USAGE, f"there is no command {where}; write `fettle time -- COMMAND`.")
    return [_command(part) for part in parts]


def _command(words: list[str]) -> Command:
    """One word with blanks is a command line, unless it is a program of that name."""
    line = words[0]
    if len(words) > 1 or not any(letter.isspace() for letter in line) or os.path.isfile(line):
        return Command(quoted(words), tuple(words))
    if needs_shell(line):
        raise Problem(USAGE, f"{line!r} needs a shell, and none is used; write -- sh -c {line!r}.")
    try:
        split = shlex.split(line)
    except ValueError as error:
        raise Problem(
            USAGE, f"the command {line!r} can not be read ({error}); write its words singly."
        ) from None
    if not split or not split[0]:
        raise Problem(USAGE, "a command is empty; write `fettle time -- COMMAND`.")
    return Command(line.strip(), tuple(split))


def needs_shell(line: str) -> bool:
    """Has it letters, outside of quotes, to which a shell gives a meaning?

    >>> needs_shell("a | b"), needs_shell("grep 'a|b' c"), needs_shell('echo "$HOME"')
    (True, False, True)
    """
    quote, is_escaped = "", False
    for letter in line:
        if is_escaped:
            is_escaped = False
        elif letter == "\\" and quote != "'":
            is_escaped = True
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter in (_SPECIAL if not quote else _EXPANDED if quote == '"' else ""):
            return True
    return False


class Commands:
    """A source of samples: a run of each command is a round, and every round a group of its own."""

    is_single = True  # no two rounds share their luck: each run is a process of its own

    def __init__(
        self,
        commands: "Sequence[Command]",
        timeout: float = 0.0,
        ignore_failure: bool = False,
        seed: int | None = None,
    ) -> None:
        """timeout: seconds for one run, 0.0 for any. Problem if there is no such program."""
        self.commands = tuple(commands)
        self._timeout = timeout
        self._ignore_failure = ignore_failure
        self._random = random.Random(seed)
        self._programs = [executable.find(each.words[0], each.folder) for each in commands]
        self._runs = [0] * len(self.commands)
        self._rounds = 0
        self._failures: list[list[int]] = [[] for _ in commands]
        if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:  # then no status is kept
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def warm_up(self) -> float:
        """Runs each once, so that caches are as they will be, and what fails does so at once. The
        seconds that it took."""
        return sum(self._run(at).wall for at in range(len(self.commands)))

    def groups(self) -> "Iterator[Commands]":
        while True:
            yield self

    def round(self) -> "Sequence[Sample]":
        order = list(range(len(self.commands)))
        self._random.shuffle(order)
        samples = {at: self._run(at).sample() for at in order}
        self._rounds += 1
        return [samples[at] for at in range(len(self.commands))]

    def close(self) -> None:
        """Nothing of a run is left."""

    def notes(self) -> list[str]:
        """What must be known of runs that failed and were asked not to matter."""
        return [
            f"{_shown(command)} {_ending(codes[-1])} in {len(codes)} of {runs} runs, which were"
            " measured all the same, as --ignore-failure asks."
            for command, codes, runs in zip(self.commands, self._failures, self._runs, strict=True)
            if codes
        ]

    def _run(self, at: int) -> Run:
        """One run. Failed if it did not end well, TimedOut if it did before."""
        command = self.commands[at]
        ended = run(command, self._programs[at], self._timeout)
        self._runs[at] += 1
        if ended.late:
            if self._rounds:
                raise TimedOut
            raise Failed(
                f"{_shown(command)} was still running after {self._timeout:g} s and was ended;"
                " --timeout gives it more time.",
                ended.output,
            )
        if ended.status:
            self._failures[at].append(ended.status)
            if not self._ignore_failure:
                raise Failed(self._sentence(at, ended), ended.output)
        return ended

    def _sentence(self, at: int, ended: Run) -> str:
        which = "its first run" if self._runs[at] == 1 else f"run {self._runs[at]}"
        advice = "mend it, or measure it all the same with --ignore-failure"
        return f"{_shown(self.commands[at])} {_ending(ended.status)} in {which}; {advice}."


def _shown(command: Command) -> str:
    """Its label, as a part of a sentence."""
    from fettle.report.timing import one_line

    return one_line(command.label, 60)


def _ending(status: int) -> str:
    """How a shell's user would say it."""
    if status > 0:
        return f"ended with exit code {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def run(command: Command, program: str, timeout: float = 0.0) -> Run:
    """Runs it once, to its end or ours: whatever happens here, it does not outlive this."""
    reader, writer = os.pipe()
    try:
        try:
            _widen(writer)
            os.set_blocking(reader, False)
            start = time.perf_counter()
            child = _start(command, program, writer)
        finally:
            os.close(writer)
        try:
            return _follow(child.pid, reader, start, timeout)
        finally:
            child.returncode = 0  # it has been waited for: Popen need not
    finally:
        os.close(reader)


def _widen(writer: int) -> None:
    try:  # noqa: SIM105
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:  # the user's pipes have taken all that one may have
        pass


def _start(command: Command, program: str, writer: int) -> "subprocess.Popen[bytes]":
    folder = command.folder or None
    environment = {**os.environ, "PWD": folder} if folder else None

    def start(words: "Sequence[str]", file: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            words,
            executable=file,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            cwd=folder,
            env=environment,
            process_group=0,
        )

    try:
        return start(command.words, program)
    except OSError as error:
        if error.errno == 8:  # ENOEXEC: a script without #!, which a shell runs itself
            return start(("/bin/sh", program, *command.words[1:]), "/bin/sh")
        code = NOT_EXECUTABLE if isinstance(error, PermissionError) else FETTLE_FAILED
        raise Problem(code, f"{command.words[0]} cannot be executed: {reason(error)}.") from None


def _follow(pid: int, reader: int, start: float, timeout: float) -> Run:
    """Reads what it writes until it is dead."""
    watch = _Watch(pid, reader)
    late = False
    try:
        while not watch.is_dead:
            left = timeout - (time.perf_counter() - start) if timeout else None
            if left is not None and left <= 0:
                late = True
                _end(pid)
                left = None
                timeout = 0.0
            watch.look(left)
        wall = time.perf_counter() - start
        delayed = _delayed(pid)
        _, status, usage = os.wait4(pid, 0)
        pid = 0
        watch.read()
        return Run(wall, usage, delayed, os.waitstatus_to_exitcode(status), watch.output, late)
    finally:
        if pid:
            _end(pid)
            os.waitpid(pid, 0)
        watch.close()


def _delayed(pid: int) -> float:
    """How long it stood in the queue for a processor, in seconds: it itself, none of its children,
    and 0.0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _end(pid: int) -> None:
    """The whole group: what it started, too."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


class _Watch:
    """Waits for the end of a process, and reads meanwhile."""

    def __init__(self, pid: int, reader: int) -> None:
        self.is_dead = False
        self.output = b""
        self._pid = pid
        self._reader = reader
        self._poll = select.poll()
        self._poll.register(reader, select.POLLIN)
        self._told = _open_pid(pid)
        if self._told >= 0:
            self._poll.register(self._told, select.POLLIN)

    def look(self, seconds: float | None) -> None:
        """Waits for something to happen, for so long at most."""
        if self._told < 0:
            seconds = min(_LOOK, seconds if seconds is not None else _LOOK)
        wait = None if seconds is None else min(max(seconds * 1000, 1.0), POLL_MOST)
        events = self._poll.poll(wait)
        happened = [fd for fd, _ in events]
        if self._told in happened or (self._told < 0 and self._has_ended()):
            self.is_dead = True
        elif self._reader in happened and not self.read():
            self._poll.unregister(self._reader)  # it has closed both

    def read(self) -> bool:
        """Reads what is there now; False once nobody can write any more."""
        while True:
            try:
                block = os.read(self._reader, 65536)
            except BlockingIOError:
                return True
            if not block:
                return False
            self.output = (self.output + block)[-LAST_BYTES:]
            if len(block) < 65536:
                return True

    def close(self) -> None:
        if self._told >= 0:
            os.close(self._told)

    def _has_ended(self) -> bool:
        found = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None


def _open_pid(pid: int) -> int:
    """A descriptor that tells of the end; -1 where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1
