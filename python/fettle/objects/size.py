# SPDX-License-Identifier: Apache-2.0
"""fettle.sizeof: the bytes that an object takes."""

from fettle import _core


def sizeof(obj: object, *, deep: bool = False) -> int:
    """The bytes of heap that an object takes, as they were asked for from the allocator.

    That is its header and the collector's, its attributes (its __dict__ if it has one by now; none
    is made), its slots, and the items, table or characters that belong to it alone. What instances
    of a class share counts with the class. numpy arrays count their data if they own it.

    deep=True adds all objects that it leads to, each once, but not classes, modules, functions and
    code, nor the names of attributes, nor what the interpreter has anyway (None, small ints, the
    empty tuple).

    A __sizeof__ that is written in Python is not asked, that of a type written in C is; where that
    raises, the object's header alone counts.

    >>> import fettle
    >>> fettle.sizeof([]) < fettle.sizeof([1, 2, 3])
    True
    >>> text = "one text, held twice"
    >>> pair = [text, text]
    >>> fettle.sizeof(pair, deep=True) == fettle.sizeof(pair) + fettle.sizeof(text)
    True
    """
    return _core.sizeof(obj, deep)
