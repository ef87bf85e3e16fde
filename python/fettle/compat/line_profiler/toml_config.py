# SPDX-License-Identifier: Apache-2.0
"""The settings of kernprof, `python -m line_profiler` and `@profile`: a file over the defaults.

They stand in the table `tool.line_profiler` of a file that is named by the caller, else by
LINE_PROFILER_RC, else is the next `line_profiler.toml` or `pyproject.toml` in the current folder or
above it. Whatever it does not say is as in rc/line_profiler.toml.
"""

from __future__ import annotations

import copy as copying
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ConfigSource"]

NAMESPACE = ("tool", "line_profiler")
TARGETS = ("line_profiler.toml", "pyproject.toml")
ENV_VAR = "LINE_PROFILER_RC"

_DEFAULT_FILE = Path(__file__).parent / "rc" / "line_profiler.toml"


@dataclass
class ConfigSource:
    """Settings, the file they are from, and the table in it.

    >>> widths = ConfigSource.from_default().get_subconfig("show", "column_widths")
    >>> widths.conf_dict["line"], widths.subtable[-1]
    (6, 'column_widths')
    """

    conf_dict: dict[str, Any]
    path: Path
    subtable: list[str]

    def copy(self) -> ConfigSource:
        """One that can be changed without changing this one."""
        return type(self)(copying.deepcopy(self.conf_dict), self.path, self.subtable.copy())

    def get_subconfig(
        self, *headers: str, allow_absence: bool = False, copy: bool = False
    ) -> ConfigSource:
        """The table at headers: the very one in here, unless copy.

        KeyError if there is none, which allow_absence makes an empty one; TypeError if it is
        something else.
        """
        table: Any = self.conf_dict
        for header in headers:
            table = table.get(header, {}) if allow_absence else table[header]
            if not isinstance(table, Mapping):
                raise TypeError(f"{'.'.join(headers)} is not a table in {self.path}")
        found = type(self)(table, self.path, [*self.subtable, *headers])
        return found.copy() if copy else found

    @classmethod
    def from_default(cls, *, copy: bool = True) -> ConfigSource:
        """What holds where no file says otherwise. copy is for callers of the original: each call
        gives settings of its own."""
        content = tomllib.loads(_DEFAULT_FILE.read_text("utf-8"))
        return cls(content["tool"]["line_profiler"], _DEFAULT_FILE, list(NAMESPACE))

    @classmethod
    def from_config(
        cls, config: str | os.PathLike[str] | bool | None = None, *, read_env: bool = True
    ) -> ConfigSource:
        """The settings of a file: of the next one if config is None or True, of none if False.

        FileNotFoundError and ValueError if the file that config names is missing or is not a file
        of settings. One that was only found, or is named by the environment, then does not count.
        """
        default = cls.from_default()
        if config is False:
            return default
        named = None if config is None or config is True else Path(config).absolute()
        for path in _candidates(read_env) if named is None else (named,):
            content = _read(path)
            if content is None:
                continue
            try:
                return cls(_settings(default.conf_dict, content), path, list(NAMESPACE))
            except _NotTable as error:
                if named is None:
                    return default
                raise ValueError(
                    f"config = {os.fspath(named)!r}: expected these keys to be tables, or missing: "
                    f"{[str(error)]}"
                ) from None
        if named is None:
            return default
        kind = ValueError if named.exists() else FileNotFoundError
        raise kind(f"config = {os.fspath(named)!r}: expected a readable TOML file")


class _NotTable(Exception):
    """Its text is the dotted name of what should have been one."""


def _candidates(read_env: bool) -> Iterator[Path]:
    named = os.environ.get(ENV_VAR) if read_env else None
    if named:
        yield Path(named).absolute()
        return
    here = Path.cwd()
    for folder in (here, *here.parents):
        yield from (folder / name for name in TARGETS)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):  # ValueError: neither UTF-8 nor TOML
        return None


def _settings(default: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    table: Mapping[str, Any] = content
    for depth, key in enumerate(NAMESPACE, 1):
        table = _table(table, key, NAMESPACE[:depth])
    return _merged(default, table, NAMESPACE)


def _merged(
    default: Mapping[str, Any], given: Mapping[str, Any], name: tuple[str, ...]
) -> dict[str, Any]:
    """The keys of default, with the values of given where it has them."""
    merged = {}
    for key, value in default.items():
        if isinstance(value, Mapping):
            merged[key] = _merged(value, _table(given, key, (*name, key)), (*name, key))
        else:
            merged[key] = given.get(key, value)
    return merged


def _table(parent: Mapping[str, Any], key: str, name: tuple[str, ...]) -> Mapping[str, Any]:
    table = parent.get(key, {})
    if not isinstance(table, Mapping):
        raise _NotTable(".".join(name))
    return table
