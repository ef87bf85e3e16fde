# SPDX-License-Identifier: Apache-2.0
"""Many short-lived functions, whose code objects may get the addresses of dead ones: each name must
get its own calls.

expect run 300
"""

import gc

gc.disable()


def run(name):
    names = {}
    exec(f"def {name}(): pass", names)
    names[name]()
    names[name]()
    del names


for i in range(300):
    run(f"function_{i}")
