# SPDX-License-Identifier: Apache-2.0
"""The examples in the docstrings; and that nothing loads IPython but who runs in it."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import fettle.notebook
import pytest

MODULES = [each.name for each in pkgutil.iter_modules(fettle.notebook.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name == "awaiting":
        pytest.importorskip("IPython")
    failed, _ = doctest.testmod(importlib.import_module(f"fettle.notebook.{name}"))
    assert failed == 0


def test_importing_loads_no_ipython() -> None:
    text = "import sys, fettle; fettle.load_ipython_extension; print('IPython' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
