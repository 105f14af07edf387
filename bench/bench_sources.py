"""From a Parquet file to a gaussian fit, against polars and DuckDB reading the same moments from the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from conftest import ROUNDS, ROWS
from make_parquet import make

import fastmle as fm
from fastmle.pool import cores


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make(ROWS, tmp_path_factory.mktemp("bench") / "x.parquet"))


def by_duckdb(path: str) -> tuple[float, ...]:
    connection = duckdb.connect()
    connection.execute(f"set threads = {cores()}")
    return tuple(connection.execute("select avg(x), stddev_pop(x) from read_parquet(?)", [path]).fetchone())


X = pl.col("x")
ENGINES = {
    "fastmle": lambda path: list(fm.fit("gaussian", path, column="x").params.values()),
    "polars": lambda path: pl.scan_parquet(path).select(m=X.mean(), s=X.std(ddof=0)).collect().row(0),
    "polars, streaming": lambda path: (
        pl.scan_parquet(path).select(m=X.mean(), s=X.std(ddof=0)).collect(engine="streaming").row(0)
    ),
    "duckdb": by_duckdb,
}


@pytest.mark.benchmark(group="Parquet column to gaussian fit")
@pytest.mark.parametrize("engine", ENGINES)
def bench_parquet(engine: str, benchmark: Any, file: str) -> None:
    values = pl.read_parquet(file)["x"].to_numpy()
    np.testing.assert_allclose(ENGINES[engine](file), (values.mean(), values.std()), rtol=1e-9)
    del values
    benchmark.pedantic(ENGINES[engine], (file,), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["rows"] = ROWS
    benchmark.extra_info["file_bytes"] = Path(file).stat().st_size
    if benchmark.stats:
        benchmark.extra_info["rows_per_second"] = ROWS / benchmark.stats.stats.median
        benchmark.extra_info["GB_per_second"] = 8 * ROWS / benchmark.stats.stats.median / 1e9
