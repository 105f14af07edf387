"""Every kind of data gives the same columns; what must not be copied is not; what cannot be read says so."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import textwrap
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastmle.errors import DataError
from fastmle.kernels.validity import compile_blank
from fastmle.sources import Source, open_source
from fastmle.sources.base import read_only
from fastmle.sources.buffers import take
from fastmle.sources.parts import Part, Parts, join

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")

N = 1000
A = np.random.default_rng(1).normal(size=N)
B = np.arange(N) - 500
C = np.where(np.arange(N) % 7 == 3, np.nan, A)  # a tenth or so is null
D = A > 0
TRUTH = {"a": A, "b": B.astype(float), "c": C, "d": D.astype(float)}
FRAME = pl.DataFrame({"a": A, "b": B, "c": pl.Series(C).fill_nan(None), "d": D, "text": B.astype(str)})


def gathered(source: Source) -> list[np.ndarray]:
    """All rows, column by column, after a look at what every chunk must be."""
    chunks = list(source.chunks())
    for chunk in chunks:
        assert len({len(values) for values in chunk}) == 1
        assert len(chunk) == len(source.labels) == len(source.names) + len(source.roles)
        for values in chunk:
            assert type(values) is np.ndarray
            assert values.ndim == 1
            assert values.dtype.isnative
            assert values.dtype.name in ("float64", "float32", "int64", "int32", "uint8")
            assert not values.flags.writeable
            assert values.flags.aligned
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def read(data, columns=None, extra=None, **options):
    return gathered(open_source(data, columns, extra, **options))


# --- every kind of data ---------------------------------------------------------------------------------


class Iterable:
    """Neither a list nor an iterator: it can be asked again."""

    def __init__(self, parts):
        self.parts = parts

    def __iter__(self):
        return iter(self.parts)


def frames():
    """Ways to hold or make the frame, by name; those in need of a folder are in `files`."""
    table = FRAME.to_arrow()
    split = pl.concat([FRAME[:100], FRAME[100:101], FRAME[101:]], rechunk=False)
    numbers = {"a": A, "b": B, "c": C, "d": D}
    return {
        "dict": {**numbers, "text": FRAME["text"]},
        "dict of all kinds": {
            "a": A.tolist(), "b": pa.array(B), "c": FRAME["c"], "d": pd.Series(D), "text": ["?"] * N
        },
        "records": np.rec.fromarrays([A, B, C, D, B.astype(str)], names="a,b,c,d,text"),
        "polars": FRAME,
        "polars in parts": split,
        "polars lazy": FRAME.lazy(),
        "pyarrow": table,
        "pyarrow in parts": split.to_arrow(),
        "pyarrow batch": table.combine_chunks().to_batches()[0],
        "pandas": FRAME.to_pandas(),
        "pandas nullable": table.to_pandas().convert_dtypes(),
        "pandas on arrow": table.to_pandas(types_mapper=pd.ArrowDtype),
        "reader": table.to_reader(),
        "callable": lambda: (FRAME[i : i + 300] for i in range(0, N, 300)),
        "callable, all kinds": lambda: iter([FRAME[:10], table.slice(10, 5), FRAME[15:].to_pandas()]),
        "iterator": iter([FRAME[:10], FRAME[10:]]),
        "iterable": Iterable([FRAME[:10], FRAME[10:]]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("files")
    FRAME.write_parquet(path / "t.parquet", row_group_size=128)
    FRAME.write_ipc(path / "t.arrow")
    FRAME.write_csv(path / "t.csv")
    FRAME.write_csv(path / "t.tsv", separator="\t")
    for i in range(3):
        (path / "many").mkdir(exist_ok=True)
        FRAME[400 * i : 400 * (i + 1)].write_parquet(path / "many" / f"part{i}.parquet")
    np.save(path / "t.npy", np.column_stack([A, A]))
    return path


FILES = ["t.parquet", "t.arrow", "t.csv", "t.tsv", "many", "many/part*.parquet"]


@pytest.mark.parametrize("kind", list(frames()))
def test_kinds_in_memory_agree(kind):
    source = open_source(frames()[kind], extra={"weights": "b", "offset": A[::-1], "none": None})
    assert source.names == ("a", "c", "d")  # not the text, and not the column that has a role
    assert source.roles == ("weights", "offset")
    assert source.labels == ("a", "c", "d", "b", "offset")
    for got, want in zip(gathered(source), [A, C, D, B, A[::-1]], strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("chunk_rows", [None, 37])
def test_files_agree(folder, name, chunk_rows):
    source = open_source(folder / name, ["d", "a", "a"], {"target": "c", "w": B}, chunk_rows=chunk_rows)
    assert source.names == ("d", "a", "a")
    assert source.reopenable
    assert not source.in_memory
    assert source.rows == (None if "sv" in name else N)
    for _ in range(2):
        for got, want in zip(gathered(source), [D, A, A, C, B], strict=True):
            np.testing.assert_array_equal(got, want)
    if chunk_rows:
        assert max(len(chunk[0]) for chunk in source.chunks()) <= chunk_rows
    many = sorted((folder / "many").iterdir())
    np.testing.assert_array_equal(read([str(path) for path in many], "a")[0], A)


def test_a_pyarrow_dataset_and_a_duckdb_relation(folder):
    import pyarrow.dataset as ds

    duckdb = pytest.importorskip("duckdb")
    dataset = ds.dataset(folder / "t.parquet")
    connection = duckdb.connect()
    relation = connection.sql(f"select *, b::hugeint as wide from '{folder}/t.parquet'")
    assert open_source(dataset, "a").rows == N
    for data in (dataset, relation):
        source = open_source(data, ["a", "c", "d"], {"w": "b"})
        assert source.reopenable
        for _ in range(2):
            for got, want in zip(gathered(source), [A, C, D, B], strict=True):
                np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(read(relation, "wide")[0], B)
    connection.close()
    with pytest.raises(DataError, match=r"(?i)relation cannot be read.*closed"):
        read(relation, "a")


def test_arrays_in_two_dimensions_lists_and_numbers():
    matrix = np.arange(12.0).reshape(4, 3)
    assert open_source(matrix).names == ("x0", "x1", "x2")
    for columns in ([2, 0], ["x2", "x0"], np.array([2, 0])):
        got = read(matrix, columns)
        np.testing.assert_array_equal(got, [matrix[:, 2], matrix[:, 0]])
    assert open_source(A).names == ("x",)
    np.testing.assert_array_equal(read([1, None, 2.5])[0], [1, np.nan, 2.5])
    np.testing.assert_array_equal(read(range(5, 0, -2))[0], [5, 3, 1])
    np.testing.assert_array_equal(read([[1, 2], [3, 4]], "x1")[0], [2, 4])
    np.testing.assert_array_equal(read(float(v) for v in range(5))[0], range(5))
    assert open_source(pl.Series("speed", [1.0])).names == open_source(pd.Series([1], name="speed")).names
    assert list(open_source(np.empty(0)).chunks()) == []


def test_chunks_of_features_and_target():
    def pairs():
        for i in range(3):
            yield np.full((2, 2), i), np.full(2, -i)

    got = read(pairs, extra={"target": "y"})
    np.testing.assert_array_equal(got, [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], [0, 0, -1, -1, -2, -2]])


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_of_other_classes():
    matrix = np.matrix(A).T
    np.testing.assert_array_equal(read(matrix), [A])
    np.testing.assert_array_equal(read(ArrowArray(pa.array(A))), [A])
    np.testing.assert_array_equal(read(ArrowArray(FRAME.to_arrow().combine_chunks().to_batches()[0]), "a"), [A])
    np.testing.assert_array_equal(read(iter([1.5, None, 2])), [[1.5, np.nan, 2.0]])


@pytest.mark.parametrize("rows", [50, 5000, 300_000])
def test_chunks_may_come_in_the_same_memory_again(rows):
    expected = np.arange(20.0)[:, None] * np.ones(rows)

    def chunks(dtype, part):
        memory = np.empty((rows, 2), dtype, order="F")
        for i in range(20):
            memory[:] = i
            time.sleep(0.001)
            yield part(memory)

    parts = [lambda m: m[:, 0], lambda m: m, lambda m: {"x0": m[:, 0]}, lambda m: pd.DataFrame({"x0": m[:, 0]}, copy=False)]
    parts += [lambda m: pl.DataFrame({"x0": m[:, 0]}), lambda m: pa.table({"x0": m[:, 0]})]
    for dtype in (float, np.int32, ">f8"):
        for part in parts if dtype != ">f8" else parts[:4]:
            source = open_source(partial(chunks, dtype, part), [0] if part is not parts[0] else None)
            np.testing.assert_array_equal(gathered(source)[0], expected.ravel())


def test_files_whose_types_differ(tmp_path):
    """Such as months, where pandas writes a column of whole numbers as floats once it has a null."""
    ways = [pl.Int32, pl.Int64, pl.Float64, pl.UInt8, pl.UInt64, pl.Float32, pl.Null, pl.Int16]
    for first, second in itertools.permutations(ways, 2):
        parts = [pl.DataFrame({"text": ["?"] * 3, "a": pl.Series([3, None, 4]).cast(pl.Int64)}) for _ in range(2)]
        for i, (part, dtype) in enumerate(zip(parts, (first, second), strict=True)):
            column = pl.lit(None) if dtype == pl.Null else pl.col("a").cast(dtype)
            part.with_columns(a=column).write_parquet(tmp_path / f"{i}.parquet")
        values = [[np.nan] * 3 if dtype == pl.Null else [3.0, np.nan, 4.0] for dtype in (first, second)]
        np.testing.assert_array_equal(read(tmp_path, "a")[0], np.concatenate(values))
    pl.DataFrame({"a": [2**40]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": [True]}).write_parquet(tmp_path / "2.parquet")
    assert read([tmp_path / "0.parquet", tmp_path / "1.parquet"], "a")[0][-1] == 2**40
    with pytest.raises(DataError, match=r"column a.*Boolean"):
        read(tmp_path, "a")


def test_text_files_of_which_one_has_no_number(tmp_path):
    """Nothing but nulls in one file, or no row, says nothing about the others."""
    for parts in (["a,b\n1,x\n2.5,y\n", "a,b\n"], ["a,b\n", "a,b\n1,x\n2.5,y\n"], ["a,b\n1,x\n", "a,b\n,x\nNA,z\n", "a,b\n2.5,x\n"]):
        for i, text in enumerate(parts):
            (tmp_path / f"{i}.csv").write_text(text)
        values = read([tmp_path / f"{i}.csv" for i in range(len(parts))], "a")[0]
        assert values[~np.isnan(values)].tolist() == [1.0, 2.5]
    (tmp_path / "1.csv").write_text("a,b\noops,x\n")
    with pytest.raises(DataError, match="'a' has type String"):
        read([tmp_path / f"{i}.csv" for i in range(3)], "a")


def test_words_for_nothing_in_text_files(tmp_path):
    np.savetxt(tmp_path / "t.csv", [1.0, np.nan, 3.0], header="a", comments="")
    np.testing.assert_array_equal(read(tmp_path / "t.csv"), [[1.0, np.nan, 3.0]])
    for word in ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "null", "NULL", "None"):
        (tmp_path / "t.csv").write_text(f"a,b\n1,0\n{word},0\n3,0\n")
        np.testing.assert_array_equal(read(tmp_path / "t.csv", "a"), [[1.0, np.nan, 3.0]])


def test_text_of_pandas_without_pyarrow():
    code = """
        import importlib.util as util, sys
        class Absent:
            def find_spec(self, name, *rest):
                if name.partition(".")[0] == "pyarrow":
                    raise ModuleNotFoundError(name)
        find = util.find_spec
        util.find_spec = lambda name, *package: None if name == "pyarrow" else find(name, *package)
        sys.meta_path.insert(0, Absent())
        import pandas as pd
        from fastmle.sources.categories import coded
        words = ["b", "a", None, "b"]
        for column in (pd.Series(words), pd.Series(words, dtype=object), pd.Series(words, dtype="category"), pd.Index(words)):
            data, name, categories = coded(column, None)
            assert categories == ("a", "b") and data.collect()[name].to_list() == [1, 0, None, 1]
        assert coded(pd.Series([1, 2, None], dtype="Int64"), None)[2] == ()
        data, name, categories = coded(pd.DataFrame({"c": words, "n": [1, 2, 3, 4]}), "c")
        assert name == "c" and categories == ("a", "b") and data["n"].tolist() == [1, 2, 3, 4]
    """
    _run(code)


def test_an_arrow_stream_in_a_file(tmp_path):
    table = FRAME.to_arrow()
    for name in ("t.arrow", "t.arrows"):
        path = tmp_path / name
        with pa.ipc.new_stream(path, table.schema) as file:
            file.write_table(table, max_chunksize=300)
        with pytest.raises(DataError, match=f"{name} is an Arrow stream.*open_stream"):
            read(path, "a")
        np.testing.assert_array_equal(read(lambda path=path: pa.ipc.open_stream(path), "a"), [A])


def test_text_pieces_of_a_csv_file(tmp_path):
    head = "a,b,c\n" + "1,NA,2\n" * 20_000  # b looks like text at first
    (tmp_path / "late.csv").write_text(head + "1.5,3,x\n")
    a, b = read(tmp_path / "late.csv", ["a", "b"])  # whole numbers first, a fraction deep in the file
    assert a[-1] == 1.5
    assert np.isnan(b[:-1]).all()
    assert b[-1] == 3
    with pytest.raises(DataError, match=r"late.csv.*`x`"):
        read(tmp_path / "late.csv", "c")


def test_array_like_objects_are_read_by_slabs(tmp_path):
    h5py = pytest.importorskip("h5py")
    matrix = np.column_stack([A, C])
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_dataset("m", data=matrix, chunks=(64, 1), compression="gzip")
        file["b"] = B.astype(">i2")
        file["rec"] = np.rec.fromarrays([A, B], names="a,b")
        for chunk_rows in (None, 10, 100, 5000):
            np.testing.assert_array_equal(read(file["m"], chunk_rows=chunk_rows), [A, C])
        np.testing.assert_array_equal(read(file["rec"], "b")[0], B)
        np.testing.assert_array_equal(read({"b": file["b"]}, extra={"w": file["rec"]["a"]})[1], A)
        np.testing.assert_array_equal(read(A, extra={"w": file["b"]}, chunk_rows=300)[1], B)
        assert not open_source(file["m"]).in_memory
    zarr = pytest.importorskip("zarr")
    np.testing.assert_array_equal(read(zarr.array(matrix, chunks=(77, 2)), ["x1"])[0], C)


def test_a_slab_is_read_once_for_all_its_columns():
    class Counting:
        shape, dtype, chunks = (1000, 3), np.dtype("f4"), (64, 3)
        reads: list[tuple[int, int]] = []  # noqa: RUF012

        def __getitem__(self, rows):
            self.reads.append((rows.start, rows.stop))
            return np.ones((rows.stop - rows.start, 3), "f4")

    data = Counting()
    assert len(read(data, chunk_rows=130)[0]) == 1000
    assert data.reads == [(i, min(i + 128, 1000)) for i in range(0, 1000, 128)]


# --- copies ---------------------------------------------------------------------------------------------


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


# --- dtypes, strides, nulls -----------------------------------------------------------------------------

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


# --- what is read, and when -----------------------------------------------------------------------------


def test_only_wanted_columns_are_read(tmp_path):
    path = tmp_path / "wide.parquet"
    FRAME.select("a", "text").write_parquet(path, statistics=False, compression="uncompressed")
    content = path.read_bytes()
    at = content.index(b"-499")  # destroy the pages of the text
    path.write_bytes(content[:at] + b"\xff" * 300 + content[at + 300 :])
    np.testing.assert_array_equal(read(path, "a")[0], A)
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(path)
    plan = []
    query = FRAME.lazy().map_batches(
        lambda frame: plan.append(frame.columns) or frame, projection_pushdown=True
    )
    np.testing.assert_array_equal(read(query, "a")[0], A)
    assert plan == [["a"]]

    class Lazy(dict):
        def __getitem__(self, key):
            assert key != "expensive"
            return super().__getitem__(key)

    np.testing.assert_array_equal(read(Lazy(a=A, expensive=None), "a")[0], A)


def test_imports_are_lazy(folder):
    code = """
        import sys
        import numpy as np
        from fastmle.sources import open_source
        list(open_source({"a": np.ones(3)}).chunks())
        heavy = {"numba", "polars", "pyarrow", "nanoarrow", "pandas", "scipy"} & set(sys.modules)
        assert not heavy, heavy
        sys.modules["polars"] = None  # as if it were not installed
        try:
            open_source(sys.argv[1])
        except ValueError as error:
            assert "pip install 'fastmle[files]'" in str(error), error
        else:
            raise AssertionError
    """
    _run(code, str(folder / "t.csv"))


def test_one_shot_data_are_refused_the_second_time():
    for data in (iter([A]), (A for _ in range(2)), pa.table({"a": A}).to_reader()):
        source = open_source(data)
        assert not source.reopenable
        assert sum(len(chunk[0]) for chunk in source.chunks()) >= N
        with pytest.raises(DataError, match="pass a callable"):
            source.chunks()


def test_the_first_chunk_is_not_made_twice():
    calls = []
    source = open_source(lambda: calls.append(1) or iter([A, A]))
    for _ in range(2):
        assert len(gathered(source)[0]) == 2 * N
    assert len(calls) == 2


# --- reading ahead --------------------------------------------------------------------------------------


def _threads():
    return [thread for thread in threading.enumerate() if thread.name == "fastmle-prefetch"]


def test_reading_overlaps_computing():
    def slow():
        for _ in range(5):
            time.sleep(0.05)
            yield A

    start = time.perf_counter()
    for _ in open_source(slow).chunks():
        time.sleep(0.05)
    assert time.perf_counter() - start < 0.45  # 0.5 one after the other


def test_errors_come_through_and_threads_end():
    closed = []

    def chunks(fail):
        try:
            for i in range(100):
                if fail and i == 3:
                    raise ZeroDivisionError("mine")
                yield A
        finally:
            closed.append(fail)

    with pytest.raises(ZeroDivisionError, match="mine"):
        read(lambda: chunks(True))

    def consume():
        for _ in open_source(lambda: chunks(False)).chunks():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        consume()
    gc.collect()
    assert not _threads()
    reading = open_source(lambda: chunks(False)).chunks()
    next(reading)
    assert _threads()
    reading.close()
    assert not _threads()
    assert closed == [True, False, False]


def test_memory_of_a_stream_is_bounded():
    made = []

    def chunks():
        for i in range(20):
            made.append(i)
            yield A

    reading = open_source(chunks).chunks()
    next(reading)
    time.sleep(0.1)
    assert len(made) <= 5
    reading.close()


def test_sqlite_is_told_of_the_thread():
    import sqlite3

    def rows(connection):
        cursor = connection.execute("select x from t")
        while part := cursor.fetchmany(100):
            yield [x for (x,) in part]

    for same in (True, False):
        connection = sqlite3.connect(":memory:", check_same_thread=same)
        connection.execute("create table t(x)")
        connection.executemany("insert into t values (?)", [(x,) for x in range(1000)])
        if same:
            with pytest.raises(DataError, match="check_same_thread=False"):
                read(lambda c=connection: rows(c))
        else:
            np.testing.assert_array_equal(read(lambda c=connection: rows(c))[0], range(1000))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_control_c_is_answered_quickly():
    code = """
        import os, signal, threading, time
        import numpy as np
        from fastmle.sources import open_source

        def stuck():
            yield np.ones(3)
            time.sleep(60)
            yield np.ones(3)

        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.perf_counter()
        try:
            list(open_source(stuck).chunks())
        except KeyboardInterrupt:
            assert time.perf_counter() - start < 3
        else:
            raise AssertionError
    """
    start = time.perf_counter()
    _run(code)
    assert time.perf_counter() - start < 20  # and the process ends


# --- what goes wrong ------------------------------------------------------------------------------------


class ArrowArray:
    """Has the interface of a single array, and no stream."""

    def __init__(self, array):
        self.array = array

    def __arrow_c_array__(self, requested_schema=None):
        return self.array.__arrow_c_array__(requested_schema)


class Unlimited:
    shape = None

    def __getitem__(self, rows):
        raise AssertionError


@pytest.mark.parametrize(
    ("data", "columns", "message"),
    [
        (FRAME, "text", "'text' has type String"),
        (FRAME, "aa", "did you mean 'a'"),
        (FRAME, 3, "no column 3"),
        (FRAME.select("text"), None, "'text' has type String"),
        (A, "speed", "no column 'speed'.*'x'"),
        (np.ones((3, 2)), 2, "no column 2.*'x0', 'x1'"),
        (np.array(1.0), None, r"shape \(\)"),
        (np.ones((2, 2, 2)), None, r"shape \(2, 2, 2\)"),
        (np.array([1j]), None, "complex128"),
        (np.array(["2020"], "M8[D]"), None, r"datetime64\[D\].*convert"),
        (np.array([1], "m8[s]"), None, r"timedelta64\[s\].*convert"),
        (np.array(["a"]), None, "<U1"),
        (np.array([1, "a"], object), None, "object .int in its first row"),
        (pd.Series(["a"], dtype="category"), None, "category"),
        (pa.array(["a"]).dictionary_encode(), None, "dictionary"),
        (pa.array([1]).cast(pa.decimal128(30, 2)), None, "decimal.*cast"),
        (pa.array([[1]]), None, "list"),
        (pa.array([1], pa.timestamp("s")), None, "timestamp.*convert"),
        (pl.Series([1]).cast(pl.Duration), None, "Duration.*convert"),
        (pl.Series([{"a": 1}]), None, "Struct"),
        (pl.DataFrame({"t": ["a"], "u": ["b"]}), None, "no numeric column.*'t' .String.*'u'"),
        ([A, A], None, "list of arrays"),
        ([[1, 2], [3]], None, "cannot be read as numbers"),
        ({"a": [1, 2], "b": [1]}, None, "'a' 2, 'b' 1"),
        ({"a": 1}, None, "column 'a'.*int"),
        ({}, None, "without columns"),
        ({1: A, "1": A}, "1", "several columns named '1'"),
        (np.zeros(3, [("a", "f8", (2,))]), "a", r"'a' has type array of \(2,\)"),
        (pa.array(["a"], pa.string_view()), None, "string"),
        (ArrowArray(pa.array([b"a"], pa.binary_view())), None, "binary"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "a", "several columns"),
        (None, None, "NoneType"),
        (5.0, None, "float"),
        (b"abc", None, "bytes"),
        (lambda: 5, None, "not an iterator"),
        (iter([]), None, "empty"),
        (iter([None]), None, "chunk 0.*NoneType"),
        (iter([1.0, A]), None, "chunk 0.*cannot be read as numbers"),
        (Unlimited(), None, "Unlimited cannot be read"),
        (FRAME.lazy().map_batches(lambda f: f.with_columns(a="x"), validate_output_schema=False), "a", "LazyFrame cannot be read"),
        (iter(["t.csv"]), None, "chunk 0.*str"),
        (iter([A, np.array(["a"])]), None, "chunk 1"),
        (iter([{"a": A, "b": A}, {"a": A}]), None, "chunk 1.*'b'"),
        (iter([{"a": A}, {"b": A}]), None, "chunk 1.*'a'"),
        (iter([pl.Series("a", A), pl.Series("b", A)]), None, "chunk 1.*'a'"),
        ("nowhere.parquet", None, "file not found: nowhere.parquet"),
        ("nowhere*.parquet", None, "no file matches"),
        ("data.h5", None, "file not found"),
    ],
)
def test_messages(data, columns, message):
    with pytest.raises(DataError, match=message):
        read(data, columns)


def test_names_that_look_like_patterns(tmp_path):
    frame = pl.DataFrame({"^a.*$": A, "a": B, "*": C})
    frame.write_parquet(tmp_path / "t.parquet")
    for data in (frame, frame.lazy(), tmp_path / "t.parquet"):
        np.testing.assert_array_equal(read(data, ["*", "^a.*$"]), [C.astype(A.dtype), A])


def test_lengths_must_agree(folder):
    for data in (A, FRAME, folder / "t.parquet"):
        with pytest.raises(DataError, match=r"weights has 999 rows, .* has 1000") as caught:
            open_source(data, extra={"weights": A[1:]})
        assert caught.value.column == "weights"
    for data in (folder / "t.csv", lambda: iter([FRAME, FRAME])):
        with pytest.raises(DataError, match=r"weights has 999 rows, .* at least"):
            read(data, extra={"weights": A[1:]})
        with pytest.raises(DataError, match=r"weights has 3000 rows, .* has (1|2)000"):
            read(data, extra={"weights": np.ones(3000)})


def test_damaged_files(folder, tmp_path):
    content = (folder / "t.parquet").read_bytes()
    good = tmp_path / "good.parquet"
    good.write_bytes(content)
    for name, damaged in {
        "cut.parquet": content[:-50],
        "empty.parquet": b"",
        "page.parquet": content[:4] + b"\xff" * 2000 + content[2004:],
    }.items():
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=f"{path} cannot be read: "):
            read(path, "a")
        with pytest.raises(DataError, match="one of the 2 files" if name == "page.parquet" else str(path)):
            read([good, path], "a")
    for name, text, message in [
        ("e.csv", "", "empty"),
        ("t.xyz", "a\n1", "unknown kind"),
        ("t.npy", "x", "t.npy"),
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=message):
            read(tmp_path / name)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match="no data files"):
        read(tmp_path / "nothing")
    with pytest.raises(DataError, match="different kinds"):
        read(tmp_path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="everything is permitted")
def test_no_permission(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(DataError, match="permission denied"):
        read(path)


def test_memory_maps(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fastmle.sources.columns.MAPPED_ROWS", 300)
    source = open_source(folder / "t.npy")
    assert [len(chunk[0]) for chunk in source.chunks()] == [300, 300, 300, 100]
    np.testing.assert_array_equal(gathered(source), [A, A])
    assert source.rows == N
    path = tmp_path / "cut.npy"
    np.save(path, np.ones(1_000_000))
    data = np.load(path, mmap_mode="r")
    for view in (data, data[5::2], np.asarray(data)[-20:], {"a": data}, data.reshape(-1, 2)):
        source = open_source(view)
        assert not source.in_memory
        reading = source.chunks()
        next(reading)
    os.truncate(path, 4_000_000)
    for view in (data, data[5::2], np.asarray(data)[-20:], {"a": data}, data.reshape(-1, 2)):
        with pytest.raises(DataError, match="cut short: 4000000 bytes are left of 80001"):
            next(open_source(view).chunks())
    assert read(data[:400_000])[0].sum() == 400_000


# --- processes ------------------------------------------------------------------------------------------


def _run(code: str, *arguments: str) -> str:
    here = Path(__file__).resolve().parent.parent
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(here)},
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("used", [True, False])
def test_a_forked_child(folder, used):
    code = """
        import os, sys, warnings
        import numpy as np
        from fastmle.sources import open_source
        from fastmle.errors import DataError
        path, used = sys.argv[1], sys.argv[2] == "True"
        warnings.simplefilter("ignore")
        if used:
            import polars
            list(open_source(path, "a").chunks())
            frame = polars.read_parquet(path)
        child = os.fork()
        if child == 0:
            failed = 0
            try:
                list(open_source(np.ones(1000)[::2]).chunks())
                if used:
                    list(open_source(frame, ["a", "c"]).chunks())
                list(open_source(path, "a").chunks())
            except DataError as error:
                failed = 1 if "spawn" in str(error) else 2
            os._exit(10 + failed)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == (11 if used else 10), code
    """
    _run(code, str(folder / "t.parquet"), str(used))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_memory_of_a_file_is_bounded(tmp_path, kind):
    path = tmp_path / f"big.{kind}"
    rows = 30_000_000 if kind == "parquet" else 10_000_000
    frame = pl.select(pl.int_range(rows).cast(pl.Float64).sqrt().alias("a")).with_columns(b=pl.col("a") + 1)
    frame.write_parquet(path, row_group_size=1 << 19) if kind == "parquet" else frame.write_csv(path)
    del frame
    code = """
        import resource, sys, time
        from fastmle.sources import open_source
        list(open_source({"a": [1.0]}).chunks())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = 0
        for a, b in open_source(sys.argv[1]).chunks():
            rows += len(a)
            time.sleep(0.02)  # the reader would run ahead if it could
        print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    """
    got, megabytes = _run(code, str(path)).split()
    assert int(got) == rows
    assert float(megabytes) < 450  # the rows themselves: 480 or 160, as text 360


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


def test_what_must_be_converted_is_made_ahead_and_what_need_not_be_is_not() -> None:
    makers: set[str] = set()

    class Watched(np.ndarray):
        def __getitem__(self, key):
            makers.add(threading.current_thread().name)
            return super().__getitem__(key)

    wanted = np.arange(600_000.0)
    for dtype, maker in ((">f8", "fastmle-prefetch"), ("<f8", "MainThread")):
        makers.clear()
        pieces = [c[0] for c in open_source(wanted.astype(dtype).view(Watched)).chunks()]
        np.testing.assert_array_equal(np.concatenate(pieces), wanted)
        assert makers == {maker}


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
