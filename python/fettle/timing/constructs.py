# SPDX-License-Identifier: Apache-2.0
"""The constructs of the price list: what each is called, and what is run to measure it.

Names are stable: others look prices up by them. A price is that of the whole statement in a loop
that has run for a while, on local variables: loading its operands is part of it, and so is what the
interpreter does for code whose types never change (it specialises it). Operands are variables
wherever the compiler would otherwise compute the answer itself.

The first construct of a group is the one that the others of the group are compared with.
"""

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Construct:
    """What the setup names are local variables of the statement, except those in `free` (they stay
    in the enclosing function) and those that it declares global. `before` stands ahead of the loop,
    off the clock, and runs for each sample: for what a statement makes grow."""

    group: str
    name: str
    statement: str
    setup: str = ""
    before: str = ""
    free: tuple[str, ...] = ()
    is_async: bool = False  # the statement stands in a coroutine function
    is_base: bool = False


def _group(
    group: str,
    setup: str,
    *rows: tuple[str, str] | tuple[str, str, str],
    before: str = "",
    free: tuple[str, ...] = (),
    is_async: bool = False,
    has_base: bool = True,
) -> "Iterator[Construct]":
    """Rows are (name, statement) or (name, statement, more of the setup)."""
    for at, (name, statement, *more) in enumerate(rows):
        whole = "\n".join(filter(None, (setup, *more)))
        base = has_base and at == 0
        yield Construct(group, name, statement, whole, before, free, is_async, base)


def _names() -> "Iterator[Construct]":
    yield from _group(
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
    yield from _group(
        "names",
        "global x\nx = 0; y = 1",
        ("store to a global", "x = y"),
        before="global x",
        has_base=False,
    )
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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


def _strings() -> "Iterator[Construct]":
    yield from _group(
        "strings",
        "a = 'Monty'; b = 'Python'; n = 42; ws = ['word'] * 100\n"
        "s = 'the quick brown fox jumps over the lazy dog'\nbs = s.encode()",
        ("str + str", "a + b"),
        ("f-string, 2 strings", "f'{a} {b}'"),
        ("'%s %s' % tuple", "'%s %s' % (a, b)"),
        ("'{} {}'.format", "'{} {}'.format(a, b)"),
        ("f-string, int", "f'{n}'"),
        ("f-string, float with .2f", "f'{x:.2f}'", "x = 3.14159"),
        ("' '.join(list), 100 words", "' '.join(ws)"),
        ("str += in a loop, 100 words", "r = ''\nfor w in ws: r += w"),
        ("join of a list comprehension, 100 words", "''.join([w for w in ws])"),
        ("str * int", "a * 10", ""),
        ("substring in str, found", "f in s", "f = 'lazy'"),
        ("substring in str, not found", "f in s", "f = 'bird'"),
        ("str == str, equal", "p == q", "p = 'a' + s\nq = 'a' + s"),
        ("str.split()", "s.split()"),
        ("str.startswith", "s.startswith('the')"),
        ("str.replace", "s.replace('o', '0')"),
        ("str.strip, nothing to strip", "s.strip()"),
        ("str.lower", "s.lower()"),
        ("str.find", "s.find('lazy')"),
        ("str.encode, ASCII", "s.encode()"),
        ("bytes.decode, ASCII", "bs.decode()"),
        ("re: compiled.search, found", "r.search(s)", "import re\nr = re.compile('l[a-z]zy')"),
        ("re.search of a text, found", "re.search('l[a-z]zy', s)", "import re"),
    )


_RAISING = """\
def raises():
    raise ValueError
def returns():
    return None
def deep(n):
    if n:
        deep(n - 1)
    else:
        raise ValueError
"""


def _exceptions() -> "Iterator[Construct]":
    yield from _group(
        "exceptions",
        _RAISING,
        ("try, nothing raised", "try: x\nexcept ValueError: pass", "x = 1"),
        ("no try at all", "x", "x = 1"),
        ("try with finally, nothing raised", "try: x\nfinally: x", "x = 1"),
        ("raise and catch, same function", "try: raise ValueError\nexcept ValueError: pass"),
        ("raise with a message, caught", "try: raise E('no')\nexcept E: pass", "E = ValueError"),
        ("raise and catch as e", "try: raise ValueError\nexcept ValueError as e: pass"),
        ("raise and catch, second except", _SECOND),
        ("raise and catch by a base class", "try: raise ValueError\nexcept Exception: pass"),
        ("raise from, caught", "try: raise ValueError from None\nexcept ValueError: pass"),
        ("call that raises, caught", "try: raises()\nexcept ValueError: pass"),
        ("call that raises, 10 deep, caught", "try: deep(10)\nexcept ValueError: pass"),
        ("call that returns None, tested", "if returns() is None: pass"),
        ("raise again, caught outside", _AGAIN),
        ("contextlib.suppress, raised", "with suppress(ValueError): raise ValueError", _SUPPRESS),
        ("int(str) that fails, caught", "try: int(s)\nexcept ValueError: pass", "s = 'x'"),
        ("exception object, made", "ValueError('no')"),
        ("assert that holds", "assert x", "x = 1"),
    )


_SECOND = "try: raise ValueError\nexcept KeyError: pass\nexcept ValueError: pass"
_AGAIN = "try:\n    try: raise ValueError\n    except ValueError: raise\nexcept ValueError: pass"
_SUPPRESS = "from contextlib import suppress"


def _containers() -> "Iterator[Construct]":
    yield from _group(
        "containers",
        "a = 1; b = 2; c = 3; t = tuple(range(100)); k = [(n, n) for n in range(100)]",
        ("[]", "[]"),
        ("list()", "list()"),
        ("{}", "{}"),
        ("dict()", "dict()"),
        ("set()", "set()"),
        ("[a, b, c]", "[a, b, c]"),
        ("(a, b, c)", "(a, b, c)"),
        ("(1, 2, 3), constant", "x = (1, 2, 3)"),
        ("{a, b, c}", "{a, b, c}"),
        ("{'a': a, 'b': b, 'c': c}", "{'a': a, 'b': b, 'c': c}"),
        ("dict(a=a, b=b, c=c)", "dict(a=a, b=b, c=c)"),
        ("list(tuple), 100", "list(t)"),
        ("[*tuple], 100", "[*t]"),
        ("set(tuple), 100", "set(t)"),
        ("frozenset(tuple), 100", "frozenset(t)"),
        ("dict(list of pairs), 100", "dict(k)"),
        ("dict.fromkeys(tuple), 100", "dict.fromkeys(t)"),
        ("dict | dict, 3 and 3", "p | q", "p = dict(a=1, b=2, c=3); q = dict(d=1, e=2, f=3)"),
        (
            "{**dict, **dict}, 3 and 3",
            "{**p, **q}",
            "p = dict(a=1, b=2, c=3)\nq = dict(d=1, e=2, f=3)",
        ),
        ("list + list, 100 and 100", "x + x", "x = list(t)"),
        ("copy.copy(list), 100", "copy.copy(x)", "import copy\nx = list(t)"),
        ("copy.deepcopy(list), 100 ints", "copy.deepcopy(x)", "import copy\nx = list(t)"),
    )


def _changes() -> "Iterator[Construct]":
    """Of containers."""
    yield from _group(
        "containers", "x = 1", ("list.append(x)", "xs.append(x)"), before="xs = []", has_base=False
    )
    yield from _group(
        "containers",
        "t = (1, 2, 3)",
        ("list.extend(tuple), 3", "xs.extend(t)"),
        ("list += tuple, 3", "xs += t"),
        before="xs = []",
        has_base=False,
    )
    yield from _group(
        "containers", "x = 1", ("set.add(x), is there", "s.add(x)", "s = {1}"), has_base=False
    )


def _membership() -> "Iterator[Construct]":
    yield from _group(
        "membership",
        "xs = list(range(100)); t = tuple(xs); s = set(xs); d = dict.fromkeys(xs)\n"
        "x = 50; y = -1; z = 0",
        ("x in set, 100, there", "x in s"),
        ("x in set, 100, missing", "y in s"),
        ("x in frozenset, 100, there", "x in f", "f = frozenset(xs)"),
        ("x in dict, 100, there", "x in d"),
        ("x in dict, 100, missing", "y in d"),
        ("x in list, 100, first", "z in xs"),
        ("x in list, 100, middle", "x in xs"),
        ("x in list, 100, missing", "y in xs"),
        ("x in tuple, 100, middle", "x in t"),
        ("x in range, there", "x in r", "r = range(100)"),
        ("x in (1, 2, 3), last", "x in (1, 2, 3)", "x = 3"),
        ("x in {1, 2, 3}, there", "x in {1, 2, 3}", "x = 3"),
        ("x == 1 or x == 2 or x == 3, last", "x == 1 or x == 2 or x == 3", "x = 3"),
        ("x in set, 100 strings, there", "w in ws", "ws = {str(n) for n in xs}\nw = '50'"),
        ("set & set, 100 and 100", "s & q", "q = set(xs)"),
    )


def _conversions() -> "Iterator[Construct]":
    yield from _group(
        "conversions",
        "i = 42; f = 3.14; s = '42'; g = '3.14'; xs = list(range(100))",
        ("int(str)", "int(s)"),
        ("int(float)", "int(f)"),
        ("float(str)", "float(g)"),
        ("float(int)", "float(i)"),
        ("str(int)", "str(i)"),
        ("str(float)", "str(f)"),
        ("repr(str)", "repr(s)"),
        ("bool(int)", "bool(i)"),
        ("not not x", "not not i"),
        ("round(float, 1)", "round(f, 1)"),
        ("ord(chr)", "ord(c)", "c = 'x'"),
        ("hash(str), kept", "hash(s)"),
        ("tuple(list), 100", "tuple(xs)"),
        ("list(range(100))", "list(range(100))"),
        ("str(list), 100 ints", "str(xs)"),
        ("json.dumps, dict of 3", "json.dumps(d)", "import json\nd = {'a': 1, 'b': [2], 'c': 's'}"),
        ("json.loads, dict of 3", "json.loads(d)", _JSON),
        ("pickle.dumps, dict of 3", "pickle.dumps(d)", _PICKLE),
    )


_JSON = """import json\nd = '{"a": 1, "b": [2], "c": "s"}'"""
_PICKLE = "import pickle\nd = {'a': 1, 'b': [2], 'c': 's'}"


_NUMBERS = "a = 12; b = 5; x = 12.5; y = 5.5; big = 3 ** 200; large = 7 ** 180; t = True; n = None"


def _arithmetic() -> "Iterator[Construct]":
    yield from _group(
        "arithmetic",
        _NUMBERS,
        ("int + int", "a + b"),
        ("int - int", "a - b"),
        ("int * int", "a * b"),
        ("int / int", "a / b"),
        ("int // int", "a // b"),
        ("int % int", "a % b"),
        ("int ** int", "a ** b"),
        ("int & int", "a & b"),
        ("int << int", "a << b"),
        ("-int", "-a"),
        ("i += 1", "i += 1", "i = 0"),
        ("int + int, past 2**30", "p + q", "p = 2 ** 40; q = 2 ** 41"),
        ("int + int, 300 bits", "big + large"),
        ("int * int, 300 bits", "big * large"),
        ("int // int, 300 bits", "large // big"),
    )


def _other_numbers() -> "Iterator[Construct]":
    yield from _group(
        "arithmetic",
        _NUMBERS,
        ("float + float", "x + y"),
        ("float * float", "x * y"),
        ("float / float", "x / y"),
        ("float // float", "x // y"),
        ("float ** float", "x ** y"),
        ("int + float", "a + x"),
        ("int < int", "a < b"),
        ("int == int", "a == b"),
        ("float < float", "x < y"),
        ("a < b < c", "b < a < c", "c = 20"),
        ("x is None", "n is None"),
        ("x and y", "a and b"),
        ("x if c else y", "a if t else b"),
        ("math.sqrt(x)", "sqrt(x)", "from math import sqrt"),
        ("x ** 0.5", "x ** 0.5"),
        ("divmod(a, b)", "divmod(a, b)"),
        ("min(a, b)", "min(a, b)"),
        (
            "Decimal + Decimal",
            "d + e",
            "from decimal import Decimal\nd = Decimal(3); e = Decimal(5)",
        ),
        ("Fraction + Fraction", "d + e", _FRACTION),
        has_base=False,
    )


_FRACTION = "from fractions import Fraction\nd = Fraction(1, 3); e = Fraction(1, 5)"


def _imports() -> "Iterator[Construct]":
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
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
    yield from _group(
        "answers looked up",
        "def lkup(n): return 3\nthree = lambda: 3",
        ("lambda: 3, called", "three()"),
        ("({'a': 1, 'b': 3, 'c': 8}).get('b')", "({'a': 1, 'b': 3, 'c': 8}).get('b')"),
        ("lkup('b')", "lkup('b')"),
    )
    yield from _group(
        "a list of 1000",
        "",
        ("[0]*1000", "[0]*1000"),
        ("[0 for _ in range(1000)]", "[0 for _ in range(1000)]"),
        ("for loop with append, 1000", "r = []\nfor _ in range(1000): r.append(0)"),
        ("list(range(1000))", "list(range(1000))"),
        ("array('i', [0]) * 1000", "a * 1000", "from array import array\na = array('i', [0])"),
    )


_TOPICS = (
    _names,
    _attributes,
    _dicts,
    _sequences,
    _membership,
    _calls,
    _classes,
    _loops,
    _strings,
    _exceptions,
    _containers,
    _changes,
    _conversions,
    _arithmetic,
    _other_numbers,
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
    return tuple(each for topic in _TOPICS for each in topic())
