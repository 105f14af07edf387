"""How other libraries are asked, at their best: each `by_...` prepares an answer for an array."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..pool import cores

Array = np.ndarray[Any, Any]
Answer = Callable[[Array], Any]
NEEDS = {
    "polars": "polars",
    "duckdb": "duckdb",
    "pyarrow": "pyarrow",
    "scikit-learn": "sklearn",
    "numba-stats": "numba_stats",
}
PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "polars",
    "duckdb",
    "pyarrow",
    "scikit-learn",
    "statsmodels",
    "numba-stats",
    "glum",
    "mixle",
)


def installed(peer: str) -> bool:
    """Whether a peer can be imported."""
    library = peer.partition(",")[0]
    return find_spec(NEEDS.get(library, library)) is not None


def versions() -> dict[str, str]:
    """The versions of the peers that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def by_polars(*names: str) -> Callable[[Array], Answer]:
    """Aggregations of a polars frame made of the array without a copy."""

    def prepare(x: Array) -> Answer:
        import polars as pl

        frame, c = pl.DataFrame({"x": pl.Series(x)}), pl.col("x")
        how = {"mean": c.mean(), "std": c.std(ddof=0), "min": c.min(), "max": c.max(), "log": c.log().mean()}
        asked = [how[name].alias(name) for name in names]
        return lambda _: frame.select(asked).row(0)

    return prepare


def by_duckdb(question: str) -> Callable[[Array], Answer]:
    """A query of a table in DuckDB's own format, in memory, with all threads."""

    def prepare(x: Array) -> Answer:
        import duckdb
        import pyarrow

        connection = duckdb.connect()
        connection.execute(f"set threads = {cores()}")
        connection.register("given", pyarrow.table({"x": pyarrow.array(x)}))
        connection.execute("create table t as select x from given")
        return lambda _: connection.execute(f"select {question} from t").fetchone()

    return prepare


def by_pyarrow(x: Array) -> Answer:
    import pyarrow
    import pyarrow.compute as pc

    column = pyarrow.array(x)
    return lambda _: (pc.mean(column).as_py(), pc.stddev(column, ddof=0).as_py())


def by_mixle(x: Array) -> Answer:
    """One step on data encoded before, which is the vectorised way of mixle."""
    from mixle.inference import seq_estimate
    from mixle.stats import GaussianDistribution, GaussianEstimator, seq_encode

    start = GaussianDistribution(0.0, 1.0)
    encoded = seq_encode(x.astype(np.float64, copy=False), start.dist_to_encoder())

    def moments(_: Array) -> Any:
        found = seq_estimate(encoded, GaussianEstimator(), start)
        return found.mu, math.sqrt(found.sigma2)

    return moments


def by_statsmodels(x: Array) -> Answer:
    """A negative binomial regression on a constant: r = 1/alpha, p = r/(r + mean)."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    def fit(x: Array) -> Any:
        constant, alpha = NegativeBinomial(x, np.ones(x.size)).fit(disp=0).params
        return 1.0 / alpha, 1.0 / (1.0 + alpha * math.exp(constant))

    return fit


def by_scipy(name: str, *order: int, **fixed: float) -> Callable[[Array], Answer]:
    """`scipy.stats.NAME.fit`, and which of its results, in which order, are the parameters."""

    def prepare(x: Array) -> Answer:
        from scipy import stats

        fit = getattr(stats, name).fit
        return lambda x: [fit(x, **fixed)[place] for place in order]

    return prepare


def by_scikit(x: Array) -> Answer:
    from sklearn.preprocessing import StandardScaler

    def moments(x: Array) -> Any:
        scaler = StandardScaler().partial_fit(x.reshape(-1, 1))
        return float(scaler.mean_[0]), math.sqrt(scaler.var_[0])

    return moments


def plain(answer: Answer) -> Callable[[Array], Answer]:
    return lambda x: answer


def log_means(x: Array) -> Any:
    return x.mean(), np.log(x).mean()


def scipy_gammaln(x: Array) -> Array:
    from scipy.special import gammaln

    return np.asarray(gammaln(x))


def gram(x: Array) -> Array:
    from scipy.linalg import blas

    return np.asarray(blas.dsyrk(1.0, x.T, lower=0))
