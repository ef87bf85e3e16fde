# SPDX-License-Identifier: Apache-2.0
"""A program that is run in this process: found, compiled, and put in the place of `__main__`.

What the program sees of itself is what plain `python` would have shown it.
"""

import builtins
import io
import os
import sys
from importlib.machinery import SourceFileLoader, SourcelessFileLoader

from fettle.problem import USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType
    from typing import Any


class Program:
    """The code of a main module; folder: what sys.path begins with, or None to leave it."""

    __slots__ = ("argument", "code", "folder", "names")

    def __init__(
        self, code: "CodeType", argument: str, folder: str | None, names: "dict[str, Any]"
    ) -> None:
        self.code = code
        self.argument = argument  # sys.argv[0]
        self.folder = folder
        self.names = names  # what its module has before its first line


def of_script(path: str) -> Program:
    """A script, compiled or not, or a folder or zip file with a `__main__`. Raises Problem, and
    SyntaxError."""
    full = os.path.join(os.getcwd(), path)
    try:
        spec = _main_within(full)
        if spec is not None:
            return Program(_code(spec.loader, "__main__", path), path, full, _names_by(spec))
        if path.endswith(".pyc"):
            loader: SourceFileLoader | SourcelessFileLoader = SourcelessFileLoader("__main__", full)
            code = _code(loader, "__main__", path)
        else:
            loader = SourceFileLoader("__main__", full)
            with io.open_code(full) as stream:
                code = compile(stream.read(), full, "exec", dont_inherit=True)
    except (OSError, ImportError, EOFError) as error:
        raise Problem(
            USAGE, f"cannot run {path}: {reason(error)}; check the name and the folder."
        ) from None
    folder = None if sys.flags.safe_path else os.path.dirname(os.path.realpath(full))
    return Program(code, path, folder, _names(full, None, loader, None))


def of_module(name: str) -> Program:
    """A module, or a package with a `__main__`. Raises Problem, SyntaxError, and what its packages
    raise while they are imported."""
    from importlib.util import find_spec

    if name.endswith(".py") and os.path.exists(name):
        raise Problem(USAGE, f"{name} is a script, not the name of a module; leave out -m.")
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{name}.__main__")
    except (ImportError, ValueError) as error:
        raise Problem(
            USAGE, f"cannot run the module {name}: {reason(error)}; check the name and sys.path."
        ) from None
    if spec is None:
        raise Problem(
            USAGE, f"there is no module {name} that can be run; check the name and the folder."
        )
    return Program(_code(spec.loader, spec.name, name), spec.origin or name, None, _names_by(spec))


def become_main(program: Program, arguments: list[str]) -> "dict[str, Any]":
    """The program's module is `__main__` from now on; gives its namespace, to execute the code in.

    arguments: sys.argv's; the first is what the user called the program.
    """
    module = type(sys)("__main__")
    before = vars(sys.modules["__main__"])
    if "__annotations__" in before:  # 3.14 has done without
        module.__annotations__ = {}
    vars(module).update(program.names, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv[:] = [program.argument, *arguments[1:]]
    if program.folder is not None:
        if sys.flags.safe_path:
            sys.path.insert(0, program.folder)
        else:
            sys.path[0] = program.folder
    return vars(module)


def _main_within(path: str) -> "ModuleSpec | None":
    """The `__main__` of a folder or zip file; None if path is neither."""
    for hook in sys.path_hooks:
        try:
            finder = hook(path)
        except ImportError:
            continue
        spec = finder.find_spec("__main__")
        if spec is None:
            raise ImportError("it has no __main__.py")
        return spec
    return None


def _code(loader: object, module: str, shown: str) -> "CodeType":
    get_code = getattr(loader, "get_code", None)
    code: CodeType | None = None if get_code is None else get_code(module)
    if code is None:
        raise Problem(USAGE, f"{shown} is not written in Python; name another module.")
    return code


def _names_by(spec: "ModuleSpec") -> "dict[str, Any]":
    return _names(spec.origin, spec.cached, spec.loader, spec)


def _names(
    file: str | None, cached: str | None, loader: object, spec: "ModuleSpec | None"
) -> "dict[str, Any]":
    names = {
        "__file__": file,
        "__loader__": loader,
        "__package__": None if spec is None else spec.parent,
        "__spec__": spec,
    }
    if "__cached__" in vars(sys.modules["__main__"]):  # 3.15 has done without
        names["__cached__"] = cached
    return names
