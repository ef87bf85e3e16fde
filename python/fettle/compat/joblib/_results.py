# SPDX-License-Identifier: Apache-2.0
"""References to results, and which store a location means."""

import os
import pathlib
import pickle
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ._kept import FettleStoreBackend
from ._store_backends import FileSystemStoreBackend, store_bases
from .logger import Logger, pformat

__all__ = ["MemorizedResult", "NotMemorizedResult", "register_store_backend"]

_SWITCH = "FETTLE_JOBLIB_BACKEND"  # what "local" is: "store", or "files": joblib's folders of files
STORE_BACKENDS: dict[str, Any] = {"local": FettleStoreBackend}


# ---- stores ----


def register_store_backend(backend_name: str, backend: Any) -> None:
    """Makes Memory(backend=backend_name) keep its results in a store of the class backend.

    ValueError unless the name is a string, and the class derived from StoreBackendBase.
    """
    if not isinstance(backend_name, str):
        raise ValueError(f"Store backend name should be a string, {backend_name!r} given.")
    if not isinstance(backend, type) or not issubclass(backend, store_bases()):
        raise ValueError(f"Store backend should inherit StoreBackendBase, {backend!r} given.")
    STORE_BACKENDS[backend_name] = backend


def store_backend_factory(
    backend: str,
    location: Any,
    verbose: int = 0,
    backend_options: Mapping[str, Any] | None = None,
) -> Any:
    """The store for a location: a path, a store, or None for none."""
    if isinstance(location, store_bases()):
        return location
    if isinstance(location, pathlib.Path):
        location = str(location)
    if isinstance(location, str):
        kind = STORE_BACKENDS.get(backend)
        if kind is None:
            raise TypeError(f"Unknown location {location} or backend {backend}")
        switch = os.environ.get(_SWITCH, "")
        if switch not in ("", "store", "files"):
            raise ValueError(f"{_SWITCH} is {switch!r}: set it to 'store' or 'files'.")
        if kind is FettleStoreBackend and switch == "files":
            kind = FileSystemStoreBackend
        store = kind()
        store.configure(
            os.path.expanduser(location), verbose=verbose, backend_options=backend_options or {}
        )
        return store
    if location is not None:
        warnings.warn(
            f"Instantiating a backend using a {type(location).__name__} as a location is not "
            "supported by joblib. Nothing is kept.",
            UserWarning,
            stacklevel=3,
        )
    return None


# ---- results ----


class MemorizedResult(Logger):
    """A result that is kept: small, to be pickled and sent, and read when get() is called.

    func and args_id say which it is, duration how long it took.
    """

    def __init__(
        self,
        location: Any,
        call_id: Sequence[str],
        backend: str = "local",
        mmap_mode: str | None = None,
        verbose: int = 0,
        timestamp: float | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._call_id = call_id
        self.store_backend = store_backend_factory(backend, location, verbose=verbose)
        self.mmap_mode = mmap_mode
        if metadata is None:
            metadata = self.store_backend.get_metadata(call_id)
        self.metadata: dict[str, Any] = metadata or {}
        self.duration = self.metadata.get("duration")
        self.verbose = verbose
        self.timestamp = timestamp

    @property
    def func(self) -> str:
        """The function's path in the store."""
        return self._call_id[0]

    @property
    def func_id(self) -> str:
        """The function's path in the store."""
        return self._call_id[0]

    @property
    def args_id(self) -> str:
        """The digest of the arguments."""
        return self._call_id[1]

    def get(self) -> Any:
        """The value. KeyError where it is no longer there, or can not be read."""
        try:
            return self.store_backend.load_item(
                self._call_id,
                timestamp=self.timestamp,
                metadata=self.metadata,
                verbose=self.verbose,
            )
        except (ValueError, EOFError, IndexError, pickle.UnpicklingError) as error:
            place = os.path.join(self.store_backend.location, *self._call_id)
            raise KeyError(f"the result can not be read: {place} is corrupted") from error

    def clear(self) -> None:
        """Forgets it."""
        self.store_backend.clear_item(self._call_id)

    def __repr__(self) -> str:
        place = self.store_backend.location
        return (
            f'{type(self).__name__}(location="{place}", func="{self.func_id}", '
            f'args_id="{self.args_id}")'
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "timestamp": None}


class NotMemorizedResult:
    """A MemorizedResult's stand-in where nothing is kept: it has the value itself."""

    __slots__ = ("valid", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.valid = True

    def get(self) -> Any:
        """The value. KeyError after clear()."""
        if not self.valid:
            raise KeyError("No value stored.")
        return self.value

    def clear(self) -> None:
        """Forgets it."""
        self.valid, self.value = False, None

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({pformat(self.value)})" if self.valid else f"{name} with no value"

    def __getstate__(self) -> dict[str, Any]:
        return {"valid": self.valid, "value": self.value}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.valid, self.value = state["valid"], state["value"]
