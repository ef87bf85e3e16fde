# SPDX-License-Identifier: Apache-2.0
"""What a Python command line runs, and the name a recording of it gets.

Guests use this too: it imports only what `site` has loaded already.
"""

import os

_TAKE_A_VALUE = "XW"
_CHECK_PYCS = "--check-hash-based-pycs"


class Invocation:
    """`python FLAGS... KIND TARGET ...`; kind is "module", "code", "script" or "stdin"."""

    __slots__ = ("flags", "kind", "target")

    def __init__(self, flags: list[str], kind: str, target: str) -> None:
        self.flags = flags
        self.kind = kind
        self.target = target

    def name(self) -> str:
        """What its recording is called, without the suffix."""
        if self.kind == "script":
            return script_name(self.target)
        return {"module": self.target, "code": "code"}.get(self.kind, "python")


def parse(words: list[str]) -> Invocation:
    """Splits an interpreter's own command line (sys.orig_argv)."""
    flags: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-" or not word.startswith("-"):
            return Invocation(flags, "stdin" if word == "-" else "script", word)
        if word.startswith("--"):
            flags.append(word)
            if word == _CHECK_PYCS:
                flags.append(next(rest, ""))
            continue
        kind, place = _letters(word)
        if kind == "value":
            flags += [word] if place + 1 < len(word) else [word, next(rest, "")]
        elif kind:
            if place > 1:
                flags.append(word[:place])
            return Invocation(flags, kind, word[place + 1 :] or next(rest, ""))
        else:
            flags.append(word)
    return Invocation(flags, "stdin", "")


def _letters(word: str) -> tuple[str, int]:
    """What the letters of one word lead to, and where: -Im is "module" at 2, -Wx "value" at 1."""
    for place, letter in enumerate(word[1:], 1):
        if letter in _TAKE_A_VALUE:
            return "value", place
        if letter in "mc":
            return ("module" if letter == "m" else "code"), place
    return "", 0


def script_name(path: str) -> str:
    """app.py and app.pyz give "app", a folder its own name."""
    base = os.path.basename(os.path.abspath(path))
    stem, suffix = os.path.splitext(base)
    return (stem if suffix in {".py", ".pyw", ".pyc", ".pyz", ".zip"} else base) or "root"


def quoted(words: list[str]) -> str:
    """The words as one would type them in a shell."""
    return " ".join(map(_quote, words))


def _quote(word: str) -> str:
    if word and all(letter.isalnum() or letter in "_@%+=:,./-" for letter in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"
