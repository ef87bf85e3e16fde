# SPDX-License-Identifier: Apache-2.0
"""Programs whose calls are recorded, as source text: `work()` is what is measured, and why each is
here. They use the standard library alone, so that they are the same wherever Python is.

A workload is calibrated by repeating `work()`, so that none is shorter than 80 ms.
"""

WORKLOADS: dict[str, tuple[str, str]] = {
    "fib": (
        "nothing but calls of one Python function: the most a probe can slow a program down",
        """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def work():
    fib(16)
""",
    ),
    "deep": (
        "recursion 700 deep in three functions: a path, and a stack, that grow long",
        """
def down(n):
    return side(n - 1) if n else 0
def side(n):
    return 1 + (down(n - 1) if n % 3 else back(n))
def back(n):
    return down(n - 1) if n else 0
def work():
    down(699)
""",
    ),
    "methods": (
        "small methods and objects made by the thousand: what object-oriented code does all day",
        """
class Number:
    def __init__(self, value):
        self.value = value
    def get(self):
        return self.value
    def add(self, other):
        return Number(self.get() + other.get())
def work():
    total, one = Number(0), Number(1)
    for _ in range(1000):
        total = total.add(one)
""",
    ),
    "descriptors": (
        "properties, class methods, __getattr__ and operators: Python calls that no call shows",
        """
class Length:
    __slots__ = ("_metres",)
    def __init__(self, metres):
        self._metres = metres
    @property
    def metres(self):
        return self._metres
    @classmethod
    def of(cls, metres):
        return cls(metres)
    def __getattr__(self, name):
        return self._metres * 1000 if name == "millimetres" else 0
    def __add__(self, other):
        return type(self).of(self.metres + other.metres)
    def __lt__(self, other):
        return self.metres < other.metres
    def __getitem__(self, index):
        return self._metres
def work():
    total, limit = Length(0), Length(500)
    for i in range(500):
        total = total + Length.of(i)
        if total < limit:
            total.millimetres
        total[0]
""",
    ),
    "builtins": (
        "calls of C functions only, each shorter than its own recording",
        """
def work():
    lengths = []
    for i in range(2000):
        lengths.append(len(str(i)))
""",
    ),
    "callbacks": (
        "C functions that call Python functions: sorted, map and reduce with a key of one's own",
        """
import functools
words = [f"{i * 7919 % 1000}" for i in range(300)]
def key(word):
    return word[::-1]
def longer(left, right):
    return left if len(left) > len(right) else right
def work():
    sorted(words, key=key)
    list(map(lambda word: word + "x", words))
    functools.reduce(longer, words)
""",
    ),
    "generators": (
        "generators within generators: each resume is a call",
        """
def count(n):
    for i in range(n):
        yield i
def odd(numbers):
    for number in numbers:
        if number % 2:
            yield number
def work():
    total = 0
    for i in odd(count(1000)):
        total += i
    total += sum(i for i in range(1000))
""",
    ),
    "exceptions": (
        "functions left by exceptions, Python's and C's: the ends that are no returns",
        """
def parse(text):
    return int(text)
def find(table, key):
    try:
        return table[key].upper()
    except KeyError:
        raise LookupError(key) from None
table = {str(i): "x" for i in range(0, 300, 2)}
def work():
    for i in range(300):
        try:
            find(table, str(i))
        except LookupError:
            pass
        try:
            parse("x" if i % 3 else "1")
            getattr(table, "x" if i % 3 else "keys")
        except (ValueError, AttributeError):
            pass
""",
    ),
    "json": (
        "the pure-Python encoder: generators that delegate, and short C calls",
        """
import json
data = [{"a": i, "b": [1, 2, {"c": str(i)}]} for i in range(60)]
def work():
    json.loads("".join(json.JSONEncoder(indent=1).iterencode(data)))
""",
    ),
    "deepcopy": (
        "mutual recursion through a table of functions, with many C calls beside it",
        """
import copy
data = [{"a": i, "b": [1, 2, {"c": str(i)}]} for i in range(60)]
def work():
    copy.deepcopy(data)
""",
    ),
    "regex": (
        "the compiler of re: a real program of middle-sized methods and many C calls",
        """
from re import _compiler
def work():
    for i in range(3):
        _compiler.compile(r"(?P<a>[a-z]+)(\\d{1,3}|foo|bar|baz%d)*?(?=x)[^abc]+" % i)
""",
    ),
    "unparse": (
        "ast.unparse of ast itself: visitors and context managers in ten thousands of paths, so the"
        " tree of contexts is large",
        """
import ast, inspect
tree = ast.parse(inspect.getsource(ast))
def work():
    ast.unparse(tree)
""",
    ),
    "tokenize": (
        "generators and regular expressions until 3.11, a C tokenizer behind Python from 3.12 on",
        """
import io, tokenize
source = open(tokenize.__file__).read()
def work():
    list(tokenize.generate_tokens(io.StringIO(source).readline))
""",
    ),
    "difflib": (
        "loops that do much themselves and call little: most programs are more like this",
        """
import difflib
left = [f"line {i} {i % 7}" for i in range(100)]
right = [f"line {i} {i % 5}" for i in range(100)]
def work():
    list(difflib.unified_diff(left, right))
""",
    ),
    "dataclasses": (
        "classes made at run time: exec and new code objects, which a probe must learn anew",
        """
import dataclasses
def work():
    fields = [(f"f{j}", int, dataclasses.field(default=j)) for j in range(12)]
    dataclasses.make_dataclass("C", fields, order=True)
""",
    ),
    "decimal": (
        "the pure-Python decimal: one large class, deep delegation, big integers",
        """
import _pydecimal
def work():
    context = _pydecimal.Context(prec=30)
    total = _pydecimal.Decimal(0)
    for i in range(1, 20):
        total = context.add(total, context.divide(_pydecimal.Decimal(1), _pydecimal.Decimal(i)))
    total.sqrt(context)
""",
    ),
    "fractions": (
        "operators that are forwarded through closures: small numbers in a class of their own",
        """
from fractions import Fraction
def work():
    total = Fraction(0)
    for i in range(1, 40):
        total = (total + Fraction(1, i)) % 7
""",
    ),
    "sqlite": (
        "a C library that calls back into Python for each row",
        """
import sqlite3
database = sqlite3.connect(":memory:")
database.create_function("twice", 1, lambda value: value * 2)
database.execute("create table numbers (value integer)")
def work():
    database.executemany("insert into numbers values (?)", ((i,) for i in range(300)))
    for value, double in database.execute("select value, twice(value) from numbers"):
        assert double == 2 * value
    database.execute("delete from numbers")
""",
    ),
    "asyncio": (
        "an event loop with tasks, a queue and locks: coroutines that switch all the time",
        """
import asyncio
async def produce(queue):
    for i in range(100):
        await queue.put(i)
async def consume(queue, lock):
    for _ in range(50):
        async with lock:
            await queue.get()
        await asyncio.sleep(0)
async def both():
    queue, lock = asyncio.Queue(4), asyncio.Lock()
    await asyncio.gather(produce(queue), consume(queue, lock), consume(queue, lock))
def work():
    asyncio.run(both())
""",
    ),
    "html": (
        "a parser that calls the methods of whoever uses it",
        """
from html.parser import HTMLParser
page = "<ul>" + "".join(f'<li class="c{i}"><a href="/{i}">item &amp; {i}</a>' for i in range(60))
class Links(HTMLParser):
    def handle_starttag(self, tag, attributes):
        self.found.update(attributes)
    def handle_data(self, data):
        self.words.extend(data.split())
def work():
    links = Links()
    links.found, links.words = {}, []
    links.feed(page)
    links.close()
""",
    ),
    "pickle": (
        "the pure-Python pickler and unpickler: a table of functions, one call for each byte code",
        """
import io, pickle
data = [{"a": i, "b": (1, 2.5, [str(i)])} for i in range(60)]
def work():
    stream = io.BytesIO()
    pickle._Pickler(stream).dump(data)
    stream.seek(0)
    pickle._Unpickler(stream).load()
""",
    ),
}
