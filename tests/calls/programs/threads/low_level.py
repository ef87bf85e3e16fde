# SPDX-License-Identifier: Apache-2.0
"""Threads made by _thread itself. (3.11 has no hook for those: they are not seen there.)

needs[3.12+]
expect work 5
expect leaf 50
edge work -> leaf 50
"""

import _thread


def leaf():
    pass


def work(lock):
    for _ in range(10):
        leaf()
    lock.release()


for _ in range(5):
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(work, (lock,))
    lock.acquire()
