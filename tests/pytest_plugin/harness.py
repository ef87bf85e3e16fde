# SPDX-License-Identifier: Apache-2.0
"""Runs pytest on a small project, with the plugin and those it meets, and reads what came of it."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

TIMEOUT = 120  # seconds: a hang, not a speed limit
_ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function")


@dataclass
class Session:
    """A run of pytest. outcomes: "passed", "failed", "error", "skipped" by test; messages: what was
    said of those that did not pass."""

    code: int
    stdout: str
    stderr: str
    outcomes: dict[str, str]
    messages: dict[str, str]

    def sentence(self) -> str:
        """The one line in which a run that never began says why."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("ERROR: fettle: ")]
        assert len(lines) == 1, self.stderr
        assert lines[0].endswith("."), self.stderr
        return lines[0].removeprefix("ERROR: fettle: ")


class Project:
    """A folder with tests."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text)
        return file

    def python(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        dropped = ("FETTLE", "PYTEST", "COV_", "PYTHON", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.path,
            env=kept | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"} | extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    def pytest(self, *words: str, plugins: tuple[str, ...] = (), **extra: str) -> Session:
        """plugins: those that are on besides ours, of asyncio, anyio and xdist. Where one of them
        is not installed the test is skipped."""
        for name in plugins:
            pytest.importorskip({"asyncio": "pytest_asyncio"}.get(name, name))
        others = [name for name in ("asyncio", "anyio", "xdist") if name not in plugins]
        off = [word for name in others for word in ("-p", f"no:{name}")]
        asyncio = _ASYNCIO if "asyncio" in plugins else ()
        report = self.path / "report.xml"
        report.unlink(missing_ok=True)
        common = ("-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_family=xunit1")
        done = self.python("-m", "pytest", "-q", *off, *asyncio, *common, *words, **extra)
        outcomes, messages = _read(report)
        return Session(done.returncode, done.stdout, done.stderr, outcomes, messages)


def _read(report: Path) -> tuple[dict[str, str], dict[str, str]]:
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    if not report.exists():
        return outcomes, messages
    for case in ET.parse(report).iter("testcase"):
        name = str(case.get("name"))
        outcomes.setdefault(name, "passed")
        for told in case:
            if told.tag in {"failure", "error", "skipped"}:
                outcomes[name] = {"failure": "failed"}.get(told.tag, told.tag)
                messages[name] = re.sub(r"\s+", " ", f"{told.get('message')} {told.text}")
    return outcomes, messages
