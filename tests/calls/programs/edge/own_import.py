# SPDX-License-Identifier: Apache-2.0
"""A module that imports others: bodies run once, under the import machinery; a failing one too.

expect <module> 1
expect _find_and_load 0
edge <module> -> use 2
"""

import sys
import types

module = types.ModuleType("made_here")
exec("def use(): return 1", vars(module))
sys.modules["made_here"] = module

import made_here  # noqa: E402
from made_here import use  # noqa: E402, F401


def use():
    return made_here.use()


print(use(), use())
try:
    import module_that_is_not_there  # noqa: F401
except ImportError as error:
    print(error)
