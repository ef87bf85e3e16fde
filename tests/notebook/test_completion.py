# SPDX-License-Identifier: Apache-2.0
"""What Tab offers, asked as the terminal and the notebook ask."""

import pytest

from .conftest import Shell


def offered(shell: Shell, line: str) -> list[str]:
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = [each.text for each in shell.ip.Completer.completions(line, len(line))]
    _, older = shell.ip.complete(None, line, len(line))
    assert set(found) & set(older) or not found
    return list(older)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("%frun --li", ["--lines"]),
        ("%frun -s cum", ["cumtime", "cumulative"]),
        ("%frun -q -l doub", ["double"]),
        ("%%frun --m", ["--mem"]),
        ("%%fmem -s al", ["alive"]),
        ("%ftime --pre", ["--precision"]),
        ("%fdis --so", ["--source"]),
        ("%fettle ta", ["takeover"]),
    ],
)
def test_options_and_their_values(shell: Shell, line: str, wanted: list[str]) -> None:
    shell.good("def double(n): return n + n\ndoubt = 3")
    assert offered(shell, line) == wanted


def test_the_rest_is_python(shell: Shell) -> None:
    shell.good("def double(n): return n + n")
    assert "double" in " ".join(offered(shell, "%frun doub"))
    shell.good("words = ['a']")
    assert any("append" in each for each in offered(shell, "%frun words.app"))
