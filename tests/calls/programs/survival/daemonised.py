# SPDX-License-Identifier: Apache-2.0
"""A double fork with setsid and closed descriptors: the grandchild ends before its parent's parent.

status 0
expect grandchild 1
expect leaf 10
"""

import os


def leaf():
    pass


def grandchild(end):
    os.setsid()
    for _ in range(10):
        leaf()
    os.write(end, b"done")
    os._exit(0)


begin, end = os.pipe()
pid = os.fork()
if pid == 0:
    if os.fork() == 0:
        grandchild(end)
    os._exit(0)
os.waitpid(pid, 0)
print(os.read(begin, 4))
