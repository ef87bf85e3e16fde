# SPDX-License-Identifier: Apache-2.0
"""fettle.Memo with a server behind it, from machines that share nothing else."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fettle
import pytest

from .machines import SECRET, Machine, Machines
from .redisservers import Server, free_port, server, until

CALM = "?socket_timeout=10"  # on a busy machine too
REDIS_WARNING = "RemoteWarning"


def answer(number: int) -> list[Any]:
    return [number, str(number) * 3, {number: number * number}]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("redis")) as made:
        yield made


@pytest.fixture
def machines(tmp_path: Path, running: Server) -> Iterator[Machines]:
    running.client().flushall()
    made = Machines(tmp_path)
    yield made
    made.end()


@pytest.fixture
def two(machines: Machines, running: Server) -> tuple[Machine, Machine]:
    return machines(running.url + CALM), machines(running.url + CALM)


def names(running: Server, pattern: str = "*") -> list[bytes]:
    return sorted(running.client().keys(pattern))


# ---- what is shared ----


def test_computed_once_for_all(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    for each in range(5):
        assert one.ask(f"answer({each})") == answer(each)
    for each in range(5):
        assert another.ask(f"answer({each})") == answer(each)
    assert machines.notes == [f"answer {each}" for each in range(5)]
    running.client().flushall()  # each has them itself now
    for each in range(5):
        assert another.ask(f"answer({each})") == answer(each)
    assert len(machines.notes) == 5
    assert one.complaints == another.complaints == ""


def test_time_saved_is_the_time_that_another_machine_took(two: tuple[Machine, Machine]) -> None:
    one, another = two
    one.ask("slow(0.125)")
    assert one.ask("memo.stats().saved") == 0.0
    another.ask("slow(0.125)")
    assert another.ask("memo.stats().saved") >= 0.125
    another.ask("slow(0.125)")
    assert another.ask("memo.stats().saved") >= 0.25
    assert another.ask("memo.stats()[4:6]") == (2, 0)


def test_time_saved_by_waiting(machines: Machines, two: tuple[Machine, Machine]) -> None:
    one, another = two
    one.tell("gated(1)")
    machines.until_noted("begun")
    another.tell("gated(1)")
    time.sleep(0.2)
    machines.open_gate()
    assert one.hear() == another.hear() == 2
    assert machines.notes == ["begun"]
    assert another.ask("memo.stats().saved") >= 0.2


def test_forget_and_clear(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    one.ask("[answer(1), answer(2), other(1)]")
    assert len(names(running)) == 3
    assert one.ask("answer.forget(1)") is True
    assert len(names(running)) == 2
    assert another.ask("answer(1)") == answer(1)
    assert machines.notes.count("answer 1") == 2
    assert one.ask("answer(1)") == answer(1)
    assert machines.notes.count("answer 1") == 2
    assert one.ask("answer.clear()") == 2
    assert len(names(running)) == len(names(running, "*other*")) == 1
    assert another.ask("[answer(2), other(1)]") == [answer(2), -1]
    assert machines.notes.count("answer 2") == 2
    assert machines.notes.count("other 1") == 1
    assert one.ask("memo.clear()") == 1
    assert names(running) == []
    assert another.ask("[answer(1), answer(2), other(1)]") == [answer(1), answer(2), -1]
    assert len(machines.notes) == 5, "the other machine's own copies are its own"


def test_call_replaces_what_is_shared(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    one.ask("answer(1)")
    (before,) = [running.client().get(name) for name in names(running)]
    assert one.ask("answer.call(1)") == answer(1)
    (after,) = [running.client().get(name) for name in names(running)]
    assert before != after, "it is of a later time"
    assert another.ask("answer(1)") == answer(1)
    assert machines.notes == ["answer 1"] * 2


@pytest.mark.once
def test_results_end_where_they_would_on_the_first_machine(
    machines: Machines, running: Server
) -> None:
    one, another, third = (machines(running.url + CALM, "{'ttl': 1000}") for _ in range(3))
    one.ask("answer(1)")
    (name,) = names(running)
    assert 900_000 < running.client().pttl(name) <= 1_000_000
    made = one.ask("memo.stats().functions[0].oldest")
    time.sleep(0.1)
    another.ask("answer(1)")
    assert abs(another.ask("memo.stats().functions[0].oldest") - made) < 0.09
    running.client().persist(name)
    third.ask(f"kept.time = lambda: 1001.0 + {made}")
    assert third.ask("answer(1)") == answer(1)
    assert machines.notes == ["answer 1"] * 2, "what is too old is not taken"


def test_a_result_that_the_programs_own_check_rejects(
    machines: Machines, two: tuple[Machine, Machine]
) -> None:
    one, another = two
    assert one.ask("checked(5)") == another.ask("checked(5)") == 5
    assert another.ask("checked(5)") == 5
    assert machines.notes == ["checked"] * 3
    machines.open_gate()
    assert one.ask("checked(5)") == another.ask("checked(5)") == 5
    assert machines.notes == ["checked"] * 3


@pytest.mark.parametrize(
    "scheme",
    [
        "rediss",
        "valkeys",
        *(f"{each}+cluster" for each in ("redis", "rediss", "valkey", "valkeys")),
    ],
)
def test_every_scheme_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("FETTLE_CACHE_DIR", str(tmp_path))
    memo = fettle.Memo(f"{scheme}://127.0.0.1:1", key=SECRET)
    assert repr(memo).startswith(f"fettle.Memo('{scheme}://127.0.0.1:1")
    memo.close()


@pytest.mark.once
def test_a_prefix_keeps_programs_apart(machines: Machines, running: Server) -> None:
    mine, ours = (machines(running.url + CALM + "&prefix=mine") for _ in range(2))
    yours = machines(running.url + CALM + "&prefix=yours")
    nobodys = machines(running.url + CALM)
    assert [each.ask("answer(1)") for each in (mine, ours, yours, nobodys)] == [answer(1)] * 4
    assert machines.notes == ["answer 1"] * 3
    assert sorted(name.partition(b"fettle:1:")[0] for name in names(running)) == [
        b"",
        b"mine:",
        b"yours:",
    ]
    paths = {each.ask("os.path.basename(memo.path)") for each in (mine, ours, yours, nobodys)}
    assert len(paths) == 3, "nor do they share a folder"
    nobodys.ask("memo.clear()")
    mine.ask("answer.clear()")
    (left,) = names(running)
    assert left.startswith(b"yours:")
    yours.ask("memo.clear()")
    assert names(running) == []


# ---- who is believed ----


@pytest.mark.once
def test_another_key_is_another_world(machines: Machines, running: Server) -> None:
    one = machines(running.url + CALM)
    another = machines(running.url + CALM, FETTLE_CACHE_KEY="a machine with another key")
    third = machines(running.url + CALM, "{'key': 'a machine with another key'}")
    for each in (one, another, third):
        assert each.ask("answer(1)") == answer(1)
        assert each.complaints == ""
    assert machines.notes == ["answer 1"] * 2
    assert len(names(running)) == 2


@pytest.mark.once
def test_trusted(machines: Machines, running: Server) -> None:
    some = [machines(running.url + CALM, "{'trusted': True}", FETTLE_CACHE_KEY="") for _ in "ab"]
    assert [each.ask("answer(1)") for each in some] == [answer(1)] * 2
    assert machines.notes == ["answer 1"]


@pytest.mark.once
@pytest.mark.parametrize("options", ["{}", "{'trusted': True}"])
def test_every_byte_of_a_value_changed(machines: Machines, running: Server, options: str) -> None:
    environment = {"FETTLE_CACHE_KEY": ""} if "trusted" in options else {}
    one = machines(running.url + CALM, options, **environment)
    one.ask("answer(7)")
    (name,) = names(running)
    client = running.client()
    good = client.get(name)
    assert isinstance(good, bytes)
    wrong = []
    for at, byte in enumerate(good):
        wrong.append(good[:at] + bytes([byte ^ 1 << at % 8]) + good[at + 1 :])
    wrong += [good[:-1], good + b"\0", good[:41], b""]
    for each in wrong:
        client.set(name, each)
        one.ask("forget_here()")
        assert one.ask("answer(7)") == answer(7)
    assert len(machines.notes) == 1 + len(wrong)
    assert one.complaints.count(REDIS_WARNING) == 1
    one.ask("forget_here()")
    assert one.ask("answer(7)") == answer(7)
    assert len(machines.notes) == 1 + len(wrong), "the good value is there again"


@pytest.mark.once
def test_values_that_change_places(machines: Machines, running: Server) -> None:
    one = machines(running.url + CALM)
    calls = [f"answer({each})" for each in range(4)] + ["other(0)", "other(2)"]
    right = [*(answer(each) for each in range(4)), 0, -2]
    client = running.client()
    for shift in range(1, len(calls)):
        one.ask("memo.clear()")
        assert [one.ask(each) for each in calls] == right
        there = names(running)
        assert len(there) == len(calls)
        values = [client.get(each) for each in there]
        for number, each in enumerate(there):
            client.set(each, values[(number + shift) % len(there)])
        one.ask("forget_here()")
        assert [one.ask(each) for each in calls] == right
    assert len(machines.notes) == 2 * len(calls) * (len(calls) - 1)


# ---- results of all kinds ----


def test_results_that_can_not_be_pickled(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    for each in two:
        for _ in range(2):
            assert each.ask("[unkept(3)[0], list(unkept(3)[1])]") == [3, [0, 1, 2]]
        assert each.complaints.count("MemoWarning") == 1
    assert machines.notes == ["unkept"] * 8
    assert names(running) == [], "no claim is left"


def test_functions_that_raise(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    for each in two:
        assert each.ask("broken(3)") == "LookupError: 3"
    assert machines.notes == ["broken"] * 2
    assert names(running) == []


@pytest.mark.once
def test_large_results(machines: Machines, two: tuple[Machine, Machine]) -> None:
    one, another = two
    line = "(len(large(20 << 20)), large(20 << 20)[-2:])"
    assert one.ask(line) == another.ask(line) == (20 << 20, b"\xfe\xff")
    assert machines.notes == ["large"]
    assert one.complaints == another.complaints == ""


@pytest.mark.once
def test_results_that_are_too_large(machines: Machines, two: tuple[Machine, Machine]) -> None:
    one, another = two
    for each in (one, another):
        assert each.ask("len(large(65 << 20))") == 65 << 20
        assert each.ask("len(large(66 << 20))") == 66 << 20
        assert each.ask("len(large(65 << 20))") == 65 << 20
        assert each.complaints.count(REDIS_WARNING) == 1
        assert "stays on this machine" in each.complaints
    assert machines.notes == ["large"] * 4


def test_arrays_may_be_written_to(machines: Machines, two: tuple[Machine, Machine]) -> None:
    pytest.importorskip("numpy")
    for each in two:
        each.ask("exec('import numpy\\nmade = memo(numpy.arange, version=1)')")
        each.ask("exec('for n in (10, 100000): first = made(n); first += 1')")
        for count in (10, 100000):
            assert each.ask(f"int(made({count}).sum())") == count * (count - 1) // 2
            assert each.complaints == ""


# ---- who computes ----


@pytest.mark.once
def test_many_want_what_is_not_there(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    for number in range(5):
        for each in two:
            each.tell(f"together(*[lambda: answer({number})] * 4)")
        assert [each.hear() for each in two] == [[answer(number)] * 4] * 2
    assert sorted(machines.notes) == [f"answer {number}" for number in range(5)]
    assert names(running, "*+") == []


@pytest.mark.once
@pytest.mark.parametrize("seconds", [0.1, 3])
def test_many_wait_for_another_machine(
    machines: Machines, two: tuple[Machine, Machine], seconds: float
) -> None:
    one, another = two
    one.tell(f"slow({seconds})")
    machines.until_noted("slow")
    another.tell(f"together(*[lambda: slow({seconds})] * 4)")
    assert one.hear() == "slow"
    assert another.hear() == ["slow"] * 4
    assert machines.notes == ["slow"]


@pytest.mark.parametrize("seconds", [0.1, 3])
def test_many_tasks_wait_for_another_machine(
    machines: Machines, two: tuple[Machine, Machine], seconds: float
) -> None:
    one, another = two
    line = f"slow_later({seconds})"
    one.tell(f"asyncio.run({line})")
    machines.until_noted("slow")
    another.tell(f"asyncio.run(gathered(*[{line}, {line}, {line}, {line}]))")
    assert one.hear() == "slow"
    assert another.hear() == ["slow"] * 4
    assert machines.notes == ["slow"]


def test_another_machine_takes_over(machines: Machines, running: Server) -> None:
    one, another = (machines(running.url + CALM, CLAIM_SECONDS="1") for _ in range(2))
    one.tell("gated(1)")
    machines.until_noted("begun")
    one.kill()
    another.tell("together(*[lambda: gated(1)] * 4)")
    machines.until_noted("begun", 2)
    machines.open_gate()
    assert another.hear() == [2] * 4
    assert machines.notes == ["begun"] * 2


@pytest.mark.once
def test_patience_ends(machines: Machines, running: Server) -> None:
    one, another = (machines(running.url + CALM, "{'wait': 0.1}") for _ in range(2))
    one.tell("gated(1)")
    machines.until_noted("begun")
    another.tell("gated(1)")
    machines.until_noted("begun", 2)
    machines.open_gate()
    assert one.hear() == another.hear() == 2


# ---- coroutine functions ----


def test_coroutine_functions(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    line = "asyncio.run(gathered(*[later(each % 5) for each in range(40)]))"
    for each in two:
        each.tell(line)
    right = [["later", each % 5] for each in range(40)]
    assert [each.hear() for each in two] == [right] * 2
    assert sorted(machines.notes) == [f"later {each}" for each in range(5)]
    for each in two:
        each.ask("forget_here()")
        assert each.ask(line) == right
        assert each.complaints == ""
    assert len(machines.notes) == 5
    assert names(running, "*+") == []


def test_a_coroutine_that_is_cancelled_while_it_computes(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    assert one.ask("asyncio.run(cancelled(gated_later(1), 0.2))") == "cancelled"
    assert names(running) == []
    assert one.ask("len(memo._remote._session.held)") == 0
    machines.open_gate()
    assert another.ask("asyncio.run(gated_later(1))") == 3


def test_a_coroutine_that_is_cancelled_while_it_waits(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    one.tell("asyncio.run(gated_later(1))")
    machines.until_noted("begun")
    for _ in range(3):
        line = "asyncio.run(cancelled(gated_later(1), 0.1))"
        assert another.ask(line) == "cancelled", "and its loop ends"
        assert another.ask("threading.active_count()") == 1
    (claim,) = names(running)
    assert claim.endswith(b"+")
    machines.open_gate()
    assert one.hear() == 3
    assert another.ask("asyncio.run(gated_later(1))") == 3
    assert machines.notes == ["begun"]
    assert names(running, "*+") == []


def test_a_coroutine_that_is_cancelled_at_any_moment(
    machines: Machines, two: tuple[Machine, Machine], running: Server
) -> None:
    one, another = two
    for step in range(60):
        line = f"asyncio.run(cancelled(later({step}), {step / 10000}))"
        assert one.ask(line) in ("cancelled", ["later", step])
        assert names(running, "*+") == []
        assert one.ask("len(memo._remote._session.held)") == 0
    assert another.ask("asyncio.run(gathered(*map(later, range(60))))") == [
        ["later", step] for step in range(60)
    ]


@pytest.mark.parametrize("method", ["claim", "lookup", "put", "release"])
def test_a_coroutine_that_is_cancelled_while_a_thread_asks(
    machines: Machines, two: tuple[Machine, Machine], running: Server, method: str
) -> None:
    one, another = two
    one.ask(f"slow, noted, go_on = slowed(memo._remote.{method})")
    one.ask(f"memo._remote.{method} = slow")
    said = one.ask("asyncio.run(cancelled_in_a_thread(later(1), go_on))")
    assert said == (["later", 1] if method == "release" else "cancelled")
    assert set(one.ask("noted")) == {True}
    assert names(running, "*+") == []
    assert one.ask("len(memo._remote._session.held)") == 0
    assert another.ask("asyncio.run(later(1))") == ["later", 1]


@pytest.mark.parametrize("method", ["claim", "lookup", "put", "release"])
def test_the_loop_goes_on_while_a_thread_asks(two: tuple[Machine, Machine], method: str) -> None:
    one, _ = two
    one.ask(f"slow, noted, go_on = slowed(memo._remote.{method})")
    one.ask(f"memo._remote.{method} = slow")
    assert one.ask("asyncio.run(meanwhile(later(1), go_on))") == ["later", 1]
    assert set(one.ask("noted")) == {True}


def test_many_tasks_wait_for_each_others_machines(
    machines: Machines, two: tuple[Machine, Machine]
) -> None:
    """More than there are threads to talk to the server."""
    line = "asyncio.run(gathered(*[later(each) for each in {}]))"
    forth, back = list(range(60)), list(range(59, -1, -1))
    two[0].tell(line.format(forth))
    two[1].tell(line.format(back))
    assert two[0].hear() == [["later", each] for each in forth]
    assert two[1].hear() == [["later", each] for each in back]
    assert len(machines.notes) == 60


# ---- servers that fail ----


def loads(some: tuple[Machine, ...], calls: int = 300) -> None:
    """Each machine's load goes on."""
    for each in some:
        each.ask(f"goal = load.calls + {calls}")
    for each in some:
        until(lambda each=each: each.ask("load.calls >= goal"), "calls go on")  # type: ignore[misc]


def ends_well(some: tuple[Machine, ...], warned: bool = False) -> None:
    """warned: the machines noticed, and said it once."""
    for each in some:
        each.tell("load.stop()")
    for each in some:
        wrong, longest, hanging = each.hear()
        assert wrong == []
        assert hanging == 0
        assert longest < 30  # seconds: a hang, not a speed limit
        assert each.complaints.count(REDIS_WARNING) <= 1, each.complaints
        assert "Traceback" not in each.complaints
    if warned:
        assert any(REDIS_WARNING in each.complaints for each in some)


def is_shared_again(machines: Machines, some: tuple[Machine, ...]) -> None:
    """What one machine computes the others have, whatever was said of the server before."""
    tried = iter(range(1000, 100000))

    def once() -> bool:
        number = next(tried)
        assert [each.ask(f"answer({number})") for each in some] == [answer(number)] * len(some)
        return machines.notes.count(f"answer {number}") == 1

    until(once, "results are shared again")


@pytest.mark.once
def test_no_server_is_there(machines: Machines) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    one, another = machines(url), machines(url)
    for each in (one, another):
        assert each.ask("[answer(1), answer(1)]") == [answer(1)] * 2
        assert each.ask("asyncio.run(later(1))") == ["later", 1]
        assert each.ask("[answer.forget(1), answer.clear(), memo.clear()]") == [True, 0, 1]
        assert each.complaints.count(REDIS_WARNING) == 1
    assert sorted(machines.notes) == ["answer 1"] * 2 + ["later 1"] * 2


@pytest.mark.once
def test_a_server_is_killed_and_comes_back(machines: Machines, tmp_path: Path) -> None:
    with server(tmp_path) as mortal:
        two = machines(mortal.url), machines(mortal.url)
        for each in two:
            each.ask("load = Load()")
        loads(two)
        for _ in range(3):
            mortal.stop()
            loads(two)
            mortal.start()
            loads(two)
        ends_well(two, warned=True)
        is_shared_again(machines, two)


@pytest.mark.once
def test_a_server_freezes(machines: Machines, tmp_path: Path) -> None:
    with server(tmp_path) as frozen:
        # A claim that a frozen server took lasts until it ends, if its owner gave the server up.
        one, another = (machines(frozen.url, CLAIM_SECONDS="5") for _ in range(2))
        two = one, another
        for each in two:
            each.ask("load = Load()")
        loads(two)
        for _ in range(2):
            frozen.freeze()
            loads(two, 100)
            frozen.thaw()
            loads(two)
        ends_well(two, warned=True)
        is_shared_again(machines, two)
