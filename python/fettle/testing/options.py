# SPDX-License-Identifier: Apache-2.0
"""The options of the plugin, read: what is wrong with them ends the run before a test runs."""

import os
from dataclasses import dataclass

import pytest

from fettle.problem import USAGE, Problem

WORDS = ("calls", "lines", "mem")


@dataclass(frozen=True, slots=True)
class Asked:
    """What `--fettle` shall record. lines: selectors; with none of them, what is marked."""

    calls: bool
    has_lines: bool
    lines: tuple[str, ...]
    mem: bool


def read(text: str) -> Asked:
    """Of the value of --fettle.

    >>> read("calls,mem"), read("lines=app.*").lines
    (Asked(calls=True, has_lines=False, lines=(), mem=True), ('app.*',))
    """
    words = [word.strip() for word in text.split(",")]
    selectors = []
    for word in words:
        name, given, selector = word.partition("=")
        if name not in WORDS or (given and (name != "lines" or not selector)):
            raise Problem(
                USAGE,
                f"--fettle takes calls, lines, lines=SEL and mem, with commas between them, not"
                f" {word!r}; what is to be tested stands before it, as in `pytest tests --fettle`.",
            )
        if selector:
            selectors.append(selector)
    names = {word.partition("=")[0] for word in words}
    return Asked("calls" in names, "lines" in names, tuple(selectors), "mem" in names)


def percentage(text: str | None) -> float:
    """Of --fettle-tolerance, as a share.

    >>> percentage("5%"), percentage("2.5"), percentage(None)
    (0.05, 0.025, 0.0)
    """
    try:
        share = float((text or "0").strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1e6:
        raise Problem(
            USAGE, f"--fettle-tolerance needs a percentage of 0 or more, such as 5, not {text!r}."
        )
    return share


def begin(config: pytest.Config) -> None:
    """Sets up what the command line asks for. pytest.UsageError for what it can not mean."""
    try:
        _begin(config)
    except Problem as problem:
        raise pytest.UsageError(f"fettle: {problem.sentence}") from None


def _begin(config: pytest.Config) -> None:
    option = config.option
    if option.fettle is not None:
        from fettle.testing import session

        option.fettle_output = os.path.abspath(option.fettle_output)
        session.begin(config, read(option.fettle), option.fettle_output, option.fettle_rows)
    if option.fettle_update and not option.fettle_baseline:
        raise Problem(
            USAGE, "--fettle-update needs the file that it shall write: --fettle-baseline FILE."
        )
    if option.fettle_baseline:
        from fettle.testing import baseline, measuring

        option.fettle_baseline = os.path.abspath(option.fettle_baseline)
        tolerance = percentage(option.fettle_tolerance)
        file = baseline.Baseline(option.fettle_baseline, option.fettle_update, tolerance)
        measuring.begin_baseline(config, file)
