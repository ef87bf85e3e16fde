# SPDX-License-Identifier: Apache-2.0
"""The program takes every monitoring tool id that is free, uses one, and gives them back.

needs[3.12+]
expect before 10
expect watched 20
edge <module> -> watched 20
"""

import sys


def before():
    pass


def watched():
    pass


def start(code, offset):
    if code is watched.__code__:
        seen.append(offset)


for _ in range(10):
    before()
monitoring = sys.monitoring
taken = []
for tool in range(6):
    if monitoring.get_tool(tool) is None:
        monitoring.use_tool_id(tool, "greedy")
        taken.append(tool)
print(len(taken) >= 5)
seen = []
tool = taken[0]
monitoring.register_callback(tool, monitoring.events.PY_START, start)
monitoring.set_events(tool, monitoring.events.PY_START)
for _ in range(10):
    watched()
monitoring.set_events(tool, 0)
for tool in taken:
    monitoring.free_tool_id(tool)
for _ in range(10):
    watched()
print(len(seen))
