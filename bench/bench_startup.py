# SPDX-License-Identifier: Apache-2.0
"""What `fettle run` adds to a program that does nothing: wall time and memory. And what a tree of a
million contexts takes while it is recorded.

usage: python bench/bench_startup.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEAK = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
# Every path of up to six of ten functions: 1 111 111 contexts.
TREE = """
exec("".join(
    f"def f{i}(depth):\\n if depth:\\n  " + ";".join(f"f{j}(depth - 1)" for j in range(10)) + "\\n"
    for i in range(10)))
f0(6)
"""


def run(script: Path, *launcher: str) -> tuple[float, int]:
    """Wall seconds, and what the script printed."""
    begun = time.perf_counter()
    done = subprocess.run([*launcher, str(script)], stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - begun, int(done.stdout)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as name:
        plain = (sys.executable,)
        out = str(Path(name, "out.fettle"))
        recorded = (sys.executable, "-m", "fettle", "run", "-q", "-o", out)
        small, tree = Path(name, "small.py"), Path(name, "tree.py")
        small.write_text(PEAK)
        tree.write_text(TREE + PEAK)
        pairs = [(run(small, *plain), run(small, *recorded)) for _ in range(rounds)]
        wall = statistics.median(ours[0] - theirs[0] for theirs, ours in pairs) * 1e3
        memory = statistics.median(ours[1] - theirs[1] for theirs, ours in pairs) / 1024
        print(f"fettle run adds {wall:.1f} ms and {memory:.1f} MB to a program that does nothing")
        grown = run(tree, *recorded)[1] - run(tree, *plain)[1]
        print(f"a context takes {grown * 1024 / 1_111_111:.0f} bytes of the program's memory")


if __name__ == "__main__":
    main()
