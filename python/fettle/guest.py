# SPDX-License-Identifier: Apache-2.0
"""The guest in a recorded program: loaded by fettle.pth while `site` starts, if FETTLE is set.

It is all of fettle that runs there in Python, and it imports only what `site` has loaded already:
a program's own modules must win over the standard library's of the same name. Whatever goes wrong
here, the program runs as it would without.
"""

import builtins
import os
import sys

JOINED = "joined"  # the word that says: a launcher, or a guest before us, made the output


def start() -> None:
    """Records this process as FETTLE says."""
    words = os.environ.get("FETTLE", "").split()
    if not words or os.environ.get("FETTLE_DISABLE", "0") not in {"", "0"} or _is_ours():
        return
    if JOINED not in words:
        from fettle import alone

        words = alone.begin(words)
    if any(word.partition("=")[0] == "lines" for word in words):
        from fettle import _core

        builtins.profile = _core.mark  # type: ignore[attr-defined]  # as kernprof does
    parts = os.environ.get("FETTLE_OUT", "") + ".parts"
    if words and os.path.isdir(parts):  # else the recording has ended before this process began
        _record(parts, [word for word in words if word != JOINED])


def _record(parts: str, words: list[str]) -> None:
    import fettle
    from fettle import _core

    fettle.lines = fettle.profile = _core.mark  # found at once: importing them is no call of ours
    fettle.mark = _core.point
    _core.record(parts, " ".join(words))


def _is_ours() -> bool:
    """Is this fettle's own command? Nobody wants to see its functions."""
    words = sys.orig_argv[1:3]
    return words == ["-m", "fettle"] or os.path.basename("".join(words[:1])) == "fettle"


def _start_safely() -> None:
    try:
        start()
    except Exception as error:
        if os.environ.get("FETTLE_DEBUG"):
            os.write(2, f"fettle: not recorded: {error!r}\n".encode(errors="replace"))


_start_safely()
