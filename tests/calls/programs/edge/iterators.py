# SPDX-License-Identifier: Apache-2.0
"""Iterator protocol in Python: __iter__ once, __next__ once per value and once for the end.

expect __iter__ 4
expect __next__ 16
expect __reversed__ 1
edge <module> -> __next__ 8
edge <built-in method builtins.sum> -> __next__ 4
edge <built-in method builtins.next> -> __next__ 0
edge <built-in method builtins.max> -> __next__ 4
"""


class Three:
    def __iter__(self):
        self.left = 3
        return self

    def __next__(self):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left

    def __reversed__(self):
        return "reversed"


for i in Three():
    print(i)
a, b, c = Three()
print(a, b, c, sum(Three()), max(Three()), list(reversed(Three())))
