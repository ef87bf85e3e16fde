# SPDX-License-Identifier: Apache-2.0
"""concurrent.futures: 60 tasks on 3 threads, one of ten of which fails.

expect task 60
expect step 120
expect collect 1
edge task -> step 120
"""

from concurrent.futures import ThreadPoolExecutor


def step():
    pass


def task(n):
    step()
    step()
    if n % 10 == 0:
        raise ValueError(n)
    return n


def collect(futures):
    return sum(future.exception() is not None for future in futures)


with ThreadPoolExecutor(3) as pool:
    print(collect([pool.submit(task, n) for n in range(60)]))
