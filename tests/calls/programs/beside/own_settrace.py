# SPDX-License-Identifier: Apache-2.0
"""The program traces lines of its own; the recording goes on at the same time.

expect traced 3
expect before 10
expect after 10
edge <module> -> traced 3
"""

import sys


def before():
    pass


def after():
    pass


def traced(n):
    total = 0
    for i in range(n):
        total += i
    return total


def trace(frame, event, argument):
    if frame.f_code.co_name != "traced":
        return None
    seen.append((event, frame.f_lineno - traced.__code__.co_firstlineno))
    return trace


seen = []
for _ in range(10):
    before()
print(sys.gettrace())
sys.settrace(trace)
for n in range(3):
    traced(n)
sys.settrace(None)
for _ in range(10):
    after()
print(seen)
