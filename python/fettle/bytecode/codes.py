# SPDX-License-Identifier: Apache-2.0
"""The code objects within one another that a module is compiled to, and those that a name or a line
means.
"""

from fnmatch import fnmatchcase
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IS_FUNCTION = 0x1  # CO_OPTIMIZED: its locals are not in a dictionary, as those of classes are
_MODULE = "<module>"


def inner(code: CodeType) -> "Iterator[CodeType]":
    """Those directly in it, in the order of their constants."""
    return (each for each in code.co_consts if isinstance(each, CodeType))


def within(code: CodeType) -> "Iterator[CodeType]":
    """It, and all that it holds, each before what it holds itself.

    >>> [each.co_qualname for each in within(compile("def f():\\n  return lambda: 0", "", "exec"))]
    ['<module>', 'f', 'f.<locals>.<lambda>']
    """
    yield code
    for each in inner(code):
        yield from within(each)


def plain(qualname: str) -> str:
    """A name as people write it.

    >>> plain("f.<locals>.<lambda>")
    'f.<lambda>'
    """
    return qualname.replace("<locals>.", "")


def is_class(code: CodeType) -> bool:
    """The body of a class, which runs once, when it is defined."""
    return not code.co_flags & _IS_FUNCTION and code.co_name != _MODULE


def names(root: CodeType) -> list[str]:
    """What one may ask for: functions and classes.

    >>> names(compile("class C:\\n  def f(self): pass", "", "exec"))
    ['C', 'C.f']
    """
    found = (plain(each.co_qualname) for each in within(root) if each is not root)
    return list(dict.fromkeys(found))


def called(root: CodeType, name: str) -> list[CodeType]:
    """Those of that name, which may be a glob; of a class its methods. Outermost only: what they
    hold comes with them.

    >>> root = compile("class C:\\n  def f(self): pass\\n  def g(self): pass", "", "exec")
    >>> [each.co_name for each in called(root, "C")]
    ['f', 'g']
    """
    wanted = plain(name)
    found: list[CodeType] = []
    for each in _outermost(root, lambda code: fnmatchcase(plain(code.co_qualname), wanted)):
        found += _methods(each) if is_class(each) else [each]
    return found


def _methods(body: CodeType) -> "Iterator[CodeType]":
    for each in inner(body):
        if is_class(each):
            yield from _methods(each)
        else:
            yield each


def at_line(root: CodeType, line: int) -> list[CodeType]:
    """Those that begin at that line, else the innermost ones that have instructions of it.

    >>> root = compile("def f():\\n  x = 1\\n  return lambda: x", "", "exec")
    >>> [[each.co_name for each in at_line(root, line)] for line in (1, 2, 3, 4)]
    [['f'], ['f'], ['<lambda>'], []]
    """
    starts = _outermost(
        root, lambda code: code is not root and code.co_firstlineno == line and not is_class(code)
    )
    return list(starts) or _innermost(root, line)


def _outermost(root: CodeType, is_wanted: "_Test") -> "Iterator[CodeType]":
    if is_wanted(root):
        yield root
        return
    for each in inner(root):
        yield from _outermost(each, is_wanted)


def _innermost(code: CodeType, line: int) -> list[CodeType]:
    found = [deeper for each in inner(code) for deeper in _innermost(each, line)]
    if found or not any(each[2] == line for each in code.co_lines()):
        return found
    return [code]


def roots(codes: "Iterable[CodeType]") -> list[CodeType]:
    """Those that are in no other of them."""
    given = list({id(each): each for each in codes}.values())
    held = {id(each) for code in given for each in within(code) if each is not code}
    return [each for each in given if id(each) not in held]


if TYPE_CHECKING:
    from collections.abc import Callable

    _Test = Callable[[CodeType], bool]
