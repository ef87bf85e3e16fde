# SPDX-License-Identifier: Apache-2.0
"""A source of samples whose groups are processes of their own, one after the other.

Each has another seed for hashes, another size of its environment and another heap: what such luck
does to a candidate differs from group to group, and shows in the interval. worker.py is what runs
in them.
"""

import contextlib
import fcntl
import os
import select
import signal
import sys
import tempfile
from collections import deque
from marshal import dumps, loads
from random import Random
from time import monotonic

from fettle.problem import CHECK_FAILED, FETTLE_FAILED, Problem, reason
from fettle.timing import statements
from fettle.timing.collect import TimedOut
from fettle.timing.options import LEAST, POLL_MOST, SPAN
from fettle.timing.series import Sample, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from fettle.timing.options import Options
    from fettle.timing.statements import Candidate

_LENGTH = 8
_ENDING = 2.0  # seconds that a process may take to end by itself
_STARTER = (
    "import sys; sys.path[:] = [each for each in sys.path if each] + [{home!r}];"
    " from fettle.timing.worker import main; main({inward}, {outward}, {parent})"
)


class Unprepared(Exception):
    """The candidates cannot be had in another process; the text says why."""


class Processes:
    """Groups of candidates, statements or functions that a fresh process can import."""

    def __init__(
        self,
        candidates: "Sequence[Candidate]",
        options: "Options",
        names: "Sequence[tuple[str, str] | None]",
    ) -> None:
        self._candidates = candidates
        self._options = options
        self._random = Random(options.seed)
        self._loops = [options.loops] * len(candidates)
        self._has_printed = False
        empty = statements.empty()
        self._order = {
            "candidates": [_described(*each) for each in zip(candidates, names, strict=True)]
            + [_described(empty, None)],
            "files": [each.file for each in candidates],
            "path": _absolute(sys.path),
            "gc": options.gc,
            "counters": options.counters,
        }

    def groups(self) -> "Iterator[Process]":
        while True:
            group = self._begin(self._loops)
            self._loops = group.loops
            yield group

    def allocated(self) -> "Sequence[tuple[int, int, int] | None]":
        group = self._begin(None)
        try:
            return group.allocated()
        finally:
            group.close()

    def notes(self) -> tuple[str, ...]:
        if not self._has_printed:
            return ()
        return ("What was printed was thrown away.",)

    def _begin(self, loops: "Sequence[int] | None") -> "Process":
        order = {**self._order, "loops": loops, "seed": self._random.getrandbits(60)}
        group = Process(self._candidates, self._options.timeout, self._random)
        try:
            self._has_printed |= group.begin(order)
        except BaseException:
            group.kill()
            raise
        return group


class Process:
    """One process that measures. Samples come in lots, and are handed out one by one."""

    def __init__(
        self,
        candidates: "Sequence[Candidate]",
        timeout: float,
        random: Random,
    ) -> None:
        self.loops: list[int] = []
        self._candidates = candidates
        self._timeout = timeout
        self._counters: tuple[str, ...] = ()
        self._waiting: deque[Any] = deque()
        self._asked = False  # more rounds are on their way
        self._buffer = bytearray()
        with tempfile.TemporaryFile() as said:
            self._said = _above(os.dup(said.fileno()))
        try:
            self._inward, self._outward, self._pid = _spawn(self._said, random)
        except BaseException:
            os.close(self._said)
            raise

    def begin(self, order: "dict[str, Any]") -> bool:
        """Gives it the order, and waits until it is ready; True: the candidates print something."""
        self._put(order)
        _, self.loops, self._counters, has_printed = self._get("ready")
        return bool(has_printed)

    def round(self) -> "list[Sample]":
        while not self._waiting:
            if not self._asked:
                self._put(("rounds", LEAST, SPAN))
                self._asked = True
            _, rounds, is_last = self._get("rounds")
            self._waiting.extend(rounds)
            self._asked = not is_last
        return [self._sample(*row) for row in self._waiting.popleft()]

    @property
    def is_ready(self) -> bool:
        """The next rounds were asked for."""
        return self._asked or bool(self._waiting)

    def allocated(self) -> "list[tuple[int, int, int] | None]":
        self._put(("allocated",))
        found: list[tuple[int, int, int] | None] = self._get("allocated")[1]
        return found

    def close(self) -> None:
        """Ends it; one that is in the middle of something is killed."""
        if self._asked:
            self.kill()
            return
        if self._pid == 0:
            return
        os.close(self._inward)
        self._inward = -1
        deadline = monotonic() + _ENDING
        while (left := deadline - monotonic()) > 0:
            if self._speaks(left) and not self._read():
                self._reap()
                return
        self.kill()

    def kill(self) -> None:
        """With the processes that it started and that did not leave its process group."""
        if self._pid == 0:
            return
        for end in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                end(self._pid, signal.SIGKILL)
        self._reap()

    def _sample(
        self,
        wall: float,
        cpu: float,
        waits: int,
        preempted: int,
        loops: int,
        empty: float,
        helped: float,
        faults: int,
        counted: tuple[float, ...],
    ) -> Sample:
        counters = dict(zip(self._counters, counted, strict=True))
        return Sample(wall, cpu, waits, preempted, loops, empty, helped, faults, counters)

    def _put(self, message: "Any") -> None:
        data = dumps(message)
        data = len(data).to_bytes(_LENGTH, "little") + data
        try:
            while data:
                data = data[os.write(self._inward, data) :]
        except BrokenPipeError:
            pass  # the answer that does not come says more

    def _get(self, what: str) -> "Any":
        """The next message, which is to be of that kind."""
        while True:
            length = int.from_bytes(self._buffer[:_LENGTH], "little")
            if len(self._buffer) >= _LENGTH + length and len(self._buffer) >= _LENGTH:
                message = loads(bytes(self._buffer[_LENGTH : _LENGTH + length]))
                del self._buffer[: _LENGTH + length]
                if message[0] != "tick":
                    break
                continue
            if not self._speaks(self._timeout):
                self.kill()
                raise TimedOut
            if not self._read():
                raise self._death()
        if message[0] == "unprepared":
            self.kill()
            raise Unprepared(message[1])
        if message[0] == "raised":
            self.kill()
            raise Problem(CHECK_FAILED, raised(self._candidates, *message[1:]))
        assert message[0] == what
        return message

    def _speaks(self, seconds: float) -> bool:
        """Does it say something, or end, within these seconds?"""
        poll = select.poll()  # select() knows no descriptor above 1023
        poll.register(self._outward, select.POLLIN)
        return bool(poll.poll(min(seconds * 1000, POLL_MOST)))

    def _read(self) -> bool:
        """False: there will be no more."""
        part = os.read(self._outward, 1 << 16)
        self._buffer += part
        return bool(part)

    def _death(self) -> Problem:
        said = self._last_words()
        code = self._reap()
        what = " and ".join(f"`{short(each.label)}`" for each in self._candidates)
        if said and not self.loops and ("Error" in said or "Fatal" in said):
            return Problem(FETTLE_FAILED, f"the process that measures {what} failed: {said}")
        if code is None:
            how = "ended"
        elif code < 0:
            how = f"was killed by {_signal_name(-code)}"
        else:
            how = f"ended with exit code {code}"
        return Problem(
            CHECK_FAILED,
            f"the process that measures {what} {how}; time code that comes to its end.",
        )

    def _last_words(self) -> str:
        try:
            text = os.pread(self._said, 1 << 16, 0).decode(errors="replace").strip()
        except OSError:
            return ""
        return text.splitlines()[-1] if text else ""

    def _reap(self) -> int | None:
        """Its exit code, as subprocess has it, where it is known."""
        for fd in {self._inward, self._outward, self._said} - {-1}:
            os.close(fd)
        self._inward = self._outward = self._said = -1
        self._asked = False
        pid, self._pid = self._pid, 0
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except OSError:  # who ignores SIGCHLD hears of no child
            return None


def raised(
    candidates: "Sequence[Candidate]",
    index: int,
    text: str,
    line: int,
    file: str,
    at: int,
    is_elsewhere: bool = True,
) -> str:
    """The sentence about an exception of candidate index, in a process of its own or not."""
    candidate = candidates[index]
    if candidate.function is not None:
        inside = file if file and file != candidate.file else ""
        where = f" ({os.path.basename(inside)}, line {at})" if inside else ""
        advice = "; processes=0 calls it in this process" if is_elsewhere else ""
        return f"{candidate.label} raised {text}{where}{advice}."
    what = statements.called(candidate.number, len(candidates))
    if line > statements.SETUP_LINES:
        what, line = "the setup", line - statements.SETUP_LINES
    else:
        what = f"{what} (`{short(candidate.label)}`)" if candidate.label else what
    return f"{what} raised {text} (line {max(1, line)})."


def _described(candidate: "Candidate", name: tuple[str, str] | None) -> "dict[str, Any]":
    arguments = b""
    if candidate.args or candidate.kwargs:
        import pickle

        values = tuple((candidate.kwargs or {}).values())
        try:
            arguments = pickle.dumps((candidate.args, values))
        except Exception as error:
            raise Unprepared(reason(error)) from None
    return {
        "code": candidate.code,
        "async": candidate.is_async,
        "name": name,
        "arguments": arguments,
    }


def _absolute(path: "Sequence[str]") -> list[str]:
    """sys.path as another process can use it; "" stays the folder it is in."""
    return [each for each in path if isinstance(each, str)]


def _spawn(said: int, random: Random) -> tuple[int, int, int]:
    """Starts the process: the end to write to, the end to read from, its id."""
    their_inward, inward = map(_above, os.pipe())
    outward, their_outward = map(_above, os.pipe())
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    starter = _STARTER.format(
        home=home, inward=their_inward, outward=their_outward, parent=os.getpid()
    )
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, said, 1),
        (os.POSIX_SPAWN_DUP2, said, 2),
        (os.POSIX_SPAWN_DUP2, their_inward, their_inward),
        (os.POSIX_SPAWN_DUP2, their_outward, their_outward),
    ]
    words = [sys.executable, *_interpreter_options(), "-c", starter]
    try:
        pid = os.posix_spawn(
            sys.executable, words, _environment(random), file_actions=actions, setpgroup=0
        )
    except OSError as error:
        for fd in (inward, outward):
            os.close(fd)
        raise Problem(
            FETTLE_FAILED,
            f"{sys.executable} cannot be started to measure: {reason(error)}; processes=0 measures"
            " in this one.",
        ) from None
    finally:
        os.close(their_inward)
        os.close(their_outward)
    return inward, outward, pid


def _above(fd: int) -> int:
    """The same, out of the place of a standard stream that is closed here: there it has its own."""
    if fd > 2:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


def _environment(random: Random) -> dict[str, str]:
    """This process's, with luck of its own, and nothing that makes fettle record it."""
    environment = dict(os.environ)
    environment.pop("FETTLE", None)
    if environment.get("PYTHONHASHSEED", "random") == "random":
        environment["PYTHONHASHSEED"] = str(random.randrange(1, 1 << 32))
    environment["FETTLE_PADDING"] = "x" * random.randrange(4096)
    return environment


def _interpreter_options() -> list[str]:
    """What this interpreter was started with, as far as it changes how code runs."""
    flags = sys.flags
    words = [*["-O"] * flags.optimize, *["-b"] * flags.bytes_warning]
    for letter, is_on in (
        ("B", flags.dont_write_bytecode),
        ("s", flags.no_user_site),
        ("S", flags.no_site),
        ("E", flags.ignore_environment and not flags.isolated),
    ):
        if is_on:
            words.append(f"-{letter}")
    words += [f"-W{each}" for each in sys.warnoptions]
    for name, value in sys._xoptions.items():
        words += ["-X", name if value is True else f"{name}={value}"]
    return words


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
