# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.cProfile.Profile: what it records, and that no misuse of it does harm.

Where the interpreter's own cProfile does the same, the same test runs on it, as the proof that the
expectation is right.
"""

import copy
import cProfile
import gc
import marshal
import os
import pickle
import pstats
import sys
import threading
import types
import weakref
from collections.abc import Callable

import pytest
from fettle.compat import cProfile as ours

HAS_MONITORING = sys.version_info >= (3, 12)
BOTH = pytest.mark.parametrize("module", [cProfile, ours], ids=["cProfile", "ours"])
PROFILER_ID = 2


def leaf():
    return None


def middle():
    leaf()
    return leaf()


def countdown(n):
    return countdown(n - 1) if n else 0


def rows(profile, name):
    """(primitive calls, calls) of the functions of that name, and their callers' names."""
    profile.create_stats()
    found = [row for label, row in profile.stats.items() if label[2] == name]
    assert found, f"no row {name} in {sorted(profile.stats)}"
    callers = {label[2]: numbers[:2] for row in found for label, numbers in row[4].items()}
    return sum(row[0] for row in found), sum(row[1] for row in found), callers


# ---- what is recorded ----


@BOTH
def test_calls_primitive_calls_and_callers(module):
    profile = module.Profile()
    profile.runcall(middle)
    profile.runcall(countdown, 4)
    assert rows(profile, "leaf") == (2, 2, {"middle": (2, 2)})
    assert rows(profile, "countdown") == (1, 5, {"countdown": (4, 1)})


@BOTH
def test_without_subcalls_there_are_no_callers(module):
    if module is cProfile and sys.version_info >= (3, 14):
        pytest.skip("enable() of the original forgets what it was made with")
    profile = module.Profile(subcalls=False)
    profile.runcall(middle)
    assert rows(profile, "leaf") == (2, 2, {})


@BOTH
def test_without_builtins_there_are_no_c_functions(module):
    if module is cProfile and sys.version_info >= (3, 14):
        pytest.skip("enable() of the original forgets what it was made with")
    profile = module.Profile(builtins=False)
    profile.runcall(lambda: len([leaf()]))
    profile.create_stats()
    assert {label[2] for label in profile.stats} == {"<lambda>", "leaf"}


@BOTH
def test_a_timer_of_whole_numbers_in_units(module):
    """Each event asks the clock once: leaf's begin and end are one tick apart."""
    ticks = iter(range(1000))
    profile = module.Profile(lambda: next(ticks), 0.25)
    profile.runcall(leaf)
    profile.create_stats()
    (own,) = (row[2] for label, row in profile.stats.items() if label[2] == "leaf")
    assert own == 0.25


@BOTH
def test_recordings_add_up_until_clear(module):
    profile = module.Profile()
    profile.runcall(leaf)
    profile.runcall(leaf)
    assert rows(profile, "leaf")[1] == 2
    profile.clear()
    profile.runcall(leaf)
    assert rows(profile, "leaf")[1] == 1


@BOTH
def test_snapshot_while_it_records(module):
    profile = module.Profile()
    profile.enable()
    leaf()
    profile.snapshot_stats()
    leaf()
    first = {label[2]: row[1] for label, row in profile.stats.items()}
    profile.disable()
    assert first["leaf"] == 1
    assert rows(profile, "leaf")[1] == 2


@BOTH
def test_pstats_takes_the_profile_itself(module):
    profile = module.Profile()
    profile.runcall(middle)
    stats = pstats.Stats(profile)
    assert stats.total_calls == 4  # middle, leaf twice, disable
    assert stats.prim_calls == 4


@BOTH
def test_dumped_file_is_what_create_stats_made(module, tmp_path):
    profile = module.Profile()
    profile.runcall(middle)
    profile.dump_stats(tmp_path / "a.prof")
    assert marshal.loads((tmp_path / "a.prof").read_bytes()) == profile.stats
    assert pstats.Stats(str(tmp_path / "a.prof")).total_calls == 4


@BOTH
def test_getstats_gives_code_objects_and_names(module):
    profile = module.Profile()
    profile.runcall(lambda: len([leaf()]))
    entries = {getattr(entry.code, "co_name", entry.code): entry for entry in profile.getstats()}
    assert entries["leaf"].code is leaf.__code__
    assert entries["<built-in method builtins.len>"].code == "<built-in method builtins.len>"
    called = {getattr(sub.code, "co_name", sub.code) for sub in entries["<lambda>"].calls}
    assert called == {"leaf", "<built-in method builtins.len>"}
    assert entries["leaf"].calls is None
    assert len(entries["leaf"]) == 6
    assert len(entries["<lambda>"].calls[0]) == 5


@BOTH
def test_exceptions_end_calls(module):
    def fails():
        raise KeyError

    profile = module.Profile()
    for _ in range(3):
        with pytest.raises(KeyError):
            profile.runcall(fails)
    profile.runcall(leaf)
    assert rows(profile, "fails") == (3, 3, {})
    assert rows(profile, "leaf") == (1, 1, {})


@BOTH
def test_generators_count_each_resume(module):
    def numbers():
        yield 1
        yield 2

    profile = module.Profile()
    assert profile.runcall(lambda: list(numbers())) == [1, 2]
    assert rows(profile, "numbers")[1] == 3


def test_functions_of_one_label_are_summed():
    """The original keeps one of them and loses the other's calls."""

    def named(result):
        code = compile(f"def twin(): return {result}", "twins.py", "exec")
        space = {}
        exec(code, space)
        return space["twin"]

    first, second = named(1), named("len('')")
    profile = ours.Profile()
    profile.runcall(lambda: (first(), second(), second()))
    assert rows(profile, "twin") == (3, 3, {"<lambda>": (3, 3)})
    assert rows(profile, "<built-in method builtins.len>") == (2, 2, {"twin": (2, 2)})
    own = sum(row[2] for row in profile.stats.values())
    whole = max(row[3] for row in profile.stats.values())
    assert own >= whole


@BOTH
def test_a_code_object_made_anew_is_another_function(module):
    profile = module.Profile()
    profile.enable()
    for number in range(50):
        space = {}
        exec(f"def made_{number}(): pass\nmade_{number}()", space)
        del space
    profile.disable()
    profile.create_stats()
    assert sum(label[2].startswith("made_") for label in profile.stats) == 50


@BOTH
def test_code_swapped_while_it_is_recorded(module):
    space = {}
    text = "def before(): before.__code__ = after.__code__; return 1\ndef after(): return 2\n"
    exec(text, space)
    before = space["before"]
    profile = module.Profile()
    assert profile.runcall(lambda: [before(), before(), before()]) == [1, 2, 2]
    assert rows(profile, "before")[1] == 1
    assert rows(profile, "after")[1] == 2
    assert before() == 2


# ---- enable, disable, and others that profile ----


@pytest.mark.skipif(not HAS_MONITORING, reason="3.11 has no place for one profiler")
@BOTH
def test_enable_twice_is_refused(module):
    profile = module.Profile()
    profile.enable()
    try:
        with pytest.raises(ValueError, match="already"):
            profile.enable()
        leaf()
    finally:
        profile.disable()
    assert rows(profile, "leaf")[1] == 1
    assert sys.monitoring.get_tool(PROFILER_ID) is None


@pytest.mark.skipif(HAS_MONITORING, reason="from 3.12 on it is refused")
@BOTH
def test_enable_twice_is_as_good_as_once(module):
    profile = module.Profile()
    profile.enable()
    profile.enable()
    leaf()
    profile.disable()
    assert sys.getprofile() is None
    assert rows(profile, "leaf")[1] == 1


@BOTH
def test_disable_without_enable(module):
    profile = module.Profile()
    profile.disable()
    profile.disable()
    profile.create_stats()
    assert profile.stats == {}


@pytest.mark.skipif(not HAS_MONITORING, reason="3.11 has no place for one profiler")
@pytest.mark.parametrize(("first", "second"), [(cProfile, ours), (ours, cProfile), (ours, ours)])
def test_one_profiler_at_a_time(first, second):
    active, refused = first.Profile(), second.Profile()
    active.enable()
    try:
        with pytest.raises(ValueError, match="already"):
            refused.enable()
        refused.disable()  # takes nothing from the one that is active
        assert sys.monitoring.get_tool(PROFILER_ID) == "cProfile"
        leaf()
    finally:
        active.disable()
    assert rows(active, "leaf")[1] == 1
    refused.runcall(leaf)
    assert rows(refused, "leaf")[1] == 1


def test_the_place_is_kept_from_monitoring_tools_that_want_it():
    if not HAS_MONITORING:
        pytest.skip("no sys.monitoring")
    sys.monitoring.use_tool_id(PROFILER_ID, "somebody")
    try:
        with pytest.raises(ValueError, match="tool 2 is already in use"):
            ours.Profile().enable()
        assert sys.monitoring.get_tool(PROFILER_ID) == "somebody"
    finally:
        sys.monitoring.free_tool_id(PROFILER_ID)


@pytest.mark.skipif(HAS_MONITORING, reason="the profile hook is 3.11's way")
@BOTH
def test_it_takes_the_hook_from_another_tool(module):
    events = []
    sys.setprofile(lambda *event: events.append(event[1]))
    profile = module.Profile()
    profile.enable()
    events.clear()
    leaf()
    profile.disable()
    assert sys.getprofile() is None
    assert events == []
    assert rows(profile, "leaf")[1] == 1


@pytest.mark.skipif(HAS_MONITORING, reason="the profile hook is 3.11's way")
@BOTH
def test_a_hook_set_meanwhile_ends_the_recording(module):
    profile = module.Profile()
    profile.enable()
    leaf()
    sys.setprofile(None)
    leaf()
    profile.disable()
    assert rows(profile, "leaf")[1] == 1


@pytest.mark.skipif(not HAS_MONITORING, reason="nothing hinders it")
def test_the_run_function_says_why_it_could_not_begin(capsys):
    """(The original says that no statistics can be made.)"""
    with cProfile.Profile(), pytest.raises(ValueError, match="already active"):
        ours.run("leaf()")
    assert capsys.readouterr().out == ""


@BOTH
def test_two_threads(module):
    """3.11: a profile is its thread's. From 3.12 on it sees all, and there is one at a time."""
    mine, other = module.Profile(), module.Profile()
    outcome = []

    def work():
        try:
            other.enable()
        except ValueError as error:
            outcome.append(error)
        countdown(2)
        other.disable()

    mine.enable()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    leaf()
    mine.disable()
    assert rows(mine, "leaf")[1] == 1
    if HAS_MONITORING:
        assert len(outcome) == 1
        assert rows(mine, "countdown")[1] == 3
    else:
        assert outcome == []
        assert rows(other, "countdown")[1] == 3
        assert not any(label[2] == "countdown" for label in mine.stats)


def test_two_at_once_on_one_thread():
    """3.11, where nobody forbids it: the hook goes on for the first when the second ends."""
    if HAS_MONITORING:
        pytest.skip("from 3.12 on it is refused")
    first, second = ours.Profile(), ours.Profile()
    first.enable()
    second.enable()
    leaf()
    second.disable()
    leaf()
    first.disable()
    assert rows(second, "leaf")[1] == 1
    assert rows(first, "leaf")[1] == 2


# ---- timers ----


def unraisable_of(action):
    """The exceptions that were reported as unraisable during action."""
    seen = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda report: seen.append(report.exc_type)
    try:
        action()
    finally:
        sys.unraisablehook = before
    return seen


@BOTH
@pytest.mark.parametrize("result", ["nonsense", None, 1j, [], object()])
def test_a_timer_that_gives_nonsense_is_reported(module, result):
    profile = module.Profile(lambda: result)
    seen = unraisable_of(lambda: profile.runcall(leaf))
    assert seen
    assert all(issubclass(kind, TypeError | ValueError) for kind in seen)
    assert rows(profile, "leaf")[1] == 1


@BOTH
def test_a_timer_that_raises_is_reported_and_the_program_goes_on(module):
    def timer():
        raise LookupError

    profile = module.Profile(timer)
    seen = unraisable_of(lambda: profile.runcall(leaf))
    assert set(seen) == {LookupError}
    assert rows(profile, "leaf")[1] == 1


@BOTH
def test_the_programs_exception_survives_a_timer_that_raises(module):
    def timer():
        raise LookupError

    def fails():
        raise KeyError("mine")

    def action():
        with pytest.raises(KeyError, match="mine"):
            module.Profile(timer).runcall(fails)

    assert LookupError in unraisable_of(action)


@pytest.mark.parametrize(
    "times",
    [
        [float(-n) for n in range(100)],
        [float("nan")] * 100,
        [float("inf"), 0.0, float("-inf"), 1.0] * 25,
        [1e308, -1e308] * 50,
        [2**80 + n for n in range(100)],
        [True, False] * 50,
    ],
    ids=["backwards", "nan", "infinite", "enormous", "huge integers", "booleans"],
)
def test_a_timer_of_odd_numbers(times):
    ticks = iter(times)
    profile = ours.Profile(lambda: next(ticks))
    seen = unraisable_of(lambda: profile.runcall(countdown, 3))
    assert all(issubclass(kind, OverflowError | ValueError) for kind in seen)
    assert rows(profile, "countdown")[1] == 4
    for row in profile.stats.values():
        assert row[2] >= 0 and row[3] >= 0
    profile.print_stats()


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("method", ["enable", "disable", "clear", "__init__"])
def test_a_timer_that_changes_its_own_profiler_is_refused(method, at):
    """(The peer's test_evil_external_timer, at each of the events.)"""
    calls = 0

    def timer():
        nonlocal calls
        calls += 1
        if calls == at:
            getattr(profile, method)()
        return calls

    profile = ours.Profile(timer)
    seen = unraisable_of(lambda: (profile.runcall(leaf), profile.disable()))
    assert set(seen) == ({RuntimeError} if calls >= at else set())
    assert rows(profile, "leaf")[1] == 1


def test_a_timer_that_drops_the_last_reference():
    box = []

    def timer():
        box.clear()
        gc.collect()
        return 0.0

    box.append(ours.Profile(timer))
    box[0].enable()
    leaf()
    gc.collect()
    assert box == []
    ours.Profile().runcall(leaf)  # the place of the profiler is free again


def test_a_timer_that_starts_threads():
    done = []

    def timer():
        if len(done) < 3:  # their events ask the timer too
            done.append("started")
            thread = threading.Thread(target=leaf)
            thread.start()
            thread.join()
        return float(len(done))

    profile = ours.Profile(timer)
    profile.runcall(leaf)
    assert rows(profile, "leaf")[1] == (4 if HAS_MONITORING else 1)
    assert len(done) == 3


def test_a_timer_that_forks():
    children = []

    def timer():
        if len(children) < 3:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            children.append(pid)
        return 0.0

    profile = ours.Profile(timer)
    profile.runcall(leaf)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    assert rows(profile, "leaf")[1] == 1


def test_a_timer_that_profiles():
    inner = ours.Profile()

    def timer():
        try:
            inner.runcall(leaf)
        except ValueError:  # from 3.12 on
            assert HAS_MONITORING
        return 0.0

    profile = ours.Profile(timer)
    profile.runcall(middle)
    assert rows(profile, "leaf")[1] == 2


# ---- the object ----


@BOTH
def test_arguments_are_checked(module):
    for arguments in [{"timeunit": "x"}, {"nonsense": 1}, {"timeunit": None}]:
        with pytest.raises(TypeError):
            module.Profile(**arguments)
    with pytest.raises(TypeError):
        module.Profile().enable(nonsense=1)
    with pytest.raises(TypeError):
        module.Profile().runcall()


@BOTH
def test_copies_are_refused(module):
    profile = module.Profile()
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="Profile"):
            make(profile)


@BOTH
def test_a_subclass_that_does_not_call_our_init(module):
    class Mine(module.Profile):
        def __init__(self, name):
            self.name = name

    profile = Mine("x")
    profile.runcall(leaf)
    assert rows(profile, "leaf")[1] == 1
    assert profile.name == "x"


@BOTH
def test_a_subclass_decides_what_its_stats_are(module, capsys):
    class Mine(module.Profile):
        def create_stats(self):
            super().create_stats()
            self.stats = {k: row for k, row in self.stats.items() if k[2] == "leaf"}

    profile = Mine()
    profile.runcall(middle)
    profile.print_stats()
    assert "2 function calls" in capsys.readouterr().out


def test_init_again_begins_anew():
    profile = ours.Profile()
    profile.enable()
    leaf()
    profile.__init__(builtins=False)
    profile.runcall(middle)
    assert rows(profile, "leaf") == (2, 2, {"middle": (2, 2)})


def test_a_profile_dropped_while_it_records():
    """(The original's is held by its hooks and goes on for ever.)"""
    profile = ours.Profile()
    profile.enable()
    leaf()
    del profile
    gc.collect()
    leaf()
    again = ours.Profile()
    again.runcall(leaf)
    assert rows(again, "leaf")[1] == 1


def test_a_profile_in_a_cycle_with_its_timer_is_collected():
    class Timer:
        def __call__(self):
            return 0.0

    timer = Timer()
    timer.profile = ours.Profile(timer)
    timer.profile.runcall(leaf)
    alive = weakref.ref(timer)
    del timer
    gc.collect()
    assert alive() is None


def test_code_is_kept_as_long_as_the_recording():
    space = {}
    exec("def short_lived(): pass", space)
    code = weakref.ref(space["short_lived"].__code__)
    profile = ours.Profile()
    profile.runcall(space["short_lived"])
    space.clear()
    gc.collect()
    assert rows(profile, "short_lived")[1] == 1
    profile.clear()
    gc.collect()
    assert code() is None


HOSTILE = ["a'b\"c", "x\ny", "<script>alert(1)</script>", "\x1b[2J", "\u202eevil", "\udc80", ""]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_kept_exactly_and_printed_harmlessly(name, capsys, tmp_path):
    code = leaf.__code__.replace(co_name=name, co_filename=f"dir/{name}.py")
    function = types.FunctionType(code, {})
    profile = ours.Profile()
    profile.runcall(function)
    profile.dump_stats(tmp_path / "x.prof")
    wanted = (f"dir/{name}.py", code.co_firstlineno, name)
    assert profile.stats[wanted][:2] == (1, 1)
    assert marshal.loads((tmp_path / "x.prof").read_bytes()) == profile.stats
    profile.print_stats()
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert len(printed.splitlines()) == 9


def test_names_that_stdout_has_no_letters_for(capsysbinary, monkeypatch):
    import io

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    profile = ours.Profile()
    profile.runcall(types.FunctionType(leaf.__code__.replace(co_name="é"), {}))
    profile.print_stats()
    sys.stdout.flush()
    assert b"(\\xe9)" in raw.getvalue()


def test_greenlets():
    greenlet = pytest.importorskip("greenlet")
    profile = ours.Profile()

    def one():
        leaf()
        other.switch()
        leaf()

    def two():
        middle()
        first.switch()

    first, other = greenlet.greenlet(one), greenlet.greenlet(two)
    profile.enable()
    first.switch()
    profile.disable()
    assert rows(profile, "leaf")[:2] == (4, 4)
    assert rows(profile, "one")[1] == rows(profile, "two")[1] == 1


def said_of_nothing(profile: ours.Profile, show: Callable[[], object]) -> str:
    """What comes of showing a profile that recorded nothing: an error until 3.14, from 3.15 on an
    empty table."""
    try:
        show()
    except TypeError as error:
        return str(error).replace(repr(profile), "PROFILE")
    return "a table"


def test_the_table_of_an_empty_profile_is_what_pstats_makes_of_it() -> None:
    profile = ours.Profile()
    said = said_of_nothing(profile, profile.print_stats)
    assert said == said_of_nothing(profile, lambda: pstats.Stats(profile))
    assert "PROFILE" in said or said == "a table"
