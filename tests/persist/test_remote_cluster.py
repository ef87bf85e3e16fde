# SPDX-License-Identifier: Apache-2.0
"""fettle.caching.remote on a cluster of three masters and three replicas, of which some fail."""

import time
from collections.abc import Iterator

import pytest
from fettle.caching import circuit
from fettle.caching.remote import Remote, RemoteWarning

from . import sharing
from .redisservers import SLOTS, Cluster, Server, until
from .sharing import SECRET, Cached, answer, key_of

NUMBERS = range(150)

pytestmark = [
    pytest.mark.once,  # what servers do when one of them fails
    pytest.mark.filterwarnings(f"ignore::{RemoteWarning.__module__}.RemoteWarning"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


@pytest.fixture
def remote(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    monkeypatch.setattr(circuit, "FIRST_PAUSE", 0.2)
    made = Remote(cluster.url, key=SECRET)
    until(cluster.is_whole, "the cluster is whole")
    made.clear()
    yield made
    made.close()


@pytest.fixture
def patient(cluster: Cluster, remote: Remote) -> Iterator[Remote]:
    """One that nothing fails for, on a busy machine either."""
    made = Remote(cluster.url, key=SECRET, timeout=10)
    yield made
    made.close()


def filled(remote: Remote) -> Cached:
    cached = Cached(remote)
    assert [cached(each) for each in NUMBERS] == [answer(each) for each in NUMBERS]
    return cached


def recovers(remote: Remote) -> None:
    """After a while every value can be had from the cluster again (but those that a load forgets
    in the meantime)."""
    kept = [each for each in NUMBERS if each % sharing.FORGOTTEN]

    def all_hit() -> bool:
        cached = Cached(remote)
        assert [cached(each) for each in kept] == [answer(each) for each in kept]
        return cached.computed == 0

    until(all_hit, "every value is a hit again")


def test_every_master_has_some(cluster: Cluster, patient: Remote) -> None:
    filled(patient)
    sizes = [each.client().dbsize() for each in cluster.masters()]
    assert sum(sizes) == len(NUMBERS)
    assert min(sizes) > 10
    assert patient.stats().failures == 0


def test_listing_and_clearing_reach_every_master(cluster: Cluster, patient: Remote) -> None:
    filled(patient)
    for each in range(20):
        patient.put(key_of(each), b"12345", function="{one} slot*?")
    assert [(name, entries) for name, entries, _ in patient.functions()] == [
        ("answer", len(NUMBERS)),
        ("{one} slot*?", 20),
    ]
    assert patient.clear("{one} slot*?") == 20
    assert patient.clear() == len(NUMBERS)
    assert [each.client().dbsize() for each in cluster.masters()] == [0, 0, 0]


def test_claims(cluster: Cluster, patient: Remote) -> None:
    other = Remote(cluster.url, key=SECRET, timeout=10)
    for each in range(20):
        token = patient.claim(key_of(each))
        assert token
        assert other.claim(key_of(each)) is None
        patient.release(key_of(each), token)
        assert other.claim(key_of(each))
    other.close()


def test_a_node_of_the_url_may_be_away(cluster: Cluster) -> None:
    hosts = cluster.url.partition("://")[2].split(",")
    remote = Remote(f"redis+cluster://127.0.0.1:1,{hosts[4]}", key=SECRET, timeout=10)
    remote.put(b"key", b"value")
    assert remote.get(b"key") == b"value"
    assert remote.stats().failures == 0
    remote.close()


def test_slots_move_under_load(cluster: Cluster, patient: Remote) -> None:
    filled(patient)
    source, target, _ = cluster.masters()
    client = source.client()
    count = "CLUSTER COUNTKEYSINSLOT"
    mine = [slot for slot in range(SLOTS) if client.execute_command(count, slot)]
    assert len(mine) > 20
    with sharing.load(patient) as calls:
        for slot in mine[:25]:
            cluster.move(slot, source, target, lambda: calls.goes_on(20))
        for slot in mine[:25]:
            cluster.move(slot, target, source)
    assert patient.stats().failures == 0
    recovers(patient)


def fails_over(cluster: Cluster, victim: Server) -> None:
    others = [each for each in cluster.alive() if each is not victim]

    def done() -> bool:
        masters = [each for each in others if cluster.role(each) == "master"]
        states = [each.client().execute_command("CLUSTER INFO") for each in others]
        return len(masters) == 3 and all(each["cluster_state"] == "ok" for each in states)

    until(done, "a replica took over")


def test_a_master_freezes_under_load(cluster: Cluster, remote: Remote) -> None:
    filled(remote)
    victim = cluster.masters()[1]
    with sharing.load(remote) as calls:
        victim.freeze()
        try:
            calls.goes_on(50)
            fails_over(cluster, victim)
            recovers(remote)
        finally:
            victim.thaw()
        calls.goes_on()
    until(cluster.is_whole, "it came back")
    assert remote.stats().failures > 0
    recovers(remote)


def test_a_master_is_killed_under_load(cluster: Cluster, remote: Remote) -> None:
    filled(remote)
    idle = Remote(cluster.url, key=SECRET, timeout=10)  # learns of it afterwards
    assert idle.get(key_of(1), function="answer") is not None
    victim = cluster.masters()[0]
    with sharing.load(remote) as calls:
        victim.stop()
        calls.goes_on(50)
        fails_over(cluster, victim)
        recovers(remote)
        recovers(idle)
        assert idle.stats().failures == 0
    idle.close()
    victim.start()
    until(cluster.is_whole, "it came back")
    recovers(remote)


def test_all_of_it_goes_and_comes_back(cluster: Cluster, remote: Remote) -> None:
    cached = filled(remote)
    for each in cluster.servers:
        each.freeze()
    try:
        began = time.monotonic()
        assert [cached(each) for each in NUMBERS] == [answer(each) for each in NUMBERS]
        assert time.monotonic() - began < 30  # seconds: calls that hang, not slow ones
        assert remote.stats().opened >= 1
    finally:
        for each in cluster.servers:
            each.thaw()
    until(cluster.is_whole, "it came back")
    recovers(remote)
