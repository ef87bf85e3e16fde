# SPDX-License-Identifier: Apache-2.0
"""The program that a word means, as a shell finds it."""

import os

from fettle.problem import NOT_EXECUTABLE, NOT_FOUND, Problem


def find(name: str, folder: str = "") -> str:
    """The file that a shell in folder would run; "": here. Problem, with a shell's exit code, if
    there is none: so nothing need be touched before one knows.

    >>> find("sh").endswith("/sh")
    True
    """
    places = [folder] if "/" in name else os.get_exec_path()
    found = [path for place in places if os.path.exists(path := os.path.join(place, name))]
    for path in found:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if found:
        raise Problem(NOT_EXECUTABLE, f"{found[0]} cannot be executed: it is no program.")
    raise Problem(NOT_FOUND, f"the command {name} was not found; check the name and PATH.")
