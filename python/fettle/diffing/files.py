# SPDX-License-Identifier: Apache-2.0
"""Which file of the old side is which of the new one.

The same path is the same file; else the same path from the folder in which the program ran; else,
if that is clear, the same end of the path (another folder, another Python), or most of the same
functions (a file that got another name). What is not clear is gone here and new there.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Names = Mapping[str, set[str]]  # of each file the names of its functions

_MOST_STEPS = 5  # of the end of a path that are compared
_MOST_FILES = 400  # of either side: all pairs are looked at
_ALIKE = 0.5  # the share of the names that both have, from which on a file is the other one
_LEAST_ALIKE = 2  # functions, besides the module's own code
_EVERYWHERE = {"<module>", "<lambda>", "__init__", "main"}
_NO_NAMES = ("__init__.py", "__main__.py")  # these alone say nothing


def relative(file: str, folder: str) -> str:
    """The path from the folder of the program; what lies elsewhere has its whole path.

    >>> relative("/home/a/app/x.py", "/home/a/app/"), relative("/usr/lib/y.py", "/home/a/app")
    ('x.py', '/usr/lib/y.py')
    """
    start = folder.rstrip("/") + "/"
    if folder and os.path.isabs(file) and file.startswith(start):
        return file[len(start) :]
    return file


def paired(old: "Names", new: "Names", folders: tuple[str, str]) -> dict[str, str]:
    """What the files of old are called in new; one that is gone is not in it.

    >>> old = {"/a/x.py": {"f", "g"}, "/a/u.py": {"h", "i"}, "/a/gone.py": {"j"}}
    >>> new = {"/b/x.py": {"f"}, "/b/v.py": {"h", "i", "k"}}
    >>> paired(old, new, ("/a", "/b"))
    {'/a/x.py': '/b/x.py', '/a/u.py': '/b/v.py'}
    """
    found = {file: file for file in old if file in new}
    short = {relative(file, folders[1]): file for file in new}
    taken = set(found.values())
    for file in old:
        other = short.get(relative(file, folders[0]))
        if file not in found and other is not None and other not in taken:
            found[file] = other
            taken.add(other)
    for steps in range(_MOST_STEPS, 0, -1):
        _by_end(old, new, found, steps)
    _by_names(old, new, found)
    return found


def _left(old: "Names", new: "Names", found: dict[str, str]) -> tuple[list[str], list[str]]:
    """The files of either side that have no other yet."""
    taken = set(found.values())
    return [file for file in old if file not in found], [file for file in new if file not in taken]


def _by_end(old: "Names", new: "Names", found: dict[str, str], steps: int) -> None:
    olds, news = (_ends(files, steps) for files in _left(old, new, found))
    for end, files in olds.items():
        others = news.get(end, [])
        if len(files) == len(others) == 1 and _share_a_name(old[files[0]], new[others[0]]):
            found[files[0]] = others[0]


def _ends(files: "Iterable[str]", steps: int) -> dict[str, list[str]]:
    ends: dict[str, list[str]] = {}
    for file in files:
        parts = file.split("/")
        if len(parts) > steps and (steps > 1 or parts[-1] not in _NO_NAMES):
            ends.setdefault("/".join(parts[-steps:]), []).append(file)
    return ends


def _share_a_name(one: set[str], other: set[str]) -> bool:
    own, others = one - _EVERYWHERE, other - _EVERYWHERE
    return bool(own & others) or not (own and others)


def _by_names(old: "Names", new: "Names", found: dict[str, str]) -> None:
    """The best of each, if it is the best of the other too, and no other is as good."""
    olds, news = _left(old, new, found)
    if max(len(olds), len(news)) > _MOST_FILES:
        return
    best = {file: _best(old[file], {other: new[other] for other in news}) for file in olds}
    back = {file: _best(new[file], {other: old[other] for other in olds}) for file in news}
    found |= {file: other for file, other in best.items() if other and back[other] == file}


def _best(names: set[str], others: "Names") -> str:
    """Of the others the one with most of the same names; "" if none is clearly it."""
    own = names - _EVERYWHERE
    scores = []
    for other, theirs in others.items():
        both = own & (theirs - _EVERYWHERE)
        share = len(both) / len((own | theirs) - _EVERYWHERE) if both else 0.0
        if len(both) >= _LEAST_ALIKE and share >= _ALIKE:
            scores.append((share, other))
    scores.sort(reverse=True)
    clear = scores and (len(scores) == 1 or scores[0][0] > scores[1][0])
    return scores[0][1] if clear else ""
