"""Regressions of a matrix in memory beside their peers: every gradient is checked before its fit is timed.

A logistic peer is timed with its default tolerance, which leaves a gradient of 1e-4 to 1e-6, and "tight", with the
loosest that brings it below ENOUGH; ours is about 1e-12.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from .. import api
from .data import Array
from .engines import gram, installed
from .timing import clock, record

Engine = Callable[[Array, Array], Array]
SIZES = {"10 columns": (2_000_000, 10), "50 columns": (500_000, 50)}
ENOUGH, LOOSE = 1e-8, 1e-3  # largest component of the mean gradient


@cache
def data(size: str, smaller: float = 1.0) -> tuple[Array, dict[str, Array]]:
    """A matrix, and a target for each model."""
    rows, columns = SIZES[size]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(max(5000, int(rows * min(1.0, smaller))), columns))
    eta = 0.2 + x @ (0.3 * rng.normal(size=columns))
    late = (rng.random(len(x)) * (1.0 + np.exp(-eta)) < 1.0).astype(float)
    counts = rng.poisson(np.exp(0.5 * eta)).astype(float)
    return x, {"logistic": late, "linear": eta + rng.normal(size=len(x)), "poisson": counts}


def gradient(model: str, x: Array, y: Array, beta: Array) -> float:
    """The largest component of the mean gradient of the log-likelihood."""
    eta = beta[0] + x @ beta[1:]
    mean = {"linear": lambda: eta, "logistic": lambda: 1.0 / (1.0 + np.exp(-eta)), "poisson": lambda: np.exp(eta)}[model]()
    away = y - mean
    return float(max(abs(away.mean()), np.abs(away @ x).max() / len(y)))


def ours(family: str, x: Array, y: Array) -> Array:
    return np.array(list(api.fit(family, (x, y)).params.values()))


def by_sklearn(name: str, **options: Any) -> Engine:
    def run(x: Array, y: Array) -> Array:
        from sklearn import linear_model

        fit = getattr(linear_model, name)(**options).fit(x, y)
        return np.asarray(np.r_[fit.intercept_, np.ravel(fit.coef_)])

    return run


def by_glum(family: str, **tight: Any) -> Engine:
    def run(x: Array, y: Array) -> Array:
        from glum import GeneralizedLinearRegressor

        fit = GeneralizedLinearRegressor(family=family, alpha=0, **tight).fit(x, y)
        return np.asarray(np.r_[fit.intercept_, fit.coef_])

    return run


def by_statsmodels(model: str, x: Array, y: Array) -> Array:
    import statsmodels.api as sm

    with_one = sm.add_constant(x)
    made = {
        "linear": lambda: sm.OLS(y, with_one).fit(),
        "logistic": lambda: sm.Logit(y, with_one).fit(disp=0),
        "poisson": lambda: sm.GLM(y, with_one, family=sm.families.Poisson()).fit(),
    }
    return np.asarray(made[model]().params)


def dsyrk(x: Array, _: Array) -> Array:
    """The products of the columns alone; a matrix by rows is one by columns turned, and nothing is copied."""
    return gram(x)


LOGISTIC = "LogisticRegression"
ENGINES: dict[str, dict[str, Engine]] = {
    "logistic": {
        "fastmle": partial(ours, "logistic"),
        "scikit-learn lbfgs": by_sklearn(LOGISTIC, C=np.inf, solver="lbfgs"),
        "scikit-learn lbfgs, tight": by_sklearn(LOGISTIC, C=np.inf, solver="lbfgs", tol=ENOUGH, max_iter=1000),
        "scikit-learn newton-cholesky": by_sklearn(LOGISTIC, C=np.inf, solver="newton-cholesky"),
        "scikit-learn newton-cholesky, tight": by_sklearn(LOGISTIC, C=np.inf, solver="newton-cholesky", tol=ENOUGH),
        "glum": by_glum("binomial"),
        "glum, tight": by_glum("binomial", gradient_tol=ENOUGH),
        "statsmodels": partial(by_statsmodels, "logistic"),
    },
    "linear": {
        "fastmle": partial(ours, "linear"),
        "one dsyrk": dsyrk,
        "scikit-learn": by_sklearn("LinearRegression"),
        "statsmodels": partial(by_statsmodels, "linear"),
    },
    "poisson": {
        "fastmle": partial(ours, "poisson_regression"),
        "scikit-learn newton-cholesky": by_sklearn("PoissonRegressor", alpha=0.0, solver="newton-cholesky"),
        "glum": by_glum("poisson"),
        "statsmodels": partial(by_statsmodels, "poisson"),
    },
}
NAMES = {"linear": "linear regression with errors", "logistic": "logistic regression", "poisson": "poisson regression"}


def available(engine: str) -> bool:
    """Whether an engine's library is installed."""
    return engine in ("fastmle", "one dsyrk") or installed(engine.partition(",")[0].partition(" ")[0])


def checked(model: str, engine: str, x: Array, y: Array) -> float:
    """The gradient that an engine leaves. Raises AssertionError where it has not come near the maximum."""
    found = ENGINES[model][engine](x, y)
    if engine == "one dsyrk":
        np.testing.assert_allclose(np.triu(found), np.triu(x.T @ x), rtol=1e-9, atol=1e-6)
        return 0.0
    left = gradient(model, x, y, found)
    exact = engine == "fastmle" or "tight" in engine or engine == "statsmodels"
    assert left < (ENOUGH if exact else LOOSE), f"{model} regression, {engine}: a gradient of {left:.2g}"
    return left


def regressions(smaller: float = 1.0) -> Iterator[dict[str, Any]]:
    """Linear, logistic and poisson regressions of both sizes, or of a share of their rows."""
    for size in SIZES:
        x, targets = data(size, smaller)
        for model, engines in ENGINES.items():
            for name, engine in engines.items():
                if not available(name):
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    left = checked(model, name, x, targets[model])  # which warms it
                    exact = name in ("fastmle", "one dsyrk")
                    taken = clock(partial(engine, x, targets[model]), 5 if exact else 3, warm=False, least=3 if exact else 1)
                speed = len(x) / statistics.median(taken)
                yield record(f"{NAMES[model]}, {len(x):,} x {x.shape[1]}", name, taken, rows=len(x), rows_per_second=speed,
                             gradient=left)  # fmt: skip
