# SPDX-License-Identifier: Apache-2.0
"""Names as they are shown: short, unambiguous, and harmless to a terminal."""

from fettle.problem import CHECK_FAILED, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.report.row import Named

C_FILE = "~"  # the "file" of functions written in C, as in pstats


def visible(text: str) -> str:
    """text with control, format and bidi characters escaped: a name must not draw on the screen."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def plain(text: str) -> str:
    """The same of a text of several lines: these and its tabs stay.

    >>> plain("a\\tb\\x1b[1m\\nc")
    'a\\tb\\\\x1b[1m\\nc'
    """
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else _escaped(letter) for letter in text
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


class Files:
    """The files of a recording, each shown as the shortest end of its path that names no other.

    `__init__.py` and `__main__.py` alone say nothing: they keep their folder.
    """

    def __init__(self, paths: list[str]) -> None:
        self._shown: dict[str, str] = {}
        groups: dict[str, list[str]] = {}
        for path in dict.fromkeys(paths):
            groups.setdefault(_tail(path, _least(path)), []).append(path)
        while groups:
            groups = self._settle(groups)

    def _settle(self, groups: dict[str, list[str]]) -> dict[str, list[str]]:
        """Keeps the ends that name one path; gives groups with longer ends for the others."""
        left: dict[str, list[str]] = {}
        for end, paths in groups.items():
            for path in paths:
                if len(paths) == 1 or end == path:
                    self._shown[path] = visible(end)
                else:
                    left.setdefault(_tail(path, end.count("/") + 2), []).append(path)
        return left

    def shown(self, path: str) -> str:
        return self._shown.get(path) or visible(path)

    def label(self, row: "Named") -> str:
        """As pstats writes it: login.py:26(main_app), {built-in method time.sleep}."""
        name = visible(row.name)
        if row.file != C_FILE:
            return f"{self.shown(row.file)}:{row.line}({name})"
        return f"{{{name[1:-1]}}}" if name[:1] == "<" and name[-1:] == ">" else name

    def match(self, row: "Named", glob: str) -> bool:
        """Is row in a file or module that glob means?"""
        from fnmatch import fnmatchcase

        if row.file == C_FILE:
            label = self.label(row)
            return any(fnmatchcase(name, glob) for name in (label, *_c_modules(row.name)))
        names = {row.file, self.shown(row.file), *_ends(row.file, glob)}
        return any(fnmatchcase(name, glob) for name in names)


def _least(path: str) -> int:
    return 2 if path.endswith(("/__init__.py", "/__main__.py")) else 1


def _tail(path: str, count: int) -> str:
    return "/".join(path.split("/")[-count:])


def _ends(path: str, glob: str) -> list[str]:
    """The ends of path that have as many parts as glob asks for, as a path and as a module."""
    ends = [_tail(path, glob.count("/") + 1)]
    module = path.removesuffix(".py").removesuffix("/__init__")
    steps = module.split("/")
    ends += [".".join(steps[-count:]) for count in range(1, glob.count(".") + 2)]
    return ends


def c_name(name: str) -> str:
    """<built-in method time.sleep> is time.sleep, <method 'join' of 'str' objects> is str.join."""
    words = name.strip("<>").split()
    if len(words) == 5 and words[0] == "method" and words[2] == "of" and words[4] == "objects":
        return f"{words[3]}.{words[1]}".replace("'", "")
    return words[-1] if words else name


def _c_modules(name: str) -> list[str]:
    """<built-in method time.sleep> is in module time."""
    full = name.strip("<>").rpartition(" ")[2]
    return [full.rpartition(".")[0]] if "." in full else []


def shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def no_match(glob: str) -> Problem:
    return Problem(
        CHECK_FAILED,
        f"no file or module of this recording matches {visible(glob)};"
        " the table of all rows (-n 0, rows=0) has those there are.",
    )
