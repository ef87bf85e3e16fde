# SPDX-License-Identifier: Apache-2.0
"""SEL: the code objects that it means.

FILE, FILE:QUALNAME, FILE:LINE, a glob of files, MODULE, MODULE:QUALNAME, MODULE.QUALNAME. What
means nothing is answered with what was perhaps meant.
"""

import os
from dataclasses import dataclass
from glob import glob, has_magic
from types import CodeType

from fettle import nearby, selectors
from fettle.bytecode import codes, unit
from fettle.problem import USAGE, Problem
from fettle.report.names import shortened, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.bytecode.unit import Unit


@dataclass(frozen=True, slots=True)
class Target:
    """One code object that was asked for, with what it holds."""

    code: CodeType
    unit: "Unit"
    name: str = ""  # as it is announced; "": it is all that was asked for


def find(selector: str) -> list[Target]:
    """At least one. Problem."""
    whole = _whole(selector)
    if whole:
        return _announced([Target(each.code, each) for each in whole])
    place, name = parted(selector)
    units = _units(place)
    found: list[Target] = []
    for each in units:
        found += [Target(code, each) for code in _chosen(each, name)]
    if not found:
        raise Problem(USAGE, _nothing(place, name, units))
    return _announced(found)


def _announced(found: list[Target]) -> list[Target]:
    """One needs no title; several are told apart by name, and by file where there are several."""
    if len(found) == 1:
        return found
    is_one_place = len({each.unit.name for each in found}) == 1
    return [Target(each.code, each.unit, _title(each, is_one_place)) for each in found]


def _title(target: Target, is_one_place: bool) -> str:
    place, name = target.unit.name, codes.plain(target.code.co_qualname)
    if name == "<module>":
        return visible(place)
    return visible(name if is_one_place else f"{place}:{name}")


def _chosen(whole: "Unit", name: str) -> list[CodeType]:
    if not name:
        return [whole.code]
    if name.isdecimal() and len(name) < 10:
        return codes.at_line(whole.code, int(name))
    return codes.called(whole.code, name)


# ---- the place ----


def _whole(selector: str) -> "list[Unit]":
    """A file whose name has a colon in it is meant as it stands."""
    return [unit.of_file(selector)] if os.path.isfile(selector) else []


def parted(selector: str) -> tuple[str, str]:
    """PLACE and QUALNAME; the last dots may stand for the colon."""
    place, name = selectors.parted(selector)
    if name or selector.endswith(":"):
        return place, name
    if is_path(place):
        file, dot, rest = place.rpartition(".py.")
        return (f"{file}.py", rest) if dot else (place, "")
    parts = place.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if all(parts[:end]) and unit.find(module) is not None:
            return module, ".".join(parts[end:])
    return place, ""


def is_path(place: str) -> bool:
    return (
        selectors.is_file(place)
        or ".py." in place
        or place.endswith(".pyc")
        or os.path.exists(place)
    )


def _units(place: str) -> "list[Unit]":
    if os.path.isfile(place):
        return [unit.of_file(place)]
    if has_magic(place) and is_path(place):
        files = [each for each in sorted(glob(place, recursive=True)) if os.path.isfile(each)]
        if files:
            return [unit.of_file(each) for each in files]
        raise Problem(USAGE, f"no file matches {_shown(place)}; check the pattern and the folder.")
    if selectors.is_file(place) or place.endswith(".pyc"):
        raise Problem(USAGE, _no_file(place))
    spec = unit.find(place) if all(place.split(".")) else None
    if spec is None or (os.path.isdir(place) and not spec.origin):
        raise Problem(USAGE, _no_module(place))
    return [unit.of_module(place)]


# ---- what is not there ----


def _shown(text: str) -> str:
    return shortened(visible(text), 100)


def _no_file(place: str) -> str:
    shown = _shown(place)
    if os.path.isdir(place):
        inside = next((each for each in sorted(os.listdir(place)) if each.endswith(".py")), "FILE")
        return f"{shown} is a folder; name a file in it: {os.path.join(shown, _shown(inside))}."
    if os.path.islink(place) and not os.path.exists(place):
        return f"{shown} is a link that leads nowhere; name the file that it meant."
    if os.path.exists(place):
        return f"{shown} is not a file; name a source file, a module or a function."
    folder, base = os.path.split(place)
    try:
        there = sorted(os.listdir(folder or "."))
    except OSError:
        return f"there is no file {shown}, nor its folder; check the name and the folder."
    known = [each for each in there if each.endswith((".py", ".pyc"))]
    near = [os.path.join(folder, each) for each in nearby.near(base, known)]
    return f"there is no file {shown}; {_or(near, 'check the name and the folder')}."


def _no_module(place: str) -> str:
    """The part that is there, and modules with a name like the one that is not."""
    import sys
    from pkgutil import iter_modules

    if not place:
        return "SEL begins with what the code is in; write FILE, FILE:NAME, MODULE or MODULE:NAME."
    if os.path.isdir(place):
        return _no_file(place)
    parts = place.split(".")
    depth = 0
    while depth < len(parts) and parts[depth] and unit.find(".".join(parts[: depth + 1])):
        depth += 1
    above = ".".join(parts[:depth])
    missing = parts[depth] if depth < len(parts) else ""
    known: list[str] = []
    if not above:
        known = [
            *sys.stdlib_module_names,
            *(each.name for each in iter_modules(unit.search_path())),
        ]
    else:
        spec = unit.find(above)
        inside = (unit.folders(spec) if spec else None) or []
        known = [f"{above}.{each.name}" for each in iter_modules(inside)]
    wanted = f"{above}.{missing}" if above else missing
    near = nearby.near(wanted, sorted({*known} - {wanted}))  # it may be known, and not installed
    return f"there is no file or module {_shown(place)}; {_or(near, 'write FILE or MODULE:NAME')}."


def _nothing(place: str, name: str, units: "list[Unit]") -> str:
    """Of the functions in a place none is meant."""
    shown = _shown(place)
    if name.isdecimal():
        return f"{shown} has no code at line {_shown(name)}; name a line of a function."
    known = list(dict.fromkeys(each for whole in units for each in codes.names(whole.code)))
    if name in known:
        return f"{_shown(name)} in {shown} has no methods; name another class or function."
    elsewhere = _elsewhere(shown, name, units)
    if elsewhere:
        return elsewhere
    near = [f"{place}:{each}" for each in nearby.near(codes.plain(name), known)]
    near = [*_submodules(units, name), *near]
    if any(name in whole.code.co_names for whole in units):
        return (
            f"{_shown(name)} is a name in {shown}, but no function or class is defined there by"
            f" it; {_or(near, 'name the place where it is defined')}."
        )
    return f"{shown} has no function or class {_shown(name)}; {_or(near, _some(place, known))}."


def _elsewhere(shown: str, name: str, units: "list[Unit]") -> str:
    """Of what a module has from another one; "" where that is not so."""
    from fettle.bytecode import origins

    for whole in units:
        module, there, has_code = origins.of(whole, codes.plain(name))
        if has_code:
            return f"{shown} has {_shown(name)} from {module}; write {_shown(f'{module}:{there}')}."
        if module:
            return (
                f"{shown} has {_shown(name)} from {module}, which is written in C and has no"
                " bytecode; name a function written in Python."
            )
    return ""


def _submodules(units: "list[Unit]", name: str) -> list[str]:
    """Of a package those with a name like that."""
    from pkgutil import iter_modules

    spec = unit.find(units[0].module) if units[0].module else None
    inside = (unit.folders(spec) if spec else None) or []
    known = [each.name for each in iter_modules(inside)]
    return [f"{units[0].module}.{each}" for each in nearby.near(name, known)]


def _some(place: str, known: list[str]) -> str:
    if not known:
        return "there is none in it; leave the name out"
    return f"there is {', '.join(_shown(f'{place}:{each}') for each in known[:3])}"


def _or(near: list[str], otherwise: str) -> str:
    return f"near: {', '.join(map(_shown, near))}" if near else otherwise
