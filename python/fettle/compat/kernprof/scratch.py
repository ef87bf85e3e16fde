# SPDX-License-Identifier: Apache-2.0
"""The temporary files of a run: code without a file of its own, and what imports the targets."""

from __future__ import annotations

import os
import shutil
import tempfile

from fettle.compat.line_profiler import _diagnostics as switches

__all__ = ["Scratch", "unused_name"]


class Scratch:
    """A folder that is made when the first file is written."""

    def __init__(self) -> None:
        self._folder: str | None = None

    def write(self, name: str, text: str) -> str:
        """Gives the path of the new file."""
        if self._folder is None:
            self._folder = os.path.realpath(tempfile.mkdtemp(prefix="kernprof-"))
        path = os.path.join(self._folder, name)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
        return path

    def has(self, path: str) -> bool:
        return self._folder is not None and path.startswith(self._folder + os.sep)

    def remove(self) -> None:
        if self._folder is not None and not switches.KEEP_TEMPDIRS:
            shutil.rmtree(self._folder, ignore_errors=True)


def unused_name(begin: str, end: str) -> str:
    """A new empty file in the current folder."""
    handle, path = tempfile.mkstemp(prefix=begin, suffix=end, dir=os.curdir)
    os.close(handle)
    return path
