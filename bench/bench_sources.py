"""From a file, a frame or a query to a gaussian fit, against polars, DuckDB and pyarrow asked for the moments of the same data."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import ROUNDS, ROWS
from make_parquet import GROUP, make

import fastmle as fm
from fastmle.pool import cores

Engine = Callable[[Any], Any]
X = pl.col("x")
MOMENTS = (X.mean().alias("m"), X.std(ddof=0).alias("s"))
SQL = "select avg(x), stddev_pop(x) from"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


# what the files are called: how they are made
FILES: dict[str, dict[str, Any]] = {
    "Parquet column": {},
    "Parquet column, uncompressed": {"compression": "none"},
    "Parquet column, zstd": {"compression": "zstd"},
    "Parquet column, 5 % nulls": {"nulls": 0.05},
    "8 Parquet files": {"parts": 8},
    "Arrow IPC column": {"ending": "arrow"},
    "Arrow IPC column, 5 % nulls": {"ending": "arrow", "nulls": 0.05},
}


def written(folder: Path, kind: str) -> str:
    """The path or glob of the files, which are written once and kept till the end."""
    options = dict(FILES[kind])
    parts, ending = options.pop("parts", 1), options.pop("ending", "parquet")
    name = kind.translate(str.maketrans(" ,%", "___"))
    each = -(-ROWS // parts)
    for part in range(parts):
        path = folder / f"{name}-{part}.{ending}"
        if not path.exists():
            make(min(each, ROWS - part * each), path, first=part * -(-each // GROUP) * GROUP, **options)
    return str(folder / f"{name}-*.{ending}")


def of_duckdb(question: str, **tables: Any) -> Any:
    connection = duckdb.connect()
    connection.execute(f"set threads = {cores()}")
    for name, data in tables.items():
        connection.register(name, data)
    return connection.execute(question).fetchone()


def scan(path: str) -> Any:
    return pl.scan_ipc(path) if path.endswith("arrow") else pl.scan_parquet(path)


FROM_FILES: dict[str, Engine] = {
    "fastmle": lambda path: fm.fit("gaussian", path, column="x", nulls="drop").params.values(),
    "polars": lambda path: scan(path).select(MOMENTS).collect().row(0),
    "polars, streaming": lambda path: scan(path).select(MOMENTS).collect(engine="streaming").row(0),
    "duckdb": lambda path: of_duckdb(f"{SQL} read_parquet('{path}')"),
}


def timed(benchmark: Any, engines: dict[str, Engine], engine: str, data: Any, rows: int) -> None:
    """The answer is checked against polars' before it is timed."""
    expected = list(engines["polars"](data))
    np.testing.assert_allclose(list(engines[engine](data)), expected, rtol=1e-9)
    benchmark.pedantic(engines[engine], (data,), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["rows"] = rows
    if benchmark.stats:
        benchmark.extra_info["rows_per_second"] = rows / benchmark.stats.stats.median
        benchmark.extra_info["GB_per_second"] = 8 * rows / benchmark.stats.stats.median / 1e9


@pytest.mark.parametrize("engine", FROM_FILES)
@pytest.mark.parametrize("kind", FILES)
def bench_files(kind: str, engine: str, benchmark: Any, folder: Path) -> None:
    if engine == "duckdb" and "Parquet" not in kind:
        pytest.skip("duckdb does not read Arrow IPC")
    benchmark.group = f"{kind} to gaussian fit"
    timed(benchmark, FROM_FILES, engine, written(folder, kind), ROWS)


@cache
def column(nulls: bool = False) -> pa.Table:
    """The data in memory, as one Arrow table."""
    few = np.random.default_rng(7).gamma(2.5, 4.0, min(ROWS, 8_000_000))
    null = np.random.default_rng(8).random(few.size) < 0.05
    return pa.table({"x": pa.array(np.resize(few, ROWS), mask=np.resize(null, ROWS) if nulls else None)})


def by_arrow(table: pa.Table) -> tuple[float, float]:
    return pc.mean(table["x"]).as_py(), math.sqrt(pc.variance(table["x"], ddof=0).as_py())


def in_duckdb(table: pa.Table) -> Any:
    connection = duckdb.connect()
    connection.execute(f"set threads = {cores()}")
    connection.register("given", table)
    connection.execute("create table t as select x from given")
    return connection


HELD: dict[str, Callable[[], Any]] = {
    "polars DataFrame": lambda: pl.from_arrow(column()),
    "polars DataFrame, 5 % nulls": lambda: pl.from_arrow(column(nulls=True)),
    "polars LazyFrame": lambda: pl.from_arrow(column()).lazy().filter(X > 1.0),
    "pyarrow Table": lambda: column(),
    "pyarrow Table, 5 % nulls": lambda: column(nulls=True),
    "duckdb relation": lambda: in_duckdb(column()).sql("select x from t where x > 1.0"),
}


def by_polars(data: Any) -> Any:
    frame = data if isinstance(data, (pl.DataFrame, pl.LazyFrame)) else pl.DataFrame(data)
    return frame.lazy().select(MOMENTS).collect().row(0)


FROM_HELD: dict[str, Engine] = {
    "fastmle": lambda data: fm.fit("gaussian", data, column="x", nulls="drop").params.values(),
    "polars": by_polars,
    "duckdb": lambda data: data.aggregate("avg(x), stddev_pop(x)").fetchall()[0],
    "pyarrow": by_arrow,
}
ASKS = {"duckdb": "duckdb relation", "pyarrow": "pyarrow Table", "polars": "polars"}  # whom one would ask of what


@pytest.mark.parametrize("engine", FROM_HELD)
@pytest.mark.parametrize("kind", HELD)
def bench_held(kind: str, engine: str, benchmark: Any) -> None:
    if engine != "fastmle" and not kind.startswith(ASKS[engine]):
        pytest.skip("holds other data")
    benchmark.group = f"{kind} to gaussian fit"
    timed(benchmark, FROM_HELD, engine, HELD[kind](), ROWS)
