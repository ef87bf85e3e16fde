# SPDX-License-Identifier: Apache-2.0
"""fettle.dis: objects of this process."""

import dis
import doctest
import importlib
import io
import json.decoder
import re
import stringprep

import fettle
import pytest


def shown(x: object, **options: object) -> str:
    file = io.StringIO()
    fettle.dis(x, file=file, **options)
    return file.getvalue()


def by_dis(x: object, **options: object) -> str:
    file = io.StringIO()
    dis.dis(x, file=file, **options)
    return file.getvalue()


def add(numbers: list[int]) -> int:
    total = 0
    for each in numbers:
        total += each
    return total


class Shape:
    def area(self) -> int:
        return 1

    @classmethod
    def make(cls) -> "Shape":
        return cls()

    @property
    def name(self) -> str:
        return "shape"

    class Inner:
        def deep(self) -> None: ...


def generate():
    yield 1


async def wait() -> None: ...


def test_it_reads_as_dis_does() -> None:
    waiting = wait()
    for x in (add, Shape().area, Shape.make, add.__code__, generate(), waiting, "x + 1", "x = 1"):
        assert shown(x) == by_dis(x)
    waiting.close()
    assert shown(add, show_caches=True) == by_dis(add, show_caches=True)


def test_a_class_and_a_module() -> None:
    assert re.findall("^Disassembly of (.*):$", shown(Shape), re.MULTILINE) == [
        "area",
        "make",
        "name",
        "Inner.deep",
    ]
    text = shown(stringprep)
    assert by_dis(stringprep.in_table_a1) in text
    assert "JSONDecoder.decode" in shown(json.decoder)
    assert "scanner" not in re.findall("^Disassembly of (.*):$", shown(json.decoder), re.MULTILINE)


def test_after_it_has_run() -> None:
    for _ in range(100):
        add([1, 2, 3])
    assert "BINARY_OP_ADD_INT" in shown(add, adaptive=True)
    assert "BINARY_OP_ADD_INT" in shown(add, adaptive=True, source=True)
    assert "BINARY_OP_ADD_INT" not in shown(add)


def test_source_and_counts() -> None:
    assert "total += each" in shown(add, source=True)
    with fettle.run(lines=[add]) as recording:
        add([1, 2, 3])
        add([4])
    for counts in (recording, recording.profile()):
        text = shown(add, counts=counts)
        assert re.search(r"^ +\d+ +4 +\S+ .* total \+= each$", text, re.MULTILINE), text
        assert "2 calls" in text
    with pytest.raises(ValueError, match=r"generate.*--lines"):
        shown(generate, counts=recording)


def test_counts_of_a_file(tmp_path) -> None:
    path = str(tmp_path / "app.fettle")
    with fettle.run(lines=[add]) as recording:
        add([1, 2, 3])
    recording.save(path)
    assert "1 call" in shown(add, counts=path)
    with pytest.raises(ValueError, match=r"missing\.fettle"):
        shown(add, counts=str(tmp_path / "missing.fettle"))


def test_two_with_counts() -> None:
    with fettle.run(lines=[add, generate]) as recording:
        add([1, 2, 3])
    head, columns, *_ = shown(add, vs=generate, counts=recording).splitlines()
    assert "1 call" in head and "never called" in head
    assert columns.split() == ["Hits", "Time"] * 2
    with pytest.raises(ValueError, match="no room for source"):
        shown(add, vs=generate, source=True)


def test_two() -> None:
    text = shown(add, vs=generate)
    assert "add" in text.splitlines()[0]
    assert "generate" in text.splitlines()[0]


@pytest.mark.parametrize("x", [3, len, object(), None, type, json])
def test_what_has_none(x: object) -> None:
    if x is json:
        assert "dumps" in shown(x)
        return
    with pytest.raises(TypeError, match="no bytecode"):
        shown(x)


def test_text_that_does_not_compile() -> None:
    with pytest.raises(ValueError, match="column 5"):
        shown("x = = 1")


MODULES = ["bytecode.codes", "bytecode.pyc", "bytecode.unit", "bytecode.interface"]
MODULES += ["report.bytecode"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"fettle.{name}"))
    assert tried.attempted > 0
    assert tried.failed == 0
