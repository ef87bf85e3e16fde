# SPDX-License-Identifier: Apache-2.0
"""The constructs of the price list: what each is called, and what is run to measure it.

Names are stable: others look prices up by them. A price is that of the whole statement in a loop
that has run for a while, on local variables: loading its operands is part of it, and so is what the
interpreter does for code whose types never change (it specialises it). Operands are variables
wherever the compiler would otherwise compute the answer itself.

The first construct of a group is the one that the others of the group are compared with.
"""

from dataclasses import replace

from fettle.timing import constructs_of_values as values
from fettle.timing.construct import Construct, group_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def _names() -> "Iterator[Construct]":
    yield from group_of(
        "names",
        "",
        ("local variable", "y = x", "x = 1"),
        ("global variable", "y = x", "global x\nx = 1"),
        ("builtin name", "y = len"),
        ("constant", "y = 1"),
        ("two locals swapped", "a, b = b, a", "a = 1; b = 2"),
        ("tuple unpacked, 3 names", "a, b, c = t", "t = (1, 2, 3)"),
        ("list unpacked with a star", "a, *b = t", "t = [1, 2, 3]"),
    )
    yield from group_of(
        "names",
        "global x\nx = 0; y = 1",
        ("store to a global", "x = y"),
        before="global x",
        has_base=False,
    )
    yield from group_of(
        "names",
        "x = 1",
        ("closure variable", "y = x"),
        free=("x",),
        has_base=False,
    )


_CLASSES = """\
class Lenient:
    def __getattr__(self, name):
        return 1
class Slotted:
    __slots__ = ("x",)
    def __init__(self):
        self.x = 1
class Simple:
    shared = 1
    def __init__(self):
        self.x = 1
    @property
    def seen(self):
        return 1
class Child(Simple):
    pass
o = Simple(); p = Lenient(); s = Slotted(); c = Child()
"""


def _attributes() -> "Iterator[Construct]":
    yield from group_of(
        "attributes",
        _CLASSES,
        ("attribute of an instance with a dict", "o.x"),
        ("attribute of an instance with slots", "s.x"),
        ("attribute of the class, through an instance", "o.shared"),
        ("attribute of the class, through the class", "Simple.shared"),
        ("property", "o.seen"),
        ("__getattr__, attribute missing", "p.missing"),
        ("attribute of a module", "math.pi", "import math"),
        ("store to an attribute, dict", "o.x = 2"),
        ("store to an attribute, slots", "s.x = 2"),
        ("getattr(obj, name)", "getattr(o, n)", "n = 'x'"),
        ("getattr(obj, name, default), missing", "getattr(o, n, None)", "n = 'y'"),
        ("hasattr(obj, name), there", "hasattr(o, n)", "n = 'x'"),
        ("hasattr(obj, name), missing", "hasattr(o, n)", "n = 'y'"),
        ("setattr(obj, name, value)", "setattr(o, n, 2)", "n = 'x'"),
        ("bound method taken", "f = s.m", "class S:\n    def m(self): pass\ns = S()"),
        ("isinstance(obj, class)", "isinstance(c, Simple)"),
        ("type(obj) is class", "type(o) is Simple"),
    )


def _dicts() -> "Iterator[Construct]":
    yield from group_of(
        "dict",
        "d = {'a': 1, 'b': 3, 'c': 8}\nk = 'b'\nm = 'z'",
        ("dict.get(key), hit", "d.get(k)"),
        ("dict[key], hit", "d[k]"),
        ("dict.get(key), miss", "d.get(m)"),
        ("dict.get(key, default), miss", "d.get(m, 0)"),
        ("try dict[key] except KeyError, hit", "try:\n    d[k]\nexcept KeyError:\n    pass"),
        ("try dict[key] except KeyError, miss", "try:\n    d[m]\nexcept KeyError:\n    pass"),
        ("if key in dict: dict[key], hit", "if k in d:\n    d[k]"),
        ("if key in dict: dict[key], miss", "if m in d:\n    d[m]"),
        ("dict.setdefault(key, default), hit", "d.setdefault(k, 0)"),
        (
            "defaultdict[key], hit",
            "d[k]",
            "import collections\nd = collections.defaultdict(int, d)",
        ),
        ("dict subclass with __missing__, miss", "e[m]", _MISSING),
        ("dict[key], int key", "e[i]", "e = {n: n for n in range(100)}\ni = 50"),
        ("dict[key], tuple key", "e[t]", "e = {(1, 2): 3}\nt = (1, 2)"),
        ("dict[key] = value, key is there", "d[k] = 1"),
        ("dict, key added and deleted", "d[m] = 1\ndel d[m]"),
        ("for key, value in dict.items(), 100", "for a, b in e.items(): pass", _HUNDRED),
        ("for key in dict, 100", "for a in e: pass", _HUNDRED),
        ("Counter(list), 100", "Counter(xs)", _COUNTER),
        ("count in a dict by get, 100", _COUNT_BY_GET, "xs = list(range(10)) * 10"),
    )


_HUNDRED = "e = {n: n for n in range(100)}"
_MISSING = """\
class Missing(dict):
    def __missing__(self, key):
        return 1
e = Missing(a=1)"""
_COUNTER = "from collections import Counter\nxs = list(range(10)) * 10"
_COUNT_BY_GET = "n = {}\nfor x in xs:\n    n[x] = n.get(x, 0) + 1"


def _sequences() -> "Iterator[Construct]":
    yield from group_of(
        "sequences",
        "xs = list(range(100))\nt = tuple(xs)\ni = 50\ns = 'abcdefghij' * 10",
        ("list[index]", "xs[i]"),
        ("list[-1]", "xs[-1]"),
        ("tuple[index]", "t[i]"),
        ("str[index]", "s[i]"),
        ("bytes[index]", "b[i]", "b = bytes(100)"),
        ("deque[index], middle of 100", "q[i]", "from collections import deque\nq = deque(xs)"),
        ("list[index] = value", "xs[i] = 1"),
        ("list[a:b], 10 of 100", "xs[40:i]"),
        ("tuple[a:b], 10 of 100", "t[40:i]"),
        ("str[a:b], 10 of 100", "s[40:i]"),
        ("len(list)", "len(xs)"),
        ("list.index(value), middle of 100", "xs.index(50)"),
        ("sorted(list), 100 ints in order", "sorted(xs)"),
        ("sorted(list, key=function), 100", "sorted(xs, key=f)", "f = lambda x: x"),
        ("min(list), 100 ints", "min(xs)"),
        ("sum(list), 100 ints", "sum(xs)"),
        ("list.copy(), 100", "xs.copy()"),
        ("list[::-1], 100", "xs[::-1]"),
        ("list.insert(0, x) and pop(0), 100", "xs.insert(0, 1)\nxs.pop(0)"),
        ("deque.appendleft and popleft", "q.appendleft(1)\nq.popleft()", _DEQUE),
    )


_DEQUE = "from collections import deque\nq = deque(xs)"

_FUNCTIONS = """\
import functools
def nothing(): pass
def one(a): pass
def three(a, b, c): pass
def with_default(a, b=2, c=3): pass
def any_number(*args): pass
def any_names(**kw): pass
def wrapping(f):
    @functools.wraps(f)
    def wrapper(*args, **kw):
        return f(*args, **kw)
    return wrapper
@wrapping
def decorated(a): pass
@functools.lru_cache(maxsize=None)
def cached(a): pass
class Some:
    def method(self): pass
    @classmethod
    def of_class(cls): pass
    @staticmethod
    def static(): pass
    def __call__(self): pass
class Child(Some):
    def method(self): return super().method()
o = Some(); child = Child(); m = o.method; t = (1, 2, 3); k = {'a': 1, 'b': 2, 'c': 3}
some_lambda = lambda: None
partial = functools.partial(one, 1)
"""


def _calls() -> "Iterator[Construct]":
    yield from group_of(
        "calls",
        _FUNCTIONS,
        ("function()", "nothing()"),
        ("function(a)", "one(1)"),
        ("function(a, b, c)", "three(1, 2, 3)"),
        ("function(a), two defaults", "with_default(1)"),
        ("function(a=1, b=2, c=3), keywords", "three(a=1, b=2, c=3)"),
        ("function(*args) called with 3", "any_number(1, 2, 3)"),
        ("function(**kw) called with 3", "any_names(a=1, b=2, c=3)"),
        ("call with *tuple", "three(*t)"),
        ("call with **dict", "three(**k)"),
        ("lambda()", "some_lambda()"),
        ("obj.method()", "o.method()"),
        ("bound method, kept", "m()"),
        ("class method", "Some.of_class()"),
        ("static method", "Some.static()"),
        ("super().method()", "child.method()"),
        ("obj() with __call__", "o()"),
        ("decorated function(a), wrapper(*args, **kw)", "decorated(1)"),
        ("functools.partial(function, a)()", "partial()"),
        ("functools.lru_cache, hit", "cached(1)"),
        ("builtin abs(x)", "abs(x)", "x = -1"),
        ("builtin method, list.count(x)", "xs.count(1)", "xs = []"),
        ("recursion, 10 deep", "down(10)", "def down(n): return n and down(n - 1)"),
        ("lambda, made", "f = lambda: None"),
        ("function, made", "def f(): pass"),
        ("closure, made", "f = lambda: x", "x = 1"),
    )


_KINDS = """\
from dataclasses import dataclass
from collections import namedtuple
from types import SimpleNamespace
class Empty: pass
class Plain:
    def __init__(self, x, y):
        self.x = x
        self.y = y
class Slotted:
    __slots__ = ('x', 'y')
    def __init__(self, x, y):
        self.x = x
        self.y = y
class Child(Plain):
    def __init__(self, x, y):
        super().__init__(x, y)
@dataclass
class Data:
    x: int
    y: int
@dataclass(frozen=True)
class Frozen:
    x: int
    y: int
Named = namedtuple('Named', 'x y')
"""


def _classes() -> "Iterator[Construct]":
    yield from group_of(
        "objects",
        _KINDS,
        ("class with __init__, 2 attributes", "Plain(1, 2)"),
        ("class without anything", "Empty()"),
        ("class with slots, 2 attributes", "Slotted(1, 2)"),
        ("class with super().__init__", "Child(1, 2)"),
        ("dataclass, 2 fields", "Data(1, 2)"),
        ("dataclass, frozen, 2 fields", "Frozen(1, 2)"),
        ("namedtuple, 2 fields", "Named(1, 2)"),
        ("SimpleNamespace, 2 names", "SimpleNamespace(x=1, y=2)"),
        ("tuple instead of an object", "(x, y)", "x = 1; y = 2"),
        ("dict instead of an object", "{'x': x, 'y': y}", "x = 1; y = 2"),
        ("object()", "object()"),
        ("class statement", "class C: pass"),
    )


def _loops() -> "Iterator[Construct]":
    yield from group_of(
        "loops",
        "xs = list(range(100))\nys = xs[::-1]",
        ("for x in list, 100", "for x in xs: pass"),
        ("for i in range(100)", "for i in range(100): pass"),
        ("for i in range(len(list)): list[i], 100", "for i in range(len(xs)): xs[i]"),
        ("for i, x in enumerate(list), 100", "for i, x in enumerate(xs): pass"),
        ("for x, y in zip(list, list), 100", "for x, y in zip(xs, ys): pass"),
        ("while i < 100: i += 1", "i = 0\nwhile i < 100: i += 1"),
        ("for loop with append, 100", "r = []\nfor x in xs: r.append(x)"),
        ("list comprehension, 100", "[x for x in xs]"),
        ("list comprehension with if, 100", "[x for x in xs if x > 49]"),
        ("list(generator expression), 100", "list(x for x in xs)"),
        ("set comprehension, 100", "{x for x in xs}"),
        ("dict comprehension, 100", "{x: x for x in xs}"),
        ("list(map(builtin)), 100", "list(map(abs, xs))"),
        ("list(map(lambda)), 100", "list(map(f, xs))", "f = lambda x: x"),
        ("list(filter(None)), 100", "list(filter(None, xs))"),
        ("sum(generator expression), 100", "sum(x for x in xs)"),
        ("any(generator expression), 100, none", "any(x < 0 for x in xs)"),
        ("for loop with try, 100", "for x in xs:\n    try: x\n    except ValueError: pass"),
        ("for loop with a call, 100", "for x in xs: f(x)", "def f(x): pass"),
        ("break out of a loop", "for x in xs: break"),
    )


def _imports() -> "Iterator[Construct]":
    yield from group_of(
        "imports",
        "import math, os.path, importlib, sys",
        ("import, module is loaded", "import math"),
        ("import with a dot, module is loaded", "import os.path"),
        ("import as, module is loaded", "import os.path as p"),
        ("from import, module is loaded", "from math import sqrt"),
        ("sys.modules[name]", "sys.modules['math']"),
        ("importlib.import_module, module is loaded", "importlib.import_module('math')"),
        ("import that fails, caught", "try: import _no_such_\nexcept ImportError: pass"),
    )


_MANAGERS = """\
import contextlib, threading
class Manager:
    def __enter__(self): return self
    def __exit__(self, *what): return None
class Slotted:
    __slots__ = ()
    def __enter__(self): return self
    def __exit__(self, kind, value, trace): return None
@contextlib.contextmanager
def generated():
    yield
m = Manager(); s = Slotted(); lock = threading.Lock()
"""


def _managers() -> "Iterator[Construct]":
    yield from group_of(
        "context managers",
        _MANAGERS,
        ("with obj, class of one's own", "with m: pass"),
        ("with Class(), made each time", "with Slotted(): pass"),
        ("with contextlib.contextmanager", "with generated(): pass"),
        ("with lock", "with lock: pass"),
        (
            "lock.acquire, try, finally release",
            "lock.acquire()\ntry: pass\nfinally: lock.release()",
        ),
        ("with contextlib.nullcontext()", "with contextlib.nullcontext(): pass"),
        ("with contextlib.suppress, nothing raised", "with contextlib.suppress(KeyError): pass"),
        ("with contextlib.ExitStack, empty", "with contextlib.ExitStack(): pass"),
    )


_GENERATORS = """\
def endless():
    while True:
        yield 1
def three():
    yield 1
    yield 2
    yield 3
def delegating():
    yield from endless()
def echo():
    x = None
    while True:
        x = yield x
import itertools
class Counting:
    def __iter__(self): return self
    def __next__(self): return 1
g = endless(); d = delegating(); e = echo(); next(e); r = itertools.repeat(1); c = Counting()
"""


def _generators() -> "Iterator[Construct]":
    yield from group_of(
        "generators",
        _GENERATORS,
        ("next(generator)", "next(g)"),
        ("next(generator) through yield from", "next(d)"),
        ("generator.send(x)", "e.send(1)"),
        ("next(itertools.repeat)", "next(r)"),
        ("next(obj) with __next__", "next(c)"),
        ("next(iterator, default), at its end", "next(i, None)", "i = iter(())"),
        ("generator, made", "three()"),
        ("for x in generator, 3", "for x in three(): pass"),
        ("for x in tuple, 3", "for x in (1, 2, 3): pass"),
        ("generator expression, made", "(x for x in t)", "t = (1, 2, 3)"),
        ("iter(list)", "iter(xs)", "xs = [1, 2, 3]"),
        ("itertools.chain of 2 lists, 200", "for x in itertools.chain(xs, xs): pass", _LONG),
    )


_LONG = "xs = list(range(100))"

_ASYNC = """\
import contextlib
async def nothing(): pass
async def inner(): await nothing()
async def three():
    yield 1
    yield 2
    yield 3
class Manager:
    async def __aenter__(self): pass
    async def __aexit__(self, *what): pass
class Ready:
    def __await__(self): return iter(())
def plain(): pass
m = Manager(); r = Ready()
"""


def _async() -> "Iterator[Construct]":
    yield from group_of(
        "async",
        _ASYNC,
        ("await coroutine()", "await nothing()"),
        ("function() in a coroutine", "plain()"),
        ("await coroutine(), 2 deep", "await inner()"),
        ("await obj with __await__", "await r"),
        ("async with obj", "async with m: pass"),
        ("async for x in generator, 3", "async for x in three(): pass"),
        ("async list comprehension, 3", "[x async for x in three()]"),
        is_async=True,
    )
    yield from group_of(
        "async",
        "import asyncio\nasync def nothing(): pass\nasync def slept(): await asyncio.sleep(0)\n"
        "async def tasked(): await asyncio.create_task(nothing())\n"
        "loop = asyncio.new_event_loop(); run = loop.run_until_complete",
        ("coroutine, made and closed", "nothing().close()"),
        ("event loop: run_until_complete(coroutine)", "run(nothing())"),
        ("event loop: await asyncio.sleep(0)", "run(slept())"),
        ("event loop: await create_task(coroutine)", "run(tasked())"),
        has_base=False,
    )


def _answers() -> "Iterator[Construct]":
    """The questions with which it began: texts as they were written."""
    yield from group_of(
        "answers looked up",
        "def lkup(n): return 3\nthree = lambda: 3",
        ("lambda: 3, called", "three()"),
        ("({'a': 1, 'b': 3, 'c': 8}).get('b')", "({'a': 1, 'b': 3, 'c': 8}).get('b')"),
        ("lkup('b')", "lkup('b')"),
    )
    yield from group_of(
        "a list of 1000",
        "",
        ("[0]*1000", "[0]*1000"),
        ("[0 for _ in range(1000)]", "[0 for _ in range(1000)]"),
        ("for loop with append, 1000", "r = []\nfor _ in range(1000): r.append(0)"),
        ("list(range(1000))", "list(range(1000))"),
        ("array('i', [0]) * 1000", "a * 1000", "from array import array\na = array('i', [0])"),
    )


REPEATED = 8
# What is shorter than a loop's own work, on every Python: of one such statement the loop would
# hide a half. It is here and not measured, for the price must not depend on how that comes out.
# No other is repeated: long code is slower, since the processor foresees less of it, and a
# traceback has to find its line.
SHORT = frozenset(
    {
        "local variable",
        "global variable",
        "builtin name",
        "constant",
        "closure variable",
        "two locals swapped",
        "tuple unpacked, 3 names",
        "store to a global",
        "attribute of an instance with a dict",
        "attribute of an instance with slots",
        "attribute of the class, through an instance",
        "attribute of the class, through the class",
        "attribute of a module",
        "store to an attribute, dict",
        "store to an attribute, slots",
        "list[index]",
        "tuple[index]",
        "list[index] = value",
        "try, nothing raised",
        "no try at all",
        "try with finally, nothing raised",
        "assert that holds",
        "(1, 2, 3), constant",
        "not not x",
        "int + int",
        "int - int",
        "int * int",
        "int & int",
        "-int",
        "i += 1",
        "float + float",
        "float * float",
        "int < int",
        "int == int",
        "float < float",
        "x is None",
        "x and y",
        "x if c else y",
    }
)

_TOPICS = (
    _names,
    _attributes,
    _dicts,
    _sequences,
    values.membership,
    _calls,
    _classes,
    _loops,
    values.strings,
    values.exceptions,
    values.containers,
    values.changes,
    values.conversions,
    values.arithmetic,
    values.other_numbers,
    _imports,
    _managers,
    _generators,
    _async,
    _answers,
)


def constructs() -> tuple[Construct, ...]:
    """All of them, those of a group beside each other.

    >>> found = {each.name: each for each in constructs()}
    >>> found["dict[key], hit"].statement
    'd[k]'
    """
    every = (each for topic in _TOPICS for each in topic())
    return tuple(replace(c, repeated=REPEATED) if c.name in SHORT else c for c in every)
