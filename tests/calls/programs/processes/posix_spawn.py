# SPDX-License-Identifier: Apache-2.0
"""Children by os.posix_spawn and os.system; a child that outlives its parent's wait by nothing.

processes 3
expect child_work 10
expect <module> 3
"""

import os
import sys


def child_work():
    pass


if sys.argv[1:]:
    for _ in range(5):
        child_work()
else:
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, __file__, "child"], os.environ), 0)
    os.system(f"'{sys.executable}' '{__file__}' child")
