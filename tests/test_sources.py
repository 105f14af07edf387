"""Every kind of data gives the same columns; what cannot be read says so."""

from __future__ import annotations

import numpy as np
import pytest
from reading import FRAME, A, B, C, D, frames, gathered, read, run

from fastmle.errors import DataError
from fastmle.sources import open_source

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")


@pytest.mark.parametrize("kind", list(frames()))
def test_kinds_in_memory_agree(kind):
    source = open_source(frames()[kind], extra={"weights": "b", "offset": A[::-1], "none": None})
    assert source.names == ("a", "c", "d")  # not the text, and not the column that has a role
    assert source.roles == ("weights", "offset")
    assert source.labels == ("a", "c", "d", "b", "offset")
    for got, want in zip(gathered(source), [A, C, D, B, A[::-1]], strict=True):
        np.testing.assert_array_equal(got, want)


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
    run(code)


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
    run(code, str(folder / "t.csv"))


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
        (["b", "a"], None, "file not found: b .*values are given as an array"),
        ("nowhere*.parquet", None, "no file matches"),
        ("data.h5", None, "file not found"),
    ],
)
def test_messages(data, columns, message):
    with pytest.raises(DataError, match=message):
        read(data, columns)


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
