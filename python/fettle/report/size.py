# SPDX-License-Identifier: Apache-2.0
"""Bytes and counts as people write them: 4.8 MB (of 1000 kB each), 50 000 blocks."""

import re

UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_FORM = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(i?)(b?)", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def amount(count: float) -> str:
    """Bytes in the unit that fits them.

    >>> amount(80), amount(4_800_000), amount(-999_950)
    ('80 B', '4.8 MB', '-1.0 MB')
    """
    sign, left, power = "-" * (count < 0), abs(count), 0
    while power < len(UNITS) - 1 and left >= (999.95 if power else 999.5):
        left /= 1000
        power += 1
    return f"{sign}{left:.{1 if power else 0}f} {UNITS[power]}"


def change(count: float) -> str:
    """Bytes by which something grew.

    >>> change(2_400_000), change(-80), change(0)
    ('+2.4 MB', '-80 B', '0 B')
    """
    return f"{'+' * (count > 0)}{amount(count)}"


def grouped(number: int) -> str:
    """A count in groups of three digits.

    >>> grouped(50000), grouped(-1234567), grouped(999)
    ('50 000', '-1 234 567', '999')
    """
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str, several: str = "") -> str:
    """1 block, 50 000 blocks."""
    return f"{grouped(number)} {noun if number == 1 else several or noun + 's'}"


def read(text: str) -> int | None:
    """The bytes that a text means; None if it means none.

    >>> read("1MB"), read("1.5 kB"), read("2 MiB"), read("800"), read("much")
    (1000000, 1500, 2097152, 800, None)
    """
    found = _FORM.fullmatch(text.strip())
    if not found or (found[3] and not found[2]):
        return None
    base = 1024 if found[3] else 1000
    return round(float(found[1]) * float(base ** _POWERS[found[2].lower()]))
