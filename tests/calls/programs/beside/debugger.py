# SPDX-License-Identifier: Apache-2.0
"""The program runs a piece of itself under pdb, with commands from a file.

expect before 10
expect debugged 1
expect step 5
edge debugged -> step 5
"""

import io
import pdb


def before():
    pass


def step():
    pass


def debugged():
    for _ in range(5):
        step()
    return 5


for _ in range(10):
    before()
commands = io.StringIO("step\nnext\nwhere\nbreak step\ncontinue\nclear 1\ncontinue\n")
debugger = pdb.Pdb(stdin=commands, stdout=io.StringIO(), nosigint=True, readrc=False)
debugger.use_rawinput = False
print(debugger.runcall(debugged))
