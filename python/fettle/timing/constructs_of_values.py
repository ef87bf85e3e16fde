# SPDX-License-Identifier: Apache-2.0
"""The part of the price list that is of values: strings, exceptions, containers, numbers. What all
constructs keep to stands in constructs.py.
"""

from fettle.timing.construct import group_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fettle.timing.construct import Construct


def strings() -> "Iterator[Construct]":
    yield from group_of(
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


def exceptions() -> "Iterator[Construct]":
    yield from group_of(
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


def containers() -> "Iterator[Construct]":
    yield from group_of(
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


def changes() -> "Iterator[Construct]":
    """Of containers."""
    yield from group_of(
        "containers", "x = 1", ("list.append(x)", "xs.append(x)"), before="xs = []", has_base=False
    )
    yield from group_of(
        "containers",
        "t = (1, 2, 3)",
        ("list.extend(tuple), 3", "xs.extend(t)"),
        ("list += tuple, 3", "xs += t"),
        before="xs = []",
        has_base=False,
    )
    yield from group_of(
        "containers", "x = 1", ("set.add(x), is there", "s.add(x)", "s = {1}"), has_base=False
    )


def membership() -> "Iterator[Construct]":
    yield from group_of(
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


def conversions() -> "Iterator[Construct]":
    yield from group_of(
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


def arithmetic() -> "Iterator[Construct]":
    yield from group_of(
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


def other_numbers() -> "Iterator[Construct]":
    yield from group_of(
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
