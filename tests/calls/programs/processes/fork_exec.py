# SPDX-License-Identifier: Apache-2.0
"""A fork followed by exec of another program, and of a Python.

expect child_work 5
expect start 2
expect <module> 2
"""

import os
import sys


def child_work():
    pass


def start(*command):
    pid = os.fork()
    if pid == 0:
        os.execv(command[0], command)
    os.waitpid(pid, 0)


if sys.argv[1:] == ["child"]:
    for _ in range(5):
        child_work()
else:
    start("/bin/true")
    start(sys.executable, __file__, "child")
