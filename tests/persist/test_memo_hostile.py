# SPDX-License-Identifier: Apache-2.0
"""Arguments, results and options whose own code does what it should not. CPython's memory checks
are on."""

import os
import subprocess
import sys
import textwrap

import pytest

from .memos import HEAD, LONG

START = (
    HEAD
    + """
import gc, pickle, threading, warnings
warnings.simplefilter("ignore")
LOCK = threading.Lock()
class Argument:
    '''Its reduction runs what it is told.'''
    def __init__(self, does, name="x"): self.does, self.name = does, name
    def __reduce_ex__(self, protocol):
        self.does()
        return str, (self.name,)
class Result(Argument):
    pass
def fails(kind):
    def raises(*args, **keywords): raise kind("mine")
    return raises
def ends(call, *args, **keywords):
    try: return call(*args, **keywords)
    except Exception as error: return type(error).__name__
"""
)

CASES = {
    "an argument that calls the function": """
        @memo(version=1)
        def f(x): return getattr(x, "name", x)
        for n in range(200): assert f(Argument(lambda: f(n), "abc")) == "abc"
    """,
    "an argument that calls the function with itself": """
        @memo(version=1)
        def f(x): return 1
        deep = []
        def again():
            if len(deep) < 50:
                deep.append(1)
                f(argument)
        argument = Argument(again)
        assert f(argument) == 1 and len(deep) >= 50
    """,
    "an argument without an end": """
        @memo(version=1)
        def f(x): return 1
        argument = Argument(lambda: f(argument))
        assert ends(f, argument) in ("RecursionError", "TypeError")
        assert f(2) == 1
    """,
    "an argument that closes the memo": """
        @memo(version=1)
        def f(x): return 1
        assert f(Argument(memo.close)) == 1 and f(Argument(memo.close)) == 1
        assert f(Argument(memo.clear)) == 1 and f(Argument(f.clear)) == 1
        assert f(Argument(memo.reduce)) == 1
    """,
    "an argument that closes the store": """
        @memo(version=1)
        def f(x): return 1
        for n in range(3): assert f(Argument(f.store.close)) == 1
        assert f(5) == 1 and f.peek(5) is None and not f.cached(5) and f.call(5) == 1
        assert ends(memo.stats) == "ValueError" and ends(f.forget, 5) is False
    """,
    "a function that closes the store": """
        @memo(version=1)
        def f(x):
            f.store.close()
            return 1
        for n in range(3): assert f(n) == 1
    """,
    "an argument that removes the folder": """
        import shutil
        @memo(version=1)
        def f(x): return 1
        for n in range(3): assert f(Argument(lambda: shutil.rmtree(memo.path, True))) == 1
        for n in range(3): assert f(n) == 1
    """,
    "an argument that changes the others": """
        @memo(version=1)
        def f(*args, **keywords): return len(args[1]), len(keywords)
        for n in range(50):
            things = [Argument(lambda: things.clear()), *range(n)]
            other = {"a": 1}
            def change():
                other.clear()
                things[:] = range(1000)
                del things[:]
            assert f(Argument(change), things, **other) == (0, 1)
            things = {n: Argument(lambda: things.clear()) for n in range(n)}
            ends(f, 1, things)
            things = [[Argument(lambda: things[0].clear())] * n] * n
            ends(f, 1, things)
    """,
    "an argument that forks": """
        @memo(version=1)
        def f(x): return 1
        mine = os.getpid()
        assert f(Argument(os.fork)) == 1 and f(3) == 1
        if os.getpid() != mine: os._exit(0)
        assert os.wait()[1] == 0
    """,
    "an argument that binds what is watched anew": """
        def helper(x): return 1
        @memo
        def f(x): return helper(x)
        def change():
            global helper
            helper = lambda x, n=len(str(helper)): 1
        for n in range(50): assert f(Argument(change, str(n))) == 1
    """,
    "an argument that raises": """
        @memo(version=1)
        def f(x): return 1
        for kind in (ValueError, KeyError, MemoryError, RecursionError):
            assert ends(f, Argument(fails(kind))) in (kind.__name__, "TypeError"), kind
        try: f(Argument(fails(KeyboardInterrupt)))
        except KeyboardInterrupt: pass
        else: raise SystemExit(1)
        assert f(1) == 1
    """,
    "keys that raise, and keys that are no keys": """
        for kind in (ValueError, StopIteration, MemoryError):
            f = memo(version=1, key={"x": fails(kind)})(lambda x: 1)
            assert ends(f, 1) == kind.__name__ and ends(f.cached, 1) == kind.__name__
        f = memo(version=1, key={"x": lambda x: LOCK})(lambda x: 1)
        assert ends(f, 1) == "TypeError"
        f = memo(version=2, key={"x": lambda x: f.clear()})(lambda x: 1)
        assert f(1) == f(2) == 1
        f = memo(version=3, key={"x": lambda x: f(x - 1) + 1 if x else 0})(lambda x: x)
        assert f(20) == 20 and f(20) == 20
    """,
    "a result that calls the function when it is kept": """
        @memo(version=1)
        def f(x): return Result(lambda: f(x - 1) if x else None, str(x))
        for n in range(2):
            assert getattr(f(20), "name", None) in ("20", None)
            assert f(20) == "20"
    """,
    "a result that raises when it is kept": """
        made = []
        @memo(version=1)
        def f(kind):
            made.append(Result(fails(kind)))
            return made[-1]
        for kind in (ValueError, RecursionError, MemoryError):
            assert f(kind) is made[-1] and not f.cached(kind)
        try: f(KeyboardInterrupt)
        except KeyboardInterrupt: pass
        assert len(made) == 4
        f(KeyError)
    """,
    "a result that does things when it is read": """
        class Back:
            does = None
            def __init__(self, x): self.x = x
            def __setstate__(self, state):
                self.__dict__.update(state)
                if Back.does: Back.does()
        @memo(version=1)
        def f(x): return Back(x)
        f(1), f(2)
        for does in (lambda: f(3), f.clear, memo.close, memo.clear, gc.collect, memo.reduce,
                     lambda: f.forget(1), fails(ValueError), lambda: f.store.each(print)):
            Back.does = None
            f(1)
            Back.does = does
            assert f(1).x == 1
        Back.does = None
        f(1)
        Back.does = fails(KeyboardInterrupt)
        try: f(1)
        except KeyboardInterrupt: pass
        else: raise SystemExit(1)
        Back.does = lambda: f(1)
        assert ends(lambda: f(1).x) in (1, "RecursionError")
        Back.does = None
        assert f(1).x == 1
    """,
    "validations that do things": """
        for does in (lambda e: f.clear(), lambda e: f(2), lambda e: e.clear(), lambda e: LOCK,
                     lambda e: memo.close(), lambda e: 1 / 0, lambda e: f.store.close() or 1):
            seen = []
            def check(entry):
                seen.append(1)
                return len(seen) > 20 or does(entry)
            f = fettle.Memo(memo.path)(version=1, validate=check)(lambda x: x)
            ends(f, 1)
            assert ends(f, 1) in (1, "ZeroDivisionError")
    """,
    "attributes that lie": """
        def f(x): return x
        f.handle = f.store = f.forget = f.__wrapped__ = f.key = f.look = f.settle = None
        kept = memo(version=1)(f)
        assert kept(1) == kept(1) == 1
        class Odd:
            def __init__(self): vars(self).update(__name__=5, __qualname__=None, __module__=[])
            def __call__(self, x): return x
            def __getattr__(self, name): raise ValueError(name)
        ends(memo(version=1), Odd())
        class Lies:
            __class__ = int
            def __call__(self, x): return x
        ends(ends(memo(version=1), Lies()), 1)
    """,
    "garbage": """
        import weakref
        for n in range(200):
            @memo(version=1)
            def f(x): return x
            f.itself = f
            f(n)
            class Owner:
                @memo(version=2)
                def m(self): return 1
                other = f
            Owner().m()
            gone = weakref.ref(f)
            del f, Owner
        gc.collect()
        assert gone() is None
    """,
    "a finaliser that calls": """
        class Ends:
            def __init__(self, f): self.f = f
            def __del__(self):
                try: calls.append(self.f(1))
                except Exception as error: calls.append(error)
        calls = []
        for n in range(20):
            @memo(version=1)
            def f(x): return x
            f.end = Ends(f)
            f(1)
            del f
        gc.collect()
        assert len(calls) == 20
    """,
    "threads and collections": """
        @memo(version=1)
        def f(x): return [x, str(x)]
        def work(seed):
            for n in range(400):
                x = (n * seed) % 50
                assert f(x) == [x, str(x)]
                if n % 40 == 0: f.clear() if n % 80 else gc.collect()
                if n % 55 == 0: memo(version=n)(lambda: n)()
        threads = [threading.Thread(target=work, args=[seed]) for seed in (1, 3, 7, 11)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """,
    "keyword names that are no strings": """
        @memo(version=1)
        def f(**keywords): return len(keywords)
        class Name(str):
            __hash__ = str.__hash__
            def __eq__(self, other): f.clear(); return str.__eq__(self, other)
        assert f(**{Name("a"): 1}) == 1 and f(**{Name("a"): 1, "b": 2}) == 2
        assert ends(f, **{"a": 1, "b": LOCK}) == "TypeError"
        assert ends(lambda: f(**{1: 2})) == "TypeError"
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_it_survives(name: str, tmp_path: object) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-B",
            "-X",
            "dev",
            "-W",
            "ignore",
            "-c",
            START + textwrap.dedent(CASES[name]),
        ],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
        env=os.environ
        | {"PYTHONMALLOC": "debug", "STORE": f"{tmp_path}/store", "NOTES": f"{tmp_path}/notes"},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
