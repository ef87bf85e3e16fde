# SPDX-License-Identifier: Apache-2.0
"""Takes the sites out of rewritten code again and compares what is left with the original.

Everything is read with the standard library's `dis`, nothing with the code under test. A rewritten
code object is right when each instruction of the original is in it, in order; when whoever jumps,
falls or raises somewhere arrives, past sites only, where the original does; and when it says the
same about the source.
"""

import dis
from bisect import bisect_right
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

TABLES = {"co_code", "co_consts", "co_stacksize", "co_linetable", "co_exceptiontable"}
ATTRIBUTES = sorted(
    name
    for name in dir(CodeType)
    if name.startswith("co_") and name not in TABLES | {"co_lnotab", "co_lines", "co_positions"}
)
SITE = ["LOAD_CONST", "UNARY_INVERT", "POP_TOP"]


class Site:
    """Stands in for a site: it only knows what it is."""

    def __init__(self, code: CodeType, kind: str, line: int) -> None:
        self.code, self.kind, self.line = code, kind, line

    def __invert__(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.line}>"


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


class Stream:
    """The instructions of a code object, EXTENDED_ARGs counted to what they belong to."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.all: list[dis.Instruction] = []
        self.starts: list[int] = []
        self.index: dict[int, int] = {}
        start = None
        for instruction in dis.get_instructions(code):
            start = instruction.offset if start is None else start
            if instruction.opname == "EXTENDED_ARG":
                continue
            self.index[start] = len(self.all)
            self.all.append(instruction)
            self.starts.append(start)
            start = None
        self.jumps = set(dis.hasjrel) | set(dis.hasjabs)
        self.entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        self.entry_starts = [entry.start for entry in self.entries]

    def target(self, i: int) -> int | None:
        """The instruction that i may jump to."""
        if self.all[i].opcode not in self.jumps:
            return None
        return self.index[self.all[i].argval]

    def handler(self, i: int) -> tuple[int, int, bool] | None:
        """Where an exception of instruction i goes, as the interpreter looks it up."""
        offset = self.all[i].offset
        at = bisect_right(self.entry_starts, offset) - 1
        if at < 0 or offset >= self.entries[at].end:
            return None
        entry = self.entries[at]
        return self.index[entry.target], entry.depth, entry.lasti


class Comparison:
    def __init__(self, old: CodeType, new: CodeType) -> None:
        self.old, self.new = Stream(old), Stream(new)
        self.first = next(i for i, x in enumerate(self.old.all) if x.opname == "RESUME")
        self.sites = {
            i: self.new.all[i].argval
            for i in range(len(self.new.all))
            if isinstance(self.new.all[i].argval, Site)
        }
        self.throws: dict[int, int] = {}  # the copies of SENDs -> the original's
        self.handlers = range(0)
        self.place = self.align()
        self.back = {new: old for old, new in enumerate(self.place)}

    def align(self) -> list[int]:
        """For each instruction of the original the one it has become."""
        place: list[int] = []
        new, j = self.new, 0
        for i, instruction in enumerate(self.old.all):
            while True:
                if j in self.sites:
                    assert [x.opname for x in new.all[j : j + 3]] == SITE
                    j += 3
                elif new.all[j].opname == "JUMP_FORWARD" and self.is_ours(j):
                    j += 1
                elif self.is_copy_of_send(i, j):
                    self.throws[j] = i - 1
                    j += 1
                else:
                    break
            assert new.all[j].opname == instruction.opname, (i, j, self.old.code)
            place.append(j)
            j += 1
        self.handlers = range(j, len(new.all), 4)  # of ours, at the end
        assert self.sites[self.handlers[0]].kind == "unwound"
        assert {self.sites[k].kind for k in self.handlers[1:]} <= {"resumed"}
        for k in self.handlers:
            assert [x.opname for x in new.all[k : k + 4]] == [*SITE, "RERAISE"]
            assert new.all[k + 3].arg == 1
        return place

    def is_ours(self, j: int) -> bool:
        """Is it a jump over one site, or over the copy of a SEND?"""
        target = self.new.target(j)
        return target == (j + 4 if j + 1 in self.sites else j + 2) and (
            j + 1 in self.sites or self.new.all[j + 1].opname == "SEND"
        )

    def is_copy_of_send(self, i: int, j: int) -> bool:
        now, before = self.old.all[i], self.old.all[i - 1]
        return (
            now.opname == "YIELD_VALUE"
            and before.opname == "SEND"
            and self.new.all[j].opname == "SEND"
            and self.new.all[j + 1].opname == "YIELD_VALUE"
        )

    def arrive(self, j: int) -> tuple[int, list[Site]]:
        """The instruction of the original that one comes to from j, and the sites on the way."""
        passed = []
        while j not in self.back:
            if j in self.sites:
                passed.append(self.sites[j])
                j += 3
            else:
                assert self.new.all[j].opname == "JUMP_FORWARD"
                target = self.new.target(j)
                assert target is not None and target > j
                j = target
        return self.back[j], passed

    # ---- what must hold ----

    def check(self) -> None:
        for name in ATTRIBUTES:
            assert getattr(self.old.code, name) == getattr(self.new.code, name), name
        known = len(self.old.code.co_consts)
        assert all(isinstance(x, Site) for x in self.new.code.co_consts[known:])
        assert self.new.code.co_stacksize >= self.old.code.co_stacksize + 1
        for i in range(len(self.place)):
            self.check_argument(i)
            self.check_position(i)
            self.check_edges(i)
            self.check_handler(i)
        self.check_unwinding()

    def check_argument(self, i: int) -> None:
        old, new = self.old.all[i], self.new.all[self.place[i]]
        if old.opcode not in self.old.jumps:
            assert old.arg == new.arg
        caches = [self.caches(self.old, i), self.caches(self.new, self.place[i])]
        assert caches[0] == caches[1]

    @staticmethod
    def caches(stream: Stream, i: int) -> int:
        last = i + 1 == len(stream.all)
        end = len(stream.code.co_code) if last else stream.starts[i + 1]
        return end - stream.all[i].offset

    def check_position(self, i: int) -> None:
        old, j = self.old.all[i], self.place[i]
        assert old.positions == self.new.all[j].positions
        before = self.place[i - 1] if i > 0 else -1
        for k in range(before + 1, j):
            assert self.new.all[k].positions == old.positions

    def fires(self, i: int, to: int, line: int | None) -> bool:
        """Would a trace function be told of a line, going from i, which has it, to `to`?"""
        here = self.old.all[to].positions
        assert here is not None
        if here.lineno is None or self.old.all[to].opname == "RERAISE":
            return False
        back = self.old.starts[to] < self.old.all[i].offset and self.old.all[to].opname != "SEND"
        return here.lineno != line or back

    def line(self, i: int) -> int | None:
        positions = self.old.all[i].positions
        assert positions is not None
        return positions.lineno

    def check_edges(self, i: int) -> None:
        target = self.old.target(i)
        if target is not None:
            to = self.new.target(self.place[i])
            assert to is not None
            self.check_edge(i, target, *self.arrive(to), [], self.is_remnant(target))
        name = self.old.all[i].opname
        ends = ["JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"]
        ends += ["RETURN_VALUE", "RERAISE", "RAISE_VARARGS"]
        if name not in ends and i + 1 < len(self.place):  # behind the last one nothing runs
            before = ["resumed"] if name == "RESUME" and i > self.first else []
            self.check_edge(i, i + 1, *self.arrive(self.place[i] + 1), before)

    def is_remnant(self, i: int) -> bool:
        """Has the end of a block left it, in the line of what stands before it?"""
        is_end = self.old.all[i].opname in ("NOP", "JUMP_FORWARD", "JUMP_BACKWARD")
        target = self.old.target(i - 1)
        is_condition = target is not None and target >= i
        return is_end and not is_condition and self.line(i - 1) == self.line(i)

    def check_edge(
        self,
        i: int,
        target: int,
        arrived: int,
        passed: list[Site],
        before: list[str],
        is_remnant: bool = False,
    ) -> None:
        assert arrived == target
        expected = list(before)
        if i == self.first:
            expected.append("enter")
        elif i > self.first and self.fires(i, target, self.line(i)) and not is_remnant:
            expected.append("line")
        name = self.old.all[target].opname
        if target > self.first and name == "RETURN_VALUE":
            expected.append("leave")
        if target > self.first and name == "YIELD_VALUE":
            awaits = self.old.all[target + 1].arg == 3
            expected.append("await" if awaits else "yield")
        assert [site.kind for site in passed] == expected
        for site in passed:
            of = i if site.kind == "resumed" else target
            assert site.line == (self.line(of) or 0)

    def check_handler(self, i: int) -> None:
        old, new = self.old.handler(i), self.new.handler(self.place[i])
        if old is None:
            expected = (self.handlers[0], 0, True) if i > self.first else None
            assert self.when_thrown(i, new) == expected
            return
        new = self.when_thrown(i, new)
        assert new is not None and new[1:] == old[1:]
        arrived, passed = self.arrive(new[0])
        assert arrived == old[0]
        if self.old.all[i].opname != "RERAISE":  # its line is that of what it raises on
            cleans_up = self.old.all[arrived].opname == "COPY"
            is_new = self.fires(i, arrived, self.line(i)) and not cleans_up
            kinds = ["line"] if is_new else []
            assert [site.kind for site in passed] == kinds

    def when_thrown(
        self, i: int, handler: tuple[int, int, bool] | None
    ) -> tuple[int, int, bool] | None:
        """What a suspended frame is thrown comes to a handler of ours first."""
        name, before = self.old.all[i].opname, self.old.all[i - 1].opname
        delegates = name == "JUMP_BACKWARD_NO_INTERRUPT" and before == "RESUME"
        if i <= self.first or (name not in ("YIELD_VALUE", "RESUME") and not delegates):
            return handler
        assert handler is not None and handler[0] in self.handlers[1:] and handler[2]
        assert self.sites[handler[0]].line == (self.line(i) or 0)
        after = self.new.handler(handler[0] + 3)
        assert after is not None and after[1] == handler[1]
        return after

    def check_unwinding(self) -> None:
        """The handlers at the end are in no line, and what the first one raises leaves."""
        assert self.new.handler(self.handlers[0] + 3) is None
        for j in range(self.handlers[0], len(self.new.all)):
            positions = self.new.all[j].positions
            assert positions is not None and positions.lineno is None
        for j, i in self.throws.items():
            target = self.old.target(i)
            assert target is not None and self.new.all[j].arg is not None
            assert self.new.all[j].arg < 256 and self.new.starts[j] == self.new.all[j].offset
            assert self.place[i + 1] == j + 1
            to = self.new.target(j)
            assert to is not None
            arrived, passed = self.arrive(to)
            assert arrived == target
            assert [site.kind for site in passed if site.kind != "line"] in (
                ["resumed"],
                ["resumed", "leave"],
            )


def compare(old: CodeType, new: CodeType) -> int:
    """Checks code and all code inside it, all of it rewritten; how many that were."""
    pairs = list(zip(code_objects(old), code_objects(new), strict=True))
    for before, after in pairs:
        Comparison(before, after).check()
    return len(pairs)


def rewrite_all(rewrite: Callable[..., Any], code: CodeType) -> CodeType:
    new = rewrite(code, Site, lambda _: True)
    assert isinstance(new, CodeType)
    return new
