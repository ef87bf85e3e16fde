# SPDX-License-Identifier: Apache-2.0
"""Where a terminal that follows links finds the source of a row."""

import os
from urllib.parse import quote

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile, Stats


def uris(files: "Iterable[str]", profile: "Profile | Stats") -> list[str]:
    """For each file its URI; "" for what has none."""
    folder = "" if isinstance(profile, _core.Stats) else profile.meta().get("cwd", "")
    return [uri(file, folder) for file in files]


def uri(file: str, folder: str) -> str:
    """file, that a program named which ran in folder.

    >>> uri("app.py", "/home/me/a b"), uri("~", "/home/me"), uri("<string>", "/home/me")
    ('file:///home/me/a%20b/app.py', '', '')
    """
    path = os.path.join(folder, file)
    if not file.endswith((".py", ".pyw")) or not os.path.isabs(path):
        return ""
    return f"file://{quote(os.path.normpath(path), errors='surrogateescape')}"
