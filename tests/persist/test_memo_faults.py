# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the folder, a call gives what the function gives; a warning says so once."""

import asyncio
import contextlib
import functools
import gc
import os
import pickle
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle import _core

from .memos import CALLS, LONG, Programs, Threads, warned

root = os.getuid() == 0


def value(x: int) -> Any:
    """Small and large ones: in segments and in files of their own."""
    CALLS.append(x)
    return [x, str(x) * (20 if x % 5 else 30000)]


def expected(x: int) -> Any:
    return [x, str(x) * (20 if x % 5 else 30000)]


def right(kept: Any, numbers: Any = range(20)) -> int:
    """All results are right; how many of them were computed."""
    before = len(CALLS)
    for x in numbers:
        assert kept(x) == expected(x)
    return len(CALLS) - before


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def files(folder: str | Path) -> list[Path]:
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


# ---- folders that can not be used ----


@pytest.mark.parametrize("what", ["a file", "below a file", "too long a name", "/proc/fettle"])
def test_what_is_no_folder(what: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "x",
        "too long a name": tmp_path / ("x" * 300),
        "/proc/fettle": Path("/proc/fettle"),
    }[what]
    with warned("can not be used"):
        memo = fettle.Memo(path)
        fettle.Memo(path)
        kept = memo(value)
        assert right(kept) == right(kept) == 20
    assert kept.peek(1) is None and not kept.cached(1) and not kept.forget(1)
    assert kept.clear() == memo.clear() == memo.reduce(max_items=0) == 0
    assert memo.stats().entries == 0
    assert kept.call(1) == expected(1)
    assert kept.reference(1).get() == expected(1)  # where nothing can be kept, it holds the result


def test_odd_names_of_folders(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 200] * 10)
    for path in (os.fsencode(tmp_path) + b"/\xff\xfe\n", tmp_path / "a b'\"%s{}", deep):
        with warned():
            kept = fettle.Memo(path)(value)  # type: ignore[arg-type]
            assert right(kept) == 20 and right(kept) == 0
            assert right(fettle.Memo(path)(value)) == 0  # type: ignore[arg-type]
            assert pickle.loads(pickle.dumps(kept.reference(1))).get() == expected(1)


def test_a_path_that_is_longer_than_the_system_takes(tmp_path: Path) -> None:
    with warned("can not be used"):
        kept = fettle.Memo(tmp_path.joinpath(*["d" * 200] * 30))(value)
        assert right(kept) == right(kept) == 20


def test_a_folder_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with warned():
        for path in ("link", "link/below", "real/below"):
            right(fettle.Memo(tmp_path / path)(value))
        assert right(fettle.Memo(tmp_path / "real")(value)) == 0
        assert right(fettle.Memo(tmp_path / "link/below")(value)) == 0


class Canary:
    """Says when it is unpickled."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.mkdir, (self.file,)


FOREIGN = ["of another user", "others may write", "the group may write", "a link"]


@pytest.mark.parametrize("how", FOREIGN)
def test_nothing_is_believed_that_others_could_have_written(how: str, tmp_path: Path) -> None:
    if how == "of another user" and not root:
        pytest.skip("only root can give a folder away")
    memo = fettle.Memo(tmp_path / "s")
    canary = str(tmp_path / "sings")

    @memo(version=1)
    def kept(x: int) -> Any:
        return Canary(canary) if x == 1 else x

    assert type(kept(1)) is Canary
    key = kept.handle.key((1,), {})
    inner = tmp_path / "s" / "v1"
    del kept, memo
    gc.collect()
    if how == "of another user":
        os.chown(inner, 12345, 12345)
    elif how == "a link":
        inner.rename(tmp_path / "elsewhere")
        inner.symlink_to(tmp_path / "elsewhere")
    else:
        inner.chmod(0o777 if "others" in how else 0o770)
    reference = fettle.caching.kept.Reference(str(tmp_path / "s"), 0, key, "kept", 1)
    with warned("give Memo"), pytest.raises(LookupError):
        reference.get()
    with warned("give Memo"):
        memo = fettle.Memo(tmp_path / "s")
        again = memo(version=1)(value)
        assert right(again) == right(again) == 20
        assert memo.stats().entries == 0
    assert not os.path.exists(canary)


def sings(canary: Path, folder: Path, key: bytes) -> bool:
    """Is the canary unpickled? As in a process of its own."""
    if canary.exists():
        canary.rmdir()
    try:
        fettle.caching.kept.Reference(str(folder), 0, key, "kept", 1).get()
    except LookupError:
        assert not canary.exists()
    return canary.exists()


def spoil(folder: Path, name: Path, how: str) -> None:
    if how == "written by all":
        (folder / name).chmod(0o666)
    elif how == "written by the group":
        (folder / name).chmod(0o620)
    elif how == "another's" and root:
        os.chown(folder / name, 1234, 1234)
    else:
        (folder / name).rename(folder / "aside")
        (folder / name).symlink_to(folder / "aside")


def test_files_that_others_could_have_written_are_not_believed(tmp_path: Path) -> None:
    """Nothing is unpickled where what leads to it, or it itself, is of somebody else."""
    canary = tmp_path / "sings"
    memo = fettle.Memo(tmp_path / "s")
    keys = []
    for pad in (b"", os.urandom(100_000)):  # in a segment, and in a file of its own
        kept = memo(version=len(pad))(lambda pad=pad: [Canary(str(canary)), pad])
        kept()
        keys.append(kept.handle.key((), {}))
    names = [path.relative_to(memo.path) for path in files(memo.path)]
    del memo, kept
    gc.collect()
    shutil.copytree(tmp_path / "s", tmp_path / "good")
    assert [sings(canary, tmp_path / "good", key) for key in keys] == [True, True]
    for name in names:
        for how in ("written by all", "written by the group", "another's", "a link"):
            folder = tmp_path / f"{name.name}, {how}"
            shutil.copytree(tmp_path / "s", folder)
            spoil(folder, name, how)
            with quiet():
                found = [sings(canary, folder, key) for key in keys]
            if "blobs" in name.parts:
                assert found == [True, False], (name, how)
            elif name.name not in ("claims", "functions"):  # these lead to no value
                assert found == [False, False], (name, how)


# ---- folders that change while they are used ----


def test_a_folder_that_goes_and_comes(memo: fettle.Memo) -> None:
    kept = memo(value)
    right(kept)
    for _ in range(3):
        shutil.rmtree(memo.path)
        right(kept, range(60, 70))
        with warned():
            assert right(kept) == 20 and right(kept) == 0  # it is made again
        right(kept, range(30, 50))
        right(fettle.Memo(memo.path, 10**8)(value))
    assert kept.forget(1) in (True, False)
    memo.stats(), memo.reduce(max_items=3), memo.clear()
    right(kept)


def test_a_folder_that_is_replaced(tmp_path: Path) -> None:
    one, other = fettle.Memo(tmp_path / "one"), fettle.Memo(tmp_path / "other")
    first, second = one(version=1)(value), other(version=1)(lambda x: "not this one's")
    right(first)
    for x in range(20):
        second(x)
    (tmp_path / "one").rename(tmp_path / "aside")
    (tmp_path / "other").rename(tmp_path / "one")
    right(first)
    right(first, range(20, 40))
    right(fettle.Memo(tmp_path / "one", 10**9)(value))


@pytest.mark.parametrize("size", [0, 1, 100, 4096])
def test_files_that_are_cut_while_open(size: int, memo: fettle.Memo) -> None:
    kept = memo(value)
    right(kept)
    for file in files(memo.path):
        with quiet():
            if file.stat().st_size > size:
                os.truncate(file, size)
            right(kept)
            right(kept, range(100, 110))
            right(fettle.Memo(memo.path, 10**9)(value))


def test_files_that_are_taken_away_while_open(memo: fettle.Memo) -> None:
    kept = memo(value)
    for file in files(memo.path):
        with quiet():
            right(kept)
            file.unlink(missing_ok=True)
            right(kept)
            right(fettle.Memo(memo.path, 10**9)(value))


def test_flipped_bytes_everywhere(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path / "s")
    right(memo(value), range(6))
    path = memo.path
    del memo
    chosen = random.Random(1)
    for file in files(path):
        length = file.stat().st_size
        for _ in range(min(length, 60)):
            at, bit = chosen.randrange(length), chosen.randrange(8)
            with open(file, "r+b") as opened:
                before = os.pread(opened.fileno(), 1, at)
                os.pwrite(opened.fileno(), bytes([before[0] ^ 1 << bit]), at)
            with quiet():
                right(fettle.Memo(path)(value), range(6))
                fettle.Memo(path).stats()
            if not file.exists() or file.stat().st_size != length:
                break


def test_a_child_that_can_not_open_it(memo: fettle.Memo) -> None:
    """A fork after which the folder can not be opened again."""
    kept = memo(value)
    right(kept)

    @memo(version=1)
    async def later(x: int) -> int:
        return x

    shutil.rmtree(memo.path)
    Path(memo.path).touch()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with warned("can not be used any more"):
                assert right(kept) == 20
                assert asyncio.run(later(5)) == 5
                assert kept.peek(1) is None and not kept.cached(1) and kept.call(1) == expected(1)
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_a_child_in_the_middle_that_can_not_open_it(memo: fettle.Memo) -> None:
    parent = os.getpid()

    @memo(version=1)
    def forks(x: int) -> int:
        if os.fork() == 0:
            shutil.rmtree(memo.path)
            Path(memo.path).touch()
            return 5
        assert os.wait()[1] == 0
        return 6

    status = 1
    try:
        with quiet():
            found = forks(1)
        if os.getpid() == parent:
            assert found == 6
        else:
            status = 0 if found == 5 else 2
    finally:
        if os.getpid() != parent:
            os._exit(status)


# ---- no room, no leave ----


def test_a_disk_that_is_full(programs: Programs) -> None:
    text = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    @memo
    def run(x):
        return str(x) * {length}
    before = [run(x) for x in range(5)]
    most = max(os.stat(os.path.join(at, name)).st_size
        for at, _, names in os.walk(memo.path) for name in names)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
    for again in range(2):
        for x in range(60):
            assert run(x) == str(x) * {length}, x
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert run(1000) == "1000" * {length}
    assert run.cached(1000)
    """
    for length in (10, 3000, 100000):
        for limit in (0, 1, 4096, 20000):
            programs.run(
                text.format(length=length, limit=limit),
                says="MemoWarning",
                STORE=str(programs.folder / f"{length}-{limit}"),
            )


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def run_as(user: int, text: str, **environment: str) -> str:
    """What a program prints, as another user."""
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-c", text],
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            env=os.environ | environment,
        )
    except PermissionError:
        pytest.skip("another user can not run this Python")
    if "ModuleNotFoundError" in done.stderr or "Permission denied: '/" in done.stderr:
        pytest.skip("another user can not import this package")
    assert done.returncode == 0, done.stderr
    return done.stdout


AS_OTHERS = """
import os, warnings
import fettle
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    computed = []
    memo = fettle.Memo(os.environ["STORE"])
    @memo(version=1)
    def run(x):
        computed.append(x)
        return [x]
    for again in range(2):
        for x in range(10):
            assert run(x) == [x]
    print(len(computed), run.cached(1), len(caught), *[str(each.message) for each in caught])
"""


@pytest.mark.skipif(not root, reason="only root can be another user")
def test_other_users(programs: Programs) -> None:
    with open_folder() as folder:
        store = folder / "store"
        store.mkdir()
        os.chown(store, 4321, 4321)
        mine = {"STORE": str(store)}
        assert run_as(4321, AS_OTHERS, **mine).split()[:3] == ["10", "True", "0"]
        assert run_as(4321, AS_OTHERS, **mine).split()[:3] == ["0", "True", "0"]
        # it can not be written any more
        for path in [store, *store.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
        assert run_as(4321, AS_OTHERS, **mine).split()[:2] == ["0", "True"]
        more = AS_OTHERS.replace("range(10)", "range(12)")
        said = run_as(4321, more, **mine)
        assert said.split()[:3] == ["4", "True", "1"] and "nothing can be written" in said
        # others may read it
        for path in [store, *store.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o755)
        said = run_as(1234, AS_OTHERS, **mine)
        assert said.split()[:3] == ["20", "False", "1"] and "belongs to another user" in said
        # a folder that can not even be listed
        store.chmod(0)
        said = run_as(1234, AS_OTHERS, **mine)
        assert said.split()[:3] == ["20", "False", "1"]
        # one that can not be made
        said = run_as(1234, AS_OTHERS, STORE=str(folder / "no"))
        assert said.split()[:3] == ["20", "False", "1"] and "can not be used" in said


def test_the_folder_is_its_owners(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        memo = fettle.Memo(tmp_path / "a" / "b")
        right(memo(value))
    finally:
        os.umask(before)
    for path in [tmp_path / "a" / "b", *(tmp_path / "a" / "b").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


# ---- time ----


def test_results_end_with_their_time(memo: fettle.Memo) -> None:
    kept = memo(ttl=0.2)(value)
    assert kept(1) == expected(1)
    end = time.monotonic() + LONG
    while kept.cached(1):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert kept.peek(1) is None
    assert kept(1) == expected(1) and len(CALLS) == 2
    assert memo(value)(1) == expected(1) and len(CALLS) == 2  # another's ttl is its own


def test_a_clock_that_was_set_back(memo: fettle.Memo) -> None:
    kept, forever = memo(ttl=1000)(value), memo(value)
    key = kept.handle.key((1,), {})
    store = kept.store
    for created, fresh in [
        (time.time() + 10**6, False),
        (time.time() - 10**6, False),
        (time.time() - 10, True),
    ]:
        assert store.put_encoded(key, 1, _core.encode(expected(1)), 0.1, 0, created)
        assert kept.cached(1) == fresh and forever.cached(1)
        CALLS.clear()
        assert kept(1) == expected(1) and len(CALLS) == (not fresh)
        assert kept.cached(1)
        assert right(kept) == 19 and memo.reduce(max_age=5) >= 0
        memo.clear()


# ---- bounds ----


def test_random_sizes_under_a_bound(tmp_path: Path) -> None:
    most = 3_000_000
    memo, other = fettle.Memo(tmp_path, max_bytes=most), fettle.Memo(tmp_path, max_bytes="1MB")
    chosen = random.Random(3)

    def sized(x: int, length: int) -> bytes:
        return bytes([x % 256]) * length

    with warned():
        for kept, bound in ((memo(sized), most), (other(sized), 1_000_000)):
            for x in range(1500):
                length = int(2 ** chosen.uniform(0, 17))
                assert kept(x, length) == sized(x, length)
            taken = sum(file.stat().st_blocks * 512 for file in files(tmp_path))
            assert taken <= bound * 1.5 and memo.stats().entries > 5
    with warned("larger than half"):
        assert len(memo(sized)(1, 2_000_000)) == len(memo(sized)(2, 2_500_000)) - 500_000


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path, max_bytes=10**9)
    kept = memo(value)
    for x in range(1, 50):
        kept(x)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        kept(7), kept(9)
    memo.reduce(max_items=2)
    assert kept.cached(7) and kept.cached(9) and memo.stats().entries == 2


def test_eviction_beside_readers(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path, max_bytes=2_000_000)
    kept = memo(version=1)(value)

    def work(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(300):
            x = chosen.randrange(200)
            assert kept(x) == expected(x)
            if chosen.random() < 0.02:
                memo.reduce(max_items=chosen.randrange(100))
            if chosen.random() < 0.005:
                memo.clear()

    with warned():
        assert Threads([functools.partial(work, n) for n in range(4)]).join() == [None] * 4


# ---- processes that die ----


def test_writers_that_are_killed(programs: Programs) -> None:
    text = """
    import random
    @memo(version=1)
    def run(x):
        return [x, str(x) * (20 if x % 5 else 30000)]
    chosen = random.Random(int(os.environ["SEED"]))
    note("ready")
    while True:
        x = chosen.randrange(100000)
        assert run(x) == [x, str(x) * (20 if x % 5 else 30000)]
        if chosen.random() < 0.01:
            memo.reduce(max_items=chosen.randrange(300))
    """
    chosen = random.Random(5)
    for round in range(4):
        started = [programs.start(text, SEED=str(round * 4 + n)) for n in range(4)]
        end = time.monotonic() + LONG
        while len(programs.notes) < 4 * (round + 1):
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(chosen.uniform(0, 0.3))
        for process in started:
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
        for process in started:
            assert process.communicate(timeout=LONG)[1] == ""
        with warned():
            kept = fettle.Memo(programs.store)(version=1)(value)
            right(kept, range(50))
            assert right(kept, range(50)) == 0
