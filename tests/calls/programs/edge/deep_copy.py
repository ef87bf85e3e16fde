# SPDX-License-Identifier: Apache-2.0
"""copy.deepcopy, with __deepcopy__ and __reduce__ of our own, over shared and cyclic structures.

expect __deepcopy__ 2
expect __reduce__ 1
expect rebuild 1
expect <module> 1
"""

import copy


class Own:
    def __deepcopy__(self, memo):
        return Own()


def rebuild(n):
    return Reduced()


class Reduced:
    def __reduce__(self):
        return rebuild, (1,)


cycle = [1, (2, [3])]
cycle.append(cycle)
own = Own()
print(len(copy.deepcopy({"a": own, "b": own, "c": [Own(), Reduced()], "d": cycle})))
