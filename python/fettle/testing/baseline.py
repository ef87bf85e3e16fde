# SPDX-License-Identifier: Apache-2.0
"""The file of --fettle-baseline: what each test counted, in JSON that reads well as a difference.

Sorted, two spaces deep, one number a line. The counts of each version of Python stand apart: one
makes other calls and blocks than another. There are no times in it, for one run proves nothing of
them.
"""

from __future__ import annotations

import json
import os
import sys

from fettle.problem import USAGE, Problem, reason
from fettle.report.size import amount, counted, grouped
from fettle.testing import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fettle.testing.figures import Figures

LAYOUT = 1
# By how much each may differ without a word. Blocks and bytes depend on what ran before: on lists
# of free objects, on caches of the interpreter, on the first call of a function.
SLACK = {"calls": 0, "allocations": 64, "peak": 8192}
KINDS = tuple(SLACK)
_NAMED = 12  # functions kept of each test

Entry = dict[str, "Any"]


def python() -> str:
    """Under what the counts of this interpreter stand: "cpython 3.11"."""
    return f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:2]))}"


class Baseline:
    """A file, and what this run counted. tolerance: by what share a count may grow."""

    def __init__(self, path: str, is_updated: bool, tolerance: float) -> None:
        self.path = path
        self.is_updated = is_updated
        self.tolerance = tolerance
        self._whole = _read(path, is_needed=not is_updated)
        self._tests: dict[str, Entry] = self._whole["tests"].get(python(), {})
        self._new: dict[str, Entry] = {}

    def entry(self, counted: Figures) -> Entry:
        """What is kept of one test."""
        calls: dict[str, int] = {}
        for hot in counted.functions:
            name = _without_line(hot.label)
            calls[name] = calls.get(name, 0) + hot.calls
        return {
            "calls": counted.calls,
            "allocations": counted.allocations,
            "peak": counted.peak,
            "functions": dict(sorted(calls.items(), key=lambda each: (-each[1], each[0]))[:_NAMED]),
        }

    def judge(self, test: str, now: Figures) -> list[str]:
        """What grew too much."""
        before = self._tests.get(test)
        if before is None or self.is_updated:
            return []
        found = []
        for kind in KINDS:
            number, old = getattr(now, kind), before[kind]
            if number > old * (1 + self.tolerance) + SLACK[kind]:
                shown = amount if kind == "peak" else grouped
                name = "memory peak" if kind == "peak" else kind
                found.append(
                    f"{name} {shown(number)}, {shown(old)} in the baseline:"
                    f" {_cause(kind, now, before)}"
                )
        return found

    def take(self, test: str, entry: Entry) -> None:
        """A test was run, here or in a worker."""
        self._new[test] = entry

    def end(self) -> list[str]:
        """Writes the file, if it shall be. Sentences for the end of the run."""
        name = os.path.relpath(self.path)
        if self.is_updated:
            try:
                self._write()
            except OSError as error:
                return [f"cannot write {name}: {reason(error)}; name another file."]
            return [f"{counted(len(self._new), 'test')} of {python()} written to {name}."]
        missing = [test for test in self._new if test not in self._tests]
        if not missing:
            return []
        return [
            f"{counted(len(missing), 'test is', 'tests are')} not in {name} for {python()}, such as"
            f" {missing[0]}; --fettle-update adds what is run."
        ]

    def _write(self) -> None:
        self._whole["tests"][python()] = {**self._tests, **self._new}
        text = json.dumps(self._whole, indent=2, sort_keys=True) + "\n"
        trial = f"{self.path}.{os.getpid()}.new"
        try:
            with open(trial, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(trial, self.path)
        except BaseException:
            if os.path.exists(trial):
                os.unlink(trial)
            raise


def _without_line(label: str) -> str:
    """app.py:12(parse) is app.py(parse): the same after an edit elsewhere in the file."""
    file, colon, rest = label.rpartition(":")
    line, paren, name = rest.partition("(")
    return f"{file}({name}" if colon and paren and line.isdigit() else label


def _cause(kind: str, now: Figures, before: Entry) -> str:
    """The functions whose calls grew most; of memory the lines that have most."""
    if kind == "peak":
        return limits.lines_at_peak(now.spots)
    if kind == "allocations":
        return limits.lines_of_blocks(now.spots)
    old: dict[str, int] = before["functions"]
    grown = [(hot.calls - old.get(_without_line(hot.label), 0), hot) for hot in now.functions]
    most = sorted(grown, key=lambda each: each[0], reverse=True)[:3]
    return ", ".join(
        f"{grouped(growth)} more of {hot.label} ({grouped(hot.calls)})"
        for growth, hot in most
        if growth > 0
    )


def _read(path: str, is_needed: bool) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            whole = json.load(file)
    except FileNotFoundError:
        if is_needed:
            raise Problem(
                USAGE, f"there is no baseline {path}; --fettle-update writes it."
            ) from None
        return {"fettle baseline": LAYOUT, "tests": {}}
    except OSError as error:
        raise Problem(USAGE, f"cannot read {path}: {reason(error)}.") from None
    except (ValueError, RecursionError):
        raise _strange(path, "is no JSON") from None
    if not isinstance(whole, dict) or type(whole.get("fettle baseline")) is not int:
        raise _strange(path, "is no baseline of fettle's")
    if whole["fettle baseline"] > LAYOUT:
        raise Problem(USAGE, f"{path} was written by a newer fettle; update this one to read it.")
    if not _is_sound(whole.get("tests")):
        raise _strange(path, "is damaged")
    return whole


def _is_sound(tests: object) -> bool:
    if not isinstance(tests, dict) or not all(isinstance(of, dict) for of in tests.values()):
        return False
    entries = [entry for of in tests.values() for entry in of.values()]
    return all(
        isinstance(entry, dict)
        and all(type(entry.get(kind)) is int for kind in KINDS)
        and isinstance(entry.get("functions"), dict)
        and all(type(number) is int for number in entry["functions"].values())
        for entry in entries
    )


def _strange(path: str, what: str) -> Problem:
    return Problem(
        USAGE, f"{path} {what}; name another file with --fettle-baseline, or remove this one."
    )
