# SPDX-License-Identifier: Apache-2.0
"""A stopwatch that the program's own code comes back to while it is at work."""

import subprocess
import sys


def test_a_use_that_a_finaliser_begins_while_one_ends() -> None:
    """A thread's context is made where a use is to end, which may collect garbage (3.11)."""
    program = """
import gc, threading
from fettle import _core
watch = _core.Stopwatch()
class Last:
    def __del__(self): watch.__enter__()
def run():
    gc.collect()
    gc.disable()
    garbage = Last()
    garbage.itself = garbage
    del garbage
    gc.set_threshold(1)
    gc.enable()
    try:
        watch.__exit__(None, None, None)
    except RuntimeError:
        pass  # from 3.12 on it does not: there is no use
    gc.disable()
thread = threading.Thread(target=run)
thread.start()
thread.join()
assert watch.max <= watch.wall, (watch.max, watch.wall)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
