# SPDX-License-Identifier: Apache-2.0
"""Real programs of about 0.1 s each, as source text: `work()` is what is measured.

A workload is calibrated by repeating `work()`, so that none is shorter than 80 ms.
"""

WORKLOADS = {
    "fib": """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def work():
    fib(21)
""",
    "methods": """
class Number:
    def __init__(self, value):
        self.value = value
    def get(self):
        return self.value
    def add(self, other):
        return Number(self.get() + other.get())
def work():
    total, one = Number(0), Number(1)
    for _ in range(20000):
        total = total.add(one)
""",
    "builtins": """
def work():
    lengths = []
    for i in range(40000):
        lengths.append(len(str(i)))
""",
    "generators": """
def count(n):
    for i in range(n):
        yield i
def work():
    total = 0
    for _ in range(40):
        for i in count(1000):
            total += i
""",
    "json": """
import json
data = [{"a": i, "b": [1, 2, {"c": str(i)}]} for i in range(300)]
def work():
    json.loads("".join(json.JSONEncoder(indent=1).iterencode(data)))
""",
    "deepcopy": """
import copy
data = [{"a": i, "b": [1, 2, {"c": str(i)}]} for i in range(400)]
def work():
    copy.deepcopy(data)
""",
    "regex": """
from re import _compiler
def work():
    for i in range(30):
        _compiler.compile(r"(?P<a>[a-z]+)(\\d{1,3}|foo|bar|baz%d)*?(?=x)[^abc]+" % i)
""",
    "unparse": """
import ast, inspect
tree = ast.parse(inspect.getsource(ast))
def work():
    ast.unparse(tree)
""",
    "tokenize": """
import io, tokenize
source = open(tokenize.__file__).read()
def work():
    list(tokenize.generate_tokens(io.StringIO(source).readline))
""",
    "difflib": """
import difflib
left = [f"line {i} {i % 7}" for i in range(300)]
right = [f"line {i} {i % 5}" for i in range(300)]
def work():
    list(difflib.unified_diff(left, right))
""",
    "dataclasses": """
import dataclasses
def work():
    for i in range(12):
        fields = [(f"f{j}", int, dataclasses.field(default=j)) for j in range(12)]
        dataclasses.make_dataclass(f"C{i}", fields, order=True)
""",
}
