# SPDX-License-Identifier: Apache-2.0
"""`@line_profiler.profile`: marks functions, and costs nothing until somebody asks for a profile.

    from fettle.compat.line_profiler import profile

    @profile
    def main(): ...

With LINE_PROFILE=1 in the environment, `--line-profile` among the arguments, or after
`profile.enable()`, what is marked from then on is recorded, and shown and written when the program
ends. Else, the function itself is given back.
"""

from __future__ import annotations

import atexit
import builtins
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from fettle import _core

from .cli_utils import boolean, get_python_executable
from .toml_config import ConfigSource

if TYPE_CHECKING:
    from .line_profiler import LineProfiler

__all__ = ["GlobalProfiler", "is_mp_bootstrap", "profile"]

F = TypeVar("F", bound=Callable[..., Any])

# In the command line of the processes that multiprocessing starts for itself.
_HELPERS = ("multiprocessing.spawn", "multiprocessing.forkserver", "multiprocessing.resource_track")


class GlobalProfiler:
    """What `profile` is. The settings come from a file of settings (toml_config) and may be changed
    before the program ends.

    setup_config: which variables and arguments turn it on; write_config: which files are written;
    show_config: how the table is shown; output_prefix: what the files' names begin with.
    enabled: None until the first function is marked, or somebody decided.

    >>> marker = GlobalProfiler(config=False)
    >>> marker.disable()
    >>> marker(len) is len
    True
    """

    def __init__(self, config: str | os.PathLike[str] | bool | None = None) -> None:
        source = ConfigSource.from_config(config)
        self._config = source.path
        self._profile: LineProfiler | None = None
        self._owner_pid: int | None = None  # who shows and writes: no child that was forked later
        self.enabled: bool | None = None
        self.setup_config: dict[str, list[str]] = source.conf_dict["setup"]
        self.write_config: dict[str, Any] = source.conf_dict["write"]
        self.show_config: dict[str, Any] = source.conf_dict["show"]
        self.output_prefix: str = self.write_config.pop("output_prefix")
        del self.show_config["column_widths"]  # read where the table is made

    def __call__(self, func: F) -> F:
        """func as it is, or one that is recorded whenever it is called."""
        if self.enabled is None:
            self._implicit_setup()
        if not self.enabled:
            # Within `fettle run -l`, whose mark is a builtin, it marks as that does.
            return _core.mark(func) if getattr(builtins, "profile", None) is _core.mark else func
        assert self._profile is not None
        wrapped: F = self._profile(func)
        return wrapped

    def enable(self, output_prefix: str | None = None) -> None:
        """What is marked from now on is recorded, and shown and written when the program ends."""
        if is_mp_bootstrap():  # its output would replace that of the program
            self.enabled = False
            return
        self._owner_pid = os.getpid()
        if self._profile is None:
            from .line_profiler import LineProfiler

            self._profile = LineProfiler()
            atexit.register(self.show)
        self.enabled = True
        if output_prefix is not None:
            self.output_prefix = output_prefix

    def disable(self) -> None:
        """What is marked from now on is not recorded."""
        self.enabled = False

    def show(self) -> None:
        """Shows and writes what was recorded, as write_config and show_config say."""
        if self._profile is None or self._owner_pid not in (None, os.getpid()):
            return
        options: dict[str, Any] = {"config": self._config, **self.show_config}
        if self.write_config["stdout"]:
            self._profile.print_stats(**options)
        for path in self._files():
            try:
                self._write(path, options)
            except OSError as error:
                from fettle.cli import say
                from fettle.problem import reason

                say(f"cannot write {path}: {reason(error)}; set another output_prefix.")
            else:
                print(f"Wrote profile results to {path}")
                if path.endswith(".lprof"):
                    print("To view details run:")
                    print(f"{get_python_executable()} -m {__package__} -rtmz {path}")

    def _files(self) -> list[str]:
        from datetime import datetime

        endings = {
            "text": ".txt",
            "timestamped_text": f"_{datetime.now():%Y-%m-%dT%H%M%S}.txt",
            "lprof": ".lprof",
        }
        return [self.output_prefix + end for key, end in endings.items() if self.write_config[key]]

    def _write(self, path: str, options: dict[str, Any]) -> None:
        assert self._profile is not None
        if path.endswith(".lprof"):
            self._profile.dump_stats(path)
            return
        with open(path, "w", encoding="utf-8") as stream:
            self._profile.print_stats(stream=stream, **options | {"rich": False, "details": True})

    def _implicit_setup(self) -> None:
        """Nobody decided yet: the environment and the command line do."""
        variables = (os.environ.get(name, "") for name in self.setup_config["environ_flags"])
        wanted = any(boolean(value, fallback=True) for value in variables)
        if wanted or not set(sys.argv).isdisjoint(self.setup_config["cli_flags"]):
            self.enable()
        else:
            self.disable()

    def _kernprof_overwrite(self, profile: Any) -> None:
        """kernprof takes over: its profiler records what is marked, and it writes the file. None:
        kernprof is done."""
        self._profile = profile
        self.enabled = None if profile is None else True


def is_mp_bootstrap() -> bool:
    """Is this a process that multiprocessing started?

    >>> is_mp_bootstrap()
    False
    """
    for word in sys.orig_argv:
        if word.startswith("--multiprocessing") or any(name in word for name in _HELPERS):
            return True
    process = sys.modules.get("multiprocessing.process")  # not loaded: it can not have started us
    return process is not None and process.parent_process() is not None


profile = GlobalProfiler()
