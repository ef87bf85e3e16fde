# SPDX-License-Identifier: Apache-2.0
"""How many calls a sample has, whatever else the machine does while that is looked for."""

import pytest
from fettle import _core
from fettle.timing.runner import SAMPLE, Runner


class Machine(Runner):
    """Its samples are what a story says: seconds on the CPU for so many calls, and beside them."""

    def __init__(self, cpu, beside, waits=lambda sample: 0):
        super().__init__([None], [False], False, False, 1)
        self.samples = 0
        self._cpu, self._beside, self._waits = cpu, beside, waits

    def _sample(self, index, loops):
        displaced = self._beside(self.samples)
        cpu, waits = self._cpu(self.samples, loops), self._waits(self.samples)
        self.samples += 1
        assert self.samples < 50
        return _core.Reading((cpu + displaced, cpu, cpu, waits, int(displaced > 0), 0, 0, ()))

    def found(self):
        return self._calibrate(0)[0]


def cold(sample, loops):
    """2 us a call, and 60 more for the first one of each sample."""
    return 60e-6 + 2e-6 * loops


@pytest.mark.parametrize("displaced", [(), (0,), (1,), (0, 1, 2), range(50)])
def test_others_do_not_matter(displaced):
    alone = Machine(cold, lambda sample: 0.0).found()
    found = Machine(cold, lambda sample: 0.05 * (sample in displaced)).found()
    assert found == alone
    assert 0.5 * SAMPLE < cold(0, found) < 2 * SAMPLE


@pytest.mark.parametrize("late", range(4))
def test_a_wait_that_is_no_habit(late):
    """Once something was read from a disk while others had the processor."""
    machine = Machine(cold, lambda at: 0.05 * (at == late), lambda at: int(at == late))
    assert 0.5 * SAMPLE < cold(0, machine.found()) < 2 * SAMPLE


def test_what_waits_is_called_as_often_as_its_waiting_allows():
    class Waits(Machine):
        def _sample(self, index, loops):
            self.samples += 1
            wall = 1e-4 * loops
            return _core.Reading((wall, 1e-6 * loops, 1e-6 * loops, loops, 1, 0, 0, ()))

    found = Waits(cold, lambda at: 0.0).found()
    assert 0.5 * SAMPLE < 1e-4 * found < 2 * SAMPLE
