# SPDX-License-Identifier: Apache-2.0
"""The suite's own tools: that they find what is wrong, and forgive only what they say they do."""

import json
from pathlib import Path

import pytest

from . import expectations
from .compare import differences
from .counts import Calls, Counts, Function, of_main, of_tables
from .harness import PROGRAMS

F, G = Function("a.py", 1, "f"), Function("a.py", 2, "g")
SEED = Function("~", 0, "<function Random.seed>")
METHOD = Function("~", 0, "<method 'seed' of '_random.Random' objects>")


def counts(functions, edges=(), shared=()):
    return Counts(dict(functions), dict(edges), set(shared))


RIGHT = counts({F: Calls(3, 1), G: Calls(2, 2)}, {(F, G): Calls(2, 2)})


@pytest.mark.parametrize(
    "wrong",
    [
        counts({F: Calls(4, 1), G: Calls(2, 2)}, RIGHT.edges),
        counts({F: Calls(3, 2), G: Calls(2, 2)}, RIGHT.edges),
        counts({F: Calls(3, 1)}, RIGHT.edges),
        counts({**RIGHT.functions, METHOD: Calls(1, 1)}, RIGHT.edges),
        counts(RIGHT.functions, {(F, G): Calls(1, 1)}),
        counts(RIGHT.functions, {(G, F): Calls(2, 2)}),
        counts(RIGHT.functions),
    ],
)
def test_every_difference_is_found(wrong):
    assert differences(RIGHT, RIGHT) == []
    assert len(differences(RIGHT, wrong)) > 0
    assert len(differences(wrong, RIGHT)) > 0


def test_shared_labels_forgive_primitive_calls_only():
    theirs = counts({F: Calls(3, 3)}, shared=[F])
    assert differences(theirs, counts({F: Calls(3, 2)})) == []
    assert differences(theirs, counts({F: Calls(2, 2)})) != []
    assert differences(counts({F: Calls(3, 2)}, shared=[F]), counts({F: Calls(3, 3)})) != []


def test_overridden_names_are_the_method():
    theirs, ours = counts({SEED: Calls(2, 2)}), counts({METHOD: Calls(2, 2)})
    assert differences(theirs, ours) == []
    assert differences(theirs, counts({METHOD: Calls(3, 3)})) != []
    assert differences(counts({F: Calls(2, 2)}), ours) != []


def document(parents, codes, calls):
    names = ["", "<module>", "f", "g"]
    nodes = {"parent": parents, "code": codes, "calls": calls}
    rows = [{"file": "a.py", "line": line, "name": name} for line, name in enumerate(names)]
    return {"codes": rows, "threads": [{"nodes": nodes}], "functions": [], "edges": []}


def test_walk_counts_primitive_calls():
    """<module> calls f, which calls g, which calls f; beside it a g that <module> did not call."""
    walked = of_main(document([0, 0, 1, 2, 3, 0], [0, 1, 2, 3, 2, 3], [0, 1, 2, 3, 4, 9]), "a.py")
    module, f, g = (Function("a.py", i, n) for i, n in ((1, "<module>"), (2, "f"), (3, "g")))
    assert walked.functions == {module: Calls(1, 1), f: Calls(6, 2), g: Calls(3, 3)}
    assert walked.edges == {(module, f): Calls(2, 2), (f, g): Calls(3, 3), (g, f): Calls(4, 4)}


def test_docstrings_are_read(tmp_path: Path):
    script = tmp_path / "p.py"
    script.write_text(
        "\"\"\"A program.\n\nexpect f 3 1\nexpect <method 'a' of 'b' objects> 2\nedge f -> g 4\n"
        'expect[3.9-3.10] f 7\nneeds[3.9+]\nsignal 9\n"""\n'
    )
    said = expectations.of_program(script)
    assert said.functions == {"f": Calls(3, 1), "<method 'a' of 'b' objects>": Calls(2, 2)}
    assert said.edges == {("f", "g"): Calls(4, 4)}
    assert (said.runs_here, said.signal, said.status) == (True, 9, 0)


def test_wrong_expectations_are_found(recording):
    script = PROGRAMS / "edge" / "recursion.py"
    said = expectations.of_program(script)
    said.functions["fib"] = Calls(178, 1)
    said.edges["fib", "depth"] = Calls(1, 1)
    assert len(expectations.wrong_counts(script, recording(script).counts, said)) == 2


def test_walk_of_a_recording_agrees_with_its_tables(recording):
    """Nothing runs after this program's end: what the main module called is all there is."""
    ended = recording(PROGRAMS / "edge" / "mutual_recursion.py")
    assert ended.main_counts == ended.counts
    assert of_tables(json.loads(ended.profile.export("json"))) == ended.counts
