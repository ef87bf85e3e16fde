# SPDX-License-Identifier: Apache-2.0
"""Small projects that are written, imported in a process of their own, and identified there."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# Each folder is a project; a child process per project imports main and identifies main.f.
IDENTIFY = """
import os, sys
from fettle.caching.code import identify
for folder in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        sys.path.insert(0, folder)
        import main
        {before}
        identity = identify(main.f)
        print(identity.name, identity.digest.hex(), flush=True)
        assert identity.is_current()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, folder
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return folder


def digests(
    folders: list[Path], *options: str, before: str = "pass", **environment: str
) -> list[str]:
    """The name and the digest of main.f of each project."""
    program = IDENTIFY.replace("{before}", before)
    done = subprocess.run(
        [sys.executable, "-B", *options, "-c", program, *map(str, folders)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | environment,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(folders)
    return lines
