# SPDX-License-Identifier: Apache-2.0
"""The program sets a profile function of its own, looks at it, and takes it away.

yields inner 2
expect before 10
expect main 1
"""

import sys


def before():
    pass


def inner():
    pass


def hook(frame, event, argument):
    if event == "c_return" and argument is sys.setprofile:
        return  # seen or not by the first instruction that was already instrumented
    seen.append((event, frame.f_code.co_name, getattr(argument, "__name__", None)))


def main():
    for _ in range(10):
        before()
    sys.setprofile(hook)
    inner()
    print(sys.getprofile() is hook)
    len("a")
    sys.setprofile(None)
    inner()


seen = []
main()
for event in seen:
    print(event)
