# SPDX-License-Identifier: Apache-2.0
"""A function's code replaced before, and while, it runs: a call belongs to the code it began with.

expect before 101
expect after 100
expect replacing 1
edge <module> -> before 101
edge <module> -> after 100
edge replacing -> helper 1
"""


def helper():
    pass


def before(n):
    return n


def after(n):
    return -n


def replacing():
    replacing.__code__ = after.__code__.replace(co_argcount=0, co_varnames=("n",), co_nlocals=1)
    helper()
    return 1


def subject(n):
    return None


total = 0
for code in (before.__code__, after.__code__):
    subject.__code__ = code
    for n in range(100):
        total += subject(n)
print(total, before(1), replacing())
