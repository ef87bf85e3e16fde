# SPDX-License-Identifier: Apache-2.0
"""What is said of a timing: the session that the interface promises, verdicts in words, units."""

import doctest
import io
import math
import os
from itertools import pairwise
from types import ModuleType

import pytest
from fettle import executable
from fettle.cli import time as cli
from fettle.report import histogram, progress, unit
from fettle.report import timing as report
from fettle.report.unit import Scale
from fettle.timing import commands
from fettle.timing.options import Options, Progress
from fettle.timing.timing import Comparison, Timing

from .timings import COMPREHENSION, FASTER, REPEATED, Said, series, timing


class Screen(io.TextIOWrapper):
    """A terminal of so many columns, or a pipe."""

    def __init__(self, encoding: str = "utf-8", terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode(self.encoding)


def shown(of: Timing, verbose: bool = False, target: str = "", encoding: str = "utf-8") -> str:
    screen = Screen(encoding)
    report.show(of, screen, verbose, target)
    return screen.text()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_two_candidates_read_as_the_interface_promises() -> None:
    lines = shown(timing([COMPREHENSION, REPEATED], FASTER), target="time.fettle").splitlines()
    assert lines == [
        "A  [0 for _ in range(1000)]    14.4 us",
        "B  [0]*1000                    1.42 us",
        "B is 10.1x faster (95%: 9.8 to 10.4), 41 interleaved pairs, CPU clock    -> time.fettle",
        "  45 samples each of 2 000 calls in 5 processes, empty loop 9 ns subtracted",
    ]


def test_a_spread_of_nothing_is_not_told() -> None:
    nothing = (series("pass"), Said(0.03e-9, 0.0, 0.06e-9, spread=1.74))
    line = shown(timing([nothing])).splitlines()[0]
    assert line == "pass    0.03 ns (95%: 0.00 to 0.06)"


def test_at_the_prompt_it_is_a_line_and_no_samples() -> None:
    assert repr(timing([REPEATED])) == "<fettle.time: [0]*1000 1.42 us>"
    two = timing([COMPREHENSION, REPEATED], FASTER)
    assert repr(two) == "<fettle.time: B is 10.1x faster (95%: 9.8 to 10.4)>"


def test_the_file_stands_below_a_verdict_that_fills_the_line() -> None:
    unclear = Comparison("x", 1.0, 0.97, 1.04, 4100, "unclear")
    lines = shown(timing([COMPREHENSION, REPEATED], unclear), target="x" * 40).splitlines()
    assert lines[2].endswith("4 100 interleaved pairs, CPU clock")
    assert lines[4].endswith(" subtracted")
    assert lines[5] == "  -> " + "x" * 40


def test_one_candidate() -> None:
    lines = shown(timing([REPEATED]), target="time.fettle").splitlines()
    assert lines == [
        "[0]*1000    1.42 us (95%: 1.40 to 1.45), spread 2.1%    -> time.fettle",
        "  45 samples of 2 000 calls in 5 processes, CPU clock, empty loop 9 ns subtracted",
    ]


def test_a_timing_as_text_is_the_same_table() -> None:
    of = timing([REPEATED], notes=("something was odd; look.",))
    assert str(of) + "\n" == shown(of)
    assert str(of).endswith("\nfettle: something was odd; look.")


def test_notes_are_sentences_in_lines_of_their_own() -> None:
    notes = ("Interrupted after 1.2 s.", "CPU time is rough here.", "`for x in y:\n    f()` waits.")
    assert shown(timing([REPEATED], notes=notes)).splitlines()[2:] == [
        "fettle: interrupted after 1.2 s.",
        "fettle: CPU time is rough here.",
        "fettle: `for x in y: f()` waits.",
    ]


def verdict(comparison: Comparison, *more: Comparison) -> list[str]:
    candidates = [COMPREHENSION, *[REPEATED] * (1 + len(more))]
    lines = shown(timing(candidates, comparison, *more)).splitlines()
    return [line.replace(", 41 interleaved pairs, CPU clock", "") for line in lines[2:-1]]


@pytest.mark.parametrize(
    ("ratio", "low", "high", "word", "said"),
    [
        (10.12, 9.81, 10.43, "faster", "B is 10.1x faster (95%: 9.8 to 10.4)"),
        (2.0, 1.95, 2.05, "faster", "B is 2.00x faster (95%: 1.95 to 2.05)"),
        (1.053, 1.041, 1.066, "faster", "B is 1.05x faster (95%: 1.04 to 1.07)"),
        (1.012, 1.004, 1.02, "faster", "B is 1.012x faster (95%: 1.004 to 1.020)"),
        (1.0005, 1.0002, 1.0008, "faster", "B is 1.0005x faster (95%: 1.0002 to 1.0008)"),
        (1234.5, 1200.0, 1270.0, "faster", "B is 1234x faster (95%: 1200 to 1270)"),
        (0.5, 0.4, 0.625, "slower", "B is 2.00x slower (95%: 1.60 to 2.50)"),
        (0.1, 0.08, 0.125, "slower", "B is 10.0x slower (95%: 8.0 to 12.5)"),
    ],
)
def test_faster_and_slower(ratio: float, low: float, high: float, word: str, said: str) -> None:
    assert verdict(Comparison("x", ratio, low, high, 41, word)) == [said]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.996, 1.0061, "within 0.7%"),
        (0.99, 1.002, "within 1.1%"),  # 1 / 0.99 is 1.0101
        (1.0, 1.0, "within 0.1%"),
    ],
)
def test_the_same_says_within_what(low: float, high: float, said: str) -> None:
    lines = verdict(Comparison("x", 1.0, low, high, 41, "same"))
    assert lines[0] == f"B takes as long as A, {said} (95%)"
    assert "finer precision" in lines[1]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.8, 1.25, "1.25x slower to 1.25x faster"),
        (0.98, 1.03, "1.020x slower to 1.030x faster"),
        (1.002, 1.2, "1.002x to 1.20x faster"),
        (0.0637, 447.4, "15.7x slower to 447x faster"),
    ],
)
def test_unclear_says_what_may_be_and_what_helps(low: float, high: float, said: str) -> None:
    lines = verdict(Comparison("x", 1.0, low, high, 41, "unclear"))
    assert lines[0] == f"unclear: B is {said} (95%)"
    assert "more time or runs" in lines[1]


NOTHING_KNOWN = [
    (math.inf, 1.0, math.inf),
    (math.nan, math.nan, math.nan),
    (1.0, 0.0, math.inf),
    (-1.0, -2.0, 1.0),
]


@pytest.mark.parametrize(("ratio", "low", "high"), NOTHING_KNOWN)
def test_what_takes_no_time_is_not_compared(ratio: float, low: float, high: float) -> None:
    unclear = Comparison("x", ratio, low, high, 41, "unclear")
    of = timing([COMPREHENSION, (REPEATED[0], Said(0.0, -1e-10, 1e-10))], unclear)
    line = shown(of).splitlines()[2]
    assert line.startswith("B and A can not be compared: no time that can be measured, 41 ")


@pytest.mark.parametrize(("ratio", "low", "high"), NOTHING_KNOWN)
def test_one_round_says_nothing(ratio: float, low: float, high: float) -> None:
    lines = verdict(Comparison("x", ratio, low, high, 41, "unclear"))
    assert lines[0] == "unclear: too little is known to compare B with A"
    assert "more time or runs" in lines[1]


def test_one_sample_has_no_interval() -> None:
    of = timing([(REPEATED[0], Said(1.424e-6, 0.0, math.inf, 0.0))])
    assert shown(of).startswith("[0]*1000    1.42 us (95%: unknown), spread 0.00%\n")


def test_several_are_compared_with_the_first() -> None:
    slower = Comparison("x", 0.5, 0.4, 0.625, 41, "slower")
    assert verdict(FASTER, slower) == [
        "C  [0]*1000                    1.42 us",
        "B is 10.1x faster than A (95%: 9.8 to 10.4)",
        "C is 2.00x slower than A (95%: 1.60 to 2.50)",
    ]


def test_one_pair_is_one() -> None:
    once = Comparison("x", 2.0, 1.5, 2.5, 1, "unclear")
    assert ", 1 interleaved pair, CPU clock" in shown(timing([COMPREHENSION, REPEATED], once))


def test_the_clock_and_the_origin_of_commands() -> None:
    run = {"clock": "wall", "loops": 1, "empty": 0.0}
    of = (series("sleep 1", [1.0], [1.1], [1.05], **run), Said(1.05, 1.0, 1.1))
    assert shown(timing([of])).splitlines() == [
        "sleep 1    1.05 s (95%: 1.00 to 1.10), spread 2.1%",
        "  3 samples, every one a process of its own, wall clock",
    ]


def test_one_sample_in_one_process() -> None:
    of = (series("f", [1e-3], loops=1, empty=0.0), Said(1e-3, 1e-3, 1e-3, 0.0))
    assert "  1 sample in 1 process, CPU clock\n" in shown(timing([of]))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.00 ns"),
        (-2e-12, "0.00 ns"),
        (-3e-10, "-0.30 ns"),
        (3.14159e-10, "0.31 ns"),
        (9.994e-9, "9.99 ns"),
        (9.996e-9, "10.0 ns"),
        (12.34e-9, "12.3 ns"),
        (999.96e-9, "1.00 us"),
        (1.424e-6, "1.42 us"),
        (142.4e-6, "142 us"),
        (0.9999, "1000 ms"),
        (0.99996, "1.00 s"),
        (75.25, "75.2 s"),
        (5400.0, "5400 s"),
    ],
)
def test_three_figures_in_the_unit_that_fits(seconds: float, said: str) -> None:
    assert Scale(seconds * 1e9).text(seconds * 1e9) == said


def test_memory_has_columns() -> None:
    first = (series("[0]*1000", memory=(8056, 1), peak=8200), REPEATED[1])
    second = (series("f()", memory=(1_250_000, 1000)), REPEATED[1])
    lines = shown(timing([first, second], FASTER)).splitlines()
    assert lines[:2] == [
        "A  [0]*1000    1.42 us  8.1 kB       in 1 block  peak 8.2 kB",
        "B  f()         1.42 us  1.2 MB  in 1 000 blocks",
    ]
    alone = shown(timing([first])).splitlines()
    assert alone[1] == "  8.1 kB, in 1 block, peak 8.2 kB a call"


@pytest.mark.parametrize(
    ("label", "width", "said"),
    [
        ("f(x)", 40, "f(x)"),
        ("for x in y:\n    f(x)\n    g(x)", 40, "for x in y: f(x); g(x)"),
        ("f(\n  1,\n  2,\n)", 40, "f(1, 2,)"),
        ("\n\n  a = 1  \n\n", 40, "a = 1"),
        ("x\x1b[31m", 40, "x\\x1b[31m"),
        ("", 40, "(an empty statement)"),
        (" \n", 40, "(an empty statement)"),
    ],
)
def test_a_statement_in_one_line(label: str, width: int, said: str) -> None:
    assert report.one_line(label, width) == said


@pytest.mark.parametrize("width", [1, 5, 9, 16, 40, 99])
def test_a_long_statement_keeps_its_ends(width: int) -> None:
    label = "begin(" + "x" * 500 + ")end"
    found = report.one_line(label, width)
    assert len(found) <= max(width, 6)
    assert found.startswith("b")
    if width >= 30:
        assert found.startswith("begin(x")
        assert " ... " in found
        assert found.endswith(")end")


def test_a_long_statement_leaves_room_for_the_numbers() -> None:
    long = (series("begin(" + "x" * 500 + ")"), REPEATED[1])
    lines = shown(timing([long, REPEATED], FASTER)).splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert lines[0].endswith("    1.42 us")
    assert len(shown(timing([long])).splitlines()[0]) <= 100


def test_wide_letters_take_two_columns() -> None:
    wide = (series("f('\u65e5\u672c')"), REPEATED[1])  # two letters, four columns
    accent = (series("g('e\u0301')"), REPEATED[1])
    plain = (series("h('abcd')"), REPEATED[1])
    lines = shown(timing([wide, accent, plain], FASTER, FASTER)).splitlines()
    assert lines[0] == "A  f('\u65e5\u672c')    1.42 us"
    assert lines[1] == "B  g('e\u0301')       1.42 us"
    assert lines[2] == "C  h('abcd')    1.42 us"


def test_many_candidates_have_names() -> None:
    names = [report.name(at) for at in range(60)]
    assert names[:3] == ["A", "B", "C"]
    assert len(set(names)) == 60
    candidates = [REPEATED] * 30
    lines = shown(timing(candidates, *[FASTER] * 29)).splitlines()
    assert lines[25].startswith("Z   [0]*1000")
    assert lines[26].startswith("A2  [0]*1000")
    assert lines[30].startswith("B is 10.1x faster than A ")


@pytest.mark.parametrize("module", [report, histogram, unit, commands, executable, cli])
def test_the_examples_give_what_they_say(module: ModuleType) -> None:
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0


# ---- a closer look ----


def test_verbose_shows_how_samples_are_spread() -> None:
    samples = [1e-6] * 6 + [2e-6] * 2 + [3e-6]
    counters = {"instructions": 1234.4, "cache misses": 0.12}
    of = (series("f()", samples, samples, counters=counters), Said(1e-6, 0.9e-6, 1.1e-6))
    lines = shown(timing([of]), verbose=True).splitlines()
    assert lines[2:5] == [
        "",
        "f()",
        "  1.00 us (95%: 0.90 to 1.10), spread 2.1%, all from 1.00 to 20.00 us",
    ]
    assert lines[5].split() == ["1.00", "us", "\u2588" * 40, "12"]
    assert lines[-2:] == [
        "  medians of the processes: 1.00 1.00 us",
        "  a call: 1 234 instructions, 0.1 cache misses",
    ]


def test_many_processes_have_ends() -> None:
    groups = [[at * 1e-6, at * 1e-6] for at in range(1, 21)]
    lines = shown(timing([(series("f()", *groups), REPEATED[1])]), verbose=True).splitlines()
    assert lines[-1] == "  medians of the 20 processes: from 1.00 to 20.00 us"


def test_bars_are_ascii_where_the_encoding_is() -> None:
    of = timing([COMPREHENSION, REPEATED], FASTER)
    assert "\u2588" in shown(of, verbose=True)
    plain = shown(of, verbose=True, encoding="ascii")
    assert plain.isascii()
    assert "#" * 40 in plain


def test_a_histogram_counts_every_sample_once() -> None:
    samples = [1.0 + at * at / 1000 for at in range(57)] + [99.0]
    lines = histogram.lines(samples, Scale(1e9), "#", 60)
    assert sum(int(line.split()[-1]) for line in lines) == len(samples)
    assert all(len(line) <= 60 for line in lines)
    starts = [float(line.split()[0]) for line in lines]
    assert starts[0] == 1.0
    assert all(a < b for a, b in pairwise(starts))
    for at, start in enumerate(starts):  # by brute force, from the unrounded edges
        step = (sorted(samples)[int(len(samples) * 0.95)] - 1.0) / (len(starts) - 1)
        low, high = 1.0 + at * step, 1.0 + (at + 1) * step
        is_last = at == len(starts) - 1
        inside = [x for x in samples if low <= x + 1e-12 and (is_last or x + 1e-12 < high)]
        assert int(lines[at].split()[-1]) == len(inside), start


@pytest.mark.parametrize("samples", [[], [1.0], [1.0] * 50, [1.0, 2.0], [-1.0, 0.0, 1.0]])
def test_a_histogram_of_little(samples: list[float]) -> None:
    lines = histogram.lines(samples, Scale(1e9), "#", 80)
    assert sum(int(line.split()[-1]) for line in lines) == len(samples)


# ---- colour ----


def coloured(monkeypatch: pytest.MonkeyPatch, terminal: bool, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    screen = Screen(terminal=terminal)
    report.show(timing([COMPREHENSION, REPEATED], FASTER), screen)
    return screen.text()


def test_colour_says_what_is_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    dear, cheap, verdict, _ = coloured(monkeypatch, True, COLUMNS="200").splitlines()
    assert dear.startswith("\x1b[31mA ")
    assert cheap.startswith("\x1b[32mB ")
    assert verdict.startswith("\x1b[1mB is 10.1x faster")


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in coloured(monkeypatch, False)
    assert "\x1b" in coloured(monkeypatch, False, FORCE_COLOR="1")
    assert "\x1b" not in coloured(monkeypatch, True, NO_COLOR="1")


@pytest.mark.parametrize("medians", [[0.0, 0.0], [0.0, 1e-6], [-1e-10, 1e-9], [1e-6, 1.04e-6]])
def test_costs_of_next_to_nothing_have_a_colour(medians: list[float]) -> None:
    candidates = [(REPEATED[0], Said(median, median, median)) for median in medians]
    assert "A" in shown(timing(candidates, FASTER))


# ---- progress ----


def told(elapsed: float, width: float = math.inf) -> Progress:
    return Progress(elapsed, 12, 3, width, Options(budget=5.0))


def test_progress_in_words() -> None:
    assert progress.said(told(2.2, 0.023)) == (
        "timing: 2 of 5 s, within 2.3% (wanted: 1.0%), 12 samples in 3 processes; ^C ends it"
    )
    assert progress.said(told(0.0)) == "timing: 0 of 5 s, 12 samples in 3 processes; ^C ends it"
    endless = Progress(2.2, 1, 1, math.inf, Options(budget=1e9))
    assert progress.said(endless) == "timing: 2 s, 1 sample in 1 process; ^C ends it"


def test_progress_is_one_line_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_BETWEEN", 0.0)
    screen = Screen(terminal=True)
    monkeypatch.setenv("COLUMNS", "30")
    with progress.Line(screen) as line:
        line.show(told(1.0))
        line.show(told(2.0))
    text = screen.text()
    assert "\n" not in text
    assert text.endswith("\r\x1b[K")
    shown_texts = text.split("\r\x1b[K")
    assert [len(part) for part in shown_texts] == [0, 29, 29, 0]


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    for screen, term in ((Screen(), "xterm"), (Screen(terminal=True), "dumb")):
        monkeypatch.setenv("TERM", term)
        with progress.Line(screen) as line:
            line.show(told(1.0))
        assert screen.text() == ""
    with progress.Line(None) as line:
        line.show(told(1.0))


def test_progress_survives_a_closed_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    reader, writer = os.pipe()
    os.close(reader)

    class Gone(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    stream = Gone(os.fdopen(writer, "wb", buffering=0), write_through=True)
    with progress.Line(stream) as line:
        line.show(told(1.0))
        line.show(told(2.0))
