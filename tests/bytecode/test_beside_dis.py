# SPDX-License-Identifier: Apache-2.0
"""Every field of every instruction is as dis.get_instructions gives it.

A part of the standard library is compared, another on each version; with FETTLE_BYTECODE=all all
of it, and with FETTLE_BYTECODE=all:FOLDER:... what is in those folders, too
(tools/bytecode_packages.py)."""

from __future__ import annotations

import collections
import dis
import gc
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.bytecode.beside import check, compiled, inside, sources

LIBRARY = Path(sysconfig.get_path("stdlib"))
WANTED = os.environ.get("FETTLE_BYTECODE", "").split(":")
EVERY = 1 if WANTED[0] == "all" else 8


@pytest.mark.parametrize("folder", [LIBRARY, *map(Path, WANTED[1:])], ids=str)
def test_library(folder: Path) -> None:
    modules = instructions = codes = 0
    for source in sources(folder)[sys.version_info.minor % EVERY :: EVERY]:
        module = compiled(source)
        for code in inside(module) if module is not None else ():
            instructions += check(code)
            codes += 1
        modules += module is not None
    assert modules > 10 and codes > 100
    print(f"{sys.version.split()[0]} {folder}: {modules} {codes} {instructions}")


def work() -> None:
    """Runs much of the standard library often enough to be specialised."""
    import argparse
    import ast
    import difflib
    import fractions
    import html.parser
    import pprint
    import statistics
    import textwrap
    import tokenize

    source = Path(ast.__file__).read_text()[:20000]
    for _ in range(4):
        text = ast.unparse(ast.parse("\n".join(source.splitlines()[:300]).rsplit("\ndef ", 1)[0]))
        list(difflib.unified_diff(source.splitlines()[:200], text.splitlines()[:200]))
        textwrap.wrap(source, 30)
        pprint.pformat({n: [str(n)] * 3 for n in range(200)})
        statistics.fmean([statistics.stdev(range(1, n)) for n in range(4, 40)])
        sum((fractions.Fraction(1, n) for n in range(1, 100)), fractions.Fraction())
        html.parser.HTMLParser().feed("<p class='a'>b &amp; c</p>" * 100)
        with open(ast.__file__, "rb") as lines:
            list(tokenize.tokenize(lines.readline))
        parser = argparse.ArgumentParser()
        parser.add_argument("--number", type=int, default=1)
        parser.parse_args(["--number", "2"])


def running(code: CodeType) -> bytes:
    found: bytes = code._co_code_adaptive  # type: ignore[attr-defined]
    return found


def settled(codes: set[CodeType]) -> Iterator[CodeType]:
    """Those of the library that comparing does not itself run, and so change. (What else a process
    has loaded is many times as much, and specialised alike.)"""
    mine = {dis.__file__, __file__, check.__code__.co_filename, collections.__file__, "<string>"}
    names = {name for code in codes if (name := code.co_filename) not in mine}
    library = {n for n in names if n.startswith(f"{LIBRARY}/") and "site-packages" not in n}
    return (code for code in codes if code.co_filename in library)


def test_specialised() -> None:
    work()
    gc.unfreeze()
    codes = {o.__code__ for o in gc.get_objects() if type(o) is FunctionType}
    gc.freeze()  # as before this test
    special = 0
    for code in settled(codes):
        if running(code) != code.co_code:
            check(code, adaptive=True)
            special += 1
    assert special > 100, special
