# SPDX-License-Identifier: Apache-2.0
"""The parent of a recorded program.

It starts the program as it would start without fettle, stands in its place for the shell (exit
code, signals, job control) and turns what the processes left behind into one file when it ended.

All signals are blocked and read one by one, so none is lost and nothing runs in between. What
somebody sent to this process goes on to the program; what the terminal sent, the program got
itself, as a member of the same process group.
"""

import os
import signal
import sys

from fettle import output, properties, sourcetext
from fettle.problem import FETTLE_FAILED, NOT_EXECUTABLE, USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

    Mask = set[signal.Signals | int]

LAST_MOMENTS = 20  # of 5 ms: how long processes may outlive the program without being cut off
_SPOILT = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores these from its start on


class Launch:
    """A program to start: its file, its words, what the guest is to record, whether the recording
    gets the source of the lines in it, and which run of several it is (0: there is one)."""

    __slots__ = ("argv", "executable", "has_source", "options", "run")

    def __init__(
        self, executable: str, argv: list[str], options: str, has_source: bool = True
    ) -> None:
        self.executable = executable
        self.argv = argv
        self.options = options
        self.has_source = has_source
        self.run = 0


class Ended:
    """A program that ended, and what could be made of its recording (None: nothing)."""

    __slots__ = ("code", "problem", "profile")

    def __init__(self, code: int, profile: "Profile | None", problem: str) -> None:
        self.code = code
        self.profile = profile
        self.problem = problem


def launch(program: Launch, claimed: output.Output) -> Ended:
    """Records program into claimed. Raises Problem only if the program did not run."""
    from fettle import _core

    profile = _core.Profile()
    for key, value in properties.gather(program.argv, program.options).items():
        profile.set_meta(key, value)
    if program.run:
        profile.set_meta("run", str(program.run))
    if not program.has_source:
        profile.set_meta(sourcetext.KEPT, "no")
    everything = signal.valid_signals()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, everything)
    try:
        watch = _Watch(_begin(profile, program, claimed, before), everything)
        status = watch.wait()
        problem = _save(profile, claimed, watch, status)
    finally:
        while signal.sigtimedwait(everything, 0):
            pass  # ^C was the program's
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = os.waitstatus_to_exitcode(status)
    return Ended(code if code >= 0 else 128 - code, None if problem else profile, problem)


def _begin(profile: "Profile", program: Launch, claimed: output.Output, mask: "Mask") -> int:
    """Begins the file, then the program."""
    try:
        profile.begin(claimed.fd)
    except OSError as error:
        claimed.discard()
        raise Problem(
            USAGE, f"cannot write {claimed.path}: {reason(error)}; name another output with -o."
        ) from None
    try:
        return _spawn(program, claimed.path, mask)
    except OSError as error:
        claimed.discard()
        code = NOT_EXECUTABLE if isinstance(error, PermissionError) else FETTLE_FAILED
        raise Problem(code, f"{program.argv[0]} cannot be executed: {reason(error)}.") from None


def _spawn(program: Launch, path: str, mask: "Mask") -> int:
    environment = _environment()
    environment["FETTLE"] = f"{program.options} joined"
    environment["FETTLE_OUT"] = path

    def spawn(executable: str, argv: list[str]) -> int:
        return os.posix_spawn(
            executable, argv, environment, setsigmask=mask, setsigdef=list(_SPOILT)
        )

    try:
        child = spawn(program.executable, program.argv)
    except OSError as error:
        if error.errno != 8:  # ENOEXEC: a script without #!, which a shell runs itself
            raise
        child = spawn("/bin/sh", ["/bin/sh", program.executable, *program.argv[1:]])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # may have been ignored: then no status is kept
    return child


def _environment() -> dict[str, str]:
    """This process's, less what the interpreter itself put there when it started (PEP 538)."""
    environment = dict(os.environ)
    if environment.get("LC_CTYPE") in {"C.UTF-8", "C.utf8", "UTF-8"}:
        try:
            with open("/proc/self/environ", "rb") as initial:
                if b"\0LC_CTYPE=" not in b"\0" + initial.read():
                    del environment["LC_CTYPE"]
        except OSError:
            pass
    return environment


class _Watch:
    """Waits for the child, as its stand-in towards everybody else."""

    def __init__(self, child: int, signals: set[signal.Signals]) -> None:
        self.child = child
        self.signals = signals
        self.stopped = False  # this process stopped with the child
        self.cpu = 0.0  # seconds of CPU time that the child used, once it is dead

    def wait(self) -> int:
        """The child's wait status, once it is dead."""
        while True:
            status = self._poll()
            if status is not None:
                return status
            info = signal.sigwaitinfo(self.signals)
            if info.si_signo != signal.SIGCHLD and self._is_for_child(info):
                self._pass_on(info.si_signo)

    def _poll(self) -> int | None:
        while True:
            try:
                pid, status, usage = os.wait4(self.child, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return FETTLE_FAILED << 8  # somebody else took the status
            if pid == 0:
                return None
            if not os.WIFSTOPPED(status):
                self.cpu = usage.ru_utime + usage.ru_stime
                return status
            self._stop()

    def _stop(self) -> None:
        """The shell must see that the program stopped. Without one nobody would wake us."""
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY))
        except OSError:
            return
        self.stopped = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _is_for_child(self, info: signal.struct_siginfo) -> bool:
        if info.si_signo == signal.SIGCONT and self.stopped:
            self.stopped = False  # `fg` continues the whole group, `kill -CONT` only us
            return output.status_of(self.child)[:1] == ["T"]
        if info.si_signo == signal.SIGHUP and info.si_code > 0:
            return os.getsid(0) == os.getpid()  # a hang-up is told to the session's leader alone
        return info.si_code <= 0 and not self._is_descendant(info.si_pid)

    def _is_descendant(self, pid: int) -> bool:
        """A program that signals its process group means itself, and got the signal itself."""
        while pid > 1:
            if pid == self.child:
                return True
            pid = int((output.status_of(pid)[1:2] or ["0"])[0])
        return False

    def _pass_on(self, number: int) -> None:
        try:  # noqa: SIM105
            os.kill(self.child, number)
        except (ProcessLookupError, PermissionError):
            pass  # it just died, or runs as somebody else now


def _let_helpers_end(parts: str) -> None:
    """Processes that only serve the program (multiprocessing's) end a moment after it."""
    for _ in range(LAST_MOMENTS):
        if not output.living(parts):
            return
        signal.sigtimedwait((), 0.005)


def _save(profile: "Profile", claimed: output.Output, watch: _Watch, status: int) -> str:
    """Turns the parts into the file. Gives a sentence if they could not be; then they stay."""
    try:
        profile.set_meta("state", "ended")
        profile.set_meta("exit", _exit_text(status))
        profile.set_meta("cpu", f"{watch.cpu:.6f}")
        if os.path.isdir(claimed.parts):
            _let_helpers_end(claimed.parts)
            profile.harvest(claimed.parts, watch.child, watch.cpu)
        sourcetext.gather(profile)
        if not os.path.exists(claimed.path):
            claimed.fd = os.open(claimed.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
            profile.begin(claimed.fd)
        profile.append(claimed.fd)
    except Exception as error:
        if os.environ.get("FETTLE_DEBUG"):
            sys.excepthook(type(error), error, error.__traceback__)
        return (
            f"the recording could not be written to {claimed.path}: {reason(error)};"
            f" `fettle view {claimed.path}` finishes it once that is mended."
        )
    output.remove_parts(claimed.parts)
    os.close(claimed.fd)
    return ""


def _exit_text(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return str(code)
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
