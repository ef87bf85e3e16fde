# SPDX-License-Identifier: Apache-2.0
"""Code after it has run: a module is imported and a statement run in it, in a process of its own,
until the interpreter has specialised what the statement does.

Such a process runs `fettle dis` with the same words; what the program prints goes to stderr there.
"""

import gc
import os
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

MOST_TIMES, MOST_SECONDS = 100, 1.0
_PROGRAM = "from fettle.bytecode.ran import child; child()"

is_child = False


def in_child(words: list[str]) -> int:
    """`fettle dis WORDS` in a process of its own; its exit code."""
    if sys.stdout is not None:
        sys.stdout.flush()
    code = subprocess.run([sys.executable, "-c", _PROGRAM, *words]).returncode
    return code if code >= 0 else 128 - code


def child() -> None:
    """The other side of in_child()."""
    global is_child
    is_child = True
    from fettle import cli

    words = sys.argv[1:]
    sys.argv[:] = [""]
    sys.exit(cli.main(["dis", *words]))


def targets(selector: str, statement: str) -> list[Target]:
    """What the selector means, as it is after the statement. Problem."""
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
    with _diverted():
        try:
            _run(found[0].unit.module, code)
        except (Exception, SystemExit) as error:
            raise Problem(CHECK_FAILED, _raised(error)) from None
    return alive(found)


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


def _run(name: str, code: CodeType) -> None:
    from importlib import import_module

    names = dict(vars(import_module(name)))
    end = perf_counter() + MOST_SECONDS
    for _ in range(MOST_TIMES):
        exec(code, names)
        if perf_counter() > end:
            break


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
