# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: options, marks, fixtures. docs/pytest.md describes them.

pytest loads this in every run of every project that has fettle installed. So it imports nothing
else of fettle, and its hooks run once a session; what a run asks for is in fettle.testing, and
comes when it is asked for.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from fettle.testing.benchmark import Benchmark
    from fettle.testing.facade import Fettle

_MARK = (
    'fettle(time="5ms", mem="1MB", calls=100, allocations=1000, leaks=0): the most that the test'
    " function may take; see docs/pytest.md of fettle"
)
_BENCHMARK_MARK = "benchmark(group=, min_rounds=, max_time=, ...): options of the fixture benchmark"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _keep_as_it_is(pluginmanager)
    group = parser.getgroup("fettle", "fettle: measure, find, fix, prove")
    group.addoption(
        "--fettle",
        nargs="?",
        const="calls",
        metavar="calls,lines[=SEL],mem",
        help="record the session (calls, without a word), and show the slowest tests and their"
        " functions",
    )
    group.addoption(
        "--fettle-output",
        default="pytest.fettle",
        metavar="FILE",
        help="where the recording of --fettle goes (pytest.fettle)",
    )
    group.addoption(
        "--fettle-rows",
        type=int,
        default=10,
        metavar="N",
        help="how many of the slowest tests --fettle shows (10)",
    )
    group.addoption(
        "--fettle-baseline",
        metavar="FILE",
        help="compare the calls, allocations and peak memory of each test with those in FILE",
    )
    group.addoption(
        "--fettle-update",
        action="store_true",
        help="write what was counted into the FILE of --fettle-baseline",
    )
    group.addoption(
        "--fettle-tolerance",
        metavar="PERCENT",
        help="by how much a test may grow beyond --fettle-baseline (0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARK)
    option = config.option
    if option.fettle is not None or option.fettle_baseline or option.fettle_update:
        from fettle.testing import options

        options.begin(config)
    if not config.pluginmanager.hasplugin("benchmark"):
        config.addinivalue_line("markers", _BENCHMARK_MARK)
        config.pluginmanager.register(_BenchmarkFixture(), "fettle-benchmark")
        if getattr(option, "dist", "no") != "no":  # workers measure, and this process shows it
            from fettle.testing import benchresults

            benchresults.table_of(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any(item.get_closest_marker("fettle") for item in items):
        from fettle.testing import measuring

        measuring.begin_limits(config, items)


@pytest.fixture(name="fettle")
def fettle_fixture(request: pytest.FixtureRequest) -> Fettle:
    """The functions of fettle: fettle.time(f), with fettle.run() as recording, and all others."""
    from fettle.testing.facade import Fettle

    session: Any = request.config.pluginmanager.getplugin("fettle-session")
    return Fettle(request.node.nodeid, session.off) if session else Fettle(request.node.nodeid)


class _BenchmarkFixture:
    """There where pytest-benchmark is not."""

    @pytest.fixture
    def benchmark(self, request: pytest.FixtureRequest) -> Iterator[Benchmark]:
        """Calls a function again and again, and shows how long it takes: benchmark(f, *args)."""
        from fettle.testing import benchmark

        with benchmark.of(request.config, request.node) as fixture:
            yield fixture


def _keep_as_it_is(pluginmanager: pytest.PytestPluginManager) -> None:
    """pytest rewrites the assertions of whatever has a plugin, by a loader that lacks what runpy
    asks for; fettle's own modules are no tests."""
    marked = getattr(pluginmanager.rewrite_hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("fettle")
