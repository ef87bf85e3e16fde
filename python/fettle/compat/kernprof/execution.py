# SPDX-License-Identifier: Apache-2.0
"""kernprof from the command line to the file: what is set up, run, written and taken back."""

from __future__ import annotations

import atexit
import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from functools import partial
from pprint import pformat
from runpy import run_module
from shlex import quote
from textwrap import dedent
from types import ModuleType
from typing import Any, NoReturn

import fettle
from fettle.cli import say
from fettle.compat import line_profiler
from fettle.compat.line_profiler import _diagnostics as switches
from fettle.compat.line_profiler.autoprofile import autoprofile
from fettle.compat.line_profiler.cli_utils import get_python_executable, short_string_path
from fettle.compat.profiled import is_profile
from fettle.problem import FETTLE_FAILED, USAGE, reason

from .arguments import Options, parse
from .contextual import ContextualProfile
from .found import find_module_script, find_script, targets
from .preimports import preimport
from .repeated import RepeatedTimer
from .scratch import Scratch, unused_name

__all__ = ["execfile", "main"]

PICKLE = b"\x80"  # what a .lprof file begins with


def execfile(
    filename: str, globals: dict[str, Any] | None = None, locals: dict[str, Any] | None = None
) -> None:
    """Executes the source in a file, as Python 2 had it."""
    with open(filename, "rb") as stream:
        code = compile(stream.read(), filename, "exec", dont_inherit=True)
    exec(code, globals, locals)


def main(args: list[str] | None = None, *, exit_on_error: bool = True) -> None:
    """The command; args: without its name. sys.argv, sys.path, `__main__` and the builtin
    `profile` are afterwards as before.

    What the program raises is passed on. If exit_on_error is false, RuntimeError for a wrong
    command line, FileNotFoundError and ModuleNotFoundError if there is no such program.
    """
    viewer = _viewer()
    try:
        options = parse(sys.argv[1:] if args is None else list(args))
    except SystemExit as ended:
        if exit_on_error:
            raise
        if ended.code:
            raise RuntimeError("kernprof cannot obey its arguments") from None
        return
    with ExitStack() as stack:
        stack.enter_context(_as_before())
        Run(options, viewer, exit_on_error).everything(stack)


def _viewer() -> str:
    """The module that shows a .lprof: line_profiler, where we go by the name of kernprof."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    called = os.path.basename(sys.argv[0]) if spec is None else spec.name
    return "line_profiler" if called.split(".")[0] == "kernprof" else line_profiler.__name__


@contextmanager
def _as_before() -> Iterator[None]:
    argv, path, module = sys.argv[:], sys.path[:], sys.modules.get("__main__")
    names = vars(builtins)
    profile = {"profile": names["profile"]} if "profile" in names else {}
    marks = fettle.lines, fettle.profile
    try:
        yield
    finally:
        sys.argv[:], sys.path[:] = argv, path
        fettle.lines, fettle.profile = marks
        names.pop("profile", None)
        names.update(profile)
        if module is not None:
            sys.modules["__main__"] = module


def _unwritable(path: str) -> str | None:
    """Why path is not to be written; whatever else may be wrong shows when it is."""
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path)):
        return f"cannot write {path}: no such folder"
    if os.path.isfile(path):
        with suppress(OSError), open(path, "rb") as stream:
            head = stream.read(2)
            if head and not (head.startswith(PICKLE) or is_profile(head)):
                return f"{path} is not a profile and stays as it is"
    return None


class Run:
    """One run of a program."""

    def __init__(self, options: Options, viewer: str, exit_on_error: bool) -> None:
        self.options = options
        self.viewer = viewer
        self.exit_on_error = exit_on_error
        self.scratch = Scratch()
        self.debug = switches.DEBUG or options.verbose > 1
        self.owner = os.getpid()
        self.stdout = sys.stdout
        self.prof: Any = None

    def everything(self, stack: ExitStack) -> None:
        """stack: what is to be taken back at the end, but for the temporary files of a program that
        failed: its traceback is yet to be printed."""
        quiet = -self.options.verbose
        if quiet > 1:
            nothing = stack.enter_context(open(os.devnull, "w"))  # noqa: SIM115
            stack.enter_context(redirect_stdout(nothing))
            if quiet > 2:
                stack.enter_context(redirect_stderr(nothing))
        try:
            script, names = self.prepare()
            self.record(script, names)
        except BaseException:
            atexit.register(self.scratch.remove)
            raise
        self.scratch.remove()

    # ---- before ----

    def prepare(self) -> tuple[str, dict[str, Any]]:
        """Gives the file to run, and the names that its module begins with."""
        options, program = self.options, self.options.program
        name = program.what
        if program.kind in ("command", "stdin"):
            name = self.scratch.write(f"kernprof-{program.kind}.py", dedent(program.what) + "\n")
            options.prof_mod = [*options.prof_mod, name]
        self.name_output(name)
        sys.argv[:] = [name, *program.arguments]
        if program.kind == "module":
            sys.path.insert(0, os.getcwd())
        if options.setup:
            self.run_setup()
        self.prof = line_profiler.LineProfiler() if options.line_by_line else ContextualProfile()
        line_profiler.profile._kernprof_overwrite(self.prof)
        if options.builtin or options.line_by_line:
            vars(builtins)["profile"] = self.prof
            fettle.lines = fettle.profile = self.prof
        script = self.find(name)
        options.prof_mod = targets(options.prof_mod) if options.line_by_line else []
        if options.prof_mod and options.preimports:
            kept = set() if program.kind == "module" else {script}
            preimport(self.prof, options.prof_mod, kept, self.scratch, self.say_more)
        names = {"__file__": script, "__name__": "__main__", "execfile": execfile}
        names |= {"rmod": partial(run_module, run_name="__main__", alter_sys=True)}
        return script, names | {"prof": self.prof}

    def name_output(self, name: str) -> None:
        """By its full path: the program may change the folder."""
        options = self.options
        if options.outfile:
            path = options.outfile
        elif options.program.kind in ("command", "stdin"):
            path = unused_name(f"kernprof-{options.program.kind}-", f".{options.ending}")
        else:
            path = f"{os.path.basename(name)}.{options.ending}"
        options.outfile = os.path.abspath(path)
        problem = _unwritable(options.outfile)
        if problem is not None:
            problem = f"{problem}; name another file with -o."
            say(problem)
            self.give_up(USAGE, problem)

    def run_setup(self) -> None:
        path = find_script(self.options.setup, exit_on_error=self.exit_on_error)
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        self.say_more(f"Running the setup {short_string_path(path)!r}")
        execfile(path, {"__file__": path, "__name__": "__main__"})

    def find(self, name: str) -> str:
        if self.options.program.kind == "module":
            return find_module_script(
                name, static=switches.STATIC_ANALYSIS, exit_on_error=self.exit_on_error
            )
        path = find_script(name, exit_on_error=self.exit_on_error)
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        return path

    # ---- the program ----

    def record(self, script: str, names: dict[str, Any]) -> None:
        timer = problem = None
        if self.options.output_interval:
            interval = max(self.options.output_interval, 1)
            timer = RepeatedTimer(interval, self.save_again, self.options.outfile)
        try:
            self.run(script, names)
        finally:
            if timer is not None:
                timer.stop()
            if os.getpid() == self.owner:  # a forked child has nothing that its parent has not
                problem = self.finish()
        if problem is not None:
            self.give_up(FETTLE_FAILED, problem)

    def run(self, script: str, names: dict[str, Any]) -> None:
        options = self.options
        is_module = options.program.kind == "module"
        if not is_module:
            module = ModuleType("__main__")
            vars(module).update(names)
            names = vars(module)
            sys.modules["__main__"] = module
        if options.prof_mod:
            self.call(
                autoprofile.run,
                script,
                names,
                prof_mod=options.prof_mod,
                profile_imports=options.prof_imports,
                as_module=is_module,
            )
            return
        runner, target = ("rmod", options.program.what) if is_module else ("execfile", script)
        if options.builtin or options.line_by_line:
            self.call(names[runner], target, names)
        else:
            self.call(self.prof.runctx, f"{runner}({target!r}, globals())", names, names)

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        if self.debug:
            inner = function.func if isinstance(function, partial) else function
            words = [pformat(arg, compact=True) for arg in args]
            words += [f"{name}={pformat(value)}" for name, value in options.items()]
            lines = ",\n".join(words).replace("\n", "\n    ")
            self.say_more(f"Calling: {inner.__module__}.{inner.__qualname__}(\n    {lines})")
        function(*args, **options)

    # ---- after ----

    def finish(self) -> str | None:
        """Gives what went wrong."""
        options = self.options
        problem = None
        path = short_string_path(options.outfile)
        try:
            self.save(options.outfile)
        except OSError as error:
            problem = f"cannot write {path}: {reason(error)}; name another file with -o."
            say(problem)
        else:
            self.say(f"Wrote profile results to {path!r}")
        if options.verbose > 0:
            self.show()
        elif problem is None:
            module = f"{self.viewer} -rmt" if options.line_by_line else "pstats"
            command = f"{quote(get_python_executable())} -m {module} {quote(path)}"
            self.say(f"Inspect results with:\n{command}")
        while self.prof.enable_count:
            self.prof.disable_by_count()
        line_profiler.profile._kernprof_overwrite(None)
        return problem

    def give_up(self, code: int, problem: str) -> NoReturn:
        raise SystemExit(code) if self.exit_on_error else OSError(problem)

    def save(self, path: str) -> None:
        """Without the functions in files that are gone when somebody looks."""
        if isinstance(self.prof, ContextualProfile):
            self.prof.save(path)
            return
        stats = self.prof.get_stats()
        lines = {key: rows for key, rows in stats.timings.items() if not self.scratch.has(key[0])}
        line_profiler.LineStats(lines, stats.unit).to_file(path)

    def save_again(self, path: str) -> None:
        """Whoever looks, or kills the program, finds a whole file."""
        part = f"{path}.part"
        self.save(part)
        os.replace(part, path)

    def show(self) -> None:
        options = self.options
        if isinstance(self.prof, ContextualProfile):
            self.prof.print_stats()
            return
        self.prof.print_stats(
            output_unit=options.unit,
            stripzeros=options.skip_zero,
            summarize=options.summarize,
            rich=options.rich,
            stream=self.stdout,
            config=options.config,
        )

    # ---- what it says ----

    def say(self, text: str, kind: str = "INFO") -> None:
        if self.debug:
            text = f"[kernprof {datetime.now():%Y-%m-%d %H:%M:%S} {kind}] {text}"
        if self.options.verbose > -1 or self.debug:
            print(text)

    def say_more(self, text: str) -> None:
        if self.debug:
            self.say(text, "DEBUG")
