# SPDX-License-Identifier: Apache-2.0
"""numpy's arrays and scalars, and pandas' frames, through the codec of values that are kept."""

import contextlib
import copy
import gc
import mmap
import pickle
import sys
import tempfile
from typing import Any

import pytest
from fettle import _core

from tests.leaks import least_growth

numpy = pytest.importorskip("numpy")

RECORD = [("a", "<i2"), ("größe", ">f8", (2, 3)), ("inside", [("b", "u1"), ("c", "S3")])]
DTYPES: list[Any] = [
    "?", "i1", "u1", "<i2", ">i4", "<u8", "f2", "<f4", ">f8", "g", "c8", "c16", "S5", "<U3", ">U3",
    "V7", "M8[ns]", ">M8[D]", "m8[us]", "M8[25s]", RECORD,
]  # fmt: skip


def make(dtype: Any, shape: tuple[int, ...]) -> Any:
    """An array of bytes that are all different, so that a place that is wrong is seen."""
    dtype = numpy.dtype(dtype)
    count = int(numpy.prod(shape)) * dtype.itemsize
    data = (numpy.arange(count) * 7 % 127).astype("u1")
    if dtype.kind == "U":
        data = numpy.frombuffer(
            numpy.arange(count // 4).astype(dtype.byteorder + "u4").tobytes(), "u1"
        )
    if dtype.kind == "b":
        data = data % 2
    return numpy.frombuffer(data.tobytes(), dtype).reshape(shape).copy()


def same(one: Any, other: Any) -> bool:
    return bool(
        type(one) is type(other)
        and one.dtype == other.dtype
        and one.dtype.isalignedstruct == other.dtype.isalignedstruct
        and one.shape == other.shape
        and one.tobytes() == other.tobytes()
    )


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3), (20, 30, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_arrays(dtype: Any, shape: tuple[int, ...]) -> None:
    for value in (make(dtype, shape), numpy.asfortranarray(make(dtype, shape))):
        encoded = _core.encode(value)
        assert not _core.encoded_pickled(encoded)
        for owner in (None, encoded):
            back = _core.decode(encoded, owner)
            assert same(back, value)
            assert same(back, copy.deepcopy(value))
            assert back.flags.c_contiguous == value.flags.c_contiguous
            assert back.flags.f_contiguous == value.flags.f_contiguous
            assert back.flags.writeable == (owner is None)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scalars(dtype: Any) -> None:
    value = make(dtype, (3,))[1]
    encoded = _core.encode([value, {"a": value}] if value.dtype.kind != "V" else [value])
    assert not _core.encoded_pickled(encoded)
    back = _core.decode(encoded)[0]
    assert type(back) is type(value)
    assert same(numpy.asarray(back), numpy.asarray(value))


def test_texts_that_end_in_zeros_come_back_as_pickle_gives_them() -> None:
    for value in (numpy.str_("a\0"), numpy.bytes_(b"a\0"), numpy.str_(""), numpy.bytes_(b"")):
        back = _core.decode(_core.encode(value))
        assert type(back) is type(value)
        assert back == pickle.loads(pickle.dumps(value))


def test_records_with_gaps_and_alignment() -> None:
    gaps = {"names": ["x", "y"], "formats": ["u1", "<f8"], "offsets": [3, 8], "itemsize": 24}
    for dtype in (numpy.dtype(gaps), numpy.dtype([("a", "u1"), ("b", "f8")], align=True)):
        value = make(dtype, (5,))
        encoded = _core.encode([value, value.copy()])
        assert not _core.encoded_pickled(encoded)
        for back in _core.decode(encoded):
            assert back.tolist() == value.tolist()
            assert back.dtype == dtype
            assert back.dtype.isalignedstruct == dtype.isalignedstruct
            assert back.dtype.fields == dtype.fields


def test_dtypes_that_are_left_to_pickle() -> None:
    for dtype in (
        numpy.dtype("i4", metadata={"a": 1}),
        numpy.dtype([(("title", "name"), "i4")]),
        numpy.dtype("O"),
        numpy.dtype([("a", "O"), ("b", "i4")]),
    ):
        value = numpy.zeros(4, dtype)
        encoded = _core.encode(value)
        assert _core.encoded_pickled(encoded)
        back = _core.decode(encoded)
        assert back.dtype == dtype
        assert back.tolist() == value.tolist()


def test_subclasses_are_left_to_pickle() -> None:
    for value in (numpy.ma.masked_array([1, 2], [0, 1]), numpy.rec.array([(1, 2.0)])):
        encoded = _core.encode(value)
        assert _core.encoded_pickled(encoded)
        assert type(_core.decode(encoded)) is type(value)


def test_parts_of_arrays() -> None:
    whole = make("<i4", (100, 60))
    for value in (
        whole[::2],
        whole[:, ::-1],
        whole[3:50, 5:9],
        whole.T,
        numpy.broadcast_to(1, (4, 4)),
    ):
        back = _core.decode(_core.encode(value))
        assert same(back, value)


@pytest.mark.parametrize("depth", [127, 128])
def test_arrays_at_the_bottom(depth: int) -> None:
    for dtype in ("f8", RECORD):
        value: Any = make(dtype, (2,))
        for _ in range(depth):
            value = [value]
        back = _core.decode(_core.encode(value))
        for _ in range(depth):
            value, back = value[0], back[0]
        assert same(back, value)


def test_the_same_array_twice_stays_one() -> None:
    value = make("f8", (10,))
    one, other = _core.decode(_core.encode([value, value]))
    assert one is other
    assert same(one, value)


def test_large_arrays_are_views_of_the_owner() -> None:
    value = make("f8", (1000,))
    encoded = bytearray(_core.encode({"a": value, "b": [value[:600].copy(), b"x" * 9000]}))
    back = _core.decode(encoded, encoded)
    offset = bytes(encoded).index(value.tobytes())
    assert offset % 64 == 0
    assert back["a"].flags.writeable
    back["a"][0] = -1.0
    assert bytes(encoded[offset : offset + 8]) == numpy.float64(-1.0).tobytes()
    assert same(back["b"][0], value[:600])
    assert _core.decode(encoded)["a"].flags.owndata


def test_an_owner_lives_as_long_as_its_arrays() -> None:
    value = make("f8", (100_000,))
    encoded = _core.encode(value)
    with tempfile.TemporaryFile() as file:
        file.write(b"#" * 128 + encoded)
        file.flush()
        for access, writable in ((mmap.ACCESS_READ, False), (mmap.ACCESS_COPY, True)):
            mapped = mmap.mmap(file.fileno(), 0, access=access)
            back = _core.decode(memoryview(mapped)[128:], mapped)
            del mapped
            gc.collect()
            assert same(back, value)
            assert back.flags.writeable == writable


def test_small_arrays_can_be_written_to_where_large_ones_can() -> None:
    pair = [make("i4", (3,)), make("i4", (5000,))]
    encoded = _core.encode(pair)
    for owner, writable in ((None, True), (encoded, False)):
        assert [a.flags.writeable for a in _core.decode(encoded, owner)] == [writable] * 2
    changing = bytearray(encoded)
    assert [a.flags.writeable for a in _core.decode(changing, changing)] == [True] * 2


class Holder:
    def __init__(self, array: Any) -> None:
        self.array = array


def test_arrays_in_a_pickle_are_not_copied_either() -> None:
    value = Holder(make("f8", (5000,)))
    encoded = bytearray(_core.encode(value))
    assert _core.encoded_pickled(encoded)
    back = _core.decode(encoded, encoded)
    assert same(back.array, value.array)
    back.array[0] = -1.0
    assert _core.decode(encoded).array[0] == -1.0
    del back
    gc.collect()
    encoded.append(0)  # nothing holds it any more


def test_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(5000), "b": numpy.arange(5000) / 7, "c": ["x"] * 5000})
    encoded = _core.encode({"frame": frame})
    for owner in (None, encoded, bytearray(encoded)):
        back = _core.decode(encoded if owner is None else owner, owner)["frame"]
        pandas.testing.assert_frame_equal(back, frame)


def test_damaged_arrays() -> None:
    for value in (
        [make("<f8", (7, 3)), make(RECORD, (2,))],
        [make("<i4", (3000,)), numpy.float64(1)],
    ):
        data = _core.encode(value)
        for at in range(2, min(len(data), 900)):
            for byte in (0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1, data[at] ^ 0x10, ord("O")):
                changed = bytearray(data)
                changed[at] = byte
                for owner in (None, changed):
                    with contextlib.suppress(ValueError, MemoryError):
                        repr(_core.decode(changed, owner))
        for cut in range(len(data)):
            with pytest.raises(ValueError, match="damaged"):
                _core.decode(data[:cut])


def test_objects_can_not_be_smuggled_in() -> None:
    data = _core.encode(make("<f8", (2,)))
    with pytest.raises(ValueError):
        _core.decode(data.replace(b"\x43<f8", b"\x41O"))


def test_nothing_is_lost() -> None:
    value = [make(RECORD, (4,)), make("f8", (1000,)), numpy.float64(2), Holder(make("f8", (2000,)))]
    cases = [(each, _core.encode(each)) for each in value]

    def once() -> None:
        for each, encoded in cases:
            _core.encode(each)
            _core.decode(encoded)
            _core.decode(encoded, encoded)

    assert least_growth(once, 100, 49) < 50
    held = [sys.getrefcount(each) for case in cases for each in case]
    once()
    assert [sys.getrefcount(each) for case in cases for each in case] == held
