# SPDX-License-Identifier: Apache-2.0
"""The program sets a profile function for its threads.

yields inner 2
expect before 10
"""

import sys
import threading


def before():
    pass


def inner():
    pass


def hook(frame, event, argument):
    if frame.f_code.co_name == "inner":
        seen.append(event)


def work():
    print(sys.getprofile() is hook)
    inner()


for _ in range(10):
    before()
seen = []
print(getattr(threading, "_profile_hook", None))
threading.setprofile(hook)
thread = threading.Thread(target=work)
thread.start()
thread.join()
threading.setprofile(None)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(seen)
