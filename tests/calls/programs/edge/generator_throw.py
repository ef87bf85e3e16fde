# SPDX-License-Identifier: Apache-2.0
"""throw() resumes: once caught and answered by another value, once caught by nobody.

expect patient 4
edge <method 'throw' of 'generator' objects> -> patient 2
expect <method 'throw' of 'generator' objects> 2
expect <built-in method builtins.next> 2
edge <built-in method builtins.next> -> patient 2
"""


def patient():
    try:
        yield 1
    except KeyError:
        yield 2
    yield 3


generator = patient()
print(next(generator), generator.throw(KeyError("k")), next(generator))
try:
    generator.throw(ValueError("v"))
except ValueError as error:
    print(repr(error))
