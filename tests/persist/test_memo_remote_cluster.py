# SPDX-License-Identifier: Apache-2.0
"""fettle.Memo with a cluster of three masters and three replicas behind it, some of which fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .machines import Machine, Machines
from .redisservers import SLOTS, Cluster, until
from .test_memo_remote import answer, ends_well, is_shared_again, loads

pytestmark = pytest.mark.once  # what servers do when one of them fails


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


@pytest.fixture
def machines(tmp_path: Path, cluster: Cluster) -> Iterator[Machines]:
    until(cluster.is_whole, "the cluster is whole")
    made = Machines(tmp_path)
    yield made
    made.end()


@pytest.fixture
def two(machines: Machines, cluster: Cluster) -> tuple[Machine, Machine]:
    made = machines(cluster.url), machines(cluster.url)
    made[0].ask("memo.clear()")
    for each in made:
        each.ask("load = Load()")
    loads(made)
    return made


def test_computed_once_for_all(machines: Machines, cluster: Cluster) -> None:
    url = cluster.url + "?socket_timeout=10&prefix=once"
    two = machines(url, CLAIM_SECONDS="5"), machines(url, CLAIM_SECONDS="5")
    two[0].ask("memo.clear()")
    for each in two:
        line = "together(*[lambda number=number: answer(number) for number in range(30)])"
        assert each.ask(line) == [answer(number) for number in range(30)]
    assert len(machines.notes) == 30
    assert [each.complaints for each in two] == ["", ""]


def test_slots_move(machines: Machines, cluster: Cluster, two: tuple[Machine, Machine]) -> None:
    source, target, _ = cluster.masters()
    count = source.client()
    full = [
        slot for slot in range(SLOTS) if count.execute_command("CLUSTER COUNTKEYSINSLOT", slot)
    ][:15]
    assert full
    for slot in full:
        cluster.move(slot, source, target, lambda: loads(two, 5))
    for slot in full:
        cluster.move(slot, target, source)
    loads(two)
    ends_well(two)
    is_shared_again(machines, two)


def others_take_over(cluster: Cluster, victim: object) -> None:
    others = [each for each in cluster.alive() if each is not victim]

    def done() -> bool:
        masters = [each for each in others if cluster.role(each) == "master"]
        states = [each.client().execute_command("CLUSTER INFO") for each in others]
        return len(masters) == 3 and all(each["cluster_state"] == "ok" for each in states)

    until(done, "a replica took over")


def test_a_master_freezes(
    machines: Machines, cluster: Cluster, two: tuple[Machine, Machine]
) -> None:
    victim = cluster.masters()[1]
    victim.freeze()
    try:
        loads(two, 50)
        others_take_over(cluster, victim)
        loads(two)
    finally:
        victim.thaw()
    loads(two)
    ends_well(two, warned=True)
    is_shared_again(machines, two)


def test_a_master_is_killed(
    machines: Machines, cluster: Cluster, two: tuple[Machine, Machine]
) -> None:
    victim = cluster.masters()[0]
    victim.stop()
    loads(two, 50)
    others_take_over(cluster, victim)
    loads(two)
    victim.start()
    until(cluster.is_whole, "it came back")
    loads(two)
    ends_well(two, warned=True)
    is_shared_again(machines, two)
