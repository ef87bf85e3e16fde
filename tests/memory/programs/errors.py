# SPDX-License-Identifier: Apache-2.0
import contextlib
import traceback

kept = []


class Mine(Exception):
    def __init__(self, n):
        super().__init__(n)
        self.n = n


def deep(n):
    if n == 0:
        raise Mine(n)
    try:
        deep(n - 1)
    except Mine as error:
        if n % 5 == 0:
            raise ValueError(n) from error
        raise


for i in range(100):
    try:
        deep(i % 20)
    except (Mine, ValueError) as error:
        kept.append(error)
    with contextlib.suppress(KeyError):
        {}[i]
steps = [list(traceback.walk_tb(error.__traceback__)) for error in kept[:20]]
groups = []
try:
    raise ExceptionGroup("several", kept[:5])
except* Mine as group:
    groups.append(group)
except* ValueError as group:
    groups.append(group)
frames = [error.__traceback__.tb_frame for error in kept]
del kept[::2]
measure()
