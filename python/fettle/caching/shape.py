# SPDX-License-Identifier: Apache-2.0
"""What a code object does, as bytes, and which names it looks up outside itself.

Two code objects have the same shape when they do the same: line numbers, file names, comments and
docstrings are not in it. co_code is neither specialised nor instrumented, whatever runs. Constants
and names stand in the order in which the instructions use them, not by their place in the tables,
because a docstring takes a place there. Nested code is part of the code around it.
"""

import marshal
import opcode
from types import CodeType, EllipsisType, NoneType
from typing import Any

ATOMS = frozenset({NoneType, bool, int, float, complex, str, bytes, EllipsisType})
# *args, **keywords, optimized and new locals, generators and coroutines of all kinds. Not that the
# code is nested, has a docstring, or what was imported from __future__.
FLAGS = 0x3AF
# Methods by which code changes the container that it calls them on, and learns nothing of it.
_CHANGES = """
    add append appendleft clear discard extend extendleft insert remove subtract update
    difference_update intersection_update symmetric_difference_update
"""
MUTATORS = frozenset(_CHANGES.split())
# What the compiler stores in a class that says nothing of what it does.
METADATA = frozenset({"__doc__", "__firstlineno__", "__static_attributes__"})

_CACHE, _EXTENDED, _CONST, _SMALL, _COMMON = range(1, 6)  # 0: anything else
_NAME, _GLOBAL, _ATTRIBUTE, _IMPORT, _FROM, _STORE, _ASSIGN, _SET = range(6, 14)
_SPECIAL = {
    "CACHE": _CACHE,
    "EXTENDED_ARG": _EXTENDED,
    "LOAD_CONST": _CONST,
    "RETURN_CONST": _CONST,
    "KW_NAMES": _CONST,
    "LOAD_SMALL_INT": _SMALL,
    "LOAD_COMMON_CONSTANT": _COMMON,
    "LOAD_GLOBAL": _GLOBAL,
    "LOAD_NAME": _GLOBAL,
    "LOAD_FROM_DICT_OR_GLOBALS": _GLOBAL,
    "LOAD_ATTR": _ATTRIBUTE,
    "LOAD_METHOD": _ATTRIBUTE,
    "IMPORT_NAME": _IMPORT,
    "IMPORT_FROM": _FROM,
    "STORE_NAME": _STORE,
    "STORE_GLOBAL": _ASSIGN,
    "DELETE_GLOBAL": _ASSIGN,
    "STORE_ATTR": _SET,
    "DELETE_ATTR": _SET,
}
# Programs whose second name is the argument of one instruction with that name: where the index
# begins in an argument that has flags below it, is seen from what the compiler writes for index 1.
_PROBES = (
    "def f():\n z\n y",
    "z.y",
    "z\ny",
    "import z\nimport y",
    "from z import y",
    "class C:\n def f(self): super().y",
    "z.y()",
)


def _kinds() -> tuple[list[int], list[int]]:
    """By opcode: the kind of instruction, and how far an index into the names is shifted."""
    kinds, shifts = [0] * 256, [0] * 256
    for op in opcode.hasname:
        if op < 256:
            kinds[op] = _NAME
    for name, kind in _SPECIAL.items():
        if opcode.opmap.get(name, 256) < 256:
            kinds[opcode.opmap[name]] = kind
    kinds[0] = _CACHE
    for source in _PROBES:
        pending = [compile(source, "", "exec")]
        while pending:
            code = pending.pop()
            pending += [each for each in code.co_consts if type(each) is CodeType]
            raw = code.co_code
            for at in range(0, len(raw), 2):
                if kinds[raw[at]] >= _NAME and "y" in code.co_names and raw[at + 1]:
                    shifts[raw[at]] = max(shifts[raw[at]], raw[at + 1].bit_length() - 1)
    return kinds, shifts


_tables: list[tuple[list[int], list[int]]] = []


def original(code: CodeType) -> CodeType:
    """What was compiled, where lines are recorded by a rewritten copy of it (3.11)."""
    last = code.co_consts[-1] if code.co_consts else None
    if type(last).__name__ == "LineSite" and type(last).__module__ == "fettle._core":
        found = last.code  # type: ignore[union-attr]
        return found if type(found) is CodeType else code
    return code


def pack(tag: bytes, *pieces: bytes) -> bytes:
    """One piece that no other tag and pieces make."""
    return tag + marshal.dumps(pieces, 2)  # with the number of pieces, and their lengths


class Shape:
    """The shape of code and of what is nested in it, and what it looks up, in order of use."""

    __slots__ = ("_used", "assigned", "attributes", "changed", "data", "imports", "loads", "stored")

    def __init__(self, code: CodeType) -> None:
        if not _tables:
            _tables.append(_kinds())
        # Global names with the attributes that are taken from them at once: helpers.scale.
        self.loads: dict[tuple[str, ...], None] = {}
        # (level, name, what is imported from it, () for the module itself)
        self.imports: dict[tuple[int, str, tuple[str, ...]], None] = {}
        self.attributes: dict[str, None] = {}
        # Global names that the code itself assigns; attributes that it sets, of whatever.
        self.assigned: set[str] = set()
        self.stored: set[str] = set()
        self._used: dict[str, int] = {}  # loads of a global name that do not just change it
        self.data = self._code(code)
        # Those whose object it changes and does nothing else with.
        self.changed = {name for name, count in self._used.items() if count == 0}

    def _code(self, code: CodeType) -> bytes:
        code = original(code)
        scan = _Scan(code)
        scan.run(*_tables[0])
        for chain in scan.chains:
            self.loads.setdefault(tuple(chain))
        self.imports.update(dict.fromkeys(scan.imports))
        self.attributes.update(dict.fromkeys(scan.attributes))
        self.assigned |= scan.assigned
        self.stored |= scan.stored
        changes = _subscripted(code, _tables[0][1])
        changes += [x[0] for x in scan.chains if len(x) == 2 and x[1] in MUTATORS]
        for chain in scan.chains:
            self._used[chain[0]] = self._used.get(chain[0], 0) + 1
        for name in changes:
            self._used[name] -= 1
        head = (
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags & FLAGS,
            code.co_varnames,
            code.co_cellvars,
            code.co_freevars,
            code.co_exceptiontable,
            tuple(scan.names),
            bytes(scan.raw),
        )
        return pack(b"C", marshal.dumps(head, 2), *map(self._constant, scan.constants))

    def _constant(self, value: Any) -> bytes:
        kind = type(value)
        if kind in ATOMS:
            return b"=" + marshal.dumps(value, 2)
        if kind is CodeType:
            return self._code(value)
        if kind is tuple:
            return pack(b"(", *map(self._constant, value))
        if kind is frozenset:
            return pack(b"f", *sorted(map(self._constant, value)))
        if kind is slice:
            return pack(b"l", *map(self._constant, (value.start, value.stop, value.step)))
        return pack(b"?", kind.__qualname__.encode())


_GAP = frozenset({"CACHE", "EXTENDED_ARG", "NOT_TAKEN"})
_PLAIN_LOADS = """
    LOAD_CONST LOAD_DEREF LOAD_FAST LOAD_FAST_BORROW LOAD_FAST_CHECK LOAD_GLOBAL LOAD_NAME
    LOAD_SMALL_INT
"""
_KEYS = frozenset(_PLAIN_LOADS.split())


def _subscripted(code: CodeType, shifts: list[int]) -> list[str]:
    """Global names of which the code sets items by a plain key, each time that it does so:
    counts[word] += 1."""
    if not any(code.co_code[at] in _ITEM_CHANGES for at in range(0, len(code.co_code), 2)):
        return []
    found, extended = [], 0
    steps: list[tuple[str, str]] = []  # the last instructions: what they do, a global's name
    for at in range(0, len(code.co_code), 2):
        op, arg = code.co_code[at], extended << 8 | code.co_code[at + 1]
        word = opcode.opname[op]
        extended = arg if word == "EXTENDED_ARG" else 0
        if word in _GAP:
            continue
        name = code.co_names[arg >> shifts[op]] if word in ("LOAD_GLOBAL", "LOAD_NAME") else ""
        if len(steps) > 1 and steps[-2][1] and steps[-1][0] in _KEYS:
            copied = word == "COPY" and arg == 2  # ... += ...
            if op in _ITEM_CHANGES or copied:
                found.append(steps[-2][1])
        steps.append((word, name))
    return found


def rebound_cells(code: CodeType) -> set[str]:
    """Captured variables that the code itself assigns."""
    code = original(code)
    found: set[str] = set()
    if code.co_freevars:
        names = [*code.co_varnames]
        names += [each for each in code.co_cellvars if each not in code.co_varnames]
        first, extended = len(names), 0
        for at in range(0, len(code.co_code), 2):
            op, arg = code.co_code[at], extended << 8 | code.co_code[at + 1]
            extended = arg if opcode.opname[op] == "EXTENDED_ARG" else 0
            if op in _CELL_CHANGES and arg >= first:
                found.add(code.co_freevars[arg - first])
    for each in code.co_consts:
        if type(each) is CodeType:
            found |= rebound_cells(each) & {*code.co_freevars}
    return found


_ITEM_CHANGES = frozenset(opcode.opmap[each] for each in ("STORE_SUBSCR", "DELETE_SUBSCR"))
_CELL_CHANGES = frozenset(opcode.opmap[each] for each in ("STORE_DEREF", "DELETE_DEREF"))


class _Scan:
    """One pass over the instructions of one code object."""

    __slots__ = (
        "assigned",
        "attributes",
        "chains",
        "code",
        "constants",
        "imports",
        "names",
        "pushed",
        "raw",
        "stored",
    )

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.raw = bytearray(code.co_code)
        self.names: list[str] = []
        self.constants: list[Any] = []
        self.chains: list[list[str]] = []
        self.imports: list[tuple[int, str, tuple[str, ...]]] = []
        self.attributes: list[str] = []
        self.assigned: set[str] = set()
        self.stored: set[str] = set()
        self.pushed: list[Any] = []  # constants that were loaded right before

    def run(self, kinds: list[int], shifts: list[int]) -> None:
        """Indices into the tables become 0 in raw; what they stand for goes into the lists."""
        raw, names = self.raw, self.code.co_names
        extended, cuts = 0, []
        chain: list[str] | None = None
        for at in range(0, len(raw), 2):
            kind = kinds[raw[at]]
            if kind == 0:
                extended, chain = 0, None
                continue
            if kind == _CACHE:
                continue
            arg = extended << 8 | raw[at + 1]
            if kind == _EXTENDED:
                extended = arg
                continue
            before = at - 2
            while extended:  # of an index; those of jumps are left
                raw[before + 1] = 0
                before, extended = before - 2, extended >> 8
            if kind < _NAME:
                self._pushed(kind, at, arg)
                chain = None
                continue
            shift = shifts[raw[at]]
            raw[at + 1] = arg & ((1 << shift) - 1)
            name = names[arg >> shift]
            if kind == _STORE and name in METADATA:
                cuts.append(at)
                if kinds[raw[at - 2]] == _CONST:
                    self.constants.pop()
            else:
                chain = self._named(kind, name, chain)
        for at in reversed(cuts):
            del raw[at - 2 : at + 2]

    def _pushed(self, kind: int, at: int, arg: int) -> None:
        """An instruction that loads a constant."""
        if kind == _CONST:
            self.raw[at + 1] = 0
            self.constants.append(self.code.co_consts[arg])
            self.pushed.append(self.code.co_consts[arg])
        else:
            self.pushed.append(arg if kind == _SMALL else None)

    def _named(self, kind: int, name: str, chain: list[str] | None) -> list[str] | None:
        """An instruction with a name; gives the chain of attributes that goes on."""
        self.names.append(name)
        if kind == _GLOBAL:
            self.chains.append([name])
            return self.chains[-1]
        if kind == _ATTRIBUTE:
            self.attributes.append(name)
            if chain is not None:
                chain.append(name)
            return chain
        if kind == _IMPORT:
            level, wanted = self.pushed[-2:] if len(self.pushed) > 1 else (0, None)
            self.imports.append((level if type(level) is int else 0, name, tuple(wanted or ())))
        elif kind == _ASSIGN:
            self.assigned.add(name)
        elif kind == _NAME:  # such as super().name
            self.attributes.append(name)
        elif kind == _SET:
            self.attributes.append(name)
            self.stored.add(name)
        return None
