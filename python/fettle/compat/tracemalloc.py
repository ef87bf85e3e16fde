# SPDX-License-Identifier: Apache-2.0
"""tracemalloc's interface over fettle's engine.

    from fettle.compat import tracemalloc
    tracemalloc.start()
    main_app()
    for statistic in tracemalloc.take_snapshot().statistics("lineno")[:10]:
        print(statistic)

The names, arguments, texts and orders are tracemalloc's own, so that what was written for it goes
on working; tracing costs less. A snapshot keeps equal blocks in groups and works with these: its
cost is that of the places, not of the blocks. All of it is in one file, because programs filter
tracemalloc's own memory out by its `__file__`.
"""

import fnmatch
import linecache
import os
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import total_ordering
from itertools import accumulate, chain, groupby, repeat
from operator import index
from os import PathLike
from typing import Any, Self, SupportsIndex, overload

from fettle import _core

FrameTuple = tuple[str, int]  # file and line
Frames = tuple[FrameTuple, ...]  # the most recent first
Raw = tuple[int, int, Frames, int | None]  # domain, size, frames, total_nframe
Group = tuple[Raw, int]  # equal blocks, and how many they are
File = str | bytes | PathLike[str] | PathLike[bytes]

__all__ = (
    "BaseFilter",
    "DomainFilter",
    "Filter",
    "Frame",
    "Snapshot",
    "Statistic",
    "StatisticDiff",
    "Trace",
    "Traceback",
    "clear_traces",
    "get_object_traceback",
    "get_traceback_limit",
    "get_traced_memory",
    "get_tracemalloc_memory",
    "is_tracing",
    "reset_peak",
    "start",
    "stop",
    "take_snapshot",
)

_FRAMES_MAX = 65535  # tracemalloc's


# ---- texts ----


def _format_size(size: float, sign: str = "") -> str:
    """As "12.3 MiB": one decimal below 100, none up to 10 239; sign "+" writes it always."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 100 and unit != "B":
            return f"{size:{sign}.1f} {unit}"
        if abs(size) < 10 * 1024:
            return f"{size:{sign}.0f} {unit}"
        size /= 1024
    return f"{size:{sign}.{1 if abs(size) < 100 else 0}f} TiB"


def _average(size: int, count: int) -> str:
    return f", average={_format_size(size / count)}" if count else ""


# ---- where a block was allocated ----


@total_ordering
class Frame:
    """A file name and a line number.

    >>> Frame(("app.py", 3))
    <Frame filename='app.py' lineno=3>
    """

    __slots__ = ("_frame",)

    def __init__(self, frame: FrameTuple) -> None:
        self._frame = frame

    @property
    def filename(self) -> str:
        return self._frame[0]

    @property
    def lineno(self) -> int:
        return self._frame[1]

    def __eq__(self, other: object) -> bool:
        return self._frame == other._frame if isinstance(other, Frame) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._frame < other._frame if isinstance(other, Frame) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._frame)

    def __str__(self) -> str:
        return f"{self.filename}:{self.lineno}"

    def __repr__(self) -> str:
        return f"<Frame filename={self.filename!r} lineno={self.lineno!r}>"


@total_ordering
class Traceback(Sequence[Frame]):
    """Frames from the oldest to the most recent one, of (file, line) tuples in the other order.

    total_nframe is how many frames there were before the limit cut some off, or None where that is
    not known.

    >>> print(Traceback([("leaf.py", 9), ("app.py", 3)], 2)[-1])
    leaf.py:9
    """

    __slots__ = ("_frames", "_total_nframe")

    def __init__(self, frames: Sequence[FrameTuple], total_nframe: int | None = None) -> None:
        self._frames = tuple(reversed(frames))
        self._total_nframe = total_nframe

    @property
    def total_nframe(self) -> int | None:
        return self._total_nframe

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...
    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        if isinstance(index, slice):
            return tuple(map(Frame, self._frames[index]))
        return Frame(self._frames[index])

    def __contains__(self, frame: object) -> bool:
        return isinstance(frame, Frame) and frame._frame in self._frames

    def __eq__(self, other: object) -> bool:
        return self._frames == other._frames if isinstance(other, Traceback) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._frames < other._frames if isinstance(other, Traceback) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._frames)

    def __str__(self) -> str:
        return str(self[0])

    def __repr__(self) -> str:
        total = "" if self._total_nframe is None else f" total_nframe={self._total_nframe}"
        return f"<Traceback {tuple(self)}{total}>"

    def format(self, limit: int | None = None, most_recent_first: bool = False) -> list[str]:
        """Lines as of a traceback, with the source where there is one.

        limit: how many of the most recent frames; below 0, how many of the oldest.

        >>> Traceback([("<leaf>", 9), ("<app>", 3)]).format(limit=1)
        ['  File "<leaf>", line 9']
        """
        frames = self._frames
        if limit is not None:
            frames = frames[-limit:] if limit > 0 else frames[:limit]
        lines = []
        for filename, lineno in reversed(frames) if most_recent_first else frames:
            lines.append(f'  File "{filename}", line {lineno}')
            if source := linecache.getline(filename, lineno).strip():
                lines.append(f"    {source}")
        return lines


# ---- blocks ----


class Trace:
    """One block: domain, size in bytes and traceback."""

    __slots__ = ("_trace",)

    def __init__(self, trace: Raw) -> None:
        self._trace = trace

    @property
    def domain(self) -> int:
        return self._trace[0]

    @property
    def size(self) -> int:
        return self._trace[1]

    @property
    def traceback(self) -> Traceback:
        return Traceback(*self._trace[2:])

    def __eq__(self, other: object) -> bool:
        return self._trace == other._trace if isinstance(other, Trace) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._trace)

    def __str__(self) -> str:
        return f"{self.traceback}: {_format_size(self.size)}"

    def __repr__(self) -> str:
        return (
            f"<Trace domain={self.domain} size={_format_size(self.size)},"
            f" traceback={self.traceback!r}>"
        )


class _Blocks(Sequence[Raw]):
    """The raw tuple of each block, in order; equal neighbours are one group."""

    __slots__ = ("_ends", "groups")

    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self._ends: list[int] = []  # where each group ends, once somebody asks

    @classmethod
    def of(cls, traces: Iterable[Raw]) -> Self:
        if isinstance(traces, cls):
            return traces
        return cls([(raw, sum(1 for _ in run)) for raw, run in groupby(traces)])

    def _find_ends(self) -> list[int]:
        if len(self._ends) != len(self.groups):
            self._ends = list(accumulate(count for _, count in self.groups))
        return self._ends

    def __len__(self) -> int:
        ends = self._find_ends()
        return ends[-1] if ends else 0

    def __iter__(self) -> Iterator[Raw]:
        return chain.from_iterable(repeat(raw, count) for raw, count in self.groups)

    def __reversed__(self) -> Iterator[Raw]:
        return chain.from_iterable(repeat(raw, count) for raw, count in reversed(self.groups))

    @overload
    def __getitem__(self, at: SupportsIndex) -> Raw: ...
    @overload
    def __getitem__(self, at: slice) -> list[Raw]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Raw | list[Raw]:
        places = range(len(self))[at]  # whatever a list takes, and its errors
        if isinstance(places, range):
            return [self._at(place) for place in places]
        return self._at(places)

    def _at(self, place: int) -> Raw:
        return self.groups[bisect_right(self._ends, place)][0]

    def __contains__(self, raw: object) -> bool:
        return any(raw == each for each, _ in self.groups)

    def _runs(self) -> list[Group]:
        """Groups such that no two neighbours are equal."""
        runs = groupby(self.groups, key=lambda group: group[0])
        return [(raw, sum(count for _, count in run)) for raw, run in runs]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list):
            other = _Blocks.of(other)
        return self._runs() == other._runs() if isinstance(other, _Blocks) else NotImplemented

    def __getstate__(self) -> list[Group]:
        return self.groups

    def __setstate__(self, groups: list[Group]) -> None:
        self.groups, self._ends = groups, []


class _Traces(Sequence[Trace]):
    """The Trace of each block; they are made when somebody asks."""

    def __init__(self, traces: Iterable[Raw]) -> None:
        self._traces = _Blocks.of(traces)

    def __len__(self) -> int:
        return len(self._traces)

    def __iter__(self) -> Iterator[Trace]:
        return map(Trace, self._traces)

    @overload
    def __getitem__(self, index: int) -> Trace: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Trace, ...]: ...
    def __getitem__(self, index: int | slice) -> Trace | tuple[Trace, ...]:
        if isinstance(index, slice):
            return tuple(map(Trace, self._traces[index]))
        return Trace(self._traces[index])

    def __contains__(self, trace: object) -> bool:
        return isinstance(trace, Trace) and trace._trace in self._traces

    def __eq__(self, other: object) -> bool:
        return self._traces == other._traces if isinstance(other, _Traces) else NotImplemented

    def __repr__(self) -> str:
        return f"<Traces len={len(self)}>"


# ---- statistics ----


class Statistic:
    """The sum of the blocks that were allocated at one place: size in bytes, and their count."""

    __slots__ = ("count", "size", "traceback")

    def __init__(self, traceback: Traceback, size: int, count: int) -> None:
        self.traceback = traceback
        self.size = size
        self.count = count

    def _values(self) -> tuple[Any, ...]:
        return self.traceback, self.size, self.count

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Statistic) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __str__(self) -> str:
        return (
            f"{self.traceback}: size={_format_size(self.size)}, count={self.count}"
            f"{_average(self.size, self.count)}"
        )

    def __repr__(self) -> str:
        return f"<Statistic traceback={self.traceback!r} size={self.size} count={self.count}>"

    def _sort_key(self) -> tuple[Any, ...]:
        return self.size, self.count, self.traceback


class StatisticDiff:
    """A Statistic, and by how much its size and count differ from those of an older snapshot."""

    __slots__ = ("count", "count_diff", "size", "size_diff", "traceback")

    def __init__(
        self, traceback: Traceback, size: int, size_diff: int, count: int, count_diff: int
    ) -> None:
        self.traceback = traceback
        self.size = size
        self.size_diff = size_diff
        self.count = count
        self.count_diff = count_diff

    def _values(self) -> tuple[Any, ...]:
        return self.traceback, self.size, self.size_diff, self.count, self.count_diff

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StatisticDiff):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __str__(self) -> str:
        return (
            f"{self.traceback}: size={_format_size(self.size)}"
            f" ({_format_size(self.size_diff, '+')}), count={self.count} ({self.count_diff:+})"
            f"{_average(self.size, self.count)}"
        )

    def __repr__(self) -> str:
        return (
            f"<StatisticDiff traceback={self.traceback!r} size={self.size} ({self.size_diff:+})"
            f" count={self.count} ({self.count_diff:+})>"
        )

    def _sort_key(self) -> tuple[Any, ...]:
        return abs(self.size_diff), self.size, abs(self.count_diff), self.count, self.traceback


def _keys(frames: Frames, key_type: str, cumulative: bool) -> list[Frames]:
    """What a block of these frames is counted for; one that recurs in them, as often as it does."""
    if key_type == "traceback":
        return [frames]
    if key_type == "lineno":
        return [(frame,) for frame in frames] if cumulative else [frames[:1]]
    return [((frame[0], 0),) for frame in (frames if cumulative else (frames[0],))]


def _compare(
    old: dict[Traceback, Statistic], new: dict[Traceback, Statistic]
) -> list[StatisticDiff]:
    nothing = Statistic(Traceback(()), 0, 0)
    statistics = []
    for traceback in new | old:
        before, after = old.get(traceback, nothing), new.get(traceback, nothing)
        size, count = after.size - before.size, after.count - before.count
        statistics.append(StatisticDiff(traceback, after.size, size, after.count, count))
    return statistics


# ---- filters ----


def _normalize(filename: str) -> str:
    filename = os.path.normcase(filename)
    return filename[:-1] if filename.endswith(".pyc") else filename


class BaseFilter:
    """What filter_traces() takes; inclusive: whether what matches is kept or left out."""

    def __init__(self, inclusive: bool) -> None:
        self.inclusive = inclusive

    def _match(self, trace: Raw) -> bool:
        """Whether the filter lets a block through."""
        raise NotImplementedError


class Filter(BaseFilter):
    """Keeps, or leaves out, blocks by the file (a glob) and line where they were allocated.

    lineno None: any line. all_frames: any of the block's frames, not only the most recent one.
    domain None: any domain.
    """

    def __init__(
        self,
        inclusive: bool,
        filename_pattern: str,
        lineno: int | None = None,
        all_frames: bool = False,
        domain: int | None = None,
    ) -> None:
        super().__init__(inclusive)
        self._filename_pattern = _normalize(filename_pattern)
        self.lineno = lineno
        self.all_frames = all_frames
        self.domain = domain

    @property
    def filename_pattern(self) -> str:
        return self._filename_pattern

    def _is_at(self, filename: str, lineno: int) -> bool:
        if not fnmatch.fnmatch(_normalize(filename), self._filename_pattern):
            return False
        return self.lineno is None or lineno == self.lineno

    def _match_frame(self, filename: str, lineno: int) -> bool:
        return self._is_at(filename, lineno) == bool(self.inclusive)

    def _match_traceback(self, traceback: Frames) -> bool:
        frames = traceback if self.all_frames else (traceback[0],)
        return any(self._is_at(*frame) for frame in frames) == bool(self.inclusive)

    def _match(self, trace: Raw) -> bool:
        matches = self._match_traceback(trace[2])
        if self.domain is None:
            return matches
        if self.inclusive:
            return matches and trace[0] == self.domain
        return matches or trace[0] != self.domain


class DomainFilter(BaseFilter):
    """Keeps, or leaves out, the blocks of one domain (0: Python's own allocators)."""

    def __init__(self, inclusive: bool, domain: int) -> None:
        super().__init__(inclusive)
        self._domain = domain

    @property
    def domain(self) -> int:
        return self._domain

    def _match(self, trace: Raw) -> bool:
        return (trace[0] == self._domain) == bool(self.inclusive)


# ---- snapshots ----


class Snapshot:
    """The blocks that were alive when it was taken: traces, a sequence of Trace.

    Made of raw traces too: (domain, size, ((file, line), ...), total_nframe), the most recent frame
    first.

    >>> snapshot = Snapshot([(0, 64, (("app.py", 3),), 1)] * 2, 1)
    >>> print(snapshot.statistics("lineno")[0])
    app.py:3: size=128 B, count=2, average=64 B
    """

    def __init__(self, traces: Iterable[Raw], traceback_limit: int) -> None:
        self.traces = _Traces(traces)
        self.traceback_limit = traceback_limit

    def dump(self, filename: File) -> None:
        """Writes the snapshot to a file, with what attributes it was given: texts, numbers, None.

        OSError if the file cannot be written; TypeError, ValueError for what it cannot hold.
        """
        attributes = {name: value for name, value in vars(self).items() if name != "traces"}
        try:
            content = _core.write_snapshot(self.traces._traces.groups, attributes)
        except _core.FileError:
            raise ValueError("The snapshot is too large for a file: filter its traces.") from None
        with open(filename, "wb") as stream:
            stream.write(content)

    @classmethod
    def load(cls, filename: File) -> Self:
        """Reads what dump() wrote, or tracemalloc's own dump(). Nothing is unpickled.

        OSError if the file cannot be read, ValueError if it holds no snapshot.
        """
        try:
            groups, attributes = _core.read_snapshot(filename)
        except _core.FileError as error:
            raise ValueError(_refusal(filename, *error.args)) from None
        snapshot = cls.__new__(cls)
        snapshot.__dict__.update(attributes, traces=_Traces(_Blocks(groups)))
        return snapshot

    def filter_traces(self, filters: Iterable[BaseFilter]) -> "Snapshot":
        """A new snapshot of the blocks that one inclusive filter matches and no exclusive one does.

        Without inclusive filters: of all that no exclusive one matches.

        >>> snapshot = Snapshot([(0, 64, (("app.py", 3),), 1), (0, 8, (("b.py", 1),), 1)], 1)
        >>> len(snapshot.filter_traces([Filter(False, "*/b.py"), Filter(True, "app*")]).traces)
        1
        """
        if not isinstance(filters, Iterable):
            raise TypeError(f"filters must be a list of filters, not {type(filters).__name__}")
        filters = list(filters)
        including = [each for each in filters if each.inclusive]
        excluding = [each for each in filters if not each.inclusive]
        groups = self.traces._traces.groups
        if including:
            groups = [group for group in groups if any(f._match(group[0]) for f in including)]
        kept = [group for group in groups if all(f._match(group[0]) for f in excluding)]
        return Snapshot(_Blocks(kept), self.traceback_limit)

    def _group_by(self, key_type: str, cumulative: bool) -> dict[Traceback, Statistic]:
        if key_type not in ("traceback", "filename", "lineno"):
            raise ValueError(f"unknown key_type: {key_type!r}")
        if cumulative and key_type == "traceback":
            raise ValueError(f"cumulative mode cannot by used with key type {key_type!r}")
        stacks: dict[Frames, list[int]] = {}
        for (_, size, frames, *_), count in self.traces._traces.groups:
            sums = stacks.setdefault(frames, [0, 0])
            sums[0] += size * count
            sums[1] += count
        statistics: dict[Frames, Statistic] = {}
        for frames, (size, count) in stacks.items():
            for key in _keys(frames, key_type, cumulative):
                if (statistic := statistics.get(key)) is None:
                    statistic = statistics[key] = Statistic(Traceback(key), 0, 0)
                statistic.size += size
                statistic.count += count
        return {statistic.traceback: statistic for statistic in statistics.values()}

    def statistics(self, key_type: str, cumulative: bool = False) -> list[Statistic]:
        """Sums by "traceback", "lineno" or "filename", the largest first.

        cumulative: a block counts for all frames of its traceback, not only for the most recent.
        """
        grouped = self._group_by(key_type, cumulative)
        return sorted(grouped.values(), key=Statistic._sort_key, reverse=True)

    def compare_to(
        self, old_snapshot: "Snapshot", key_type: str, cumulative: bool = False
    ) -> list[StatisticDiff]:
        """As statistics(), with the differences from an older snapshot, the largest first.

        >>> old, new = (Snapshot([(0, 64, (("app.py", 3),), 1)] * count, 1) for count in (1, 3))
        >>> print(new.compare_to(old, "lineno")[0])
        app.py:3: size=192 B (+128 B), count=3 (+2), average=64 B
        """
        if not isinstance(old_snapshot, Snapshot):
            raise TypeError(f"compare_to() takes a {Snapshot.__module__}.Snapshot to compare with")
        new = self._group_by(key_type, cumulative)
        differences = _compare(old_snapshot._group_by(key_type, cumulative), new)
        return sorted(differences, key=StatisticDiff._sort_key, reverse=True)


def _refusal(filename: File, kind: str, _: object, detail: str) -> str:
    """What is wrong with a file, in a sentence."""
    what = {
        "empty": "is empty",
        "foreign": "is neither a snapshot of fettle's nor one of tracemalloc's",
        "newer": "was written by a newer fettle: read it with that",
        "limit": "is larger than a snapshot may be",
    }.get(kind, f"is damaged or no snapshot: it has {detail}")
    return f"{filename!r} {what}."


# ---- tracing ----

_tracing: dict[str, _core.Recorder] = {}  # "heap": the one that is on, atomically
_limit = 1


def start(nframe: int = 1, /) -> None:
    """Begins to trace; each block gets its nframe most recent frames. While tracing: does nothing.

    ValueError unless nframe is 1 to 65535, RuntimeError where memory is recorded too often already.

    >>> start(2)
    >>> block = bytearray(1000)
    >>> len(get_object_traceback(block))
    2
    >>> max(take_snapshot().traces, key=lambda trace: trace.size).size >= 1000
    True
    >>> stop()
    """
    global _limit
    nframe = index(nframe)
    if not 1 <= nframe <= _FRAMES_MAX:
        raise ValueError(f"the number of frames must be in range [1; {_FRAMES_MAX}]")
    if is_tracing():
        return
    recorder = _core.Recorder(calls=False, mem=True, frames=nframe)
    recorder.start()
    if _tracing.setdefault("heap", recorder) is recorder:
        _limit = nframe
    else:  # another thread was quicker
        recorder.stop()


def stop() -> None:
    """Ends tracing, and forgets all that was traced."""
    recorder = _tracing.pop("heap", None)
    if recorder is not None:
        recorder.pause()


def is_tracing() -> bool:
    """Whether start() was called, and stop() was not since."""
    return "heap" in _tracing


def get_traceback_limit() -> int:
    """How many frames start() was last called with; 1 before."""
    return _limit


def clear_traces() -> None:
    """Forgets all blocks; what is allocated later is traced."""
    if recorder := _tracing.get("heap"):
        recorder.forget()


def get_traced_memory() -> tuple[int, int]:
    """The bytes in blocks that were traced: now, and when they were most."""
    recorder = _tracing.get("heap")
    return recorder.traced() if recorder else (0, 0)


def reset_peak() -> None:
    """Makes the peak of get_traced_memory() what there is now."""
    if recorder := _tracing.get("heap"):
        recorder.reset_peak()


def get_tracemalloc_memory() -> int:
    """The bytes that tracing itself takes."""
    recorder = _tracing.get("heap")
    return recorder.overhead() if recorder else 0


def get_object_traceback(obj: object) -> Traceback | None:
    """Where an object was allocated; None if that was not traced."""
    recorder = _tracing.get("heap")
    frames = recorder.trace_of(obj) if recorder else None
    return None if frames is None else Traceback(frames[::-1])


def take_snapshot() -> Snapshot:
    """All blocks that were traced and are alive. RuntimeError when nothing is being traced."""
    if not is_tracing():
        raise RuntimeError(
            "the tracemalloc module must be tracing memory allocations to take a snapshot"
        )
    return Snapshot(_get_traces(), get_traceback_limit())


def _get_traces() -> _Blocks:
    recorder = _tracing.get("heap")
    return _Blocks(recorder.traces() if recorder else [])


def _follow_the_interpreter() -> None:
    """Starts where `python -X tracemalloc` or PYTHONTRACEMALLOC started the standard one."""
    if "tracemalloc" in sys._xoptions or "PYTHONTRACEMALLOC" in os.environ:
        import tracemalloc as standard

        if standard.is_tracing():
            start(standard.get_traceback_limit())


_follow_the_interpreter()
