# SPDX-License-Identifier: Apache-2.0
"""The conventions of CONTRIBUTING.md that a machine can check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # the sources are looked at, not run

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES, FILE_LINES, COLUMNS = 40, 800, 100
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"

C_FOLDERS = ["engine", "glue", "tests/engine", "fuzz", "bench"]
PYTHON_FOLDERS = ["python", "tools", "tests", "bench", "examples"]
# Programs that do odd things on purpose; ruff leaves them alone too.
SPECIMENS = ("tests/calls/programs/", "tests/golden/")
EXCUSE = re.compile(r"\bLong because\b")


def sources(folders: list[str], pattern: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(pattern)):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def c_sources() -> dict[str, str]:
    return dict(sources(C_FOLDERS, "*.[ch]"))


def python_sources() -> dict[str, str]:
    found = dict(sources(PYTHON_FOLDERS, "*.py"))
    return {path: text for path, text in found.items() if not path.startswith(SPECIMENS)}


def long_c_functions(path: str, text: str) -> Iterator[str]:
    """Bodies that are too long; clang-format puts a function's braces into the first column."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES and not EXCUSE.search(
                comment_above(lines, start)
            ):
                yield f"{path}:{start}: {number - start - 1} lines: {lines[start - 1].strip()}"
            start = None


def comment_above(lines: list[str], brace: int) -> str:
    """The comment that ends right above the function whose body opens at lines[brace]."""
    end = brace
    while end > 0 and lines[end - 1].strip() and not lines[end - 1].rstrip().endswith("*/"):
        end -= 1
    start = end
    while start > 0 and lines[start - 1].strip() and not lines[start - 1].lstrip().startswith("/*"):
        start -= 1
    return "\n".join(lines[max(start - 1, 0) : end])


def long_python_functions(path: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {length} lines: {node.name}"


def long_files_and_lines(path: str, text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines"
    yield from (f"{path}:{n}: {len(s)} columns" for n, s in enumerate(lines, 1) if len(s) > COLUMNS)


def test_functions_are_short() -> None:
    found = [each for item in c_sources().items() for each in long_c_functions(*item)]
    found += [each for item in python_sources().items() for each in long_python_functions(*item)]
    assert found == []


def test_files_and_lines_are_short() -> None:
    everything = c_sources() | python_sources()
    assert [each for item in everything.items() for each in long_files_and_lines(*item)] == []


def test_c_files_begin_with_the_licence_and_a_head_comment() -> None:
    for path, text in c_sources().items():
        first, second = text.split("\n", 2)[:2]
        assert first == SPDX, path
        assert second.startswith(f"/* {Path(path).name}: "), (
            f"{path}: its head comment says what it holds"
        )


@pytest.mark.parametrize(
    ("list_file", "folder", "pattern", "entry"),
    [
        ("engine/meson.build", "engine", "**/*.c", "{path}"),
        ("glue/meson.build", "glue", "**/*.c", "{path}"),
        ("tests/engine/meson.build", "tests/engine", "test_*.c", "{stem}"),
        ("fuzz/meson.build", "fuzz", "fuzz_*.c", "{target}"),
    ],
)
def test_every_c_file_is_built(list_file: str, folder: str, pattern: str, entry: str) -> None:
    text = (ROOT / list_file).read_text()
    for file in (ROOT / folder).glob(pattern):
        path = file.relative_to(ROOT / folder).as_posix()
        name = entry.format(path=path, stem=file.stem, target=file.stem.removeprefix("fuzz_"))
        assert f"'{name}'" in text, f"{list_file} does not name {name}"


def test_no_byte_code_is_installed() -> None:
    """What lies beside the sources of who has run them."""
    text = (ROOT / "glue/meson.build").read_text()
    package = ROOT / "python/fettle"
    for folder in {file.parent.relative_to(package) for file in package.rglob("*.py")}:
        assert f"'{(folder / '__pycache__').as_posix()}'," in text, folder


def test_every_fuzz_target_has_a_corpus() -> None:
    for target in (ROOT / "fuzz").glob("fuzz_*.c"):
        corpus = ROOT / "fuzz" / "corpus" / target.stem.removeprefix("fuzz_")
        assert any(corpus.iterdir()), corpus


def test_the_version_is_one() -> None:
    package = (ROOT / "python/fettle/__init__.py").read_text()
    build = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())
    assert build and f'__version__ = "{build[1]}"' in package


@pytest.mark.parametrize("folder", ["engine", "glue"])
def test_basenames_are_unique(folder: str) -> None:
    names = [Path(path).name for path, _ in sources([folder], "*.[ch]")]
    assert sorted(set(names)) == sorted(names)


def test_the_checkers_can_fail() -> None:
    body = "    x();\n" * (FUNCTION_LINES + 1)
    assert list(long_c_functions("x.c", "static int f(void)\n{\n" + body + "}\n"))
    assert not list(long_c_functions("x.c", "int f(void)\n{\n" + body[9:] + "}\n"))
    excused = "/* A table.\n * Long because it is one. */\nint f(void)\n{\n" + body + "}\n"
    assert not list(long_c_functions("x.c", excused))
    unrelated = "/* Long because. */\nint x;\n\nint f(void)\n{\n" + body + "}\n"
    assert list(long_c_functions("x.c", unrelated))
    assert list(long_python_functions("x.py", "def f():\n" + body))
    assert not list(long_python_functions("x.py", "def f():\n" + body[9:]))
    assert list(long_files_and_lines("x.py", "\n" * (FILE_LINES + 1)))
    assert list(long_files_and_lines("x.py", "x" * (COLUMNS + 1)))
