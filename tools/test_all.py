# SPDX-License-Identifier: Apache-2.0
"""test_all.py [COMMANDS]: builds fettle on every supported CPython and runs its Python tests,
and those that CPython has for what fettle stands in for.

COMMANDS, separated by ";" or lines, are interpreters to try besides those found here: each is a
command such as "python3.14", or one with a prefix that runs its arguments elsewhere, with this
folder in place ("/some/chroot-runner python3.14"); everything then goes through the prefix. A
prefix that ends with status 75 says that it could not try.

Ends with 1 if a version failed, with 0 if all that could be tried passed. What was not tried is
named. Minor versions in FETTLE_TESTED are tested by `make test` and not here again. Tests marked
"once" run on one version: on those in FETTLE_TESTED, or else on the first that is tested here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "test-all"
COULD_NOT_TRY = 75
# Beyond what a slow machine needs for one version; a hang must not eat the whole run.
STEP_SECONDS = 2400
# Beside `make test` that is one more than most machines have cores; more would make waits time out.
AT_ONCE = 2

PROBE = """
import importlib.metadata as m, json, os, platform, sys, sysconfig
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({
    "name": platform.python_implementation(), "version": platform.python_version(),
    "minor": "%d.%d" % sys.version_info[:2], "path": os.path.realpath(sys.executable),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "equipped": all(map(version, ("meson-python", "pytest", "rich"))),
}))
"""


class NotTriedError(Exception):
    """Why an interpreter could not be tried."""


@dataclass
class Interpreter:
    command: list[str]  # the last word is the interpreter, those before it a prefix
    version: str
    minor: str
    path: str
    headers: bool
    equipped: bool  # the tools are installed beside it: a place without a package index

    @property
    def prefix(self) -> list[str]:
        return self.command[:-1]


@dataclass
class Outcome:
    minor: str
    status: str  # "passed", "FAILED" or "not tried"
    interpreter: str
    seconds: float
    remark: str


def supported() -> list[str]:
    """The minor versions that pyproject.toml claims."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = (re.search(r"Python :: (3\.\d+)$", line) for line in project["classifiers"])
    return [match[1] for match in found if match]


def probe(command: list[str]) -> Interpreter:
    """What the interpreter behind the command is. NotTriedError."""
    try:
        done = subprocess.run(
            [*command, "-c", PROBE],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotTriedError(f"{shlex.join(command)} does not run: {error}") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NotTriedError(f"{shlex.join(command)} does not run: {last}")
    facts = json.loads(done.stdout.strip().splitlines()[-1])
    if facts["name"] != "CPython" or facts["free_threaded"]:
        raise NotTriedError(f"{facts['path']} is not a CPython with a GIL")
    if facts["minor"] not in supported():
        raise NotTriedError(f"{facts['path']} is {facts['version']}, which is not supported")
    return Interpreter(
        command,
        facts["version"],
        facts["minor"],
        facts["path"],
        facts["headers"],
        facts["equipped"],
    )


def candidates() -> Iterator[Path]:
    """Interpreters on this machine: the system's, which are optimised builds, come first."""
    yield from sorted(Path("/usr/bin").glob("python3*"))
    for minor in supported():
        if found := shutil.which(f"python{minor}"):
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/*/bin/python"), reverse=True)


def tested() -> set[str]:
    """The minor versions that need no test any more."""
    return set(os.environ.get("FETTLE_TESTED", "").split())


def discover(named: list[Interpreter]) -> list[Interpreter]:
    """One interpreter for each supported minor version that is not among the named."""
    chosen: dict[str, Interpreter] = {}
    taken = {interpreter.minor for interpreter in named} | tested()
    for path in candidates():
        if not re.fullmatch(r"python(3(\.\d+)?)?", path.name):
            continue
        try:
            found = probe([str(path)])
        except NotTriedError:
            continue
        if found.minor not in taken and found.headers:
            chosen.setdefault(found.minor, found)
    return list(chosen.values())


def whole(interpreters: list[Interpreter]) -> Interpreter | None:
    """The one that tests marked "once" run on: rather one without a prefix, which may not run."""
    if tested():
        return None
    return min(interpreters, key=lambda each: bool(each.prefix), default=None)


def steps(interpreter: Interpreter, venv: Path, everything: bool) -> Iterator[list[str]]:
    """The commands that build and test on one interpreter, in order."""
    python = [*interpreter.prefix, str(venv / "bin" / "python")]
    pip = [*python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    options = ["--system-site-packages"] if interpreter.equipped else []
    yield [*interpreter.command, "-m", "venv", "--clear", *options, str(venv)]
    if not interpreter.equipped:
        yield [*pip, "-r", "tools/requirements-test.txt"]
    yield [
        *pip,
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        f"--config-settings=build-dir={venv / 'build'}",
        ".",
    ]
    yield [*interpreter.prefix, "tools/peers.sh", python[-1]]
    marks = [] if everything else ["-m", "not once"]
    suite = [sys.executable, "tools/suite.py", str(venv / "pytest")]
    yield [*suite, *python, "-m", "pytest", "-q", *marks]


def run(command: list[str], log: Path, path: str) -> int:
    """Runs one step with its output appended to the log; gives the exit status."""
    with log.open("a") as output:
        output.write(f"$ {shlex.join(command)}\n")
        output.flush()
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=STEP_SECONDS,
                env={**os.environ, "PATH": path},
            ).returncode
        except subprocess.TimeoutExpired:
            output.write(f"no end after {STEP_SECONDS} s\n")
            return 1


def test(interpreter: Interpreter, name: str, everything: bool) -> Outcome:
    """Builds and tests on one interpreter in a fresh environment."""
    log, venv = FOLDER / f"{name}.log", FOLDER / name
    log.unlink(missing_ok=True)
    path = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    begun, status = time.monotonic(), "passed"
    for command in steps(interpreter, venv, everything):
        code = run(command, log, path)
        if code == COULD_NOT_TRY and interpreter.prefix:
            status = "not tried"
        elif code != 0:
            status = "FAILED"
        if code != 0:
            break
    lines = log.read_text(errors="replace").strip().splitlines()
    if status == "FAILED":
        print("\n".join(lines[-60:]), file=sys.stderr)
    seconds = time.monotonic() - begun
    who = f"{interpreter.path} ({interpreter.version})"
    return Outcome(interpreter.minor, status, who, seconds, lines[-1].strip("= "))


def resolve(named: str) -> tuple[list[Interpreter], list[Outcome]]:
    """The interpreters to test, and those named that can not be."""
    interpreters, outcomes = [], []
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", named))):
        try:
            interpreters.append(probe(shlex.split(entry)))
        except NotTriedError as error:
            outcomes.append(Outcome("?", "not tried", entry, 0, str(error)))
    interpreters += discover(interpreters)
    interpreters.sort(key=lambda each: [int(part) for part in each.minor.split(".")])
    return interpreters, outcomes


def names(interpreters: list[Interpreter]) -> Iterator[str]:
    """Each one's own, also where two are of one version."""
    for number, interpreter in enumerate(interpreters):
        twin = sum(each.minor == interpreter.minor for each in interpreters[:number])
        yield interpreter.minor + (f"-{twin + 1}" if twin else "")


def announced(interpreter: Interpreter, name: str, everything: bool) -> Outcome:
    print(f"== {interpreter.version}: {shlex.join(interpreter.command)}", flush=True)
    outcome = test(interpreter, name, everything)
    print(f"   {interpreter.version} {outcome.status}: {outcome.remark}", flush=True)
    return outcome


def main() -> int:
    for number in (
        signal.SIGINT,
        signal.SIGQUIT,
    ):  # a shell's background ignores them; tests must not
        signal.signal(number, signal.SIG_DFL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    interpreters, outcomes = resolve(" ".join(sys.argv[1:]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        full = [each is whole(interpreters) for each in interpreters]
        outcomes += pool.map(announced, interpreters, names(interpreters), full)
    for minor in supported():
        if minor in tested():
            outcomes.append(Outcome(minor, "passed", "-", 0, "by make test"))
        elif minor not in {outcome.minor for outcome in outcomes}:
            outcomes.append(Outcome(minor, "not tried", "-", 0, "no such Python with headers here"))
    print("\nversion  result     seconds  interpreter; remark")
    for each in sorted(outcomes, key=lambda outcome: (len(outcome.minor), outcome.minor)):
        result = f"{each.minor:8} {each.status:10} {each.seconds:7.0f}"
        print(f"{result}  {each.interpreter}; {each.remark}")
    return int(any(outcome.status == "FAILED" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
