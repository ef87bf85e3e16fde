# SPDX-License-Identifier: Apache-2.0
"""What belongs to the user's project, so that its code is followed, and what things are called.

Outside are the standard library, what was installed into site-packages or dist-packages, frozen and
built-in modules, and fettle. All else is the project: files anywhere, namespace and editable
packages, __main__, notebooks, what is typed at a prompt. A top-level package that was named as a
root is project wherever it lies.
"""

import os
import sys
import types
from types import CodeType, FunctionType
from typing import Any

_DESCRIPTORS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
MAINS = ("__main__", "__mp_main__")  # the second: in the children of multiprocessing
_STDLIB = os.path.dirname(os.__file__) + os.sep
_INSTALLED = tuple(f"{os.sep}{each}{os.sep}" for each in ("site-packages", "dist-packages"))


def is_outside(path: str) -> bool:
    """A file of the standard library, or one that was installed."""
    return path.startswith((_STDLIB, "<frozen ")) or any(each in path for each in _INSTALLED)


class Project:
    """Which modules are followed; roots are top-level packages that are in any case."""

    def __init__(self, roots: set[str]) -> None:
        self.roots = roots
        self._known: dict[str, bool] = {}

    def add_root(self, module: str) -> None:
        self.roots.add(module.partition(".")[0])
        self._known.clear()

    def has_module(self, name: str) -> bool:
        """A module that is loaded, or the name of one that nobody knows: as of a notebook."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._has(
                name, getattr(sys.modules.get(name), "__dict__", {})
            )
        return found

    def _has(self, name: str, namespace: dict[str, Any]) -> bool:
        top = name.partition(".")[0]
        if top in self.roots or name in MAINS:
            return True
        if top in ("builtins", "fettle"):
            return False
        file = namespace.get("__file__")
        if type(file) is str:
            return not is_outside(file)
        return top not in sys.stdlib_module_names

    def has_function(self, function: FunctionType) -> bool:
        namespace, file = function.__globals__, function.__code__.co_filename
        name = namespace.get("__name__")
        name = name if type(name) is str else ""
        if file.startswith("<") and not file.startswith("<frozen "):
            return self._has(name, namespace)
        top = name.partition(".")[0]
        return top in self.roots or (top != "fettle" and not is_outside(file))

    def has_class(self, kind: type) -> bool:
        name = kind.__module__
        return type(name) is str and self.has_module(name)

    def could_import(self, name: str) -> bool:
        """A module that need not be loaded yet; finding this out loads nothing."""
        top = name.partition(".")[0]
        if top in sys.modules:
            return self.has_module(top)
        from importlib.util import find_spec

        try:
            spec = find_spec(top)
        except (ImportError, ValueError, AttributeError):
            return False
        if spec is None or spec.origin in ("built-in", "frozen"):
            return False
        places = [spec.origin] if spec.has_location else spec.submodule_search_locations or []
        return top in self.roots or not any(is_outside(os.path.join(str(p), "")) for p in places)


def version_of(module: str) -> str:
    """The version that the top-level package of a loaded module gives itself."""
    top = sys.modules.get(module.partition(".")[0])
    found = getattr(top, "__dict__", {}).get("__version__")
    return found if type(found) is str else ""


def name_of(thing: Any) -> tuple[str, str]:
    """(module, qualified name) of a function, a class or what else has a name; else its type's."""
    for each in (thing, type(thing)):
        name = _attribute(each, "__qualname__") or _attribute(each, "__name__")
        if name:
            module = _attribute(each, "__module__")
            if not module and type(each) in _DESCRIPTORS:
                module = _attribute(each.__objclass__, "__module__")
            return module, name
    return "", "?"


def _attribute(thing: Any, name: str) -> str:
    """A string that it has by this name, or ""; of whatever odd object."""
    try:
        found = getattr(thing, name, None)
    except Exception:
        return ""
    return found if type(found) is str else ""


def wrapped_by(thing: Any) -> Any:
    """What a decorated callable calls, by the custom of __wrapped__; None: nothing."""
    if isinstance(thing, type) or not callable(thing):
        return None
    try:
        found = thing.__wrapped__
    except Exception:
        return None
    return found if callable(found) else None


def readable_name(thing: Any) -> str:
    """module.qualname, with the script or the kind of prompt in place of __main__."""
    module, name = name_of(thing)
    if module in MAINS:
        module = _main_name(module, _file_of(thing))
    return f"{module}.{name}" if module else name


def _file_of(thing: Any) -> str:
    """The file that a function's code is from, or a class's: of its first method that has one."""
    found = list(vars(thing).values()) if isinstance(thing, type) else [thing]
    codes = [getattr(each, "__code__", None) for each in found]
    files = [each.co_filename for each in codes if type(each) is CodeType]
    return next(filter(os.path.isabs, files), files[0] if files else "")


def _main_name(module: str, file: str) -> str:
    if _is_notebook(file):
        return "<notebook>"
    if file.startswith(("<stdin", "<python-input", "<console")):
        return "<stdin>"
    name, path = _main_of(module, file)
    if name:
        return name
    if not path:
        return file if file.startswith("<") else module
    folder, base = os.path.split(path)
    stem = os.path.splitext(base)[0]
    return os.path.splitext(os.path.basename(folder))[0] if stem in MAINS and folder else stem


def _main_of(module: str, file: str) -> tuple[str, str]:
    """What python -m was told to run, or "", and the path of the script. Workers that were given a
    function of a script by its code have another __main__ (joblib, Dask): its file says which."""
    name, path = _run_as(module), _script_path(module)
    if os.path.isabs(file) and os.path.abspath(file) != path:
        return "", os.path.abspath(file)
    if file.startswith("<") and is_outside(path):
        return "", ""
    return name, path


def _is_notebook(file: str) -> bool:
    return "ipykernel" in file or file.startswith("<ipython")


def _namespace(module: str) -> dict[str, Any]:
    return getattr(sys.modules.get(module), "__dict__", {})


def _run_as(module: str) -> str:
    """What python -m was told to run as __main__, else ""."""
    name = getattr(_namespace(module).get("__spec__"), "name", None)
    return name if type(name) is str and name not in MAINS else ""


def _script_path(module: str) -> str:
    """The path of the script that is __main__, else ""."""
    file = _namespace(module).get("__file__")
    return os.path.abspath(file) if type(file) is str and not file.startswith("<") else ""


def folder_of(module: str, thing: Any) -> str:
    """Where the module of a function comes from: the folder with its script, or with the file or
    folder of its top-level package, in which no two have one name; of a notebook, its path as far
    as it is known. "": nobody knows, or it was typed at a prompt."""
    if module not in MAINS:
        space = _namespace(module.partition(".")[0])
        for each in (space.get("__file__"), *list(space.get("__path__") or ())[:1]):
            if type(each) is str:
                is_package = each == space.get("__file__") and "__path__" in space
                path = os.path.abspath(each)
                return os.path.dirname(os.path.dirname(path) if is_package else path)
        return ""
    file = _file_of(thing)
    if _is_notebook(file):
        known = _namespace(module).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
        return os.path.abspath(known if type(known) is str else "")
    name, path = _main_of(module, file)
    levels = name.count(".")
    if not name and os.path.splitext(os.path.basename(path))[0] in MAINS:
        levels = 1  # a folder, or an archive, that is run
    for _ in range(levels + 1):
        path = os.path.dirname(path)
    return path
