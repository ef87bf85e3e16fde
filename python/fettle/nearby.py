# SPDX-License-Identifier: Apache-2.0
"""What somebody may have meant by a selector that matched nothing: the functions and classes in the
file that it names, or files and modules with names like it.
"""

import ast
import os
from difflib import get_close_matches

from fettle import sourcetext
from fettle.selectors import is_file, modules_of, parted

MOST = 3
MOST_BYTES = 4 << 20  # of a file that is looked into for names


class Nearby:
    """The files around a program: its own, those beside it, those in its recording."""

    def __init__(self, script: str, recorded: list[str]) -> None:
        folder = os.path.dirname(script) or os.getcwd()
        beside = [os.path.join(folder, name) for name in _listed(folder)]
        self._files = list(dict.fromkeys([*[script] * bool(script), *beside, *recorded]))
        self._modules: dict[str, str] = {}  # the file of each
        for file in self._files:
            for module in modules_of(file)[: 1 if file in beside else 2]:
                self._modules.setdefault(module, file)
        if script:
            self._modules["__main__"] = script

    def hint(self, selector: str) -> str:
        """What to try instead, or why it came to nothing."""
        place, name = self._parted(selector)
        file = os.path.abspath(place) if is_file(place) else self._modules.get(place, "")
        if file and os.path.isfile(file):
            known = qualnames(file)
            if not name or name in known:
                return "it is there, but the program did not load it"
            likely = [f"{place}:{each}" for each in near(name, known)]
        else:
            known = list(map(_relative, self._files)) if is_file(place) else list(self._modules)
            likely = [each + (f":{name}" if name else "") for each in near(place, known)]
        return f"near: {', '.join(likely)}" if likely else "write FILE, FILE:NAME or MODULE:NAME"

    def _parted(self, selector: str) -> tuple[str, str]:
        """PLACE and NAME; the last dot may stand for the colon."""
        place, name = parted(selector)
        module, _, last = place.rpartition(".")
        is_dotted = not name and not is_file(place) and place not in self._modules
        return (module, last) if is_dotted and module in self._modules else (place, name)


def _listed(folder: str) -> list[str]:
    try:
        return [name for name in sorted(os.listdir(folder)) if name.endswith(".py")]
    except OSError:
        return []


def _relative(file: str) -> str:
    inside = os.path.relpath(file)
    return file if inside.startswith("..") else inside


def near(word: str, known: list[str]) -> list[str]:
    """Those that are like word, whatever the case, and whatever they are in."""
    spelled: dict[str, str] = {}
    for name in known:
        spelled.setdefault(name.lower(), name)
        spelled.setdefault(name.lower().rpartition(".")[2], name)
    found = get_close_matches(word.lower(), spelled, n=MOST)
    return [each for each in dict.fromkeys(spelled[name] for name in found) if each.isprintable()]


def qualnames(file: str) -> list[str]:
    """The functions and classes of a file, without running it."""
    found = sourcetext.read(file, MOST_BYTES)
    try:
        tree = ast.parse(found[0] if found else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names: list[str] = []
    left: list[tuple[ast.AST, str]] = [(tree, "")]
    while left:
        node, prefix = left.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(prefix + node.name)
            prefix = f"{prefix}{node.name}."
        left += [(each, prefix) for each in ast.iter_child_nodes(node)]
    return names
