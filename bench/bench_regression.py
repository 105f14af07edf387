"""Regressions of a matrix in memory beside their peers: every gradient is checked before its fit is timed.

A logistic peer is timed twice: with its default tolerance, which leaves a gradient of 1e-4 to 1e-6, and "tight", with the
loosest that brings it below ENOUGH; ours is about 1e-12.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from conftest import ROWS
from scipy.linalg import blas
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

import fastmle as fm

try:
    from glum import GeneralizedLinearRegressor
except ImportError:
    GeneralizedLinearRegressor = None

Array = np.ndarray[Any, Any]
SIZES = {"10 columns": (2_000_000, 10), "50 columns": (500_000, 50)}
SMALLER = min(1.0, ROWS / 2_000_000)  # FASTMLE_BENCH_ROWS below two million makes all of it smaller
ENOUGH = 1e-8  # largest component of the mean gradient


@cache
def data(size: str) -> tuple[Array, Array, Array]:
    """(X, y of a logistic model, y of a linear one)."""
    rows, columns = SIZES[size]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(max(5000, int(rows * SMALLER)), columns))
    eta = 0.2 + x @ (0.3 * rng.normal(size=columns))
    return x, (rng.random(len(x)) < expit(eta)).astype(float), eta + rng.normal(size=len(x))


def gradient(x: Array, y: Array, beta: Array) -> float:
    """The largest component of the mean gradient of the log-likelihood."""
    away = y - expit(beta[0] + x @ beta[1:])
    return float(max(abs(away.mean()), np.abs(away @ x).max() / len(y)))


def by_fastmle(x: Array, y: Array) -> Array:
    return np.array(list(fm.fit("logistic", (x, y)).params.values()))


def by_sklearn(solver: str, **tight: Any) -> Any:
    def run(x: Array, y: Array) -> Array:
        fit = LogisticRegression(C=np.inf, solver=solver, **tight).fit(x, y)
        return np.r_[fit.intercept_, fit.coef_[0]]

    return run


def by_glum(**tight: Any) -> Any:
    def run(x: Array, y: Array) -> Array:
        if GeneralizedLinearRegressor is None:
            pytest.skip("glum is not installed")
        fit = GeneralizedLinearRegressor(family="binomial", alpha=0, **tight).fit(x, y)
        return np.r_[fit.intercept_, fit.coef_]

    return run


def by_statsmodels(x: Array, y: Array) -> Array:
    return np.asarray(sm.Logit(y, sm.add_constant(x)).fit(disp=0).params)


LOGISTIC = {
    "fastmle": by_fastmle,
    "scikit-learn lbfgs": by_sklearn("lbfgs"),
    "scikit-learn lbfgs, tight": by_sklearn("lbfgs", tol=ENOUGH, max_iter=1000),
    "scikit-learn newton-cholesky": by_sklearn("newton-cholesky"),
    "scikit-learn newton-cholesky, tight": by_sklearn("newton-cholesky", tol=ENOUGH),
    "glum": by_glum(),
    "glum, tight": by_glum(gradient_tol=ENOUGH),
    "statsmodels": by_statsmodels,
}


@pytest.mark.benchmark(group="logistic regression")
@pytest.mark.parametrize("engine", LOGISTIC)
@pytest.mark.parametrize("size", SIZES)
def bench_logistic(size: str, engine: str, benchmark: Any) -> None:
    x, y, _ = data(size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = gradient(x, y, LOGISTIC[engine](x, y))
        assert found < (ENOUGH if engine == "fastmle" or "tight" in engine or engine == "statsmodels" else 1e-3)
        benchmark.group += f", {len(x):,} x {x.shape[1]}"
        benchmark.pedantic(LOGISTIC[engine], (x, y), rounds=5 if engine == "fastmle" else 2)
    benchmark.extra_info |= {"rows": len(x), "gradient": found}


LINEAR = {
    "fastmle": lambda x, y: np.array(list(fm.fit("linear", (x, y)).params.values())),
    "one dsyrk": lambda x, y: blas.dsyrk(1.0, x.T),  # x.T is in Fortran's order: nothing is copied
}


@pytest.mark.benchmark(group="linear regression with errors")
@pytest.mark.parametrize("engine", LINEAR)
@pytest.mark.parametrize("size", SIZES)
def bench_linear(size: str, engine: str, benchmark: Any) -> None:
    x, _, y = data(size)
    found = LINEAR[engine](x, y)
    if engine == "fastmle":
        away = y - found[0] - x @ found[1:]
        assert max(abs(away.mean()), np.abs(away @ x).max() / len(y)) < 1e-11
    else:
        np.testing.assert_allclose(np.triu(found), np.triu(x.T @ x), rtol=1e-9, atol=1e-6)
    benchmark.group += f", {len(x):,} x {x.shape[1]}"
    benchmark.pedantic(LINEAR[engine], (x, y), rounds=7, warmup_rounds=1)
    benchmark.extra_info["rows"] = len(x)
