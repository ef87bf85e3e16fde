# SPDX-License-Identifier: Apache-2.0
"""Which code a selector means: a table of cases, asked of real code objects."""

import os
import sys
import types
from pathlib import Path

import pytest
from fettle._core import Recorder

SOURCE = """
import functools
def top(): pass
def other():
    def inner(): pass
    return inner
class User:
    def save(self): pass
    class Name:
        def show(self): pass
class Users:
    def save(self): pass
"""
ALL = {"<module>", "top", "other", "other.inner", "User.save", "User.Name.show", "Users.save"}
USER = {"User.save", "User.Name.show"}


def selected(selector: str, file: str, module: str) -> set[str]:
    """The functions of a module with that file and name that have a table after it ran.

    On 3.11 functions of modules that were imported before have one, too, run or not."""
    names = {"__name__": module}
    recorder = Recorder(calls=False, lines=True)
    recorder.select(selector)
    code = compile(SOURCE, file, "exec")
    with recorder:
        exec(code, names)
        names["top"](), names["other"]()()
        names["User"]().save(), names["User"].Name().show(), names["Users"]().save()
    found = set()
    for path, _, _, qualname, calls, _ in recorder.profile().lines():
        if path != file and calls == 0 and not hasattr(sys, "monitoring"):
            continue
        assert path == file and calls == 1
        found.add(qualname.replace("<locals>.", ""))
    return found


MODULES = [
    # selector, module, what it means
    ("app", "app", ALL),
    ("app", "app.models", ALL),
    ("app", "app.models.user", ALL),
    ("app", "apple", set()),
    ("app", "my.app", set()),
    ("app.models", "app", set()),
    ("app.models", "app.models", ALL),
    ("app.model?", "app.models", ALL),
    ("app.*", "app.models", ALL),
    ("*.models", "app.models", ALL),
    ("a[!a-o]p", "app", ALL),
    ("a[a-o]p", "app", set()),
    ("*", "app", ALL),
    ("app:User", "app", USER),
    ("app:User", "app.models", USER),
    ("app.User", "app", USER),
    ("app.User", "app.models", set()),
    ("app:User.save", "app", {"User.save"}),
    ("app.User.save", "app", {"User.save"}),
    ("app:User*", "app", USER | {"Users.save"}),
    ("app:*.save", "app", {"User.save", "Users.save"}),
    ("app:other", "app", {"other", "other.inner"}),
    ("app:other.inner", "app", {"other.inner"}),
    ("app:inner", "app", set()),
    ("app:*inner", "app", {"other.inner"}),
    ("app:top", "app", {"top"}),
    ("app:to", "app", set()),
    ("app:T*", "app", set()),
    ("app:top", "__main__", set()),
    ("app:", "app", ALL),
    ("script", "__main__", ALL),
    ("script:top", "__main__", {"top"}),
    ("script.top", "__main__", {"top"}),
    ("__main__", "__main__", ALL),
    ("__main__:User", "__main__", USER),
    ("script", "other", set()),
    ("", "app", set()),
    (":", "app", set()),
    (".", "app", set()),
    ("[", "app", set()),
    ("app:[", "app", set()),
]


@pytest.mark.parametrize("selector, module, expected", MODULES)
def test_modules(selector: str, module: str, expected: set[str]) -> None:
    assert selected(selector, "/somewhere/script.py", module) == expected


FILES = [
    # selector, file, what it means
    ("/a/b/app.py", "/a/b/app.py", ALL),
    ("/a/b/app.py", "/a/b/app.pyc", set()),
    ("/a/b/app.py", "/a/c/app.py", set()),
    ("/a/b/app.py:User", "/a/b/app.py", USER),
    ("/a/b/app.py:User.save", "/a/b/app.py", {"User.save"}),
    ("/a/b/*.py", "/a/b/app.py", ALL),
    ("/a/*.py", "/a/b/app.py", set()),  # a star stays in its folder
    ("/a/*/app.py", "/a/b/app.py", ALL),
    ("/a/*/app.py", "/a/b/c/app.py", set()),
    ("/a/**/app.py", "/a/b/c/app.py", ALL),
    ("/a/**/app.py", "/a/b/app.py", ALL),
    ("/a/**/*.py", "/a/b/c/d.py", ALL),
    ("/a/**/app.py", "/a/app.py", ALL),  # no folder between is one of the ways
    ("/a/**/app.py", "/a/myapp.py", set()),
    ("/a/**/b/**/app.py", "/a/b/app.py", ALL),
    ("/a/**", "/a/b/c/d.py", ALL),
    ("/a/**/app.py", "/b/b/app.py", set()),
    ("/a/b/a??.py", "/a/b/app.py", ALL),
    ("/a/b/[ab]pp.py:t*", "/a/b/app.py", {"top"}),
    ("app.py", "/elsewhere/app.py", set()),  # below the working folder
]


@pytest.mark.parametrize("selector, file, expected", FILES)
def test_files(selector: str, file: str, expected: set[str]) -> None:
    assert selected(selector, file, "anything") == expected


def test_files_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path / "app.py")
    for selector in ("app.py", "./app.py", "./*.py", "*.py", "./**/app.py"):
        assert selected(selector, here, "app") == ALL, selector
    (tmp_path / "src").mkdir()
    assert selected("src/*.py", str(tmp_path / "src" / "app.py"), "app") == ALL
    assert selected("src/app.py", here, "app") == set()


def test_relative_file_names_of_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that was compiled with a path below the folder of that time."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(SOURCE)
    assert selected(str(tmp_path / "app.py"), "app.py", "app") == ALL


def test_folders_that_are_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "app.py").write_text(SOURCE)
    os.symlink("real", tmp_path / "link")
    real, link = str(tmp_path / "real" / "app.py"), str(tmp_path / "link" / "app.py")
    assert selected(link, link, "app") == ALL
    assert selected(real, link, "app") == ALL
    assert selected(real, real, "app") == ALL


def test_the_main_module_of_a_package() -> None:
    assert selected("tool", "/x/tool/__main__.py", "__main__") == ALL
    assert selected("tool:top", "/x/tool/__main__.py", "__main__") == {"top"}


@pytest.mark.once
@pytest.mark.parametrize("name", [None, 5, "", "\udc80", "x" * 100_000, types])
def test_hostile_module_names(name: object) -> None:
    """Nothing fails, whatever stands in the globals."""
    names = {"__name__": name}
    recorder = Recorder(calls=False, lines=True)
    recorder.select("app")
    recorder.select("*:" + "y" * 100_000)
    with recorder:
        exec(compile("def f(): pass\nf()", "\udc80" * 5000, "exec"), names)
    assert recorder.profile().lines() == []


def test_several_selectors_and_marks() -> None:
    recorder = Recorder(calls=False, lines=True)
    recorder.select("app:top")
    recorder.select("app:User")
    names = {"__name__": "app"}
    with recorder:
        exec(compile(SOURCE, "/x/app.py", "exec"), names)
        recorder.mark(names["other"])
    found = {name for _, _, _, name, _, _ in recorder.profile().lines()}
    assert found == {"top", "other", *USER}


def test_a_selector_is_text_and_comes_first() -> None:
    recorder = Recorder(calls=False, lines=True)
    with pytest.raises(TypeError):
        recorder.select(5)  # type: ignore[arg-type]
    with recorder:
        pass
    with pytest.raises(RuntimeError):
        recorder.select("app")
