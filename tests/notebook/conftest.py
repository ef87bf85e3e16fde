# SPDX-License-Identifier: Apache-2.0
"""A shell of IPython in this process, with fettle in it."""

import atexit
import io
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


class Printed(io.StringIO):
    """As a terminal that can show everything."""

    encoding = "utf-8"


@dataclass
class Result:
    """What a cell did."""

    text: str  # that it printed
    value: object
    error: BaseException | None
    shown: list[dict[str, str]] = field(default_factory=list)  # by display(), by MIME type


class Shell:
    """Runs cells as a user types them."""

    def __init__(self, ipython: Any) -> None:
        self.ip = ipython
        self._shown: list[dict[str, str]] = []
        publisher = ipython.display_pub
        publish = publisher.publish

        def noted(data: dict[str, str], *args: Any, **kwargs: Any) -> None:
            self._shown.append(data)
            publish(data, *args, **kwargs)

        publisher.publish = noted

    def run(self, text: str) -> Result:
        self._shown.clear()
        printed = Printed()
        with redirect_stdout(printed), redirect_stderr(printed):
            ran = self.ip.run_cell(text, store_history=True)
        error = ran.error_in_exec or ran.error_before_exec
        return Result(printed.getvalue(), ran.result, error, list(self._shown))

    def good(self, text: str) -> Result:
        """A cell that must not fail."""
        result = self.run(text)
        assert result.error is None, result.text
        return result

    @property
    def names(self) -> dict[str, Any]:
        return self.ip.user_ns


@pytest.fixture
def shell(request: Any, tmp_path_factory: Any, monkeypatch: Any) -> Iterator[Shell]:
    pytest.importorskip("IPython")
    place = tmp_path_factory.mktemp("ipython")
    monkeypatch.setenv("IPYTHONDIR", os.fspath(place))
    import IPython
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.hist_file = os.fspath(place / "history.sqlite")
    # A thread writes it, and from 3.12 on cProfile, as what stands for it, hears of all threads.
    config.HistoryManager.enabled = request.module.__name__.endswith("test_run")
    is_old = IPython.version_info < (9,)
    config.InteractiveShell.colors = "NoColor" if is_old else "nocolor"
    hook, main = sys.displayhook, sys.modules["__main__"]
    InteractiveShell.clear_instance()
    ipython = InteractiveShell.instance(config=config)
    shell = Shell(ipython)
    shell.good("%load_ext fettle")
    yield shell
    ipython.history_manager.end_session()
    atexit.unregister(ipython.atexit_operations)
    InteractiveShell.clear_instance()
    sys.displayhook, sys.modules["__main__"] = hook, main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
