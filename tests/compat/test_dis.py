# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.dis beside the interpreter's own: the same text, instructions, errors, names and
command line, of what the standard library has and of what is rare in it."""

import contextlib
import dis as theirs
import inspect
import io
import os
import random
import re
import stringprep
import subprocess
import sys
import types
from collections.abc import Iterator

import pytest
from fettle.compat import dis as ours

OURS = {"dis", "disassemble", "disco", "distb", "get_instructions", "findlabels", "findlinestarts"}
OURS |= {"Bytecode"}
TAKEN = set(theirs.dis.__kwdefaults__)
VERSION = sys.version_info[:2]

# Before 3.13.2 the later caches of an instruction were read from the first one's place.
CACHES_ARE_RIGHT = sys.version_info < (3, 13) or sys.version_info >= (3, 13, 2)

OPTIONS = [{}, {"show_caches": True}, {"adaptive": True}]
OPTIONS += [{"adaptive": True, "show_caches": True}] * CACHES_ARE_RIGHT
OPTIONS += [{"show_offsets": True, "show_caches": True}] * ("show_offsets" in TAKEN)
OPTIONS += [{"show_positions": True, "show_offsets": True}] * ("show_positions" in TAKEN)
OPTIONS += [{"show_positions": True, "show_caches": True}] * ("show_positions" in TAKEN)
WITH_OPTIONS = pytest.mark.parametrize("options", OPTIONS, ids=str)

SOURCE = '''
import os.path as path, sys
from collections import *

class Shape(object):
    """A doc."""
    sides: int = 3
    def __init__(self, *sides, unit=None, **more):
        super().__init__()
        self.sides = sides
        self.area = lambda scale=1: scale * sum(sides)
    @property
    def name(self): return f"{self.sides!r:>{10}} {self.unit}"
    @staticmethod
    def of(x: int, /, y: "str" = 1, *, z=2) -> float: return x if y else z
    @classmethod
    def make(cls, n): return [cls(i) for i in range(n) if i not in {1, 2, 3}]

async def serve(queue):
    async with queue as item, item:
        async for each in item:
            await each
            yield {key: value for key, value in each.items() if value is not None}

def walk(tree, depth=0):
    total = 0
    try:
        for branch in tree:
            total += yield from walk(branch, depth + 1)
            if depth > 1000 and not total:
                continue
            while total < 10:
                total **= 2
                if total == 5: break
        else:
            raise ValueError(tree) from None
    except (ValueError, TypeError) as error:
        print(error, file=sys.stderr)
        del tree[0]
        raise
    except OSError:
        return total
    finally:
        depth -= 1
    assert total, "none"
    with open("x") as file:
        a, *b = file
    return a[1:2], b[-1], {**a}, [*b], {1, *b}, print(*a, **b)

def match(x):
    global walked
    match x:
        case {"a": [1, *rest], **more}: return rest
        case Shape(sides=3) | None: walked = x
        case str() if x > "a": return -x + ~x
    def inner():
        nonlocal x
        x = x @ x
        return x
    return inner
'''


def code_within(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from code_within(each)


def wide_code() -> types.CodeType:
    """One whose arguments do not fit into a byte, nor its jumps."""
    names = "\n".join(f"    name_{i} = {i}.5 + other_{i}.attribute" for i in range(400))
    return compile(f"while x:\n  for y in z:\n{names}", "wide.py", "exec")


def codes() -> list[types.CodeType]:
    rng = random.Random(8)
    folder = os.path.dirname(os.__file__)
    files = [name for name in sorted(os.listdir(folder)) if name.endswith(".py")]
    found = list(code_within(compile(SOURCE, "source.py", "exec")))
    for name in rng.sample(files, 5):
        with open(os.path.join(folder, name), "rb") as file:
            found += code_within(compile(file.read(), name, "exec"))
    function = next(each for each in found if each.co_name == "walk")
    rare = [
        wide_code(),
        function.replace(co_linetable=b""),
        function.replace(co_exceptiontable=b""),
        function.replace(co_firstlineno=123456),
        compile("", "", "exec"),
        compile("\n" * 5000 + "x = 1", "far.py", "exec"),
        compile("lambda: 0", "<é>", "eval"),
    ]
    return found + rare


CODES = codes()


def printed(module: types.ModuleType, name: str, *args: object, **options: object) -> str:
    """What a function prints, or how it fails, into a file and to stdout: the same."""

    def run(**where: object) -> None:
        try:
            getattr(module, name)(*args, **where, **options)
        except Exception as error:
            endings.append((type(error), str(error)))

    endings: list[tuple[type, str]] = []
    file = io.StringIO()
    run(file=file)
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        run()
    shown = [without_addresses(each.getvalue()) for each in (file, stdout)]
    assert shown[0] == shown[1]
    return shown[0] + str(endings)


def without_addresses(text: str) -> str:
    """What is compiled twice lies in two places."""
    return re.sub("0x[0-9a-f]+", "0x", text)


def assert_same(name: str, *args: object, **options: object) -> str:
    expected = printed(theirs, name, *args, **options)
    assert printed(ours, name, *args, **options) == expected
    return expected


# ---- the module ----


def test_the_names() -> None:
    assert ours.__all__ == theirs.__all__
    assert set(dir(theirs)) <= set(dir(ours))
    for name in theirs.__all__:
        assert (getattr(ours, name) is getattr(theirs, name)) == (name not in OURS), name
    assert ours.Positions is theirs.Positions
    assert ours.pretty_flags is theirs.pretty_flags
    assert ours.disco is ours.disassemble


def test_a_star_import_brings_the_same_names() -> None:
    one, other = {}, {}
    exec("from dis import *", one)
    exec("from fettle.compat.dis import *", other)
    assert set(one) == set(other)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError):
        ours.no_such_thing  # noqa: B018


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_signatures(name: str) -> None:
    def shape(module: types.ModuleType) -> list[object]:
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(each.name, each.kind, each.default) for each in parameters]

    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize("name", ["dis", "disassemble", "distb", "get_instructions"])
def test_an_option_that_is_not_there(name: str) -> None:
    for option in ("show_offsets", "show_positions", "colour"):
        if option in getattr(theirs, name).__kwdefaults__:
            continue
        for module in (theirs, ours):
            with pytest.raises(TypeError, match=option):
                getattr(module, name)(CODES[0], **{option: True})


# ---- text ----


@WITH_OPTIONS
def test_text_of_code(options: dict[str, bool]) -> None:
    assert len(CODES) > 100
    rng = random.Random(9)
    for code in CODES:
        lasti = rng.randrange(-1, len(code.co_code) + 2)
        file, expected = io.StringIO(), io.StringIO()
        theirs.disassemble(code, lasti, file=expected, **options)
        ours.disassemble(code, lasti, file=file, **options)
        assert file.getvalue() == expected.getvalue(), (code, lasti)


def test_the_current_instruction_is_marked() -> None:
    """Wherever it is, in caches too."""
    code = next(each for each in CODES if each.co_name == "walk")
    marked = 0
    for lasti in range(-2, len(code.co_code) + 4):
        for show_caches in (False, True):
            shown = assert_same("disassemble", code, lasti, show_caches=show_caches)
            marked += "-->" in shown
    assert marked > len(code.co_code) // 4


class Shape:
    sides = 4

    def area(self) -> int:
        return self.sides**2

    @classmethod
    def make(cls) -> "Shape":
        return cls()

    @staticmethod
    def of(x: int) -> int:
        return sum([x for x in range(x) if x])

    class Inner:
        def method(self) -> None: ...


def generate() -> Iterator[int]:
    yield 1


async def agenerate():
    yield 1


async def wait() -> None: ...


class HasCode:
    """Not a function, but with code."""

    __code__ = generate.__code__


THINGS = {
    "function": generate,
    "method": Shape().area,
    "class method": Shape.make,
    "class": Shape,
    "instance": Shape(),
    "module": stringprep,
    "code": wait.__code__,
    "expression": "x + y.z[0]",
    "statements": "def f(x):\n  return lambda y: (x, y)\nf(1)",
    "wrong source": "a b",
    "empty source": "",
    "bytes": generate.__code__.co_code,
    "bytearray": bytearray(Shape.of.__code__.co_code),
    "no bytes": b"",
    "generator": generate(),
    "async generator": agenerate(),
    "has code": HasCode(),
    "partial": print,
    "number": 3,
    "object": object(),
}


@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=str)
@pytest.mark.parametrize("thing", THINGS)
def test_text_of_things(thing: str, options: dict[str, bool]) -> None:
    assert_same("dis", THINGS[thing], **options)


def test_text_of_a_coroutine() -> None:
    waiting = wait()
    assert "RETURN" in assert_same("dis", waiting)
    waiting.close()


@pytest.mark.parametrize("depth", [None, 0, 1, 2, 9, -1])
def test_depth(depth: int | None) -> None:
    nested = "def a():\n  def b():\n    def c(): pass\n    return c\n  return b"
    assert_same("dis", nested, depth=depth)
    assert_same("dis", Shape, depth=depth)


def test_a_class_with_what_cannot_be_taken_apart() -> None:
    class Odd:
        length = staticmethod(len)
        method = classmethod(print)

    assert "Sorry" in assert_same("dis", Odd)


# ---- tracebacks ----


def failing(depth: int) -> None:
    if depth:
        failing(depth - 1)
    raise ZeroDivisionError


def traceback() -> types.TracebackType | None:
    try:
        failing(3)
    except ZeroDivisionError as error:
        return error.__traceback__
    return None


@WITH_OPTIONS
def test_a_traceback(options: dict[str, bool]) -> None:
    shown = assert_same("distb", traceback(), **options)
    assert "-->" in shown or VERSION == (3, 11)  # which shows none in the caches of a call
    assert_same("distb", "no traceback")


@pytest.mark.parametrize("name", ["last_traceback", "last_exc"])
def test_the_last_traceback(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("last_traceback", "last_exc"):
        monkeypatch.delattr(sys, each, raising=False)
    assert "no last traceback" in assert_same("distb")
    assert "no last traceback" in assert_same("dis")
    last = traceback()
    value = last if name == "last_traceback" else ZeroDivisionError().with_traceback(last)
    monkeypatch.setattr(sys, name, value, raising=False)
    if name == "last_traceback" or VERSION >= (3, 12):
        assert "ZeroDivisionError" in assert_same("distb")
        assert "ZeroDivisionError" in assert_same("dis")


# ---- instructions ----


def as_told(instructions: Iterator[theirs.Instruction]) -> list[object]:
    """Each with its type; constants by what they are, for nan and code differ from themselves."""
    return [(type(each), type(each.argval), without_addresses(repr(each))) for each in instructions]


INSTRUCTIONS = [{}, {"first_line": 70}, {"first_line": 0}, {"show_caches": True}]
INSTRUCTIONS += [{"adaptive": True}] * CACHES_ARE_RIGHT


@pytest.mark.parametrize("options", INSTRUCTIONS, ids=str)
def test_instructions(options: dict[str, int]) -> None:
    for code in CODES:
        expected = as_told(theirs.get_instructions(code, **options))
        assert as_told(ours.get_instructions(code, **options)) == expected, code
        expected = as_told(theirs.Bytecode(code, **options))
        assert as_told(ours.Bytecode(code, **options)) == expected, code


def test_instructions_are_equal_and_of_the_peers_class() -> None:
    one, other = list(ours.get_instructions(generate)), list(theirs.get_instructions(generate))
    assert one == other
    assert all(isinstance(each, theirs.Instruction) for each in one)
    assert all(isinstance(each.positions, theirs.Positions) for each in one)
    assert isinstance(ours.Bytecode(generate), theirs.Bytecode)


@pytest.mark.parametrize("thing", THINGS)
def test_instructions_of_things(thing: str) -> None:
    def ending(module: types.ModuleType, name: str) -> object:
        try:
            return as_told(getattr(module, name)(THINGS[thing]))
        except Exception as error:
            return type(error), str(error)

    for name in ("get_instructions", "Bytecode"):
        assert ending(ours, name) == ending(theirs, name)


# ---- the object ----


@pytest.mark.parametrize("current", [None, -1, 0, 2, 12])
@pytest.mark.parametrize("first_line", [None, 0, 1, 900, 1200000])
def test_bytecode(first_line: int | None, current: int | None) -> None:
    for code in CODES[:40]:
        one = ours.Bytecode(code, first_line=first_line, current_offset=current)
        other = theirs.Bytecode(code, first_line=first_line, current_offset=current)
        assert one.dis() == other.dis(), code
    assert one.info() == other.info()
    assert repr(one) == repr(other)
    same = ("codeobj", "first_line", "current_offset", "exception_entries", "show_caches")
    assert all(getattr(one, name) == getattr(other, name) for name in same)


@WITH_OPTIONS
def test_bytecode_with_options(options: dict[str, bool]) -> None:
    for code in CODES[:40]:
        expected = theirs.Bytecode(code, **options).dis()
        assert ours.Bytecode(code, **options).dis() == expected


def test_bytecode_of_a_traceback() -> None:
    last = traceback()
    one, other = ours.Bytecode.from_traceback(last), theirs.Bytecode.from_traceback(last)
    assert type(one) is ours.Bytecode
    assert one.current_offset == other.current_offset
    assert one.dis() == other.dis()


# ---- the finders ----


def test_labels_and_lines() -> None:
    for code in CODES:
        assert ours.findlabels(code.co_code) == theirs.findlabels(code.co_code)
        assert list(ours.findlinestarts(code)) == list(theirs.findlinestarts(code))
    assert ours.findlabels(b"") == []


# ---- what the interpreter made of it ----


def test_specialised_code() -> None:
    def add(numbers: list[int]) -> int:
        total = 0
        for each in numbers:
            total += each
        return total

    for _ in range(100):
        add([1, 2, 3])
    plain = assert_same("dis", add)
    adaptive = assert_same("dis", add, adaptive=True)
    assert "BINARY_OP_ADD_INT" in adaptive
    assert adaptive != plain
    assert as_told(ours.get_instructions(add)) == as_told(theirs.get_instructions(add))
    if CACHES_ARE_RIGHT:
        assert_same("dis", add, adaptive=True, show_caches=True)
        expected = as_told(theirs.get_instructions(add, adaptive=True))
        assert as_told(ours.get_instructions(add, adaptive=True)) == expected


# ---- the command line ----


def command(module: str, *args: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    run = [sys.executable, "-m", module, *args]
    done = subprocess.run(
        run, input=stdin, capture_output=True, env={**os.environ, "COLUMNS": "80"}
    )
    return done.returncode, done.stdout, done.stderr


FLAGS = [[]]
FLAGS += [["-C"], ["-O"], ["--show-caches", "--show-offsets"]] * (VERSION >= (3, 13))
FLAGS += [["-P"], ["-S"], ["-COPS"], ["--show-positions"], ["--specialized"]] * (VERSION >= (3, 14))


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_the_command(flags: list[str], tmp_path) -> None:
    file = tmp_path / "source.py"
    file.write_text(SOURCE)
    for args, stdin in [([*flags, str(file)], b""), ([*flags, "-"], b"f(1)"), (flags, b"x = 1\n")]:
        one, other = (command(name, *args, stdin=stdin) for name in ("fettle.compat.dis", "dis"))
        assert one[0] == other[0] == 0
        assert one[2] == other[2]
        assert without_addresses(one[1].decode()) == without_addresses(other[1].decode())


def test_a_command_that_cannot_be_done(tmp_path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("x = 1\ny = = 2\n")
    missing = str(tmp_path / "missing.py")
    for args in ([str(wrong)], [missing], [str(tmp_path)], ["--no-such"], ["a", "b"]):
        status, stdout, stderr = command("fettle.compat.dis", *args)
        assert status == (1 if args == [str(wrong)] else 2)
        assert stdout == b""
        assert b"Traceback" not in stderr
    assert b"line 2" in command("fettle.compat.dis", str(wrong))[2]
    assert missing.encode() in command("fettle.compat.dis", missing)[2]


def test_the_help_names_the_same_options() -> None:
    def options(module: str) -> set[str]:
        status, text, _ = command(module, "-h")
        assert status == 0
        return {word.strip(",[]") for word in text.decode().split() if word[0] == "-"}

    assert options("fettle.compat.dis") - {"-"} == options("dis")
