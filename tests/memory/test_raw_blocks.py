# SPDX-License-Identifier: Apache-2.0
"""Blocks of threads without the GIL, resized blocks, blocks that are refused."""

import pytest

from .apart import run
from .meddling import library

STORM = """
library = ctypes.CDLL(sys.argv[1])  # gives the GIL up
library.meddler_storm.restype = ctypes.c_long
def storm(threads, rounds):
    bytes = ctypes.c_uint64()
    blocks = library.meddler_storm(threads, ctypes.c_long(rounds), ctypes.byref(bytes))
    assert blocks >= 0
    return blocks, bytes.value
"""


def test_threads_that_python_does_not_know() -> None:
    """The storm counts for itself what it leaves alive; no place is known of it."""
    run(
        STORM,
        """
        recorder = Recorder()
        recorder.start()
        left = storm(4, 20000)
        unknown = [each for each in recorder.traces() if each[0][2] == (("<unknown>", 0),)]
        blocks = sum(count for _, count in unknown)
        assert (blocks, sum(row[1] * count for row, count in unknown)) == left, left
        recorder.stop()
        """,
        arguments=[library()],
    )


ALLOCATING = """
class Node:
    def __init__(self, i): self.i, self.kept = i, [i] * (i % 50)
def churn(rounds=3000):
    kept = {}
    for i in range(rounds):
        kept[i % 97] = [Node(i), {i: str(i)}, bytearray(i), f"{i}" * (i % 9)]
        if i % 5 == 0:
            exec(f"def f{i}(x): return [x, {i}]\\nf{i}(1)", {})
"""


@pytest.mark.parametrize("frames", [1, 5])
def test_beside_a_program_that_allocates(frames: int) -> None:
    done = run(
        STORM,
        ALLOCATING,
        f"""
        recorder = Recorder(frames={frames})
        recorder.start()
        left = []
        threads = [threading.Thread(target=lambda: left.append(storm(2, 30000))) for _ in range(3)]
        for thread in threads: thread.start()
        for _ in range(4): churn()
        for thread in threads: thread.join()
        del threads, thread
        churn()
        blocks, size = total(recorder)
        assert blocks >= sum(each[0] for each in left) and size >= sum(each[1] for each in left)
        recorder.stop()
        print("fine")
        """,
        arguments=[library()],
    )
    assert done == "fine\n"


@pytest.mark.parametrize("options", [(), ("-X", "tracemalloc"), ("-X", "dev")])
def test_another_tool_below_wants_the_gil(options: tuple[str, ...]) -> None:
    """tracemalloc takes the GIL for each RAW block of a thread without it."""
    run(
        STORM,
        ALLOCATING,
        """
        recorder = Recorder()
        recorder.start()
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=storm, args=(2, 10000)) for _ in range(2)]
        for thread in threads: thread.start()
        malloc, free = ctypes.pythonapi.PyMem_RawMalloc, ctypes.pythonapi.PyMem_RawFree
        malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        while any(thread.is_alive() for thread in threads):
            churn(10)
            for _ in range(500): free(malloc(100))
        recorder.stop()
        """,
        arguments=[library()],
        options=options,
    )


def test_started_and_stopped_in_a_storm() -> None:
    run(
        STORM,
        ALLOCATING,
        """
        thread = threading.Thread(target=storm, args=(4, 60000))
        thread.start()
        recorders = [Recorder(), Recorder(frames=3), Recorder(mem="sample")]
        while thread.is_alive():
            for recorder in recorders:
                recorder.start()
                churn(20)
            recorders[0].forget(), recorders[1].reset_peak(), recorders[2].traces()
            recorders[0].traces(), recorders[1].point("here")
            for recorder in recorders[::2] + recorders[1::2]:
                recorder.stop()
                if recorder is not recorders[1]: recorder.clear()
        """,
        arguments=[library()],
    )


API = """
def api(name, *types):
    function = getattr(ctypes.pythonapi, name)
    function.restype, function.argtypes = ctypes.c_void_p, types
    return function
size, pointer = ctypes.c_size_t, ctypes.c_void_p
def domain(prefix):
    return (api(prefix + "Malloc", size), api(prefix + "Calloc", size, size),
            api(prefix + "Realloc", pointer, size), api(prefix + "Free", pointer))
"""


RESIZED = """
malloc, calloc, realloc, free = domain(sys.argv[1])
huge = 1 << 62
slots = (ctypes.c_void_p * 16)()  # no int is made that stays
def fresh(at, n):
    slots[at] = malloc(n)  # MADE
def zeroed(at, n):
    slots[at] = calloc(3, n)  # ZEROED
def again(at, n):
    slots[at] = realloc(slots[at], n)  # AGAIN
def refused(at, n):
    return malloc(n) is None and calloc(2, n) is None and realloc(slots[at], n) is None
lines = [f.__code__.co_firstlineno + 1 for f in (fresh, zeroed, again, refused)]
recorder = Recorder()
old, older = malloc(700), malloc(70)
slots[10] = old
[[] for _ in range(200)]  # what a freelist of the interpreter's keeps is there before
recorder.start()
def grown():
    rows = alive_by(recorder, but=sys.getsizeof(1 << 40))  # an int's, which a freelist keeps
    return [rows.get(line, [0, 0]) for line in lines]
none = [0, 0]
for at, n in enumerate((1, 100, 600, 70000, 5 << 20)): fresh(at, n)
made = [5, 1 + 100 + 600 + 70000 + (5 << 20)]
assert grown() == [made, none, none, none], grown()
for at, n in enumerate((1, 50, 30000)): zeroed(5 + at, n)
zeros = [3, 3 + 150 + 90000]
assert grown() == [made, zeros, none, none], grown()
live, peak = recorder.traced()
assert all(refused(at, huge) for at in range(8))
assert grown() == [made, zeros, none, none], grown()
assert recorder.traced()[1] - peak < 10000
sizes = (2, 90, 5000, 60000, 9 << 20)
for at, n in enumerate(sizes): again(at, n)
assert grown() == [none, zeros, [5, sum(sizes)], none], grown()
assert recorder.traced()[1] >= peak + (3 << 20)
again(10, 800)  # older than the recording, and heard of from now on
assert grown()[2] == [6, sum(sizes) + 800], grown()
free(slots[10]), free(older)
assert grown()[2] == [5, sum(sizes)], grown()
again(11, 64)  # NULL
assert grown()[2] == [6, sum(sizes) + 64], grown()
for at in (*range(8), 11): free(slots[at])
free(None)
assert grown() == [none] * 4, grown()
for _ in range(1000):
    fresh(0, 40)
    for n in (600, 30, 512, 513, 5000, 16): again(0, n)
    assert refused(0, huge)
    free(slots[0])
assert grown() == [none] * 4, grown()
total(recorder)
recorder.stop()
"""


@pytest.mark.parametrize("prefix", ["PyMem_Raw", "PyMem_", "PyObject_"])
def test_resized_and_refused(prefix: str) -> None:
    """Each call on a line of its own; the lines are compared with what was asked for."""
    run(API, RESIZED, arguments=[prefix])
