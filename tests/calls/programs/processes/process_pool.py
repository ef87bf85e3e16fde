# SPDX-License-Identifier: Apache-2.0
"""concurrent.futures' processes, and multiprocessing children that are terminated.

expect task 10
expect busy 2
expect ready_now 2
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor


def task(n):
    return n * n


def ready_now(event):
    event.set()


def busy(event):
    ready_now(event)
    time.sleep(60)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        print(sum(pool.map(task, range(10))))
    for end in ("terminate", "kill"):
        event = context.Event()
        process = context.Process(target=busy, args=(event,))
        process.start()
        event.wait()
        getattr(process, end)()
        process.join()
        print(process.exitcode)
