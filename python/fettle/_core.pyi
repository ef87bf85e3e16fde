"""The C core: the model of a recording, the recorder of this process, the file, the exports.

The rows are struct sequences, as os.stat_result is: tuples whose items have names, without what
namedtuple adds (_fields, _asdict, _replace).
"""

from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from os import PathLike
from types import CodeType, MemberDescriptorType, MethodType
from typing import (
    Any,
    Final,
    Generic,
    Literal,
    Never,
    ParamSpec,
    Self,
    TypeVar,
    final,
    overload,
)

from _typeshed import structseq
from typing_extensions import Buffer

_T = TypeVar("_T")
_P = ParamSpec("_P")
_R = TypeVar("_R")

@final
class FunctionRow(
    structseq[Any],
    tuple[str, int, str, str, int, int, float, float, float, float, float, float],
):
    """One function over all threads and processes. Times are seconds."""

    file: Final[str]  # co_filename, or "~" for C functions
    line: Final[int]  # co_firstlineno, or 0
    name: Final[str]  # co_name, or cProfile's label: "<built-in method time.sleep>"
    qualname: Final[str]
    calls: Final[int]
    primitive: Final[int]
    own: Final[float]
    cumulative: Final[float]
    own_waiting: Final[float]
    cumulative_waiting: Final[float]
    own_awaited: Final[float]  # a coroutine's suspension: beside own, it is no time of a thread
    cumulative_awaited: Final[float]  # with what it awaited, beside cumulative; not other tasks'

@final
class EdgeRow(structseq[Any], tuple[int, int, int, int, float, float, float, float, float, float]):
    """The calls of one function by another. Times are seconds."""

    caller: Final[int]  # index into functions(); -1 for what no recorded function called
    callee: Final[int]  # index into functions()
    calls: Final[int]
    primitive: Final[int]  # calls that were not below another call of callee by caller
    own: Final[float]  # of the callee when called by caller, as the others
    cumulative: Final[float]
    own_waiting: Final[float]
    cumulative_waiting: Final[float]
    own_awaited: Final[float]
    cumulative_awaited: Final[float]

@final
class TreeRow(
    structseq[Any],
    tuple[
        str,
        int,
        int,
        str,
        int,
        str,
        str,
        int,
        float,
        float,
        float,
        float,
        int,
        int,
        float,
        float,
        float,
        float,
        float,
    ],
):
    """One line of the call tree; tasks stand below who created them. Times are seconds.

    Of each row, own, the cumulative times of the rows below it and folded sum to cumulative."""

    # "recording", "process", "thread", "call"; "task": the outermost call of a task of an event
    # loop, below what created it; "folded", "folded again": past the cap
    kind: Final[str]
    place: Final[int]  # in processes() or threads(), else -1
    parent: Final[int]  # index of the row above, which comes before; -1 for the recording
    file: Final[str]  # as of a FunctionRow
    line: Final[int]
    name: Final[str]  # likewise, or a thread's name
    qualname: Final[str]
    calls: Final[int]
    own: Final[float]
    cumulative: Final[float]
    own_waiting: Final[float]
    cumulative_waiting: Final[float]
    folded_functions: Final[int]  # how many different ones below this row have no row of their own
    folded_calls: Final[int]
    folded: Final[float]  # the time in them
    folded_waiting: Final[float]
    own_awaited: Final[float]
    cumulative_awaited: Final[float]
    folded_awaited: Final[float]

@final
class ProcessRow(structseq[Any], tuple[int, int, tuple[str, ...], str, float, float]):
    pid: Final[int]
    parent_pid: Final[int]
    command: Final[tuple[str, ...]]
    python: Final[str]
    started: Final[float]  # Unix time, seconds
    elapsed: Final[float]  # seconds

@final
class ThreadRow(structseq[Any], tuple[int, str, int, int, int, float, float]):
    process: Final[int]  # index into processes()
    name: Final[str]
    uses: Final[int]
    nodes: Final[int]
    calls: Final[int]
    own: Final[float]
    waiting: Final[float]

@final
class Totals(structseq[Any], tuple[int, int, float, float, int]):
    calls: Final[int]
    primitive: Final[int]
    own: Final[float]
    waiting: Final[float]
    nodes: Final[int]

@final
class NoteRow(structseq[Any], tuple[str, int, int]):
    # "folded", "disk full", "no tool id", "hook taken", "still running", "torn", "deep stack",
    # "out of memory", "children lost", "never started", "too many lines",
    # "tracer taken", "allocator taken", "no shadow", "interpreters"; "note N" for kinds that are
    # not known
    kind: Final[str]
    process: Final[int]
    count: Final[int]  # type: ignore[assignment]  # a field, where tuple has a method

@final
class HeapRow(structseq[Any], tuple[int, int, int, int, int, int, float, int, int]):
    """The heap of one process. Counts are of blocks, bytes are what the program asked for; where
    sample is not 0, they are estimates."""

    process: Final[int]  # index into processes(); ascending
    frames: Final[int]  # how many of a path were kept at most
    sample: Final[int]  # mean bytes between two samples; 0: every block was heard of
    total_count: Final[int]
    total_bytes: Final[int]
    peak_bytes: Final[int]  # the most that was alive
    peak_time: Final[float]  # when: seconds since the recording began
    alive_count: Final[int]  # at the end
    alive_bytes: Final[int]

@final
class SiteRow(
    structseq[Any],
    tuple[str, int, int, str, str, int, int, int, int, int, int, int, int, int, int],
):
    """One place where memory was allocated, over all processes. Numbers do not hold those of the
    sites below it."""

    file: Final[str]  # co_filename; "<unknown>", as name and qualname, with line 0
    line: Final[int]  # the line that ran, or 0
    first_line: Final[int]  # co_firstlineno, or 0
    name: Final[str]
    qualname: Final[str]
    parent: Final[int]  # index of the caller's row, smaller; -1: the outermost frame that was kept
    domain: Final[int]  # 0 for Python's allocators, others as tracemalloc numbers them
    total_count: Final[int]
    total_bytes: Final[int]
    peak_count: Final[int]  # alive when the process's heap was largest
    peak_bytes: Final[int]
    alive_count: Final[int]  # at the end
    alive_bytes: Final[int]
    temporary_count: Final[int]  # freed before four more blocks were allocated
    temporary_bytes: Final[int]

@final
class MomentRow(structseq[Any], tuple[int, float, int, int]):
    process: Final[int]  # index into processes(); ascending
    time: Final[float]  # seconds since the recording began; ascending within a process
    live: Final[int]  # bytes that were alive
    rss: Final[int]  # bytes that the process had resident

@final
class PointRow(structseq[Any], tuple[int, str, float, int, int, int, list[tuple[int, int, int]]]):
    """A moment that the program named."""

    process: Final[int]  # index into processes(); ascending
    name: Final[str]
    time: Final[float]  # seconds since the recording began
    count: Final[int]  # type: ignore[assignment]  # blocks alive; tuple has a method
    bytes: Final[int]
    rss: Final[int]
    # (index into sites(), count, bytes); several rows may have the same site
    rows: Final[list[tuple[int, int, int]]]

@final
class CollectionRow(structseq[Any], tuple[int, float, float, int, int]):
    """One garbage collection; of a process that made many, the longest have a row."""

    process: Final[int]  # index into processes(); ascending
    start: Final[float]  # seconds since the recording began; ascending within a process
    duration: Final[float]
    generation: Final[int]  # as the interpreter counts them
    collected: Final[int]  # objects that it freed

@final
class CollectionSumRow(structseq[Any], tuple[int, int, int, float, float, int, int]):
    """All garbage collections of one generation in one process."""

    process: Final[int]  # index into processes(); ascending
    generation: Final[int]
    count: Final[int]  # type: ignore[assignment]  # a field, where tuple has a method
    time: Final[float]  # of all together
    longest: Final[float]
    collected: Final[int]
    uncollectable: Final[int]

@final
class ThreadSpanRow(structseq[Any], tuple[int, str, float, float | None]):
    """When a thread ran, as far as it was recorded. Of a process with more than 1050 threads some
    rows are several of them, which ran one after another on the same tree."""

    process: Final[int]  # index into processes()
    name: Final[str]  # of the tree it ran on, as in threads()
    start: Final[float]  # of its first event: seconds since the recording began
    end: Final[float | None]  # None: it had not ended when the recording did

@final
class ObjectRow(structseq[Any], tuple[int, str, int, int, int]):
    """Objects of one type from one site that were alive at the end."""

    process: Final[int]  # index into processes()
    type: Final[str]  # "module.qualname"; builtins without their module
    site: Final[int]  # index into sites(); -1: older than the recording
    count: Final[int]  # type: ignore[assignment]  # a field, where tuple has a method
    bytes: Final[int]

@final
class ClassRow(structseq[Any], tuple[int, str, int, int, int, int, str]):
    """What __slots__ would save in one class."""

    process: Final[int]  # index into processes()
    type: Final[str]  # "module.qualname"
    instances: Final[int]  # alive at the end
    bytes: Final[int]  # of all of them
    plain: Final[int]  # bytes of one as it is
    slotted: Final[int]  # and with __slots__; 0 where it can not have them
    why: Final[str]  # why it can not, or ""

@final
class TimingRow(
    structseq[Any],
    tuple[
        str,
        Literal["cpu", "wall"],
        int,
        float,
        tuple[array[float], ...],
        tuple[int, int] | None,
        int | None,
        dict[str, float],
        bool,
    ],
):
    """A series of samples: what `fettle time` measured of one candidate."""

    label: Final[str]
    clock: Final[Literal["cpu", "wall"]]
    loops: Final[int]  # calls a sample
    empty: Final[float]  # seconds a call of the empty loop, already subtracted
    groups: Final[tuple[array[float], ...]]  # of each process: seconds a call, as measured
    memory: Final[tuple[int, int] | None]  # bytes and blocks that one call allocated
    peak: Final[int | None]  # bytes at the highest point of a call
    counters: Final[dict[str, float]]  # for one call, by name
    together: Final[bool]  # sample i of group g is of the same round as that of the row before

@final
class Description(structseq[Any], tuple[float, float, float, float, float, float, int]):
    """What the samples of one candidate say. Times are in the samples' unit."""

    median: Final[float]
    low: Final[float]  # the interval of the median
    high: Final[float]  # infinite for a single sample
    spread: Final[float]  # median absolute deviation * 1.4826, as a share of the median
    least: Final[float]
    most: Final[float]
    count: Final[int]  # type: ignore[assignment]  # samples; tuple has a method

@final
class Compared(
    structseq[Any],
    tuple[float, float, float, int, Literal["faster", "slower", "same", "unclear"]],
):
    """Two candidates beside each other."""

    ratio: Final[float]  # first / second: how many times as fast the second is
    low: Final[float]
    high: Final[float]  # infinite, and low 0.0, where nothing is known
    pairs: Final[int]  # that were used
    verdict: Final[Literal["faster", "slower", "same", "unclear"]]  # about the second

def describe(groups: Iterable[Buffer], /, confidence: float = 0.95, seed: int = 0) -> Description:
    """Median and interval of samples; groups: an array('d') for each process. ValueError: no
    sample, or one that is not finite."""

def compare(
    first: Iterable[Buffer],
    second: Iterable[Buffer],
    /,
    paired: bool = True,  # sample i of group g of either are of one round
    margin: float = 0.01,  # a ratio within 1 / (1 + margin) .. 1 + margin is "same"
    confidence: float = 0.95,  # of all looks together
    seed: int = 0,
    looks: int = 1,  # how often the session compares at most, before it stops for a verdict
    floor: float = 0.0,  # seconds: times below it are not told from nothing
) -> Compared:
    """Is the second faster than the first? One group, or unpaired ones, need 3 % for a claim:
    the luck of one process can not be seen. ValueError as in describe, or samples that are no
    pairs."""

def trend(groups: Iterable[Buffer], /) -> tuple[float, float]:
    """(change, probability): by what share the last sample of a group is longer than the first
    (0.1: 10 %), and how likely so clear a trend is where there is none."""

class FileError(Exception):
    """A file that can not be read or is not ours. args: (kind, path, detail); kind is one of
    "empty", "foreign", "newer", "corrupt", "limit"."""

@final
class Profile:
    """A recording in memory."""

    def __new__(cls) -> Profile: ...  # empty
    @staticmethod
    def read(path: str) -> Profile:
        """Reads one .fettle file. OSError, FileError, MemoryError."""
    ended: bool  # the recording is whole: its END was read
    torn: bool  # something at the end of the file was damaged and left out
    newer_chunks: int
    segments: int  # recordings, one after the other, that the file held which was read
    def merge(self, other: Profile) -> None: ...
    def meta(self) -> dict[str, str]: ...
    def set_meta(self, key: str, value: str) -> None: ...
    def functions(self) -> list[FunctionRow]: ...
    def edges(self) -> list[EdgeRow]:
        """In order of callee, then caller."""
    def tree(
        self, least: float = 0.0, rows: int = 0, wanted: bytes | None = None, /
    ) -> list[TreeRow]:
        """The recording's row, then its processes and threads, where there are several, and calls.

        What takes a smaller share of all time than `least` (0 to 1) is folded into the row above;
        so is all but the heaviest `rows` (0: all), and what does not lead to a wanted function: a
        byte for each row of functions(), 0 for those that are not."""
    def tree_columns(self, rows: int = 0, /) -> dict[str, bytes]:
        """The rows of tree(0.0, rows) as columns of int64, for a million of them: parent, kind (in
        the order of TreeRow.kind), place, function (an index into functions(); -1), calls, own,
        waiting, folded_functions, folded_calls, folded, folded_waiting. Times are ns."""
    def totals(self) -> Totals: ...
    def processes(self) -> list[ProcessRow]: ...
    def threads(self) -> list[ThreadRow]: ...
    def notes(self) -> list[NoteRow]: ...
    def heaps(self) -> list[HeapRow]: ...
    def sites(self) -> list[SiteRow]:
        """Over all processes; a caller's row comes before those of what it called."""
    def moments(self) -> list[MomentRow]: ...
    def points(self) -> list[PointRow]:
        """In the order in which each process named them."""
    def spans(self) -> tuple[list[CollectionRow], list[ThreadSpanRow]]:
        """Garbage collections and threads. Threads in the order of threads(), then by start."""
    def collection_sums(self) -> list[CollectionSumRow]: ...
    def objects(self) -> list[ObjectRow]: ...
    def classes(self) -> list[ClassRow]: ...
    def timings(self) -> list[TimingRow]:
        """In the order in which they were added; the arrays are copies."""
    def add_timing(
        self,
        label: str,
        clock: str,
        loops: int,
        empty: float,
        groups: Iterable[Buffer],
        memory: tuple[int, int] | None = None,
        peak: int | None = None,
        counters: Mapping[str, float] | None = None,
        together: bool = False,
    ) -> None:
        """Adds one series; each group is a buffer of doubles. ValueError for what is not finite,
        TypeError for buffers of something else; FileError of the kind "limit" past 4096 series."""
    def lines(
        self,
    ) -> list[tuple[str, int, str, str, int, list[tuple[int, int, int, int, int]]]]:
        """The tables of marked functions: (file, first line, name, qualname, calls, rows), sorted.

        rows: (line, hits, time, waiting, callees), sorted by line; times are integers, ns. Every
        line that the code has is there, with zeros when it never ran, and the last line of the
        function's text. waiting and callees are parts of time; callees is the time in functions
        that the line called, 0 when calls were not recorded."""
    def source(self, file: str, /) -> str | None:
        """What that file, named as in lines(), held when its lines were recorded."""
    def set_source(self, file: str, text: str, /) -> None:
        """A file that has a text already keeps it; past 8192 files nothing is kept."""
    def export(self, format: str) -> bytes:
        """ValueError for an unknown format; FileError of the kind "limit" where the paths of a
        recording, written out, would be too large for anyone to open."""
    def prune(self, nodes: int, frames: int = 0, /) -> tuple[Profile, int, int, float]:
        """A copy with the heaviest nodes, by cumulative time, at most that many with at most that
        many frames in their paths (0: no limit). What is left out below a node is one child of it,
        "[pruned]". Gives the copy, the numbers of nodes kept and left out (tasks not
        counted) and the own time of the latter in seconds."""
    def begin(self, fd: int) -> None:
        """Writes the header and the meta to a new file: a recording that has not ended."""
    def append(self, fd: int) -> None:
        """Appends the whole recording and END. OSError (ENOSPC too): the file is as before."""
    def harvest(self, directory: str, dead_pid: int = 0, dead_cpu: float = 0.0, /) -> int:
        """Adds what the arenas in directory hold (of processes that live or died); gives their
        number. dead_pid died just now, so the call it was in lasted until now; what of that its
        CPU time dead_cpu (seconds) does not account for was waiting."""

@final
class Stats:
    """What cProfile, profile or pstats wrote, in memory: functions and their callers, no more."""

    @staticmethod
    def read(path: str) -> Stats:
        """Reads one file of theirs. OSError, FileError, MemoryError."""
    sampled: bool  # its calls are how often a function was seen, not how often it was called
    untimed: bool  # some edges have calls only, as module profile writes them
    def merge(self, other: Stats) -> None:
        """Adds all of other, as pstats.Stats.add does."""
    def functions(self) -> list[FunctionRow]:
        """A function that only an edge names has a row of zeros."""
    def edges(self) -> list[EdgeRow]: ...
    def totals(self) -> Totals: ...
    def processes(self) -> list[ProcessRow]: ...  # []
    def threads(self) -> list[ThreadRow]: ...  # []
    def notes(self) -> list[NoteRow]: ...  # []
    def meta(self) -> dict[str, str]: ...  # {}

def read_segments(path: str, /) -> list[Profile]:
    """The recordings that a file holds, one after the other, each by itself; Profile.read() gives
    their sum. OSError, FileError, MemoryError."""

def load_lprof(path: str, /) -> Profile:
    """A file of line_profiler's, as a Profile that holds lines only. OSError, FileError."""

def read_lprof(
    source: str | bytes | PathLike[str], /
) -> tuple[dict[tuple[str, int, str], list[tuple[int, int, int]]], float]:
    """What LineStats holds, exactly: {(file, first line, name): [(line, hits, time), ...]} and the
    seconds that a time of 1 is. bytes are the content of a file, anything else its path. Nothing
    is unpickled. OSError; FileError, whose third argument says what was refused."""

def write_lprof(
    timings: dict[tuple[str, int, str], list[tuple[int, int, int]]], unit: float, /
) -> bytes:
    """A file that line_profiler 3 to 5 read. TypeError, OverflowError past 64 bits."""

def read_snapshot(
    path: str | bytes | PathLike[str] | PathLike[bytes], /
) -> tuple[
    list[tuple[tuple[int, int, tuple[tuple[str, int], ...], int | None], int]],
    dict[str, str | int | float | bool | None],
]:
    """What tracemalloc's Snapshot holds, of a file of fettle's or tracemalloc's own: groups of
    equal blocks, ((domain, size, ((file, line), ...), total_nframe), count), the most recent frame
    first; and its other attributes. Nothing is unpickled. OSError; FileError, whose third
    argument says what was refused."""

def write_snapshot(
    groups: list[tuple[tuple[int, int, tuple[tuple[str, int], ...], int | None], int]],
    attributes: dict[str, Any],
    /,
) -> bytes:
    """A file that read_snapshot() reads. TypeError, OverflowError past 63 bits, FileError of the
    kind "limit"."""

def unite_columns(
    parent: Buffer, key: Buffer, other_parent: Buffer, other_key: Buffer, /
) -> tuple[bytes, bytes, bytes, bytes]:
    """Two trees as one: parent, key, and where the rows of each are. All are columns of int64; a
    parent is -1 or before its children, keys fit into 32 bits. Rows are the same if the ways to
    them from the top are, key by key. ValueError."""

def prune_columns(
    parent: Buffer, key: Buffer, own: Buffer, most: int, rest: int, /
) -> tuple[bytes, bytes, bytes, int]:
    """The heaviest rows of what unite_columns() gave, by own of a row and of all below it, at most
    so many: parent, key, where each row is now, how many were left out. What is left out below a
    row is one row there, with the key rest. ValueError."""

def sum_column(numbers: Buffer, places: Buffer, count: int, /) -> bytes:
    """Sums of int64 at each of count places; they stop at the ends of 64 bits. ValueError."""

def is_fettle(first_bytes: bytes) -> bool: ...
def exporters() -> list[tuple[str, str, str, int, int, bool, bool]]:
    """(name, suffix, description, nodes, frames, lines, memory) of each: nodes and frames are what
    the readers of the format can take, as limits for Profile.prune(); lines, memory: whether it
    holds them."""

def record(directory: str, options: str, /) -> None:
    """Records this process into a new arena in directory, from its main module's first line on.
    options: words out of "calls", "no-builtins", "max-nodes=N". OSError without room for the
    arena, ValueError for an unknown word, RuntimeError when no hook is free."""

def mark(object: _T, /) -> _T:
    """Marks the functions of an object for the line profile, and gives the object itself back."""

def point(name: str, /) -> None:
    """A named point of every recording of memory that is on, to compare with."""

def encode(value: object, /) -> bytes:
    """The value as bytes (docs/codec.md): typed, or a pickle of the whole where it holds anything
    but exact builtin types, dates, Decimals and numpy's data, or the same mutable object twice.
    What pickle raises."""

def decode(bytes: Buffer, owner: Buffer | None = None, /) -> Any:
    """The value that encode() made these bytes of. ValueError: damaged, or of another version.
    owner, in whose buffer they lie, keeps large arrays, which are then not copied."""

def encoded_pickled(bytes: Buffer, /) -> bool:
    """Would decode() unpickle these bytes, and so run whatever they say?"""

def leave_out(filename: str, blocks: bool = False, /) -> None:
    """Functions of this file are not recorded: their time and calls are their callers', and with
    blocks what they themselves allocate is nobody's."""

class Recorder:
    """Records the calls of the program that makes it, in all its threads. What was recorded adds up
    until clear(); it is on while it was started more often than stopped."""

    def __new__(
        cls,
        *,
        calls: bool = True,
        builtins: bool = True,
        lines: bool = False,
        marks: bool = False,
        alone: bool = False,
        one_thread: bool = False,
        lingers: bool = False,  # stop() leaves the hooks of lines in place until it goes
        mem: bool | Literal["sample"] = False,
        frames: int = 1,  # of each block's stack, 1 to 65535
        max_nodes: int = 2_000_000,
    ) -> Self: ...
    def __init__(
        self,
        *,
        calls: bool = True,
        builtins: bool = True,
        lines: bool = False,
        marks: bool = False,
        alone: bool = False,
        one_thread: bool = False,
        lingers: bool = False,  # stop() leaves the hooks of lines in place until it goes
        mem: bool | Literal["sample"] = False,
        frames: int = 1,
        max_nodes: int = 2_000_000,
    ) -> None: ...
    @property
    def active(self) -> bool: ...
    def start(self) -> None:
        """RuntimeError when no hook is free."""
    def stop(self) -> None:
        """Ends what the last start() began; without one it does nothing."""
    def pause(self) -> None:
        """As stop(), but of memory it does not look at what objects are alive."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...
    def clear(self) -> None: ...
    def mark(self, object: _T, /) -> _T:
        """Records the lines of these functions (or of a code object), in this recorder alone."""
    def select(self, selector: str, /) -> None:
        """Records the lines of what a selector means; before the first start()."""
    def spare(self, threads: Iterable[int], /) -> None:
        """Does not record calls and lines in threads of these idents; before the first start()."""
    # Of memory; RuntimeError where none was recorded. Bytes are those that were asked for.
    def traced(self) -> tuple[int, int]:
        """Bytes that are alive, and that were at most."""
    def reset_peak(self) -> None: ...
    def forget(self) -> None:
        """No block is known any more; the recording goes on."""
    def overhead(self) -> int:
        """Bytes that the recording takes itself."""
    def trace_of(self, object: object, /) -> tuple[tuple[str, int], ...] | None:
        """Where the object's block was allocated: (file, line), the most recent last."""
    def traces(
        self,
    ) -> list[tuple[tuple[int, int, tuple[tuple[str, int], ...], int | None], int]]:
        """The live blocks in groups of equal ones, ((domain, size, ((file, line), ...), frames),
        count): the most recent frame first; frames is how many there were, when the place was first
        met, before the limit cut some off; None where that is not known."""
    def point(self, name: str, /) -> None:
        """A named point, to compare with."""
    def profile(self) -> Profile:
        """What was recorded so far; the recording goes on."""

@final
class profiler_subentry(structseq[Any], tuple[CodeType | str, int, int, float, float]):
    code: Final[CodeType | str]
    callcount: Final[int]
    reccallcount: Final[int]
    totaltime: Final[float]  # seconds
    inlinetime: Final[float]

@final
class profiler_entry(
    structseq[Any],
    tuple[CodeType | str, int, int, float, float, list[profiler_subentry] | None],
):
    code: Final[CodeType | str]
    callcount: Final[int]
    reccallcount: Final[int]
    totaltime: Final[float]  # seconds
    inlinetime: Final[float]
    calls: Final[list[profiler_subentry] | None]

class Profiler:
    """What cProfile's C half is: its methods, arguments and entries."""

    def __init__(
        self,
        timer: Callable[[], float] | None = None,
        timeunit: float = 0.0,
        subcalls: bool = True,
        builtins: bool = True,
    ) -> None: ...
    def enable(self, subcalls: bool = True, builtins: bool = True) -> None:
        """ValueError where another profiler is active (3.12 and newer)."""
    def disable(self) -> None: ...
    def clear(self) -> None: ...
    def getstats(self) -> list[profiler_entry]: ...

@final
class Reading(structseq[Any], tuple[float, float, float, int, int, int, int, tuple[float, ...]]):
    """What happened between start() and stop() of a Meter."""

    wall: Final[float]  # seconds
    cpu: Final[float]  # seconds of CPU time of the process
    thread: Final[float]  # seconds of CPU time of the thread
    waits: Final[int]  # voluntary context switches of the thread
    preempted: Final[int]  # involuntary ones
    faults: Final[int]  # page faults that the memory answered
    reads: Final[int]  # page faults that had to read a disk
    counters: Final[tuple[float, ...]]  # in the order of Meter.counters; nan: it had no turn

@final
class Meter:
    """The clocks around a piece of code, which calls start() and stop() itself."""

    def __new__(cls, counters: bool | Iterable[str] = False) -> Self: ...
    @property
    def counters(self) -> tuple[str, ...]:
        """Names of those that the system lets this thread have."""
    def start(self) -> None: ...
    def stop(self) -> Reading:
        """RuntimeError without a start()."""

def end_with(parent: int, /) -> bool:
    """This process is killed when the process parent, which started it, ends. False: it has."""

@final
class SlotDefault:
    """The slot of a member descriptor, or the default while it is empty."""

    def __init__(self, member: MemberDescriptorType, default: object, /) -> None: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...
    def __set__(self, instance: object, value: object, /) -> None: ...
    def __delete__(self, instance: object, /) -> None: ...

@final
class MemoKey:
    """One call of a Memo whose result is made elsewhere. Equal to that of another call that is the
    same, of the same Memo, or instance where each has its own results."""

    def keep(self, value: Any, /) -> Any:
        """Keeps the result, or a copy of it where each caller gets one; gives what it kept."""
    def forget(self) -> bool:
        """Forgets the result; True: there was one."""
    def count(self, computed: bool, waited: bool, seconds: float, /) -> None:
        """Counts a computation, a call that waited for one, what one took."""

@final
class LookupTable(Generic[_P, _R]):
    """A function whose answers are all known: see fettle.table.

    It has the buffer protocol where all answers are int of 64 bits, or all float."""

    def __new__(
        cls,
        function: Callable[_P, _R],
        domains: tuple[range | tuple[Any, ...], ...],  # of hashable members, none equals another
        parameters: tuple[str | None, ...],
        defaults: tuple[Any, ...],  # of the last parameters
        attributes: dict[str, Any],
        plan: Any,  # fettle.caching.lookup.Plan
        title: str,
        otherwise: tuple[Any, ...] = (),
        compute: bool = False,
    ) -> LookupTable[_P, _R]: ...
    @property
    def domains(self) -> tuple[range | tuple[Any, ...], ...]: ...
    @property
    def values(self) -> tuple[_R, ...]:
        """All answers, the last domain counting fastest."""
    __name__: str  # these and others as functools.update_wrapper would set them
    __qualname__: str
    __wrapped__: Callable[_P, _R]
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __reduce__(self) -> str: ...
    def __sizeof__(self) -> int: ...
    def _build(self) -> None:
        """Computes the answers, if there are none yet."""

@final
class Call(structseq[Any], tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]):
    """A call with keywords, as a key that cache_export gives and cache_load takes."""

    args: Final[tuple[Any, ...]]
    keywords: Final[tuple[tuple[str, Any], ...]]

policies: tuple[str, ...]  # what decides which result goes: "lru" and so on

@final
class Memo:
    """A function whose results are kept; fettle.cache makes them. It has what is given to
    functools.update_wrapper too, and any attribute that is set."""

    __wrapped__: Callable[..., Any]
    __name__: str
    __qualname__: str
    def __new__(
        cls,
        function: Callable[..., Any],
        maxsize: int | None,
        policy: str | None,
        info: Callable[..., Any],  # makes what cache_info gives, of four or eight numbers
        parameters: dict[str, Any],
        *,
        typed: bool = False,
        ttl: float = 0.0,  # seconds; 0: results do not end
        key: Callable[..., Any] | None = None,
        copy: Callable[[Any], Any] | None = None,
        curve: Callable[..., Any] | None = None,  # makes what cache_curve gives
        still: float = 0.0,  # seconds to wait for a thread that stands still; 0: nobody waits
        working: float = 0.0,  # for one at work
        method: bool = False,
        drop_in: bool = False,  # in all respects functools.lru_cache
    ) -> Self: ...
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None, /) -> BoundMemo | MethodType: ...
    def __set_name__(self, owner: type, name: str, /) -> None: ...
    def cache_info(self) -> Any: ...
    def cache_clear(self) -> None: ...
    def cache_parameters(self) -> dict[str, Any]: ...
    def cache_forget(self, *args: Any, **keywords: Any) -> bool: ...
    def cache_export(self) -> list[tuple[Any, Any]]: ...
    def cache_load(self, pairs: Iterable[Iterable[Any]] | Mapping[Any, Any], /) -> None: ...
    def cache_curve(self) -> Any: ...
    def _find(self, *args: Any, **keywords: Any) -> tuple[Any] | None: ...
    def _keep(self, value: object, /, *args: Any, **keywords: Any) -> None: ...
    def _count(self, misses: int, waited: int, seconds: float, /) -> None: ...

@final
class BoundMemo:
    """A cached method of one instance. What it has not, its Memo has."""

    @property
    def __self__(self) -> Any: ...
    @property
    def __func__(self) -> Memo: ...
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Self: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def cache_info(self) -> Any: ...
    def cache_clear(self) -> None: ...
    def cache_forget(self, *args: Any, **keywords: Any) -> bool: ...
    def cache_export(self) -> list[tuple[Any, Any]]: ...
    def cache_load(self, pairs: Iterable[Iterable[Any]] | Mapping[Any, Any], /) -> None: ...

@final
class Shelf:
    """Where an instance has the results of its cached methods. All are equal, and copied empty."""

@final
class ShelfSlot:
    """What stands in the place of the slot __fettle__ of a class: it shows nothing."""

    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None, /) -> Never: ...
    def __set__(self, instance: object, value: object, /) -> Never: ...

def sizeof(object: object, deep: bool = False, /) -> int: ...
def census() -> list[tuple[type, int, int, int, str | None]]:
    """(type, instances, bytes, saving, why) of each type that has live instances."""

def learned(type: type, /) -> tuple[int, int, int, int, bool, tuple[str, ...]]:
    """(instances, bytes, fewest, weakly, beyond, names) of the live instances of exactly it."""

def made_alike(type: type, other: type, /) -> bool: ...
def digest(
    value: object, secret: bytes = b"", functions: Callable[[Any], bytes] | None = None
) -> bytes:
    """16 bytes that equal values of equal types have in common."""

@final
class CallPlan:
    """How calls of a function become keys."""

    def __new__(
        cls,
        name: str,
        # name, kind, () or the default, ignored, key function
        parameters: tuple[
            tuple[str, int, tuple[()] | tuple[Any], bool, Callable[[Any], Any] | None], ...
        ],
        functions: Callable[[Any], bytes] | None = None,
    ) -> Self: ...
    def digest(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        prefix: bytes = b"",
        secret: bytes = b"",
    ) -> bytes | None: ...

class Store:
    """Results in a folder, shared by processes."""

    def __new__(cls, folder: str, max_bytes: int = 0) -> Store: ...
    @property
    def usable(self) -> bool: ...
    @property
    def folder(self) -> str: ...
    def get(self, key: bytes, view: int = 1, /) -> tuple[Any, Entry] | None: ...
    def peek(self, key: bytes, /) -> Entry | None: ...
    def put(
        self, key: bytes, function: int, value: object, cost: float = 0.0, compress: int = 0, /
    ) -> bool: ...
    def put_encoded(
        self,
        key: bytes,
        function: int,
        encoded: Buffer,
        cost: float = 0.0,
        compress: int = 0,
        created: float = 0.0,
        /,
    ) -> bool: ...
    def remove(self, key: bytes, /) -> bool: ...
    def clear(self, function: int = 0, /) -> int: ...
    def reduce(
        self, bytes: float | None = None, items: float | None = None, age: float | None = None, /
    ) -> int: ...
    def each(self, told: Callable[[Entry], object], /) -> None: ...
    def each_function(
        self, told: Callable[[tuple[int, str, int, int, float]], object], /
    ) -> None: ...
    def name_function(self, name: str, /) -> int: ...
    def count(self, name: str, hits: int, misses: int, saved: float, /) -> None: ...
    def claim(self, key: bytes, /) -> int: ...
    def release(self, key: bytes, /) -> None: ...
    def owner_cpu(self, key: bytes, /) -> float: ...
    def waits(self, waits: bool, /) -> None: ...
    def measure(self) -> tuple[int, int, int]: ...
    def troubles(self) -> tuple[int, int]: ...
    def reopen(self) -> bool: ...
    def close(self) -> None: ...

# key, function, created, cost, used, length, stored, kind: times in seconds
Entry = tuple[bytes, int, float, float, float, int, int, int]

class StoredFunction:
    """A function whose results lie in a Store."""

    handle: Any
    store: Store | None
    def __new__(
        cls,
        store: Store | None,
        function: Callable[..., Any],
        handle: object,
        name: str,
        parameters: tuple[Any, ...],
        view: int = 1,
        ttl: float = 0.0,
        validates: bool = False,
        functions: Callable[[Any], bytes] | None = None,
    ) -> StoredFunction: ...
    def __call__(self, *args: Any, **keywords: Any) -> Any: ...
    def settle(
        self, prefix: bytes, watched: Iterable[tuple[Any, Any, Any]], missing: object, /
    ) -> None: ...
    def key(
        self, args: tuple[Any, ...], keywords: dict[str, Any] | None, seed: bytes | None = None, /
    ) -> bytes | None: ...
    def look(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None, /
    ) -> tuple[Any, float] | None: ...
    def counts(self) -> tuple[int, float]: ...
    def add_hit(self, saved: float, /) -> None: ...

class Stopwatch:
    """What fettle.stopwatch is built on. Times are seconds; cannot be copied or pickled."""

    def __new__(cls, *, name: str | None = None) -> Self: ...
    @property
    def name(self) -> str | None: ...
    @property
    def wall(self) -> float: ...  # over all uses; with what runs now
    @property
    def cpu(self) -> float: ...  # likewise
    @property
    def waiting(self) -> float: ...  # likewise
    @property
    def count(self) -> int: ...  # uses that ended
    @property
    def min(self) -> float: ...  # of wall, per use, as the next three; 0.0 of none
    @property
    def median(self) -> float: ...  # exact up to 1024 uses, then to 1 %
    @property
    def max(self) -> float: ...
    @property
    def last(self) -> float: ...
    def reset(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...
    def _counted(self, seconds: float, /) -> None: ...  # a use that was added up in parts

@final
class TimedFunction:
    """A function whose calls a stopwatch counts. Takes attributes, as a function does."""

    def __new__(cls, watch: Stopwatch, function: Callable[..., Any], /) -> Self: ...
    @property
    def stopwatch(self) -> Stopwatch: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...
    def __deepcopy__(self, memo: dict[int, object], /) -> Self: ...

@final
class TimedSteps:
    """The steps of a coroutine or generator, told to a stopwatch.

    kind: "coroutine", one use; "generator", likewise, but only the steps; "part" of a use."""

    def __new__(cls, watch: Stopwatch, inner: Iterator[Any], kind: str, /) -> Self: ...
    @property
    def spent(self) -> float: ...  # seconds up to now
    def __await__(self) -> Generator[Any, Any, Any]: ...
    def __iter__(self) -> Generator[Any, Any, Any]: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, *error: Any) -> Any: ...
    def close(self) -> None: ...

@final
class Positions(structseq[Any], tuple[int | None, int | None, int | None, int | None]):
    """Where in the source text an instruction comes from; columns are bytes."""

    lineno: Final[int | None]
    end_lineno: Final[int | None]
    col_offset: Final[int | None]
    end_col_offset: Final[int | None]

@final
class Instruction(
    structseq[Any],
    tuple[
        str,
        int,
        int | None,
        Any,
        str,
        int,
        int,
        int | None,
        bool,
        bool,
        int | None,
        int | None,
        Positions,
        tuple[tuple[str, int, bytes], ...] | None,
        str,
        int,
    ],
):
    """One instruction of a code object. Offsets are bytes."""

    opname: Final[str]
    opcode: Final[int]
    arg: Final[int | None]
    argval: Final[Any]  # what arg stands for
    argrepr: Final[str]  # that as a text, as the standard library's disassembler writes it
    offset: Final[int]
    start_offset: Final[int]  # of the first EXTENDED_ARG
    line: Final[int | None]
    starts_line: Final[bool]
    is_jump_target: Final[bool]
    jump_target: Final[int | None]
    label: Final[int | None]  # from 1, in the order of offsets
    positions: Final[Positions]
    cache: Final[tuple[tuple[str, int, bytes], ...] | None]  # name, units, bytes of each
    baseopname: Final[str]  # what it is a specialised form of; else its own
    baseopcode: Final[int]

@final
class Bytecode:
    """The instructions of one code object, decoded once; rows are made when asked for."""

    def __new__(
        cls,
        code: CodeType,
        /,
        adaptive: bool = False,  # opcodes and caches as the interpreter has specialised them
        first_line: int | None = None,  # lines are moved so that the first is this
        caches: bool = False,  # each unit of inline caches is a row of its own
        handlers: bool = False,  # the exception table makes labels, too
        unknown: object = None,  # argval of what can not be looked up
    ) -> Bytecode: ...
    @classmethod
    def from_bytes(
        cls,
        code: Buffer,
        /,
        running: Buffer | None = None,  # where opcodes and caches are taken from, if elsewhere
        line_table: Buffer = b"",
        first_line: int = 1,  # what the lines of line_table are differences from
        line_shift: int = 0,  # added to each line
        handler_table: Buffer = b"",
        consts: Iterable[object] | None = None,  # None: not known, argval is unknown
        names: Iterable[str] | None = None,
        locals: Iterable[str] | None = None,  # by argument: locals, cells, free variables
        caches: bool = False,
        handlers: bool = False,
        unknown: object = None,
    ) -> Bytecode: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Instruction: ...
    def __iter__(self) -> Iterator[Instruction]: ...
    @property
    def code(self) -> CodeType | None: ...
    @property
    def exceptions(self) -> tuple[tuple[int, int, int, int, bool], ...]:
        """(start, end, target, depth, lasti) of each entry of the exception table."""

    @property
    def labels(self) -> tuple[int, ...]:
        """The offset of label 1, of label 2, ...; an offset may lie outside the code."""

    @property
    def lines(self) -> tuple[tuple[int, int | None], ...]:
        """(offset, line) where lines start."""
