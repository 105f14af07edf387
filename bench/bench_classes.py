"""Multinomial regressions and categoricals of a thousand levels beside their peers; what is timed is checked first."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from conftest import ROWS
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

import fastmle as fm

Array = np.ndarray[Any, Any]
N = max(20_000, min(ROWS, 500_000))
LEVELS = 1000
CLASSES = 4


@cache
def classes() -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(N, 10))
    p = softmax(np.column_stack([np.ones(N), x]) @ (0.3 * rng.normal(size=(11, CLASSES))), axis=1)
    return x, (p.cumsum(axis=1) < rng.random(N)[:, None]).sum(axis=1)


def by_fastmle(x: Array, y: Array) -> Array:
    found = np.array(list(fm.fit("multinomial", (x, y), classes=tuple(range(CLASSES))).params.values()))
    return np.vstack([np.zeros(11), found.reshape(CLASSES - 1, 11)])


def by_sklearn(solver: str) -> Any:
    def run(x: Array, y: Array) -> Array:
        fit = LogisticRegression(C=np.inf, solver=solver, tol=1e-8, max_iter=1000).fit(x, y)
        return np.column_stack([fit.intercept_, fit.coef_])

    return run


def by_statsmodels(x: Array, y: Array) -> Array:
    found = sm.MNLogit(y, sm.add_constant(x)).fit(disp=0, method="newton").params
    return np.vstack([np.zeros(11), found.T])


MULTINOMIAL = {
    "fastmle": by_fastmle,
    "scikit-learn lbfgs": by_sklearn("lbfgs"),
    "scikit-learn newton-cholesky": by_sklearn("newton-cholesky"),
    "statsmodels": by_statsmodels,
}


@pytest.mark.benchmark(group="multinomial regression, four classes, 10 columns")
@pytest.mark.parametrize("engine", MULTINOMIAL)
def bench_multinomial(engine: str, benchmark: Any) -> None:
    x, y = classes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beta = MULTINOMIAL[engine](x, y)
        z = np.column_stack([np.ones(N), x])
        gradient = float(np.abs(((y[:, None] == np.arange(CLASSES)) - softmax(z @ beta.T, axis=1)).T @ z).max() / N)
        assert gradient < (1e-8 if engine == "fastmle" else 1e-3)
        benchmark.pedantic(MULTINOMIAL[engine], (x, y), rounds=3 if engine == "fastmle" else 1)
    benchmark.extra_info |= {"rows": N, "gradient": gradient}


@cache
def levels() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    g, x = rng.integers(0, LEVELS, N), rng.normal(size=N)
    y = 0.5 * x + rng.normal(size=LEVELS)[g] + rng.normal(size=N)
    return pl.DataFrame({"y": y, "late": (y > 0.5) * 1.0, "x": x, "g": g})


def dense_dsyrk() -> Array:
    """What the columns written out would cost, on a fiftieth of the rows: their products alone."""
    part = levels().head(N // 50)
    design = np.zeros((len(part), LEVELS + 2))
    design[np.arange(len(part)), part["g"].to_numpy()] = 1.0
    design[:, LEVELS] = part["x"].to_numpy()
    design[:, LEVELS + 1] = part["y"].to_numpy()
    return np.asarray(design.T @ design)


@pytest.mark.benchmark(group="a categorical of 1,000 levels")
@pytest.mark.parametrize("engine", ["fastmle linear", "fastmle logistic", "products of written-out columns, a fiftieth of the rows"])
def bench_levels(engine: str, benchmark: Any) -> None:
    data = levels()
    if engine == "fastmle linear":
        run: Any = lambda: fm.fit("linear", data, formula="y ~ x + C(g)")  # noqa: E731
        fit, within = run(), data.with_columns(pl.col("x", "y") - pl.col("x", "y").mean().over("g"))
        x, y = within["x"].to_numpy(), within["y"].to_numpy()
        assert fit.params["x"] == pytest.approx(x @ y / (x @ x), rel=1e-10)
    elif engine == "fastmle logistic":
        run = lambda: fm.fit("logistic", data, formula="late ~ x + C(g)")  # noqa: E731
        assert run().score_norm < 1e-6 or run().status == "separated"
    else:
        run = dense_dsyrk
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    benchmark.extra_info["rows"] = len(data) if "fastmle" in engine else len(data) // 50
