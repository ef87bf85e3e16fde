# SPDX-License-Identifier: Apache-2.0
"""What differs between cProfile's counts and a recording's, after the known differences.

There is no tolerance. Every rule below forgives one thing, for one reason, and nothing else:

AFTER_MAIN        A recording goes on after the main module's end, cProfile's run does not.
                  (Recorded.main_counts leaves that out by walking the tree from `<module>`.)
SHARED_LABEL      Code objects with equal labels are one function to us and several to cProfile.
OVERRIDDEN        cProfile names a C method by looking its name up in the object's class; where a
                  Python class overrides it and calls it by super(), that is the override:
                  `<function Random.seed>` is `<method 'seed' of '_random.Random' objects>`.
METACLASS         Where the object is a class, cProfile looks in the class's class: from 3.12 on
                  typing.Generic's `__init_subclass__`, in C since then, goes by the name of the
                  one that every class has from object.
"""

import re
import sys
from collections.abc import Iterator

from .counts import NEVER, Calls, Counts, Function


def compare_functions(reference: Counts, ours: Counts) -> Iterator[str]:
    for f in sorted(reference.functions.keys() | ours.functions.keys()):
        theirs, mine = reference.functions.get(f, NEVER), ours.functions.get(f, NEVER)
        if not equal(theirs, mine, f in reference.shared):
            yield f"{f}: cProfile {tuple(theirs)}, recorded {tuple(mine)}"


def compare_edges(reference: Counts, ours: Counts) -> Iterator[str]:
    for edge in sorted(reference.edges.keys() | ours.edges.keys()):
        theirs, mine = reference.edges.get(edge, NEVER), ours.edges.get(edge, NEVER)
        if not equal(theirs, mine, not reference.shared.isdisjoint(edge)):
            caller, callee = edge
            yield f"{caller} -> {callee}: cProfile {tuple(theirs)}, recorded {tuple(mine)}"


def equal(theirs: Calls, mine: Calls, shared: bool) -> bool:
    """SHARED_LABEL: one of them calling another is recursion to us only, so that fewer of our calls
    are primitive (the `__init__` of two dataclasses, both `<string>:1(__init__)`)."""
    if shared:
        return theirs.calls == mine.calls and theirs.primitive >= mine.primitive
    return theirs == mine


def overridden(reference: Counts) -> set[str]:
    """The names of C methods that cProfile calls by an override's name."""
    matches = (re.fullmatch(r"<function \S+\.(\w+)>", f.name) for f in reference.functions)
    return {match[1] for match in matches if match}


METACLASS = {"__init_subclass__"} if sys.version_info >= (3, 12) else set()
METHOD = re.compile(r"<(?:method '|function \S+\.|built-in method (?!\w+\.))(\w+)\b")


def with_one_name(counts: Counts, methods: set[str]) -> Counts:
    """OVERRIDDEN, METACLASS: the C methods of these names, whoever's they are, become one."""

    def renamed(f: Function) -> Function:
        match = METHOD.match(f.name) if f.file == "~" else None
        return f._replace(name=f"<any {match[1]}>") if match and match[1] in methods else f

    result = Counts(shared={renamed(f) for f in counts.shared})
    for f, calls in counts.functions.items():
        result.add(renamed(f), *calls)
    for (caller, callee), calls in counts.edges.items():
        result.add_edge((renamed(caller), renamed(callee)), *calls)
    return result


def differences(reference: Counts, ours: Counts) -> list[str]:
    methods = overridden(reference) | METACLASS
    theirs, mine = with_one_name(reference, methods), with_one_name(ours, methods)
    return [*compare_functions(theirs, mine), *compare_edges(theirs, mine)]
