"""Chunks that are made while they are read: each is made once, ahead of its use, and errors come through."""

from __future__ import annotations

import gc
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest
from reading import A, B, C, N, gathered, read, run

from fastmle.errors import DataError
from fastmle.sources import open_source

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")


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
    run(code)
    assert time.perf_counter() - start < 20  # and the process ends


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
