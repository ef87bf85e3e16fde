# SPDX-License-Identifier: Apache-2.0
"""The names under which the public things are documented."""

from typing import Any, Protocol

import fettle


class Application(Protocol):
    """What is used here of Sphinx's application."""

    def connect(self, event: str, callback: Any) -> int: ...


def name_the_public() -> None:
    """Classes get the name that users write, fettle.run and not Run: autodoc takes any other for
    the alias of something that is documented elsewhere."""
    for name in fettle.__all__:
        found = getattr(fettle, name)
        if isinstance(found, type):
            found.__name__ = name
            found.__module__ = "fettle"
