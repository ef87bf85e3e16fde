# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.joblib on its own: what is kept, found, forgotten, and what goes wrong."""

import asyncio
import datetime
import gc
import logging
import os
import pickle
import random
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest
from fettle.compat import joblib
from fettle.compat.joblib import MemorizedFunc, MemorizedResult, Memory, NotMemorizedResult, _kept

CALLS: list[object] = []


def square(x, unit="m", *, verbose=False):
    CALLS.append(x)
    return x * x, unit


async def doubled(x):
    CALLS.append(x)
    await asyncio.sleep(0)
    return 2 * x


def given(value):
    CALLS.append(type(value))
    return value


@pytest.fixture(autouse=True, params=["files", "store"])
def mode(request, monkeypatch):
    monkeypatch.setenv("FETTLE_JOBLIB_BACKEND", request.param)
    CALLS.clear()
    return request.param


@pytest.fixture
def memory(tmp_path):
    return Memory(str(tmp_path), verbose=0)


def forget_texts() -> None:
    """As in a new process, in which no function was looked at."""
    joblib._FUNCTION_HASHES.clear()


# ---- kept and found ----


def test_a_call_is_computed_once(memory) -> None:
    cached = memory.cache(square)
    cached.check_call_in_cache(3)  # nothing is kept before there is a text beside it
    assert not cached.check_call_in_cache(3)
    assert [cached(3), cached(x=3), cached(3, "m"), cached(3, unit="m")] == [(9, "m")] * 4
    assert CALLS == [3]
    assert cached.check_call_in_cache(3)
    assert not cached.check_call_in_cache(3, "s")
    assert cached.call(3)[0] == (9, "m")
    assert CALLS == [3, 3]


def test_what_is_ignored_makes_no_difference(memory) -> None:
    cached = memory.cache(ignore=["verbose"])(square)
    assert cached.ignore == ["verbose"]
    assert cached(3, verbose=True) == cached(3, verbose=False)
    assert CALLS == [3]
    with pytest.raises(ValueError, match="'volume'"):
        memory.cache(square, ignore=["volume"])(3)


def test_another_memory_and_another_process_find_it(memory, tmp_path) -> None:
    memory.cache(square)(3)
    forget_texts()
    assert Memory(str(tmp_path), verbose=0).cache(square)(3) == (9, "m")
    assert CALLS == [3]
    module = tmp_path / "module.py"
    module.write_text("def f(x):\n    print('computed', x)\n    return x\n")
    program = textwrap.dedent(
        f"""
        import module
        from fettle.compat.joblib import Memory
        print(Memory({str(tmp_path)!r}, verbose=0).cache(module.f)(5))
        """
    )
    shown = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert shown == ["computed 5\n5\n", "5\n"]


def test_an_edited_function_forgets(memory, tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    answers = []
    for value in (1, 1, 2):
        (tmp_path / "edited_.py").write_text(
            f"def f(log):\n    log.append(1)\n    return {value}\n"
        )
        sys.modules.pop("edited_", None)
        sys.path_importer_cache.clear()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            import edited_
        finally:
            sys.dont_write_bytecode = before
        log: list[int] = []
        answers.append((memory.cache(edited_.f, ignore=["log"])(log), len(log)))
    assert answers == [(1, 1), (1, 0), (2, 1)]


def test_functions_without_a_text(tmp_path) -> None:
    """Of one process and another: the same one is found, another one is not."""
    program = textwrap.dedent(
        f"""
        import sys
        from fettle.compat.joblib import Memory
        text = "def f(x): print('computed'); return x in {{'a', 'b', 3}} or x * " + sys.argv[1]
        names = {{}}
        exec(text, names)
        print(Memory({str(tmp_path)!r}, verbose=0).cache(names["f"])(5))
        """
    )
    shown = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, number], capture_output=True, text=True
        ).stdout
        for number in "2232"
    ]
    assert shown == ["computed\n10\n", "10\n", "computed\n15\n", "computed\n10\n"]


def test_methods_partials_and_builtins(memory) -> None:
    import functools

    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def __reduce__(self):  # a local class can not be pickled by its name
            return (int, (self.factor,))

        def times(self, x):
            CALLS.append(x)
            return self.factor * x

    for factor in (2, 3, 2):
        assert memory.cache(Scale(factor).times)(5) == factor * 5
    assert CALLS == [5, 5]
    part = memory.cache(functools.partial(square, 4))
    assert part() == part() == (16, "m")
    assert CALLS == [5, 5, 4]
    assert memory.cache(max)(2, 3) == 3
    assert memory.eval(square, 4) == (16, "m")


def test_coroutine_functions(memory, tmp_path) -> None:
    cached = memory.cache(doubled)
    assert isinstance(cached, joblib.AsyncMemorizedFunc)

    async def calls():
        reference = await cached.call_and_shelve(4)
        return await cached(3), await cached(3), reference.get(), (await cached.call(3))[0]

    assert asyncio.run(calls()) == (6, 6, 8, 6)
    assert CALLS == [4, 3, 3]
    none = Memory(None).cache(doubled)

    async def uncached():
        return await none(1), (await none.call_and_shelve(1)).get(), await none.call(1)

    assert asyncio.run(uncached()) == (2, 2, (2, {}))


def test_without_a_location_nothing_is_kept() -> None:
    memory = Memory(None, verbose=0)
    cached = memory.cache(square)
    assert cached(3) == cached(3) == memory.eval(square, 3) == (9, "m")
    assert CALLS == [3, 3, 3]
    assert cached.call(3) == ((9, "m"), {})
    assert not cached.check_call_in_cache(3)
    reference = cached.call_and_shelve(3)
    assert isinstance(reference, NotMemorizedResult)
    assert pickle.loads(pickle.dumps(reference)).get() == (9, "m")
    reference.clear()
    with pytest.raises(KeyError):
        reference.get()
    memory.clear()
    memory.reduce_size(items_limit=0)


# ---- references, validation, forgetting ----


def test_references(memory) -> None:
    reference = memory.cache(square).call_and_shelve(3)
    assert isinstance(reference, MemorizedResult)
    sent = pickle.loads(pickle.dumps(reference))
    assert sent.get() == reference.get() == (9, "m")
    assert sent.metadata["input_args"] == {"x": "3", "unit": "'m'", "verbose": "False"}
    assert sent.duration >= 0
    again = memory.cache(square).call_and_shelve(3)
    assert again.metadata.keys() == reference.metadata.keys()
    assert again.metadata["input_args"] == reference.metadata["input_args"]
    for number in ("time", "duration"):
        assert abs(again.metadata[number] - reference.metadata[number]) < 1
    again.clear()
    for each in (sent, reference, again):
        with pytest.raises(KeyError):
            each.get()
    again.clear()
    assert CALLS == [3]


def test_a_callback_says_what_is_still_good(memory) -> None:
    seen = []

    def validation(metadata):
        seen.append(metadata)
        return len(seen) % 2

    cached = memory.cache(square, cache_validation_callback=validation)
    before = time.time()
    for _ in range(3):
        cached(3)
    assert CALLS == [3, 3]  # the second call found it, the third's was refused
    assert all(before - 1 <= each["time"] <= time.time() + 1 for each in seen)
    assert all(each["input_args"]["x"] == "3" for each in seen)
    with pytest.raises(ValueError, match="callable"):
        memory.cache(square, cache_validation_callback=3)


def test_expires_after(memory) -> None:
    good = joblib.expires_after(seconds=30)
    assert good({"time": time.time() - 29}) and not good({"time": time.time() - 31})
    assert joblib.expires_after(weeks=1)({"time": time.time() - 6 * 86400})
    cached = memory.cache(square, cache_validation_callback=joblib.expires_after(days=-1))
    assert cached(3) == cached(3)
    assert CALLS == [3, 3]


def test_clear(memory) -> None:
    one, other = memory.cache(square), memory.cache(given)
    one(3), other(4)
    one.clear(warn=False)
    assert not one.check_call_in_cache(3) and other.check_call_in_cache(4)
    memory.clear(warn=False)
    assert not other.check_call_in_cache(4)
    assert one(3) == (9, "m") and one(3) == (9, "m")
    assert CALLS[:] == [3, int, 3]


def test_reduce_size_keeps_what_was_used_last(memory) -> None:
    cached = memory.cache(given)
    for number in range(8):
        cached(number)
        time.sleep(0.3)
    cached(2)
    memory.reduce_size()
    memory.reduce_size(items_limit=8, bytes_limit="1G", age_limit=datetime.timedelta(days=1))
    assert all(map(cached.check_call_in_cache, range(8)))
    memory.reduce_size(items_limit=3)
    kept = {number for number in range(8) if cached.check_call_in_cache(number)}
    assert len(kept) == 3 and 7 in kept
    memory.reduce_size(age_limit=datetime.timedelta(days=1))
    assert {number for number in range(8) if cached.check_call_in_cache(number)} == kept
    memory.reduce_size(bytes_limit=0)
    assert not any(map(cached.check_call_in_cache, range(8)))
    cached(0)
    memory.reduce_size(age_limit=datetime.timedelta(0))
    assert not cached.check_call_in_cache(0)


@pytest.mark.parametrize("limits", [{"bytes_limit": "many"}, {"bytes_limit": ""}])
def test_reduce_size_of_nonsense(memory, limits) -> None:
    with pytest.raises(ValueError):
        memory.reduce_size(**limits)
    with pytest.raises(ValueError, match="positive"):
        memory.reduce_size(age_limit=datetime.timedelta(seconds=-1))


# ---- values ----


VALUES = [
    None,
    1.5,
    "é\udc80",
    b"\0" * 100_000,
    {"a": [1, {2, 3}], (4,): datetime.date(2020, 1, 1)},
    list(range(1000)),
    ValueError("x").args,
    float("-inf"),
]


@pytest.mark.parametrize("compress", [False, True, 1, 9, "gzip", ("bz2", 2), ("xz", 0), "lzma"])
def test_values_come_back(tmp_path, compress) -> None:
    cached = Memory(str(tmp_path), compress=compress, verbose=0).cache(given)
    for value in VALUES:
        assert cached(value) == cached(value) == value
        assert type(cached(value)) is type(value)
    assert len(CALLS) == len(VALUES)


@pytest.mark.parametrize("compress", ["rar", ("gzip", 12), 77])
def test_bad_compression_computes(tmp_path, compress) -> None:
    cached = Memory(str(tmp_path), compress=compress, verbose=0).cache(given)
    with pytest.warns(joblib.CacheWarning, match="compress"):
        assert cached(1) == 1


def arrays(np):
    made = np.arange(24, dtype="<f8").reshape(4, 6)
    return [
        made,
        np.asfortranarray(made),
        made[::2, 1::2],
        made.astype(">i4"),
        np.array(5),
        np.zeros((0, 3)),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array([(1, 2.0)], dtype=[("a", "i1"), ("b", "f8")]),
        np.array([None, {"a": made}], dtype=object),
        np.array(["a", "bcd"]),
        {"x": [made, made], "y": (made.T, 3)},
        np.float64(3),
        [np.dtype("f4"), np.ones(300_000)],
    ]


def same(one, other) -> bool:
    """Are they the same, arrays with their kind and contents?"""
    import numpy as np

    if isinstance(one, dict):
        return list(one) == list(other) and same(list(one.values()), list(other.values()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if not isinstance(one, np.ndarray):
        return type(one) is type(other) and bool(one == other)
    if one.dtype.hasobject:
        return one.dtype == other.dtype and same(one.tolist(), other.tolist())
    return (
        one.shape == other.shape
        and one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")
        and one.flags.f_contiguous == other.flags.f_contiguous
        and one.tolist() == other.tolist()
    )


@pytest.mark.parametrize("compress", [False, 3])
def test_arrays_come_back(tmp_path, compress) -> None:
    np = pytest.importorskip("numpy")
    cached = Memory(str(tmp_path), compress=compress, verbose=0).cache(given)
    for value in arrays(np):
        expected = np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
        if not isinstance(value, np.ndarray) or value.flags.forc:
            expected = value
        cached(value)
        assert same(cached(value), expected), value
    assert len(CALLS) == len(arrays(np))


@pytest.mark.parametrize("mmap_mode", ["r", "c", "r+", "w+"])
def test_mapped_arrays(tmp_path, mmap_mode, mode) -> None:
    np = pytest.importorskip("numpy")
    cached = Memory(str(tmp_path), mmap_mode=mmap_mode, verbose=0).cache(given)
    value = np.arange(100_000.0)
    for _ in range(2):
        found = cached(value)
        assert type(found) is (np.memmap if mode == "files" else np.ndarray)
        assert found.ctypes.data % 16 == 0
        assert np.array_equal(found, value)
        assert found.flags.writeable == (mmap_mode != "r")
        assert cached(np.asarray(found)) is not found  # a mapped argument finds it too
        assert np.array_equal(cached(found), value)
    assert len(CALLS) == 1
    if mmap_mode == "c":
        found[0] = 9
        assert cached(value)[0] == 0
    del found
    gc.collect()


# ---- what goes wrong ----


def outputs(location) -> list[Path]:
    return sorted(Path(location).rglob("output.pkl"))


FILES_ONLY = pytest.mark.parametrize("mode", ["files"], indirect=True)
STORE_ONLY = pytest.mark.parametrize("mode", ["store"], indirect=True)


@FILES_ONLY
def test_a_damaged_file_is_computed_anew(memory, tmp_path, caplog) -> None:
    cached = memory.cache(given)
    value = {"a": [1, 2, 3], "b": "text"}
    cached(value)
    (path,) = outputs(tmp_path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        caplog.clear()
        assert cached(value) == value
        assert "Exception while loading results" in caplog.text
        assert path.read_bytes() == whole
    path.write_text("garbage")
    with pytest.raises(KeyError, match="corrupted"):
        cached.call_and_shelve(value).get()


@FILES_ONLY
@pytest.mark.parametrize("compress", [False, 3])
def test_a_damaged_array_is_computed_anew(tmp_path, compress, caplog) -> None:
    np = pytest.importorskip("numpy")
    cached = Memory(str(tmp_path), compress=compress, verbose=0).cache(given)
    value = np.arange(50_000.0)
    cached(value)
    (path,) = outputs(tmp_path)
    whole = path.read_bytes()
    rng = random.Random(1)
    for length in [0, 1, 50, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(10))]:
        path.write_bytes(whole[:length])
        assert np.array_equal(cached(value), value)
        assert path.read_bytes() == whole
    assert len(CALLS) == 15


@STORE_ONLY
@pytest.mark.filterwarnings("ignore::fettle.compat.joblib.CacheWarning")
def test_a_damaged_store_never_gives_a_wrong_value(tmp_path) -> None:
    values = [{"a": [1, 2, 3], "b": "text"}, b"x" * 50_000, list(range(500)), datetime.date.today()]
    rng = random.Random(1)
    for _ in range(60):
        memory = Memory(str(tmp_path), verbose=0)
        cached = memory.cache(given)
        for value in values:
            assert cached(value) == value
        files = [path for path in (tmp_path / "joblib/.fettle").rglob("*") if path.is_file()]
        path = rng.choice([path for path in files if path.stat().st_size])
        content = bytearray(path.read_bytes())
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        _kept._opened.clear()  # as in another process
        path.write_bytes(content)
        for value in values:
            assert cached(value) == value


@STORE_ONLY
def test_a_store_that_another_could_write_is_not_used(memory, tmp_path) -> None:
    cached = memory.cache(given)
    cached(1)
    folder = tmp_path / "joblib/.fettle/v1"
    folder.chmod(0o777)
    _kept._opened.clear()
    with pytest.warns(joblib.CacheWarning, match="another user"):
        assert cached(1) == 1
    assert [int, int] == CALLS
    folder.chmod(0o700)
    _kept._opened.clear()
    assert cached(1) == 1
    assert [int, int] == CALLS


@STORE_ONLY
def test_a_bounded_store(tmp_path) -> None:
    cached = Memory(str(tmp_path), verbose=0, bytes_limit="4M").cache(given)
    for number in range(200):
        cached(bytes([number]) * 100_000)
    size = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*") if path.is_file())
    assert size < 8 << 20
    assert cached(bytes([199]) * 100_000) == bytes([199]) * 100_000
    assert len(CALLS) == 200


@STORE_ONLY
def test_the_folder_is_removed_meanwhile(memory, tmp_path) -> None:
    import shutil

    memory.cache(given)(1)
    shutil.rmtree(tmp_path / "joblib")
    cached = memory.cache(given)
    assert cached(2) == cached(2) == 2
    joblib._FUNCTION_HASHES.clear()
    assert Memory(str(tmp_path), verbose=0).cache(given).check_call_in_cache(2)


@STORE_ONLY
def test_what_a_listing_shows(memory, tmp_path) -> None:
    cached = memory.cache(given)
    cached(1)
    folder = Path(memory.store_backend.location)
    visible = [path for path in folder.rglob("*") if ".fettle" not in path.parts]
    assert [path.name for path in visible if path.is_file()] == ["func_code.py"]
    assert (folder / cached.func_id / "func_code.py").read_text().count("def given") == 1
    (item,) = memory.store_backend.get_items()
    assert item.path == os.path.join(folder, cached.func_id, cached._get_args_id(1))
    assert abs(item.last_access - datetime.datetime.now()) < datetime.timedelta(minutes=1)
    memory.store_backend.clear_location(item.path)
    assert memory.store_backend.get_items() == []


@STORE_ONLY
def test_results_whose_text_is_gone_are_not_believed(memory) -> None:
    cached = memory.cache(given)
    cached(1)
    Path(memory.store_backend.location, cached.func_id, "func_code.py").unlink()
    forget_texts()
    assert not cached.check_call_in_cache(1)
    assert not cached.check_call_in_cache(1)


def test_a_result_that_can_not_be_pickled(memory, tmp_path) -> None:
    cached = memory.cache(made_function)
    for _ in range(2):
        with pytest.warns(joblib.CacheWarning, match="made_function"):
            assert cached(1)() == 1
    assert not outputs(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if "output" in path.name]
    with pytest.warns(joblib.CacheWarning):
        assert Memory(str(tmp_path), mmap_mode="r", verbose=0).cache(made_function)(1)() == 1


def made_function(x):
    return lambda: x


def test_a_folder_that_can_not_be_written(memory, tmp_path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    cached = memory.cache(given)
    cached(1)
    folder = Path(cached.store_backend.location, cached.func_id)
    folder.chmod(0o500)
    try:
        assert cached(1) == 1
        with pytest.warns(joblib.CacheWarning):
            assert cached(2) == 2
    finally:
        folder.chmod(0o700)


def test_exceptions_pass(memory) -> None:
    cached = memory.cache(square)
    for _ in range(2):
        with pytest.raises(TypeError):
            cached("text")
    assert CALLS == ["text", "text"]
    with pytest.raises(ValueError, match="square"):
        cached()
    with pytest.raises(TypeError, match="volume"):
        cached(1, volume=3)


def by_position(x, /, y, *, z=1):
    return x, y, z


def with_all(x, *more, z=1, **named):
    return x, more, z, named


def test_what_a_call_binds(memory) -> None:
    """Where joblib mixes calls up, or refuses what is right."""
    cached = memory.cache(by_position)
    assert [cached(1, 2), cached(1, 3), cached(0, 2)] == [(1, 2, 1), (1, 3, 1), (0, 2, 1)]
    assert cached(1, y=3, z=4) == (1, 3, 4)
    for args, named in [((1, 2, 3), {}), ((1,), {}), ((), {"x": 1, "y": 2})]:
        with pytest.raises((TypeError, ValueError)):
            cached(*args, **named)
    every = memory.cache(with_all)
    assert every(1, 2, 3) == (1, (2, 3), 1, {})
    assert every(1, 2, 3, z=2) == (1, (2, 3), 2, {})
    assert every(1, q=2) == (1, (), 1, {"q": 2})
    assert every(1, q=3, z=5) == (1, (), 5, {"q": 3})
    one = memory.cache(given)
    one(1)
    with pytest.raises(TypeError):
        one(1, 2)
    with pytest.raises(TypeError):
        one(1, value=1)


# ---- pickling, threads, processes ----


def test_pickling(memory) -> None:
    cached = memory.cache(square)
    cached(3)
    sent = pickle.loads(pickle.dumps(cached))
    assert isinstance(sent, MemorizedFunc) and sent.func is square
    assert sent(3) == (9, "m")
    again = pickle.loads(pickle.dumps(memory))
    assert again.cache(square)(3) == (9, "m")
    assert CALLS == [3]
    assert repr(again) == repr(memory)
    assert joblib.hash(sent) == joblib.hash(cached)


# A module, so that workers can import it; each computation is a line in a file.
WORK = """
from pathlib import Path
def square(x):
    with open(Path(__file__).with_name("calls"), "a") as file:
        print(x, file=file)
    return x * x
"""
PARALLEL = """
import work
from fettle.compat.joblib import Memory, Parallel, delayed
if __name__ == "__main__":
    cached = Memory("cache", verbose=0).cache(work.square)
    for backend in ("threading", "loky", "multiprocessing"):
        found = Parallel(n_jobs=2, backend=backend)(delayed(cached)(x) for x in range(20))
        assert found == [x * x for x in range(20)], found
    print(cached.check_call_in_cache(7), cached.call_and_shelve(7).get())
"""
DASK = """
import work
from distributed import Client
from fettle.compat.joblib import Memory
if __name__ == "__main__":
    cached = Memory("cache", verbose=0).cache(work.square)
    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        for _ in range(2):
            assert client.gather(client.map(cached, range(20), pure=False)) == [
                x * x for x in range(20)
            ]
    print(cached.check_call_in_cache(7), cached.call_and_shelve(7).get())
"""


@pytest.mark.parametrize(
    ("needed", "program"), [("joblib", PARALLEL), ("distributed", DASK)], ids="pd"
)
def test_workers(tmp_path, needed, program) -> None:
    pytest.importorskip(needed)
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "True 49\n", done.stderr
    calls = sorted(map(int, (tmp_path / "calls").read_text().split()))
    assert sorted(set(calls)) == list(range(20))
    # Two workers may begin at the same time, and each finds that there is no text yet.
    assert len(calls) <= 40


# ---- the module ----


class Dictionary(joblib.StoreBackendBase, joblib.StoreBackendMixin):
    """A store of one's own: files in a dictionary."""

    def __init__(self):
        self.files: dict[str, bytes] = {}

    def _open_item(self, f, mode):
        import io

        if mode == "rb":
            if f not in self.files:
                raise FileNotFoundError(f)
            return io.BytesIO(self.files[f])
        files = self.files

        class Writing(io.BytesIO):
            def close(self):
                files[f] = self.getvalue()
                super().close()

        return Writing()

    def _item_exists(self, location):
        return any(each == location or each.startswith(location + "/") for each in self.files)

    def _move_item(self, src, dst):
        self.files[dst] = self.files.pop(src)

    def create_location(self, location):
        pass

    def clear_location(self, location):
        for each in [each for each in self.files if each.startswith(location)]:
            del self.files[each]

    def get_items(self):
        return []

    def configure(self, location, verbose=0, backend_options=None):
        self.location = location


def test_a_store_of_ones_own() -> None:
    joblib.register_store_backend("dictionary", Dictionary)
    cached = Memory("somewhere", backend="dictionary", verbose=0).cache(square)
    assert cached(3) == cached(3) == cached.call_and_shelve(3).get() == (9, "m")
    assert CALLS == [3]
    assert not Path("somewhere").exists()
    cached.clear(warn=False)
    assert not cached.check_call_in_cache(3)
    for name, store in [(3, Dictionary), ("x", None), ("x", dict), ("x", Dictionary())]:
        with pytest.raises(ValueError):
            joblib.register_store_backend(name, store)
    with pytest.raises(TypeError, match="unheard"):
        Memory("somewhere", backend="unheard")


def test_collisions(memory) -> None:
    one, other = memory.cache(lambda x: x), memory.cache(lambda x: x + 1)
    with pytest.warns(joblib.JobLibCollisionWarning):
        assert [one(0), other(0), one(1)] == [0, 1, 1]


def test_warnings_go_to_joblibs_logger(memory, caplog) -> None:
    with caplog.at_level(logging.WARNING, "joblib"):
        memory.clear()
    assert [record.name for record in caplog.records] == ["joblib"]
    assert "Flushing" in caplog.text


def test_gitignore_is_written_once(tmp_path) -> None:
    Memory(str(tmp_path))
    path = tmp_path / ".gitignore"
    assert "*" in path.read_text().splitlines()
    path.write_text("mine")
    Memory(str(tmp_path))
    assert path.read_text() == "mine"


def test_odd_locations() -> None:
    with pytest.warns(UserWarning, match="int"):
        assert Memory(3).cache(square)(3) == (9, "m")


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("joblib", "numpy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from fettle.compat import joblib
from fettle.compat.joblib import *
memory = joblib.Memory(sys.argv[1], verbose=0)
print(memory.cache(divmod)(7, 2), memory.cache(divmod)(7, 2), joblib.hash({1: 2}))
try:
    joblib.Parallel
except ImportError as error:
    print(error)
try:
    from fettle.compat.joblib import delayed
except ImportError as error:
    print(error)
print(hasattr(joblib, "nonsense"), "numpy" in sys.modules)
"""


def test_without_joblib_and_numpy(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True
    )
    assert done.stderr == ""
    first, parallel, delayed, last = done.stdout.splitlines()
    assert first.startswith("(3, 1) (3, 1) ")
    for name, line in [("Parallel", parallel), ("delayed", delayed)]:
        assert f"joblib.{name} is joblib's own" in line and "pip install joblib" in line
    assert last == "False False"


def test_unpickled_by_name_alone(tmp_path) -> None:
    """What MemorizedResult shows of itself can be typed in."""
    memory = Memory(str(tmp_path), verbose=0)
    reference = memory.cache(square).call_and_shelve(3)
    typed = MemorizedResult(reference.store_backend.location, (reference.func, reference.args_id))
    assert typed.get() == (9, "m")


def test_no_warning_of_ones_own(memory) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert memory.cache(square)(7) == (49, "m")
