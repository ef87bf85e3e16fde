# SPDX-License-Identifier: Apache-2.0
"""What a program can see of its functions' code being rewritten while lines are recorded."""

import copy
import dis
import errno
import gc
import inspect
import marshal
import pickle
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from fettle._core import Profile, Recorder


def work(n: int) -> list[int]:
    """What is recorded."""
    found = [i + 0 for i in range(n)]
    return found


def recorder_of(*functions: object, **options: bool) -> Recorder:
    recorder = Recorder(**{"calls": False, "lines": True, **options})
    for function in functions:
        recorder.mark(function)
    return recorder


def hits(recorder: Recorder) -> dict[str, list[int]]:
    return {name: [row[1] for row in rows] for _, _, name, _, _, rows in recorder.profile().lines()}


def sites(code: CodeType) -> list[Any]:
    return [constant for constant in code.co_consts if type(constant).__name__ == "LineSite"]


def test_a_function_has_its_code_back_afterwards() -> None:
    original = work.__code__
    first, second = recorder_of(work), recorder_of(work)
    for _ in range(2):
        first.start()
        rewritten = work.__code__
        second.start()
        assert work.__code__ is rewritten and sites(rewritten)
        first.stop()
        assert work.__code__ is rewritten  # the second one still watches it
        second.stop()
        assert work.__code__ is original and not sites(original)


def test_functions_of_one_code_share_its_copy() -> None:
    made = [FunctionType(work.__code__, globals()) for _ in range(200)]
    dead = weakref.ref(made[0])
    with recorder_of(*made) as recorder:
        assert len({id(function.__code__) for function in made}) == 1
        for function in made:
            function(2)
        del made[100:]
        gc.collect()
    assert hits(recorder)["work"] == [200, 200]
    assert {function.__code__ for function in made} == {work.__code__}
    del made, function, recorder
    gc.collect()
    assert dead() is None


def test_code_that_the_program_sets_is_not_touched() -> None:
    def function() -> int:
        return 1

    def other() -> int:
        return 2

    with recorder_of(function):
        assert function() == 1
        function.__code__ = other.__code__
    assert function.__code__ is other.__code__ and function() == 2


def test_code_that_outlives_the_recording_goes_on() -> None:
    def generator() -> Iterator[int]:
        yield 1
        yield 2

    with recorder_of(generator) as recorder:
        left = generator()
        assert next(left) == 1
        kept = generator.__code__
    assert list(left) == [2]
    assert hits(recorder)["generator"] == [1, 0]
    again = FunctionType(kept, globals())
    del generator, recorder, left
    gc.collect()
    assert list(again()) == [1, 2]


def test_what_looks_at_code_sees_what_it_saw() -> None:
    def seen() -> list[Any]:
        return [
            inspect.getsource(work),
            inspect.signature(work),
            work.__doc__,
            work.__code__.co_firstlineno,
            work.__code__.co_varnames,
            [line for _, _, line in work.__code__.co_lines() if line is not None][-1],
        ]

    before = seen()
    with recorder_of(work):
        assert seen() == before
        assert "LineSite" not in "".join(map(str, work.__code__.co_names))
        assert any("<fettle line" in x.argrepr for x in dis.get_instructions(work))


def test_code_is_copied_and_pickled_but_not_marshalled() -> None:
    """As cloudpickle does: what the constants are on the other side does nothing there."""
    with recorder_of(work) as recorder:
        code = work.__code__
        with pytest.raises(ValueError, match="unmarshallable"):
            marshal.dumps(code)
        assert copy.deepcopy(work) is work
        site = sites(code)[0]
        assert pickle.loads(pickle.dumps(site)) == 0
        carried = [pickle.loads(pickle.dumps(x)) if x in sites(code) else x for x in code.co_consts]
    there = FunctionType(code.replace(co_consts=tuple(carried)), globals())
    assert there(3) == [0, 1, 2]
    assert hits(recorder)["work"] == [0, 0]
    with pytest.raises(TypeError):
        type(site)()


def test_errno_and_the_exception_being_handled_are_kept() -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=False)
    libc.__errno_location.restype = ctypes.POINTER(ctypes.c_int)
    number = libc.__errno_location()

    def function() -> tuple[int, Any]:
        try:
            raise KeyError
        except KeyError as error:
            number[0] = errno.EXDEV
            x = 1
            x = 2
            return number[0] + 0 * x, sys.exception() is error

    with recorder_of(function):
        assert function() == (errno.EXDEV, True)


def test_a_trace_function_beside() -> None:
    seen = []

    def trace(frame: Any, kind: str, _: Any) -> Any:
        if frame.f_code.co_name == "work":
            seen.append((kind, frame.f_lineno))
        return trace

    def traced() -> list[tuple[str, int]]:
        seen.clear()
        sys.settrace(trace)
        work(2)
        sys.settrace(None)
        return list(seen)

    before = traced()
    with recorder_of(work) as recorder:
        assert traced() == before
    assert hits(recorder)["work"] == [1, 1]


# ---- selections ----


def run(folder: Path, text: str, *, files: dict[str, str] | None = None) -> str:
    for name, source in (files or {}).items():
        (folder / name).write_text(textwrap.dedent(source))
    (folder / "app.py").write_text(textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


START = """
import sys
from fettle._core import Recorder
recorder = Recorder(calls=False, lines=True)
recorder.select("plugin")
recorder.start()
def show():
    recorder.stop()
    for _, _, _, name, calls, rows in recorder.profile().lines():
        print(name, calls, [row[1] for row in rows])
"""
PLUGIN = {"plugin.py": "def f():\n    return 1\nx = f()\n"}


def test_an_imported_module_is_selected(tmp_path: Path) -> None:
    text = START + "import plugin\nplugin.f()\nshow()\n"
    assert run(tmp_path, text, files=PLUGIN) == "<module> 1 [1, 1]\nf 2 [2]\n"


def test_a_module_that_was_imported_before_is_selected(tmp_path: Path) -> None:
    text = "import plugin\n" + START + "plugin.f()\nshow()\n"
    assert run(tmp_path, text, files=PLUGIN) == "f 1 [1]\n"


def test_audit_hooks_of_the_program_run_in_between(tmp_path: Path) -> None:
    """Between the event and the module's frame: their own modules and frames are not mistaken."""
    text = (
        START
        + """
def hook(event, arguments):
    if event == "exec":
        sum(x for x in range(5))
        eval("1 + 1") if arguments[0].co_filename != "<string>" else None
sys.addaudithook(hook)
import plugin
sys.modules.pop("plugin")
import plugin
show()
"""
    )
    assert run(tmp_path, text, files=PLUGIN) == "<module> 2 [2, 2]\nf 2 [2]\n"


def test_an_execution_that_does_not_come(tmp_path: Path) -> None:
    """exec() refuses after its event: nothing waits for the code for ever."""
    text = (
        START
        + """
code = compile("x = 1", "x.py", "exec")
try:
    exec(code, {}, 5)
except TypeError as error:
    print("refused")
try:
    exec(code, {}, closure=(1,))
except TypeError as error:
    print("refused")
def busy(n):
    return n and busy(n - 1)
for _ in range(2000):
    busy(3)
import plugin
show()
"""
    )
    assert run(tmp_path, text, files=PLUGIN) == "refused\nrefused\n<module> 1 [1, 1]\nf 1 [1]\n"


@pytest.mark.parametrize("options", [["-C"], ["-C", "--no-builtins"], []])
def test_calls_beside_a_selection(tmp_path: Path, options: list[str]) -> None:
    """PEP 523 has one place, and the calls of --no-builtins are told there."""
    (tmp_path / "plugin.py").write_text(PLUGIN["plugin.py"])
    (tmp_path / "app.py").write_text("import plugin\nfor _ in range(10):\n    plugin.f()\n")
    command = ["-m", "fettle", "run", "-q", *options, "--lines=plugin", "--lines=app", "app.py"]
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True)
    profile = Profile.read(str(tmp_path / "app.fettle"))
    lines = {name: [row[1] for row in rows] for *_, name, _, rows in profile.lines() if name == "f"}
    assert lines == {"f": [11]}
    assert [row[1] for row in profile.lines()[0][-1]] == [1, 11, 10]  # app.py
    calls = {row.name: row.calls for row in profile.functions()}
    assert calls.get("f", 0) == (11 if options else 0)
