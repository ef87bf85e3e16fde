# SPDX-License-Identifier: Apache-2.0
"""Where a module has a name from that it does not define: `from X import NAME`, read and not run.

What is imported in a function, or made up when the module runs, is not seen.
"""

import ast
from importlib.util import resolve_name

from fettle.bytecode import codes, unit
from fettle.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fettle.bytecode.unit import Unit

_MOST = 8  # modules on the way to a definition


def of(whole: "Unit", name: str) -> tuple[str, str, bool]:
    """Module and name under which it is defined, and whether there is bytecode of it; "", "": it
    is not imported, or nobody can tell from where.

    >>> of(unit.of_module("json"), "JSONDecoder.decode")
    ('json.decoder', 'JSONDecoder.decode', True)
    """
    return _of(whole, name, _MOST)


def _of(whole: "Unit", name: str, most: int) -> tuple[str, str, bool]:
    head, dot, rest = name.partition(".")
    for module, known, called in _imports(whole):
        if called not in {head, "*"}:
            continue
        there = f"{head if called == '*' else known}{dot}{rest}"
        try:
            defined = unit.of_module(module)
        except Problem:  # written in C
            if called != "*" or _has(module, head):
                return module, there, False
            continue
        if there in codes.names(defined.code):
            return module, there, True
        further = _of(defined, there, most - 1) if most else ("", "", False)
        if further[0]:
            return further
    return "", "", False


def _imports(whole: "Unit") -> "Iterator[tuple[str, str, str]]":
    """Module, name there and name here ("*": all) of each import from another module."""
    try:
        tree = ast.parse(whole.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    spec = unit.find(whole.module) if whole.module else None
    is_package = spec is not None and unit.folders(spec) is not None
    package = whole.module if is_package else whole.module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            try:
                module = resolve_name("." * node.level + (node.module or ""), package)
            except ImportError:
                continue
            for each in node.names:
                yield module, each.name, "*" if each.name == "*" else each.asname or each.name


def _has(module: str, name: str) -> bool:
    """Of one written in C that is there already; others say nothing before they are imported."""
    import sys

    return hasattr(sys.modules.get(module), name)
