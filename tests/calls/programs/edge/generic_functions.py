# SPDX-License-Identifier: Apache-2.0
"""Type parameters make hidden functions: one call for each generic definition or alias's value.

needs[3.12+]
expect <generic parameters of identity> 1
expect <generic parameters of Box> 1
expect <generic parameters of Pair> 1
expect identity 2
expect Box 1
expect Pair 1
edge <module> -> identity 2
edge <generic parameters of Box> -> <built-in method builtins.__build_class__> 1
"""

SOURCE = '''
def identity[T](value: T) -> T:
    return value


class Box[T]:
    pass


type Pair[T] = tuple[T, T]
print(identity(1), identity("a"), Box[int].__name__, Pair.__value__)
'''

exec(compile(SOURCE, __file__, "exec"))
