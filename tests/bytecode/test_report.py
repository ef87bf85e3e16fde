# SPDX-License-Identifier: Apache-2.0
"""The report of bytecode, beside the interpreter's own disassembler: the same text without extras,
the same instructions with them."""

import dis
import io
import json
import os
import random
import re
from pathlib import Path
from types import CodeType

import pytest
from fettle.bytecode import codes, pairs
from fettle.bytecode.find import Target
from fettle.bytecode.unit import Unit
from fettle.report import bytecode, bytecodepair

from .specimen import SOURCE

LONG = "x" * 200


def targets(source: str, file: str = "shapes.py") -> list[Target]:
    code = compile(source, file, "exec")
    return [Target(code, Unit(file, file, code, source))]


def shown(found: list[Target], **options: object) -> str:
    file = io.StringIO()
    bytecode.show(found, bytecode.Choice(**options), file)
    return file.getvalue()


def library() -> list[Path]:
    folder = Path(os.__file__).parent
    return random.Random(3).sample(sorted(folder.glob("*.py")), 4)


@pytest.mark.parametrize(
    "options", [{}, {"caches": True}, {"offsets": True, "caches": True}], ids=str
)
def test_without_extras_it_is_dis(options: dict[str, bool]) -> None:
    known = {"caches": "show_caches", "offsets": "show_offsets"}
    taken = {known[key]: True for key in options if known[key] in dis.dis.__kwdefaults__}
    for path in library():
        for target in targets(path.read_text(), str(path)):
            for code in codes.within(target.code):
                file = io.StringIO()
                dis.dis(code, file=file, **taken)
                assert shown([Target(code, target.unit)], **options) == file.getvalue()


def test_several_have_titles() -> None:
    (whole,) = targets(SOURCE)
    found = [
        Target(code, whole.unit, code.co_qualname) for code in codes.called(whole.code, "Shape")
    ]
    text = shown(found)
    assert re.findall("^Disassembly of (Shape.*):$", text, re.MULTILINE) == [
        "Shape.area",
        "Shape.name",
        "Shape.name",
        "Shape.Inner.deep",
    ]
    file = io.StringIO()
    dis.dis(found[0].code, file=file)
    assert file.getvalue() in text


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and argument of each instruction in a listing."""
    found = re.findall(
        r"^(?: +|.*?L\d+:  )([A-Z][A-Z_0-9]+)(?: +(-?\d+))?(?: \(|$)", text, re.MULTILINE
    )
    return [pair for pair in found if pair[0] in dis.opmap]


def test_with_source_all_instructions_stand_below_their_line() -> None:
    (whole,) = targets(SOURCE)
    for code in codes.within(whole.code):
        text = shown([Target(code, whole.unit)], source=True).split("\n\n")[0]
        expected = list(dis.get_instructions(code))
        assert instructions(text) == [
            (each.opname, "" if each.arg is None else str(each.arg)) for each in expected
        ]
        lines = SOURCE.split("\n")
        for number, _, source in re.findall(r"^( +\d+)(  (.+))$", text, re.MULTILINE):
            assert lines[int(number) - 1] == source


def test_labels_are_where_they_are_named() -> None:
    """Each that an instruction or the exception table names stands at one place."""
    (whole,) = targets(SOURCE)
    named_at_all = 0
    for code in codes.within(whole.code):
        text = shown([Target(code, whole.unit)], source=True).split("\n\n")[0]
        named = set(re.findall(r"\(to (L\d+)\)", text)) | set(re.findall(r"-> (L\d+) ", text))
        stand = re.findall(r"(L\d+):  ", text)
        assert len(stand) == len(set(stand))
        assert named <= set(stand)
        named_at_all += len(named)
    assert named_at_all > 3


def test_offsets_caches_and_positions() -> None:
    (whole,) = targets("x.y = f(1)")
    text = shown([whole], source=True, offsets=True, caches=True, positions=True)
    for each in dis.get_instructions(whole.code):
        assert re.search(rf"^ +{each.offset}  \S+ +{each.opname}\b", text, re.MULTILINE), text
        line, end_line, column, end_column = each.positions
        if line is not None:
            assert f"{line}:{column}-{end_line}:{end_column}" in text
    assert "CACHE" in text


def test_rows() -> None:
    (whole,) = targets(SOURCE)
    rows = json.loads(json.dumps(bytecode.rows([whole], bytecode.Choice(caches=True))))
    expected = [
        (code.co_qualname, each.offset, each.opname, each.arg, list(each.positions))
        for code in codes.within(whole.code)
        for each in dis.get_instructions(code)
    ]
    found = [
        (row["function"], row["offset"], row["opname"], row["arg"], row["positions"])
        for row in rows
    ]
    assert found == expected


def test_what_is_named_cannot_draw_on_the_screen() -> None:
    source = "x = '\x1b[2J'\n# \x1b[2J \u202e\ny = x"
    for found in (targets(source, "a\x1b[2J.py"), targets(source)):
        text = shown(found, source=True)
        assert text.replace("\n", "").isprintable()


# ---- side by side ----


def code_of(source: str) -> CodeType:
    return next(
        each for each in codes.within(compile(source, "s.py", "exec")) if each.co_name == "f"
    )


def pair(one: str, other: str) -> list[pairs.Pair]:
    choice = bytecode.Choice()
    return [(pairs.here(code_of(one), choice), pairs.here(code_of(other), choice))]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ONE = "def f(x):\n  for y in x:\n    print(y)\n  return 1"
OTHER = "\n\ndef f(x):\n  for y in x:\n    print(y, 2)\n  return 1"


def test_a_pair_keeps_each_side() -> None:
    """The rows of each side, in order, are its instructions; equal ones stand together."""
    rng = random.Random(5)
    for _ in range(200):
        sides = [
            tuple(
                pairs.Operation(rng.choice("ABC"), rng.randrange(2), "", 1, 0, 2 * at)
                for at in range(rng.randrange(8))
            )
            for _ in range(2)
        ]
        rows = bytecodepair.aligned(*sides)
        assert tuple(row[0] for row in rows if row[0]) == sides[0]
        assert tuple(row[1] for row in rows if row[1]) == sides[1]
        assert (None, None) not in rows
        if sides[0] == sides[1]:
            assert all(row[0] == row[1] for row in rows)


def test_the_same_code_is_the_same() -> None:
    file = io.StringIO()
    bytecodepair.show(pair(ONE, "\n\n" + ONE), file)
    count = len(list(dis.get_instructions(code_of(ONE))))
    assert f"{count} instructions are the same, 0 are not" in file.getvalue()


def test_what_differs_is_marked() -> None:
    file = io.StringIO()
    bytecodepair.show(pair(ONE, OTHER), file)
    marked = [line for line in file.getvalue().splitlines() if re.search(" [<>|] ", line)]
    assert any("2" in line for line in marked)
    assert 0 < len(marked) < len(list(dis.get_instructions(code_of(OTHER))))


@pytest.mark.parametrize("columns", [20, 60, 71, 72, 100, 200])
def test_a_terminal_is_not_too_narrow(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    file = Terminal()
    long = ONE.replace("print(y)", f"print({LONG})")
    bytecodepair.show(pair(long, OTHER), file)
    lines = file.getvalue().splitlines()
    body = [line for line in lines if "s.py" not in line and "same" not in line]
    assert max(map(len, body)) <= columns
    is_below = any(line.startswith("- ") for line in lines)
    assert is_below == (columns < bytecodepair.NARROW)


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for file, wanted in ((io.StringIO(), False), (Terminal(), True)):
        bytecodepair.show(pair(ONE, OTHER), file)
        assert ("\x1b[" in file.getvalue()) == wanted
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    bytecodepair.show(pair(ONE, OTHER), file)
    assert "\x1b[" in file.getvalue()
