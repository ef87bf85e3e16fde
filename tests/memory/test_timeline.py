# SPDX-License-Identifier: Apache-2.0
"""A sampled recording looks at its timeline with each sample: most blocks pass untold."""

import time

from fettle import _core

STEPS = 12
BLOCKS = 512  # of 4 KiB: 2 MiB in each step, and a sample is due every 128 KiB


def test_of_samples() -> None:
    recorder = _core.Recorder(calls=False, mem="sample")
    recorder.start()
    kept = []
    for _ in range(STEPS):
        kept.append([bytes(4096) for _ in range(BLOCKS)])
        time.sleep(0.011)  # moments are 10 ms apart
    recorder.stop()
    moments = recorder.profile().moments()
    times = [moment.time for moment in moments]
    # Few blocks, all of them small: without the samples there would be the first and the last.
    assert len(kept) == STEPS <= len(moments)
    assert times == sorted(times)
    assert moments[0].live < moments[-1].live
