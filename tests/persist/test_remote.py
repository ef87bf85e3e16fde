# SPDX-License-Identifier: Apache-2.0
"""fettle.caching.remote on one server: what it keeps, what it refuses, what it never raises."""

import multiprocessing
import os
import pickle
import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fettle.caching import circuit
from fettle.caching.remote import Remote, RemoteWarning

from .redisservers import PATIENCE, Server, free_port, server, until
from .sharing import SECRET, Cached, answer, key_of, warned

KEY, OTHER = b"\x00\xffone", b"two"
FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("redis")) as made:
        yield made


@pytest.fixture
def remote(running: Server) -> Iterator[Remote]:
    running.client().flushall()
    made = Remote(running.url, key=SECRET, timeout=10)  # on a busy machine, too
    yield made
    made.close()


@pytest.fixture
def other(running: Server) -> Iterator[Remote]:
    """Another machine's."""
    made = Remote(running.url, key=SECRET, timeout=10)
    yield made
    made.close()


def only_name(server: Server) -> bytes:
    (name,) = server.client().keys("*")
    assert isinstance(name, bytes)
    return name


# ---- values ----


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 500], ids=len)
def test_what_is_put_can_be_had(remote: Remote, other: Remote, payload: bytes) -> None:
    assert remote.get(KEY) is None
    remote.put(KEY, payload, function="m:f", cost=0.25)
    assert other.get(KEY, function="m:f") == payload
    assert other.lookup(KEY, function="m:f") == (payload, 0.25)
    assert other.get(KEY) is None
    assert other.get(OTHER, function="m:f") is None
    remote.forget(KEY, function="m:f")
    assert other.get(KEY, function="m:f") is None
    stats = other.stats()
    assert (stats.gets, stats.hits, stats.failures, stats.rejected) == (5, 2, 0, 0)
    assert remote.stats().puts == 1


def test_values_end_with_their_ttl(running: Server, remote: Remote) -> None:
    brief = Remote(running.url, key=SECRET, ttl=0.05)
    brief.put(KEY, b"brief")
    assert running.client().pttl(only_name(running)) in range(51)
    until(lambda: brief.get(KEY) is None, "the value is gone")
    remote.put(KEY, b"lasting")
    assert running.client().pttl(only_name(running)) == -1


def test_a_large_value_stays_here(running: Server, remote: Remote) -> None:
    small = Remote(running.url, key=SECRET, max_value=10)
    with warned("f() takes 11 B and stays on this machine"):
        small.put(KEY, b"x" * 11, function="f")
        small.put(KEY, b"x" * 12, function="f")
    assert (small.get(KEY), small.stats().too_large, small.stats().puts) == (None, 2, 0)
    small.put(KEY, b"x" * 10)
    assert small.get(KEY) == b"x" * 10


NAMES = [
    "",
    "m:f",
    "m:f:g",
    "m:f.<locals>.g",
    "*",
    "m:*",
    "{a}b",
    "a b\n",
    "é",
    "m:f+",
    "%2A",
    "[a]",
]


def test_functions_do_not_mix(remote: Remote, other: Remote) -> None:
    for size, name in enumerate(NAMES):
        for number in range(size + 1):
            remote.put(key_of(number), name.encode() + b"%d" % number, function=name)
    token = remote.claim(b"claimed", function="m:f")
    listed = {name: (entries, size) for name, entries, size in other.functions()}
    assert {name: entries for name, (entries, _) in listed.items()} == {
        name: size + 1 for size, name in enumerate(NAMES)
    }
    gone: set[str] = set()
    for size, name in enumerate(NAMES):
        assert other.clear(name) == size + 1, name
        gone.add(name)
        assert {each for each, _, _ in other.functions()} == set(NAMES) - gone
        left = [each for each in NAMES if remote.get(key_of(0), function=each) is not None]
        assert left == [each for each in NAMES if each not in gone]
    assert token
    assert other.claim(b"claimed", function="m:f") is None


def test_the_bytes_that_are_listed(running: Server, remote: Remote) -> None:
    for number in range(2500):  # more than one step of SCAN
        remote.put(key_of(number), b"x" * (number % 7), function="f")
    client = running.client()
    size = sum(client.strlen(name) for name in client.scan_iter("*"))
    assert remote.functions() == [("f", 2500, size)]
    client.set("somebody else's", "value")
    assert remote.clear() == 2500
    assert client.keys("*") == [b"somebody else's"]


def test_prefixes_do_not_mix(running: Server, remote: Remote) -> None:
    starred = Remote(running.url, key=SECRET, prefix="fettle*[a]?\\:")
    remote.put(KEY, b"a")
    starred.put(KEY, b"b")
    assert (remote.get(KEY), starred.get(KEY)) == (b"a", b"b")
    assert [entries for _, entries, _ in starred.functions()] == [1]
    assert starred.clear() == 1
    assert (remote.get(KEY), starred.get(KEY)) == (b"a", None)


# ---- values that nobody put ----


@pytest.mark.parametrize("trusted", [False, True])
def test_each_byte_of_a_value_counts(running: Server, trusted: bool) -> None:
    running.client().flushall()
    remote = Remote(running.url, trusted=True) if trusted else Remote(running.url, key=SECRET)
    remote.put(KEY, b"the payload", cost=1.5)
    client, name = running.client(), only_name(running)
    value = client.get(name)
    assert isinstance(value, bytes)
    wrong = [
        value[:place] + bytes([value[place] ^ flip]) + value[place + 1 :]
        for place in range(len(value))
        for flip in (1, 0x80, 0xFF)
    ]
    wrong += [value[:length] for length in range(len(value))]
    wrong += [value + b"\0", b"\0" + value, value * 2, b"\x80\x04N."]
    with warned("FETTLE_CACHE_KEY"):
        for each in wrong:
            client.set(name, each)
            assert remote.get(KEY) is None
    assert remote.stats().rejected == len(wrong)
    client.set(name, value)
    assert remote.get(KEY) == b"the payload"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_value_is_good_under_its_own_name_only(running: Server, trusted: bool) -> None:
    running.client().flushall()
    options: dict[str, Any] = {"trusted": True} if trusted else {"key": SECRET}
    remote = Remote(running.url, **options)
    apart = Remote(running.url, prefix="fettle:2:", **options)
    places = [(KEY, "f"), (OTHER, "f"), (KEY, "g"), (b"", "f"), (KEY, "")]
    for key, function in places:
        remote.put(key, b"payload", function=function)
        apart.put(key, b"payload", function=function)
    client = running.client()
    names = sorted(client.keys("*"))
    values = [client.get(name) for name in names]
    for shift in range(1, len(names)):
        for number, name in enumerate(names):
            client.set(name, values[(number + shift) % len(names)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for key, function in places:
                assert remote.get(key, function=function) is None
                assert apart.get(key, function=function) is None


def test_other_keys_are_other_worlds(running: Server, remote: Remote) -> None:
    remote.put(KEY, b"signed")
    for options in ({"key": SECRET + b"!"}, {"key": SECRET[:-1]}, {"trusted": True}):
        stranger = Remote(running.url, **options)
        with warned("was not signed"):
            assert stranger.get(KEY) is None
        stranger.put(KEY, b"a stranger's")
        assert stranger.get(KEY) == b"a stranger's"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert remote.get(KEY) is None
        remote.put(KEY, b"signed")
        assert remote.get(KEY) == b"signed"


def test_something_else_under_the_name(running: Server, remote: Remote) -> None:
    remote.put(KEY, b"payload")
    client, name = running.client(), only_name(running)
    client.delete(name)
    client.rpush(name, "a", "list")
    with warned("WRONGTYPE"):
        assert remote.get(KEY) is None
        assert remote.functions() == []
    remote.put(KEY, b"payload")  # SET minds no type
    assert remote.get(KEY) == b"payload"
    assert remote.stats().opened == 0


# ---- who computes ----


def test_one_claims(remote: Remote, other: Remote) -> None:
    token = remote.claim(KEY, function="f")
    assert token
    assert other.claim(KEY, function="f") is None
    assert other.claim(KEY, function="g")
    assert other.claim(OTHER, function="f")
    other.release(KEY, b"not the token", function="f")
    assert other.claim(KEY, function="f") is None
    remote.release(KEY, token, function="f")
    assert other.claim(KEY, function="f")


def test_who_has_the_claim_does_not_wait_for_it(remote: Remote) -> None:
    assert remote.claim(KEY)
    assert remote.claim(KEY) == b""
    assert remote.join(KEY, PATIENCE) == (None, b"")
    remote.release(KEY, b"")


def test_a_claim_ends_by_itself(running: Server, remote: Remote, other: Remote) -> None:
    token = remote.claim(KEY, 0.05)
    assert token
    value, taken = other.join(KEY, PATIENCE)
    assert value is None
    assert taken
    remote.release(KEY, token)  # it is another one's now
    assert remote.claim(KEY) is None
    assert remote.claim(OTHER, 1000)
    assert running.client().pttl("fettle:1::" + OTHER.hex() + "+") > 900_000


def test_claims_that_a_silent_server_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "FIRST_PAUSE", 0.05)
    with server(tmp_path) as silent, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        remote, other = (Remote(silent.url, key=SECRET, timeout=0.2) for _ in range(2))
        held = remote.claim(KEY)
        assert held
        assert other.claim(b"another's")
        silent.freeze()
        assert remote.claim(OTHER) == b"", "it will be made when the server goes on"
        remote.release(KEY, held)
        silent.thaw()
        until(lambda: len(silent.client().keys("*+")) == 3, "the server goes on")
        until(lambda: remote.get(b"") is None and not remote._here().owed, "it is asked again")
        (left,) = silent.client().keys("*+")
        assert left == b"fettle:1::" + b"another's".hex().encode() + b"+"
        remote.close()
        other.close()


@pytest.mark.parametrize("expired", [False, True])
def test_a_claim_that_a_silent_server_made_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expired: bool
) -> None:
    monkeypatch.setattr(circuit, "FIRST_PAUSE", 0.05)
    with server(tmp_path) as silent, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        remote = Remote(silent.url, key=SECRET, timeout=0.2)
        assert remote.get(KEY) is None
        silent.freeze()
        assert remote.claim(KEY) == b""
        silent.thaw()
        until(lambda: silent.client().keys("*+"), "the server goes on")
        if expired:
            silent.client().flushall()
        assert remote.claim(KEY)
        assert remote.get(OTHER) is None
        assert len(silent.client().keys("*+")) == 1, "it is still there"
        remote.close()


def test_who_waits_gets_the_value(remote: Remote, other: Remote) -> None:
    token = remote.claim(KEY)
    assert token

    def compute() -> None:
        time.sleep(0.05)
        remote.put(KEY, b"computed")
        remote.release(KEY, token)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(compute)
        assert other.join(KEY, PATIENCE) == ((b"computed", 0.0), b"")
        done.result()
    assert remote.join(KEY, PATIENCE) == ((b"computed", 0.0), b"")
    assert remote.claim(KEY), "join() left no claim of its own"


def test_a_value_that_came_just_before_its_claim_went(
    remote: Remote, other: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = remote.claim(KEY)
    assert token
    ask = other._ask

    def late(name: bytes, *words: Any) -> Any:
        if words[0] == "EXISTS":
            remote.put(KEY, b"computed")
            remote.release(KEY, token)
        return ask(name, *words)

    monkeypatch.setattr(other, "_ask", late)
    assert other.join(KEY, PATIENCE) == ((b"computed", 0.0), b"")


def test_patience_ends(remote: Remote, other: Remote) -> None:
    assert remote.claim(KEY)
    assert other.join(KEY, 0.02) == (None, b"")
    assert other.join(KEY, 0.0) == (None, b"")


def test_a_failed_computation_is_taken_over(remote: Remote, other: Remote) -> None:
    token = remote.claim(KEY)
    assert token
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(other.join, KEY, PATIENCE)
        time.sleep(0.03)
        remote.release(KEY, token)  # nothing was put
        value, taken = waits.result()
    assert value is None
    assert taken


def _compute_all(url: str, counter: str) -> None:
    remote = Remote(url, key=SECRET, timeout=10)
    client: Any = remote._session.connected()

    def slow(number: int) -> int:
        client.hincrby(counter, number, 1)
        time.sleep(0.01)
        return number * number

    cached = Cached(remote, slow, patience=PATIENCE)
    assert [cached(number) for number in range(20)] == [number**2 for number in range(20)]
    os._exit(0 if remote.stats().failures == 0 else 1)


def test_processes_compute_each_value_once(running: Server, remote: Remote) -> None:
    processes = [FORK.Process(target=_compute_all, args=(running.url, "counter")) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0] * 4
    assert set(running.client().hvals("counter")) == {b"1"}


# ---- forks and threads ----


def _in_child(remote: Remote, fresh: Remote, pipe: Any) -> None:
    assert remote.claim(KEY) is None, "it is the parent's"
    assert fresh.get(key_of("parent", 1)) == b"parent 1"
    for number in range(200):
        remote.put(key_of("child", number), b"child %d" % number)
    mine = [remote.get(key_of("child", number)) for number in range(200)]
    pipe.send((mine, [remote.get(key_of("parent", number)) for number in range(50)]))
    pipe.close()
    os._exit(0)


def test_a_forked_child_has_connections_of_its_own(running: Server, remote: Remote) -> None:
    for number in range(50):
        remote.put(key_of("parent", number), b"parent %d" % number)
    assert remote.claim(KEY)
    fresh = Remote(running.url, key=SECRET, timeout=10)
    here, there = FORK.Pipe()
    child = FORK.Process(target=_in_child, args=(remote, fresh, there))
    fresh._session._lock.acquire()  # another thread was connecting when it forked
    child.start()
    fresh._session._lock.release()
    for _ in range(20):
        for number in range(50):
            assert remote.get(key_of("parent", number)) == b"parent %d" % number
    assert here.poll(PATIENCE)
    mine, parents = here.recv()
    child.join(PATIENCE)
    assert mine == [b"child %d" % number for number in range(200)]
    assert parents == [b"parent %d" % number for number in range(50)]
    assert remote.get(key_of("child", 7)) == b"child 7"
    assert remote.stats().failures == 0


def test_threads(remote: Remote) -> None:
    def work(me: int) -> None:
        for number in range(200):
            remote.put(key_of(me, number), b"%d of %d" % (number, me))
            assert remote.get(key_of(me, number)) == b"%d of %d" % (number, me)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, me) for me in range(8)]:
            done.result()
    assert (remote.stats().failures, remote.stats().rejected) == (0, 0)
    remote.close()
    assert remote.get(key_of(0, 0)) == b"0 of 0"


# ---- servers that fail ----


def everything(remote: Remote) -> list[Any]:
    """One of each call."""
    token = remote.claim(KEY, function="f")
    return [
        remote.get(KEY),
        remote.lookup(KEY),
        remote.put(KEY, b"payload"),
        remote.forget(KEY),
        remote.release(KEY, token or b"token", function="f"),
        remote.join(OTHER, 0.01),
        remote.clear(),
        remote.clear("f"),
        remote.functions(),
    ]


NOTHING = [None, None, None, None, None, (None, b""), 0, 0, []]


def test_a_server_that_is_away_and_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "FIRST_PAUSE", 0.05)
    with server(tmp_path) as away:
        away.stop()
        remote = Remote(away.url, key=SECRET)
        cached = Cached(remote)
        with warned("does not answer") as sentences:
            assert everything(remote) == NOTHING
            assert [cached(number) for number in range(50)] == [answer(n) for n in range(50)]
        assert remote.place in sentences[0]
        assert remote.problem is not None
        assert cached.computed == 50
        assert remote.stats().opened == 1
        for _ in range(2):
            away.start()

            def is_back() -> bool:
                remote.put(KEY, b"here")
                return remote.get(KEY) == b"here"

            until(is_back, "it is used again")
            assert [cached(number) for number in range(50)] == [answer(n) for n in range(50)]
            assert [cached(number) for number in range(50)] == [answer(n) for n in range(50)]
            away.stop()
            assert [cached(number) for number in range(50)] == [answer(n) for n in range(50)]
        remote.close()


class Talker:
    """Accepts every connection, says always the same, and counts."""

    def __init__(self, says: bytes, hangs_up: bool) -> None:
        self.says, self.hangs_up = says, hangs_up
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        self.accepted: list[Any] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                connection, _ = self.listener.accept()
                self.accepted.append(connection)
                connection.sendall(self.says)
                if self.hangs_up:
                    connection.close()
        except OSError:
            pass

    def close(self) -> None:
        for connection in self.accepted:
            connection.close()
        self.listener.close()


@pytest.mark.parametrize("hangs_up", [False, True])
@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"\r\n",
        b"+OK\r\n" * 40,
        b"$5\r\nhello\r\n" * 40,
        b"$-1\r\n" * 40,
        b"$99999999999\r\nx",
        b"*-7\r\n",
        b"*3\r\n:1\r\n" * 20,
        b"!" * 5000,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n" * 40,
        b"-ERR \xff\xfe\r\n" * 40,
        b":notanumber\r\n" * 40,
    ],
    ids=lambda says: repr(says[:12]),
)
def test_whatever_it_says(says: bytes, hangs_up: bool) -> None:
    talker = Talker(says, hangs_up)
    remote = Remote(talker.url, key=SECRET, timeout=0.03)
    cached = Cached(remote, patience=0.05)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert [cached(number) for number in range(20)] == [answer(n) for n in range(20)]
            for value in everything(remote):
                assert value in NOTHING
    finally:
        talker.close()
    remote.close()


@pytest.mark.parametrize("cluster", [False, True])
def test_a_silent_server_is_left_alone(cluster: bool) -> None:
    talker = Talker(b"", False)
    url = talker.url.replace("redis:", "redis+cluster:") if cluster else talker.url
    remote = Remote(url, key=SECRET, timeout=0.02)
    with warned("does not answer"):
        for number in range(1000):
            assert remote.get(key_of(number)) is None
    assert remote.stats().opened == 1
    if cluster:
        assert remote.stats().failures == 1  # it has asked every node
    else:
        assert circuit.PATIENT <= remote.stats().failures < circuit.PATIENT + 5
        until(lambda: len(talker.accepted) >= circuit.PATIENT, "all have been accepted")
        assert len(talker.accepted) < circuit.PATIENT + 5
    talker.close()


def test_a_wrong_password_is_never_shown(tmp_path: Path) -> None:
    with server(tmp_path, "--requirepass", "another") as locked:
        url = f"redis://:s3cr3t%2Fword%40x@127.0.0.1:{locked.port}"
        remote = Remote(url, key=SECRET)
        with warned("does not answer") as sentences:
            assert everything(remote) == NOTHING
        client: Any = remote._session.client
        for word in ("s3cr3t/word@x", "nothing"):

            def failing(*args: Any, word: str = word) -> None:
                raise OSError(f"the password {word} was not right")

            client.execute_command = failing
            remote._session.circuits.clear()
            assert remote.get(KEY) is None
            shown = "nothing" if word == "nothing" else "..."
            assert f"the password {shown} was not right" in str(remote.problem)
        for text in (*sentences, repr(remote), remote.place, str(remote.problem)):
            assert "s3cr3t" not in text
        assert Remote(url.replace("s3cr3t%2Fword%40x", "another"), key=SECRET).claim(KEY)


def test_a_server_without_memory(tmp_path: Path) -> None:
    with server(tmp_path, "--maxmemory", "64mb") as full:
        remote = Remote(full.url, key=SECRET)
        remote.put(KEY, b"payload")
        full.client().config_set("maxmemory", 1)
        cached = Cached(remote)
        with warned("maxmemory"):
            for _ in range(2):
                assert [cached(number) for number in range(20)] == [answer(n) for n in range(20)]
        assert cached.computed == 40
        assert remote.get(KEY) == b"payload"
        assert remote.stats().opened == 0


def test_a_user_without_rights(running: Server) -> None:
    client = running.client()
    client.execute_command("ACL SETUSER", "reader", "on", ">pass", "~fettle:*", "+get")
    try:
        remote = Remote(running.url.replace("//", "//reader:pass@"), key=SECRET)
        cached = Cached(remote)
        remote._session.circuit("").failures = 3
        with warned("refused"):
            remote.put(KEY, b"payload")
            assert remote._session.circuit("").failures == 0, "it did answer"
            assert [cached(number) for number in range(20)] == [answer(n) for n in range(20)]
            assert everything(remote) == NOTHING
        assert remote.stats().opened == 0
    finally:
        client.execute_command("ACL DELUSER", "reader")


def test_warnings_that_are_errors(running: Server, capfd: pytest.CaptureFixture[str]) -> None:
    remote = Remote("redis://127.0.0.1:1", key=SECRET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert everything(remote) == NOTHING
    assert "fettle: the shared cache at redis://127.0.0.1:1/0 does not" in capfd.readouterr().err


def test_a_warning_names_the_caller() -> None:
    remote = Remote("redis://127.0.0.1:1", key=SECRET)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        remote.get(KEY)
    assert [(each.category, each.filename) for each in caught] == [(RemoteWarning, __file__)]


def test_an_interrupt_is_none_of_its_business(remote: Remote) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    remote.put(KEY, b"payload")
    client: Any = remote._session.client
    client.execute_command = interrupted
    with pytest.raises(KeyboardInterrupt):
        remote.get(KEY)
    del client.execute_command
    assert remote.get(KEY) == b"payload"


# ---- the circuit ----


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_circuit_opens_and_asks_again() -> None:
    clock = Clock()
    tried = circuit.Circuit(clock)
    for _ in range(3):
        for failures in range(circuit.PATIENT):
            assert tried.allows()
            assert tried.failed() == (failures == circuit.PATIENT - 1)
        for pause in (1, 2, 4, 8, 16, 30, 30):
            assert not tried.allows()
            clock.now += pause - 0.01
            assert not tried.allows()
            clock.now += 0.02
            assert tried.allows()
            assert not tried.allows(), "one asks, not all"
            assert tried.failed() is False
        clock.now += 31
        assert tried.allows()
        tried.succeeded()
        for _ in range(circuit.PATIENT - 1):  # in a row, so it takes as many as before
            assert tried.allows()
            assert tried.failed() is False
        assert tried.allows()
        tried.succeeded()


def test_calls_that_were_under_way_lengthen_no_pause() -> None:
    clock = Clock()
    tried = circuit.Circuit(clock)
    assert [tried.failed() for _ in range(40)].count(True) == 1
    clock.now += 1.01
    assert tried.allows()
    assert [tried.failed() for _ in range(40)].count(True) == 0
    clock.now += 1.01
    assert not tried.allows()
    clock.now += 1
    assert tried.allows()


def test_an_asker_that_never_came_back() -> None:
    clock = Clock()
    tried = circuit.Circuit(clock)
    for _ in range(circuit.PATIENT):
        tried.failed()
    clock.now += 1.5
    assert tried.allows()  # and was interrupted
    clock.now += 1.5
    assert tried.allows()


# ---- other ways there ----


def test_a_socket_file(running: Server, tmp_path: Path) -> None:
    short = Path("/tmp") / f"fettle-{os.getpid()}"  # a socket's path is short
    with server(tmp_path, "--unixsocket", str(short)):
        try:
            remote = Remote(f"unix://{short}", key=SECRET)
            remote.put(KEY, b"payload")
            assert remote.get(KEY) == b"payload"
            assert remote.place == f"unix://{short}"
        finally:
            short.unlink(missing_ok=True)


def certificate(folder: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here, so no certificate was made.")
    key, made = folder / "key.pem", folder / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -batch"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [openssl, *words.split(), *names, "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return key, made


def test_tls(tmp_path: Path) -> None:
    key, made = certificate(tmp_path)
    port = free_port()
    words = ["--tls-port", port, "--tls-cert-file", made, "--tls-key-file", key]
    words += ["--tls-auth-clients", "no"]
    with server(tmp_path, *map(str, words)):
        remote = Remote(f"rediss://127.0.0.1:{port}?ssl_ca_certs={made}", key=SECRET)
        remote.put(KEY, b"payload")
        assert remote.get(KEY) == b"payload"
        stranger = Remote(f"valkeys://127.0.0.1:{port}", key=SECRET)
        with warned("certificate"):
            assert stranger.get(KEY) is None


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_databases(running: Server, remote: Remote, scheme: str) -> None:
    second = Remote(f"{scheme}://127.0.0.1:{running.port}/2", key=SECRET)
    second.put(KEY, b"second")
    assert (remote.get(KEY), second.get(KEY)) == (None, b"second")
    assert second.place == f"{scheme}://127.0.0.1:{running.port}/2"
    assert second.clear() == 1


def test_a_remote_says_where_it_is(remote: Remote) -> None:
    assert repr(remote) == f"<fettle Remote {remote.place}>"
    with pytest.raises(TypeError):
        pickle.dumps(remote)  # it has a secret
