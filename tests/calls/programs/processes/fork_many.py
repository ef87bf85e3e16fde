# SPDX-License-Identifier: Apache-2.0
"""Twenty children one after another, each of which forks one more.

processes 41
expect child 20
expect grandchild 20
expect leaf 60
edge child -> leaf 40
edge grandchild -> leaf 20
"""

import os


def leaf():
    pass


def grandchild():
    leaf()
    os._exit(0)


def child():
    leaf()
    pid = os.fork()
    if pid == 0:
        grandchild()
    os.waitpid(pid, 0)
    leaf()
    os._exit(0)


for _ in range(20):
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
