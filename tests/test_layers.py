# SPDX-License-Identifier: Apache-2.0
"""The street is one way (ARCHITECTURE.md): who may include whom, who may know CPython's insides."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # the sources are looked at, not run

ROOT = Path(__file__).resolve().parent.parent

# What a folder may include besides itself; the longest matching folder counts. A folder that is
# missing here fails the test: its place on the street must be decided.
MAY_INCLUDE = {
    "engine/base": [],
    "engine/bytecode": ["engine/base"],
    "engine/model": ["engine/base"],
    "engine/record": ["engine/base", "engine/model"],
    "engine/file": ["engine/base", "engine/model"],
    "engine/export": ["engine/base", "engine/model"],
    "engine/cache": ["engine/base"],
    "engine/store": ["engine/base"],
    "engine/stats": ["engine/base"],
    "glue": ["engine"],
    "glue/bytecode": ["engine/base", "engine/bytecode", "glue"],
    "glue/caching": ["engine/base", "engine/cache", "engine/stats", "glue"],
    "glue/objects": ["engine/base", "glue"],
    "glue/persist": ["engine/base", "engine/store", "glue"],
    "glue/probes": ["engine/base", "engine/model", "engine/record", "glue"],
    "glue/timing": ["engine/base", "engine/stats", "glue"],
    "glue/types": ["engine", "glue"],
}
COMPAT = ("glue/compat.h", "glue/compat_objects.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
PYTHON_HEADER = re.compile(
    r"(^|/)(Python|structmember|frameobject|patchlevel|py\w+)\.h$|^internal/"
)
C_VERSION = re.compile(
    r"\bPY_(VERSION_HEX|(MAJOR|MINOR|MICRO)_VERSION|RELEASE_LEVEL|VERSION)\b|\bPy_Version\b"
)
C_PRIVATE = re.compile(r"\b_Py[A-Z_]\w*|\bPy_BUILD_CORE\w*|\binternal/\w+|\bpycore_\w+")
# Compared, not printed.
VERSION_NAME = r"\bsys\.(version_info|hexversion)\b(\.\w+|\[[^]]*\])?"
PYTHON_VERSION = re.compile(
    rf"{VERSION_NAME}\s*([<>=!]=|[<>]|in\b)|([<>=!]=|[<>]|\bin)\s*{VERSION_NAME}"
)
# A comment, or a string that might look like one.
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(text: str) -> str:
    """The C source with comments blanked and the line structure kept."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0][0] in "\"'" else re.sub(r"[^\n]", " ", match[0])

    return COMMENT.sub(blank, text)


def layer(path: str) -> str | None:
    """The longest folder of MAY_INCLUDE that holds path."""
    return max((f for f in MAY_INCLUDE if path.startswith(f + "/")), key=len, default=None)


def wrong_includes(path: str, code: str) -> Iterator[str]:
    home = layer(path)
    if home is None:
        yield f"{path}: its folder has no place on the street yet: name it in MAY_INCLUDE"
        return
    for kind, name in INCLUDE.findall(code):
        if kind == '"' and not (ROOT / name).parent.is_dir():
            yield f'{path}: "{name}" is not a path from the root'
        if not name.startswith(("engine/", "glue/", "tests/", "python/", "fuzz/", "bench/")):
            continue
        allowed = [home, *MAY_INCLUDE[home]]
        if not any(name.startswith(folder + "/") for folder in allowed):
            yield f"{path}: {home} may not include {name}"


def python_in_engine(path: str, code: str) -> Iterator[str]:
    if path.startswith("engine/"):
        for _, name in INCLUDE.findall(code):
            if PYTHON_HEADER.search(name):
                yield f"{path}: the engine sees {name}"


def cpython_insides(path: str, code: str) -> Iterator[str]:
    if path in COMPAT:
        return
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, what in ((C_VERSION, "tests a Python version"), (C_PRIVATE, "private name")):
            if match := pattern.search(line):
                yield f"{path}:{number}: {what} outside {COMPAT[0]}: {match[0]}"


def check_c(path: str, text: str) -> list[str]:
    """Every breach of the two rules in one C file."""
    code = without_comments(text)
    return [
        *python_in_engine(path, code),
        *wrong_includes(path, code),
        *cpython_insides(path, code),
    ]


def check_python(path: str, text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [f"{path}:{n}: tests a Python version" for n, s in lines if PYTHON_VERSION.search(s)]


def files(folders: list[str], suffixes: set[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes:
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def test_the_c_sources_keep_the_rules() -> None:
    sources = list(files(["engine", "glue"], {".c", ".h"}))
    assert len(sources) > 10
    assert [breach for path, text in sources for breach in check_c(path, text)] == []


def test_the_python_package_keeps_the_rules() -> None:
    sources = list(files(["python/fettle"], {".py", ".pyi"}))
    assert sources
    assert [breach for path, text in sources for breach in check_python(path, text)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/base/x.c", "#include <Python.h>\n"),
        ("engine/base/x.c", '#  include "Python.h"\n'),
        ("engine/model/x.c", "#include <internal/pycore_frame.h>\n"),
        ("engine/base/x.c", '#include "engine/model/tree.h"\n'),
        ("engine/model/x.h", '#include "engine/file/reader.h"\n'),
        ("engine/record/x.h", '#include "engine/export/exporter.h"\n'),
        ("engine/export/x.c", '#include "engine/record/arena.h"\n'),
        ("engine/file/x.c", '#include "glue/state.h"\n'),
        ("engine/file/x.c", '#include "tests/engine/tap.h"\n'),
        ("engine/novel/x.c", '#include "engine/base/mem.h"\n'),
        ("engine/base/x.c", '#include "nowhere/mem.h"\n'),
        ("glue/probes/x.c", '#include "engine/file/writer.h"\n'),
        ("glue/module.c", "#if PY_VERSION_HEX >= 0x030C0000\n"),
        ("glue/module.c", "#if PY_MINOR_VERSION > 11\n"),
        ("glue/module.c", "if (Py_Version > 0) {}\n"),
        ("glue/probes/x.c", "_PyInterpreterFrame *frame;\n"),
        ("glue/probes/x.c", "_Py_IDENTIFIER(x);\n"),
        ("glue/probes/x.c", "#define Py_BUILD_CORE 1\n"),
        ("glue/types/x.c", '#include "internal/pycore_code.h"\n'),
        ("glue/types/x.c", 'f("/*"); _PyEval_SetProfile(0); g("*/");\n'),
        ("engine/base/x.c", "#ifdef PY_VERSION_HEX\n"),
    ],
)
def test_a_breach_is_found(path: str, text: str) -> None:
    assert check_c(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/record/x.c", '#include "engine/model/tree.h"\n#include <stdint.h>\n'),
        ("engine/base/x.c", "/* unlike Python.h: #include <Python.h>\n _PyFrame */ int x;\n"),
        ("glue/compat.h", "#if PY_VERSION_HEX >= 0x030C0000\n_PyInterpreterFrame *frame;\n"),
        ("glue/module.c", '#include <Python.h>\n#include "glue/compat.h"\n'),
        ("glue/module.c", '#include "engine/file/reader.h"\n// since _Py_Thing went\n'),
        ("glue/probes/x.c", "PyObject *Py_None_; int my_Py;\n"),
    ],
)
def test_good_code_passes(path: str, text: str) -> None:
    assert check_c(path, text) == []


def test_a_version_test_in_python_is_found() -> None:
    for test in (
        "if sys.version_info >= (3, 12): ...",
        "x = sys.version_info[1] == 11",
        "x = sys.version_info.minor in (11, 12)",
        "x = 0x030C0000 < sys.hexversion",
    ):
        assert check_python("python/fettle/x.py", f"import sys\n{test}\n"), test
    printed = "print(sys.version, sys.version_info[:3])\n"
    assert check_python("python/fettle/x.py", printed) == []
