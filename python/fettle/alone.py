# SPDX-License-Identifier: Apache-2.0
"""FETTLE="calls mem" without a launcher: the guest makes the output; `fettle view` finishes it.

Processes that are given the same FETTLE_OUT join one recording until somebody views it, so that
`FETTLE=calls FETTLE_OUT=all.fettle make test` gives one. Without FETTLE_OUT the output is named
after the program, in the current folder.
"""

import os
import sys

from fettle import frames, invocation, output, properties
from fettle.guest import JOINED
from fettle.problem import Problem

KNOWN = (
    "calls",
    "lines",
    "lines=SEL",
    "mem",
    "mem=sample",
    "frames=N",
    "no-builtins",
    "max-nodes=N",
)


def begin(words: list[str]) -> list[str]:
    """Makes the output, or joins it. Gives the words for child processes; none on a problem."""
    try:
        _check(words)
        path = _output()
    except Problem as problem:
        _say(problem.sentence)
        os.environ.pop("FETTLE")  # child processes need not say it again
        return []
    words = [*words, *_implied(words), JOINED]
    os.environ["FETTLE"] = " ".join(words)
    os.environ["FETTLE_OUT"] = path
    return words


def _check(words: list[str]) -> None:
    for word in words:
        key, equals, value = word.partition("=")
        if key == "lines" and value:
            continue
        form = f"{key}=N" if equals and _is_size(value) else word
        if key == "frames" and equals:
            _check_frames(value)
            continue
        if form not in KNOWN or word.endswith("=N"):
            raise Problem(
                0,
                f"nothing is recorded, because FETTLE has the word {word!r}; it may hold"
                f" {', '.join(KNOWN)}.",
            )


def _check_frames(text: str) -> None:
    try:
        frames.read(text)
    except Problem as problem:
        sentence = problem.sentence.replace("--frames", "the word frames= in FETTLE")
        raise Problem(0, f"nothing is recorded: {sentence}") from None


def _implied(words: list[str]) -> list[str]:
    """With calls the memory has call paths."""
    if "calls" not in words or not {"mem", "mem=sample"} & {*words}:
        return []
    has_frames = any(word.startswith("frames=") for word in words)
    return [] if has_frames else [f"frames={frames.WITH_CALLS}"]


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0


def _output() -> str:
    named = os.environ.get("FETTLE_OUT")
    if named:
        path = os.path.abspath(named)
        if os.path.isdir(output.parts_of(path)):
            return path
        return _claim(path)
    name = invocation.parse(sys.orig_argv).name()
    path = os.path.abspath(name + ".fettle")
    if output.living(output.parts_of(path)):
        path = os.path.abspath(f"{name}.{os.getpid()}.fettle")
    return _claim(path)


def _claim(path: str) -> str:
    try:
        claimed = output.claim(path, locked=False)
    except Problem as problem:
        if not os.path.isdir(output.parts_of(path)):
            sentence = problem.sentence.replace("with -o", "with FETTLE_OUT")
            raise Problem(0, sentence) from None
        return path  # somebody was quicker: join
    from fettle import _core

    profile = _core.Profile()
    for key, value in properties.gather(sys.orig_argv, os.environ["FETTLE"]).items():
        profile.set_meta(key, value)
    try:
        profile.begin(claimed.fd)
    except OSError as error:
        claimed.discard()
        raise Problem(0, f"nothing is recorded: cannot write {path}: {error.strerror}.") from None
    os.close(claimed.fd)
    return claimed.path


def _say(sentence: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"fettle: {sentence}\n")
        sys.stderr.flush()
