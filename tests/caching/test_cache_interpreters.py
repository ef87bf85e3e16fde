# SPDX-License-Identifier: Apache-2.0
"""fettle.cache in sub-interpreters: those that may load the module have caches of their own, the
others are refused when they import it."""

from .harness import run

HEAD = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def create(kind):
    try:
        return interpreters.create(kind)
    except TypeError:
        return interpreters.create(isolated=kind == "isolated")

def run(interpreter, text):
    failed = interpreters.run_string(interpreter, text)
    if failed is not None:
        print(failed, flush=True)
"""

TRY = """
import sys
try:
    import fettle
    @fettle.cache
    def f(x): return [x]
    class C:
        @fettle.cache
        def m(self, x): return self, x
    for n in range(3000): assert f(n % 1500 % 700) == [n % 1500 % 700]
    c = C()
    assert c.m(1) == (c, 1) and c.m.cache_info().misses == 1
    from fettle.compat import functools
    g = functools.lru_cache(5)(lambda x: x)
    assert g(1) == g(1) == 1
    import threading
    ends = []
    threads = [threading.Thread(target=lambda: ends.append(f(9000))) for _ in range(4)]
    try:
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    except RuntimeError:  # an isolated one may have none
        ends = [f(9000)] * 4
    assert ends == [[9000]] * 4
    print("works", flush=True)
except ImportError as error:
    print("refused" if "interpreter" in str(error) else error, flush=True)
"""


def test_each_kind_works_or_is_refused() -> None:
    program = f"""{HEAD}
import fettle
@fettle.cache
def mine(x): return x
for kind in "legacy", "isolated":
    for _ in range(3):
        other = create(kind)
        run(other, {TRY!r})
        interpreters.destroy(other)
        assert mine(1) == 1
print(mine.cache_info()[:2])
"""
    lines = run(program).splitlines()
    assert lines[-1] == "(5, 1)"
    assert set(lines[:-1]) <= {"works", "refused"} and len(lines) == 7
    assert lines[0] == lines[1] == lines[2] and lines[3] == lines[4] == lines[5]


def test_a_cache_of_a_sub_interpreter_ends_with_it() -> None:
    """Results refer to their cache, their instance and each other when the interpreter ends."""
    text = TRY.replace(
        'print("works"',
        "f.me = f; f(f); c.again = c.m; C.c = c; sys.kept = [f, c, C, g]; print('works'",
    ).replace('", flush', "', flush")
    program = f"""{HEAD}
for _ in range(5):
    other = create("legacy")
    run(other, {text!r})
    interpreters.destroy(other)
import fettle
f = fettle.cache(lambda x: x)
print(f(1))
"""
    lines = run(program).splitlines()
    assert lines[-1] == "1" and len(set(lines[:-1])) == 1


def test_threads_of_two_interpreters_at_once() -> None:
    program = f"""{HEAD}
import threading
def work():
    other = create("legacy")
    for _ in range(3):
        run(other, {TRY!r})
    interpreters.destroy(other)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    printed = run(program).replace("\n", "")  # by several at once
    assert printed in ("works" * 9, "refused" * 9)
