# SPDX-License-Identifier: Apache-2.0
"""Writes random programs whose lines count themselves.

Each statement stands on a line of its own and counts it, with `c[17] += 1` or by calling what
world.py gives with the line's number. Lines that can not count (`try:`, the start of a list over
several lines) are said to be hit as often as another one. So what a run's hits must be is known
without looking at byte code or at any tracer.
"""

import random
from collections.abc import Callable

KINDS = ("plain", "plain", "generator", "coroutine", "asynchronous generator")
MAX_NESTING = 4
FUNCTION_LINES = 60  # about: no compound statements are begun past this


class Writer:
    """A module of functions that call each other. After write(): `lines`, `same`, `functions`."""

    def __init__(self, seed: int, functions: int = 6) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.same: dict[int, tuple[int, ...]] = {}  # line: hit as often as these together
        self.functions: dict[str, int] = {}  # name: its first statement, hit at each call
        self.kinds = {f"f{i}": self.random.choice(KINDS) for i in range(functions)}
        self.kinds["f0"] = "plain"
        self.kind = ""
        self.nesting = 0
        self.enough = 0  # line
        self.in_loop = False

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def here(self) -> int:
        """The number of the next line."""
        return len(self.lines) + 1

    @property
    def is_async(self) -> bool:
        return self.kind in ("coroutine", "asynchronous generator")

    def put(self, text: str) -> int:
        """Appends a line, with @ for its number; gives the number."""
        number = self.here
        self.lines.append("    " * self.nesting + text.replace("@", str(number)))
        return number

    def hits(self, counted: dict[int, int]) -> dict[int, int]:
        """What the lines' hits must be after a run: all that are not zero."""
        found = dict(counted)
        for line, others in self.same.items():
            found[line] = found.get(line, 0) + sum(found.get(other, 0) for other in others)
        return {line: hits for line, hits in found.items() if hits}

    def write(self) -> "Writer":
        for name, kind in self.kinds.items():
            self.kind = kind
            self.put(f"{'async ' * self.is_async}def {name}(d):")
            self.nesting += 1
            self.functions[name] = self.put("c[@] += 1")
            self.enough = self.here + FUNCTION_LINES
            self.block(self.random.randrange(3, 9))
            if "generator" in kind:
                self.put("c[@] += 1; yield @")
            self.nesting -= 1
            self.put("")
        return self

    def span_of(self, name: str) -> tuple[int, int]:
        """The lines of its `def` and of the next function's."""
        begins = self.functions[name] - 1
        after = [first - 1 for first in self.functions.values() if first > begins + 1]
        return begins, min(after, default=self.here)

    def text_of(self, name: str) -> str:
        """With the numbers that a Table has."""
        begins, ends = self.span_of(name)
        text = enumerate(self.lines[begins - 1 : ends - 1], 1)
        return "\n".join(f"{number:4} {line}" for number, line in text)

    def is_cleaned_up(self, line: int) -> bool:
        """CPython's own clean-up of an exception there may be one more event of the line."""
        return "yield from" in self.lines[line - 1] or "async for i" in self.lines[line - 1]

    # ---- blocks ----

    def block(self, statements: int) -> None:
        for _ in range(statements):
            if self.statement() == "ends":
                return

    def body(self, in_loop: bool | None = None) -> None:
        """An indented block that begins with a simple statement."""
        was = self.in_loop
        self.in_loop = was if in_loop is None else in_loop
        self.nesting += 1
        self.put("c[@] += 1")
        self.block(self.random.randrange(1, 4))
        self.nesting -= 1
        self.in_loop = was

    def statement(self) -> str | None:
        simple: list[Callable[[], str | None]] = [
            self.assignment, self.call, self.call, self.failure, self.several_lines,
            self.list_on_lines, self.function_in_lines, self.anonymous, self.suspension,
            self.suspension, self.abrupt, self.inner_function,
        ]  # fmt: skip
        compound: list[Callable[[], str | None]] = [
            self.condition, self.condition, self.while_loop, self.for_loop, self.for_loop,
            self.handlers, self.finally_, self.with_, self.match,
        ]  # fmt: skip
        deep = self.nesting > MAX_NESTING or self.here > self.enough
        return self.random.choice(simple if deep or self.random.random() < 0.5 else compound)()

    # ---- simple statements ----

    def assignment(self) -> None:
        self.put("c[@] += 1; x = (d, @)")

    def failure(self) -> None:
        self.put("c[@] += 1; may_fail()")

    def call(self) -> None:
        name, kind = self.random.choice(list(self.kinds.items()))
        text = f"{name}(d - 1)"  # of an asynchronous generator: nobody iterates over it
        if kind == "generator":
            text = self.random.choice([f"list({text})", f"some({text})"])
        elif kind == "coroutine":
            text = f"await {text}" if self.is_async else f"drive({text})"
        elif kind == "asynchronous generator" and self.is_async:
            text = f"[i async for i in {text}]"
        self.put(f"c[@] += 1; x = {text} if d and alive() else d")

    def several_lines(self) -> None:
        """The call itself is on the first line again."""
        self.put("at(@, at(@),")
        self.put("   at(@))")

    def list_on_lines(self) -> None:
        """It begins with its first item; then the list is made, on the line it begins on."""
        first = self.put("x = [")
        self.same[first] = (self.put("    at(@),"),)
        self.put("    at(@),")
        self.put("]")

    def function_in_lines(self) -> None:
        """The lambda's body is on a line that is its alone."""
        first = self.put("x = (lambda:")
        self.put("     at(@))")
        self.same[first] = (self.put("c[@] += 1; x(), x()"),)

    def anonymous(self) -> None:
        self.put(
            self.random.choice(
                [
                    "c[@] += 1; x = [i + d for i in range(3)]",
                    "c[@] += 1; x = {i: d for i in range(3) if i}",
                    "c[@] += 1; x = sum(i + d for i in range(3))",
                    "c[@] += 1; x = sorted([3, 2, 1], key=lambda i: i + d)",
                    "c[@] += 1; x = [[i for i in range(j)] for j in range(3)]",
                ]
            )
        )

    def suspension(self) -> None:
        choices = ["c[@] += 1; x = d"]
        if "generator" in self.kind:
            choices += ["c[@] += 1; yield @", "c[@] += 1; x = (yield @, @)"]
        if self.kind == "generator":
            choices += ["c[@] += 1; yield from each(0, [1, 2])"]
        if self.is_async:
            choices += ["c[@] += 1; await pause()", "c[@] += 1; x = await pause(), await pause()"]
        self.put(self.random.choice(choices))

    def abrupt(self) -> str | None:
        if self.nesting == 1:
            return None
        choices = ["return", "raise OopsError"] + ["break", "continue"] * self.in_loop
        if self.kind in ("plain", "coroutine"):
            choices += ["return x", "return (d, d)"]
            self.put("c[@] += 1; x = d")
        self.put(f"c[@] += 1; {self.random.choice(choices)}")
        return "ends"

    def inner_function(self) -> None:
        """Another function, which is not watched: its lines do not count here."""
        before = self.put("c[@] += 1")
        self.same[self.put("def inner():")] = (before,)
        self.put("    return d")
        self.put("c[@] += 1; inner()")

    # ---- compound statements ----

    def condition(self) -> None:
        self.put("if yes(@):")
        self.body()
        while self.random.random() < 0.3:
            self.put("elif yes(@):")
            self.body()
        self.else_()

    def else_(self) -> None:
        if self.random.random() < 0.4:
            self.put("else:")
            self.body()

    def while_loop(self) -> None:
        self.put("while again(@):")
        self.body(in_loop=True)
        self.else_()

    def for_loop(self) -> None:
        self.put(f"{'async ' * self.may_be_async()}for x in each(@):")
        self.body(in_loop=True)
        self.else_()

    def may_be_async(self) -> bool:
        return self.is_async and self.random.random() < 0.5

    def handlers(self) -> None:
        before = self.put("c[@] += 1")
        self.same[self.put("try:")] = (before,)
        self.body()
        self.put("except at(@, OtherError):")
        self.body()
        self.put(f"except at(@, OopsError){self.random.choice(['', ' as e'])}:")
        self.body()
        self.else_()

    def finally_(self) -> None:
        before = self.put("c[@] += 1")
        self.same[self.put("try:")] = (before,)
        self.body()
        self.put("finally:")
        self.body(in_loop=False)

    def with_(self) -> None:
        self.put(f"{'async ' * self.may_be_async()}with context(@):")
        self.body()

    def match(self) -> None:
        self.put("match at(@, 1):")
        self.nesting += 1
        for _ in range(self.random.randrange(1, 4)):
            self.put(self.random.choice(["case _ if yes(@):", "case p.n@():"]))
            self.body()
        if self.random.random() < 0.5:
            last = self.put("case _:")
            self.same[last] = (last + 1,)
            self.body()
        self.nesting -= 1
