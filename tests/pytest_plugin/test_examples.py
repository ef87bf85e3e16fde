# SPDX-License-Identifier: Apache-2.0
"""The examples in the plugin's docstrings."""

import doctest
import pkgutil
from importlib import import_module

import fettle.testing
import pytest

MODULES = [each.name for each in pkgutil.iter_modules(fettle.testing.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = import_module(f"fettle.testing.{name}")
    assert doctest.testmod(module, verbose=False).failed == 0
