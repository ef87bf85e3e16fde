# SPDX-License-Identifier: Apache-2.0
"""How tests tell a leak from what else grows in the process they share."""

import gc
import sys
from collections.abc import Callable


def least_growth(
    work: Callable[[], object],
    rounds: int,
    enough: int,
    measure: Callable[[], int] = sys.getallocatedblocks,
) -> int:
    """The least that so many rounds of work leave behind, over stretches until that is `enough` or
    less.

    What leaks does so in every stretch. The interpreter's own caches grow in some of them, and so
    does what threads and garbage of other tests hold.
    """
    work()
    growth: list[int] = []
    while len(growth) < 30 and (not growth or min(growth) > enough):
        gc.collect()
        before = measure()
        for _ in range(rounds):
            work()
        gc.collect()
        growth.append(measure() - before)
    return min(growth)
