# SPDX-License-Identifier: Apache-2.0
"""digest() of numpy's and pandas's values."""

import random
import subprocess
import sys
from typing import Any

import pytest
from fettle._core import digest

from tests.persist.encoding import digest_of, encode, head

np = pytest.importorskip("numpy")

DTYPES = ["?", "i1", "<i4", ">i4", "<i8", "u8", "f2", "<f8", ">f8", "c16", "S3", "U3", "V4"]


def random_array(source: random.Random) -> Any:
    dtype = np.dtype(source.choice([*DTYPES, "M8[s]", "M8[D]", "m8[ns]"]))
    shape = tuple(source.randrange(4) for _ in range(source.randrange(4)))
    count = int(np.prod(shape))
    return np.frombuffer(source.randbytes(count * dtype.itemsize), dtype).reshape(shape).copy()


def test_an_array_is_its_dtype_its_shape_and_its_bytes() -> None:
    source = random.Random(3)
    for _ in range(1000):
        array = random_array(source)
        if array.dtype.kind == "V":
            continue
        expected = b"A" + encode(array.dtype.str) + encode(array.shape) + b"C"
        assert digest(array) == digest_of(expected + encode(array.tobytes())), repr(array)


def test_arrays_are_told_apart() -> None:
    known: dict[Any, bytes] = {}
    source = random.Random(4)
    for _ in range(2000):
        array = random_array(source)
        key = array.dtype.str, array.shape, array.tobytes()
        assert known.setdefault(key, digest(array)) == digest(array)
    assert len(set(known.values())) == len(known) > 300


def test_how_an_array_lies_in_memory() -> None:
    array = np.arange(24.0).reshape(4, 6)
    wide = np.zeros((8, 12))
    wide[::2, ::2] = array
    assert digest(wide[::2, ::2]) == digest(array)
    assert digest(array[::-1][::-1]) == digest(array)
    columns = np.asfortranarray(array)
    assert digest(columns) == digest(np.asfortranarray(array.copy())) != digest(array)
    expected = b"A" + encode("<f8") + encode((4, 6)) + b"F" + encode(columns.tobytes("A"))
    assert digest(columns) == digest_of(expected)
    assert digest(columns[::2]) == digest(array[::2].copy())
    assert digest(array.T) != digest(array)
    array.flags.writeable = False
    assert digest(array) == digest(array.copy())
    assert digest(np.broadcast_to(np.float64(1), (3, 3))) == digest(np.ones((3, 3)))


def test_scalars_and_dtypes() -> None:
    values = [
        *(np.float64(1), np.float32(1), np.int64(1), np.int32(1), np.bool_(True), np.str_("1")),
        *(np.bytes_(b"1"), np.complex128(1), np.datetime64(1, "s"), np.datetime64(1, "D")),
        *(np.timedelta64(1, "s"), np.array(1.0), np.array([1.0]), np.array([[1.0]]), 1.0, 1, "1"),
        *(np.dtype("f8"), np.dtype(">f8"), np.dtype([("a", "f8")]), np.float64, np.float64(2)),
        *(np.array((1, 2), "i4,i4")[()], np.array((1, 3), "i4,i4")[()], np.array((1, 2), "i4,u4")),
    ]
    assert len({digest(value) for value in values}) == len(values)
    for value in values:
        assert digest(value) == digest(value)
    assert digest(np.arange(3)[1]) == digest(np.int64(1))


def test_records() -> None:
    def make(names: str, *rows: Any, **more: Any) -> Any:
        kinds = more.get("kinds", ("<i4", "<f8"))
        return np.array(list(rows), list(zip(names, kinds, strict=True)))

    values = [
        make("ab", (1, 2)), make("ba", (1, 2)), make("ab", (1, 3)), make("ab", (1, 2), (1, 2)),
        make("ab", (1, 2), kinds=("<i4", ">f8")), make("ab", (1, [2]), kinds=("<i4", "O")),
        make("ab", (1, [3]), kinds=("<i4", "O")), make("a", (1,), kinds=("<i4",)),
        make("ab", (1, 2)).view(np.recarray),
    ]  # fmt: skip
    assert len({digest(value) for value in values}) == len(values)
    assert digest(make("ab", (1, 2))) == digest(make("ab", (1, 2)))


def test_arrays_of_objects() -> None:
    def make(*items: Any) -> Any:
        array = np.empty(len(items), object)
        array[:] = items
        return array

    values = [make(), make(1), make(1.0), make("1"), make(None), make([1], 2), make((1,), 2)]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(make({"a": 1, "b": 2}, 2)) == digest(make({"b": 2, "a": 1}, 2))
    assert digest(make(1, 2, 3, 4).reshape(2, 2)) != digest(make(1, 2, 3, 4))
    loop = make(1, 2)
    loop[1] = loop
    assert digest(loop) == digest(loop)
    with pytest.raises(TypeError, match="cannot pickle"):
        digest(make(i for i in ()))


def test_addresses_are_refused() -> None:
    with pytest.raises(TypeError, match="addresses in a 'memoryview'"):
        digest(memoryview(np.array([[], 1], object)))
    record = np.zeros(2, [("ZOO", "c16"), ("P", "i4")])
    assert digest(memoryview(record)) == digest(memoryview(record.copy()))


def test_subclasses(tmp_path: Any) -> None:
    class Labelled(np.ndarray):
        pass

    one, other = (np.arange(3.0).view(Labelled) for _ in range(2))
    one.label, other.label = "a", "b"
    assert digest(one) != digest(other) != digest(np.arange(3.0))
    other.label = "a"
    assert digest(one) == digest(other)

    class Length(np.float64):
        pass

    metre, foot = Length(1), Length(1)
    metre.unit = foot.unit = "m"
    assert digest(metre) == digest(foot) != digest(np.float64(1))
    foot.unit = "ft"
    assert digest(metre) != digest(foot)
    np.arange(3.0).tofile(tmp_path / "a")
    np.arange(3.0).tofile(tmp_path / "b")
    first, second = (np.memmap(tmp_path / name, "f8", "r") for name in "ab")
    assert digest(first) == digest(second)
    masked = [np.ma.array([1, 2], mask=mask) for mask in ([0, 0], [0, 1], [1, 0])]
    assert len({digest(value) for value in masked}) == 3


def test_large_arrays() -> None:
    array = np.random.default_rng(0).random(300_000)
    right = digest(array)
    assert right == digest(array.copy())
    assert right == digest_of(b"A" + encode("<f8") + encode(array.shape) + b"C" + head(b"b",
                              array.nbytes) + array.tobytes())  # fmt: skip
    for at in (0, 1000, 299_999):
        other = array.copy()
        other[at] += 1
        assert digest(other) != right


def test_numpy_is_not_imported() -> None:
    program = (
        "import sys\nfrom fettle._core import digest\n"
        "digest([object(), {1: 2.5}, int])\nassert 'numpy' not in sys.modules\n"
        "import numpy\nassert digest(numpy.arange(3)) == digest(numpy.arange(3))\n"
        "print(digest(numpy.arange(3.0)).hex())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == digest(np.arange(3.0)).hex(), done.stderr


def pandas_values(pd: Any) -> list[Any]:
    return [
        pd.Series([1, 2]),
        pd.Series([1, 2], name="a"),
        pd.Series([1.0, 2]),
        pd.Series([1, 3]),
        pd.Series([1, 2], index=[1, 2]),
        pd.Series(["a", None]),
        pd.Series(["a", "b"], dtype=object),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["b", "a"])),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(pd.date_range("2020", periods=2)),
        pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
        pd.Index([1, 2]),
        pd.Index([1, 2], name="a"),
        pd.Index(["a", "b"]),
        pd.RangeIndex(2),
        pd.date_range("2020", periods=2),
        pd.MultiIndex.from_tuples([(1, 2), (3, 4)]),
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 2], "b": ["x", "z"]}),
        pd.DataFrame({"b": ["x", "y"], "a": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
        pd.DataFrame({0: [1, 2]}),
        pd.DataFrame(np.arange(4.0).reshape(2, 2)),
        pd.DataFrame(np.arange(4.0).reshape(2, 2), columns=["a", "a"]),
        pd.Timestamp("2020"),
        pd.Timedelta(1),
        pd.NA,
    ]


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")

    first, second = pandas_values(pd), pandas_values(pd)
    for one, other in zip(first, second, strict=True):
        assert digest(one) == digest(other), one
        repr(one), getattr(one, "is_unique", None), one.__eq__(other)  # what fills caches
        assert digest(one) == digest(other), one
    assert len({digest(value) for value in first}) == len(first)
    column_by_column = pd.DataFrame(index=range(2))
    column_by_column["a"] = [1, 2]
    column_by_column["b"] = [3, 4]
    column_by_column.index = pd.RangeIndex(2)
    assert digest(column_by_column) == digest(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
