# SPDX-License-Identifier: Apache-2.0
"""Real servers on loopback, for tests: one, or a cluster of three masters with a replica each."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis")  # which not every place with a Python has

sys.path.append(str(Path(__file__).parents[1]))  # what other folders use too
from contract import consumers  # noqa: E402

PATIENCE = 60.0  # seconds after which a test that waits has failed
SLOTS = 16384


def until(happened: Callable[[], Any], what: str) -> Any:
    """What the condition gave once it was true."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(redis.RedisError, redis.exceptions.RedisClusterException, OSError):
            if found := happened():
                return found
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """One server, without persistence, stopped by its own pid."""

    numbers = count()

    def __init__(self, folder: Path, *words: str) -> None:
        self.program = consumers.path("redis-server")
        self.folder = folder / f"server{next(self.numbers)}"
        self.folder.mkdir()
        self.words = words
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        fixed = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--port", str(self.port), *fixed, *self.words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        until(self.answers, f"{self.program} answers: {(self.folder / 'log').read_text()}")

    def answers(self) -> bool:
        """Anything: it may ask for a password."""
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in {b"+", b"-"}

    def client(self, **options: Any) -> "redis.Redis":
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=10, **options)

    def send(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)


@contextmanager
def server(folder: Path, *words: str) -> Iterator[Server]:
    made = Server(folder, *words)
    try:
        yield made
    finally:
        made.stop()


class Cluster:
    """Three masters and three replicas. Who is what changes with each failover: ask masters()."""

    def __init__(self, folder: Path) -> None:
        self.servers: list[Server] = []
        try:
            for _ in range(6):
                self.servers.append(Server(folder, *self._words()))
            self._join()
        except BaseException:
            self.stop()
            raise

    def _words(self) -> list[str]:
        return [
            *("--cluster-enabled", "yes", "--cluster-node-timeout", "1500"),
            *("--cluster-port", str(free_port()), "--cluster-replica-validity-factor", "0"),
        ]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{each.port}" for each in self.servers)

    def _bus_port(self, server: Server) -> str:
        return server.words[server.words.index("--cluster-port") + 1]

    def _join(self) -> None:
        masters, replicas = self.servers[:3], self.servers[3:]
        first = self.servers[0]
        for number, each in enumerate(self.servers):
            client = each.client()
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if number:
                client.execute_command(
                    "CLUSTER MEET", "127.0.0.1", first.port, self._bus_port(first)
                )
        for number, each in enumerate(masters):
            begin, end = number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1
            each.client().execute_command("CLUSTER ADDSLOTSRANGE", begin, end)
        until(lambda: all(len(self.nodes(each)) == 6 for each in self.servers), "all have met")
        for master, replica in zip(masters, replicas, strict=True):
            replica.client().execute_command("CLUSTER REPLICATE", self.identity(master))
        until(self.is_whole, "the cluster is whole")

    def identity(self, server: Server) -> str:
        return str(server.client(decode_responses=True).execute_command("CLUSTER MYID"))

    def nodes(self, server: Server) -> dict[str, Any]:
        found: dict[str, Any] = server.client(decode_responses=True).execute_command(
            "CLUSTER NODES"
        )
        return found

    def alive(self) -> list[Server]:
        return [each for each in self.servers if each.process is not None]

    def role(self, server: Server) -> str:
        return str(server.client(decode_responses=True).execute_command("ROLE")[0])

    def masters(self) -> list[Server]:
        return [each for each in self.alive() if self.role(each) == "master"]

    def is_whole(self) -> bool:
        """All agree that it is, and every replica has what its master has."""
        for each in self.alive():
            client = each.client(decode_responses=True)
            state = client.execute_command("CLUSTER INFO")
            if state["cluster_state"] != "ok" or state["cluster_slots_ok"] != str(SLOTS):
                return False
            if any("fail" in node["flags"] for node in self.nodes(each).values()):
                return False
            if client.info("replication").get("master_link_status", "up") != "up":
                return False
        return len(self.masters()) == 3

    def move(
        self,
        slot: int,
        source: Server,
        target: Server,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """As redis-cli --cluster reshard does it. While the slot is of both, clients that look for
        what is not there are told to ASK the other one."""
        old, new = source.client(), target.client()
        here, there = self.identity(source), self.identity(target)
        new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", here)
        old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", there)
        meanwhile()
        while keys := old.execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            old.execute_command(
                "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "REPLACE", "KEYS", *keys
            )
        meanwhile()
        for client in (new, old, *(each.client() for each in self.masters())):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", there)

    def stop(self) -> None:
        for each in self.servers:
            each.stop()
