# SPDX-License-Identifier: Apache-2.0
"""%fdis and %%fdis."""

import contextlib
import io

import fettle

from .conftest import Shell


def printed(shell: Shell, name: str, **options: object) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        fettle.dis(shell.names[name], **options)  # type: ignore[arg-type]
    return stream.getvalue()


def test_a_function_of_a_cell_with_its_source(shell: Shell) -> None:
    shell.good("def f(x):\n    return x + 1\ndef g(x):\n    return x + 2")
    text = shell.good("%fdis --source f").text
    assert text == printed(shell, "f", source=True)
    assert "return x + 1" in text
    assert shell.good("%fdis --vs g f").text == printed(shell, "f", vs=shell.names["g"])


def test_a_cell_that_is_not_run(shell: Shell) -> None:
    text = shell.good("%%fdis --source\nhere = 3").text
    assert "here = 3" in text and "STORE_NAME" in text
    assert "here" not in shell.names


def test_with_the_counts_of_a_recording(shell: Shell) -> None:
    shell.good("def f(n):\n    for i in range(n):\n        pass")
    shell.good("recording = %frun -r -q -l f f(5)")
    assert "6" in shell.good("%fdis --counts recording f").text


def test_what_there_is_not(shell: Shell) -> None:
    for cell in ("%fdis", "%fdis nowhere", "%fdis 3", "%fdis --counts nofile f", "%%fdis f\n1"):
        text = shell.run(cell).text
        assert text.startswith("UsageError: ") and len(text.strip().splitlines()) == 1, text
        assert not text.strip().endswith(".."), text
