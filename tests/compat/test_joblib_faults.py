# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.joblib on its own: what goes wrong, and who works at the same time."""

import datetime
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from fettle.compat import joblib
from fettle.compat.joblib import MemorizedFunc, Memory, _kept

from .cached import CALLS, forget_texts, given, square

pytestmark = pytest.mark.usefixtures("mode")


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


def test_a_folder_that_can_not_be_written(memory, mode) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    cached = memory.cache(given)
    cached(1)
    place = cached.func_id if mode == "files" else ".fettle/v1"
    folder = Path(cached.store_backend.location, place)
    folder.chmod(0o500)
    for path in folder.iterdir() if mode == "store" else ():
        path.chmod(0o500 if path.is_dir() else 0o400)
    _kept._opened.clear()  # as in another process
    try:
        with pytest.warns(joblib.CacheWarning):
            assert cached(1) == 1
            assert cached(2) == 2
        assert CALLS.count(int) == 2
    finally:
        folder.chmod(0o700)


@STORE_ONLY
def test_a_location_that_is_no_folder(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.warns(joblib.CacheWarning, match="file"):
        memory = Memory(str(tmp_path / "file"), verbose=0)
    cached = memory.cache(square)
    assert cached(3) == cached(3) == (9, "m")
    assert CALLS == [3, 3]
    assert not cached.check_call_in_cache(3)
    assert cached.call(3)[0] == (9, "m")
    assert memory.store_backend.get_items() == []
    cached.clear()
    memory.reduce_size(items_limit=0)
    memory.clear()
    assert (tmp_path / "file").read_text() == "mine"


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


@pytest.mark.parametrize(("needed", "program"), [("joblib", PARALLEL), ("distributed", DASK)])
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


def test_the_switch_of_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FETTLE_JOBLIB_BACKEND", "bogus")
    with pytest.raises(ValueError, match="FETTLE_JOBLIB_BACKEND is 'bogus'"):
        joblib.Memory(tmp_path, verbose=0)


def test_many_locations_take_few_descriptors(tmp_path: Path) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    for i in range(70):
        joblib.Memory(tmp_path / f"c{i}", verbose=0).cache(abs_of)(i)
        if i == 30:
            before = opened()
    assert opened() <= before + 10


def abs_of(x: int) -> int:
    return abs(x)
