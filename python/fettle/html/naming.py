# SPDX-License-Identifier: Apache-2.0
"""Which file and which function each side means: two recordings have paths and lines of their own.

A file is the same if it has the same path, else the same from the folder in which the program ran,
else the same label. A function is the same if its file and qualified name are: at the same line,
else in the order of the lines.
"""

from fettle import _core
from fettle.diffing.side import Side as Runs
from fettle.report import names
from fettle.report.names import C_FILE, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import FunctionRow, Profile, Stats

    Key = tuple[int, str, str]  # file, qualified name, name

PYTHON, C, OTHER = 0, 1, 2


class Side:
    """One recording: its rows, each asked for once, and how its paths are called. With runs it is
    the sum of them, but memory, objects and timeline are those of the typical one: there a sum
    would be nothing that was."""

    def __init__(
        self,
        profile: "Profile | Stats",
        source: str,
        has_cost: bool = False,
        runs: Runs | None = None,
    ) -> None:
        self.profile = profile
        self.runs = runs or Runs(source, [profile])
        self.number = len(self.runs.runs)  # what the rest is divided by
        self.has_cost = has_cost  # whether what recording cost is said
        self.source = source
        self.functions = profile.functions()
        self.model = None if isinstance(profile, _core.Stats) else profile
        self.typical = self.runs.typical() if self.model else None
        self.sites = self.typical.sites() if self.typical else []
        self.lines = self.model.lines() if self.model else []

    def paths(self) -> list[str]:
        """All files that something of it is in, each once."""
        found = [row.file for row in self.functions]
        found += [row.file for row in self.sites]
        found += [table[0] for table in self.lines]
        return [path for path in dict.fromkeys(found) if path not in {C_FILE, ""}]


def processes(profile: "Profile", are_runs: bool = False) -> list[str]:
    """What each is called: [process 12: python app.py]; of several runs, without the number.

    >>> processes(_core.Profile())
    []
    """
    return [
        f"[process{'' if are_runs else f' {row.pid}'}:"
        f" {names.shortened(visible(' '.join(row.command)))}]"
        for row in profile.processes()
    ]


def threads(profile: "Profile") -> list[str]:
    """What each is called: [main]

    >>> threads(_core.Profile())
    []
    """
    return [
        f"[{visible(row.name)}{f', {row.uses} in turn' if row.uses > 1 else ''}]"
        for row in profile.threads()
    ]


class Files:
    """The files of both sides. `labels` is what the report calls them."""

    def __init__(self, new: Side, old: Side | None = None) -> None:
        paths = new.paths()
        self._new = {path: at for at, path in enumerate(paths)}
        self._old: dict[str, int] = {}
        if old:
            for path, at in _matched(new, old, paths):
                if at < 0:
                    at = len(paths)
                    paths.append(path)
                self._old[path] = at
        self.names = names.Files(paths)
        self.labels = [self.names.shown(path) for path in paths]
        self.paths = paths

    def index(self, path: str, is_old: bool = False) -> int:
        """Which file that path of a side is; -1: none, as of functions in C."""
        return (self._old if is_old else self._new).get(path, -1)


def _matched(new: Side, old: Side, paths: list[str]) -> "Iterable[tuple[str, int]]":
    """Each path of the old side, with the place of the same file in paths or -1."""
    places = {path: at for at, path in enumerate(paths)}
    wanted = old.paths()
    found = {path: places[path] for path in wanted if path in places}
    for way in (_from_folder, _labels):
        taken = set(found.values())
        free = way(new, paths)
        left = {name: path for path, name in free.items() if places[path] not in taken}
        for path, name in way(old, wanted).items():
            if path not in found and name in left:
                found[path] = places[left.pop(name)]
    return [(path, found.get(path, -1)) for path in wanted]


def _from_folder(side: Side, paths: list[str]) -> dict[str, str]:
    """Each path as it is called from the folder of the program."""
    folder = side.profile.meta().get("cwd", "").rstrip("/") + "/"
    return {path: path.removeprefix(folder) for path in paths}


def _labels(side: Side, paths: list[str]) -> dict[str, str]:
    """Each path as a report of that side alone calls it."""
    files = names.Files(paths)
    return {path: files.shown(path) for path in paths}


class Functions:
    """The functions of both sides as one list of columns: those of the new one first."""

    def __init__(self, files: Files, new: Side, old: Side | None = None) -> None:
        self._files = files
        self._rows: list[FunctionRow] = list(new.functions)
        self.of_new: list[int] = list(range(len(new.functions)))  # by row of functions()
        self.of_old: list[int] = _pair(files, self._rows, old.functions) if old else []
        self._extra: list[tuple[str, int]] = []
        self._by_place: tuple[dict[tuple[int, int, str], int], ...] = (
            _by_place(files, new.functions, self.of_new, False),
            _by_place(files, old.functions if old else [], self.of_old, True),
        )

    def count(self) -> int:
        return len(self._rows)

    def at(self, file: int, first_line: int, qualname: str, is_old: bool = False) -> int:
        """The function of a line or a site; -1: none that was called."""
        return self._by_place[is_old].get((file, first_line, qualname), -1)

    def other(self, label: str) -> int:
        """A row without numbers, for what is no function."""
        known = dict(self._extra)
        if label not in known:
            known[label] = len(self._rows) + len(self._extra)
            self._extra.append((label, known[label]))
        return known[label]

    def columns(self, new: Side, old: Side | None) -> dict[str, list[object]]:
        """The part "functions" of the payload."""
        extra = [label for label, _ in self._extra]
        rows, is_new = self._rows, len(new.functions)
        files = [self._files.index(row.file, at >= is_new) for at, row in enumerate(rows)]
        found: dict[str, list[object]] = {
            "file": [*files, *[-1] * len(extra)],
            "line": [*(row.line for row in rows), *[0] * len(extra)],
            "name": [*map(_name, rows), *extra],
            "label": [*map(self._label, rows, files), *extra],
            "kind": [*(C if row.file == C_FILE else PYTHON for row in rows), *[OTHER] * len(extra)],
        }
        found |= _numbers(new.functions, self.of_new, len(rows) + len(extra), "")
        if old:
            found |= _numbers(old.functions, self.of_old, len(rows) + len(extra), "0")
        return found

    def _label(self, row: "FunctionRow", file: int) -> str:
        if file < 0:
            return self._files.names.label(row)
        return f"{self._files.labels[file]}:{row.line}({visible(row.name)})"


def _name(row: "FunctionRow") -> str:
    return (
        visible(row.qualname or row.name) if row.file != C_FILE else names.c_name(visible(row.name))
    )


_NUMBERS = {
    "calls": "calls",
    "primitive": "primitive",
    "own": "own",
    "cumulative": "cumulative",
    "ownWaiting": "own_waiting",
    "cumulativeWaiting": "cumulative_waiting",
}


def _numbers(
    rows: "list[FunctionRow]", places: list[int], count: int, suffix: str
) -> dict[str, list[object]]:
    """The numeric columns of one side; times in ns."""
    found: dict[str, list[object]] = {}
    for key, field in _NUMBERS.items():
        column: list[object] = [0] * count
        scale = 1 if key in {"calls", "primitive"} else 1e9
        for at, row in zip(places, rows, strict=True):
            column[at] = round(getattr(row, field) * scale)
        found[key + suffix] = column
    return found


def _pair(files: Files, rows: "list[FunctionRow]", old: "list[FunctionRow]") -> list[int]:
    """Where each row of the old side stands in rows; those that are not there are appended."""
    free: dict[Key, list[tuple[int, int]]] = {}
    for at, row in enumerate(rows):
        free.setdefault(_key(files, row, False), []).append((row.line, at))
    exact = {(key, line): at for key, places in free.items() for line, at in places}
    found: dict[int, int] = {}
    for at, row in enumerate(old):
        same = exact.pop((_key(files, row, True), row.line), None)
        if same is not None:
            found[at] = same
    taken = set(found.values())
    moved = {key: sorted(each for each in free[key] if each[1] not in taken) for key in free}
    ends = dict.fromkeys(moved, 0)
    left = sorted((row.line, at) for at, row in enumerate(old) if at not in found)
    for _, at in left:
        key = _key(files, old[at], True)
        places = moved.get(key, [])
        if ends.get(key, 0) < len(places):
            found[at] = places[ends[key]][1]
            ends[key] += 1
        else:
            found[at] = len(rows)
            rows.append(old[at])
    return [found[at] for at in range(len(old))]


def _key(files: Files, row: "FunctionRow", is_old: bool) -> "Key":
    return files.index(row.file, is_old), row.qualname, row.name


def _by_place(
    files: Files, rows: "list[FunctionRow]", places: list[int], is_old: bool
) -> dict[tuple[int, int, str], int]:
    return {
        (files.index(row.file, is_old), row.line, row.qualname): at
        for row, at in zip(rows, places, strict=True)
    }
