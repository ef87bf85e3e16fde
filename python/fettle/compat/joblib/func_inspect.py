# SPDX-License-Identifier: Apache-2.0
"""What a function is called, where its text is, and what it is called with.

Names, texts and bound arguments are joblib's: they are the folders and the keys of its caches.
"""

import inspect
import os
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from tokenize import open as open_source
from typing import Any, NamedTuple
from warnings import warn

from .hashing import hash
from .logger import pformat

__all__ = [
    "filter_args",
    "format_call",
    "format_signature",
    "get_func_code",
    "get_func_name",
]

Function = Callable[..., Any]

_DOCTEST = re.compile(r"<doctest (.*\.rst)\[(.*)\]>")
_SHOWN_MOST, _SHOWN = 1500, 700  # an argument that takes more characters is shown so far
_LINE = 80


# ---- texts and names ----


def get_func_code(func: Function) -> tuple[str, str | None, int]:
    """The text of a function, the file it is from, and the line there that it begins at.

    It is read from the file anew. A function without a text has a digest of what it does, a
    callable that is no function its repr(), and both the line -1. Where a text has several lambdas,
    such a digest of the one that is meant follows it.
    """
    code = getattr(func, "__code__", None)
    path = getattr(code, "co_filename", None)
    try:
        text, path, line = _source(func, path)
        if func.__code__.co_name == "<lambda>" and text.count("lambda") > 1:
            text += f"# code: {hash(_meaning(code))}\n"
        return text, path, line
    except Exception:  # whatever a text that is not there, or not Python, may lead to
        return (repr(func) if code is None else str(hash(_meaning(code)))), path, -1


def _source(func: Any, path: Any) -> tuple[str, str, int]:
    if os.path.exists(path):
        first = func.__code__.co_firstlineno
        with open_source(path) as file:
            return "".join(inspect.getblock(list(islice(file, first - 1, None)))), path, first
    if path == "<string>":  # whatever exec() made has that name: the text would be another one's
        raise OSError("there is no text")
    text, line = "".join(inspect.getsourcelines(func)[0]), 1  # typed in, or of a doctest
    if path.startswith("<doctest "):
        matched = _DOCTEST.match(path)
        assert matched is not None
        path, line = f"<doctest {matched[1]}>", int(matched[2])
    return text, path, line


def _meaning(code: Any) -> Any:
    """What a code object does, without where it is from: the same in every process."""
    if not isinstance(code, types.CodeType):
        return set(code) if isinstance(code, frozenset) else code
    return [
        (code.co_code, code.co_exceptiontable, code.co_flags),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars),
        [_meaning(each) for each in code.co_consts],
    ]


def get_func_name(
    func: Function, resolv_alias: bool = True, win_characters: bool = True
) -> tuple[list[str], str]:
    """The modules (and classes and functions) that lead to a function, and its name.

    Those of __main__ have the path of its file in their module. The two switches are joblib's:
    what they are for is not there in Python 3 on Linux.
    """
    module = _module(func)
    if module == "__main__":
        path = _main_path(func)
        if path is not None:
            module += "-" + path.removesuffix(".py")
    modules = module.split(".")
    name = getattr(func, "__name__", "unknown")
    qualified = getattr(func, "__qualname__", name)
    if qualified != name:
        modules += qualified.split(".")[:-1]
    return modules, name


def _module(func: Any) -> str:
    if hasattr(func, "__module__"):
        return func.__module__ or ""  # a doctest's function may have none
    return str(type(func).__module__)


def _main_path(func: Any) -> str | None:
    """The path of the file of __main__ as part of a folder's name."""
    try:
        path = inspect.getsourcefile(func)
        parts = os.path.abspath(path or "").split(os.sep) if path else []
    except Exception:
        return None
    if not parts:
        return None
    # A cell of a notebook: without the cell's number, and without the session's.
    if parts[-1].startswith("<ipython-input"):
        pieces = parts[-1].split("-")
        parts[-1] = "-".join(pieces[:2] + pieces[3:])
    elif len(parts) > 2 and parts[-2].startswith("ipykernel_"):
        parts[-2] = "ipykernel"
    return "-".join(parts)


# ---- arguments ----


class _Parameters(NamedTuple):
    """What a function can be called with."""

    positional: tuple[str, ...]  # by position, self of a bound method too
    keyword: tuple[str, ...]  # by keyword only
    nameless: frozenset[str]  # of positional: by position only
    defaults: Mapping[str, Any]
    varargs: bool
    varkw: bool


def _parameters(func: Any) -> _Parameters:
    function = getattr(func, "__func__", func)
    if type(function).__name__ == "function" and not (
        hasattr(function, "__wrapped__") or hasattr(function, "__signature__")
    ):
        return _of_code(function)
    return _of_signature(func)


def _of_code(function: Any) -> _Parameters:
    code = function.__code__
    count, only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    positional = names[:count]
    defaults = dict(function.__kwdefaults__ or ())
    values = function.__defaults__
    if values:
        defaults.update(zip(positional[-len(values) :], values, strict=True))
    return _Parameters(
        positional,
        names[count : count + only],
        frozenset(names[: code.co_posonlyargcount]),
        defaults,
        bool(code.co_flags & inspect.CO_VARARGS),
        bool(code.co_flags & inspect.CO_VARKEYWORDS),
    )


def _of_signature(func: Any) -> _Parameters:
    parameters = list(inspect.signature(func).parameters.values())
    kinds: dict[Any, list[str]] = {}
    for each in parameters:
        kinds.setdefault(each.kind, []).append(each.name)
    nameless = kinds.get(inspect.Parameter.POSITIONAL_ONLY, [])
    positional = [*nameless, *kinds.get(inspect.Parameter.POSITIONAL_OR_KEYWORD, [])]
    if inspect.ismethod(func):
        first = next(iter(inspect.signature(func.__func__).parameters))
        positional.insert(0, first)
    return _Parameters(
        tuple(positional),
        tuple(kinds.get(inspect.Parameter.KEYWORD_ONLY, [])),
        frozenset(nameless),
        {each.name: each.default for each in parameters if each.default is not each.empty},
        inspect.Parameter.VAR_POSITIONAL in kinds,
        inspect.Parameter.VAR_KEYWORD in kinds,
    )


def filter_args(
    func: Function,
    ignore_lst: Sequence[str],
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What func would get, by the names of its parameters, without those of ignore_lst.

    Further arguments are under "*", further keywords under "**", and so is everything for a
    callable that is no Python function. ValueError for a call that lacks an argument or passes one
    by position that must not be, and for a name to ignore that func does not have.

    >>> filter_args(lambda a, b=2, *more, **named: None, ["b"], (1,), {"c": 3})
    {'a': 1, '**': {'c': 3}, '*': []}
    """
    given, named = list(args), dict(kwargs or ())
    if isinstance(ignore_lst, str):
        raise ValueError(f"what to ignore must be a list of names, not {ignore_lst!r}")
    if not inspect.isfunction(func) and not inspect.ismethod(func):
        if ignore_lst:
            warn(f"Cannot inspect {func}: what is to be ignored is not.", stacklevel=2)
        return {"*": given, "**": named}
    parameters = _parameters(func)
    if inspect.ismethod(func):
        given.insert(0, func.__self__)
    bound = _bound(func, parameters, given, named)
    for name in ignore_lst:
        if name not in bound:
            raise ValueError(
                f"Ignore list: argument {name!r} is not defined for function {_shape(func)}"
            )
        del bound[name]
    return bound


def _bound(
    func: Function, parameters: _Parameters, given: list[Any], named: dict[str, Any]
) -> dict[str, Any]:
    names = parameters.positional
    bound = dict(zip(names, given, strict=False))
    further = given[len(names) :]
    if further and parameters.keyword and not parameters.varargs:
        raise ValueError(
            f"Keyword-only parameter {parameters.keyword[0]!r} was passed as positional parameter "
            f"for {_shape(func)}: {_call(func, given, named)} was called."
        )
    for name in (*names[len(bound) :], *parameters.keyword):
        if name in named and name not in parameters.nameless:
            bound[name] = named[name]
        elif name in parameters.defaults:
            bound[name] = parameters.defaults[name]
        else:
            raise ValueError(
                f"Wrong number of arguments for {_shape(func)}: "
                f"{_call(func, given, named)} was called."
            )
    # What is left: for **, or an error that the function itself raises when it is called so.
    taken = {*names[len(given) :], *parameters.keyword} - parameters.nameless
    left = {name: named[name] for name in sorted(named) if name not in taken}
    if left and not parameters.varkw:
        raise TypeError(f"{get_func_name(func)[1]}() got an unexpected argument {min(left)!r}")
    if parameters.varkw:
        bound["**"] = left
    if parameters.varargs or further:
        bound["*"] = further
    return bound


# ---- as text ----


def _shape(func: Function) -> str:
    return f"{get_func_name(func)[1]}{inspect.signature(func)}"


def _call(func: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{get_func_name(func)[1]}({', '.join(shown)})"


def _argument(value: Any) -> str:
    shown = pformat(value, indent=2)
    return shown if len(shown) <= _SHOWN_MOST else shown[:_SHOWN] + "..."


def format_signature(func: Function, *args: Any, **kwargs: Any) -> tuple[str, str]:
    """A function's whole name, and the call with these arguments as text."""
    modules, name = get_func_name(func)
    shown: list[str] = []
    long = False
    for value in args:
        text = _argument(value)
        if long:
            text = "\n" + text
        long = len(text) > _LINE
        shown.append(text)
    shown += [f"{key}={_argument(value)}" for key, value in kwargs.items()]
    return ".".join([*filter(None, modules), name]), f"{name}({', '.join(shown)})"


def format_call(
    func: Function,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    object_name: str = "Memory",
) -> str:
    """What is printed before a function is called."""
    path, signature = format_signature(func, *args, **kwargs)
    return f"{'_' * _LINE}\n[{object_name}] Calling {path}...\n{signature}"
