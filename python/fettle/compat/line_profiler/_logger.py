# SPDX-License-Identifier: Apache-2.0
"""Logger: prints to stdout, or goes through module logging where a handler is set up for it."""

import logging
import sys
from collections.abc import Mapping

_LEVELS = {0: logging.CRITICAL, 1: logging.INFO, 2: logging.DEBUG}
_FORMAT = "%(asctime)s : [{}] %(levelname)s : %(message)s"


class Logger:
    """Logger(name, verbose=1, backend="auto", file=None, stream=None)

    verbose: 0 for critical messages only, 1 from info on, 2 everything. backend: "print", "stdlib"
    or "auto". For "stdlib", stream is whether to write to stdout (None: unless the name has
    handlers), or a mapping with the "format"; file is a path to append to, or a mapping with "path"
    and "format".

    >>> Logger("example").info("%d lines", 3)
    3 lines
    >>> Logger("example").debug("not shown")
    """

    def __init__(
        self,
        name: str = "Logger",
        verbose: int = 1,
        backend: str = "auto",
        file: str | Mapping[str, str] | None = None,
        stream: bool | Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.configure(backend, verbose, file, stream)

    def configure(
        self,
        backend: str = "auto",
        verbose: int = 1,
        file: str | Mapping[str, str] | None = None,
        stream: bool | Mapping[str, str] | None = None,
    ) -> "Logger":
        """As a new Logger of this name. ValueError for an unknown backend."""
        if backend not in ("auto", "print", "stdlib"):
            raise ValueError("Unsupported backend. Use 'auto', 'print', or 'stdlib'.")
        self._logger = logging.getLogger(self.name)
        if backend == "auto":
            backend = "stdlib" if self._logger.handlers else "print"
        self.backend = backend
        self.level = _LEVELS.get(verbose, logging.DEBUG)
        if backend == "stdlib":
            self._logger.setLevel(self.level)
            self._add_handlers(file, stream)
        return self

    def _add_handlers(
        self, file: str | Mapping[str, str] | None, stream: bool | Mapping[str, str] | None
    ) -> None:
        if stream or (stream is None and not self._logger.handlers):
            self._add(logging.StreamHandler(sys.stdout), stream, "stream")
        path = file.get("path") if isinstance(file, Mapping) else file
        if path:
            self._add(logging.FileHandler(path), file, "file")

    def _add(self, handler: logging.Handler, options: object, kind: str) -> None:
        given = options.get("format") if isinstance(options, Mapping) else None
        handler.setFormatter(logging.Formatter(given or _FORMAT.format(kind)))
        self._logger.addHandler(handler)

    def log(self, level: int, msg: str, *args: object) -> None:
        """Says msg % args if level is at least the logger's."""
        if level < self.level:
            return
        if self.backend == "print":
            print(msg % args if args else msg)
        else:
            self._logger.log(level, msg, *args, stacklevel=3)

    def debug(self, msg: str, *args: object) -> None:
        """For who looks into the profiler itself."""
        self.log(logging.DEBUG, msg, *args)

    def info(self, msg: str, *args: object) -> None:
        """What was done."""
        self.log(logging.INFO, msg, *args)

    def warning(self, msg: str, *args: object) -> None:
        """What may not be as the user expects."""
        self.log(logging.WARNING, msg, *args)

    def error(self, msg: str, *args: object) -> None:
        """What went wrong."""
        self.log(logging.ERROR, msg, *args)

    def critical(self, msg: str, *args: object) -> None:
        """What ends everything."""
        self.log(logging.CRITICAL, msg, *args)
