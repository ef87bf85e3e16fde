# SPDX-License-Identifier: Apache-2.0
"""tracemalloc, faulthandler's watchdog and gc callbacks.

expect collected 2
expect work 10
edge <module> -> work 10
"""

import faulthandler
import gc
import tracemalloc

gc.disable()


def collected(phase, info):
    pass


def work():
    return [i for i in range(100)]


tracemalloc.start(5)
faulthandler.dump_traceback_later(60)
gc.callbacks.append(collected)
kept = [work() for _ in ()]
for _ in range(10):
    kept.append(work())
gc.collect()
gc.callbacks.clear()
faulthandler.cancel_dump_traceback_later()
print(tracemalloc.get_traced_memory()[0] > 0)
