# SPDX-License-Identifier: Apache-2.0
"""Eight threads in the same functions at the same time, with recursion: what another thread has on
its stack makes no call recursive.

expect climb 8400 400
expect flat 40000 40000
edge work -> climb 400
edge work -> flat 40000
edge climb -> climb 8000 400
expect work 8
"""

import sys
import threading

sys.setswitchinterval(1e-6)


def flat():
    pass


def climb(n):
    if n:
        climb(n - 1)


def work(start):
    start.wait()
    for _ in range(50):
        climb(20)
    for _ in range(5000):
        flat()


start = threading.Barrier(8)
threads = [threading.Thread(target=work, args=(start,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
