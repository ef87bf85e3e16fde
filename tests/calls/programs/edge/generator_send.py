# SPDX-License-Identifier: Apache-2.0
"""send() resumes too; the value a generator returns arrives in StopIteration.

expect average 4
expect <method 'send' of 'generator' objects> 4
edge <method 'send' of 'generator' objects> -> average 4
"""


def average():
    total = 0
    for _ in range(3):
        total += yield total
    return total


generator = average()
generator.send(None)
generator.send(10)
generator.send(20)
try:
    generator.send(30)
except StopIteration as stop:
    print(stop.value)
