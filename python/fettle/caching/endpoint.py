# SPDX-License-Identifier: Apache-2.0
"""Where a shared cache is: its URL, and a client for it from the redis package, which is imported
only here and only when there is such a URL."""

import re
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # no colon: none is the beginning of another
DATABASE = re.compile(r"/?|/[0-9]{1,9}")
SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "redis+cluster": "redis",
    "rediss+cluster": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "valkey+cluster": "redis",
    "valkeys+cluster": "rediss",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL, understood: what the redis package wants to know, and what may be shown."""

    options: dict[str, Any]
    nodes: list[tuple[str, int]]  # of a cluster; else empty
    place: str  # without user, password and options (but the prefix)
    prefix: str = ""  # of all names there, for who shares the server with other programs

    @property
    def patience(self) -> float:
        """Seconds that connecting may take."""
        return float(2 * self.options["socket_timeout"] + self.options["socket_connect_timeout"])

    def client(self) -> Any:
        """A client; that of a cluster asks it for its nodes at once."""
        redis: Any = import_module("redis")
        no_backoff = redis.backoff.NoBackoff()
        if not self.nodes:
            once = redis.retry.Retry(no_backoff, 0)
            return redis.Redis(connection_pool=redis.ConnectionPool(retry=once, **self.options))
        cluster: Any = import_module("redis.cluster")
        return cluster.RedisCluster(
            startup_nodes=[cluster.ClusterNode(*node) for node in self.nodes],
            retry=redis.retry.Retry(no_backoff, 1),  # then at the node that the others name
            require_full_coverage=False,
            **self.options,
        )


def parse(url: str, timeout: float, connect_timeout: float) -> Endpoint:
    """Raises ValueError, a sentence in which nothing of the URL stands but its scheme, or
    ImportError, when there is no redis package. Time-outs in the URL win."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in ("redis", "rediss", "redis+cluster", "unix"))
        raise ValueError(f"the URL of a shared cache begins with one of {known}.")
    _require_redis()
    understand = _cluster if scheme.endswith("+cluster") else _server
    try:
        made = understand(scheme, rest)
    except (ValueError, UnicodeError):
        example = "unix:///path" if scheme == "unix" else f"{scheme}://host:6379"
        raise ValueError(
            f"this {scheme}:// URL of a shared cache is not understood: write it like {example}, "
            "and percent-encode the special characters of a password."
        ) from None
    made = _prefixed(made)
    made.options.setdefault("socket_timeout", timeout)
    made.options.setdefault("socket_connect_timeout", connect_timeout)
    # The handshake of RESP3 asks for things that some servers do not know.
    made.options.update(protocol=2, decode_responses=False)
    _check_options(made)
    return made


def _prefixed(made: Endpoint) -> Endpoint:
    """What fettle itself understands of the options."""
    prefix = made.options.pop("prefix", None)
    if prefix is None:
        return made
    if not PREFIX.fullmatch(prefix):
        raise ValueError(
            f"the prefix in the URL of the shared cache at {made.place} must be 1 to 64 letters, "
            "digits, underscores, dots and hyphens."
        )
    return replace(made, place=f"{made.place}?prefix={prefix}", prefix=f"{prefix}:")


def _require_redis() -> None:
    try:
        import redis.cluster  # noqa: F401
    except ImportError:
        raise ImportError(
            "a shared cache needs the redis package, which is not installed here: "
            "pip install fettle[redis] gets it."
        ) from None


def _check_options(endpoint: Endpoint) -> None:
    """An option of the URL that the redis package does not know would fail every command."""
    connection: Any = import_module("redis.connection")
    options = dict(endpoint.options)
    kind = options.pop("connection_class", connection.Connection)
    if options.pop("ssl", False):
        kind = connection.SSLConnection
    for each in ("max_connections", "timeout"):  # the pool's
        options.pop(each, None)
    try:
        kind(**options)
    except Exception:
        raise ValueError(
            f"the URL of the shared cache at {endpoint.place} has an option that the redis package "
            "does not take; see what stands behind its question mark."
        ) from None


def _server(scheme: str, rest: str) -> Endpoint:
    options = _understood(f"{SCHEMES[scheme]}://{rest}")
    host, port = options.get("host", "localhost"), options.get("port", 6379)
    path = options.get("path")
    where = path if path is not None else f"{_bracketed(host)}:{port}/{options.get('db', 0)}"
    return Endpoint(options, [], f"{scheme}://{where}")


def _cluster(scheme: str, rest: str) -> Endpoint:
    """user:password@host:port,host:port?options"""
    hosts, question, query = rest.partition("?")
    user, at, hosts = hosts.rpartition("@")
    hosts = hosts.removesuffix("/0").removesuffix("/")  # the one database that a cluster has
    options: dict[str, Any] = {}
    nodes = []
    for host in hosts.split(","):
        options = _understood(f"{SCHEMES[scheme]}://{user}{at}{host}{question}{query}")
        if options.pop("db", 0):
            raise ValueError
        nodes.append((options.pop("host"), options.pop("port", 6379)))
    if options.pop("connection_class", None) is not None:
        options["ssl"] = True
    place = ",".join(f"{_bracketed(host)}:{port}" for host, port in nodes)
    return Endpoint(options, nodes, f"{scheme}://{place}")


def _understood(url: str) -> dict[str, Any]:
    """As the redis package does it, which takes what it does not understand for something else."""
    parts = urlsplit(url)
    if parts.query:
        parse_qsl(parts.query, strict_parsing=True)  # or there was a question mark in the password
    options: dict[str, Any] = import_module("redis.connection").parse_url(url)
    is_path = "/" in parts.path if parts.scheme == "unix" else DATABASE.fullmatch(parts.path)
    if not is_path or parts.fragment or (parts.scheme != "unix" and not parts.hostname):
        raise ValueError
    return options


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
