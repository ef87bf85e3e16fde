# SPDX-License-Identifier: Apache-2.0
"""fettle.dis: the bytecode of an object of this process."""

import inspect
import linecache
import sys
from types import CodeType

from fettle.bytecode.find import Target
from fettle.bytecode.unit import Unit
from fettle.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any, TextIO

    from fettle._core import Profile
    from fettle.bytecode.counts import Counts
    from fettle.inside import Run

    Recorded = Run | Profile | str | PathLike[str]


def dis(
    x: "Any",
    *,
    adaptive: bool = False,
    show_caches: bool = False,
    show_offsets: bool = False,
    show_positions: bool = False,
    source: bool = False,
    counts: "Recorded | None" = None,
    vs: "Any" = None,
    file: "TextIO | None" = None,
) -> None:
    """Prints the bytecode of x, to file (stdout): a function, method, class, module, generator,
    coroutine, code object or text.

    Without options it reads as dis.dis() does. adaptive: as the interpreter has specialised it so
    far. source: each line of source above its instructions. counts: beside these how often each
    line ran and its time, from a recording of lines or the path of one. vs: beside another object
    (without source and positions). ValueError for a recording that has no such lines, and for text
    that does not compile; TypeError for what has no bytecode.

    >>> dis(lambda: 3, source=True)  # doctest: +ELLIPSIS
    <doctest ...>:1 <lambda>
    ...
    """
    from fettle.report import bytecode, bytecodepair, screen

    out = sys.stdout if file is None else file
    try:
        found, other = targets(x), [] if vs is None else targets(vs)
        known = _counts(counts) if counts is not None else None
        remarks = known.check([*found, *other]) if known else []
    except Problem as problem:
        raise ValueError(problem.sentence) from None
    if show_positions and not (source or known or vs or bytecode.takes("show_positions")):
        raise ValueError("dis shows positions since Python 3.14; with source=True they are shown")
    if vs is not None and (source or show_positions):
        raise ValueError(
            "beside another object there is no room for source or positions; leave one of them out"
        )
    choice = bytecode.Choice(show_caches, show_offsets, show_positions, adaptive, source, known)
    if vs is not None:
        from fettle.bytecode import pairs

        bytecodepair.show(pairs.matched(found, other, choice), out)
    else:
        bytecode.show(found, choice, out)
    screen.sentences(remarks, out)


def targets(x: "Any") -> list[Target]:
    """The code of an object; of classes and modules that of all functions in them."""
    found = [Target(code, _unit(code), name) for name, code in _codes(x, "")]
    if not found:
        raise TypeError(f"{type(x).__name__} has no bytecode: {x!r:.60}")
    return found


def _codes(x: "Any", name: str) -> "list[tuple[str, CodeType]]":
    x = getattr(x, "__func__", x)
    if not isinstance(x, type):
        for place in ("__code__", "gi_code", "ag_code", "cr_code"):
            if isinstance(getattr(x, place, None), CodeType):
                return [(name, getattr(x, place))]
    if isinstance(x, CodeType):
        return [(name, x)]
    if isinstance(x, str):
        from fettle.bytecode import unit

        return [(name, unit.of_text(x).code)]
    if isinstance(x, type) or inspect.ismodule(x):
        return [pair for key, each in vars(x).items() for pair in _members(x, key, each, name)]
    return []


def _members(owner: "Any", key: str, member: "Any", above: str) -> "list[tuple[str, CodeType]]":
    """Those that are defined in the class or module, also behind property()."""
    name = f"{above}.{key}" if above else key
    if isinstance(member, property):
        parts = (member.fget, member.fset, member.fdel)
        return [pair for part in parts if part for pair in _codes(part, name)]
    member = getattr(member, "__func__", member)
    if isinstance(member, type):
        is_own = isinstance(owner, type) and member.__qualname__ == f"{owner.__qualname__}.{key}"
        is_own = is_own or (inspect.ismodule(owner) and member.__module__ == owner.__name__)
        return _codes(member, name) if is_own else []
    if not inspect.isfunction(member):
        return []
    is_foreign = inspect.ismodule(owner) and member.__module__ != owner.__name__
    return [] if is_foreign else _codes(member, name)


def _unit(code: CodeType) -> Unit:
    lines = linecache.getlines(code.co_filename)
    return Unit(code.co_filename, code.co_filename, code, "".join(lines))


def _counts(recorded: "Recorded") -> "Counts":
    import os

    from fettle import _core, recording
    from fettle.bytecode.counts import Counts
    from fettle.inside import Run

    if isinstance(recorded, Run):
        return Counts(recorded.profile(), "the recording")
    if isinstance(recorded, _core.Profile):
        return Counts(recorded, "the recording")
    path = os.fspath(recorded)
    return Counts(recording.open_one(path).profile, path)
