# SPDX-License-Identifier: Apache-2.0
"""The line of a magic: options first, then Python, which is kept to the letter.

The options are read as those of fettle's commands are; what follows the first word that is none has
quotes and blanks of its own.
"""

import re

from fettle import options
from fettle.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Never

_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")


class Arguments(options.Parsed):
    """Values by key, and `rest`: the Python behind them."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        super().__init__()
        self.rest = ""

    def has(self, key: str) -> bool:
        return key in self.values


def parse(magic: str, table: list[options.Option], line: str) -> Arguments:
    """Reads line. Problem for an option that there is not; options.HelpWanted for --help.

    >>> table = [options.Option("-n --rows", "rows", "N"), options.Option("-q --quiet", "nothing")]
    >>> found = parse("%frun", table, "-n 3 f('a  b')  # why")
    >>> found.values, found.rest
    ({'rows': '3'}, "f('a  b')  # why")
    >>> parse("%frun", table, "-- -x").rest
    '-x'
    """
    found = [(match.start(), match.group()) for match in _WORD.finditer(line)]
    words = [_unquoted(word) if word.startswith(("-", '"', "'")) else word for _, word in found]
    read = options.parse(magic, table, words, program="")
    arguments = Arguments()
    arguments.values, arguments.given, arguments.words = read.values, read.given, read.words
    first = len(words) - len(read.words)
    arguments.rest = line[found[first][0] :].strip() if first < len(found) else ""
    return arguments


def _unquoted(word: str) -> str:
    return _QUOTED.sub(lambda match: match[1] if match[1] is not None else match[2], word)


def seconds(arguments: Arguments, key: str, default: float) -> float:
    """A number above 0.

    >>> seconds(Arguments(), "budget", 5.0)
    5.0
    """
    text = arguments.values.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise Problem(2, f"--{key} needs a number above 0, not {text!r}.")
    return value


def sentence(error: Exception) -> str:
    """What an exception says, with one full stop.

    >>> sentence(ValueError("frames is about memory")), sentence(ValueError("Done."))
    ('frames is about memory.', 'Done.')
    """
    return f"{str(error).removesuffix('.')}."


def refuse(problem: Problem) -> "Never":
    """Says what is wrong as IPython says it of its own magics: no traceback."""
    from IPython.core.error import UsageError

    raise UsageError(problem.sentence) from None
