# SPDX-License-Identifier: Apache-2.0
"""Code with the sites taken out again is the original's, whatever the original is."""

import dis
import opcode
import random
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from fettle import _core

from tests.leaks import least_growth

from . import oracle
from .programs import PROGRAMS

LIBRARY = Path(dis.__file__).parent
SOME = ["[a-e]*.py", "asyncio/*.py"]


def rewrite(code: CodeType, make: Any = oracle.Site) -> CodeType:
    new = _core._rewrite(code, make, lambda _: True)
    assert isinstance(new, CodeType)
    return new


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_kept(name: str) -> None:
    code = compile(PROGRAMS[name], name, "exec")
    assert oracle.compare(code, rewrite(code)) == len(list(oracle.code_objects(code)))


def library() -> Iterator[CodeType]:
    for pattern in SOME:
        for path in sorted(LIBRARY.glob(pattern)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield compile(path.read_bytes(), str(path), "exec")


def test_the_standard_library_is_kept() -> None:
    assert sum(oracle.compare(code, rewrite(code)) for code in library()) > 3000


def test_opcodes_are_the_interpreters_own() -> None:
    """Each jump that there is, is one that relocating knows: else it would not be kept."""
    names = {opcode.opname[op] for op in [*opcode.hasjrel, *opcode.hasjabs]}
    seen = {x.opname for code in library() for c in oracle.code_objects(code) for x in ops(c)}
    assert names - seen <= {"POP_JUMP_BACKWARD_IF_NOT_NONE", "POP_JUMP_BACKWARD_IF_NONE"}
    source = "def f(x):\n while x is {} None: pass"
    for word in "", "not":
        code = compile(source.format(word), "while", "exec")
        seen |= {x.opname for c in oracle.code_objects(code) for x in ops(c)}
        oracle.compare(code, rewrite(code))
    assert names <= seen


def ops(code: CodeType) -> Iterator[dis.Instruction]:
    return dis.get_instructions(code)


def test_only_what_is_chosen_is_rewritten() -> None:
    code = compile("def f():\n def g(): return lambda: 1\n return g\ndef h(): pass", "x", "exec")
    new = _core._rewrite(code, oracle.Site, lambda c: c.co_name == "g")
    for old, now in zip(oracle.code_objects(code), oracle.code_objects(new), strict=True):
        changed = old.co_code != now.co_code
        assert changed == (old.co_name == "g")
        assert (old is now) == (old.co_name in ("h", "<lambda>"))
    assert _core._rewrite(code, oracle.Site, lambda _: False) is code


def test_what_make_and_choose_raise_comes_out() -> None:
    code = compile("def f(): pass", "x", "exec")
    with pytest.raises(ZeroDivisionError):
        _core._rewrite(code, lambda *_: 1 / 0, lambda _: True)
    with pytest.raises(ZeroDivisionError):
        _core._rewrite(code, oracle.Site, lambda _: 1 / 0)


# ---- code that no compiler wrote ----


def f(n: int) -> Any:
    for i in range(n):
        try:
            yield i
        except KeyError:
            return [n for n in range(i) if n]


def refused(**changes: Any) -> bool:
    code = f.__code__.replace(**changes)
    return _core._rewrite(code, oracle.Site, lambda c: c is code) is code


def test_code_that_is_not_understood_is_left() -> None:
    code = f.__code__.co_code
    jump = bytes([opcode.opmap["JUMP_FORWARD"], 200])
    extended = bytes([opcode.EXTENDED_ARG, 1])
    assert not refused(co_code=code)
    assert refused(co_code=code + jump)
    assert refused(co_code=code + extended)
    assert refused(co_code=extended * 4 + code)
    assert refused(co_code=bytes([254, 0]) + code)  # no such opcode
    assert refused(co_linetable=f.__code__.co_linetable[1:])
    assert refused(co_exceptiontable=f.__code__.co_exceptiontable[:-1])
    assert refused(co_exceptiontable=b"\x80\x01\x00\x00")  # before the frame begins
    assert refused(co_exceptiontable=f.__code__.co_exceptiontable * 2)  # overlaps


def test_code_with_something_appended_is_kept() -> None:
    """As line_profiler does, to tell code apart; its tables say nothing of it."""
    code = f.__code__.replace(co_code=f.__code__.co_code + bytes([opcode.opmap["NOP"], 0] * 3))
    assert oracle.compare(code, rewrite(code)) == 2


def damaged(data: bytes, chance: random.Random) -> bytes:
    array = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        if array:
            array[chance.randrange(len(array))] = chance.randrange(256)
    return bytes(array[: chance.randrange(len(array) + 1)] if chance.random() < 0.2 else array)


def caches_fit(data: bytes) -> bool:
    """Reading co_code of any other code writes past its end: the interpreter trusts it."""
    unit = 0
    while 2 * unit < len(data):
        name = dis._all_opname[data[2 * unit]]
        op = opcode.opmap.get(dis.deoptmap.get(name, name), 0)
        unit += 1 + opcode._inline_cache_entries[op]
    return 2 * unit == len(data)


@pytest.mark.parametrize("table", ["co_code", "co_linetable", "co_exceptiontable"])
def test_damaged_code_is_rewritten_or_left(table: str) -> None:
    """Nothing is run: only the rewriting must survive it."""
    chance = random.Random(table)
    left = 0
    codes = [c for code in library_slice() for c in oracle.code_objects(code)]
    for _ in range(3000):
        code = chance.choice(codes)
        data = damaged(getattr(code, table), chance)
        if table == "co_code" and (len(data) % 2 or not caches_fit(data)):
            continue
        try:
            changed = code.replace(**{table: data})
        except (ValueError, IndexError):
            continue
        left += rewrite(changed, lambda *_: 0) is changed
    assert 0 < left < 3000


def library_slice() -> list[CodeType]:
    return [compile(PROGRAMS[name], name, "exec") for name in PROGRAMS]


def test_a_long_function() -> None:
    """Ten thousand lines: jumps over all of them, three bytes wide."""
    body = "".join(f"        x = g(x, {i % 50})\n" for i in range(10_000))
    source = f"def f(x):\n    while x:\n{body}        x = 0\n    return x\n"
    function = compile(source, "long", "exec").co_consts[0]
    new = rewrite(function)
    kinds = [site.kind for site in new.co_consts if isinstance(site, oracle.Site)]
    assert kinds.count("line") == 10_003
    namespace = {"g": lambda x, i: x + i}
    exec(compile("def f(): pass", "x", "exec"), namespace)
    namespace["f"].__code__ = new
    assert namespace["f"](3) == 0
    oracle.Comparison(function, new).check()


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    code = compile("pass", "x", "exec")
    for _ in range(100_000):
        code = code.replace(co_consts=(code, None))
    with pytest.raises(RecursionError):
        rewrite(code)
    while isinstance(code.co_consts[0], CodeType):  # or freeing it overflows the C stack
        code = code.co_consts[0]


def test_nothing_leaks() -> None:
    codes = library_slice()

    def once() -> None:
        for code in codes:
            rewrite(code)
        for _ in range(20):
            _core._rewrite(codes[0].replace(co_linetable=b"\x01"), oracle.Site, lambda _: True)

    assert least_growth(once, 10, 499) < 500
    tracemalloc.start()
    bytes_of = lambda: tracemalloc.get_traced_memory()[0]  # noqa: E731
    assert least_growth(once, 10, 19_999, bytes_of) < 20_000
    tracemalloc.stop()
