# SPDX-License-Identifier: Apache-2.0
"""What a program can see of itself: frames, modules, threads, descriptors, hooks, arguments.

expect depth 5 1
"""

import gc
import os
import signal
import sys
import threading


def depth(n):
    if n:
        return depth(n - 1)
    frame, count = sys._getframe(), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


print(depth(4), sys.argv[1:], os.path.basename(sys.argv[0]), __name__, __spec__, __package__)
print(sys.path[0] == os.path.dirname(os.path.abspath(__file__)), sys.flags.interactive)
print(threading.active_count(), threading.current_thread().name, len(sys._current_frames()))
# On 3.11 the recorder is the profile hook, and shows: a program that saves and restores it must put
# it back (docs/guide.md).
hook = sys.getprofile() if sys.version_info >= (3, 12) else None
print(hook, sys.gettrace(), sys.excepthook is sys.__excepthook__, gc.isenabled())
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.stdin.isatty())
print([s.name for s in signal.valid_signals() if hasattr(s, "name") and signal.getsignal(s) not in
       (signal.SIG_DFL, signal.SIG_IGN, None)])
print([n for n in ("rich", "json", "threading_x", "subprocess", "typing") if n in sys.modules])
print(sorted(vars()))
