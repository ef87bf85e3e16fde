# SPDX-License-Identifier: Apache-2.0
"""__init_subclass__, __set_name__, __class_getitem__, __prepare__ and a metaclass's methods.

expect __init_subclass__ 2
expect __set_name__ 3
expect __class_getitem__ 1
expect __prepare__ 2
expect meta_new 2
expect meta_call 3
expect __instancecheck__ 1
expect __init__ 3
edge meta_call -> __init__ 3
edge <built-in method builtins.__build_class__> -> __prepare__ 2
edge <built-in method builtins.__build_class__> -> meta_new 2
edge <built-in method builtins.isinstance> -> __instancecheck__ 1
"""


class Named:
    def __set_name__(self, owner, name):
        print(name)


class Meta(type):
    @classmethod
    def __prepare__(cls, name, bases):
        return {}

    def meta_new(cls, name, bases, names):
        return super().__new__(cls, name, bases, names)

    def meta_call(cls, *arguments):
        return super().__call__(*arguments)

    def __instancecheck__(cls, instance):
        return True

    __new__ = staticmethod(meta_new)
    __call__ = meta_call


class Base:
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)

    def __class_getitem__(cls, item):
        return cls


class First(Base, metaclass=Meta):
    a = Named()
    b = Named()

    def __init__(self, number):
        self.number = number


class Second(First[int] if False else First):
    c = Named()


Base[int]
print([First(1).number, First(2).number, Second(3).number], isinstance(1, First))
