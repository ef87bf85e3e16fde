# SPDX-License-Identifier: Apache-2.0
"""Which edits of a project change the identity of a function: each in processes of their own."""

import types
from pathlib import Path

import pytest

from .projects import digests, write

MAIN = '''
import enum
import functools
import math
import operator
import pathlib
import re
from collections import namedtuple
from dataclasses import dataclass

import helpers
import package.inner
from helpers import direct, Color
from package import exported

LIMIT = 10
FACTORS = [1, 2.0, {"a": (3, None)}]
TABLE = {"one": helpers.tabled}
NAMES = {"x", "y", "z"}
PATTERN = re.compile("a+")
PLACE = pathlib.Path("/data")
POINT = namedtuple("POINT", "x y")(1, 2)
JOIN = ", ".join
PICK = operator.itemgetter(1)
UNUSED = 1

def unused(x):
    return x

def logged(function):
    level = 3
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) * level
    return wrapper

@logged
def decorated(x):
    return x + 100

@functools.lru_cache
def kept(x):
    return x + 200

part = functools.partial(direct, 5)

def closure(k):
    def inner(x):
        return x * k
    return inner
times = closure(7)

class Base:
    FACTOR = 2
    def inherited(self):
        return 300

class Worker(Base):
    @property
    def speed(self):
        return 400
    @staticmethod
    def still():
        return 500
    def work(self):
        return self.inherited()

@dataclass
class Config:
    scale: int = 600
CONFIG = Config(700)

def callee(x, plus=800, *, key=900):
    """Docstring of callee."""
    # a comment
    def nested():
        "nested docstring"
        return x - 1000
    class Local:
        "class docstring"
        attribute = 1100
    return deeper(x) + nested() + Local.attribute + plus

def deeper(x):
    if x in {"p", "q", "r"}:
        return -0.0
    return 1200 if x else even(x)

KINDS = {Worker, Color, deeper, Color.RED, (1, Base), frozenset({len, logged}), 3, "s", None}

def even(n):
    return n == 0 or odd(n - 1)
def odd(n):
    return n != 0 and even(n - 1)

def f(x: int) -> int:
    """What f does."""
    import package.late as late
    from package.other import thing
    y = helpers.scale(x) + package.inner.twice(x) + late.run(x) + thing(x)
    y += callee(x) + direct(x) + decorated(x) + kept(x) + part() + times(x) + exported(x)
    alias = helpers
    y += alias.aliased(x) + (lambda: late.later(x))()
    y += Worker().work() + CONFIG.scale + LIMIT + len(FACTORS) + math.pi
    return y, TABLE, NAMES, PATTERN, PLACE, POINT, JOIN, PICK, KINDS, lambda z: z + 1300
'''
FILES = {
    "main.py": MAIN,
    "helpers.py": """
        import enum
        RATIO = 2000
        class Color(enum.Enum):
            RED = 2100
        def scale(x):
            return x * RATIO
        def direct(x):
            return x + 2200
        def tabled(x):
            return 2300
        def unrelated(x):
            return 2400
        def aliased(x):
            return 2500
    """,
    "package/__init__.py": "from package.reexport import exported\n",
    "package/reexport.py": "def exported(x): return 3000\ndef neighbour(x): return 3010\n",
    "package/inner.py": "def twice(x): return x * 3100\n",
    "package/late.py": "from . import deep\ndef run(x): return deep.go(x) + 3200\n"
    "def later(x): return 3250\n",
    "package/deep.py": "def go(x):\n    from .deepest import end\n    return end(x)\n",
    "package/deepest.py": "def end(x): return 3300\n",
    "package/other.py": "def thing(x): return 3400\ndef nothing(x): return 3410\n",
}

# (file, old text, new text)
CHANGES = [
    ("main.py", old, new)
    for old, new in [
        ("LIMIT = 10", "LIMIT = 11"),
        ("LIMIT = 10", "LIMIT = 10.0"),
        ("LIMIT = 10", "LIMIT = True"),
        ("LIMIT = 10", ""),
        ("[1, 2.0,", "[1, 2,"),
        ("(3, None)", "(4, None)"),
        ("helpers.tabled}", "helpers.unrelated}"),
        ('"y", "z"}', '"y", "w"}'),
        ('compile("a+")', 'compile("a*")'),
        ('compile("a+")', 'compile("a+", re.I)'),
        ('Path("/data")', 'Path("/datum")'),
        ('"x y")(1, 2)', '"x y")(1, 3)'),
        ('", ".join', '"; ".join'),
        ("itemgetter(1)", "itemgetter(2)"),
        ("level = 3", "level = 4"),
        ("return function(*args) * level", "return function(*args) * -level"),
        ("x + 100", "x + 101"),
        ("x + 200", "x + 201"),
        ("partial(direct, 5)", "partial(direct, 6)"),
        ("partial(direct, 5)", "partial(helpers.scale, 5)"),
        ("x * k", "x / k"),
        ("closure(7)", "closure(8)"),
        ("FACTOR = 2", "FACTOR = 3"),
        ("return 300", "return 301"),
        ("return 400", "return 401"),
        ("return 500", "return 501"),
        ("self.inherited()", "-self.inherited()"),
        ("int = 600", "int = 601"),
        ("Config(700)", "Config(701)"),
        ("plus=800", "plus=801"),
        ("key=900", "key=901"),
        ("x - 1000", "x - 1001"),
        ("attribute = 1100", "attribute = 1101"),
        ("1200 if x", "1201 if x"),
        ('"q", "r"}', '"q", "s"}'),
        ("-0.0", "0.0"),
        ("n != 0 and even", "n != 0 or even"),
        ("math.pi", "math.tau"),
        ("z + 1300", "z + 1301"),
        ("f(x: int)", "f(x: int = 1)"),
        ("def f(x: int) -> int:", "async def f(x):"),
        ("kept(x) +", "kept(x) -"),
        ("helpers.scale(x) +", "helpers.direct(x) +"),
        ("JOIN, PICK", "PICK, JOIN"),
    ]
] + [
    ("helpers.py", "RATIO = 2000", "RATIO = 2001"),
    ("helpers.py", "RED = 2100", "RED = 2101"),
    ("helpers.py", "x + 2200", "x + 2201"),
    ("helpers.py", "return 2300", "return 2301"),
    ("helpers.py", "x * RATIO", "x - RATIO"),
    ("package/reexport.py", "3000", "3001"),
    ("package/inner.py", "3100", "3101"),
    ("package/late.py", "3200", "3201"),
    ("package/late.py", "3250", "3251"),
    ("helpers.py", "return 2500", "return 2501"),
    ("package/deepest.py", "3300", "3301"),
    ("package/other.py", "3400", "3401"),
]
COSMETIC = [
    ("main.py", old, new)
    for old, new in [
        ('"""What f does."""', ""),
        ('"""What f does."""', '"""10 or what else f does."""'),
        ('"""Docstring of callee."""', '"""Another."""\n    # more'),
        ('"""Docstring of callee."""', ""),
        ('"nested docstring"', ""),
        ('"nested docstring"', '"other"'),
        ('"class docstring"', ""),
        ('"class docstring"', '"other"\n'),
        ("def odd(n):\n", 'def odd(n):\n    "has a docstring now"\n\n    # and comments\n\n'),
        ("    # a comment\n", "\n" * 300),
        ("import enum\n", "from __future__ import annotations\nimport enum\n"),
        ("f(x: int) -> int:", "f(x: float):"),
        ("f(x: int) -> int:", "f(x) -> 'anything':"),
        ("UNUSED = 1\n", "UNUSED = 2\n"),
        ("UNUSED = 1\n", ""),
        ("def unused(x):\n    return x\n", "def renamed(y):\n    return y + 1\n"),
        ("def unused(x):\n    return x\n", ""),
        ('{"x", "y", "z"}', '{"z", "x", "y"}'),
        ('{"p", "q", "r"}', '{"r", "q", "p", "q"}'),
        ("    def work(self):", "    def work(self) -> int:"),
        ("class Base:\n", "class Base:\n    '''About it.'''\n"),
        (
            "def even(n):\n    return n == 0 or odd(n - 1)\n"
            "def odd(n):\n    return n != 0 and even(n - 1)\n",
            "def odd(n):\n    return n != 0 and even(n - 1)\n"
            "def even(n):\n    return n == 0 or odd(n - 1)\n",
        ),
    ]
] + [
    ("helpers.py", "return 2400", "return 2401"),
    ("helpers.py", "RATIO = 2000", "RATIO = 2000  # comment"),
    ("package/reexport.py", "3010", "3011"),
    ("package/other.py", "3410", "3411"),
    ("package/other.py", "def nothing", "def another"),
    ("package/deepest.py", "def end(x): return", "def end(x):\n    '''Ends.'''\n    return"),
]


def edited(folder: Path, change: tuple[str, str, str]) -> Path:
    name, old, new = change
    assert FILES[name].count(old) == 1, (old, FILES[name].count(old))
    return write(folder, FILES | {name: FILES[name].replace(old, new)})


def all_digests(folder: Path, changes: list[tuple[str, str, str]]) -> tuple[str, list[str]]:
    folders = [write(folder / "plain", FILES)]
    folders += [edited(folder / str(at), change) for at, change in enumerate(changes)]
    found = digests(folders)
    assert all(each.startswith("main.f ") for each in found)
    return found[0], found[1:]


def test_what_the_function_reaches_changes_it(tmp_path: Path) -> None:
    plain, found = all_digests(tmp_path, CHANGES)
    assert [c for c, digest in zip(CHANGES, found, strict=True) if digest == plain] == []
    assert len(set(found)) == len(found), "different edits are different"


def test_what_it_does_not_reach_or_only_looks_different_does_not(tmp_path: Path) -> None:
    plain, found = all_digests(tmp_path, COSMETIC)
    assert [c for c, digest in zip(COSMETIC, found, strict=True) if digest != plain] == []


WARM = "[main.callee(1) for _ in range(3000)]; [main.even(9) for _ in range(3000)]"
TRACED = "import sys; sys.settrace(lambda *a: None); main.callee(1); main.f(1)"
PROFILED = "import sys; sys.setprofile(lambda *a: None); main.callee(1)"
IMPORTED = "import package.late, package.deepest, package.other, decimal, json"


@pytest.mark.parametrize(
    ("options", "before", "environment"),
    [
        ((), "pass", {"PYTHONHASHSEED": "1"}),
        ((), "pass", {"PYTHONHASHSEED": "77"}),
        ((), WARM, {}),
        ((), TRACED, {}),
        ((), PROFILED, {}),
        ((), IMPORTED, {}),
        ((), "main.f(1), main.f(2)", {}),
        (("-X", "no_debug_ranges"), "pass", {}),
    ],
)
def test_every_process_finds_the_same(
    tmp_path: Path, options: tuple[str, ...], before: str, environment: dict[str, str]
) -> None:
    write(tmp_path, FILES)
    assert digests([tmp_path], *options, before=before, **environment) == digests([tmp_path])


MONITORED = """
import sys
if hasattr(sys, "monitoring"):
            m = sys.monitoring
            m.use_tool_id(0, "test")
            e = m.events
            for event in (e.LINE, e.INSTRUCTION, e.CALL, e.PY_START, e.PY_RETURN, e.BRANCH, e.JUMP):
                m.register_callback(0, event, lambda *a: None)
            m.set_events(0, e.LINE | e.INSTRUCTION | e.CALL | e.PY_START | e.PY_RETURN | e.JUMP)
            main.f(1), main.callee(2)
"""


def test_monitoring_does_not_show(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    before = MONITORED.strip().replace("\nif", "\n        if")
    assert digests([tmp_path], before=before) == digests([tmp_path])


@pytest.mark.skipif(not hasattr(types, "LazyImportType"), reason="no lazy imports")
def test_what_is_imported_lazily_is_followed(tmp_path: Path) -> None:
    main = "import helpers\nfrom other import g\ndef f(x): return helpers.h(x) + g(x)\n"
    lazy = main.replace("import helpers", "lazy import helpers").replace("from", "lazy from")
    plain = {"main.py": main, "helpers.py": "def h(x): return 1", "other.py": "def g(x): return 2"}
    folders = [
        write(tmp_path / str(at), plain | change)
        for at, change in enumerate(
            [
                {},
                {"main.py": lazy},
                {"main.py": lazy, "helpers.py": "def h(x): return 3"},
                {"main.py": lazy, "other.py": "def g(x): return 3"},
            ]
        )
    ]
    found = digests(folders)
    assert found[0] == found[1] and len(set(found)) == 3
    assert digests(folders, before="main.f(1)") == found


def test_bytecode_files_do_not_show(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    import compileall

    first = digests([tmp_path])
    assert compileall.compile_dir(tmp_path, quiet=1)
    assert digests([tmp_path]) == first
