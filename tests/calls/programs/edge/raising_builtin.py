# SPDX-License-Identifier: Apache-2.0
"""C functions that raise are called all the same.

expect <built-in method builtins.ord> 2
expect <method 'index' of 'list' objects> 1
expect <method 'encode' of 'str' objects> 1
expect <built-in method builtins.getattr> 2
"""

for value in ("ab", "a"):
    try:
        print(ord(value))
    except TypeError:
        print("no")
try:
    [].index(1)
except ValueError:
    print("no")
try:
    "\ud800".encode()
except UnicodeEncodeError:
    print("no")
print(getattr(1, "none", None))
try:
    getattr(1, "none")  # noqa: B009
except AttributeError:
    print("no")
