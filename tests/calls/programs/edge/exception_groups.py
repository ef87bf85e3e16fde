# SPDX-License-Identifier: Apache-2.0
"""except* splits a group by C code; the handlers' functions are called by the function itself.

expect handle 3
expect attempt 1
edge attempt -> handle 3
"""


def handle(group):
    print(len(group.exceptions))


def attempt():
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2), KeyError(3), OSError(4)])
    except* ValueError as group:
        handle(group)
    except* KeyError as group:
        handle(group)
    except* OSError as group:
        handle(group)


attempt()
