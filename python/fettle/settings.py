# SPDX-License-Identifier: Apache-2.0
"""[tool.fettle.VERB] in pyproject.toml: options of a verb that are always meant.

They stand before what is typed, which therefore wins. The file is the nearest in the current folder
or above it; it is parsed only where it names fettle.
"""

import os

from fettle.problem import USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.options import Option

NAME = "pyproject.toml"
LARGEST = 1 << 20  # bytes; no project file is larger


def words(verb: str, options: "list[Option]") -> list[str]:
    """The settings of a verb, as one would type them. Problem for what it does not have."""
    path = nearest(os.curdir)
    text = _text(path) if path else b""
    if b"tool.fettle" not in text and b"[tool]" not in text:
        return []
    place = os.path.relpath(path)
    table = _parsed(text, place)
    for key in ("tool", "fettle", verb):
        inner = table.get(key, {})
        if not isinstance(inner, dict):
            raise Problem(
                USAGE,
                f"{place} needs a table [tool.fettle.{verb}] with options of `fettle {verb}`.",
            )
        table = inner
    # What is run (-m, -c, --) is typed: no project always means the same.
    by_key = {each.key: each for each in options if each.names[-1][:2] == "--" and not each.last}
    found: list[str] = []
    for name, value in table.items():
        option = by_key.get(name)
        if option is None:
            raise Problem(
                USAGE,
                f"{place}: [tool.fettle.{verb}] names {name!r}, and `fettle {verb}` has no option"
                f" --{name}; `fettle {verb} --help` lists them.",
            )
        found += _typed(option, value, f"{place}: [tool.fettle.{verb}] {name}")
    return found


def nearest(folder: str) -> str:
    """The path of the project file that holds for folder; "" where there is none."""
    try:
        here = os.path.realpath(folder)
    except OSError:  # a folder that is gone
        return ""
    while True:
        path = os.path.join(here, NAME)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(here)
        if above == here:
            return ""
        here = above


def _text(path: str) -> bytes:
    """Of a file that can not be read, nothing: it may not be ours to read."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError:
        return b""


def _parsed(text: bytes, place: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(USAGE, f"{place} is no TOML: {reason(error)}; mend it.") from None


def _typed(option: "Option", value: object, place: str) -> list[str]:
    """An option with its value, as words.

    >>> from fettle.options import Option
    >>> _typed(Option("-n --rows", "rows", "ROWS"), 5, "pyproject.toml: rows")
    ['--rows=5']
    >>> _typed(Option("-l --lines", "lines", "[=SEL]"), ["a.*", "b"], "pyproject.toml: lines")
    ['--lines=a.*', '--lines=b']
    """
    name = option.names[-1]
    if value is False:
        return []
    if value is True and (not option.value or option.optional):
        return [name]
    values = value if isinstance(value, list) else [value]
    if not option.value or not all(type(each) in {str, int, float} for each in values):
        wanted = "a text, a number or a list of them" if option.value else "true or false"
        raise Problem(USAGE, f"{place} needs {wanted}, not {value!r}.")
    return [f"{name}={each}" for each in values]
