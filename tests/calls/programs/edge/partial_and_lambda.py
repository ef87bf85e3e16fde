# SPDX-License-Identifier: Apache-2.0
"""functools.partial is a C type: the function is called by whoever calls the partial.

expect power 4
expect <lambda> 3
edge <module> -> power 2
edge <lambda> -> power 2
edge user -> <lambda> 3
expect user 1
"""

from functools import partial


def power(base, exponent):
    return base**exponent


def user(square, functions):
    print([function() for function in functions] and [f() for f in ()], square)


square = partial(power, exponent=2)
cube = partial(partial(power), exponent=3)
print(square(3), cube(2))


def each(functions):
    for function in functions:
        function()


user = lambda_user = None


def user(*functions):
    for function in functions:
        function()


user(lambda: square(4), lambda: cube(4), lambda: None)
