# SPDX-License-Identifier: Apache-2.0
"""Timers, thread locals whose values are finalised with the thread, conditions and queues.

expect __del__ 5
expect work 5
expect tick 3
expect consume 1
expect handle 20
edge consume -> handle 20
"""

import queue
import threading


class Value:
    def __del__(self):
        pass


def work():
    local.value = Value()


def tick():
    pass


def handle(item):
    pass


def consume(items):
    while (item := items.get()) is not None:
        handle(item)


local = threading.local()
threads = [threading.Thread(target=work) for _ in range(5)]
threads += [threading.Timer(0.01, tick) for _ in range(3)]
items = queue.Queue(2)
threads.append(threading.Thread(target=consume, args=(items,)))
for thread in threads:
    thread.start()
for item in range(20):
    items.put(item)
items.put(None)
for thread in threads:
    thread.join()
