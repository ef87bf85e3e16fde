# SPDX-License-Identifier: Apache-2.0
"""Random programs that count their own lines: the recorded hits are the same, line by line."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any

import pytest

from .tables import Table, lines_of, tables_of
from .world import OopsError, World
from .writer import Writer

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SEEDS = range(60)


def functions_in(module: CodeType, names: dict[str, Any]) -> dict[str, FunctionType]:
    exec(module, names)
    return {name: names[name] for name in names if name[0] == "f" and name[1:].isdigit()}


def run(functions: dict[str, FunctionType]) -> None:
    """Until the fuel is out, or so often; whatever it raises."""
    for _ in range(5):
        with suppress(OopsError, RuntimeError):
            functions["f0"](4)


def expected_of(writer: Writer, name: str, counted: dict[int, int]) -> dict[int, int]:
    """The hits of one function, its `def` being line 1."""
    begins, ends = writer.span_of(name)
    hits = writer.hits(counted)
    return {line - begins + 1: n for line, n in hits.items() if begins < line < ends}


def differences(
    writer: Writer, name: str, saw: dict[int, int], expected: dict[int, int]
) -> Iterator[str]:
    begins, _ = writer.span_of(name)
    for line in sorted(saw.keys() | expected.keys()):
        mine, counted = saw.get(line, 0), expected.get(line, 0)
        most = 2 * counted if writer.is_cleaned_up(begins + line - 1) else counted
        if not counted <= mine <= most:
            yield f"line {line}: recorded {mine}, counted {counted}"


def compare(writer: Writer, tables: dict[str, Table], counted: dict[int, int]) -> None:
    for name, table in tables.items():
        wrong = list(differences(writer, name, table.hits, expected_of(writer, name, counted)))
        assert not wrong, f"{name}: {wrong}\n{writer.text_of(name)}"
        assert table.calls == counted.get(writer.functions[name], 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_hits_are_what_the_program_counted(seed: int) -> None:
    writer, world = Writer(seed).write(), World(seed)
    functions = functions_in(compile(writer.source, "generated.py", "exec"), world.names())
    recorder = lines_of(*functions.values(), calls=seed % 2 == 0)
    before = time.perf_counter_ns()
    with recorder:
        run(functions)
    elapsed = time.perf_counter_ns() - before
    tables = tables_of(recorder.profile())
    compare(writer, tables, world.c)
    assert set(tables) == set(functions)
    assert all(table.time <= elapsed * 1.01 for table in tables.values())


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_what_is_not_marked_has_no_table(seed: int) -> None:
    writer, world = Writer(seed).write(), World(seed)
    functions = functions_in(compile(writer.source, "generated.py", "exec"), world.names())
    marked = {name: functions[name] for name in sorted(functions)[seed % 2 :: 2]}
    recorder = lines_of(*marked.values())
    with recorder:
        run(functions)
    tables = tables_of(recorder.profile())
    compare(writer, tables, world.c)
    assert set(tables) == set(marked)


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_threads_add_up(seed: int) -> None:
    """The same code in several threads, each with globals and counters of its own."""
    writer, worlds = Writer(seed).write(), [World(100 * seed + i) for i in range(4)]
    module = compile(writer.source, "generated.py", "exec")
    modules = [functions_in(module, world.names()) for world in worlds]
    recorder = lines_of(*(f for functions in modules for f in functions.values()))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with recorder:
            threads = [threading.Thread(target=run, args=[each]) for each in modules]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    counted = sum((world.c for world in worlds), Counter())
    compare(writer, tables_of(recorder.profile()), counted)


def test_the_programs_do_much() -> None:
    """Else the tests above say little."""
    kinds, lines, hits, never = set(), 0, 0, 0
    for seed in SEEDS:
        writer, world = Writer(seed).write(), World(seed)
        run(functions_in(compile(writer.source, "generated.py", "exec"), world.names()))
        ran = [text for at, text in enumerate(writer.lines, 1) if world.c[at]]
        kinds |= {text.split()[0] for text in ran}
        lines, hits = lines + len(ran), hits + world.c.total()
        never += len(writer.lines) - len(ran)
    assert {"if", "elif", "while", "for", "with", "async", "except", "match", "case"} <= kinds
    assert lines > 2000 and hits > 20000 and never > 500
