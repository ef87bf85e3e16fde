# SPDX-License-Identifier: Apache-2.0
"""fettle._core.Recorder where processes fork and end, beside other tools, and where it is hostile:
what is on elsewhere stays right and nothing dies."""

import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile, Recorder

sys.path.append(str(Path(__file__).parent))
from readings import BY_THREAD, calls, leaf, notes, run_script, work

FORKS = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

# ---- forks ----


def in_child(body: Callable[[], bool]) -> None:
    """The body in a forked child must give True there."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if body() else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@FORKS
def test_a_fork_in_the_middle() -> None:
    recorder = Recorder()

    def deep() -> None:
        work()
        in_child(child)
        work()

    def child() -> bool:
        work()
        work()
        profile = recorder.profile()
        counts = {each.name: each.calls for each in profile.functions()}
        return (
            (counts["deep"], counts["work"], counts["leaf"]) == (1, 3, 3)
            and profile.processes()[0].pid == os.getpid()
            and profile.processes()[0].parent_pid == os.getppid()
        )

    with recorder:
        deep()
    assert (calls(recorder, "work"), calls(recorder, "leaf")) == (2, 2)
    assert recorder.profile().processes()[0].pid == os.getpid()


@FORKS
def test_a_fork_beside_threads_that_are_recorded() -> None:
    recorder, stop = Recorder(), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            leaf()

    def child() -> bool:
        before = calls(recorder, "leaf")
        for _ in range(100):
            leaf()
        recorder.stop()
        leaf()
        again = Recorder()
        with again:
            leaf()
        return calls(recorder, "leaf") == before + 100 and calls(again, "leaf") == 1

    threads = [threading.Thread(target=busy) for _ in range(3)]
    with recorder:
        for thread in threads:
            thread.start()
        for _ in range(10):
            in_child(child)
        stop.set()
        for thread in threads:
            thread.join()


@FORKS
def test_a_child_starts_what_its_parent_made() -> None:
    recorder = Recorder()
    with recorder:
        work()

    def child() -> bool:
        with recorder:
            work()
        pid = recorder.profile().processes()[0].pid
        return calls(recorder, "work") == 2 and pid == os.getpid()

    in_child(child)
    assert calls(recorder, "work") == 1


@FORKS
def test_children_of_children() -> None:
    recorder = Recorder()

    def child(depth: int) -> bool:
        work()
        if depth > 0:
            in_child(lambda: child(depth - 1))
        return calls(recorder, "work") == 4 - depth

    with recorder:
        in_child(lambda: child(3))
        assert calls(recorder, "work") == 0


# ---- ends of threads and of the process ----


def test_many_short_threads_while_recordings_come_and_go() -> None:
    whole, ran = Recorder(builtins=False), 40

    def body() -> None:
        for _ in range(20):
            with Recorder():
                work()

    with whole:
        for _ in range(ran // 4):
            threads = [threading.Thread(target=body) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert (calls(whole, "body"), calls(whole, "work")) == (ran, ran * 20)
    assert sum(thread.uses for thread in whole.profile().threads()) >= ran


MODULE = """
import atexit, os, sys, threading, time
from fettle._core import Recorder
recorder = Recorder()
def f(): pass
def forever(event):
    event.set()
    while True: f()
def daemon():
    begun = threading.Event()
    threading.Thread(target=forever, args=[begun], daemon=True).start()
    begun.wait()
"""


@pytest.mark.parametrize(
    "end",
    [
        "recorder.start(); f()",
        "recorder.start(); f(); sys.exit(0)",
        "recorder.start(); f(); os._exit(0)",
        "daemon(); recorder.start(); f()",
        "recorder.start(); daemon(); f()",
        "recorder.start(); daemon(); recorder.stop()",
        "recorder.start(); daemon(); del recorder",
        "atexit.register(lambda: (f(), recorder.stop(), recorder.profile())); recorder.start()",
        "atexit.register(recorder.start)",
        "sys.keep = recorder; recorder.start()",
        "threading.Thread(target=lambda: (time.sleep(0.1), recorder.start(), f())).start()",
        "cycle = [recorder]; cycle.append(cycle); del recorder; cycle[0].start(); del cycle",
    ],
)
def test_the_interpreter_ends_while_it_is_on(end: str) -> None:
    assert run_script(f"{MODULE}{end}\n") == ""


# ---- beside other tools ----


def test_other_interpreters_are_refused() -> None:
    script = """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        from fettle._core import Recorder

        TRY = '''if True:
            import sys
            try:
                from fettle._core import Recorder
                Recorder().start()
            except (ImportError, RuntimeError) as error:
                print("subinterpreter" in str(error), flush=True)
            '''

        def create(kind):
            try:
                return interpreters.create(kind)
            except TypeError:
                return interpreters.create(isolated=kind == "isolated")

        def f(): pass

        recorder = Recorder()
        for kind in "legacy", "isolated":
            with recorder:
                interpreter = create(kind)
                interpreters.run_string(interpreter, TRY)
                interpreters.destroy(interpreter)
                f()
        print([row.calls for row in recorder.profile().functions() if row.name == "f"])
    """
    assert run_script(script) == "True\nTrue\n[2]\n"


@pytest.mark.skipif(BY_THREAD, reason="no audit event: the hook is set past it")
@pytest.mark.parametrize("what", ["stop", "clear", "fork", "other", "start and stop"])
def test_audit_hooks_that_change_what_is_recorded(what: str) -> None:
    script = f"""
        import os, sys
        from fettle._core import Recorder
        recorder, other, busy = Recorder(), Recorder(builtins=False), []
        def f(): pass
        def change():
            if {what!r} == "stop": recorder.stop()
            elif {what!r} == "clear": recorder.clear()
            elif {what!r} == "other": (other.stop if other.active else other.start)()
            elif {what!r} == "start and stop": other.start(); other.stop()
            elif {what!r} == "fork":
                child = os.fork()
                if child == 0:
                    f()
                    os._exit(0)
                os.waitpid(child, 0)
        def hook(name, args):
            if not busy and name.startswith("sys.monitoring"):
                busy.append(name)
                change()
                busy.pop()
        sys.addaudithook(hook)
        for _ in range(20):
            recorder.start()
            f()
            recorder.stop()
        busy.append("no more changes")
        while other.active: other.stop()
        recorder.clear()
        with recorder: f()
        print([row.calls for row in recorder.profile().functions() if row.name == "f"])
    """
    assert run_script(script) == "[1]\n"


@pytest.mark.skipif(not BY_THREAD, reason="the hook is a profile function on 3.11 only")
def test_a_profile_function_of_the_programs() -> None:
    recorder, heard = Recorder(), []

    def heeds(frame: Any, event: str, argument: Any) -> None:
        heard.append(event)

    sys.setprofile(heeds)
    try:
        with pytest.raises(RuntimeError, match="profile hook: stop it first"):
            recorder.start()
        assert not recorder.active and sys.getprofile() is heeds
    finally:
        sys.setprofile(None)
    recorder.start()
    work()
    sys.setprofile(heeds)
    leaf()
    sys.setprofile(None)
    leaf()
    recorder.stop()
    assert (calls(recorder, "work"), calls(recorder, "leaf")) == (1, 1)
    assert "hook taken" in notes(recorder)
    again = Recorder()
    with again:
        work()
    assert calls(again, "work") == 1 and notes(again) == set()


@pytest.mark.skipif(BY_THREAD, reason="sys.monitoring")
def test_a_tool_id_that_another_tool_took() -> None:
    recorder = Recorder()
    recorder.start()
    work()
    (tool,) = [k for k in range(6) if sys.monitoring.get_tool(k) == "fettle"]
    sys.monitoring.free_tool_id(tool)
    sys.monitoring.use_tool_id(tool, "another")
    try:
        recorder.stop()
        assert sys.monitoring.get_tool(tool) == "another"
    finally:
        sys.monitoring.free_tool_id(tool)
    assert calls(recorder, "work") == 1 and "hook taken" in notes(recorder)


@pytest.mark.skipif(BY_THREAD, reason="sys.monitoring")
def test_no_tool_id_is_left() -> None:
    recorder, mine = Recorder(), []
    for k in range(6):
        if sys.monitoring.get_tool(k) is None:
            sys.monitoring.use_tool_id(k, "mine")
            mine.append(k)
    try:
        with pytest.raises(RuntimeError, match="tool id is taken"):
            recorder.start()
        assert not recorder.active
    finally:
        for k in mine:
            sys.monitoring.free_tool_id(k)
    with recorder:
        work()
    assert calls(recorder, "work") == 1


def test_cprofile_at_the_same_time() -> None:
    import cProfile

    recorder, theirs = Recorder(), cProfile.Profile()
    if BY_THREAD:
        theirs.enable()
        try:
            with pytest.raises(RuntimeError, match="stop it first"):
                recorder.start()
        finally:
            theirs.disable()
        return
    with recorder:
        theirs.enable()
        for _ in range(10):
            work()
        theirs.disable()
    counted = {
        e.code.co_name: e.callcount for e in theirs.getstats() if not isinstance(e.code, str)
    }
    assert counted["work"] == counted["leaf"] == 10
    assert calls(recorder, "work") == calls(recorder, "leaf") == 10


def test_a_trace_function_at_the_same_time() -> None:
    recorder, lines = Recorder(), []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        lines.append(frame.f_code.co_name)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with recorder:
            work()
    finally:
        sys.settrace(before)
    assert "work" in lines
    assert (calls(recorder, "work"), calls(recorder, "leaf")) == (1, 1)


def test_greenlets() -> None:
    greenlet = pytest.importorskip("greenlet")
    outer, inner = Recorder(builtins=False), Recorder(builtins=False)

    def first() -> None:
        work()
        other.switch()
        work()

    def second() -> None:
        with inner:
            leaf()
            main.switch()
            leaf()

    other = greenlet.greenlet(second)
    main = greenlet.greenlet(first)
    with outer:
        main.switch()
        leaf()
        other.switch()
    assert (calls(outer, "first"), calls(outer, "second")) == (1, 1)
    assert (calls(outer, "work"), calls(outer, "leaf")) == (2, 5)
    assert (calls(inner, "work"), calls(inner, "leaf")) == (1, 4)


# ---- in a launched program ----

LAUNCHED = """
from fettle._core import Recorder
recorder = Recorder()
def f(): pass
def main():
    for _ in range(3):
        with recorder:
            f()
        f()
main()
rows = recorder.profile().functions()
print([row.calls for row in rows if row.name == "f"], len([row for row in rows if row.calls]))
"""


FORKING = """
import os, threading
from fettle._core import Recorder
on, between = Recorder(), Recorder()
def f(): pass
def say(name):
    counts = []
    for recorder in on, between:
        rows = recorder.profile().functions()
        counts.append(sum(row.calls for row in rows if row.name == "f"))
    print(name, *counts, flush=True)
def fork(body):
    child = os.fork()
    if child == 0:
        body()
        os._exit(0)
    os.waitpid(child, 0)
def child():
    f()
    with between: f()
    fork(grandchild)
    thread = threading.Thread(target=f)
    thread.start()
    thread.join()
    say("child")
def grandchild():
    f()
    say("grandchild")
def main():
    f()
    with between: f()
    with on:
        f()
        fork(child)
        f()
    say("main")
main()
"""


def run_launched(program: str, options: list[str], folder: Path) -> tuple[str, dict[str, int]]:
    """What the program prints, and the calls of each function in the launcher's recording."""
    script, output = folder / "program.py", folder / "program.fettle"
    script.write_text(program)
    fettle = Path(sysconfig.get_path("scripts")) / "fettle"
    command = [fettle, "run", *options, "-o", output, "--quiet", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    profile = Profile.read(str(output))
    assert profile.notes() == []
    return done.stdout, {each.name: each.calls for each in profile.functions()}


@pytest.mark.parametrize("options", [[], ["--no-builtins"]])
def test_a_launched_program_that_records_itself(options: list[str], tmp_path: Path) -> None:
    plain = run_script(LAUNCHED)
    said, counted = run_launched(LAUNCHED, options, tmp_path)
    assert said == plain == "[3] 1\n"
    assert (counted["f"], counted["main"], counted["<module>"]) == (6, 1, 1)
    assert ("<built-in method builtins.print>" in counted) == (not options)


@pytest.mark.parametrize("options", [[], ["--no-builtins"]])
def test_a_launched_program_that_forks_and_records_itself(
    options: list[str], tmp_path: Path
) -> None:
    said, counted = run_launched(FORKING, options, tmp_path)
    # Each process has what its parent's recording had at the fork.
    assert said == "grandchild 4 2\nchild 4 2\nmain 2 1\n"
    assert (counted["f"], counted["main"], counted["child"]) == (4 + 3 + 1, 1, 1)


# ---- deep and hostile ----


def test_starts_in_a_deep_recursion() -> None:
    script = """
        import sys
        from fettle._core import Recorder
        sys.setrecursionlimit(200_000)
        recorder, whole = Recorder(builtins=False), Recorder()
        def down(depth):
            if depth % 10_000 == 0:
                (recorder.stop if recorder.active else recorder.start)()
            if depth > 0: down(depth - 1)
            if depth % 10_000 == 5_000:
                (recorder.stop if recorder.active else recorder.start)()
        with whole: down(100_000)
        recorder.clear()
        rows = whole.profile().functions()
        print([(row.calls, row.primitive) for row in rows if row.name == "down"])
    """
    assert run_script(script) == "[(100001, 1)]\n"


def test_collections_all_the_time() -> None:
    script = """
        import gc
        from fettle._core import Recorder
        gc.set_threshold(1)
        class Cycle:
            def __init__(self): self.me, self.recorder = self, Recorder()
            def __del__(self): self.recorder.stop(); f()
        def f(): return [{}, {}]
        whole = Recorder()
        with whole:
            for k in range(300):
                cycle = Cycle()
                cycle.recorder.start()
                f()
                if k % 3 == 0: cycle.recorder.stop()
                if k % 7 == 0: gc.freeze()
                if k % 11 == 0: gc.unfreeze()
                cycle.recorder.profile()
        del cycle
        gc.unfreeze(); gc.collect()
        print([row.calls >= 300 for row in whole.profile().functions() if row.name == "f"])
    """
    assert run_script(script) == "[True]\n"
