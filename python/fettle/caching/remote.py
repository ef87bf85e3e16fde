# SPDX-License-Identifier: Apache-2.0
"""Results shared by machines: the Redis or Valkey behind a fettle.Memo.

Nothing that happens to the server or the network may change what a program computes. So no method
of Remote raises for it: what can not be had is None, is counted, and is said once. A server that
does not answer is left alone for a while (Circuit), so that it costs nothing.

A value is a byte of version, a MAC, the seconds that computing it took, and the payload. The MAC is
over all of it and over the name that it lies under, and is checked before anything is given back:
who can write to the server but has not the key can neither make a value nor move one to another
name. With trusted=True the MAC's key is a fixed one, so that it finds damage and nothing else.

A value's name is PREFIX FUNCTION : KEY, the function percent-encoded (no brace that would put all
of a function into one slot of a cluster, no star that would mean something to SCAN) and the key in
hexadecimal digits. A claim on computing it has the same name and a plus.
"""

import hmac
import os
import secrets
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import inf
from struct import Struct
from threading import Lock
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote, unquote

from fettle.caching.circuit import PATIENT, Circuit
from fettle.caching.endpoint import Endpoint, parse
from fettle.problem import reason
from fettle.report import size

VERSION = b"\x01"
MAC_BYTES = 32
COST = Struct("<d")
HEADER = len(VERSION) + MAC_BYTES + COST.size
LENGTH = Struct("<I")  # of the name, in what the MAC is over: no name is the beginning of another
SHORTEST_KEY = 16
PLAIN_KEY = b"fettle: damage is found with this, forgery is not"

FIRST_POLL, LONGEST_POLL, POLL_GROWTH = 0.005, 0.25, 1.5  # of one who waits, in seconds
BATCH = 1000  # names that one step of SCAN looks at

Found = tuple[bytes, float]  # the payload, and the seconds that computing it took

RELEASE = "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0"


class RemoteWarning(UserWarning):
    """A shared cache that does not do what it should; the program's results are right anyway."""


@dataclass(frozen=True, slots=True)
class RemoteStats:
    """What a Remote did in this process.

    failures: commands that got no answer, or an error. rejected: values that failed the check.
    too_large: values that were not stored. opened: how often a server was left alone for a while.
    """

    gets: int
    hits: int
    puts: int
    failures: int
    rejected: int
    too_large: int
    opened: int


class _Session:
    """The client of one process. A forked child begins its own, and keeps its parent's alive so
    that nothing here ever closes connections that are the parent's."""

    def __init__(self, endpoint: Endpoint, inherited: "_Session | None") -> None:
        self.pid = os.getpid()
        self.inherited = inherited
        self.client: Any = None
        self.circuits: dict[str, Circuit] = {}
        self.held: dict[bytes, float] = {}  # claims of this process, and when they end
        self.owed: dict[bytes, float] = {}  # those that are still to be released, likewise
        self.token = secrets.token_hex(16).encode()  # what claims of this process say
        self._endpoint = endpoint
        self._lock = Lock()

    def connected(self) -> Any:
        """The client; one thread makes it, which for a cluster means to ask it for its nodes."""
        if self.client is None:
            if not self._lock.acquire(timeout=self._endpoint.patience):
                raise TimeoutError("another thread is connecting")
            try:
                if self.client is None:
                    self.client = self._endpoint.client()
            finally:
                self._lock.release()
        return self.client

    def circuit(self, node: str) -> Circuit:
        found = self.circuits.get(node)
        return found or self.circuits.setdefault(node, Circuit())


# ---- what is shared ----

_FAILED: Any = object()  # instead of an answer


class Remote:
    """Values under keys, in a Redis or Valkey that other machines use too.

    key: what values are signed with, at least 16 bytes; by default FETTLE_CACHE_KEY. timeout and
    connect_timeout are seconds for each step that the network takes; ttl: seconds that a value is
    kept, or None.
    """

    def __init__(
        self,
        url: str,
        *,
        key: bytes | None = None,
        trusted: bool = False,
        timeout: float = 0.25,
        connect_timeout: float = 0.5,
        ttl: float | None = None,
        max_value: int = 64 << 20,
        prefix: str = "fettle:1:",
    ) -> None:
        if ttl is not None and not 0 < ttl < inf:
            raise ValueError(f"the ttl of a shared cache is {ttl!r} and must be above 0 seconds.")
        if not (0 < timeout < inf and 0 < connect_timeout < inf):
            raise ValueError("the time-outs of a shared cache must be above 0 seconds.")
        self._signed = _keyed(key, trusted)
        self.endpoint = parse(url, timeout, connect_timeout)
        self.place = self.endpoint.place
        self.max_value = max_value
        self.problem: str | None = None  # the last failure, in a sentence
        self._ttl = None if ttl is None else _milliseconds(ttl)
        self._prefix = self.endpoint.prefix + prefix
        self._is_cluster = bool(self.endpoint.nodes)
        self._said: set[str] = set()
        self._gets = self._hits = self._puts = 0
        self._failures = self._rejected = self._too_large = self._opened = 0
        self._session = _Session(self.endpoint, None)

    def __repr__(self) -> str:
        return f"<fettle Remote {self.place}>"

    # ---- values ----

    def get(self, key: bytes, *, function: str = "") -> bytes | None:
        found = self._lookup(self._name(key, function))
        return found[0] if found is not None and found is not _FAILED else None

    def lookup(self, key: bytes, *, function: str = "") -> Found | None:
        found = self._lookup(self._name(key, function))
        return None if found is _FAILED else found

    def _lookup(self, name: bytes) -> Any:
        """Payload and seconds; None: it is not there; _FAILED."""
        self._gets += 1
        value = self._ask(name, "GET", name)
        if value is None or value is _FAILED:
            return value
        found = self._opened_value(name, value)
        if found is not None:
            self._hits += 1
        return found

    def put(self, key: bytes, payload: bytes, *, function: str = "", cost: float = 0.0) -> None:
        if len(payload) > self.max_value:
            self._too_large += 1
            self._say(
                "too large",
                f"a result of {function or 'a function'}() takes {size.amount(len(payload))} and "
                f"stays on this machine, since {size.amount(self.max_value)} are the most that is "
                "shared; return it in parts to share it.",
            )
            return
        name = self._name(key, function)
        body = COST.pack(cost) + payload
        value = VERSION + self._mac(name, body) + body
        expiry = () if self._ttl is None else ("PX", self._ttl)
        if self._ask(name, "SET", name, value, *expiry) is not _FAILED:
            self._puts += 1

    def forget(self, key: bytes, *, function: str = "") -> None:
        name = self._name(key, function)
        self._ask(name, "UNLINK", name)

    # ---- who computes ----

    def claim(self, key: bytes, seconds: float = 60.0, *, function: str = "") -> bytes | None:
        """A token: this process computes the value, puts it and releases the claim, which ends by
        itself after these seconds. An empty one: compute, there is nobody to ask, or this process
        has the claim already. None: another one computes."""
        name = self._name(key, function) + b"+"
        session, until = self._here(), monotonic() + seconds
        if name in session.held:
            return b""
        token = session.token
        session.owed.pop(name, None)  # wanted again
        made = self._ask(name, "SET", name, token, "NX", "PX", _milliseconds(seconds))
        if made is _FAILED:
            session.owed[name] = until  # who does not answer may have made it, or will
            return b""
        if not made and self._ask(name, "GET", name) != token:  # it may have been made before
            return None
        session.held[name] = until
        return token

    def release(self, key: bytes, token: bytes, *, function: str = "") -> None:
        if token:
            name = self._name(key, function) + b"+"
            session = self._here()
            until = session.held.pop(name, 0.0)
            if self._ask(name, "EVAL", RELEASE, 1, name, token) is _FAILED:
                session.owed[name] = until

    def approach(
        self, key: bytes, patience: float, seconds: float = 60.0, *, function: str = ""
    ) -> Generator[float, None, tuple[Found | None, bytes]]:
        """For a value that was not there: the value that another one computed; or None and a token
        with which to compute it, put it and release() the claim. Yields how long to pause."""
        name, until = self._name(key, function), monotonic() + patience
        pause, free = FIRST_POLL, True
        while True:
            token = self.claim(key, seconds, function=function) if free else None
            if token is not None:
                found = self.lookup(key, function=function) if token else None  # put since then
                if found is None:
                    return None, token
                self.release(key, token, function=function)
                return found, b""
            left = until - monotonic()
            if left <= 0:
                return None, b""
            yield min(pause, left)
            pause = min(pause * POLL_GROWTH, LONGEST_POLL)
            found = self._lookup(name)
            if found is not None:
                return (None if found is _FAILED else found), b""
            free = self._ask(name, "EXISTS", name + b"+") != 1

    def join(
        self, key: bytes, patience: float, seconds: float = 60.0, *, function: str = ""
    ) -> tuple[Found | None, bytes]:
        """approach(), slept through."""
        steps = self.approach(key, patience, seconds, function=function)
        while True:
            try:
                sleep(next(steps))
            except StopIteration as end:
                ended: tuple[Found | None, bytes] = end.value
                return ended

    # ---- all of it ----

    def clear(self, function: str | None = None) -> int:
        """Removes what is there, of all functions or of one; how many values that were. Values that
        are being put meanwhile may stay, as may those of a server that does not answer."""
        removed = 0
        for node, circuit, names in self._names(function):
            pipe = node.pipeline(transaction=False)
            for name in names:
                pipe.unlink(name)
            answers = self._guarded(circuit, pipe.execute, raise_on_error=False)
            if answers is _FAILED:
                continue
            for name, answer in zip(names, answers, strict=False):
                if isinstance(answer, Exception):  # a slot that moved
                    answer = self._ask(name, "UNLINK", name)
                removed += answer if isinstance(answer, int) else 0
        return removed

    def functions(self) -> list[tuple[str, int, int]]:
        """(function, values, their bytes) of each function, by name."""
        found: dict[str, list[int]] = {}
        seen: set[bytes] = set()  # SCAN may give a name twice
        for node, circuit, names in self._names(None):
            names = [name for name in names if name not in seen]
            seen.update(names)
            pipe = node.pipeline(transaction=False)
            for name in names:
                pipe.strlen(name)
            answers = self._guarded(circuit, pipe.execute, raise_on_error=False)
            for name, taken in zip(names, [] if answers is _FAILED else answers, strict=False):
                if isinstance(taken, int) and taken:
                    encoded = name.decode("ascii", "replace")[len(self._prefix) :]
                    entry = found.setdefault(unquote(encoded.rpartition(":")[0]), [0, 0])
                    entry[0] += 1
                    entry[1] += taken
        return sorted((name, count, size) for name, (count, size) in found.items())

    def _names(self, function: str | None) -> Iterator[tuple[Any, Circuit, list[bytes]]]:
        """The names of values, and the server and its circuit, in batches."""
        pattern = _literal(self._prefix) + (
            b"*" if function is None else _encoded(function) + b":*"
        )
        whose = None if function is None else self._name(b"", function)[:-1]
        for node, circuit in self._masters():
            cursor = -1
            while cursor:
                answer = self._guarded(
                    circuit, node.scan, max(cursor, 0), match=pattern, count=BATCH
                )
                if answer is _FAILED:
                    break
                cursor, names = answer
                names = [name for name in names if self._is_value(name, whose)]
                if names:
                    yield node, circuit, names

    def _is_value(self, name: bytes, whose: bytes | None) -> bool:
        """Not a claim, nor of a function that is named like this one and more."""
        function, _, key = name.rpartition(b":")
        return not key.endswith(b"+") and (whose is None or function == whose)

    def _masters(self) -> list[tuple[Any, Circuit]]:
        session = self._here()
        client = self._connected(session)
        if client is _FAILED:
            return []
        if not self._is_cluster:
            return [(client, session.circuit(""))]
        nodes = self._guarded(Circuit(), client.get_primaries)
        found = []
        for node in [] if nodes is _FAILED else nodes:
            circuit = session.circuit(node.name)
            connection = self._guarded(circuit, client.get_redis_connection, node)
            if connection is not _FAILED:
                found.append((connection, circuit))
        return found

    def stats(self) -> RemoteStats:
        return RemoteStats(
            self._gets,
            self._hits,
            self._puts,
            self._failures,
            self._rejected,
            self._too_large,
            self._opened,
        )

    def close(self) -> None:
        """Closes the connections; what is asked afterwards makes new ones."""
        session = self._session
        if session.pid == os.getpid() and session.client is not None:
            with suppress(Exception):
                session.client.close()

    # ---- names and MACs ----

    def _name(self, key: bytes, function: str) -> bytes:
        return b"%b%b:%b" % (self._prefix.encode(), _encoded(function), key.hex().encode())

    def _mac(self, name: bytes, body: Any) -> bytes:
        mac = self._signed.copy()
        mac.update(LENGTH.pack(len(name)) + name)
        mac.update(body)
        digest: bytes = mac.digest()
        return digest

    def _opened_value(self, name: bytes, value: Any) -> Found | None:
        """The payload, once it is known to be what was put under this name."""
        start = len(VERSION) + MAC_BYTES
        if isinstance(value, bytes) and len(value) >= HEADER and value.startswith(VERSION):
            view = memoryview(value)
            if hmac.compare_digest(self._mac(name, view[start:]), view[len(VERSION) : start]):
                return value[HEADER:], COST.unpack_from(value, start)[0]
        self._rejected += 1
        self._say(
            "rejected",
            f"the shared cache at {self.place} has a value that was not signed with this program's "
            "key, which is computed anew; see that all machines have the same FETTLE_CACHE_KEY and "
            "that nobody else writes there.",
        )
        return None

    # ---- asking ----

    def _here(self) -> _Session:
        session = self._session
        if session.pid != os.getpid():
            session = self._session = _Session(self.endpoint, session)
        return session

    def _connected(self, session: _Session) -> Any:
        """The client, or _FAILED. That of one server is made without asking it."""
        if session.client is not None:
            return session.client
        circuit = session.circuit("") if self._is_cluster else Circuit()
        return self._guarded(circuit, session.connected)

    def _ask(self, name: bytes, *words: Any) -> Any:
        """The server's answer, or _FAILED."""
        session = self._here()
        answer = self._answer(session, name, *words)
        if session.owed and answer is not _FAILED:
            self._release_owed(session)
        return answer

    def _release_owed(self, session: _Session) -> None:
        """Nobody shall wait for the claims that were left when a server did not answer."""
        for name in list(session.owed):
            until = session.owed.pop(name, 0.0)  # 0: another thread does it
            if until <= monotonic() or name in session.held:
                continue
            release = "EVAL", RELEASE, 1, name, session.token
            if self._answer(session, name, *release) is _FAILED:
                session.owed[name] = until

    def _answer(self, session: _Session, name: bytes, *words: Any) -> Any:
        client = self._connected(session)
        if client is _FAILED:
            return _FAILED
        node = ""
        if self._is_cluster:
            with suppress(Exception):  # nobody has the slot: the package tries to find out
                node = client.get_node_from_key(name).name
        return self._guarded(session.circuit(node), client.execute_command, *words)

    def _guarded(self, circuit: Circuit, do: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if circuit.until and not circuit.allows():
            return _FAILED
        try:
            answer = do(*args, **options)
        except Exception as error:
            self._failed(circuit, error)
            return _FAILED
        if circuit.failures:
            circuit.succeeded()
        return answer

    def _failed(self, circuit: Circuit, error: Exception) -> None:
        from redis import exceptions

        self._failures += 1
        why = reason(error).rstrip(".")
        for option in ("password", "username"):
            if secret := self.endpoint.options.get(option):
                why = why.replace(secret, "...")
        if isinstance(error, exceptions.ResponseError) and not isinstance(
            error, exceptions.ClusterDownError
        ):
            circuit.succeeded()  # it does answer
            self._say(
                "refused",
                f"the shared cache at {self.place} refused what it was asked for ({why}), so some "
                "results are not shared; see the server's memory limit and this user's rights.",
            )
            return
        times = 1
        if isinstance(error, exceptions.RedisClusterException) and not isinstance(
            error, exceptions.SlotNotCoveredError
        ):
            # No node answers. Each was waited for, so once is enough; then those of the URL again.
            session = self._here()
            session.client, circuit, times = None, session.circuit(""), PATIENT
        self._opened += circuit.failed(times)
        self._say(
            "silent",
            f"the shared cache at {self.place} does not answer ({why}), so results are computed "
            "here until it does; see that the server runs and that this machine may reach it.",
        )

    def _say(self, kind: str, sentence: str) -> None:
        """Once of a kind. A filter that makes errors of warnings makes none of this one."""
        self.problem = sentence
        if kind in self._said:
            return
        self._said.add(kind)
        try:
            warnings.warn(sentence, RemoteWarning, stacklevel=_outside())
        except Exception:
            with suppress(Exception):
                print(f"fettle: {sentence}", file=sys.stderr)


def _keyed(key: bytes | None, trusted: bool) -> Any:
    """The MAC before anything was added to it."""
    if key is None:
        key = os.fsencode(os.environ.get("FETTLE_CACHE_KEY", ""))
    if not key:
        if not trusted:
            raise ValueError(
                "a shared cache needs a key that its values are signed with: set FETTLE_CACHE_KEY "
                "to the same secret on every machine (python -c 'import secrets; "
                "print(secrets.token_hex(32))' makes one), or say trusted=True if nobody else can "
                "write to the server."
            )
        key = PLAIN_KEY
    if len(key) < SHORTEST_KEY:
        raise ValueError(
            f"the key of a shared cache has {len(key)} bytes and needs {SHORTEST_KEY}: set "
            "FETTLE_CACHE_KEY to what python -c 'import secrets; print(secrets.token_hex(32))' "
            "prints."
        )
    mac_key = blake2b(key, digest_size=64, person=b"fettle cache key").digest()
    return blake2b(VERSION, digest_size=MAC_BYTES, key=mac_key)


def _milliseconds(seconds: float) -> int:
    return max(1, round(min(seconds * 1000, 1 << 50)))


@lru_cache(maxsize=1024)
def _encoded(function: str) -> bytes:
    return quote(function, safe=":<>,", errors="surrogatepass").encode("ascii")


def _literal(prefix: str) -> bytes:
    """As SCAN's MATCH takes it, with nothing that stands for anything else."""
    return "".join(f"\\{each}" if each in r"*?[]^-\\" else each for each in prefix).encode()


def _outside() -> int:
    """The stacklevel at which warnings.warn, called by our caller, names the user's line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("fettle."):
        level, frame = level + 1, frame.f_back
    return level
