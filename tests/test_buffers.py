"""The memory of columns: what need not be copied is not, and what is copied is right to the last bit."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reading import FRAME, A, B, D, read

from fastmle.kernels.validity import compile_blank
from fastmle.sources import open_source
from fastmle.sources.base import read_only
from fastmle.sources.buffers import take
from fastmle.sources.parts import Part, Parts, join

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")


def test_views_where_views_are_possible():
    table = pa.table({"a": A, "b": B})
    series = pl.Series("a", A)
    for data in (
        A,
        {"a": A},
        table,
        table["a"],
        pa.array(A),
        FRAME,
        series,
        pd.Series(A),
        pd.DataFrame({"a": A}),
    ):
        source = open_source(data, None if not hasattr(data, "columns") else "a")
        (chunk,) = source.chunks()
        (again,) = source.chunks()
        assert np.shares_memory(chunk[0], again[0])
        assert source.in_memory
    for data in (A, {"a": A}, table.select(["a"]), series, pd.Series(A), memoryview(A)):
        (chunk,) = open_source(data).chunks()
        assert np.shares_memory(chunk[0], data.to_numpy() if hasattr(data, "to_numpy") else A)
    assert A.flags.writeable
    (chunk,) = open_source(D).chunks()
    assert np.shares_memory(chunk[0], D)
    matrix = np.ones((5, 2))
    (chunk,) = open_source(matrix[::2]).chunks()
    assert all(np.shares_memory(values, matrix) for values in chunk)


def test_a_conversion_goes_block_by_block(monkeypatch):
    monkeypatch.setattr("fastmle.sources.base.BLOCK_ROWS", 100)
    for data in (np.arange(2000)[::2], np.arange(1000, dtype=">i8"), np.arange(1000, dtype="u4")):
        chunks = list(open_source(data).chunks())
        assert [len(chunk[0]) for chunk in chunks] == [100] * 10
    with_null = pl.Series([None, *range(999)])
    assert [chunk[0].dtype.name for chunk in open_source(with_null).chunks()] == ["float64"] + ["int64"] * 9


@pytest.mark.parametrize("module", ["nano", "pyarrow_"])
def test_buffers_outlive_their_batches(module, monkeypatch):
    reader = pytest.importorskip(f"fastmle.sources.{module}")
    monkeypatch.setattr("fastmle.sources.arrow.open_stream", reader.open_stream)
    make = lambda: pa.record_batch({"a": np.arange(10.0).tolist(), "b": [True, None] * 5})  # noqa: E731
    chunks = list(open_source(make(), ["a", "b"]).chunks())
    gc.collect()
    _ = [np.full(n, 7.0) for n in range(1, 200)]  # takes the memory, were it free
    np.testing.assert_array_equal(chunks[0][0], np.arange(10.0))
    np.testing.assert_array_equal(chunks[0][1], [1, np.nan] * 5)


DTYPES = {
    "?": "uint8", "i1": "int32", "i2": "int32", "i4": "int32", "i8": "int64", "u1": "uint8", "u2": "int32",
    "u4": "int64", "u8": "float64", "f2": "float32", "f4": "float32", "f8": "float64", "g": "float64",
}  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_array(data):
    code = data.draw(st.sampled_from([*DTYPES, ">i2", ">i8", ">f4", ">f8", ">u4"]))
    values = data.draw(hnp.arrays(np.dtype(code), st.integers(0, 60)))
    step = data.draw(st.sampled_from([1, 2, 3, -1, -2]))
    mask = data.draw(hnp.arrays(bool, len(values)))
    if data.draw(st.booleans()):
        values = values.copy()
        values.flags.writeable = False
    want = values[::step].astype(np.float64)
    for array, expected in (
        (values[::step], want),
        (np.ma.array(values, mask=mask)[::step], np.where(mask[::step], np.nan, want)),
    ):
        got = read({"v": array, "n": np.zeros(len(array))}, "v", chunk_rows=data.draw(st.integers(1, 70)))
        if len(array):
            np.testing.assert_array_equal(got[0], expected)
            if not np.ma.isMaskedArray(array):
                assert got[0].dtype == DTYPES[code.strip(">")]


ARROW = [pa.int8(), pa.uint16(), pa.int64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.null()]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_arrow_column(data):
    kind = data.draw(st.sampled_from(ARROW))
    rows = data.draw(st.lists(st.none() | st.integers(0, 1), max_size=80))
    if pa.types.is_null(kind):
        rows = [None] * len(rows)
    numbers = [np.float16(v) if kind == pa.float16() and v is not None else v for v in rows]
    column = pa.array([v if v is None or kind != pa.bool_() else bool(v) for v in numbers], kind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    chunked = pa.chunked_array(
        [column[i:j] for i, j in zip([0, *cuts], [*cuts, len(rows)], strict=True)], kind
    )
    start = data.draw(st.integers(0, len(rows)))
    want = np.array([np.nan if v is None else v for v in rows], dtype=float)[start:]
    readers = ["nano", "pyarrow_", "polars_stream"]
    reader = pytest.importorskip(f"fastmle.sources.{data.draw(st.sampled_from(readers))}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastmle.sources.arrow.open_stream", reader.open_stream)
        for part in (
            column[start:],
            chunked[start:],
            pa.table({"x": chunked})[start:],
            pl.Series(chunked[start:]),
        ):
            got = read(part, chunk_rows=data.draw(st.integers(1, 90)))
            np.testing.assert_array_equal(got[0] if got else [], want)
            got = read(np.zeros(len(want)), extra={"weights": part}, chunk_rows=17)
            np.testing.assert_array_equal(got[1] if got else [], want)


def test_nulls_of_structs_hide_their_fields():
    values = pa.StructArray.from_arrays(
        [pa.array([1.0, None, 3.0, 4.0]), pa.array([True, False, None, True])],
        ["p", "q"],
        mask=pa.array([False, False, False, True]),
    )
    for module in ("nano", "pyarrow_"):
        reader = pytest.importorskip(f"fastmle.sources.{module}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fastmle.sources.arrow.open_stream", reader.open_stream)
            for data in (values, pa.chunked_array([values, values])):
                p, q = read(data[1:])
                np.testing.assert_array_equal(p[:3], [np.nan, 3, np.nan])
                np.testing.assert_array_equal(q[:3], [0, np.nan, np.nan])


def test_unknown_null_count():
    bits = pa.py_buffer(bytes([0b101]))
    column = pa.Array.from_buffers(pa.int32(), 3, [bits, pa.py_buffer(np.arange(3, dtype="i4"))], -1)
    np.testing.assert_array_equal(read(column)[0], [0, np.nan, 2])


def test_the_copy_of_a_column_with_nulls_keeps_every_other_bit() -> None:
    rng = np.random.default_rng(5)
    values = np.resize([-0.0, 0.0, np.inf, -np.inf, 5e-324, 1.5, -1e308], 90)
    packed = np.packbits(rng.random(104) < 0.8, bitorder="little")
    bits = np.unpackbits(packed, bitorder="little")
    for first in range(9):
        for size in range(90):
            out = np.zeros(size)
            compile_blank()(read_only(values[:size]), read_only(packed), first, out)
            expected = [v if bit else np.nan for v, bit in zip(values, bits[first : first + size], strict=False)]
            np.testing.assert_array_equal(out.view("i8"), np.array(expected).view("i8"))


def test_memory_is_used_again_only_once_nobody_looks_at_it() -> None:
    def place(array: np.ndarray) -> int:
        return array.__array_interface__["data"][0]

    first = take(1 << 15)
    where = place(first)
    part = read_only(first)[5:90].view(np.int64)[2:]
    del first
    assert place(take(1 << 15)) != where
    del part
    assert where in [place(array) for array in [take(1 << 15), take(1 << 15)]]
    column = pa.array(np.arange(3e6), mask=np.arange(3_000_000) % 7 == 3)
    chunks = [chunk[0] for chunk in open_source(column).chunks()]
    assert len(chunks) > 10
    np.testing.assert_array_equal(np.concatenate(chunks), column.to_numpy(zero_copy_only=False))


@pytest.mark.parametrize("kind", ["bool", "float64", "float32", "int64"])
def test_polars_columns_with_nulls_and_bits_are_read_from_their_buffers(kind: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2, 300_001).astype(kind)
    null = rng.random(values.size) < 0.05
    series = pl.from_arrow(pa.array(values, mask=null))
    both = pl.concat([series.slice(3), series.slice(0, 70_005)], rechunk=False)
    expected = np.where(null, np.nan, values.astype(float))
    expected = np.concatenate([expected[3:], expected[:70_005]])
    for data in (both, both.to_frame("x"), both.to_frame("x").lazy()):
        found = np.concatenate([c[0].astype(float) for c in open_source(data).chunks()])
        np.testing.assert_array_equal(found, expected)


def test_a_column_in_parts_is_the_same_column(monkeypatch) -> None:
    monkeypatch.setattr("fastmle.sources.parts.COPIED", 64)
    rng = np.random.default_rng(9)
    parts, whole = [], []
    for rows in (1, 70, 16, 200, 3, 129, 48):
        values, bits = rng.normal(size=rows), rng.random(rows + 9) < 0.8
        first = int(rng.integers(0, 9))
        packed = np.packbits(bits, bitorder="little") if rows % 2 else None
        parts.append(Part(read_only(values), packed, first))
        whole.append(values if packed is None else np.where(bits[first : first + rows], values, np.nan))
    column, expected = Parts(parts), np.concatenate(whole)
    assert column.size == expected.size
    np.testing.assert_array_equal(np.asarray(column), expected)
    for lo, hi in rng.integers(0, column.size + 1, (40, 2)):
        np.testing.assert_array_equal(column[lo:hi].copy(), expected[lo:hi])
    for start, stop in ((0, column.size), (16, 16), (32, 320), (448, column.size)):
        pieces = [piece.copy() for piece in column.arrays(start, stop, 16)]
        assert not any(piece.size % 16 for piece in pieces[:-1])
        np.testing.assert_array_equal(np.concatenate([[], *pieces]), expected[start:stop])
    valid = [Part(read_only(np.arange(n)), None, 0) for n in (40, 7, 90)]
    pieces = list(Parts(valid).arrays(0, 137, 16))
    assert [piece.size for piece in pieces] == [32, 16, 89]
    assert {piece.dtype.name for piece in pieces} == {"int64"}
    assert np.shares_memory(pieces[2], valid[2].values)
    both = join([np.arange(5), column, np.arange(3.0)])
    np.testing.assert_array_equal(np.asarray(both), [*range(5), *expected, 0, 1, 2])


def test_only_a_lone_column_comes_in_parts() -> None:
    x = pl.concat([pl.Series("x", [1.0, None, 3.0]), pl.Series("x", [4.0])], rechunk=False)
    (chunk,) = open_source(x).chunks(parted=True)
    assert isinstance(chunk[0], Parts)
    np.testing.assert_array_equal(np.asarray(chunk[0]), [1, np.nan, 3, 4])
    plain = [open_source(x, extra={"w": np.ones(4)}), open_source(pl.DataFrame({"x": x, "y": x})), open_source(np.ones(4))]
    plain += [open_source(x, chunk_rows=2), open_source(pl.Series([True, None])), open_source(x.slice(3))]
    for source in plain:
        assert {type(values) for chunk in source.chunks(parted=True) for values in chunk} == {np.ndarray}
