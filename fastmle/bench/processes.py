"""What lies outside the kernels: from a file to a fit, what a fresh process pays, and data larger than one would hold."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import api
from ..pool import cores
from . import data
from .engines import installed
from .timing import clock, record

GROUP = 1_000_000  # rows of a row group
CALLS = 1000  # of what takes microseconds
CACHED_CALL = """
from numba import njit
@njit("float64(float64[::1])", cache=True)
def total(x):
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s
if __name__ == "__main__":
    import numpy as np
    total(np.ones(1000))
"""
FIRST_FIT = "import numpy as np, fastmle; fastmle.fit('gaussian', np.arange(1000.0))"


def write(rows: int, path: Path, compression: Any = "snappy") -> None:
    """One column of gamma data; a few million drawn, then repeated without a copy."""
    import polars as pl

    drawn = pl.Series("x", data.make("gamma", min(rows, data.DISTINCT)))
    parts = [drawn.slice(0, min(data.DISTINCT, rows - at)) for at in range(0, rows, data.DISTINCT)]
    pl.concat(parts, rechunk=False).to_frame().write_parquet(path, row_group_size=GROUP, compression=compression)


def by_fastmle(path: str) -> Any:
    return list(dict(api.fit("gaussian", path, column="x").params).values())


def by_polars(engine: str, path: str) -> Any:
    import polars as pl

    x = pl.col("x")
    asked = pl.scan_parquet(path).select(x.mean().alias("m"), x.std(ddof=0).alias("s"))
    return asked.collect(engine=engine).row(0)  # type: ignore[call-overload]


def by_duckdb(path: str) -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads = {cores()}")
    return connection.execute("select avg(x), stddev_pop(x) from read_parquet(?)", [path]).fetchone()


def file_engines() -> dict[str, Callable[[str], Any]]:
    engines: dict[str, Callable[[str], Any]] = {
        "fastmle": by_fastmle,
        "polars": partial(by_polars, "in-memory"),
        "polars, streaming": partial(by_polars, "streaming"),
    }
    return engines | ({"duckdb": by_duckdb} if installed("duckdb") else {})


def parquet(rows: int) -> Iterator[dict[str, Any]]:
    """From a Parquet column to the gaussian fit; the file was just written, so that it lies in the system's cache."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.parquet"
        write(rows, file)
        expected = by_polars("in-memory", str(file))
        for name, engine in file_engines().items():
            np.testing.assert_allclose(engine(str(file)), expected, rtol=1e-9, err_msg=name)
            times = clock(partial(engine, str(file)))
            speed = 8e-9 * rows / statistics.median(times)
            yield record("Parquet column to gaussian fit", name, times, rows=rows, GB_per_second=speed)


def started(*args: str) -> None:
    subprocess.run([sys.executable, *args], check=True)


def start_up() -> Iterator[dict[str, Any]]:
    """Fresh processes: importing, and the first fit with kernels on disk."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "cached.py"
        script.write_text(CACHED_CALL)
        for name in ("fastmle", "numpy"):
            yield record("a process that imports", name, clock(partial(started, "-c", f"import {name}")))
        first = {"fastmle": ("-c", FIRST_FIT), "numba: import and one cached call": (str(script),)}
        for name, args in first.items():
            started(*args)  # compiles
            yield record("a process up to its first fit", name, clock(partial(started, *args)))


def updates() -> Iterator[dict[str, Any]]:
    """A thousand rows into a state that has seen others, by the call that a service makes."""
    chunk = np.random.default_rng(1).normal(size=1000)
    state = api.suffstats("gaussian").update(chunk)
    np.testing.assert_allclose(state.fit().params["mu"], chunk.mean(), rtol=1e-12)
    engines: dict[str, Callable[[], Any]] = {
        "fastmle": partial(state.update, chunk),
        "numpy": lambda: (chunk.mean(), chunk.var()),
    }
    for name, engine in engines.items():
        times = [t / CALLS for t in clock(lambda e=engine: [e() for _ in range(CALLS)])]  # type: ignore[misc]
        yield record("update of 1,000 rows", name, times, rows=1000)
