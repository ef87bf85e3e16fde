# SPDX-License-Identifier: Apache-2.0
"""SEL: what `--lines=SEL` means, said to the guest, and what to say where it meant nothing.

A selector is PLACE or PLACE:QUALNAME. PLACE is a file where it has a "/" or ends in .py, else a
module, which takes its submodules in; a dot may stand for the colon. All parts may be globs. The
core selects (glue/probes/selector.h); here it is only asked whether anything came of it, and a
module may be called by any end of its file's path.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

_GLOB = "*?["


def words(selector: str) -> list[str]:
    """What selector means, as words for the guest: they have no blanks."""
    return [encoded(each) for each in absolute(selector)]


def absolute(selector: str) -> list[str]:
    """A selector of files by their absolute path, and by the real one if that is another, for
    Python knows an imported module by either."""
    place, name = parted(selector)
    if not is_file(place):
        return [selector]
    suffix = f":{name}" if name else ""
    return [path + suffix for path in dict.fromkeys(_paths(place))]


def encoded(word: str) -> str:
    """A word without blanks.

    >>> encoded("my app.py:50%")
    'my%20app.py:50%25'
    """
    return "".join(
        "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
        if letter == "%" or letter.isspace()
        else letter
        for letter in word
    )


def parted(selector: str) -> tuple[str, str]:
    """PLACE and QUALNAME, which may be empty."""
    place, colon, name = selector.rpartition(":")
    return (place, name) if colon else (selector, "")


def is_file(place: str) -> bool:
    return "/" in place or place.endswith(".py")


def _literal(path: str) -> str:
    """A glob that means path alone."""
    return "".join(f"[{letter}]" if letter in _GLOB else letter for letter in path)


def _real(pattern: str) -> str:
    """The pattern with its folders, up to the first glob in it, as they really are."""
    plain, rest = pattern, ""
    while any(letter in plain for letter in _GLOB) and plain != "/":
        plain, _, last = plain.rpartition("/")
        rest = f"/{last}{rest}"
    return _literal(os.path.realpath(plain)).rstrip("/") + rest if plain else pattern


def matches(selector: str, file: str, qualname: str, modules: list[str]) -> bool:
    """Does selector mean this function of file? modules: what its module may be called."""
    place, name = parted(selector)
    plain = qualname.replace("<locals>.", "")
    if is_file(place):
        here = any(_is_path(file, path) for path in _paths(place))
    elif name:
        here = any(_is_within(module, place) for module in modules)
    else:  # a dot may stand for the colon
        here = any(_is_within(f"{module}.{plain}", place) for module in modules)
    return here and (not name or _is_within(plain, name))


def _is_path(file: str, pattern: str) -> bool:
    """Only ** in a pattern crosses folders."""
    from fnmatch import fnmatchcase

    if "**" in pattern:
        return fnmatchcase(file, pattern)
    parts, patterns = file.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _paths(place: str) -> tuple[str, str]:
    absolute = os.path.normpath(os.path.join(_literal(os.getcwd()), place))
    return absolute, _real(absolute)


def _is_within(dotted: str, pattern: str) -> bool:
    """The name itself, or what it belongs to, is what the pattern means."""
    from fnmatch import fnmatchcase

    parts = dotted.split(".")
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in range(1, len(parts) + 1))


def modules_of(file: str) -> list[str]:
    """What the module in file may be called, the shortest first.

    >>> modules_of("/lib/json/decoder.py")
    ['decoder', 'json.decoder', 'lib.json.decoder']
    """
    steps = file.removesuffix(".py").removesuffix("/__init__").strip("/").split("/")
    return [".".join(steps[start:]) for start in range(len(steps) - 1, -1, -1)]


def unmatched(profile: "Profile", selectors: list[str], script: str) -> list[str]:
    """A sentence for each selector of which nothing came. script is the program's file, or ""."""
    main = os.path.abspath(script) if script else ""
    tables = [
        (table[0], table[3], [*modules_of(table[0]), *["__main__"] * (main in {"", table[0]})])
        for table in profile.lines()
    ]
    sentences = []
    for selector in dict.fromkeys(selectors):
        if any(matches(selector, *table) for table in tables):
            continue
        from fettle.nearby import Nearby
        from fettle.report.names import visible

        seen = [row.file for row in profile.functions()] + [table[0] for table in tables]
        hint = Nearby(main, seen).hint(selector)
        sentences.append(f"--lines={visible(selector)} matched nothing; {hint}.")
    return sentences
