# SPDX-License-Identifier: Apache-2.0
"""Another tool disables events by returning DISABLE, and restarts them: ours stay on.

needs[3.12+]
expect watched 40
expect <built-in method math.sqrt> 40
edge watched -> <built-in method math.sqrt> 40
"""

import math
import sys


def watched():
    return math.sqrt(4)


def start(*_):
    counts["start"] += 1
    return sys.monitoring.DISABLE


def call(*_):
    counts["call"] += 1
    return sys.monitoring.DISABLE


counts = {"start": 0, "call": 0}
monitoring = sys.monitoring
tool = next(t for t in (4, 3, 5) if monitoring.get_tool(t) is None)
monitoring.use_tool_id(tool, "disabler")
events = monitoring.events
monitoring.register_callback(tool, events.PY_START, start)
monitoring.register_callback(tool, events.CALL, call)
for _ in range(10):
    watched()
monitoring.set_local_events(tool, watched.__code__, events.PY_START | events.CALL)
for _ in range(10):
    watched()
monitoring.restart_events()
for _ in range(10):
    watched()
monitoring.set_local_events(tool, watched.__code__, 0)
monitoring.free_tool_id(tool)
for _ in range(10):
    watched()
print(counts)
