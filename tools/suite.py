# SPDX-License-Identifier: Apache-2.0
"""suite.py FOLDER PYTEST...: runs the command PYTEST, and what failed a second time, alone.

Thousands of tests of threads, signals, limits and clocks share a loaded machine, and now and then
one fails for want of time. A fault fails both times. A test that passes the second time is named on
the last line, for it wants an eye (docs/adr/0026). More than a few that fail are no accident, and
neither is an interpreter that ends: there is no second run then.

FOLDER holds pytest's cache of this run. Ends as the run that counts did.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

TESTS_FAILED = 1  # pytest's status
MOST = 5


def run(command: list[str]) -> int:
    status = subprocess.run(command).returncode
    return 128 - status if status < 0 else status  # as a shell says it


def failed(folder: Path) -> list[str]:
    """The tests that failed in the run that used this folder."""
    found = folder / "v" / "cache" / "lastfailed"
    return sorted(json.loads(found.read_text())) if found.exists() else []


def main(folder: Path, pytest: list[str]) -> int:
    # pytest is who answers to Ctrl-C. (What is ignored would be ignored in its tests as well.)
    signal.signal(signal.SIGINT, lambda number, frame: None)
    remembering = [*pytest, "-o", f"cache_dir={folder}"]
    status = run([*remembering, "--cache-clear"])
    tests = failed(folder) if status == TESTS_FAILED else []
    if not 0 < len(tests) <= MOST:
        return status
    print(f"\nonce more, alone: {', '.join(tests)}", flush=True)
    status = run([*remembering, "--last-failed"])
    again = failed(folder) if status else []
    print("failed twice:" if status else "passed, the second time:", ", ".join(again or tests))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
