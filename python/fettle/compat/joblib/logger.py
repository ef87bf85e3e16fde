# SPDX-License-Identifier: Apache-2.0
"""What the classes here say, and how they show times and values."""

import logging
import pprint
import sys
from typing import Any

__all__ = ["Logger", "format_time", "pformat"]


def format_time(t: float) -> str:
    """Seconds as they are shown.

    >>> format_time(90)
    '90.0s, 1.5min'
    """
    return f"{t:.1f}s, {t / 60:.1f}min"


def pformat(obj: Any, indent: int = 0, depth: int | None = 3) -> str:
    """obj over lines, without what lies deeper than depth; of arrays the ends."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "printoptions"):
        return pprint.pformat(obj, depth=depth, indent=indent)
    with numpy.printoptions(precision=6, threshold=64, edgeitems=1):
        return pprint.pformat(obj, depth=depth, indent=indent)


class Logger:
    """Whoever has something to say: it goes to the logger "joblib", info to the root's.

    depth: how deep values are shown. name: of another logger.
    """

    def __init__(self, depth: int = 3, name: str | None = None) -> None:
        self.depth = depth
        self._name = name if name else "joblib"

    def warn(self, msg: object) -> None:
        """What may not be as the user expects."""
        logging.getLogger(self._name).warning("[%s]: %s", self, msg)

    def info(self, msg: object) -> None:
        """What is done."""
        logging.info("[%s]: %s", self, msg)

    def debug(self, msg: object) -> None:
        """For whoever looks into it."""
        logging.getLogger(self._name).debug("[%s]: %s", self, msg)

    def format(self, obj: Any, indent: int = 0) -> str:
        """obj as it is shown."""
        return pformat(obj, indent=indent, depth=self.depth)
