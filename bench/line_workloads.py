# SPDX-License-Identifier: Apache-2.0
"""Programs whose lines are recorded: those of workloads.py that are real code, or extremes, and
some that are loops, which is what one looks at line by line. MARKED is what a profiler marks."""

from workloads import WORKLOADS

HELPER = """
from types import FunctionType as _Function
def functions_of(place):
    "Those that are written in that class or module."
    home = getattr(place, "__module__", place.__name__)
    found = [getattr(each, "__wrapped__", each) for each in vars(place).values()]
    return [each for each in found if isinstance(each, _Function) and each.__module__ == home]
"""

# Of those in workloads.py.
_MARKED = {
    "fib": "[fib]",
    "methods": "[*functions_of(Number), work]",
    "generators": "[count, odd, work]",
    "exceptions": "[parse, find, work]",
    "deepcopy": "functions_of(copy)",
    "regex": """[
    each
    for place in (_compiler, _compiler._parser, _compiler._parser.Tokenizer,
                  _compiler._parser.SubPattern, _compiler._parser.State)
    for each in functions_of(place)
]""",
    "unparse": """functions_of(ast.NodeVisitor) + functions_of(
    ast._Unparser if hasattr(ast, "_Unparser") else __import__("_ast_unparse").Unparser)""",
    "difflib": "[*functions_of(difflib.SequenceMatcher), difflib.unified_diff]",
    "decimal": "functions_of(_pydecimal.Decimal) + functions_of(_pydecimal.Context)",
    "asyncio": "[produce, consume, both]",
    "html": "functions_of(HTMLParser) + functions_of(Links)",
    "pickle": "functions_of(pickle._Pickler) + functions_of(pickle._Unpickler)",
}

_LOOPS: dict[str, tuple[str, str]] = {
    "scan": (
        "the pure-Python JSON decoder: long functions of short lines, character by character",
        """
import json.decoder, json.scanner
text = json.dumps([{"a": i, "b": [1, 2.5, {"c": "x" * (i % 9)}]} for i in range(60)])
decoder = json.decoder.JSONDecoder()
decoder.parse_object = json.decoder.JSONObject
decoder.parse_array = json.decoder.JSONArray
decoder.parse_string = json.decoder.py_scanstring
decoder.scan_once = json.scanner.py_make_scanner(decoder)
def work():
    decoder.decode(text)
MARKED = functions_of(json.decoder) + functions_of(json.decoder.JSONDecoder)
""",
    ),
    "textwrap": (
        "methods with loops over words, lists that are taken apart from their ends",
        """
import textwrap
text = " ".join("word" * (i % 5 + 1) for i in range(400))
def work():
    textwrap.fill(text, 60)
MARKED = functions_of(textwrap.TextWrapper) + functions_of(textwrap)
""",
    ),
    "distance": (
        "dynamic programming: an inner loop of cheap lines and nothing else",
        """
def distance(left, right):
    above = list(range(len(right) + 1))
    for i, mine in enumerate(left, 1):
        row = [i]
        for j, theirs in enumerate(right, 1):
            if mine == theirs:
                best = above[j - 1]
            else:
                best = 1 + min(
                    above[j],
                    row[-1],
                    above[j - 1],
                )
            row.append(best)
        above = row
    return above[-1]
def work():
    distance("saturday evening" * 3, "sunday morning" * 3)
MARKED = [distance]
""",
    ),
    "nbody": (
        "floating-point arithmetic in long lines",
        """
bodies = [([float(i), i * 0.5, -float(i)], [0.0, 0.1 * i, 0.0], 1.0 + i) for i in range(5)]
pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]
def advance(dt, steps):
    for _ in range(steps):
        for (p, v, m), (q, w, n) in pairs:
            dx, dy, dz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
            force = dt / (dx * dx + dy * dy + dz * dz + 0.01) ** 1.5
            mine, theirs = n * force, m * force
            v[0] -= dx * mine; v[1] -= dy * mine; v[2] -= dz * mine
            w[0] += dx * theirs; w[1] += dy * theirs; w[2] += dz * theirs
        for place, speed, _ in bodies:
            place[0] += dt * speed[0]
            place[1] += dt * speed[1]
            place[2] += dt * speed[2]
def work():
    advance(0.001, 60)
MARKED = [advance]
""",
    ),
    "calculator": (
        "a recursive parser in three functions: calls and lines in equal parts",
        """
import re
text = "+".join(f"({i}*({i}+2)-7)*3" for i in range(60))
def expression(words, at):
    value, at = term(words, at)
    while at < len(words) and words[at] in "+-":
        more, after = term(words, at + 1)
        value = value + more if words[at] == "+" else value - more
        at = after
    return value, at
def term(words, at):
    value, at = factor(words, at)
    while at < len(words) and words[at] == "*":
        more, at = factor(words, at + 1)
        value *= more
    return value, at
def factor(words, at):
    if words[at] == "(":
        value, at = expression(words, at + 1)
        return value, at + 1
    return int(words[at]), at + 1
def work():
    expression(re.findall(r"\\d+|.", text), 0)
MARKED = [expression, term, factor]
""",
    ),
    "report": (
        "strings: formatted, joined, and counted in a dictionary",
        """
rows = [(f"user{i % 37}", i * 7919 % 1000, "ab"[i % 2]) for i in range(500)]
def report(rows):
    totals, lines = {}, []
    for name, amount, kind in rows:
        key = f"{name}/{kind}"
        if key in totals:
            totals[key] += amount
        else:
            totals[key] = amount
        lines.append(f"{name:<10} {amount:>8.2f} {kind.upper()}")
    for key in sorted(totals):
        name, _, kind = key.partition("/")
        lines.append(name.ljust(12) + kind + str(totals[key]))
    return "\\n".join(lines)
def work():
    report(rows)
MARKED = [report]
""",
    ),
}

LINE_WORKLOADS: dict[str, tuple[str, str]] = {
    **{
        name: (WORKLOADS[name][0], f"{WORKLOADS[name][1]}MARKED = {marked}\n")
        for name, marked in _MARKED.items()
    },
    **_LOOPS,
}
