"""The frame that every kind of data holds, the ways to hold it, and how it is read."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fastmle.sources import Source, open_source

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


FILES = ["t.parquet", "t.arrow", "t.csv", "t.tsv", "many", "many/part*.parquet"]


def run(code: str, *arguments: str) -> str:
    """What a process of its own prints."""
    here = Path(__file__).resolve().parent.parent
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(here)},
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout
