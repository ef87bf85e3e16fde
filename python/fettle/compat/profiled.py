# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.cProfile`: runs a program in this process, records it, shows the table.

The program finds `__main__`, `__file__`, sys.argv and sys.path as it would without, ends with its
own exit code, and its tracebacks begin with its own first line. The command line is cProfile's.
"""

import os
import sys

from fettle.cli import abandon, say
from fettle.compat import program
from fettle.compat.cProfile import Profile
from fettle.options import HelpWanted, Option, Parsed, help_lines, parse
from fettle.problem import FETTLE_FAILED, USAGE, Problem, reason
from fettle.report.order import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    Trace = TracebackType | None

COMMAND = "fettle.compat.cProfile"
OPTIONS = [
    Option("-o --outfile", "write the profile to FILE, for pstats; print no table", "FILE"),
    Option("-s --sort", "sort the table by KEY (cumulative)", "KEY"),
    Option("-m", "what follows is a module, not a script"),
]
KEYS = sorted(set(WORDS) - {"waiting", "file"})  # those of pstats
HELP = f"""\
usage: python -m {COMMAND} [-o FILE] [-s KEY] (SCRIPT | -m MODULE) [ARGS...]

Runs a program, records its calls and prints cProfile's table when it ended.
The exit code is the program's own.

{help_lines(OPTIONS)}

KEY is one of {", ".join(KEYS[:8])},
  {", ".join(KEYS[8:])}."""

# A file of cProfile's is one marshalled dictionary whose keys are tuples, or an empty one.
_DICTIONARY, _TUPLE_OR_END = b"{\xfb", b"()\xa8\xa90"
_PATH = sys.path[:] if sys.flags.safe_path else sys.path[1:]  # without the current folder


def main(words: list[str]) -> None:
    """Raises SystemExit unless the program just ended, and what the program raised."""
    try:
        parsed = parse(COMMAND, OPTIONS, words, program="python -m")
        key, path = _key(parsed), _output(parsed)
        profile = Profile()
        found = _program(parsed)
        names = program.become_main(found, parsed.words)
    except HelpWanted:
        print(HELP)
        return
    except Problem as problem:
        say(problem.sentence)
        sys.exit(problem.code)
    except SyntaxError as error:  # the program's, and shown as Python shows it
        sys.excepthook(type(error), error.with_traceback(None), None)
        sys.exit(1)
    _record(profile, found, names, key, path)


def _key(parsed: Parsed) -> str:
    """The key to sort by, which may be shortened."""
    word = parsed.values.get("sort", "cumulative")
    found = [key for key in KEYS if key == word] or [key for key in KEYS if key.startswith(word)]
    if len(found) != 1:
        keys = ", ".join(KEYS)
        raise Problem(USAGE, f"option -s: invalid choice: {word!r}; it is one of {keys}.")
    return found[0]


def _program(parsed: Parsed) -> program.Program:
    if not parsed.words:
        what = "a MODULE after -m" if "m" in parsed.values else "a SCRIPT, or -m MODULE"
        raise Problem(USAGE, f"{COMMAND} needs {what}; `python -m {COMMAND} --help` says more.")
    find = program.of_module if "m" in parsed.values else program.of_script
    return find(parsed.words[0])


def _output(parsed: Parsed) -> str | None:
    """The file to write, which can be written: else nothing runs."""
    if "outfile" not in parsed.values:
        return None
    path = os.path.abspath(parsed.values["outfile"])  # the program may change the folder
    try:
        if not parsed.values["outfile"] or os.path.isdir(path):
            raise IsADirectoryError(0, "it is a folder")
        _try_writing(path)
    except OSError as error:
        raise Problem(
            USAGE, f"cannot write {path}: {reason(error)}; name another file with -o."
        ) from None
    return path


def _try_writing(path: str) -> None:
    """Leaves everything as it was. A pipe or a device is not tried: somebody may be listening."""
    if not os.path.exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        os.unlink(os.path.realpath(path))
    elif os.path.isfile(path):
        with open(path, "r+b") as file:
            head = file.read(2)
        if head and not is_profile(head):
            raise Problem(
                USAGE, f"{path} is not a profile and stays as it is; name another file with -o."
            )


def is_profile(head: bytes) -> bool:
    """Can the two bytes that a file begins with be those of cProfile's?"""
    return head[:1] in _DICTIONARY and head[1:] in _TUPLE_OR_END


def _record(
    profile: Profile, found: program.Program, names: dict[str, object], key: str, path: str | None
) -> None:
    owner = os.getpid()
    try:
        profile.enable()
    except (ValueError, RuntimeError, OSError) as error:
        say(f"the calls cannot be recorded: {reason(error)}; stop the other tool.")
        sys.exit(FETTLE_FAILED)
    shown = False
    try:
        try:
            exec(found.code, names)
        finally:
            profile.disable()
    except BaseException:
        _hide_our_frames(found)
        raise
    finally:
        if os.getpid() == owner:  # a forked child has nothing to show that its parent has not
            shown = _save(profile, path) if path else _print(profile, key)
    if os.getpid() == owner and not shown:
        sys.exit(FETTLE_FAILED)


def _hide_our_frames(found: program.Program) -> None:
    """The exception that ends the program is shown from the program's first line on."""
    theirs = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: "Trace") -> None:
        first = trace
        while first is not None and first.tb_frame.f_code is not found.code:
            first = first.tb_next
        theirs(kind, error.with_traceback(first or trace), first or trace)

    sys.excepthook = hook


def _save(profile: Profile, path: str) -> bool:
    try:
        profile.dump_stats(path)
    except OSError as error:
        say(f"cannot write {path}: {reason(error)}; name another file with -o.")
        return False
    return True


def _print(profile: Profile, key: str) -> bool:
    try:
        _load_pstats()
        profile.print_stats(key)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        abandon(sys.stdout)
    except Exception as error:  # the program may have put anything in the place of stdout
        say(f"the table cannot be printed: {reason(error)}; write a file with -o.")
        return False
    return True


def _load_pstats() -> None:
    """From where Python has its own: the program's folder may hold modules of these names."""
    kept = sys.path[:]
    sys.path[:] = _PATH
    try:
        __import__("pstats")
    finally:
        sys.path[:] = kept
