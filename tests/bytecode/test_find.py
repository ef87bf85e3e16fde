# SPDX-License-Identifier: Apache-2.0
"""What a selector means: which code objects, and what is said where it means none. Nothing is run
or imported."""

import json.decoder
import marshal
import os
import py_compile
import struct
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

import pytest
from fettle.bytecode import codes, find, pyc, unit
from fettle.problem import Problem

from .specimen import SOURCE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes.py").write_text(SOURCE)
    package = tmp_path / "parts" / "more"
    package.mkdir(parents=True)
    (tmp_path / "parts" / "__init__.py").write_text("raise SystemExit('parts ran')\n")
    (package / "__init__.py").write_text("raise SystemExit('parts.more ran')\n")
    (package / "leaf.py").write_text(SOURCE)
    return tmp_path


def found(selector: str) -> list[tuple[str, int]]:
    return [(each.code.co_qualname, each.code.co_firstlineno) for each in find.find(selector)]


def sentence(selector: str) -> str:
    with pytest.raises(Problem) as problem:
        find.find(selector)
    first = problem.value.sentence.split("\n")[0]
    assert first.endswith(".")
    return problem.value.sentence


PLACES = ["shapes.py", "./shapes.py", "shapes", "parts/more/leaf.py", "parts.more.leaf", "sha*.py"]


@pytest.mark.parametrize("colon", [":", "."])
@pytest.mark.parametrize("place", PLACES)
def test_names(place: str, colon: str) -> None:
    def named(name: str) -> list[tuple[str, int]]:
        return found(f"{place}{colon}{name}")

    if "*" in place and colon == ".":
        pytest.skip("a glob needs the colon")
    assert named("outer") == [("outer", 3)]
    assert named("outer.inner") == named("outer.<locals>.inner") == [("outer.<locals>.inner", 5)]
    assert named("Shape.area") == [("Shape.area", 12)]
    assert named("Shape.Inner.deep") == [("Shape.Inner.deep", 27)]
    assert [line for _, line in named("Shape.name")] == [18, 22]
    assert [name.rpartition(".")[2] for name, _ in named("Shape")] == [
        "area",
        "name",
        "name",
        "deep",
    ]
    assert [line for _, line in named("<lambda>")] == [30, 31]
    assert [line for _, line in named("twice")] in ([36], [36, 38])


def test_globs_of_names() -> None:
    assert found("shapes.py:outer*") == [("outer", 3), ("outer_too", 33)]


@pytest.mark.parametrize("place", PLACES)
def test_all_of_a_place(place: str) -> None:
    assert found(place) == [("<module>", found(place)[0][1])]


def test_globs_of_files(folder: Path) -> None:
    (folder / "shapes2.py").write_text("def outer(): pass")
    both = find.find("shapes*.py:outer")
    assert [each.name for each in both] == ["shapes.py:outer", "shapes2.py:outer"]
    assert [each.name for each in find.find("shapes*.py")] == ["shapes.py", "shapes2.py"]
    assert len(find.find("**/*.py")) == 5


def test_lines() -> None:
    inner = [("outer.<locals>.<listcomp>", 7)] if sys.version_info < (3, 12) else [("outer", 3)]
    assert found("shapes.py:3") == [("outer", 3)]
    assert found("shapes.py:7") == inner
    assert found("shapes.py:6") == [("outer.<locals>.inner", 5)]
    assert found("shapes.py:30") == [("<lambda>", 30)]
    assert found("shapes.py:31") == [("<lambda>", 31)]
    assert found("shapes.py:40") == [("<genexpr>", 40)]
    assert found("shapes.py:10") == [("Shape", 9)]
    assert "line 8" in sentence("shapes.py:8")
    assert "line 4000" in sentence("shapes.py:4000")


def test_the_code_is_that_of_the_module() -> None:
    """Against the interpreter's own compiling and importing."""
    path = json.decoder.__file__
    decode = json.decoder.JSONDecoder.decode.__code__
    for selector in (f"{path}:JSONDecoder.decode", "json.decoder:JSONDecoder.decode"):
        (target,) = find.find(selector)
        assert target.code == decode
        assert target.code.co_filename == decode.co_filename
        assert target.unit.source.split("\n")[decode.co_firstlineno - 1].strip().startswith("def")


def test_all_names_are_found() -> None:
    """Every function of a large module, against a walk of its own."""

    def walk(code: CodeType) -> None:
        for each in code.co_consts:
            if isinstance(each, CodeType):
                all_of_them.append(each)
                walk(each)

    import argparse

    all_of_them: list[CodeType] = []
    path = argparse.__file__
    walk(compile(Path(path).read_bytes(), path, "exec"))
    functions = [each for each in all_of_them if each.co_flags & 1]
    assert len(functions) > 100
    whole = unit.of_file(path)
    for code in functions:
        assert code in codes.called(whole.code, code.co_qualname)


def test_nothing_is_imported_or_run() -> None:
    before = set(sys.modules)
    for place in PLACES:
        find.find(place)
    find.find("antigravity")
    assert {"antigravity", "shapes", "parts", "parts.more"}.isdisjoint(set(sys.modules) - before)


def test_a_module_in_a_zip_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile("packed.zip", "w") as packed:
        packed.writestr("zipped.py", SOURCE)
    monkeypatch.syspath_prepend(str(folder / "packed.zip"))
    assert found("zipped:Shape.area") == [("Shape.area", 12)]


def test_syntax_errors_point_at_the_place(folder: Path) -> None:
    (folder / "wrong.py").write_text("x = 1\n    \ndef f(:\n\tpass\n")
    for selector in ("wrong.py", "wrong", "wrong.py:f"):
        said = sentence(selector)
        assert "line 3, column 7" in said
        line, mark = said.split("\n")[1:]
        assert line.strip() == "def f(:"
        assert line[mark.index("^")] == ":"
    (folder / "nul.py").write_bytes(b"x = 1\0\n")
    assert "nul.py does not compile" in sentence("nul.py")
    (folder / "coded.py").write_bytes(b"# coding: no-such\n")
    assert "coded.py does not compile" in sentence("coded.py")
    (folder / "latin.py").write_bytes(b"x = '\xe9'\n")
    assert "latin.py does not compile" in sentence("latin.py")


def test_an_encoding_is_heeded(folder: Path) -> None:
    (folder / "coded.py").write_bytes(b"# coding: latin-1\ndef f(): return '\xe9'\n")
    (target,) = find.find("coded.py:f")
    assert "é" in target.code.co_consts
    assert "é" in target.unit.source


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("shapes.py:outr", ["shapes.py has no", "outr", "near: shapes.py:outer"]),
        ("shapes.py:Shape.aera", ["shapes.py:Shape.area"]),
        ("shapes:SHAPE", ["shapes:Shape"]),
        ("shapes.py:zzzzzz", ["there is shapes.py:outer"]),
        ("shapes.py:pair", ["pair is a name in shapes.py", "no function or class"]),
        ("shapez.py", ["there is no file shapez.py", "near: shapes.py"]),
        ("no/such/folder.py", ["there is no file no/such/folder.py", "folder"]),
        ("shapez", ["there is no file or module shapez", "near: shapes"]),
        ("parts.mor", ["near: parts.more"]),
        ("parts.more.laef", ["near: parts.more.leaf"]),
        ("parts/more", ["parts/more is a folder", "parts/more/__init__.py"]),
        (".", [". is a folder", "./shapes.py"]),
        ("no*.py", ["no file matches no*.py"]),
        ("math", ["math is written in C"]),
        ("math:sin", ["math is written in C"]),
        ("sys", ["sys is written in C"]),
        ("json.decoder:scanstring", ["scanstring is a name in json.decoder"]),
        ("shapes..outer", ["near: shapes:outer"]),
        ("", ["FILE:NAME"]),
        (":outer", ["FILE:NAME"]),
        ("shapes.py:" + 5000 * "9", ["shapes.py has no code at line 999", "..."]),
        (3000 * "a.", ["there is no file or module a.a.", "..."]),
        ("a\nb", ["a\\nb"]),
        ("shapes.py:a\x1b[2J", ["a\\x1b[2J"]),
    ],
)
def test_what_is_not_there(selector: str, words: list[str]) -> None:
    said = sentence(selector)
    assert all(word in said for word in words), said
    assert said.isprintable()


def test_packages_without_init(folder: Path) -> None:
    deep = folder / "bare" / "deep"
    deep.mkdir(parents=True)
    (deep / "leaf.py").write_text(SOURCE)
    assert found("bare.deep.leaf:outer") == [("outer", 3)]
    assert "bare is a folder" in sentence("bare")
    assert "bare.deep is a package without __init__.py" in sentence("bare.deep")


def test_links(folder: Path) -> None:
    (folder / "linked.py").symlink_to("shapes.py")
    (folder / "broken.py").symlink_to("nowhere.py")
    (folder / "loop.py").symlink_to("loop.py")
    assert found("linked.py:outer") == [("outer", 3)]
    assert "broken.py is a link" in sentence("broken.py")
    assert "loop.py is a link" in sentence("loop.py")


def test_a_module_that_has_another_name() -> None:
    assert found("os.path:join") == found(f"{os.path.__file__}:join")


# ---- compiled files ----


def test_a_compiled_file(folder: Path) -> None:
    py_compile.compile("shapes.py", "kept.pyc", doraise=True)
    assert found("kept.pyc:Shape.area") == [("Shape.area", 12)]
    assert "kept.pyc:Shape.area" in sentence("kept.pyc:Shape.are")
    os.rename("shapes.py", "gone.txt")
    os.rename("kept.pyc", "shapes.pyc")
    assert found("shapes:outer") == [("outer", 3)]


MAGICS = {3394: "3.7", 3413: "3.8", 3425: "3.9", 3439: "3.10", 3495: "3.11", 3531: "3.12"}
MAGICS |= {3571: "3.13", 3627: "3.14", 62211: "2.7"}


@pytest.mark.parametrize("magic", MAGICS)
def test_of_another_version(folder: Path, magic: int) -> None:
    """The numbers are those of released versions."""
    head = struct.pack("<H", magic) + b"\r\n"
    if head == MAGIC_NUMBER:
        pytest.skip("it is this version")
    (folder / "other.pyc").write_bytes(head + bytes(12) + marshal.dumps(SOURCE))
    said = sentence("other.pyc")
    assert f"Python {MAGICS[magic]}" in said


def test_this_version_is_known_by_its_number() -> None:
    assert pyc.version(MAGIC_NUMBER) == f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF" + bytes(40),
        MAGIC_NUMBER,
        MAGIC_NUMBER + bytes(12),
        MAGIC_NUMBER + bytes(12) + b"\xe3\1",
        MAGIC_NUMBER + bytes(12) + marshal.dumps([1, 2]),
    ],
)
def test_what_is_no_compiled_file(folder: Path, data: bytes) -> None:
    (folder / "odd.pyc").write_bytes(data)
    assert "odd.pyc" in sentence("odd.pyc")


def test_text() -> None:
    assert unit.of_text("x + 1").code.co_code == compile("x + 1", "", "eval").co_code
    assert unit.of_text("x = 1").code.co_code == compile("x = 1", "", "exec").co_code
    with pytest.raises(Problem, match="column 5"):
        unit.of_text("x = = 1")


def test_what_a_module_has_from_another_one(folder: Path) -> None:
    """Neither is imported: parts would end the program."""
    (folder / "parts" / "__init__.py").write_text(
        "raise SystemExit\nfrom .more.leaf import outer as shell, Shape\nfrom .round import *\n"
    )
    (folder / "parts" / "round.py").write_text(
        "from .more.leaf import outer\nfrom parts.round import hollow\nfrom parts import *\n"
    )
    assert sentence("parts:shell") == "parts has shell from parts.more.leaf; write" + (
        " parts.more.leaf:outer."
    )
    assert sentence("parts.Shape.area").endswith("; write parts.more.leaf:Shape.area.")
    assert sentence("parts:outer").endswith("; write parts.more.leaf:outer.")
    assert " from " not in sentence("parts:hollow")  # each has it from the other
    assert " from " not in sentence("parts:Shape.are")
    (folder / "quick.py").write_text("from posix import *\nfrom _json import scanstring as scan\n")
    assert sentence("quick:getpid").startswith("quick has getpid from posix, which is written in C")
    assert sentence("quick.py:scan").startswith("quick.py has scan from _json, which is written in")
    assert " from " not in sentence("quick:no_such")


def test_a_module_of_the_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdlib_module_names", frozenset(["zigzag", "zigzog"]))
    assert sentence("zigzag") == "there is no file or module zigzag; near: zigzog."
