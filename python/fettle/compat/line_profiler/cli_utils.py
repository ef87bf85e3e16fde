# SPDX-License-Identifier: Apache-2.0
"""What the command lines of kernprof and of the viewer of .lprof files have in common.

Their switches can be told from switches that were not given, which a configuration file may set:
--switch, --switch=yes, --switch=no, --no-switch, and None without any.
"""

import os
import shutil
import sys
from argparse import SUPPRESS, Action
from collections.abc import Callable
from typing import Any

from .toml_config import ConfigSource

_WORDS = {
    **dict.fromkeys(("1", "on", "true", "t", "yes", "y"), True),
    **dict.fromkeys(("", "0", "off", "false", "f", "no", "n"), False),
}
_METAVAR = "Y[es] | N[o] | T[rue] | F[alse] | on | off | 1 | 0"


def add_argument(
    parser_like: Any,
    arg: str,
    /,
    *args: str,
    hide_complementary_options: bool = True,
    **kwargs: Any,
) -> Action:
    """parser_like.add_argument(), in which "store_true" and "store_false" make a switch as above.

    A switch's short forms take no value, so that they can be joined (-rz); its long form's help
    names them. hide_complementary_options leaves --no-switch out of the help.
    """
    flags = (arg, *args)
    action = kwargs.pop("action", None)
    if action not in ("store_true", "store_false"):
        if action is not None:
            kwargs["action"] = action
        added: Action = parser_like.add_argument(*flags, **kwargs)
        return added
    long = [flag for flag in flags if flag.startswith("--")]
    short = [flag for flag in flags if flag not in long]
    told = {"default": None, "const": action == "store_true", **kwargs}
    if not long:
        return _add_short(parser_like, short, told)
    first = _add_long(parser_like, long, _help_with(short, kwargs.get("help")), told)
    if short:
        _add_short(parser_like, short, {**told, "dest": first.dest, "help": SUPPRESS})
    if told["const"]:
        text = SUPPRESS if hide_complementary_options else f"Negate these flags: {', '.join(flags)}"
        negated = ["--no-" + flag.removeprefix("--") for flag in long]
        _add_long(parser_like, negated, text, {**told, "const": False, "dest": first.dest})
    return first


def _add_short(parser_like: Any, flags: list[str], told: dict[str, Any]) -> Action:
    added: Action = parser_like.add_argument(*flags, action="store_const", **told)
    return added


def _add_long(parser_like: Any, flags: list[str], text: str | None, told: dict[str, Any]) -> Action:
    """A value after the flag says whether it holds: --no-spam=no is --spam."""
    settings = {"nargs": "?", "metavar": _METAVAR, **told, "help": text}
    settings.setdefault("type", _reader(invert=not told["const"]))
    added: Action = parser_like.add_argument(*flags, **settings)
    return added


def _reader(invert: bool) -> Callable[[str], bool]:
    def yes_or_no(word: str) -> bool:  # the name is in argparse's message
        return boolean(word, invert=invert)

    return yes_or_no


def _help_with(short: list[str], text: str | None) -> str | None:
    """The help of a long form that also says what its short forms are."""
    if not short or text == SUPPRESS:
        return text
    forms = f"hort form{'s' if len(short) > 1 else ''}: {', '.join(short)}"
    text = (text or "").strip()
    if text.endswith((")", "]")):
        return f"{text[:-1]}; s{forms}{text[-1]}"
    return f"{text} (S{forms})".strip()


def get_cli_config(
    subtable: str,
    /,
    config: str | os.PathLike[str] | bool | None = None,
    *,
    read_env: bool = True,
) -> ConfigSource:
    """The table tool.line_profiler.SUBTABLE of a configuration file, its keys as Python has them.

    config as in ConfigSource.from_config(): a path, False for the default, None to look for one.
    """
    source = ConfigSource.from_config(config, read_env=read_env).get_subconfig(subtable)
    source.conf_dict = {key.replace("-", "_"): value for key, value in source.conf_dict.items()}
    return source


def get_python_executable() -> str:
    """What to type for this interpreter: python or python3 where that is it, else its path."""
    for name in ("python", "python3"):
        path = shutil.which(name)
        if path and os.path.samefile(path, sys.executable):
            return name
    return short_string_path(sys.executable)


def positive_float(value: str) -> float:
    """For argparse. ValueError for what is not a number above 0."""
    number = float(value)
    if not number > 0:
        raise ValueError(value)
    return number


def boolean(value: str, *, fallback: bool | None = None, invert: bool = False) -> bool:
    """What a word such as "yes" or "OFF" says, or its opposite; fallback or ValueError for others.

    >>> boolean("Yes"), boolean("off"), boolean("off", invert=True), boolean("?", fallback=True)
    (True, False, True, True)
    """
    said = _WORDS.get(value.casefold())
    if said is not None:
        return said != invert
    if fallback is None:
        raise ValueError(f"{value!r} is not one of {', '.join(word for word in _WORDS if word)}")
    return fallback


def short_string_path(path: str | os.PathLike[str]) -> str:
    """A path as it is, absolute, or relative to the folder we are in: whichever is shortest."""
    text = os.fspath(path)
    full = os.path.abspath(text)
    names = [text, full]
    below = os.path.join(os.getcwd(), "")
    if full.startswith(below):
        names.append(full.removeprefix(below))
    return min(names, key=len)
