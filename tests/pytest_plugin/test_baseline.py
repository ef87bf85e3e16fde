# SPDX-License-Identifier: Apache-2.0
"""--fettle-baseline: what grew fails and is named, the same never does."""

import json
from typing import Any

import pytest

from .harness import Project

APP = """
def leaf(n): return n
def load(n): return [leaf(each) for each in range(n + MORE)]
def hold(n): return [bytearray(1000) for _ in range(n + 10 * MORE)]
MORE = 0
"""

TESTS = """
import re, pytest
from app import hold, load

@pytest.mark.parametrize("n", [5, 50])
def test_load(n): load(n)

def test_hold(): hold(100)

def test_failing(): load(3); assert 0

def test_measures(benchmark): benchmark.pedantic(load, (3,))
"""


def updated(project: Project) -> dict[str, Any]:
    project.write("app.py", APP)
    project.write("test_app.py", TESTS)
    session = project.pytest("--fettle-baseline=base.json", "--fettle-update")
    assert "fettle: 3 tests of cpython 3." in session.stdout
    found: dict[str, Any] = json.loads((project.path / "base.json").read_text())
    return found


def entries(found: dict[str, Any]) -> dict[str, Any]:
    (of,) = found["tests"].values()
    return {test.partition("::")[2]: entry for test, entry in of.items()}


def test_what_is_kept(project: Project) -> None:
    tests = entries(updated(project))
    assert set(tests) == {"test_load[5]", "test_load[50]", "test_hold"}
    assert tests["test_load[50]"]["functions"]["app.py(leaf)"] == 50
    assert tests["test_load[50]"]["calls"] - tests["test_load[5]"]["calls"] == 45
    assert 100_000 < tests["test_hold"]["peak"] < 120_000
    assert 200 <= tests["test_hold"]["allocations"] < 300
    text = (project.path / "base.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


@pytest.mark.once
@pytest.mark.parametrize("words", [(), ("-n2",), ("-k", "load"), ("-k", "hold")])
def test_the_same_is_no_growth(project: Project, words: tuple[str, ...]) -> None:
    updated(project)
    plugins = ("xdist",) if "-n2" in words else ()
    session = project.pytest("--fettle-baseline=base.json", *words, plugins=plugins)
    failed = [test for test, outcome in session.outcomes.items() if outcome != "passed"]
    assert set(failed) <= {"test_failing"}, session.messages
    assert "in the baseline" not in session.stdout


def test_growth_is_named(project: Project) -> None:
    updated(project)
    project.write("app.py", APP.replace("MORE = 0", "MORE = 10"))
    session = project.pytest("--fettle-baseline=base.json")
    assert "fettle: calls " in session.messages["test_load[5]"]
    assert "10 more of app.py:2(leaf) (15)" in session.messages["test_load[5]"]
    assert "memory peak 2" in session.messages["test_hold"]
    assert "in the baseline: " in session.messages["test_hold"]
    assert "at app.py:4 hold" in session.messages["test_hold"]


@pytest.mark.once
def test_workers_count(project: Project) -> None:
    found = updated(project)
    (project.path / "base.json").unlink()
    words = ("--fettle-baseline=base.json", "--fettle-update", "-n2")
    assert "fettle: 3 tests of cpython" in project.pytest(*words, plugins=("xdist",)).stdout
    again = entries(json.loads((project.path / "base.json").read_text()))
    for test, entry in entries(found).items():
        assert again[test]["calls"] == entry["calls"], test


@pytest.mark.once
def test_tolerance(project: Project) -> None:
    updated(project)
    project.write("app.py", APP.replace("MORE = 0", "MORE = 1"))
    session = project.pytest("--fettle-baseline=base.json", "--fettle-tolerance=5%")
    assert session.outcomes["test_load[5]"] == "failed"
    assert session.outcomes["test_load[50]"] == "passed", session.messages


@pytest.mark.once
def test_new_tests_are_said(project: Project) -> None:
    updated(project)
    project.write("test_new.py", "def test_new(): pass\n")
    session = project.pytest("--fettle-baseline=base.json", "-k", "new")
    assert session.code == 0
    assert "fettle: 1 test is not in base.json for cpython 3." in session.stdout
    assert "such as test_new.py::test_new; --fettle-update adds" in session.stdout
    project.pytest("--fettle-baseline=base.json", "--fettle-update", "-k", "new")
    found = json.loads((project.path / "base.json").read_text())
    assert len(entries(found)) == 4


@pytest.mark.once
def test_another_python_has_counts_of_its_own(project: Project) -> None:
    found = updated(project)
    (of,) = found["tests"].values()
    other = {"fettle baseline": 1, "tests": {"cpython 3.9": of}}
    project.write("base.json", json.dumps(other))
    session = project.pytest("--fettle-baseline=base.json", "-k", "hold")
    assert "fettle: 1 test is not in base.json for cpython 3." in session.stdout
    project.pytest("--fettle-baseline=base.json", "--fettle-update", "-k", "hold")
    assert len(json.loads((project.path / "base.json").read_text())["tests"]) == 2


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no baseline of fettle's"),
        ('{"fettle baseline": 2}', "was written by a newer fettle"),
        ('{"fettle baseline": 1}', "is damaged"),
        ('{"fettle baseline": 1, "tests": {"cpython 3.11": {"t": {"calls": "many"}}}}', "damaged"),
    ],
)
def test_files_that_are_none(project: Project, text: str, said: str) -> None:
    project.write("base.json", text)
    project.write("test_app.py", "def test(): pass\n")
    session = project.pytest("--fettle-baseline=base.json")
    assert session.code == 4
    assert said in session.sentence()
