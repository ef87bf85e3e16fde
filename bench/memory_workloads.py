# SPDX-License-Identifier: Apache-2.0
"""Programs whose allocations are recorded, as source text: `work()` is what is measured, and why
each is here. They use the standard library alone. What they need is made before `work()`, when
nothing records.
"""

MEMORY_WORKLOADS: dict[str, tuple[str, str]] = {
    "objects": (
        "instances with a dict or inline values: what object-oriented code makes all day",
        """
class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y
def work():
    points = [Point(i, [i]) for i in range(10_000)]
    sum(point.x for point in points)
""",
    ),
    "slots": (
        "instances with slots, which live in one block each",
        """
class Point:
    __slots__ = ("x", "y")
    def __init__(self, x, y):
        self.x = x
        self.y = y
def work():
    [Point(i, i + 0.5) for i in range(10_000)]
""",
    ),
    "classes": (
        "classes made at run time: many blocks of many sizes for each",
        """
import collections, dataclasses
def work():
    for i in range(4):
        collections.namedtuple("Row", "a b c")
        @dataclasses.dataclass(order=True)
        class Entry:
            key: int
            value: str = ""
""",
    ),
    "dicts": (
        "rows as dicts: a small dict and its table for each",
        """
def work():
    rows = [{"id": i, "name": str(i), "tags": {"a", i}} for i in range(5_000)]
    by_id = {row["id"]: row for row in rows}
""",
    ),
    "strings": (
        "text taken apart, changed and joined: blocks of all small sizes that live for moments",
        """
lines = [f"{i};name {i};{i * 3.5:.2f};some longer field {i}" for i in range(2_000)]
def work():
    out = []
    for line in lines:
        number, name, price, note = line.split(";")
        out.append(f"{note.upper()}, {name.title()}: {price}")
    "\\n".join(out).encode().decode()
""",
    ),
    "tuples": (
        "tuples that freelists keep: most are made without a block",
        """
def work():
    pairs = [(i, i + 1, (i, None)) for i in range(3_000)]
    for _ in range(10):
        for a, b, rest in zip(range(3_000), range(3_000), pairs):
            last = (a, b), (b, rest)
""",
    ),
    "floats": (
        "arithmetic on floats, which freelists keep: hardly a block, but an object each time",
        """
def work():
    x, y = 0.0, 1.0
    for i in range(50_000):
        x = x * 1.0000001 + y
        y = y - x / 3.5
""",
    ),
    "growth": (
        "lists that grow by appending, each by many reallocations, and empty ones",
        """
def work():
    for _ in range(5):
        grown = []
        for i in range(10_000):
            grown.append(i)
    for _ in range(100):
        [[] for _ in range(60)]
""",
    ),
    "large": (
        "bytearrays of 2 to 5 kB: blocks that go through to the C library's malloc",
        """
def work():
    kept = [bytearray(2_000 + i % 3_000) for i in range(4_000)]
""",
    ),
    "json": (
        "JSON written and read by the C encoder and decoder: allocation without bytecode",
        """
import json
data = [{"k": i, "v": [i, i * 1.5, str(i)], "n": None} for i in range(1_000)]
def work():
    json.loads(json.dumps(data))
""",
    ),
    "ast": (
        "a parser's trees of objects, with their compilation: arenas and deep structures",
        """
import ast, textwrap
source = open(textwrap.__file__).read()
def work():
    compile(ast.parse(source), "textwrap.py", "exec")
""",
    ),
    "regex": (
        "matches and their groups, and patterns compiled by Python code",
        """
import re
try:
    from re import _compiler as compiler
except ImportError:
    import sre_compile as compiler
text = " ".join(f"name{i}@host{i % 7}.example {i * 17}" for i in range(800))
find = re.compile(r"(\\w+)@(\\w+)\\.(\\w+) (\\d+)")
def work():
    [match.groups() for match in find.finditer(text)]
    find.sub(lambda match: match[2] + "@" + match[1], text)
    compiler.compile(r"(?:[a-f]+|x{2,5})\\s*(?P<y>\\d+)?")
""",
    ),
    "sqlite": (
        "rows from a C library with a heap of its own beside Python's",
        """
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("create table t (a integer, b text, c real)")
base.executemany("insert into t values (?, ?, ?)",
                 [(i, f"text {i % 100}", i / 7) for i in range(5_000)])
def work():
    base.execute("select a, b, c from t where a % 3 > 0").fetchall()
    base.execute("select b, sum(c) from t group by b").fetchall()
""",
    ),
    "decimal": (
        "decimal arithmetic in Python: ints, strings and objects for each operation",
        """
import _pydecimal as decimal
numbers = [decimal.Decimal(i) / 7 for i in range(1, 40)]
def work():
    total = decimal.Decimal(0)
    for number in numbers:
        total = total * number + number / 3
    str(total)
""",
    ),
    "recursion": (
        "a tree built and walked 400 calls deep: with 25 frames every block has a long stack",
        """
def build(depth):
    return (depth, [depth, str(depth + 1000)], build(depth - 1)) if depth else None
def walk(node):
    return 1 + walk(node[2]) + len(node[1]) if node else 0
def work():
    for _ in range(5):
        walk(build(400))
""",
    ),
    "generators": (
        "generators and closures: frames and cells as objects",
        """
def pairs(many):
    for i in range(many):
        yield [i, i + 0.5]
def work():
    for i in range(2_000):
        add = lambda value: value + i
        [add(a) + b for a, b in pairs(5)]
""",
    ),
    "asyncio": (
        "tasks, futures and queues on the event loop, through which real services run",
        """
import asyncio
async def produce(queue, many):
    for i in range(many):
        await queue.put({"number": i})
    await queue.put(None)
async def consume(queue):
    while await queue.get():
        await asyncio.sleep(0)
async def all_of_it():
    queue = asyncio.Queue(4)
    await asyncio.gather(produce(queue, 200), consume(queue))
loop = asyncio.new_event_loop()
def work():
    loop.run_until_complete(all_of_it())
""",
    ),
    "heap": (
        "a million live objects with frees in random order: no cache helps",
        """
import random
order = list(range(1_000_000))
random.Random(7).shuffle(order)
def work():
    heap = [[] for _ in range(1_000_000)]
    for i in order[:500_000]:
        heap[i] = None
    for i in order[:500_000]:
        heap[i] = (i,)
""",
    ),
}
