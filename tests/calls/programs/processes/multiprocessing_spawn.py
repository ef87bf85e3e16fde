# SPDX-License-Identifier: Apache-2.0
"""multiprocessing by spawn: the main module is imported again in each child.

expect work 13
edge work -> leaf 26
expect leaf 26
expect alone 1
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
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=alone)
    process.start()
    process.join()
    pool = context.Pool(2)
    print(sum(pool.map(work, range(10))))
    pool.close()
    pool.join()
