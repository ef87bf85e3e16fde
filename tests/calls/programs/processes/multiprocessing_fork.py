# SPDX-License-Identifier: Apache-2.0
"""multiprocessing by fork: processes and a pool.

expect work 26
expect leaf 52
edge work -> leaf 52
expect alone 2
"""

import multiprocessing
import warnings

warnings.simplefilter("ignore", DeprecationWarning)


def leaf():
    pass


def work(n):
    leaf()
    leaf()
    return n


def alone():
    for n in range(3):
        work(n)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=alone) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    pool = context.Pool(2)
    print(sum(pool.map(work, range(20))))
    pool.close()
    pool.join()
