# SPDX-License-Identifier: Apache-2.0
"""StringEnum: an enumeration whose members are strings, found whatever their case."""

import enum
from typing import Self


class StringEnum(enum.StrEnum):
    """A StrEnum that takes a member's value in any case.

    >>> class Fruit(StringEnum):
    ...     APPLE = enum.auto()
    >>> Fruit("Apple")
    <Fruit.APPLE: 'apple'>
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        folded = value.casefold() if isinstance(value, str) else None
        return next((member for member in cls if member.value.casefold() == folded), None)
