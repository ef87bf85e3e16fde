# SPDX-License-Identifier: Apache-2.0
"""Attribute access that calls: properties, descriptors, __getattribute__, __setattr__.

expect size 3
expect set_size 2
expect __get__ 4
expect __set__ 1
expect __getattribute__ 1
expect __setattr__ 1
edge <module> -> size 3
edge <module> -> __get__ 4
"""


class Sized:
    def size(self):
        return 1

    def set_size(self, value):
        pass

    size_property = property(size, set_size)


class Descriptor:
    def __get__(self, instance, owner):
        return 2

    def __set__(self, instance, value):
        pass


class Described:
    value = Descriptor()


class Odd:
    def __getattribute__(self, name):
        return name

    def __setattr__(self, name, value):
        pass


sized, described, odd = Sized(), Described(), Odd()
for _ in range(3):
    print(sized.size_property, described.value)
print(Described.value)
sized.size_property = 1
sized.size_property = 2
described.value = 3
print(odd.name)
odd.name = 4
