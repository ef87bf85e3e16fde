# SPDX-License-Identifier: Apache-2.0
"""Selectors: read here as the core reads them, and what is said where they mean nothing."""

import random
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest
from fettle import _core, nearby, selectors

from .harness import Folder

SHOP = {
    "shop/__init__.py": "def open(): pass\n",
    "shop/cart.py": """\
class Cart:
    class Item:
        def price(self): pass
    def add(self):
        def check(): pass
        check()
class Cartoon:
    def add(self): pass
def add():
    Cart().add(); Cart.Item().price(); Cartoon().add()
""",
    "shop/store/__init__.py": "",
    "shop/store/disk.py": "def write(): pass\nasync def add(): pass\n",
    "cart.py": "def add(): pass\n",
}
CALLS = ["shop.cart:add", "shop:open", "shop.store.disk:write", "cart:add"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in SHOP.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"shop", "cart"}]:
        del sys.modules[name]


def recorded(wanted: list[str]) -> set[tuple[str, str]]:
    """The functions whose lines the core records: file and qualified name."""
    recorder = _core.Recorder(calls=False, lines=True)
    for selector in wanted:
        recorder.select(selector)
    forget()
    with recorder:
        for call in CALLS:
            module, _, name = call.partition(":")
            getattr(import_module(module), name)()
    return {(table[0], table[3]) for table in recorder.profile().lines()}


def chosen(selector: str, every: set[tuple[str, str]], top: Path) -> set[tuple[str, str]]:
    def module(file: str) -> str:
        path = Path(file).relative_to(top).with_suffix("")
        return ".".join(path.parts[:-1] if path.name == "__init__" else path.parts)

    return {each for each in every if selectors.matches(selector, *each, [module(each[0])])}


PLACES = ["shop", "shop.cart", "shop.store", "shop.*", "sh?p", "*", "cart", "nothing", "shop.car"]
FILES = [
    *["shop/cart.py", "./cart.py", "cart.py", "shop/*.py", "*.py", "*/cart.py", "shop/**"],
    *["../*/cart.py", "shop/store/[!_]*.py", "nothing.py", "/*.py", "shop/../cart.py"],
]
NAMES = ["", "add", "Cart", "Cart.add", "Cart.Item", "*.add", "C*", "Cart.add.check", "price", "x"]


@pytest.mark.once
@pytest.mark.parametrize("seed", range(4))
def test_a_selector_means_here_what_it_means_to_the_core(shop: Path, seed: int) -> None:
    every = recorded(["*"])
    every = {each for each in every if each[0].startswith(str(shop))}
    assert len(every) == 14
    rng = random.Random(seed)
    for _ in range(60):
        place, name = rng.choice(PLACES + FILES), rng.choice(NAMES)
        selector = place + rng.choice([":", ":", "."]) * bool(name) + name
        absolute = selectors.absolute(selector)
        found = {each for each in recorded(absolute) if each[0].startswith(str(shop))}
        assert chosen(selector, every, shop) == found, selector


@pytest.mark.parametrize("name", ["a b", "50%", "a\tb\nc", "é", "\u2028x", "a%20b", "\udcff"])
def test_words_have_no_blanks_and_are_read_back(name: str) -> None:
    (word,) = selectors.words(f"{name}:f")
    assert word.split() == [word]
    assert unquote(word, errors="surrogateescape") == f"{name}:f"


def test_files_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    top = str(tmp_path.resolve())
    assert selectors.absolute("a.py") == [f"{top}/a.py"]
    assert selectors.absolute("./x/../a*.py:f") == [f"{top}/a*.py:f"]
    assert selectors.absolute("link/*.py") == [f"{top}/link/*.py", f"{top}/real/*.py"]
    assert selectors.absolute("link/a.py:f") == [f"{top}/link/a.py:f", f"{top}/real/a.py:f"]
    assert selectors.absolute("a.b:c") == ["a.b:c"]


def test_a_folder_with_the_name_of_a_glob(folder: Folder) -> None:
    odd = folder.path / "a[b]*c d%20"
    odd.mkdir()
    (odd / "app.py").write_text("def f():\n    return 1\nf()\n")
    ended = Folder(odd).fettle("run", "--lines=app.py:f", "app.py")
    assert "app.py:1 f    1 call" in ended.stderr
    assert "fettle: " not in ended.stderr


# ---- selectors that mean nothing ----

APP = """\
import helper
class User:
    def add(self): pass
def main(): User().add()
main()
"""


@pytest.fixture
def app(folder: Folder) -> Folder:
    folder.write("app.py", APP)
    folder.write("helper.py", "def twice(n): return 2 * n\n")
    folder.write("unused.py", "def f(): pass\n")
    return folder


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("app:Usr", "near: app:User."),
        ("app.Usr", "near: app:User."),
        ("app.py:usr", "near: app.py:User."),
        ("app:ad", "near: app:User.add."),
        ("__main__:mian", "near: __main__:main."),
        ("helpr", "near: helper."),
        ("helpr:twice", "near: helper:twice."),
        ("ap.py", "near: app.py."),
        ("unused", "the program did not load it."),
        ("unused:f", "the program did not load it."),
        ("./unused.py", "the program did not load it."),
        ("zzz", "write FILE, FILE:NAME or MODULE:NAME."),
        ("/no/where/*.py", "write FILE, FILE:NAME or MODULE:NAME."),
        ("\x1b[2Jzz", "write FILE, FILE:NAME or MODULE:NAME."),
    ],
)
def test_what_matched_nothing_is_said_with_near_names(
    app: Folder, selector: str, hint: str
) -> None:
    ended = app.fettle("run", f"--lines={selector}", "--lines=helper", "app.py")
    said = [line for line in ended.stderr.splitlines() if line.startswith("fettle: ")]
    assert len(said) == 1
    assert said[0].startswith("fettle: --lines=")
    assert "matched nothing" in said[0]
    assert said[0].endswith(hint)
    assert said[0].isprintable()


@pytest.mark.parametrize(
    "selector",
    ["app", "ap?", "app:User", "app.main", "__main__", "__main__:User.add", "helper", "*.py"],
)
def test_what_matched_is_not_mentioned(app: Folder, selector: str) -> None:
    ended = app.fettle("run", f"--lines={selector}", "app.py")
    assert (ended.code, "fettle: " in ended.stderr) == (0, False), ended.stderr


def test_nothing_marked_is_said_with_the_ways_to_mark(app: Folder) -> None:
    ended = app.fettle("run", "-lq", "app.py")
    assert "@profile" in ended.sentence()
    assert "--lines=FILE" in ended.sentence()


def test_a_program_that_never_began_is_not_told_to_mark(folder: Folder) -> None:
    folder.write("bad.py", "def f(:")
    said = folder.fettle("run", "-lq", "bad.py").stderr
    assert "before the first line" in said
    assert "@profile" not in said


def test_functions_are_found_without_running_the_file(folder: Folder) -> None:
    text = "if 1:\n    def f():\n        class A:\n            async def g(self): pass\n1/0\n"
    assert set(nearby.qualnames(str(folder.write("a.py", text)))) == {"f", "f.A", "f.A.g"}
    for bad in ("def f(:", "\0", "(" * 5000):
        assert nearby.qualnames(str(folder.write("a.py", bad))) == []
