"""Files and folders of them, of any types: the same columns, in bounded memory; what is damaged is named."""

from __future__ import annotations

import itertools
import os
import sys

import numpy as np
import pytest
from reading import FILES, FRAME, A, B, C, D, N, gathered, read, run

from fastmle.errors import DataError
from fastmle.sources import open_source

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")


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


def test_names_that_look_like_patterns(tmp_path):
    frame = pl.DataFrame({"^a.*$": A, "a": B, "*": C})
    frame.write_parquet(tmp_path / "t.parquet")
    for data in (frame, frame.lazy(), tmp_path / "t.parquet"):
        np.testing.assert_array_equal(read(data, ["*", "^a.*$"]), [C.astype(A.dtype), A])


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
    run(code, str(folder / "t.parquet"), str(used))


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
    got, megabytes = run(code, str(path)).split()
    assert int(got) == rows
    assert float(megabytes) < 450  # the rows themselves: 480 or 160, as text 360
