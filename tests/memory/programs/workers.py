# SPDX-License-Identifier: Apache-2.0
import _thread
import concurrent.futures
import queue
import threading
import time

kept = {}


def work(name, n):
    kept[name] = [{"i": i, "s": str(i) * 3} for i in range(n)]


def wait(thread):
    thread.join()
    while _thread._count() > 0:  # it gives up what it has a little later
        time.sleep(0.001)


for number in range(8):  # one after the other: their blocks come in one order
    thread = threading.Thread(target=work, args=(number, 100 + number))
    thread.start()
    wait(thread)
local = threading.local()
local.x = [1.5 * i for i in range(100)]
futures = [concurrent.futures.Future() for _ in range(50)]
for number, future in enumerate(futures):
    future.add_done_callback(lambda done: kept.setdefault(-1, []).append([done.result()]))
    future.set_result(number * 1.5)
timer = threading.Timer(0, work, args=(99, 50))
timer.start()
wait(timer)
messages = queue.Queue()
for i in range(100):
    messages.put((i, str(i)))
locks = [threading.RLock() for _ in range(50)] + [threading.Condition() for _ in range(50)]
del kept[3]
