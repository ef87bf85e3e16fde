# SPDX-License-Identifier: Apache-2.0
"""What happens where a consumer is missing."""

import pytest

from . import consumers


@pytest.mark.parametrize(
    ("required", "outcome"),
    [("", pytest.skip.Exception), ("required", pytest.fail.Exception)],
)
def test_a_missing_consumer_is_said(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(consumers.FINDERS, "no such program", lambda: "")
    monkeypatch.setenv("FETTLE_CONSUMERS", required)
    with pytest.raises(outcome, match=r"no such program is not here.* `make consumers` installs"):
        consumers.path("no such program")


def test_one_that_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(consumers.FINDERS, "this one", lambda: "/bin/this")
    monkeypatch.setenv("FETTLE_CONSUMERS", "required")
    assert consumers.path("this one") == "/bin/this"
