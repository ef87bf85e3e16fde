# SPDX-License-Identifier: Apache-2.0
"""What fettle.caching.remote refuses: one sentence, in which no password stands. No server."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle.caching.endpoint import SCHEMES, parse
from fettle.caching.remote import Remote

pytest.importorskip("redis")

SECRET = b"sixteen bytes or more of it"

FIXED = {
    "socket_timeout": 1,
    "socket_connect_timeout": 2,
    "protocol": 2,
    "decode_responses": False,
}

BAD_URLS = [
    "",
    "localhost",
    "http://:pw@host",
    "redis:/:pw@host",
    "REDIS://:pw@host",
    "redis://:p/pw@host",
    "redis://:1/pw@host",
    "redis://:1#pw@host",
    "redis://:1?pw@host",
    "redis://user#pw@host",
    "redis://user?pw@host",
    "redis://user?pw=pw@host",
    "redis+cluster://user#pw@host",
    "redis+cluster://user?pw@host",
    "redis://:pw@host:port",
    "redis://:pw@host:99999",
    "redis://:pw@host/one",
    "redis://:pw@host/-1",
    "redis://:pw@",
    "redis://:pw@[::1",
    "redis://:pw@host?socket_timeout=pw",
    "redis://:pw@host?no_such_option=pw",
    "rediss://:pw@host?ssl_no_such=pw",
    "unix://",
    "redis+cluster://",
    "redis+cluster://:pw@host:1,",
    "redis+cluster://:pw@host:1,host:pw",
    "redis+cluster://:pw@host:1/1",
    "redis+cluster://:p/pw@host:1",
    "redis+cluster://:pw@host:1?no_such_option=pw",
    "unix+cluster:///pw",
    "redis://host?prefix=pw:",
    "redis://host?prefix=*pw",
    "redis+cluster://:pw@host:1?prefix={pw}",
    "redis://:pw@host?prefix=" + "x" * 65,
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_urls(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        Remote(url, key=SECRET)
    sentence = str(caught.value)
    assert "pw" not in sentence
    assert sentence.endswith(".")
    assert "shared cache" in sentence
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


GOOD_URLS: list[tuple[str, str, dict[str, Any]]] = [
    ("redis://host", "redis://host:6379/0", {"host": "host"}),
    ("valkey://host:1/3", "valkey://host:1/3", {"host": "host", "port": 1, "db": 3}),
    ("redis://u:p%40@host/", "redis://host:6379/0", {"username": "u", "password": "p@"}),
    ("redis://[::1]:7", "redis://[::1]:7/0", {"host": "::1", "port": 7}),
    ("unix:///run/r.sock?db=2", "unix:///run/r.sock", {"path": "/run/r.sock", "db": 2}),
    ("redis://host?socket_timeout=2", "redis://host:6379/0", {"socket_timeout": 2.0}),
    ("redis://h?prefix=a.b-c_9", "redis://h:6379/0?prefix=a.b-c_9", {"host": "h"}),
]


@pytest.mark.parametrize(("url", "place", "options"), GOOD_URLS)
def test_good_urls(url: str, place: str, options: dict[str, Any]) -> None:
    remote = Remote(url, key=SECRET)
    assert remote.place == place
    assert remote.endpoint.options.items() >= options.items()
    assert remote.endpoint.nodes == []


def test_clusters() -> None:
    endpoint = parse("rediss+cluster://u:p@one:1,two,[::1]:3/0?ssl_cert_reqs=none", 1, 2)
    assert endpoint.nodes == [("one", 1), ("two", 6379), ("::1", 3)]
    assert endpoint.place == "rediss+cluster://one:1,two:6379,[::1]:3"
    assert endpoint.options == {
        **FIXED,
        "username": "u",
        "password": "p",
        "ssl": True,
        "ssl_cert_reqs": "none",
    }
    assert parse("valkey+cluster://one", 1, 2).options == FIXED


@pytest.mark.parametrize("scheme", sorted({*SCHEMES} - {"unix"}))
def test_a_memo_takes_every_scheme(
    scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FETTLE_CACHE_DIR", str(tmp_path))
    memo = fettle.Memo(f"{scheme}://host:1", key=SECRET)
    assert repr(memo).startswith(f"fettle.Memo('{scheme}://host:1")


def test_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FETTLE_CACHE_KEY", raising=False)
    with pytest.raises(ValueError, match=r"set FETTLE_CACHE_KEY .* trusted=True"):
        Remote("redis://host")
    with pytest.raises(ValueError, match=r"set FETTLE_CACHE_KEY"):
        Remote("redis://host", key=b"")
    Remote("redis://host", trusted=True)
    for key in (b"x", b"x" * 15):
        with pytest.raises(ValueError, match=f"has {len(key)} bytes and needs 16"):
            Remote("redis://host", key=key)
    Remote("redis://host", key=b"x" * 16)
    Remote("redis://host", key=b"x" * 1000)
    monkeypatch.setenv("FETTLE_CACHE_KEY", "too short")
    with pytest.raises(ValueError, match="has 9 bytes") as caught:
        Remote("redis://host", trusted=True)
    assert "too short" not in str(caught.value)
    monkeypatch.setenv("FETTLE_CACHE_KEY", "long enough, it seems")
    Remote("redis://host")


@pytest.mark.parametrize("option", ["ttl", "timeout", "connect_timeout"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_bad_times(option: str, value: float) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ValueError, match=r"must be above 0 seconds\.$"):
        Remote("redis://host", key=SECRET, **options)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.cluster", None)
    with pytest.raises(ImportError, match=r"pip install fettle\[redis\]") as caught:
        Remote("redis://host", key=SECRET)
    assert caught.value.__suppress_context__


def test_importing_it_does_not_import_the_package() -> None:
    program = "import sys, fettle.caching.remote; sys.exit('redis' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
