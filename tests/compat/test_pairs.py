# SPDX-License-Identifier: Apache-2.0
"""Programs run under the interpreter's cProfile and under ours: the same functions with the same
calls, primitive calls and callers.

Once with the C halves side by side (any program), once through both command lines (programs that
import nothing: what cProfile itself has loaded is not loaded again)."""

import marshal
import re
import sys
from pathlib import Path

import pytest

from tests.calls import harness
from tests.calls.compare import differences
from tests.calls.counts import Counts, function, of_cprofile
from tests.calls.expectations import expected_of, of_program

PROGRAMS = [*harness.programs("edge"), *harness.programs("real")]
# The second alternative: a generic class or function, for which Python 3.12 imports typing.
IMPORTS = re.compile(rb"^\s*(import|from)\b|^\s*(class|def) \w+\[", re.MULTILINE)
ALONE = [path for path in PROGRAMS if not IMPORTS.search(path.read_bytes())]
BY_NAME = {"ids": lambda path: path.stem}
DRIVER = """
import sys
from fettle import _core
if sys.argv.pop(1) == "ours":
    sys.modules["_lsprof"] = _core
sys.path[0] = sys.argv.pop(1)
import reference
reference.main(*sys.argv[1:])
"""


def rows_of(engine: str, script: Path, folder: Path) -> tuple[harness.Ended, Counts]:
    """The rows of the C half, by the runner of tests/calls."""
    out = folder / f"{engine}.rows"
    driver = [sys.executable, "-c", DRIVER, engine, str(harness.HERE)]
    ended = harness.execute([*driver, str(out), "atexit", str(script)], folder)
    assert out.exists(), ended.stderr
    return ended, of_cprofile(out)


def dumped_by(module: str, script: Path, folder: Path) -> Counts:
    out = folder / f"{module}.prof"
    ended = harness.execute([sys.executable, "-m", module, "-o", str(out), str(script)], folder)
    assert ended.status == 0, ended.stderr
    counts = Counts()
    for label, (primitive, calls, _, _, callers) in marshal.loads(out.read_bytes()).items():
        counts.add(function(*label), calls, primitive)
        for caller, (some, some_primitive, _, _) in callers.items():
            counts.add_edge((function(*caller), function(*label)), some, some_primitive)
    return counts


@pytest.mark.parametrize("script", PROGRAMS, **BY_NAME)
def test_entries_are_those_of_the_original(script, tmp_path):
    said = expected_of(script)
    if said.cprofile_differs:
        pytest.skip(said.cprofile_differs)
    theirs, mine = rows_of("theirs", script, tmp_path), rows_of("ours", script, tmp_path)
    assert (mine[0].status, mine[0].stdout) == (theirs[0].status, theirs[0].stdout)
    assert differences(theirs[1], mine[1]) == []


@pytest.mark.parametrize("script", ALONE, **BY_NAME)
def test_dumped_rows_are_those_of_the_original(script, tmp_path):
    said = of_program(script)
    if said.cprofile_differs or said.status or not said.runs_here:
        pytest.skip("not a program for this comparison")
    if rows_of("theirs", script, tmp_path)[1].shared:
        pytest.skip("functions of one label, of which the original's file has the last alone")
    theirs = dumped_by("cProfile", script, tmp_path)
    mine = dumped_by("fettle.compat.cProfile", script, tmp_path)
    assert differences(theirs, mine) == []
    assert mine.functions.keys() == theirs.functions.keys()


def test_there_are_programs():
    assert len(PROGRAMS) > 50
    assert len(ALONE) > 10
