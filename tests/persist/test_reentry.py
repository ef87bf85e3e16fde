# SPDX-License-Identifier: Apache-2.0
"""Kept functions while the program's own code runs amid a call: nothing that is in use is freed,
and what the code changes counts."""

import gc
import os
import sys
import textwrap
from types import ModuleType
from typing import Any

import fettle
import pytest

from .memos import CALLS, Programs


class Intruder:
    """Its pickling does something."""

    def __init__(self, does: Any) -> None:
        self.does = does

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.does()
        return Intruder, ()


def anything(*args: object, **keywords: object) -> int:
    CALLS.append(args)
    return len(args)


@pytest.mark.parametrize("keywords", [[1], "ab", b"ab", 5, {1: 2}, {"a": 1, None: 2}])
def test_keywords_that_are_none(memo: fettle.Memo, keywords: Any) -> None:
    kept: Any = memo(anything)
    with pytest.raises(TypeError, match="keywords"):
        type(kept).key(kept, (1,), keywords)


def test_a_dict_that_says_another_length(memo: fettle.Memo) -> None:
    class Long(dict[str, int]):
        def __len__(self) -> int:
            return 1 << 20

    kept: Any = memo(anything)
    key = type(kept).key
    assert key(kept, (1,), Long(a=1)) == key(kept, (1,), {"a": 1}) != key(kept, (1,), None)


def test_keywords_that_go_while_their_key_is_made(memo: fettle.Memo) -> None:
    def empty() -> None:
        keywords.clear()
        gc.collect()
        del spare[:]

    spare = [bytearray(4000) for _ in range(10)]
    keywords: dict[str, Any] = {"a": Intruder(empty), "b": [Intruder(int) for _ in range(3)]}
    kept: Any = memo(anything)
    key = type(kept).key
    assert key(kept, (), keywords) == key(
        kept, (), {"a": Intruder(int), "b": [Intruder(int) for _ in range(3)]}
    )
    assert keywords == {}


class Strange:
    """A key of a namespace that a name is compared with, and whose comparison does something."""

    does: Any = None

    def __hash__(self) -> int:
        return hash("helper")

    def __eq__(self, other: object) -> bool:
        does, self.does = self.does, None
        if does is not None:
            does()
        return False


def strange_module() -> tuple[Any, Strange]:
    module, strange = ModuleType("strange"), Strange()
    namespace: dict[Any, Any] = module.__dict__
    names = dict(namespace)
    namespace.clear()
    namespace[strange] = 1  # first, so that it is met on the way
    namespace.update(names)
    text = "def helper(x):\n    return x + 1\ndef work(x):\n    return helper(x)\n"
    exec(text, module.__dict__)
    return module, strange


def test_settling_anew_while_names_are_looked_up(memo: fettle.Memo) -> None:
    module, strange = strange_module()
    kept: Any = memo(module.work)
    assert kept(1) == 2
    for i in range(5):
        strange.does = kept.handle.settle
        setattr(module, f"other{i}", 1)
        assert kept(1) == 2
        assert strange.does is None, "the comparison did not run: this tests nothing"


def test_a_call_while_names_are_looked_up(memo: fettle.Memo) -> None:
    """In it another call: each with the code as it is."""
    module, strange = strange_module()
    kept: Any = memo(module.work)
    assert kept(1) == 2
    inner = []

    def change() -> None:
        module.helper = lambda x: x + 100
        inner.append(kept(1))

    strange.does = change
    module.other = 1
    assert kept(1) == 101
    assert inner == [101]
    del module.helper
    with pytest.raises(NameError):
        kept(1)


def test_a_lookup_that_fails_is_no_match(memo: fettle.Memo) -> None:
    """A name that there was not is there now, though it can not be looked up once."""
    module, strange = strange_module()
    exec(
        "def work(x):\n"
        "    try:\n"
        "        return helper(x)\n"
        "    except NameError:\n"
        "        return 0\n",
        module.__dict__,
    )
    helper = vars(module).pop("helper")
    kept: Any = memo(module.work)
    assert kept(1) == kept(1) == 0

    def fail() -> None:
        raise ZeroDivisionError

    module.helper = helper
    strange.does = fail
    assert kept(1) == 2


def test_a_name_that_hides_a_builtin_later(memo: fettle.Memo) -> None:
    module: Any = ModuleType("hiding")
    exec("def work(x):\n    return len(x)\n", module.__dict__)
    kept: Any = memo(module.work)
    assert kept([1]) == kept([1]) == 1
    module.len = lambda x: 99
    assert kept([1]) == 99
    del module.len
    assert kept([1]) == 1


@pytest.mark.skipif(
    not (3, 12) <= sys.version_info < (3, 15),
    reason="no watchers of dicts, or ctypes leaves what they raise",
)
def test_a_watcher_that_is_somebody_elses_now(programs: Programs) -> None:
    text = """
    from ctypes import c_void_p, cast, pythonapi
    from types import ModuleType
    def made(name):
        module = ModuleType(name)
        exec("G = 1\\ndef work(x): return x + G", module.__dict__)
        return module, memo(module.work)
    module, work = made("first")
    assert work(1) == 2
    clear, add = pythonapi.PyDict_ClearWatcher, pythonapi.PyDict_AddWatcher
    well = cast(pythonapi.PyErr_Occurred, c_void_p)  # says nothing but that all is well
    for number in range(0 if sys.version_info < (3, 13) else 2, 8):
        try: clear(number)
        except ValueError: pass
    add(well)
    module, work = made("second")
    assert work(1) == work(1) == 2
    module.G = 5
    print(work(1))
    """
    assert programs.run(text) == ["6"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_threads_of_a_child_open_the_store_together(programs: Programs) -> None:
    """Whoever comes while another one opens it waits for nothing and finds it too."""
    text = """
    import threading, warnings
    warnings.simplefilter("error")
    @memo
    def work(x): return x + 1
    assert [work(x) for x in range(50)] == list(range(1, 51))
    store = work.store
    for turn in range(10):
        child = os.fork()
        if child == 0:
            barrier, wrong = threading.Barrier(8), []
            def ask():
                barrier.wait()
                try:
                    for x in range(50):
                        if work(x) != x + 1:
                            wrong.append(x)
                        store.measure()
                except BaseException as error:
                    wrong.append(error)
            threads = [threading.Thread(target=ask) for _ in range(8)]
            for each in threads: each.start()
            for each in threads: each.join()
            if wrong: note(repr(wrong))
            os._exit(len(wrong) > 0)
        assert os.waitpid(child, 0)[1] == 0
    print("done")
    """
    assert programs.run(text) == ["done"]
    assert programs.notes == []


# What the finalizers of all corners do: collected says whether their own garbage is before.
LAST_CALLS = """
    import atexit, builtins, gc, warnings
    warnings.simplefilter("ignore")
    @memo
    def large(x): return bytes(50000)
    @memo
    def small(x): return [x]
    class Reduced:
        def __reduce_ex__(self, protocol): return Reduced, ()
    class Last:
        def __init__(self): self.large, self.small, self.it = large, small, Reduced()
        def __del__(self, write=os.write):
            for call in (
                lambda: self.large(1),
                lambda: self.small(1),
                lambda: self.small(self.it),
                lambda: self.small(complex(1)),
                lambda: type(self.small).key(self.small, (self.it,), None),
            ):
                try: call()
                except Exception: pass
            write(1, b"+")
    class Later(tuple):
        __slots__ = ()
        def __del__(self, write=os.write):
            try: self[0](1), self[1](self[2])
            except Exception: pass
            write(1, b"+")
    large(1), small(1), small(Reduced())
    here = Last()
    circle = [Last()]
    circle.append(circle)
    sys.kept = Last()
    builtins.kept = Last()
    fettle._core.kept = Last()
    sys.modules["none"] = Last()
    large.own = Last()
    small.own = Later((large, small, Reduced()))
    if not collected:
        atexit.register(lambda: (large(1), small(2)))
    else:
        del large, small, memo, here, circle
        gc.collect()
"""


@pytest.mark.parametrize("collected", [True, False])
def test_calls_at_the_interpreters_end(programs: Programs, collected: bool) -> None:
    """Finalizers that run when modules are cleared, or after them, call kept functions."""
    output = programs.run(f"collected = {collected}\n" + textwrap.dedent(LAST_CALLS))
    assert set("".join(output)) == {"+"}
    assert len("".join(output)) >= 3  # which ones never end depends on the version
