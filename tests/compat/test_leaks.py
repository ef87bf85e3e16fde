# SPDX-License-Identifier: Apache-2.0
"""Profiles and recorders that come and go leave nothing behind."""

import gc
import subprocess
import sys

import pytest

# A round must leave no object, block or memory: fewer than one each over as many rounds again
# as filled the caches. The memory is what the system gave; a recording takes a page at least.
LOOP = """
import gc, sys, threading
from fettle import _core
from fettle.compat.cProfile import Profile
KEPT = {kept}
def leaf(): return len("x")
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
def round():
    {body}
for _ in range({rounds}): round()
gc.collect()
objects, blocks, memory = len(gc.get_objects()), sys.getallocatedblocks(), resident()
for _ in range({rounds}): round()
gc.collect()
grown = len(gc.get_objects()) - objects, sys.getallocatedblocks() - blocks, resident() - memory
assert grown[0] < {rounds} and grown[1] < {rounds} and grown[2] < {rounds} * 3000, grown
"""

BODIES = {
    "made and dropped": "Profile()",
    "recorded": "p = Profile(); p.runcall(leaf); p.getstats()",
    "table": "p = Profile(); p.runcall(leaf); p.create_stats()",
    "again and again": "KEPT.runcall(leaf); KEPT.getstats()",
    "cleared": "KEPT.runcall(leaf); KEPT.clear()",
    "init again": "KEPT.runcall(leaf); KEPT.__init__()",
    "dropped while it records": "p = Profile(); p.enable(); leaf(); del p",
    "timer": "p = Profile(lambda: 0); p.runcall(leaf); p.getstats()",
    "timer that fails": "p = Profile(lambda: None); p.runcall(leaf)",
    "in a cycle": "p = Profile(leaf); p.me = p; p.runcall(leaf); del p; gc.collect()",
    "new code": "p = Profile(); p.enable(); exec('def g(): pass\\ng()', {}); p.disable()",
    "exceptions": "p = Profile()\n    try: p.runcall(int, 'x')\n    except ValueError: pass",
    "wrong arguments": "try: Profile(nonsense=1)\n    except TypeError: pass",
    "threads": "p = Profile(); p.enable(); t = threading.Thread(target=leaf); t.start(); t.join();"
    " p.disable()",
    "recorder": "r = _core.Recorder(); r.start(); leaf(); r.stop(); r.profile()",
    "recorders at once": "r, s = _core.Recorder(), _core.Recorder(); r.start(); s.start(); leaf();"
    " r.stop(); s.stop()",
    "recorder dropped while it records": "r = _core.Recorder(); r.start(); leaf(); del r",
}


def loop_of(body, rounds, kept):
    return LOOP.format(body=body, rounds=rounds, kept=kept)


def execute(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", BODIES)
def test_nothing_is_left(name):
    rounds = 300 if name in {"threads", "in a cycle"} else 2000
    loop = loop_of(BODIES[name], rounds, "Profile()")
    quiet = "import sys; sys.unraisablehook = lambda report: None\n"
    done = execute(quiet + loop)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_leak_is_found():
    """Of objects, of blocks without them, and of memory that Python does not know of."""
    for body in ("KEPT.append([])", "KEPT.append(object())", "KEPT.append(bytearray(4096))"):
        loop = loop_of(body, 2000, "[]")
        done = execute(loop)
        assert "AssertionError" in done.stderr, body


def test_referents_are_visited():
    """The collector sees the timer, and the type of a heap type's instance."""
    from fettle.compat.cProfile import Profile

    timer = lambda: 0.0  # noqa: E731
    assert timer in gc.get_referents(Profile(timer))
