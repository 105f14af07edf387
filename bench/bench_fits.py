"""Fits of columns in memory: fastmle, plain numpy and the peers side by side, every answer checked before it is timed."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import ROWS, Array, Timed
from numba_stats import norm as numba_norm
from scipy import optimize, special, stats
from scipy.linalg import blas
from sklearn.preprocessing import StandardScaler
from twin import gaussian_prange

import fastmle as fm
from fastmle.pool import cores


def group(name: str, engines: dict[str, Any]) -> Any:
    """Parametrise a benchmark by engine, in one group."""

    def mark(function: Any) -> Any:
        function = pytest.mark.parametrize("engine", engines)(function)
        return pytest.mark.benchmark(group=name)(function)

    return mark


@cache
def duckdb_of(address: int, rows: int) -> Any:
    """A DuckDB table of its own format in memory, of the array registered below."""
    connection = duckdb.connect()
    connection.execute(f"set threads = {cores()}")
    column = pa.table({"x": pa.array(_arrays[address])})
    connection.register("given", column)
    connection.execute("create table t as select x from given")
    return connection


_arrays: dict[int, Array] = {}


def ask_duckdb(x: Array, question: str) -> tuple[float, ...]:
    _arrays[id(x)] = x
    row = duckdb_of(id(x), x.size).execute(f"select {question} from t").fetchone()
    return tuple(row)


def moments_scikit(x: Array) -> tuple[float, float]:
    scaler = StandardScaler().partial_fit(x.reshape(-1, 1))
    return float(scaler.mean_[0]), math.sqrt(scaler.var_[0])


def moments_acero(x: Array) -> tuple[float, float]:
    table = pa.table({"x": pa.array(x)})
    options = pc.VarianceOptions(ddof=0)
    done = pa.TableGroupBy(table, [], use_threads=True).aggregate(
        [("x", "mean"), ("x", "stddev", options)],
    )
    return done["x_mean"][0].as_py(), done["x_stddev"][0].as_py()


def moments_polars(x: Array) -> tuple[float, float]:
    frame = pl.DataFrame({"x": pl.Series(x)})
    return frame.select(m=pl.col("x").mean(), s=pl.col("x").std(ddof=0)).row(0)


def moments_arrow(x: Array) -> tuple[float, float]:
    column = pa.array(x)
    return pc.mean(column).as_py(), pc.stddev(column, ddof=0).as_py()


GAUSSIAN = {
    "fastmle": lambda x: fm.fit("gaussian", x).params.values(),
    "fastmle, 1 thread": lambda x: fm.fit("gaussian", x, threads=1).params.values(),
    "prange twin": gaussian_prange,
    "numpy": lambda x: (x.mean(), math.sqrt(x.var())),
    "scipy": stats.norm.fit,
    "polars": moments_polars,
    "pyarrow compute": moments_arrow,
    "pyarrow acero": moments_acero,
    "duckdb": lambda x: ask_duckdb(x, "avg(x), stddev_pop(x)"),
    "scikit-learn": moments_scikit,
}


@group("gaussian fit", GAUSSIAN)
def bench_gaussian(engine: str, timed: Timed, normal: Array) -> None:
    expected = normal.mean(), normal.std()
    timed(lambda: list(GAUSSIAN[engine](normal)), normal, expected)


MU, SIGMA = 9.0, 3.5
LOGLIK = {
    "fastmle": lambda x: fm.loglik("gaussian", x, mu=MU, sigma=SIGMA),
    "fastmle, 1 thread": lambda x: fm.loglik("gaussian", x, mu=MU, sigma=SIGMA, threads=1),
    "numpy": lambda x: (-0.5 * ((x - MU) / SIGMA) ** 2 - np.log(SIGMA * np.sqrt(2 * np.pi))).sum(),
    "scipy": lambda x: stats.norm(MU, SIGMA).logpdf(x).sum(),
    "numba-stats": lambda x: numba_norm.logpdf(x, MU, SIGMA).sum(),
}


@group("gaussian log-likelihood", LOGLIK)
def bench_gaussian_loglik(engine: str, timed: Timed, normal: Array) -> None:
    expected = stats.norm(MU, SIGMA).logpdf(normal).sum()
    timed(lambda: LOGLIK[engine](normal), normal, expected)


def gamma_numpy(x: Array) -> tuple[float, float]:
    mean, mean_log = x.mean(), np.log(x).mean()
    gap = math.log(mean) - mean_log
    shape = optimize.brentq(lambda k: math.log(k) - special.digamma(k) - gap, 1e-3, 1e3, xtol=1e-14)
    return shape, shape / mean


def gamma_scipy(x: Array) -> tuple[float, float]:
    shape, _, scale = stats.gamma.fit(x, floc=0)
    return shape, 1.0 / scale


GAMMA = {
    "fastmle": lambda x: fm.fit("gamma", x).params.values(),
    "fastmle, 1 thread": lambda x: fm.fit("gamma", x, threads=1).params.values(),
    "numpy": gamma_numpy,
    "scipy": gamma_scipy,
}


@group("gamma fit", GAMMA)
def bench_gamma(engine: str, timed: Timed, positive: Array) -> None:
    timed(lambda: list(GAMMA[engine](positive)), positive, gamma_numpy(positive), rtol=1e-7)


BERNOULLI = {
    "fastmle": lambda x: fm.fit("bernoulli", x).params.p,
    "fastmle, 1 thread": lambda x: fm.fit("bernoulli", x, threads=1).params.p,
    "numpy": lambda x: x.mean(),
    "polars": lambda x: pl.Series(x).mean(),
    "duckdb": lambda x: ask_duckdb(x, "avg(x::int)")[0],
}


@group("bernoulli fit, bool", BERNOULLI)
def bench_bernoulli(engine: str, timed: Timed, bits: Array) -> None:
    timed(lambda: BERNOULLI[engine](bits), bits, np.count_nonzero(bits) / bits.size)


POISSON = {
    "fastmle": lambda x: fm.fit("poisson", x).params.rate,
    "numpy, without the log-likelihood": lambda x: x.mean(),
    "numpy": lambda x: (x.mean(), special.gammaln(x + 1.0).sum())[0],
}


@group("poisson fit, int64", POISSON)
def bench_poisson(engine: str, timed: Timed, counts: Array) -> None:
    timed(lambda: POISSON[engine](counts), counts, counts.mean())


UNIFORM = {
    "fastmle": lambda x: list(fm.fit("uniform", x).params.values()),
    "numpy": lambda x: [x.min(), x.max()],
    "polars": lambda x: (
        pl.DataFrame({"x": pl.Series(x)}).select(a=pl.col("x").min(), b=pl.col("x").max()).row(0)
    ),
    "duckdb": lambda x: ask_duckdb(x, "min(x), max(x)"),
}


@group("uniform fit", UNIFORM)
def bench_uniform(engine: str, timed: Timed, normal: Array) -> None:
    timed(lambda: UNIFORM[engine](normal), normal, [normal.min(), normal.max()])


def weibull_scipy(x: Array) -> tuple[float, float]:
    shape, _, scale = stats.weibull_min.fit(x, floc=0)
    return shape, scale


WEIBULL = {"fastmle": lambda x: fm.fit("weibull", x).params.values(), "scipy": weibull_scipy}
FEW = {"fastmle": min(ROWS, 20_000_000), "scipy": min(ROWS, 200_000)}


@group("weibull fit", WEIBULL)
def bench_weibull(engine: str, timed: Timed, positive: Array) -> None:
    """scipy is timed on fewer rows: compare the rows a second."""
    few = positive[: FEW["scipy"]]
    np.testing.assert_allclose(list(WEIBULL[engine](few)), weibull_scipy(few), rtol=1e-3)
    x = positive[: FEW[engine]]
    timed(lambda: WEIBULL[engine](x), x, rounds=3)


COLUMNS = 8


def mvn_blas(x: Array) -> Array:
    """Nothing is copied, whichever way the matrix lies."""
    by_columns = x.flags.f_contiguous
    return np.asarray(blas.dsyrk(1.0, x if by_columns else x.T, trans=by_columns, lower=0))


MVN = {
    "fastmle": lambda x: fm.fit("mvn", x).params.cov,
    "numpy": lambda x: np.cov(x, rowvar=False, ddof=0),
    "one dsyrk": mvn_blas,
}


@pytest.fixture(scope="session", params=["by rows", "by columns"])
def wide(request: Any) -> Array:
    x = np.random.default_rng(2).normal(size=(max(1000, ROWS // COLUMNS), COLUMNS))
    return x if request.param == "by rows" else np.asfortranarray(x)


@group("mvn fit, 8 columns", MVN)
def bench_mvn(engine: str, timed: Timed, wide: Array, benchmark: Any) -> None:
    benchmark.group += ", by columns" if wide.flags.f_contiguous else ", by rows"
    expected = None if engine == "one dsyrk" else np.cov(wide, rowvar=False, ddof=0)
    if expected is not None:
        np.testing.assert_allclose(MVN[engine](wide), expected, rtol=1e-8, atol=1e-12)
    timed(lambda: MVN[engine](wide), wide, rounds=3)


@pytest.mark.benchmark(group="update of 1,000 rows")
@pytest.mark.parametrize("engine", ["fastmle", "numpy"])
def bench_update(engine: str, benchmark: Any, normal: Array) -> None:
    chunk = normal[:1000].copy()
    state = fm.suffstats("gaussian").update(chunk)
    np.testing.assert_allclose(state.fit().params.mu, chunk.mean(), rtol=1e-12)
    if engine == "fastmle":
        benchmark(state.update, chunk)
    else:
        benchmark(lambda: (chunk.mean(), chunk.var()))
    benchmark.extra_info["rows"] = 1000
