# SPDX-License-Identifier: Apache-2.0
"""Classes with cached methods, one for each place where an instance has their results."""

from typing import Any

import fettle
import pytest

CALLS: list[Any] = []  # what was computed, since the test began (conftest.py)


class Plain:
    def __init__(self, name: str = "plain") -> None:
        self.name = name

    @fettle.cache
    def method(self, x: int = 0, *, y: int = 0) -> tuple[Any, ...]:
        """What it says."""
        CALLS.append((self.name, x, y))
        return (self.name, x, y)

    @fettle.cache(maxsize=2, policy="lru")
    def other(self, x: int) -> list[int]:
        CALLS.append(x)
        return [x]

    @fettle.cache
    def me(self) -> "Plain":
        CALLS.append("me")
        return self

    @classmethod
    @fettle.cache
    def inner_class(cls, x: int) -> tuple[type, int]:
        CALLS.append((cls, x))
        return cls, x

    @fettle.cache
    @classmethod
    def outer_class(cls, x: int) -> tuple[type, int]:
        CALLS.append((cls, x))
        return cls, x

    @staticmethod
    @fettle.cache
    def inner_static(x: int) -> int:
        CALLS.append(x)
        return x

    @fettle.cache
    @staticmethod
    def outer_static(x: int) -> int:
        CALLS.append(x)
        return x

    @property
    @fettle.cache
    def inner_property(self) -> list[str]:
        """What it is."""
        CALLS.append("property")
        return [self.name]

    @fettle.cache
    @property
    def outer_property(self) -> list[str]:
        """What it is."""
        CALLS.append("property")
        return [self.name]

    @fettle.cache(maxsize=None, typed=True)
    @property
    def settable(self) -> str:
        return self.name

    @settable.setter
    def settable(self, value: str) -> None:
        self.name = value


class Child(Plain):
    @fettle.cache
    def method(self, x: int = 0, *, y: int = 0) -> tuple[Any, ...]:
        return ("child", *super().method(x, y=y))


class Slotted:
    __slots__ = ("__fettle__", "name")

    def __init__(self, name: str = "slotted") -> None:
        self.name = name

    @fettle.cache
    def method(self, x: int = 0) -> tuple[str, int]:
        CALLS.append((self.name, x))
        return (self.name, x)

    @fettle.cache
    def me(self) -> "Slotted":
        return self


class SlottedChild(Slotted):
    __slots__ = ("more",)


class DictChild(Slotted):
    pass


class SlottedAndDict:
    __slots__ = ("__dict__", "__fettle__", "__weakref__", "name")

    def __init__(self, name: str = "both") -> None:
        self.name = name

    method = fettle.cache(lambda self, x=0: x)

    @fettle.cache
    def method(self, x: int = 0) -> tuple[str, int]:  # type: ignore[no-redef] # noqa: F811
        CALLS.append((self.name, x))
        return (self.name, x)


EVERY = [Plain, Child, Slotted, SlottedChild, DictChild, SlottedAndDict]
KINDS = pytest.mark.parametrize("kind", [Plain, Slotted, SlottedChild, DictChild, SlottedAndDict])
