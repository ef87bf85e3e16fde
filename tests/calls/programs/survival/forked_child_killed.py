# SPDX-License-Identifier: Apache-2.0
"""A forked child that is killed, and one that crashes; the parent lives.

status 0
expect child 2
expect leaf 20
expect after 1
edge child -> leaf 20
"""

import os
import resource
import signal

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leaf():
    pass


def child(number):
    for _ in range(10):
        leaf()
    os.kill(os.getpid(), number)


def after():
    pass


for number in (signal.SIGKILL, signal.SIGSEGV):
    pid = os.fork()
    if pid == 0:
        child(number)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
after()
