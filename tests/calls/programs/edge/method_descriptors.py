# SPDX-License-Identifier: Apache-2.0
"""One C method called in every way: bound, through its type, through a bound variable, in a loop.

expect <method 'upper' of 'str' objects> 305
expect <method 'append' of 'list' objects> 302
expect loop 1
edge loop -> <method 'upper' of 'str' objects> 300
edge loop -> <method 'append' of 'list' objects> 300
"""


class Text(str):
    pass


def loop(values):
    upper = "a".upper
    for _ in range(100):
        values.append("a".upper())
        values.append(str.upper("a"))
        values.append(upper())


values = []
loop(values)
print("a".upper(), str.upper("b"), Text("c").upper(), super(Text, Text("d")).upper())
bound = "e".upper
print(bound(), len(values))
values.append(1)
append = values.append
append(2)
