# SPDX-License-Identifier: Apache-2.0
"""fettle._core.Bytecode as an object: a sequence of rows that no input and no constant breaks."""

from __future__ import annotations

import dis
import gc
import random
import subprocess
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest
from fettle import _core

from tests.bytecode.beside import check_rows, inside
from tests.leaks import least_growth

UNKNOWN: Any = dis.UNKNOWN  # type: ignore[attr-defined]


def sample(first: int, *rest: Any, key: str = "x", **more: Any) -> Any:
    try:
        for item in rest:
            if item is not None and first < len(key):
                more[key] = f"{item!r:>{first}}" + key.upper()
    except (ValueError, OSError) as error:
        raise RuntimeError(error) from None
    finally:
        print(first, end="")
    return [lambda add: first + add for item in rest if item]


CODE = sample.__code__


def test_sequence() -> None:
    code = _core.Bytecode(CODE)
    rows = list(code)
    assert len(code) == len(rows) == sum(1 for _ in dis.get_instructions(CODE))
    assert [code[i] for i in range(len(rows))] == rows
    assert [code[i] for i in reversed(range(len(rows)))] == rows[::-1]
    assert code[-1] == rows[-1]
    one, other = iter(code), iter(code)
    mixed = [next(random.choice([one, one, other])) for _ in range(len(rows) // 2)]
    assert sorted(mixed + list(one) + list(other)) == sorted(rows * 2)
    for index in (len(rows), -len(rows) - 1, sys.maxsize):
        with pytest.raises(IndexError, match="no instruction of that index"):
            code[index]
    assert code.code is CODE
    iterator = iter(_core.Bytecode(CODE))  # who else holds the object?
    gc.collect()
    assert list(iterator) == rows
    assert iterator.__length_hint__() == 0 and list(iterator) == []  # type: ignore[attr-defined]


def test_from_its_parts() -> None:
    count = len(CODE.co_varnames) + len(CODE.co_cellvars) + len(CODE.co_freevars)
    locals_ = []
    for index in range(count):
        try:
            locals_.append(CODE._varname_from_oparg(index))  # type: ignore[attr-defined]
        except IndexError:  # an argument that has a cell is counted once
            break
    for handlers in (False, True):
        parts = _core.Bytecode.from_bytes(
            bytearray(CODE.co_code),
            line_table=CODE.co_linetable,
            first_line=CODE.co_firstlineno,
            line_shift=10,
            handler_table=CODE.co_exceptiontable,
            consts=list(CODE.co_consts),
            names=CODE.co_names,
            locals=locals_,
            handlers=handlers,
        )
        whole = _core.Bytecode(
            CODE, first_line=CODE.co_firstlineno + 10, handlers=handlers, unknown=None
        )
        assert list(parts) == list(whole)
        assert parts.exceptions == whole.exceptions and parts.labels == whole.labels
        assert parts.lines == whole.lines
        assert parts.code is None


def test_rows_of_caches() -> None:
    plain = {row.offset: row for row in _core.Bytecode(CODE)}
    rows = list(_core.Bytecode(CODE, caches=True))
    assert [row.offset for row in rows] == list(range(0, len(CODE.co_code), 2))
    kept = [row for row in rows if row.opname != "CACHE"]
    assert kept == list(plain.values())
    owner = rows[0]
    for row in rows:
        if row.opname != "CACHE":
            owner = row
            continue
        assert row.opcode == dis.opmap["CACHE"] and row.arg == 0 and row.argval is None
        assert owner.cache is not None
        assert row.offset - owner.offset <= 2 * sum(size for _, size, _ in owner.cache)
        assert row.positions == owner.positions and not row.starts_line and row.label is None


def test_unknown_names() -> None:
    unknown = object()
    for row in _core.Bytecode.from_bytes(CODE.co_code, unknown=unknown):
        base = row.baseopcode
        if row.arg is not None and base in [*dis.hasconst, *dis.hasname]:
            assert row.argval is unknown and row.argrepr == ""
    assert all(row.argval is not unknown for row in _core.Bytecode(CODE)) or (
        sys.version_info < (3, 12)
    )


class Shows:
    """A constant whose repr() is the user's code."""

    def __init__(self, show: Callable[[], str]) -> None:
        self.show = show

    def __repr__(self) -> str:
        return self.show()


def with_constant(constant: object) -> CodeType:
    code = compile("x = 1234567", "<source>", "exec")
    return code.replace(co_consts=tuple(constant for _ in code.co_consts))


def test_constant_that_can_not_be_shown() -> None:
    def fail() -> str:
        raise LookupError("not now")

    code = _core.Bytecode(with_constant(Shows(fail)))
    for _ in range(2):
        with pytest.raises(LookupError, match="not now"):
            list(code)
    assert [code[i] for i in range(len(code)) if code_is_harmless(code, i)]


def code_is_harmless(code: _core.Bytecode, index: int) -> bool:
    try:
        code[index]
    except LookupError:
        return False
    return True


def test_constant_that_asks_for_itself() -> None:
    seen: list[int] = []

    def show() -> str:
        if len(seen) < 3:
            seen.append(1)
            gc.collect()
            list(code)
            list(iterator)
            code[0]
        return "shown"

    code = _core.Bytecode(with_constant(Shows(show)))
    iterator = iter(code)
    assert any(row.argrepr == "shown" for row in code)
    assert any(row.argrepr == "shown" for row in code)


def test_nothing_is_kept() -> None:
    constant = Shows(lambda: "x" * 3)
    gone = weakref.ref(constant)
    rows = list(_core.Bytecode(with_constant(constant)))
    del constant
    assert gone() is not None
    del rows
    gc.collect()
    assert gone() is None


def test_texts_are_no_hidden_cycle() -> None:
    class Text(str):
        about: object

    def show() -> str:
        text = Text("shown")
        text.about = code
        gone.append(weakref.ref(text))
        return text

    gone: list[weakref.ref[Text]] = []
    code: _core.Bytecode | None = _core.Bytecode(with_constant(Shows(show)))
    assert any(row.argrepr == "shown" for row in code or ())
    code = None
    gc.collect()
    assert gone and all(each() is None for each in gone)


def test_nobody_sees_an_unfinished_one() -> None:
    """The collector knows all objects, and so does who asks it."""
    counts = []

    def parts() -> Iterator[int]:
        counts.append(sum(type(each) is _core.Bytecode for each in gc.get_objects()))
        yield 1

    next(parts())
    line_table: Any = parts()
    made = _core.Bytecode.from_bytes(CODE.co_code, line_table=line_table, consts=parts())
    assert len(counts) == 3 and len(set(counts)) == 1
    assert gc.is_tracked(made)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there is no copy.replace")
def test_a_copy_of_a_row_without_memory_for_it() -> None:
    pytest.importorskip("_testcapi")
    program = """
import _testcapi, copy
from fettle import _core
row, failed = _core.Bytecode(compile("x = 1", "<source>", "exec"))[0], 0
for of in (row, row.positions):
    for n in range(1, 60):
        _testcapi.set_nomemory(n, n + 1)
        try:
            copy.replace(of, **{of.__match_args__[-1]: n})
        except MemoryError:
            failed += 1
        finally:
            _testcapi.remove_mem_hooks()
assert failed > 20
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("wrap", ["", "iter"])
def test_endless_nesting_is_let_go(wrap: str) -> None:
    program = f"""
from fettle import _core
code, kept = compile("x = 1", "<source>", "exec"), None
for _ in range(150_000):
    kept = {wrap}(_core.Bytecode(code, unknown=kept))
del kept
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "lie",
    [
        "_specializations = Items([3])",
        "_specializations = Items([('LOAD_ATTR',)])",
        "_cache_format = Items(['ab'])",
        "_cache_format = {'LOAD_ATTR': Items([('counter',)])}",
        "_cache_format = {'LOAD_ATTR': {'counter': 'x'}}",
        "opname = [1] * 256",
    ],
)
def test_another_module_in_the_place_of_opcode(lie: str) -> None:
    program = f"""
import opcode
from fettle import _core
class Items(dict):
    def __init__(self, items): self._items = items
    def items(self): return self._items
opcode.{lie}
try:
    _core.Bytecode(compile("x = 1", "<source>", "exec"))
except (SystemError, TypeError):
    pass
else:
    raise AssertionError("it was believed")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_opcodes_that_are_none_are_passed_over() -> None:
    program = """
import opcode
from fettle import _core
for name in ("hasconst", "hasname", "hasjrel", "haslocal", "hasarg"):
    if hasattr(opcode, name):
        setattr(opcode, name, ["x", None, 2**70, -1, 256, *getattr(opcode, name)])
opcode.opmap = {**opcode.opmap, "NOTHING": "x"}
code = compile("x = 12345", "<source>", "exec")
assert "12345" in [row.argrepr for row in _core.Bytecode(code)]
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_counts_of_references() -> None:
    def work() -> None:
        for code in inside(CODE):
            for caches in (False, True):
                view = _core.Bytecode(code, caches=caches, handlers=True, first_line=7)
                rows = list(view)
                assert (view.exceptions, view.lines, view.labels) and rows

    watched = [None, True, False, "", *CODE.co_consts, CODE, *CODE.co_names]
    assert least_growth(work, 500, 400) <= 400
    before = [sys.getrefcount(o) for o in watched]
    for _ in range(500):
        work()
    after = [sys.getrefcount(o) for o in watched]
    assert all(abs(a - b) < 30 for a, b in zip(after, before, strict=True))


# CPython does not survive others in code that it is given.
WRITTEN = [
    number
    for name, number in dis.opmap.items()
    if number < 256 and not name.startswith(("INSTRUMENTED", "ENTER_EXECUTOR"))
]


@pytest.mark.parametrize("seed", range(30))
def test_any_code(seed: int) -> None:
    """As dis has it, where dis has anything to say."""
    rng = random.Random(seed)
    compared = 0
    most = (256, 4, 16)[seed % 3]  # of an argument
    for _ in range(60):
        units = [(rng.choice(WRITTEN), rng.randrange(most)) for _ in range(rng.randrange(1, 20))]
        # Behind it is room for the caches of the last instruction, which CPython itself needs.
        drawn = bytes(byte for unit in units for byte in unit) + bytes(48)
        code = CODE.replace(co_code=drawn, co_linetable=b"", co_exceptiontable=b"")
        rows = list(_core.Bytecode(code, unknown=UNKNOWN))
        assert [row.offset for row in rows] == sorted({row.offset for row in rows})
        try:
            right = list(dis.get_instructions(code))
        except (IndexError, AssertionError, KeyError):
            continue
        check_rows(rows, right, drawn.hex())
        compared += 1
    assert compared > 0


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        code, lines, table = (rng.randbytes(rng.randrange(90)) for _ in range(3))
        for caches in (False, True):
            view = _core.Bytecode.from_bytes(
                code,
                running=rng.randbytes(len(code)),
                line_table=lines,
                handler_table=table,
                consts=[1, "x"],
                names=["a"],
                locals=["b", "c"],
                caches=caches,
                handlers=True,
                first_line=rng.choice([1, 0, -5, 2**31 - 1]),
            )
            rows = list(view)
            assert len(rows) == len(view) <= len(code) // 2
            assert not caches or len(rows) == len(code) // 2
            assert list(view.labels) == sorted(set(view.labels))
            for row in rows:
                # 3.11 does not look at jumps that are specialised forms
                if row.jump_target is not None and sys.version_info >= (3, 12):
                    assert row.jump_target in view.labels
        parse: Any = dis._parse_exception_table  # type: ignore[attr-defined]
        entries = parse(types.SimpleNamespace(co_exceptiontable=table))
        wide = any(max(entry[:4]) >= 2**31 for entry in entries)
        assert wide or view.exceptions == tuple(map(tuple, entries))


def test_wrong_calls() -> None:
    make: Any = _core.Bytecode
    for wrong in (sample, b"", None, "x = 1"):
        with pytest.raises(TypeError):
            make(wrong)
    with pytest.raises(TypeError):
        make(CODE, first_line="1")
    with pytest.raises(OverflowError, match="give a smaller one"):
        make(CODE, first_line=2**40)
    with pytest.raises(TypeError, match="takes the bytes of code, not int"):
        make.from_bytes(5)
    with pytest.raises(ValueError, match="not as long as the code"):
        make.from_bytes(b"1234", running=b"12")
    with pytest.raises(OverflowError, match="give a smaller one"):
        make.from_bytes(b"", line_shift=2**40)
    with pytest.raises(TypeError):
        make.from_bytes(b"", names=5)
    for wrong in ({"names": [1]}, {"locals": ["a", None]}):
        with pytest.raises(TypeError, match="a name is a str, not"):
            make.from_bytes(b"", **wrong)
    with pytest.raises(TypeError):
        type(iter(make(CODE)))()
