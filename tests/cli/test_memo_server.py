# SPDX-License-Identifier: Apache-2.0
"""`fettle memo` of results that machines share, on a real server."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Folder

pytest.importorskip("redis")
sys.path.append(str(Path(__file__).parents[1]))  # what other folders use too
from persist.redisservers import Server, server

pytestmark = pytest.mark.once  # what is said of a server

APP = """\
import sys
import fettle

memo = fettle.Memo(sys.argv[1])

@memo
def few(n):
    print("computing", n)
    return n

@memo
def large(n):
    return b"x" * 100_000

for n in range(5):
    few(n)
large(1)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture
def shared(folder: Folder, running: Server) -> Folder:
    running.client().flushall()
    folder.write("app.py", APP)
    ended = folder.python("app.py", running.url, **keys(folder))
    assert (ended.code, ended.stderr) == (0, "")
    return folder


def keys(folder: Folder) -> dict[str, str]:
    return {"FETTLE_CACHE_KEY": "k" * 32, "FETTLE_CACHE_DIR": str(folder.path / "mine")}


def entries(folder: Folder, url: str) -> dict[str, int]:
    ended = folder.fettle("memo", "ls", url, "--json", **keys(folder))
    assert (ended.code, ended.stderr) == (0, "")
    return {row["name"]: row["entries"] for row in json.loads(ended.stdout)["functions"]}


def test_a_server_is_listed(shared: Folder, running: Server) -> None:
    assert entries(shared, running.url) == {"app.few": 5, "app.large": 1}
    ended = shared.fettle("memo", "ls", running.url, **keys(shared))
    assert ended.stdout.startswith(f"{running.url}: 6 results of 2 functions, ")
    told = json.loads(shared.fettle("memo", "stat", running.url, "--json", **keys(shared)).stdout)
    assert (told["entries"], told["hits"], told["oldest"]) == (6, None, None)
    values = [name for name in running.client().keys("fettle:*") if not name.endswith(b"+")]
    assert told["bytes"] == sum(running.client().strlen(name) for name in values)


def test_clear_is_of_the_server_and_of_what_is_in_front_of_it(
    shared: Folder, running: Server
) -> None:
    running.client().set("of another program", "stays")
    ended = shared.fettle("memo", "clear", running.url, **keys(shared))
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == f"{running.url}: 6 results forgotten, and 6 on this machine\n"
    assert running.client().keys() == [b"of another program"]
    again = shared.python("app.py", running.url, **keys(shared))
    assert again.stdout.count("computing") == 5


def test_clear_of_a_function(shared: Folder, running: Server) -> None:
    ended = shared.fettle("memo", "clear", running.url, "--function", "*.few", **keys(shared))
    assert ended.stdout == f"{running.url}: 5 results forgotten, and 5 on this machine\n"
    assert entries(shared, running.url) == {"app.large": 1}


def test_without_a_key_it_is_asked_for(folder: Folder, running: Server) -> None:
    ended = folder.fettle("memo", "ls", running.url)
    assert ended.code == 2
    assert "FETTLE_CACHE_KEY" in ended.sentence()
    assert "--trusted" in ended.sentence()
    assert folder.fettle("memo", "ls", running.url, "--trusted").code == 0
    assert folder.names() == set()


@pytest.mark.parametrize("action", ["ls", "stat", "clear"])
def test_a_server_that_is_away_is_one_sentence(folder: Folder, action: str) -> None:
    url = "redis://user:secret@127.0.0.1:1/0"
    ended = folder.fettle("memo", action, url, **keys(folder))
    assert (ended.code, ended.stdout) == (3, "")
    assert "does not answer" in ended.sentence()
    assert "secret" not in ended.stderr
    assert folder.names() == set()


def test_a_server_that_refuses_is_one_sentence(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    with server(tmp_path / "locked", "--requirepass", "open") as locked:
        ended = folder.fettle("memo", "ls", locked.url, **keys(folder))
        assert ended.code == 3
        assert ended.sentence()


@pytest.mark.parametrize("url", ["redis://", "redis://host:port", "redis://h/x", "http://host"])
def test_a_url_that_is_wrong_is_one_sentence(folder: Folder, url: str) -> None:
    ended = folder.fettle("memo", "ls", url, **keys(folder))
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.sentence()
