# SPDX-License-Identifier: Apache-2.0
"""multiprocessing by forkserver: the children are forks of a Python that never ran our main module.

expect work 16
edge work -> leaf 32
expect leaf 32
expect alone 2
"""

import multiprocessing


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
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=alone) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    pool = context.Pool(2)
    print(sum(pool.map(work, range(10))))
    pool.close()
    pool.join()
