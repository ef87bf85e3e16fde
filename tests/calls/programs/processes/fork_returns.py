# SPDX-License-Identifier: Apache-2.0
"""A forked child that returns through the parent's frames and ends as a program does.

processes 2
expect outer 1
expect inner 1
expect after 2
expect last 2
edge outer -> after 2
edge <module> -> last 2
"""

import os


def after():
    pass


def last():
    pass


def inner():
    return os.fork()


def outer():
    pid = inner()
    after()
    return pid


pid = outer()
last()
if pid:
    os.waitpid(pid, 0)
