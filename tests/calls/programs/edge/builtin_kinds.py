# SPDX-License-Identifier: Apache-2.0
"""C functions of every calling convention, a class method and a static method among them.

expect <module> 1
edge <module> -> <built-in method builtins.len> 3
edge <module> -> <built-in method builtins.isinstance> 2
edge <module> -> <built-in method fromkeys> 2
edge[3.11-3.14] <module> -> <built-in method maketrans> 1
edge[3.15+] <module> -> <built-in method builtins.maketrans> 1
edge <module> -> <built-in method math.hypot> 1
edge <module> -> <built-in method time.time> 1
edge <module> -> <built-in method builtins.divmod> 1
edge <module> -> <method 'split' of 'str' objects> 2
edge <module> -> <method 'items' of 'dict' objects> 1
edge <module> -> <built-in method sys.intern> 1
"""

import math
import sys
import time

print(len([]), len("a"), len({}), isinstance(1, int), isinstance(1, (str, int)))
print(dict.fromkeys("ab"), {}.fromkeys("a"), str.maketrans("a", "b"), math.hypot(3, 4))
print(time.time() > 0, divmod(7, 2), "a b".split(), "a,b".split(sep=","), {}.items())
print(sys.intern("word"))
