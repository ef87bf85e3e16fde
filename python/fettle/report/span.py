# SPDX-License-Identifier: Apache-2.0
"""Times from milliseconds to years, as a person says them, and as a person gives them."""

import re

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_ROUNDS_UP = 0.05
_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|min|h|d|w)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def said(seconds: float) -> str:
    """In the unit that fits.

    >>> said(0.0042), said(59.94), said(59.95), said(3600 * 30), said(-1)
    ('4.2 ms', '59.9 s', '1.0 min', '1.2 d', '0.0 ms')
    """
    seconds = max(seconds, 0.0)
    for size, name in _UNITS:
        smaller = {86400.0: 3600.0, 3600.0: 60.0, 60.0: 1.0, 1.0: 0.001}[size]
        if seconds >= size - _ROUNDS_UP * smaller:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds * 1000:.1f} ms"


def read(text: str) -> float | None:
    """The seconds that a text means; None if it means none.

    >>> read("45s"), read("90m"), read("1.5h"), read("30d"), read("2w"), read("30"), read("-1s")
    (45.0, 5400.0, 5400.0, 2592000.0, 1209600.0, None, None)
    """
    found = _FORM.fullmatch(text.strip())
    return float(found[1]) * _SECONDS[found[2]] if found else None
