# SPDX-License-Identifier: Apache-2.0
"""Sampled recordings: estimates within the theory's error.

With a mean of m bytes between samples a block of s bytes is sampled with p = 1 - exp(-s / m), and
stands for 1 / p blocks: an estimate of n such blocks has the variance n (1 - p) / p.
"""

import json
import math

from .apart import run

MEAN = 131072
PROGRAM = """
import json
from itertools import repeat
def small(n):
    for size in repeat(67, n):
        yield bytes(size)  # 100 bytes each, and nothing else in this line
def large(n):
    for size in repeat(7967, n):
        yield bytes(size)  # 8000
def huge(n):
    for size in repeat(1 << 22, n):
        yield bytes(size)
lines = [f.__code__.co_firstlineno + 2 for f in (small, large, huge)]
said = []
for turn in range(30):
    recorder = Recorder(mem="sample")
    recorder.start()
    kept = list(small(20000)), list(large(3000)), list(huge(10))
    gone = list(small(10000))
    del gone
    recorder.stop()
    sums = {}
    for site in recorder.profile().sites():
        row = sums.setdefault(site.line, [0, 0, 0, 0])
        for at, field in enumerate(("total_count", "total_bytes", "alive_count", "alive_bytes")):
            row[at] += getattr(site, field)
    said.append([sums.get(line, [0, 0, 0, 0]) for line in lines])
    del kept
print(json.dumps(said))
"""


def test_within_the_theoretical_error() -> None:
    """The mean of 30 runs within 4 standard errors, each run within 6 deviations: by chance once in
    ten thousand times at most."""
    said = json.loads(run(PROGRAM))
    blocks = {0: (100, 30000, 20000), 1: (8000, 3000, 3000)}
    for at, (size, total, alive) in blocks.items():
        sampled = 1 - math.exp(-size / MEAN)
        for field, true in ((0, total), (2, alive)):
            deviation = math.sqrt(true * (1 - sampled) / sampled)
            estimates = [turn[at][field] for turn in said]
            mean = sum(estimates) / len(estimates)
            assert abs(mean - true) <= 4 * deviation / math.sqrt(len(said)), (mean, true)
            assert all(abs(each - true) <= 6 * deviation + 1 for each in estimates), estimates
            spread = math.sqrt(sum((each - true) ** 2 for each in estimates) / len(estimates))
            assert 0.5 * deviation <= spread <= 1.7 * deviation, (spread, deviation)
            for turn in said:  # each is rounded
                assert abs(turn[at][field + 1] - turn[at][field] * size) <= size + true * sampled
    for turn in said:  # what is far larger than the mean is always sampled
        assert turn[2][0] == turn[2][2] == 10
