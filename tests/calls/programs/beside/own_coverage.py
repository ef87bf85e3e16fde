# SPDX-License-Identifier: Apache-2.0
"""The program measures its own coverage.

package coverage
expect before 10
expect covered 4
edge <module> -> covered 4
"""

import coverage


def before():
    pass


def covered(n):
    if n % 2:
        return 1
    return 0


for _ in range(10):
    before()
measure = coverage.Coverage(data_file=None, include=[__file__])
measure.start()
for n in range(4):
    covered(n)
measure.stop()
print(sorted(measure.get_data().lines(__file__)))
