# SPDX-License-Identifier: Apache-2.0
"""The program takes a tool id that another tool holds, and keeps it.

needs[3.12+]
expect before 10
yields after 10
"""

import sys


def before():
    pass


def after():
    pass


for _ in range(10):
    before()
for tool in range(6):
    if sys.monitoring.get_tool(tool) is not None:
        sys.monitoring.free_tool_id(tool)
        sys.monitoring.use_tool_id(tool, "other")
for _ in range(10):
    after()
