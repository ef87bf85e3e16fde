# SPDX-License-Identifier: Apache-2.0
"""joblib by another import: Memory, and what belongs to it, are ours.

    from fettle.compat.joblib import Memory

    memory = Memory("cache", verbose=0)

    @memory.cache
    def simulate(seed): ...

They need no joblib. All else that joblib has (Parallel, delayed, dump, load) is its own, loaded
when it is asked for.
"""

from typing import Any

# Private names too: programs written for joblib reach for them all the same.
from ._store_backends import CacheItemInfo, StoreBackendMixin
from .func_inspect import (
    filter_args,
    format_call,
    format_signature,
    get_func_code,
    get_func_name,
)
from .hashing import Hasher, NumpyHasher, Pickler, _ConsistentSet, _MyHash, hash  # noqa: F401
from .logger import Logger, format_time, pformat
from .memory import (  # noqa: F401
    _FUNCTION_HASHES,
    _STORE_BACKENDS,
    FIRST_LINE_TEXT,
    AsyncMemorizedFunc,
    AsyncNotMemorizedFunc,
    CacheWarning,
    FettleStoreBackend,
    FileSystemStoreBackend,
    JobLibCollisionWarning,
    MemorizedFunc,
    MemorizedResult,
    Memory,
    NotMemorizedFunc,
    NotMemorizedResult,
    StoreBackendBase,
    _build_func_identifier,
    _store_backend_factory,
    expires_after,
    extract_first_line,
    register_store_backend,
)

# What joblib shows of itself that is not ours.
_THEIRS = (
    "Parallel",
    "ParallelBackendBase",
    "PrintTime",
    "cpu_count",
    "delayed",
    "dump",
    "effective_n_jobs",
    "load",
    "parallel_backend",
    "parallel_config",
    "register_compressor",
    "register_parallel_backend",
    "wrap_non_picklable_objects",
)

__all__ = [
    "FIRST_LINE_TEXT",
    "AsyncMemorizedFunc",
    "AsyncNotMemorizedFunc",
    "CacheItemInfo",
    "CacheWarning",
    "FettleStoreBackend",
    "FileSystemStoreBackend",
    "Hasher",
    "JobLibCollisionWarning",
    "Logger",
    "MemorizedFunc",
    "MemorizedResult",
    "Memory",
    "NotMemorizedFunc",
    "NotMemorizedResult",
    "NumpyHasher",
    "Pickler",
    "StoreBackendBase",
    "StoreBackendMixin",
    "expires_after",
    "extract_first_line",
    "filter_args",
    "format_call",
    "format_signature",
    "format_time",
    "get_func_code",
    "get_func_name",
    "hash",
    "pformat",
    "register_store_backend",
]


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import joblib
    except ModuleNotFoundError as error:
        if name in _THEIRS and error.name == "joblib":
            raise ModuleNotFoundError(
                f"{__name__}.{name} is joblib's own, and joblib is not installed: "
                "`python -m pip install joblib`",
                name="joblib",
            ) from None
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    try:
        return getattr(joblib, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_THEIRS})
