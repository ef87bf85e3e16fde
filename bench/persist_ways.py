# SPDX-License-Identifier: Apache-2.0
"""Caches that outlive the process, as a benchmark makes them, and a server for one of them."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

OURS = "fettle"
PEERS = ("joblib", "diskcache")
ROOM = 8 << 30  # bytes: nothing is dropped while it is measured
PATIENCE = 20  # seconds until a server answers

Function = Callable[..., Any]


def available() -> list[str]:
    """The ways, without the peers that are not installed."""
    return [OURS, *(peer for peer in PEERS if importlib.util.find_spec(peer) is not None)]


def decorator(way: str, folder: Path, mapped: bool = False) -> Callable[[Function], Any]:
    """What makes a function keep its results in a folder, as it is by default; joblib maps arrays
    only where it is told to."""
    if way == OURS:
        import fettle

        return fettle.Memo(folder, max_bytes=ROOM)
    if way == "joblib":
        import joblib

        cache: Callable[[Function], Any] = joblib.Memory(
            folder, mmap_mode="c" if mapped else None, verbose=0
        ).cache
        return cache
    import diskcache

    memoize: Callable[[Function], Any] = diskcache.Cache(str(folder), size_limit=ROOM).memoize()
    return memoize


def emptier(way: str, kept: Any) -> Callable[[], Any]:
    """What forgets all results of a function: the disk's pages are the next way's then."""
    if way == OURS:
        forget: Callable[[], Any] = kept.clear
        return forget
    if way == "joblib":
        return lambda: kept.clear(warn=False)
    return lambda: _cache_of(kept).clear()


def _cache_of(memoized: Any) -> Any:
    """The diskcache.Cache behind a function of its."""
    names = memoized.__code__.co_freevars
    return memoized.__closure__[names.index("self")].cell_contents


# ---- a server ----


def server_program() -> str | None:
    """redis-server, or Valkey's; None where the redis package is missing too."""
    if importlib.util.find_spec("redis") is None:
        return None
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(1) == b"+"
    return False


@contextmanager
def server(program: str, folder: Path) -> Iterator[int]:
    """The port of a server on loopback that keeps nothing on disk."""
    port = _free_port()
    words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "--port", str(port), *words], cwd=folder, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            if time.monotonic() > deadline:
                raise OSError(f"{program} does not answer: see {folder / 'server.log'}")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()
