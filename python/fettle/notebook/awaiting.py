# SPDX-License-Identifier: Apache-2.0
"""Cells of %%frun that await: IPython calls a magic as it calls a function, and a function can not
wait in the event loop it runs in. So the call is awaited, where what it runs awaits itself: the
shell then sees an asynchronous cell, and runs it in its own loop as it does any other.
"""

import ast
import re
from typing import Any

MAGICS = ("frun", "fmem")
_TARGET = r"(?:[A-Za-z_][\w, ]*= *)?"
_CALL = re.compile(
    rf"{_TARGET}(get_ipython\(\)\.run_(?:cell|line)_magic\('(?:{'|'.join(MAGICS)})',)"
)


def with_await(lines: list[str]) -> list[str]:
    """IPython's input transformer.

    >>> with_await(["get_ipython().run_line_magic('frun', 'await f()')\\n"])
    ["await get_ipython().run_line_magic('frun', 'await f()')\\n"]
    >>> with_await(["get_ipython().run_line_magic('frun', 'f()')\\n"])
    ["get_ipython().run_line_magic('frun', 'f()')\\n"]
    """
    return [_line(line) for line in lines]


def _line(line: str) -> str:
    match = _CALL.match(line)
    if match is None or ("await" not in line and "async" not in line):
        return line
    try:
        call: Any = ast.parse(line[match.start(1) :].strip()).body[0]
        texts = [ast.literal_eval(argument) for argument in call.value.args[1:]]
    except (SyntaxError, ValueError, AttributeError, IndexError):
        return line
    if not _awaits(texts[0], texts[1] if len(texts) > 1 else ""):
        return line
    return f"{line[: match.start(1)]}await {line[match.start(1) :]}"


def _awaits(line: str, cell: str) -> bool:
    """Does the Python in a magic's line, or its cell, await outside of functions? The options
    before it are not Python: what is behind each blank is tried."""
    starts = [0, *(at.end() for at in re.finditer(r"\s+", line))] if line else []
    return _is_async(cell) or any(_is_async(line[start:]) for start in starts)


def _is_async(text: str) -> bool:
    """
    >>> _is_async("await f()"), _is_async("async def g(): await f()"), _is_async("-n 3")
    (True, False, False)
    """
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        code = compile(
            TransformerManager().transform_cell(text),
            "<cell>",
            "exec",
            ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            dont_inherit=True,
        )
    except (SyntaxError, ValueError):
        return False
    return bool(code.co_flags & 0x80)
