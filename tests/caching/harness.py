# SPDX-License-Identifier: Apache-2.0
"""What the tests of caches share: programs of their own, threads, how a call ends."""

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from typing import Any

LONG = 60  # seconds: a hang, not a speed limit


def run(code: str, *options: str, timeout: float = 300, **environment: str) -> str:
    """What a program prints; it must end well and say nothing else."""
    command = [sys.executable, *options, "-c", textwrap.dedent(code)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | environment,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def ended(call: Callable[..., Any], *args: Any, **keywords: Any) -> tuple[type, Any]:
    """How a call ends: its result with its type, or its exception."""
    try:
        value = call(*args, **keywords)
    except Exception as error:
        return type(error), str(error)
    return type(value), value


def sentence(call: Callable[..., Any], kind: type[Exception]) -> str:
    """The one sentence with which a call fails."""
    try:
        call()
    except kind as error:
        text = str(error)
        assert type(error) is kind, error
        assert "\n" not in text and text.endswith("."), text
        return text
    raise AssertionError(f"no {kind.__name__}")


class Threads:
    """Calls in threads of their own, and what became of them."""

    def __init__(self, calls: Sequence[Callable[[], Any]]) -> None:
        self.ends: list[Any] = [None] * len(calls)
        self.threads = [
            threading.Thread(target=self._run, args=[i, call], daemon=True)
            for i, call in enumerate(calls)
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, number: int, call: Callable[[], Any]) -> None:
        try:
            self.ends[number] = call()
        except BaseException as error:
            self.ends[number] = error

    def join(self) -> list[Any]:
        for thread in self.threads:
            thread.join(LONG)
            assert not thread.is_alive(), "a thread hangs"
        return self.ends
