# SPDX-License-Identifier: Apache-2.0
"""When it goes on measuring and when it ends, from sources whose samples are made up."""

import random
from itertools import count, pairwise

import pytest
from fettle.problem import CHECK_FAILED, Problem
from fettle.timing import collect as collecting
from fettle.timing.collect import TimedOut, collect
from fettle.timing.options import LEAST, Options
from fettle.timing.series import Sample


class Made:
    """A source whose samples take no time. sample(candidate, group, round) makes one."""

    def __init__(self, sample, candidates=1, clock=None, end=None):
        self.sample = sample
        self.candidates = candidates
        self.clock = clock
        self.end = end  # called before each round
        self.rounds = 0
        self.opened = self.closed = 0

    def groups(self):
        for number in count():
            self.opened += 1
            yield MadeGroup(self, number)


class MadeGroup:
    def __init__(self, source, number):
        self.source, self.number, self.made = source, number, 0

    def round(self):
        source = self.source
        if source.end is not None:
            source.end(source)
        source.rounds += 1
        self.made += 1
        if source.clock is not None:
            source.clock.pass_by(0.02)
        return [source.sample(i, self.number, self.made) for i in range(source.candidates)]

    def close(self):
        self.source.closed += 1


class Clock:
    """What collect.py takes for the time."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(collecting, "monotonic", made)
    return made


def plain(seconds, **other):
    values = {"wall": seconds, "cpu": seconds, "waits": 0, "preempted": 0, "loops": 100, **other}
    return Sample(**values)


def noisy(seed, middle, spread):
    draw = random.Random(seed)
    return lambda *_: plain(middle * (1 + draw.gauss(0, spread)))


def test_steady_samples_end_it_soon(clock):
    source = Made(noisy(1, 1e-5, 0.001), clock=clock)
    timing = collect(source, ["x"], Options())
    assert source.opened == source.closed == collecting.GROUPS
    assert timing.low <= 1e-5 * 1.001 and timing.high >= 1e-5 * 0.999
    assert timing.series[0].count == source.rounds
    assert [len(group) >= LEAST for group in timing.series[0].groups] == [True] * 5
    assert timing.notes == ()


def test_noise_makes_it_go_on_until_the_budget_is_gone(clock):
    source = Made(noisy(1, 1e-5, 0.5), clock=clock)
    timing = collect(source, ["x"], Options(budget=3.0))
    assert 3.0 * 0.7 <= clock.now - 1000 <= 3.2
    assert source.opened == source.closed > collecting.GROUPS
    assert any("not within 1.0%" in note for note in timing.notes)


def test_a_clear_difference_ends_it_sooner_than_a_small_one(clock):
    draw = random.Random(2)

    def sampler(factor):
        luck = {}

        def sample(candidate, group, _):
            luck.setdefault((candidate, group), draw.gauss(0, 0.005))
            middle = factor if candidate else 1.0
            return plain(1e-5 * middle * (1 + luck[candidate, group] + draw.gauss(0, 0.01)))

        return sample

    large = Made(sampler(3.0), 2, clock)
    timing = collect(large, ["a", "b"], Options())
    assert timing.verdict == "slower"
    assert timing.interval[0] <= 1 / 3 <= timing.interval[1]
    small = Made(sampler(1.012), 2, clock)
    collect(small, ["a", "b"], Options(precision=0.004, budget=60))
    assert large.opened == collecting.GROUPS < small.opened


@pytest.mark.parametrize("rounds", [1, 2, 7, 40])
def test_so_many_rounds_and_no_more(rounds):
    source = Made(noisy(3, 1e-5, 0.5))
    timing = collect(source, ["x"], Options(rounds=rounds))
    assert source.rounds == timing.series[0].count == rounds
    assert source.opened == source.closed


def test_groups_of_one_process_are_one_group(clock):
    source = Made(noisy(13, 1e-5, 0.001), 2, clock)
    source.is_one = True
    timing = collect(source, ["x", "y"], Options())
    assert source.opened > 1
    assert [len(each.groups) for each in timing.series] == [1, 1]
    assert timing.series[0].count == source.rounds


@pytest.mark.parametrize("processes", [1, 2, 9])
def test_so_many_processes_and_no_more(processes, clock):
    source = Made(noisy(4, 1e-5, 0.3), clock=clock)
    timing = collect(source, ["x"], Options(processes=processes))
    assert source.opened == source.closed == processes == len(timing.series[0].groups)


def test_interrupted_with_what_there_is():
    def end(source):
        if source.rounds == 4:
            raise KeyboardInterrupt

    source = Made(noisy(5, 1e-5, 0.3), end=end)
    timing = collect(source, ["x"], Options())
    assert timing.series[0].count == 4
    assert timing.notes[0].startswith("Interrupted after ")
    assert source.closed == source.opened == 1


def test_interrupted_before_there_is_anything():
    def end(_):
        raise KeyboardInterrupt

    source = Made(noisy(5, 1e-5, 0.3), end=end)
    with pytest.raises(KeyboardInterrupt):
        collect(source, ["x"], Options())
    assert source.closed == 1


def test_interrupted_by_who_is_told_of_progress():
    told = []

    def progress(now):
        told.append(now)
        if len(told) == 2:
            raise KeyboardInterrupt

    source = Made(noisy(5, 1e-5, 0.3))
    timing = collect(source, ["x"], Options(), progress)
    assert timing.series[0].count == source.rounds
    assert source.closed == source.opened


def test_timed_out():
    def end(source):
        if source.rounds == 4:
            raise TimedOut

    timing = collect(Made(noisy(6, 1e-5, 0.3), end=end), ["x"], Options(timeout=3))
    assert timing.series[0].count == 4
    assert "did not end within 3 s" in timing.notes[0]

    def never(_):
        raise TimedOut

    with pytest.raises(Problem) as caught:
        collect(Made(noisy(6, 1e-5, 0.3), 2, end=never), ["x", "y"], Options(timeout=3))
    assert caught.value.code == CHECK_FAILED
    assert caught.value.sentence.startswith("`x` or `y` did not end within 3 s;")


def test_what_goes_wrong_is_passed_on_and_the_group_closed():
    def end(source):
        if source.rounds == 4:
            raise Problem(1, "statement 1 raised X.")

    source = Made(noisy(6, 1e-5, 0.3), end=end)
    with pytest.raises(Problem, match="raised X"):
        collect(source, ["x"], Options())
    assert source.closed == 1


def test_progress_is_told_forward_only(clock):
    told = []
    source = Made(noisy(7, 1e-5, 0.4), clock=clock)
    collect(source, ["x"], Options(budget=2.0), told.append)
    assert told
    for before, after in pairwise(told):
        assert before.done <= after.done <= 1
        assert before.samples < after.samples
        assert before.groups <= after.groups
    assert told[0].width == float("inf") > told[-1].width > 0


# ---- the clock ----


def clock_of(*candidates, **options):
    source = Made(lambda i, *_: candidates[i], len(candidates))
    labels = "abc"[: len(candidates)]
    timing = collect(source, labels, Options(rounds=12, **options))
    (clock,) = {each.clock for each in timing.series}
    values = [{value for group in each.groups for value in group} for each in timing.series]
    expected = [{getattr(each, clock)} for each in candidates]
    assert values == expected
    return clock, timing.notes


def test_code_that_computes_is_on_the_cpu_clock():
    assert clock_of(plain(1e-5)) == ("cpu", ())


def test_losing_the_processor_to_others_is_no_waiting():
    clock, notes = clock_of(plain(1e-5, wall=4e-5, preempted=40))
    assert clock == "cpu"
    assert not any("waits" in note for note in notes)


def test_code_that_waits_takes_all_to_the_wall_clock():
    waiting = plain(1e-5, wall=1e-3, waits=100)
    assert clock_of(waiting) == ("wall", ("Wall clock, because `a` waits.",))
    clock, notes = clock_of(plain(1e-5), waiting)
    assert (clock, notes[0]) == ("wall", "Wall clock, because `b` waits.")


def test_a_wait_now_and_then_is_none():
    samples = (plain(1e-5, wall=1e-4, waits=1) if i % 4 == 0 else plain(1e-5) for i in count())
    source = Made(lambda *_: next(samples))
    assert collect(source, ["a"], Options(rounds=40)).series[0].clock == "cpu"


def test_code_that_computes_in_threads():
    clock, notes = clock_of(plain(1e-3, cpu=1.9e-3, helped=0.95e-3))
    assert (clock, notes) == ("wall", ("Wall clock, because `a` computes in several threads.",))


@pytest.mark.parametrize("asked", ["cpu", "wall"])
def test_the_clock_that_was_asked_for(asked):
    waiting = plain(1e-5, wall=1e-3, waits=100)
    assert clock_of(waiting, clock=asked) == (asked, ())


# ---- notes ----


def test_nothing_but_the_empty_loop():
    draw = random.Random(8)
    source = Made(lambda *_: plain(draw.gauss(0, 1e-10), empty=5e-9))
    timing = collect(source, ["pass"], Options(rounds=50))
    assert "`pass` takes no longer than the empty loop." in timing.notes
    assert timing.series[0].empty == 5e-9


def test_two_of_nothing_are_the_same(clock):
    draw = random.Random(9)
    source = Made(lambda *_: plain(draw.gauss(0, 1e-10), empty=5e-9), 2, clock=clock)
    timing = collect(source, ["pass", "pass"], Options())
    assert timing.verdict == "same"
    assert sum("empty loop" in note for note in timing.notes) == 1


def test_what_the_empty_loop_varies_by_is_no_drift_of_a_short_statement(clock):
    draw = random.Random(7)

    def drifting(middle, empty):
        """A nanosecond more at the end of each group than at its beginning."""
        return lambda _candidate, _group, made: plain(
            (middle + made / 5 + draw.gauss(0, 0.05)) * 1e-9, empty=empty * 1e-9
        )

    for middle, empty, is_told in [(3.0, 5.0, False), (3.0, 0.5, True), (20.0, 0.5, True)]:
        source = Made(drifting(middle, empty), clock=clock)
        timing = collect(source, ["x"], Options(precision=0.0001))
        assert any("not alike" in note for note in timing.notes) == is_told, (middle, empty)


def test_runs_that_are_not_alike():
    draw = random.Random(10)
    source = Made(lambda _, __, at: plain(1e-5 * (1 + 0.01 * at + draw.gauss(0, 0.005))))
    source.clock = None
    timing = collect(source, ["grow()"], Options(rounds=100, processes=5))
    assert any("its runs are not alike" in note for note in timing.notes)
    assert any("longer" in note for note in timing.notes)


def test_others_use_the_processors(clock):
    draw = random.Random(11)
    source = Made(lambda *_: plain(1e-5 * (1 + abs(draw.gauss(0, 0.5))), preempted=3), clock=clock)
    timing = collect(source, ["x"], Options(budget=1.0))
    assert any("other programs use the processors" in note for note in timing.notes)


def test_counters_are_medians_of_a_call():
    values = iter([{"instructions": 10.0}, {"instructions": 30.0}, {"instructions": float("nan")}])
    source = Made(lambda *_: plain(1e-5, counters=next(values)))
    (series,) = collect(source, ["x"], Options(rounds=3)).series
    assert series.counters == {"instructions": 20.0}


def test_memory_and_notes_of_the_source():
    source = Made(noisy(12, 1e-5, 0.001), 2)
    source.allocated = lambda: [(100, 3, 80), None]
    source.notes = lambda: ["What was printed was thrown away."]
    timing = collect(source, ["x", "y"], Options(rounds=3, memory=True))
    assert (timing.series[0].memory, timing.series[0].peak) == ((100, 3), 80)
    assert timing.series[1].memory is None
    assert "What was printed was thrown away." in timing.notes
    assert any(note.startswith("Memory was not recorded") for note in timing.notes)
    assert collect(source, ["x", "y"], Options(rounds=3)).series[0].memory is None
