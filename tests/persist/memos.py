# SPDX-License-Identifier: Apache-2.0
"""What the tests of fettle.Memo share: functions that count, programs of their own, warnings."""

import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fettle.caching.place import MemoWarning

LONG = 60  # seconds: a hang, not a speed limit

CALLS: list[object] = []  # what the functions of the tests computed

# Programs begin with this: what is computed is written to a file that many append to.
HEAD = """
import os, sys, time
import fettle
def note(text):
    with open(os.environ["NOTES"], "ab", buffering=0) as file:
        file.write(f"{text}\\n".encode())
memo = fettle.Memo(os.environ["STORE"])
"""


class Programs:
    """Programs that share a store and a file of notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.file = folder / "notes"
        self.started: list[subprocess.Popen[str]] = []

    @property
    def notes(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    def start(
        self, text: str, *options: str, path: Path | None = None, **environment: str
    ) -> "subprocess.Popen[str]":
        """Runs a text, or a file that it is written to."""
        program = HEAD + textwrap.dedent(text)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(program)
        what = ["-c", program] if path is None else [str(path)]
        process = subprocess.Popen(
            [sys.executable, "-B", *options, *what],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"NOTES": str(self.file), "STORE": str(self.store)} | environment,
            cwd=self.folder,
        )
        self.started.append(process)
        return process

    def run(
        self, text: str, *options: str, path: Path | None = None, says: str = "", **environment: str
    ) -> list[str]:
        """What it prints. It must end well, and say what is expected on stderr: nothing."""
        return said(self.start(text, *options, path=path, **environment), says)

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=LONG)


def said(process: "subprocess.Popen[str]", says: str = "") -> list[str]:
    output, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, output + errors
    if says:
        assert says in errors, errors
    else:
        assert errors == "", errors
    return output.splitlines()


@contextmanager
def warned(*parts: str) -> Iterator[list[str]]:
    """Exactly one MemoWarning is given for each part, which stands in it, and no other warning."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield sentences
    assert {each.category for each in caught} <= {MemoWarning}, [str(each) for each in caught]
    sentences += [str(each.message) for each in caught]
    assert len(sentences) == len(parts), sentences
    for sentence, part in zip(sentences, parts, strict=True):
        assert part in sentence
        assert sentence.startswith("fettle.Memo: ") and sentence.endswith(".")


def sentence(call: Callable[[], Any], kind: type[Exception]) -> str:
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
