# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.joblib on its own: what is kept, found and forgotten."""

import asyncio
import datetime
import gc
import logging
import pickle
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest
from fettle.compat import joblib
from fettle.compat.joblib import MemorizedResult, Memory, NotMemorizedResult

from .cached import CALLS, doubled, forget_texts, given, square

pytestmark = pytest.mark.usefixtures("mode")


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
