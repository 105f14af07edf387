"""The scikit-learn adapters: scikit-learn's own checks, and its own answers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmle import sklearn as adapters

RNG = np.random.default_rng(3)
X = RNG.normal(size=(800, 4))
ETA = 0.3 + X @ [0.5, -0.4, 0.2, 0.0]
Y = ETA + RNG.normal(size=800)
W = RNG.random(800) + 0.5


@parametrize_with_checks(
    [
        adapters.LinearRegression(), adapters.Ridge(), adapters.LogisticRegression(), adapters.PoissonRegressor(),
        adapters.GammaRegressor(), adapters.GaussianMLE(),
    ]
)  # fmt: skip
def test_check_estimator(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("weights", [None, W])
def test_same_answers(weights: Any) -> None:
    tight = {"tol": 1e-12, "max_iter": 10_000}
    for mine, theirs, y in (
        (adapters.LinearRegression(), linear_model.LinearRegression(), Y),
        (adapters.Ridge(alpha=7.0), linear_model.Ridge(alpha=7.0, solver="cholesky"), Y),
        (adapters.LogisticRegression(C=0.1), linear_model.LogisticRegression(C=0.1, **tight), (RNG.normal(size=800) < ETA) * 1),
        (adapters.PoissonRegressor(alpha=0.3), linear_model.PoissonRegressor(alpha=0.3, **tight), RNG.poisson(np.exp(ETA))),
        (adapters.GammaRegressor(alpha=0.3), linear_model.GammaRegressor(alpha=0.3, **tight), RNG.gamma(2.0, np.exp(ETA))),
    ):
        mine.fit(X, y, weights)
        theirs.fit(X, y, weights)
        np.testing.assert_allclose(np.ravel(mine.coef_), np.ravel(theirs.coef_), rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(mine.predict(X), theirs.predict(X), rtol=1e-4, atol=1e-5)
        assert mine.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-5)


def test_partial_fits_are_exact() -> None:
    for estimator in (adapters.LinearRegression, adapters.Ridge):
        whole, parts = estimator().fit(X, Y, W), estimator()
        for lo in range(0, 800, 90):
            parts.partial_fit(X[lo : lo + 90], Y[lo : lo + 90], W[lo : lo + 90])
        np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)
    ridge = adapters.Ridge(alpha=1.0).partial_fit(X[:300], Y[:300]).set_params(alpha=100.0, fit_intercept=False)
    whole = adapters.Ridge(alpha=100.0, fit_intercept=False).fit(X, Y)
    np.testing.assert_allclose(ridge.partial_fit(X[300:], Y[300:]).coef_, whole.coef_, rtol=1e-12)
    density = adapters.GaussianMLE().partial_fit(X[:300]).partial_fit(X[300:])
    np.testing.assert_allclose(density.covariance_, np.cov(X.T, bias=True), rtol=1e-12)


def test_penalties_of_every_type() -> None:
    for one in (1, np.int64(1), np.float32(1.0)):
        np.testing.assert_array_equal(adapters.Ridge(alpha=one).fit(X, Y).coef_, adapters.Ridge(alpha=1.0).fit(X, Y).coef_)
    search = GridSearchCV(adapters.Ridge(), {"alpha": np.arange(1, 4)}).fit(X, Y)
    assert search.best_params_ == GridSearchCV(linear_model.Ridge(), {"alpha": np.arange(1, 4)}).fit(X, Y).best_params_
    for bad in (0, 0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="C must be above 0"):
            adapters.LogisticRegression(C=bad).fit(X, Y > 0.0)


@pytest.mark.parametrize("weights", [None, W])
def test_several_classes(weights: Any) -> None:
    classes = np.array(["ant", "bee", "cat"])[np.digitize(ETA + RNG.logistic(size=800), [-0.5, 1.0])]
    for options in ({}, {"C": 0.05}, {"fit_intercept": False}, {"C": np.inf}):
        theirs = linear_model.LogisticRegression(**options, tol=1e-12, max_iter=10_000).fit(X, classes, weights)
        mine = adapters.LogisticRegression(**options).fit(X, classes, weights)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
        assert (mine.predict(X) == theirs.predict(X)).all() and list(mine.classes_) == ["ant", "bee", "cat"]


def test_rows_that_were_refused_leave_nothing_behind() -> None:
    model = adapters.LinearRegression()
    with pytest.raises(ValueError, match="row 0"):
        model.partial_fit(X, Y, sample_weight=-W)
    assert not hasattr(model, "stats_")
    np.testing.assert_allclose(
        model.partial_fit(X[:, :2], Y).coef_, linear_model.LinearRegression().fit(X[:, :2], Y).coef_, rtol=1e-10
    )
    with pytest.raises(ValueError, match="row 800"):
        model.partial_fit(X[:, :2], Y, sample_weight=-W)
    assert model.partial_fit(X[:, :2], Y).stats_.nobs == 1600
