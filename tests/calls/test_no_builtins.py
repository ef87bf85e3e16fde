# SPDX-License-Identifier: Apache-2.0
"""`--no-builtins`: the Python functions count as with C functions, and there is no row of C."""

import pytest

from .compare import differences
from .counts import Counts
from .expectations import expected_of
from .harness import programs

OPTIONS = ("--no-builtins",)
ALL = programs("edge") + programs("real")
SCRIPT = pytest.mark.parametrize("script", ALL, ids=lambda p: f"{p.parent.name}-{p.stem}")
THREADS = pytest.mark.parametrize("script", programs("threads"), ids=lambda p: p.stem)


def python_functions(counts: Counts) -> Counts:
    """Without callers: a C function between two Python ones is not there to be called by."""
    functions = {f: calls for f, calls in counts.functions.items() if f.file != "~"}
    return Counts(functions, {}, counts.shared)


@SCRIPT
def test_python_functions_equal_cprofile(script, recording, reference):
    said = expected_of(script)
    if said.cprofile_differs:
        pytest.skip(said.cprofile_differs)
    theirs = python_functions(reference(script, options=OPTIONS)[1])
    ours = python_functions(recording(script, options=OPTIONS).main_counts)
    assert differences(theirs, ours) == []


@SCRIPT
def test_no_row_of_c(script, recording):
    expected_of(script)
    ended = recording(script, options=OPTIONS)
    assert [row.name for row in ended.profile.functions() if row.file == "~"] == []


@THREADS
def test_threads_count_the_same(script, recording):
    """The expected functions, without the expected edges to C."""
    said = expected_of(script)
    counts = recording(script, options=OPTIONS).counts
    wanted = {name: calls for name, calls in said.functions.items() if not name.startswith("<")}
    assert {name: counts.named(name, str(script)) for name in wanted} == wanted
