# SPDX-License-Identifier: Apache-2.0
"""Run by other interpreters, from Python 3.6 on, with nothing but their standard library: reads a
question as JSON from stdin, compiles the source in it and answers with the instructions.
"""

import dis
import json
import sys
import warnings
from typing import Any, Iterator

# Older Pythons must read all this.
# ruff: noqa: B905, UP031, UP035


def compiled(question: Any) -> Any:
    warnings.simplefilter("ignore")
    if question["is_text"]:
        try:
            return compile(question["source"], question["file"], "eval")
        except SyntaxError:
            pass
    return compile(question["source"], question["file"], "exec")


def within(code: Any, prefix: str = "") -> Iterator[Any]:
    """Each code object with its name, as it is written: CLASS.METHOD, FUNCTION.INNER."""
    name = prefix + code.co_name
    yield name, code
    inner = "" if code.co_name == "<module>" and not prefix else name + "."
    for each in code.co_consts:
        if hasattr(each, "co_code"):
            yield from within(each, inner)


def wanted(whole: Any, name: str, line: int) -> Any:
    """The code object of that name whose first line is nearest: it may be a decorator's."""
    found = [each for each in within(whole) if each[0] == name]
    found.sort(key=lambda each: abs(each[1].co_firstlineno - line))
    return found[0] if found else None


def lines_of(code: Any, offsets: Any) -> Any:
    """The line of each offset; None: it is of none, which Pythons before 3.10 do not tell."""
    starts = dict(dis.findlinestarts(code))
    if hasattr(code, "co_lines"):
        starts = {start: line for start, end, line in code.co_lines() if start < end}
    line = None  # type: Any
    found = []
    for offset in offsets:
        line = starts.get(offset, line)
        found.append(line)
    return found


def operations(code: Any) -> Any:
    rows = list(dis.get_instructions(code))
    jumps = set(dis.hasjrel) | set(dis.hasjabs)
    base = getattr(dis, "deoptmap", {})  # type: Any
    opmap = dis.opmap

    def is_jump(row: Any) -> bool:
        return opmap.get(base.get(row.opname, row.opname), -1) in jumps

    places = sorted({row.argval for row in rows if is_jump(row)})
    labels = {offset: number for number, offset in enumerate(places, 1)}
    lines = lines_of(code, [row.offset for row in rows])
    result = []
    for row, line in zip(rows, lines):
        meaning = row.argrepr
        if is_jump(row) and not meaning.startswith("from"):
            meaning = "to L%d" % labels[row.argval]
        elif hasattr(row.argval, "co_code"):
            meaning = "<code %s>" % row.argval.co_name
        label = labels.get(row.offset, 0)
        result.append([row.opname, row.arg, meaning, line, label, row.offset])
    return result


def answer(question: Any) -> Any:
    try:
        whole = compiled(question)
    except (SyntaxError, ValueError) as error:
        return {"error": "it does not compile the source: %s" % error}
    chosen = wanted(whole, question["name"], question["line"])
    if chosen is None:
        return {"error": "it has no code of its own for %s" % question["name"]}
    prefix = chosen[0][: len(chosen[0]) - len(chosen[1].co_name)]
    found = [
        [name, code.co_firstlineno, operations(code)] for name, code in within(chosen[1], prefix)
    ]
    return {"version": "%d.%d.%d" % sys.version_info[:3], "found": found}


if __name__ == "__main__":
    print(json.dumps(answer(json.loads(sys.stdin.read()))))
