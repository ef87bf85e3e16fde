# SPDX-License-Identifier: Apache-2.0
"""Code after it has run: a module is imported and a statement run in it, in a process of its own,
until the interpreter has specialised what the statement does.

Such a process runs `fettle dis` with the same words; what the program prints goes to stderr there.
What takes too long is interrupted there by an alarm, and the code is shown as it is by then. The
process that waits ends it if that does not help: in C code nobody hears an alarm.
"""

import gc
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from time import perf_counter
from types import CodeType, FunctionType

from fettle.bytecode import codes, find, unit
from fettle.bytecode.find import Target
from fettle.problem import CHECK_FAILED, USAGE, Problem, reason
from fettle.report.names import shortened, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

MOST_TIMES, MOST_SECONDS = 100, 1.0
_PROGRAM = "from fettle.bytecode.ran import child; child()"
_GRACE = 5.0  # seconds that the child has for its own alarm, and to start

is_child = False
_told = -1  # a pipe that says to who waits that the run is over


class _Late(BaseException):
    """The alarm."""


def in_child(words: list[str], timeout: float) -> int:
    """`fettle dis WORDS` in a process of its own; its exit code. Problem if it had to be ended."""
    if sys.stdout is not None:
        sys.stdout.flush()
    inward, outward = os.pipe()
    command = [sys.executable, "-c", _PROGRAM, str(outward), *words]
    try:
        with subprocess.Popen(command, pass_fds=[outward]) as child:
            os.close(outward)
            try:
                if not select.select([inward], [], [], timeout + _GRACE)[0]:
                    raise Problem(CHECK_FAILED, _late("--run", timeout, "it was ended"))
                code = child.wait()
            except BaseException:
                child.kill()
                raise
    finally:
        os.close(inward)
    return code if code >= 0 else 128 - code


def _late(what: str, timeout: float, end: str) -> str:
    return f"{what} did not end within {timeout:g} s, so {end}; --timeout gives it more time."


def child() -> None:
    """The other side of in_child()."""
    global is_child, _told
    is_child = True
    from fettle import cli

    _told, words = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(_told, False)
    sys.argv[:] = [""]
    sys.exit(cli.main(["dis", *words]))


def targets(selector: str, statement: str, timeout: float) -> tuple[list[Target], list[str]]:
    """What the selector means, as it is after the statement, and what must be said of that.
    Problem."""
    place, _ = find.parted(selector)
    if find.is_path(place):
        raise Problem(
            USAGE, f"--run imports a module, and {visible(place)} is a file; write MODULE:NAME."
        )
    found = find.find(selector)  # before anything runs
    try:
        code = compile(statement, "<--run>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Problem(USAGE, unit.wrong(error, "the statement after --run")) from None
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        raise Problem(
            USAGE, f"the statement after --run does not compile: {reason(error)}."
        ) from None
    module, said = found[0].unit.module, []
    with _diverted():
        try:
            _run(module, code, timeout)
        except _Late:
            if module not in sys.modules:
                what = f"importing {visible(module)}"
                raise Problem(CHECK_FAILED, _late(what, timeout, "nothing is known")) from None
            said.append(_late("--run", timeout, "this is the code as it was by then"))
        except (Exception, SystemExit) as error:
            raise Problem(CHECK_FAILED, _raised(error)) from None
        finally:
            os.write(_told, b"+")
    return alive(found), said


@contextmanager
def _diverted() -> "Iterator[None]":
    """What is printed meanwhile goes to stderr, also what C code or a child process prints."""
    kept = os.dup(1)
    before = sys.stdout
    try:
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        yield
    finally:
        sys.stdout = before
        os.dup2(kept, 1)
        os.close(kept)


def _run(name: str, code: CodeType, timeout: float) -> None:
    """_Late if it takes longer."""
    from importlib import import_module

    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        names = dict(vars(import_module(name)))
        end = perf_counter() + MOST_SECONDS
        for _ in range(MOST_TIMES):
            exec(code, names)
            if perf_counter() > end:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(number: int, frame: object) -> "NoReturn":
    raise _Late


def _raised(error: BaseException) -> str:
    last, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen ") and file != __file__:
            last = f" at {visible(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    said = shortened(visible(reason(error)))
    kind = type(error).__name__
    shown = kind if said == kind else f"{kind}: {said}"
    return f"--run raised {shown}{last}; run a statement that ends well."


def alive(found: list[Target]) -> list[Target]:
    """The same functions as they are in this process. Problem."""
    here = {each.unit.file for each in found}
    functions = (each for each in gc.get_objects() if type(each) is FunctionType)
    alive = codes.roots(each.__code__ for each in functions if each.__code__.co_filename in here)
    by_place = {_place(code): code for root in alive for code in codes.within(root)}
    result: list[Target] = []
    for target in found:
        if target.code is target.unit.code:  # a module's own code is gone when it has run
            result += [Target(each, target.unit, codes.plain(each.co_qualname)) for each in alive]
        elif _place(target.code) in by_place:
            result.append(Target(by_place[_place(target.code)], target.unit, target.name))
    if not result:
        name = visible(codes.plain(found[0].code.co_qualname))
        raise Problem(CHECK_FAILED, f"{name} is not there after --run; name a function that is.")
    return result


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno
