# SPDX-License-Identifier: Apache-2.0
"""Recordings of memory made by hand: what the reports ask a recording for, and no more."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from fettle._core import Profile

MB, KB = 1_000_000, 1_000


@dataclass
class Site:
    """A line of a function that allocated: for each kind (blocks, bytes)."""

    line: int
    qualname: str = "load"
    file: str = "/app/build.py"
    first_line: int = 1
    parent: int = -1
    domain: int = 0
    peak: tuple[int, int] = (0, 0)
    alive: tuple[int, int] = (0, 0)
    total: tuple[int, int] = (0, 0)
    temporary: tuple[int, int] = (0, 0)

    def row(self) -> Any:
        found: dict[str, Any] = {
            f"{kind}_{unit}": getattr(self, kind)[place]
            for kind in ("peak", "alive", "total", "temporary")
            for place, unit in enumerate(("count", "bytes"))
        }
        plain = ("line", "qualname", "file", "first_line", "parent", "domain")
        found |= {name: getattr(self, name) for name in plain}
        return SimpleNamespace(name=self.qualname.rpartition(".")[2], **found)


def heap(process: int = 0, frames: int = 1, sample: int = 0, **numbers: Any) -> Any:
    names = ("total_count", "total_bytes", "peak_bytes", "alive_count", "alive_bytes")
    found = dict.fromkeys(names, 0) | {"peak_time": 0.0} | numbers
    return SimpleNamespace(process=process, frames=frames, sample=sample, **found)


def point(name: str, time: float, rows: list[tuple[int, int, int]], **more: Any) -> Any:
    """rows: site, count, bytes."""
    found = {"process": 0, "rss": 20 * MB} | more
    count, size = (sum(row[place] for row in rows) for place in (1, 2))
    return SimpleNamespace(name=name, time=time, count=count, bytes=size, rows=rows, **found)


def moment(time: float, live: int, rss: int, process: int = 0) -> Any:
    return SimpleNamespace(process=process, time=time, live=live, rss=rss)


def alive(type: str, site: int, count: int, size: int, process: int = 0) -> Any:
    return SimpleNamespace(process=process, type=type, site=site, count=count, bytes=size)


def a_class(
    type: str, instances: int, plain: int, slotted: int, why: str = "", process: int = 0
) -> Any:
    return SimpleNamespace(
        process=process,
        type=type,
        instances=instances,
        bytes=instances * plain,
        plain=plain,
        slotted=slotted,
        why=why,
    )


@dataclass
class Memory:
    """Stands in for a Profile."""

    site_list: list[Site] = field(default_factory=list)
    heap_list: list[Any] = field(default_factory=list)
    moment_list: list[Any] = field(default_factory=list)
    point_list: list[Any] = field(default_factory=list)
    object_list: list[Any] = field(default_factory=list)
    class_list: list[Any] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    collection_list: list[Any] = field(default_factory=list)  # sums
    span_list: list[Any] = field(default_factory=list)
    note_list: list[Any] = field(default_factory=list)

    def profile(self) -> Profile:
        """What it is used as."""
        return cast(Profile, self)

    def heaps(self) -> list[Any]:
        return self.heap_list or [self._summed()]

    def _summed(self) -> Any:
        return heap(
            peak_bytes=sum(site.peak[1] for site in self.site_list),
            peak_time=0.25,
            alive_count=sum(site.alive[0] for site in self.site_list),
            alive_bytes=sum(site.alive[1] for site in self.site_list),
            total_count=sum(site.total[0] for site in self.site_list),
            total_bytes=sum(site.total[1] for site in self.site_list),
        )

    def sites(self) -> list[Any]:
        return [site.row() for site in self.site_list]

    def moments(self) -> list[Any]:
        return self.moment_list

    def points(self) -> list[Any]:
        return self.point_list

    def objects(self) -> list[Any]:
        return self.object_list

    def classes(self) -> list[Any]:
        return self.class_list

    def source(self, file: str) -> str | None:
        return self.sources.get(file)

    def set_source(self, file: str, text: str) -> None:
        self.sources.setdefault(file, text)

    def set_meta(self, key: str, value: str) -> None:
        self.properties[key] = value

    def meta(self) -> dict[str, str]:
        return self.properties

    def processes(self) -> list[Any]:
        numbers = {each.process for each in (*self.heaps(), *self.moment_list, *self.point_list)}
        return [
            SimpleNamespace(pid=100 + at, command=("python", "app.py"), started=1.0)
            for at in range(max(numbers) + 1)
        ]

    def lines(self) -> Iterable[Any]:
        return []

    def notes(self) -> list[Any]:
        return self.note_list

    def threads(self) -> list[Any]:
        return [SimpleNamespace(uses=1) for _ in self.span_list]

    def spans(self) -> tuple[list[Any], list[Any]]:
        return [], self.span_list

    def collection_sums(self) -> list[Any]:
        return self.collection_list

    def totals(self) -> Any:
        return SimpleNamespace(calls=0, primitive=0, own=0.0, waiting=0.0, nodes=0)
