# SPDX-License-Identifier: Apache-2.0
"""The output of a recording: X.fettle and, while it is recorded, the folder X.fettle.parts.

Invariants: a file that is not a recording is never touched; a recording that stands in the way
becomes X.prev.fettle, together with its parts if it was never finished; nobody's unfinished
recording is taken away while a process of it lives. The launcher also holds a lock on the file
until it ended: who gets the lock may finish the file.

Guests use this too: it imports only what `site` has loaded already, except for the lock.
"""

import os
import stat

from fettle.problem import USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

HEAD_BYTES = 16
ARENA = ".arena"
FIRST_BYTES = 1 << 18  # what the first process needs: a header and a block of each kind


class Output:
    """A claimed output: an empty file that is ours, open as fd, and its folder of parts."""

    __slots__ = ("fd", "parts", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.parts = parts_of(path)

    def discard(self) -> None:
        """Takes the claim back: nothing was recorded."""
        os.close(self.fd)
        for remove, path in ((os.rmdir, self.parts), (os.unlink, self.path)):
            try:  # noqa: SIM105 - contextlib may not be imported
                remove(path)
            except OSError:
                pass


def parts_of(path: str) -> str:
    return path + ".parts"


def previous(path: str) -> str:
    """app.fettle is kept as app.prev.fettle."""
    stem, suffix = os.path.splitext(path)
    return f"{stem}.prev{suffix}"


def living(parts: str) -> list[int]:
    """The processes that still write into a folder of parts: PID-START-RANDOM.arena each."""
    try:
        names = os.listdir(parts)
    except OSError:
        return []
    owners = {tuple(name.split("-")[:2]) for name in names if name.endswith(ARENA)}
    return sorted(int(owner[0]) for owner in owners if _lives(*owner))


def _lives(pid: str, start: str = "") -> bool:
    """Is this process, and not a later one with its number, alive?"""
    fields = status_of(pid)
    return bool(fields) and fields[0] not in {"Z", "X"} and start in {fields[19], "0"}


def status_of(pid: int | str) -> list[str]:
    """State, parent, ... of a process; nothing if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return []


def lock(fd: int) -> bool:
    """Takes the lock of a recording; False if somebody has it."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: go on without
        return True
    return True


def claim(path: str, locked: bool) -> Output:
    """Opens path as a new output, with its lock if asked for. Raises Problem."""
    if os.path.islink(path):
        path = os.path.realpath(path)
    try:
        _check_room(path)
        fd = _claim_file(path, locked)
        try:
            os.mkdir(parts_of(path))
        except OSError as error:
            os.close(fd)
            if not isinstance(error, FileExistsError):  # else it is another's
                os.unlink(path)
            raise
    except OSError as error:
        place = error.filename or path
        raise Problem(
            USAGE, f"cannot write {place}: {reason(error)}; name another output with -o."
        ) from error
    return Output(path, fd)


def save(profile: "Profile", path: "str | os.PathLike[str]") -> None:
    """Writes a whole recording to path, with what stands there set aside. OSError, with errno where
    the system said no."""
    try:
        claimed = claim(os.path.abspath(path), locked=True)
    except Problem as problem:
        raise _os_error(problem) from None
    try:
        profile.begin(claimed.fd)
        profile.append(claimed.fd)
    except BaseException:
        claimed.discard()
        raise
    remove_parts(claimed.parts)
    os.close(claimed.fd)


def _os_error(problem: Problem) -> OSError:
    """FileNotFoundError and its like where the system said no."""
    cause = problem.__cause__
    if isinstance(cause, OSError):
        return OSError(cause.errno, cause.strerror, cause.filename)
    return OSError(problem.sentence.replace(" with -o", ""))


def check(path: str) -> None:
    """Raises Problem where claim would, as far as one can know; changes nothing."""
    if os.path.islink(path):
        path = os.path.realpath(path)
    try:
        _check_room(path)
        _check_idle(path)
        _check_replaceable(path)
        if os.path.exists(path) and os.path.getsize(path):
            _check_replaceable(previous(path))
    except OSError as error:
        place = error.filename or path
        raise Problem(
            USAGE, f"cannot write {place}: {reason(error)}; name another output with -o."
        ) from error


def _check_replaceable(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        _check_ours(fd, path)
    finally:
        os.close(fd)


def _check_room(path: str) -> None:
    """Raises OSError where a recording could not even begin, before anything is moved aside."""
    trial = f"{path}.{os.getpid()}.new"
    try:
        fd = os.open(trial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        error.filename = path  # the name that the user gave
        raise
    try:
        os.posix_fallocate(fd, 0, FIRST_BYTES)
    finally:
        os.unlink(trial)
        os.close(fd)


def _claim_file(path: str, locked: bool) -> int:
    """Two may do this at once: whoever has the lock of the file that bears the name has won."""
    old = -1
    try:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
            fd = _above_standard(os.open(path, flags, 0o666))
            try:
                if locked and not lock(fd):
                    raise Problem(
                        USAGE,
                        f"another fettle is writing {path} right now; wait for it or name another"
                        " output with -o.",
                    )
                if _is_named(fd, path):
                    _check_ours(fd, path)
                    _check_idle(path)
                    if os.fstat(fd).st_size == 0:
                        remove_parts(parts_of(path))  # whoever removed the file left them
                        return fd
                    _set_aside(path)
            except BaseException:
                os.close(fd)
                raise
            if old >= 0:
                os.close(old)
            old = fd  # keeps its lock until the new file has one
    finally:
        if old >= 0:
            os.close(old)


def _above_standard(fd: int) -> int:
    """A program may be started without stdin, stdout or stderr: those numbers are not ours."""
    if fd > 2:
        return fd
    higher = _above_standard(os.dup(fd))
    os.close(fd)
    return higher


def _is_named(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def _check_ours(fd: int, path: str) -> None:
    if not stat.S_ISREG(os.fstat(fd).st_mode) or not is_recording(os.pread(fd, HEAD_BYTES, 0)):
        raise Problem(
            USAGE,
            f"{path} is not a fettle recording and stays as it is; name another output with -o.",
        )


def is_recording(head: bytes) -> bool:
    """May a file with these first bytes be replaced? An empty one holds nothing to lose."""
    if not head:
        return True
    from fettle import _core

    return _core.is_fettle(head)


def _check_idle(path: str) -> None:
    pids = living(parts_of(path))
    if pids:
        raise Problem(
            USAGE,
            f"process {pids[0]} is still recording into {path}; wait for it or name another output"
            " with -o.",
        )


def _set_aside(path: str) -> None:
    """Makes room: path and its parts, if any, become the previous recording."""
    kept = previous(path)
    _check_replaceable(kept)
    remove_parts(parts_of(kept))
    os.rename(path, kept)
    if os.path.exists(parts_of(path)):
        os.rename(parts_of(path), parts_of(kept))


def remove_parts(parts: str) -> None:
    """Removes the folder and the arenas in it. A late process may add one while we are at it."""
    for _ in range(3):
        try:
            for name in os.listdir(parts):
                if name.endswith(ARENA):  # nothing else in there is ours
                    os.unlink(os.path.join(parts, name))
            os.rmdir(parts)
        except FileNotFoundError:
            return
        except OSError:
            continue
        return
