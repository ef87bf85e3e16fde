# SPDX-License-Identifier: Apache-2.0
"""fettle.cache in programs that fork, and everything at once in many threads."""

import textwrap

from .harness import run

# ---- forks ----

FORK = """
import fettle, os, signal, sys, threading
inside, go, calls = threading.Event(), threading.Event(), []
parent = os.getpid()
signal.alarm(60)  # a child that hangs
@fettle.cache(wait=1e6)
def f(x):
    calls.append(x)
    inside.set()
    if os.getpid() == parent:
        assert go.wait(60)
    return os.getpid() == parent
class C:
    @fettle.cache(wait=1e6)
    def m(self, x):
        return f(x)
c = C()
"""


def test_a_child_does_not_wait_for_threads_that_it_has_not() -> None:
    program = """
    threads = [threading.Thread(target=f, args=[1]), threading.Thread(target=c.m, args=[2])]
    for thread in threads:
        inside.clear()
        thread.start()
        assert inside.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        results = f(1), c.m(2), f(1), c.m(2)
        more = threading.Thread(target=lambda: results.__add__((f(1), f(3))))
        more.start(), more.join()
        f.cache_clear(), C.m.cache_clear()
        results += f(1), c.m(2)
        os._exit(10 if not any(results) else 11)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    go.set()
    for thread in threads: thread.join()
    print(f(1), c.m(2), calls)
    """
    printed = run(FORK + textwrap.dedent(program), "-W", "ignore")
    assert printed == "10\nTrue True [1, 2]\n"


def test_a_child_of_a_program_whose_threads_wait() -> None:
    program = """
    threads = [threading.Thread(target=f, args=[1]) for _ in range(4)]
    for thread in threads: thread.start()
    assert inside.wait(60)
    import time
    time.sleep(0.05)  # so that the others most likely wait; it must be right either way
    for _ in range(5):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(f(1))
            status = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
            os._exit(f(1) + status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    go.set()
    for thread in threads: thread.join()
    print(f(1), calls)
    """
    assert run(FORK + textwrap.dedent(program), "-W", "ignore") == "0\n" * 5 + "True [1]\n"


def test_a_fork_in_what_is_computed() -> None:
    """The child computes on, and lands what the parent began; both can be asked again."""
    program = """
    @fettle.cache(wait=1e6)
    def g(x):
        child = os.fork()
        if child == 0:
            return "child"
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        return "parent"
    result = g(1)
    say = lambda: os.write(1, g(1).encode() + b"\\n")
    threads = [threading.Thread(target=say) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if result == "child":
        os._exit(7)
    """
    assert run(FORK + textwrap.dedent(program), "-W", "ignore") == "child\nchild\nparent\nparent\n"


# ---- everything at once ----

STRESS = """
import fettle, gc, random, sys, threading, time
sys.setswitchinterval(1e-5)
CALLS, THREADS = {calls}, 8

class Key:
    def __init__(self, n): self.n = n
    def __hash__(self):
        if self.n % 5 == 0: time.sleep(0)
        return self.n % 3
    def __eq__(self, other):
        if self.n % 3 == 0: time.sleep(0)
        return type(other) is Key and self.n == other.n

def right(*args, **keywords):
    if args and args[-1] == 13: raise LookupError(13)
    return (args, sorted(keywords.items()))

def options(n): return [
    dict(maxsize=8), dict(maxsize=3, policy="lru"), dict(maxsize=5, policy="clock"),
    dict(maxsize=None), dict(maxsize=4, typed=True), dict(maxsize=6, ttl=0.001),
    dict(maxsize=6, copy=True), dict(maxsize=1), dict(maxsize=0), dict(maxsize=8, wait=False),
    dict(maxsize=5, key=lambda *args, **keywords: (args, tuple(keywords.items()))),
][n]
functions = [fettle.cache(**options(n))(right) for n in range(11)]

class Instance:
    @fettle.cache(maxsize=4)
    def method(self, *args, **keywords): return right(*args, **keywords)
    @fettle.cache(maxsize=4, policy="lru", ttl=0.001)
    def other(self, *args, **keywords): return right(*args, **keywords)
class Slotted:
    __slots__ = ["__fettle__"]
    @fettle.cache(maxsize=4)
    def method(self, *args, **keywords): return right(*args, **keywords)
instances = [Instance(), Slotted(), Instance()]

def expected(args, keywords):
    try: return right(*args, **keywords)
    except LookupError: return LookupError

def work(seed):
    chance, wrong = random.Random(seed), 0
    for _ in range(CALLS):
        n = chance.randrange(16)
        kind = chance.randrange(8)
        args = [
            (n,), (str(n),), (n, n + 1), (), (n, "x", 2.5), (float(n),), ((n, n),), (Key(n),),
        ][kind]
        keywords = {{"a": n}} if chance.random() < .1 else {{}}
        which = chance.randrange(14)
        if which < 11: f = functions[which]
        else:
            i = chance.randrange(3)
            if chance.random() < .01: instances[i] = [Instance, Slotted, Instance][i]()
            one = instances[i]
            f = one.method if chance.random() < .5 or i == 1 else one.other
        what = chance.random()
        try:
            if what < .97:
                try: got = f(*args, **keywords)
                except LookupError: got = LookupError
                if got != expected(args, keywords):
                    wrong += 1
                    print("wrong", which, args, keywords, got)
            elif what < .98: f.cache_forget(*args, **keywords)
            elif what < .985: f.cache_clear()
            elif what < .99: f.cache_load([(k, v) for k, v in f.cache_export()])
            elif what < .995: f.cache_info()
            else: f.cache_load([((n, 99), ((n, 99), []))])
        except RuntimeError as error: print("error", error)
    return wrong

ends = []
threads = [threading.Thread(target=lambda n=n: ends.append(work(n))) for n in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for f in functions:
    info = f.cache_info()
    assert info.maxsize is None or info.currsize <= info.maxsize, info
    assert info.misses > 0
print(sum(ends), len(ends))
"""


def test_everything_at_once() -> None:
    assert run(STRESS.format(calls=12_000)) == "0 8\n"


def test_everything_at_once_and_forks() -> None:
    """The same in a process that forks all the while."""
    more = """
import os, signal
stop = threading.Event()
def forker():
    while not stop.is_set():
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            for n in range(13):
                functions[n % 11](n % 7, n)
                instances[n % 3].method(n % 7, n)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0: print("child failed")
        time.sleep(.002)
threading.Thread(target=forker).start()
ends = []
"""
    program = STRESS.format(calls=1500).replace("\nends = []\n", more)
    program += "stop.set()\n"
    assert run(program, "-W", "ignore") == "0 8\n"
