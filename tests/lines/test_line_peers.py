# SPDX-License-Identifier: Apache-2.0
"""line_profiler's hits and ours, of the standard library's functions at real work, in one process
each (skipped where line_profiler is not installed).

Known differences, each told by construction in a test of its own:
SHORT   From 3.13 on theirs has nothing of a function that is one line, ours its hits.
INNER   Lines that only a lambda, a generator expression or (before 3.12) a comprehension has: rows
        of the function's table in ours, none in theirs. alone=True leaves them out.
"""

import importlib.util
import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("line_profiler") is None, reason="line_profiler is not installed"
)

# The functions, and what makes them work.
WORKS = {
    "json.decoder": ("json.decoder.JSONDecoder.decode, json.decoder.JSONDecoder.raw_decode,"
                     " json.decoder.py_scanstring",
                     "json.loads(json.dumps([1, 'a', {'b': [None]}]) * 1);"
                     " [json.decoder.py_scanstring(t, 1)"
                     " for t in ('\"a\\\\n\\\\u0041\"', '\"bc\"')]"),
    "json.encoder": ("json.encoder.JSONEncoder.iterencode, json.encoder._make_iterencode,"
                     " json.encoder.py_encode_basestring_ascii",
                     "json.dumps({'a': [1, 2.5, None, True], 'é': {}}, indent=1);"
                     " json.encoder.py_encode_basestring_ascii('aé\\n')"),
    "re._parser": ("re._parser._parse, re._parser._parse_sub, re._parser.Tokenizer,"
                   " re._parser.SubPattern",
                   "re.purge(); [re.compile(p) for p in"
                   " (r'(a|b)*c{2,3}', r'(?P<x>[a-z\\d]+)(?=y)|z??', r'(?i:\\w)\\1?')"
                   " if '\\\\1' not in p]"),
    "re._compiler": ("re._compiler._compile, re._compiler._optimize_charset,"
                     " re._compiler._compile_info, re._compiler._simple",
                     "re.purge(); [re.compile(p) for p in (r'(a|b)*c{2,3}', r'[^a-z]+?x')]"),
    "textwrap": ("textwrap.TextWrapper, textwrap.dedent, textwrap.indent",
                 "textwrap.fill('words ' * 90, 33); textwrap.dedent('  a\\n   b\\n');"
                 " textwrap.indent('a\\n\\nb', '> ')"),
    "difflib": ("difflib.SequenceMatcher, difflib.Differ, difflib.unified_diff, difflib.ndiff",
                "list(difflib.unified_diff('abcdefg', 'abxdeg'));"
                " list(difflib.ndiff(['one\\n', 'two\\n'], ['ore\\n', 'tree\\n', 'emu\\n']))"),
    "ast": ("ast.NodeVisitor, ast.NodeTransformer, ast.walk, ast.dump, ast.literal_eval",
            "t = ast.parse(inspect.getsource(textwrap)); list(ast.walk(t));"
            " ast.NodeTransformer().visit(t); len(ast.dump(t)); ast.literal_eval('[1, {2: -3}]')"),
    "fractions": ("fractions.Fraction", "sum(fractions.Fraction(1, k) for k in range(1, 60))"),
    "heapq": ("heapq.merge, heapq.nsmallest, heapq._siftdown",
              "list(heapq.merge([1, 5], [2, 3], []));"
              " heapq.nsmallest(3, range(50), key=lambda n: -n)"),
    "statistics": ("statistics.mean, statistics._sum, statistics.median",
                   "statistics.mean(range(50)); statistics.median([3, 1, 2, 5])"),
    "configparser": ("configparser.RawConfigParser",
                     "c = configparser.ConfigParser();"
                     " c.read_string('[a]\\nb=1\\n c\\n[d]\\ne: %(f)s\\nf=2\\n');"
                     " c.get('d', 'e')"),
    "string": ("string.Template, string.Formatter",
               "string.Template('$a ${b} $$').substitute(a=1, b=2);"
               " string.Formatter().format('{0!r:>9} {x.real}', 'a', x=1)"),
    "tokenize": ("tokenize.generate_tokens, tokenize.detect_encoding, tokenize.untokenize",
                 "t = io.StringIO('a = (1,\\n 2)\\n').readline;"
                 " tokenize.untokenize(list(tokenize.generate_tokens(t)))"),
    "shlex": ("shlex.shlex, shlex.quote, shlex.join",
              "list(shlex.shlex('a \"b c\" # d\\ne')); shlex.join(['a', 'b c'])"),
}  # fmt: skip

SCRIPT = """
import ast, configparser, difflib, fractions, functools, heapq, inspect, io, json, re, shlex
import statistics, string, sys, textwrap, tokenize, types
import json.decoder, json.encoder

def functions(thing):
    if isinstance(thing, type):
        for member in vars(thing).values():
            member = getattr(member, "__func__", member)
            if isinstance(member, types.FunctionType) and not hasattr(member, "__wrapped__"):
                yield member
    elif isinstance(thing, types.FunctionType):
        yield inspect.unwrap(thing)

def work():
    {work}

marked = list(dict.fromkeys(f for thing in ({things},) for f in functions(thing)))
work()  # once before: what is cached the first time is cached
found = {{}}
if sys.argv[1] == "theirs":
    from line_profiler import LineProfiler
    profiler = LineProfiler(*marked)
    profiler.enable()
    work()
    profiler.disable()
    for (file, first, name), rows in profiler.get_stats().timings.items():
        found[f"{{file}}:{{first}}"] = {{line: hits for line, hits, _ in rows}}
else:
    from fettle._core import Recorder
    recorder = Recorder(calls=False, lines=True, alone=True)
    for function in marked:
        recorder.mark(function)
    recorder.start()
    work()
    recorder.stop()
    for file, first, name, _, _, rows in recorder.profile().lines():
        found[f"{{file}}:{{first}}"] = {{row[0]: row[1] for row in rows if row[1]}}
import json as out
print(out.dumps({{key: rows for key, rows in found.items() if rows}}))
"""


def hits_of(tool: str, things: str, work: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT).format(things=things, work=work), tool],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def is_short(key: str, rows: dict[str, int]) -> bool:
    """Is the function's `def` the only line that ran?"""
    return list(rows) == [key.rpartition(":")[2]]


@pytest.mark.parametrize("name", WORKS)
def test_hits_are_line_profilers(name: str) -> None:
    theirs, ours = hits_of("theirs", *WORKS[name]), hits_of("ours", *WORKS[name])
    assert sum(map(len, theirs.values())) >= 5
    if sys.version_info >= (3, 13):  # SHORT
        ours = {key: rows for key, rows in ours.items() if key in theirs or not is_short(key, rows)}
    assert ours == theirs


def test_what_anonymous_code_alone_has() -> None:
    """INNER"""
    from fettle._core import Recorder
    from line_profiler import LineProfiler

    def f() -> list[int]:
        return sorted(
            [3, 1, 2],
            key=lambda n: (
                -n
            ),
        )  # fmt: skip

    profiler = LineProfiler(f)
    profiler.enable()
    f()
    profiler.disable()
    whole, alone = (Recorder(calls=False, lines=True, alone=each) for each in (False, True))
    whole.mark(f)
    alone.mark(f)
    with whole, alone:
        f()
    (theirs,) = profiler.get_stats().timings.values()
    first = f.__code__.co_firstlineno
    lines = [
        {row[0]: row[1] for row in each.profile().lines()[0][5] if row[1]}
        for each in (whole, alone)
    ]
    assert lines[1] == {line: hits for line, hits, _ in theirs}
    assert lines[0] == lines[1] | {first + 4: 3}
