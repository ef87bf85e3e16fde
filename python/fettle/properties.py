# SPDX-License-Identifier: Apache-2.0
"""What a recording says of itself: command, folder, interpreter, machine, its load, git commit,
start.

Guests use this too: it imports only what `site` has loaded already, and built-in modules.
"""

import os
import sys
import time

from fettle import __version__
from fettle.invocation import quoted


def gather(command: list[str], options: str) -> dict[str, str]:
    """The META of a recording that starts now."""
    system = os.uname()
    return {
        "state": "recording",
        "command": quoted(command),
        "cwd": _folder(),
        "python": f"{'.'.join(map(str, sys.version_info[:3]))} {sys.executable}",
        "machine": f"{system.nodename} {system.sysname} {system.release} {system.machine}"
        f" {os.cpu_count() or 1} CPUs",
        "processor": processor(),
        "load": _load(),
        "git": commit(_folder()),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "fettle": __version__,
        "options": options,
    }


def processor() -> str:
    """What the processor is called; "" where that is not told."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            found = [line for line in file.read(4096).split("\n") if line.startswith("model name")]
    except OSError:
        return ""
    return found[0].partition(":")[2].strip() if found else ""


def _load() -> str:
    """How many wanted to run, over the last 1, 5 and 15 minutes."""
    try:
        return " ".join(f"{load:.2f}" for load in os.getloadavg())
    except OSError:
        return ""


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return ""


def commit(folder: str) -> str:
    """The commit checked out around folder, or "". Reads git's files; runs nothing."""
    while folder:
        found = os.path.join(folder, ".git")
        if os.path.exists(found):
            try:
                return _head(found)
            except (OSError, ValueError):
                return ""
        above = os.path.dirname(folder)
        folder = above if above != folder else ""
    return ""


def _head(git: str) -> str:
    if os.path.isfile(git):  # a worktree or submodule: "gitdir: PATH"
        git = os.path.join(os.path.dirname(git), _line(git).removeprefix("gitdir:").strip())
    head = _line(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    common = os.path.join(git, "commondir")
    shared = os.path.join(git, _line(common)) if os.path.exists(common) else git
    for place in (git, shared):
        loose = os.path.join(place, name)
        if os.path.isfile(loose):
            return _line(loose)
    with open(os.path.join(shared, "packed-refs"), encoding="utf-8") as packed:
        for line in packed:
            if line.rstrip().endswith(" " + name):
                return line.split(" ", 1)[0]
    return ""


def _line(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.readline(4096).strip()
