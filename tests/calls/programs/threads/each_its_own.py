# SPDX-License-Identifier: Apache-2.0
"""Four threads, each 100 times its own function and 100 times a shared one, switching often.

expect shared 400
expect work_0 1
expect work_3 1
expect leaf_0 100
expect leaf_1 100
expect leaf_2 100
expect leaf_3 100
edge work_2 -> leaf_2 100
edge work_2 -> leaf_1 0
edge leaf_2 -> shared 100
edge leaf_3 -> shared 100
"""

import sys
import threading

sys.setswitchinterval(1e-6)
SOURCE = """
def leaf_{0}():
    shared()
def work_{0}():
    for _ in range(100):
        leaf_{0}()
"""


def shared():
    return 1


names = {"shared": shared}
for i in range(4):
    exec(compile(SOURCE.format(i), __file__, "exec"), names)
threads = [threading.Thread(target=names[f"work_{i}"]) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
