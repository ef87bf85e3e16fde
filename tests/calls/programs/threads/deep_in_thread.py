# SPDX-License-Identifier: Apache-2.0
"""100 000 levels deep in a thread with a large stack, at the same time as in the main thread.

expect down 200002 2
edge down -> down 200000 2
edge work -> down 1
edge <module> -> down 1
"""

import sys
import threading

sys.setrecursionlimit(150_000)
threading.stack_size(256 * 1024 * 1024)


def down(n):
    if n:
        down(n - 1)


def work():
    down(100_000)


thread = threading.Thread(target=work)
thread.start()
down(100_000)
thread.join()
