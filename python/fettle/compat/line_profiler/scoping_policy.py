# SPDX-License-Identifier: Apache-2.0
"""ScopingPolicy: which of the things that are found in a class or module belong to it.

A namespace also holds what it imported. A policy says how near to the namespace an object must
have been defined to be profiled with it, or to be searched in turn.
"""

from collections.abc import Callable
from enum import auto
from types import ModuleType
from typing import Any, TypedDict

from .line_profiler_utils import StringEnum

Filter = Callable[[Any], bool]
ScopingPolicyDict = TypedDict(
    "ScopingPolicyDict",
    {
        "func": "str | ScopingPolicy",
        "class": "str | ScopingPolicy",
        "module": "str | ScopingPolicy",
    },
)

DEFAULT_SCOPING_POLICIES: ScopingPolicyDict = {
    "func": "siblings",
    "class": "siblings",
    "module": "exact",
}


class ScopingPolicy(StringEnum):
    """How near an object's definition must be to the namespace it was found in.

    EXACT: as CHILDREN, but functions only: nothing is searched in turn.
    CHILDREN: defined in the class or module itself; modules directly in the package.
    DESCENDANTS: defined there or anywhere below.
    SIBLINGS: descendants, and what the class's module or the module's package defines.
    NONE: everything there is. Of a module's modules that may well be most of the program.
    """

    EXACT = auto()
    CHILDREN = auto()
    DESCENDANTS = auto()
    SIBLINGS = auto()
    NONE = auto()

    def get_filter(self, namespace: type | ModuleType, obj_type: str) -> Filter:
        """Whether an object found in namespace belongs to it; obj_type is "func", "class" or
        "module".

        >>> import json
        >>> of_json = ScopingPolicy.CHILDREN.get_filter(json, "func")
        >>> of_json(json.loads), of_json(json.JSONDecoder.decode)
        (True, False)
        """
        if isinstance(namespace, type) and obj_type == "module":
            return _never
        if self is ScopingPolicy.NONE:
            return _always
        if self is ScopingPolicy.EXACT and obj_type != "func":
            return _never
        if isinstance(namespace, type):
            return self._filter_of_class(namespace)
        if obj_type == "module":
            return self._filter_of_modules(namespace.__name__)
        return self._filter_of_module(namespace.__name__)

    def _filter_of_class(self, cls: type) -> Filter:
        """For functions and classes in a class."""

        def near(found: Any) -> bool:
            if found.__module__ != cls.__module__:
                return False
            if self is ScopingPolicy.SIBLINGS:
                return True
            if self is ScopingPolicy.DESCENDANTS:
                return bool(found.__qualname__.startswith(f"{cls.__qualname__}."))
            return bool(found.__qualname__ == f"{cls.__qualname__}.{found.__name__}")

        return near

    def _filter_of_module(self, name: str) -> Filter:
        """For functions and classes in the module of this name."""
        roots = self._roots(name)
        if self in (ScopingPolicy.EXACT, ScopingPolicy.CHILDREN):
            return lambda found: found.__module__ == name
        return lambda found: any(_within(found.__module__, root) for root in roots)

    def _filter_of_modules(self, name: str) -> Filter:
        """For modules in the module of this name."""
        roots = tuple(f"{root}." for root in self._roots(name))
        if self is ScopingPolicy.CHILDREN:
            return lambda found: found.__name__.rpartition(".")[0] == name
        return lambda found: found.__name__.startswith(roots)

    def _roots(self, name: str) -> list[str]:
        """The packages whose contents are near the module of this name."""
        parent = name.rpartition(".")[0]
        return [name, parent] if self is ScopingPolicy.SIBLINGS and parent else [name]

    @classmethod
    def to_policies(
        cls, policies: "str | ScopingPolicy | ScopingPolicyDict | None" = None
    ) -> "dict[str, ScopingPolicy]":
        """One policy for each kind of object: from one for all, a mapping, or the default.

        KeyError for a mapping that lacks a kind, ValueError for a policy that is none.

        >>> ScopingPolicy.to_policies("None")["class"]
        <ScopingPolicy.NONE: 'none'>
        """
        kinds = ("func", "class", "module")
        if policies is None:
            policies = DEFAULT_SCOPING_POLICIES
        if isinstance(policies, str):
            return dict.fromkeys(kinds, cls(policies))
        return {kind: cls(policies[kind]) for kind in kinds}  # type: ignore[literal-required]


def _always(found: object) -> bool:
    return True


def _never(found: object) -> bool:
    return False


def _within(module: str | None, root: str) -> bool:
    return module is not None and (module == root or module.startswith(f"{root}."))
