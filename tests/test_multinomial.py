"""The multinomial logit model against statsmodels, naive formulas and direct maximisation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy
import statsmodels.api as sm

import fastmle as fm

RNG = np.random.default_rng(21)
N = 6_000
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [0.0, 1e3, 5.0]
Z = np.column_stack([np.ones(N), (X - [0.0, 1e3, 5.0]) / [1.0, 10.0, 0.1]])
BETA = np.array([[0, 0, 0, 0], [0.3, 0.5, -0.4, 0.2], [-0.2, 0.1, 0.6, -0.5], [0.1, -0.7, 0.1, 0.1]])
P = scipy.special.softmax(Z @ BETA.T, axis=1)
Y = (P.cumsum(axis=1) < RNG.random(N)[:, None]).sum(axis=1)
NAMES = np.array(["ant", "bee", "cat", "dog"])
W = RNG.integers(0, 4, N).astype(float)
DATA = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": NAMES[Y], "code": Y, "w": W, "k": RNG.integers(0, 40, N)})
NAMED: dict[str, Any] = {"target": "y", "features": ["a", "b", "c"]}
TURN = np.kron(np.eye(3), np.block([[np.ones((1, 1)), -np.array([[0.0, 100.0, 50.0]])], [np.zeros((3, 1)), np.diag([1.0, 0.1, 10.0])]]))


def oracle(y: np.ndarray = Y, z: np.ndarray = Z) -> Any:
    return sm.MNLogit(y, z).fit(disp=0, method="newton", tol=1e-14, maxiter=100)


def errors_of(cov: np.ndarray) -> np.ndarray:
    """Standard errors in the units of X from a covariance in those of Z."""
    return np.sqrt(np.diag(TURN @ cov @ TURN.T))


def naive(w: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse information and the scores of rows, in the units of Z, at coefficients in the units of X."""
    beta = np.linalg.solve(TURN, theta).reshape(3, 4)
    p = scipy.special.softmax(np.column_stack([np.zeros(N), Z @ beta.T]), axis=1)[:, 1:]
    information = np.zeros((12, 12))
    for a in range(3):
        for b in range(3):
            curve = w * p[:, a] * ((a == b) - p[:, b])
            information[4 * a : 4 * a + 4, 4 * b : 4 * b + 4] = Z.T @ (Z * curve[:, None])
    r = (Y[:, None] == [1, 2, 3]) - p
    return np.linalg.inv(information), (r[:, :, None] * Z[:, None, :]).reshape(N, 12)


def test_against_statsmodels() -> None:
    fit, m = fm.fit("multinomial", (X, Y)), oracle()
    np.testing.assert_allclose(fit.theta, TURN @ m.params.T.ravel(), rtol=1e-8)
    np.testing.assert_allclose(list(fit.bse.values()), errors_of(np.asarray(m.cov_params())), rtol=1e-6)
    assert fit.llf == pytest.approx(m.llf, rel=1e-12) and fit.status == "ok" and fit.score_norm < 1e-6
    shares = np.bincount(Y) / N
    assert fit.llf_null == pytest.approx(N * shares @ np.log(shares), rel=1e-13)
    np.testing.assert_allclose(fit.predict(X), m.predict(), rtol=1e-9)
    np.testing.assert_allclose(fit.residuals((X, Y)), (Y[:, None] == np.arange(4)) - m.predict(), atol=1e-10)
    assert list(fit.params)[:2] == ["1:intercept", "1:x0"] and fit.df_model == 12
    assert fit.aic == pytest.approx(24 - 2 * m.llf)
    assert fit.wald_test()[2] == 9


@pytest.mark.parametrize("cov", ["model", "HC0"])
def test_stored_twice(cov: str) -> None:
    fit = fm.fit("multinomial", (X, Y), cov=cov)
    once = fit.to_dict()
    again = fm.Fit.from_dict(json.loads(json.dumps(once)))
    assert again.to_dict() == once and again.summary() == fit.summary()
    np.testing.assert_array_equal(again.predict(X[:9]), fit.predict(X[:9]))


def test_direct_maximisation_and_ridge() -> None:
    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        beta = np.vstack([np.zeros(4), v.reshape(3, 4)])
        eta = Z @ beta.T
        slopes = beta[:, 1:] - beta[:, 1:].mean(axis=0)
        r = scipy.special.softmax(eta, axis=1) - (Y[:, None] == np.arange(4))
        g = r.T @ Z
        g[:, 1:] += alpha * slopes
        value = (scipy.special.logsumexp(eta, axis=1) - eta[np.arange(N), Y]).sum() + 0.5 * alpha * (slopes**2).sum()
        return float(value), g[1:].ravel()

    for alpha in (0.0, 50.0):
        fit = fm.fit("multinomial", (Z[:, 1:], Y), alpha=alpha)
        assert np.abs(loss(fit.theta)[1]).max() < 1e-7
        best = scipy.optimize.minimize(loss, np.zeros(12), jac=True, method="BFGS", options={"gtol": 1e-9})
        assert loss(fit.theta)[0] <= best.fun + 1e-9
        other = fm.fit("multinomial", (Z[:, 1:], Y), alpha=alpha, base=2)  # the same model whatever the base
        assert other.llf == pytest.approx(fit.llf, rel=1e-13)
        np.testing.assert_allclose(other.predict(Z[:, 1:]), fit.predict(Z[:, 1:]), rtol=1e-9)


def test_weights_and_robust_errors() -> None:
    again = np.repeat(np.arange(N), W.astype(int))
    fit, many = fm.fit("multinomial", (X, Y), weights=W), fm.fit("multinomial", (X[again], Y[again]))
    np.testing.assert_allclose(fit.theta, many.theta, rtol=1e-10)
    np.testing.assert_allclose([fit.llf, fit.bic, fit.nobs], [many.llf, many.bic, many.nobs], rtol=1e-12)
    for kind in ("model", "HC0", "HC1"):
        one, two = fm.fit("multinomial", (X, Y), weights=W, cov=kind), fm.fit("multinomial", (X[again], Y[again]), cov=kind)
        np.testing.assert_allclose(list(one.bse.values()), list(two.bse.values()), rtol=1e-9)
    bread, s = naive(W, fit.theta)
    hc1 = bread @ (s.T @ (s * W[:, None])) @ bread * W.sum() / (W.sum() - 12)
    np.testing.assert_allclose(list(one.bse.values()), errors_of(hc1), rtol=1e-6)
    sample = fm.fit("multinomial", (X, Y), weights=W, weight_kind="sampling")
    sandwich = bread @ ((s * W[:, None]).T @ (s * W[:, None])) @ bread
    np.testing.assert_allclose(list(sample.bse.values()), errors_of(sandwich), rtol=1e-6)
    assert sample.aic is None and sample.nobs == (W > 0).sum()
    groups = DATA["k"].to_numpy()
    sums = np.array([(s * W[:, None])[groups == g].sum(axis=0) for g in range(40)])
    factor = 40 / 39 * (W.sum() - 1) / (W.sum() - 12)
    clustered = fm.fit("multinomial", (X, Y), weights=W, cov="cluster", cluster=groups)
    np.testing.assert_allclose(list(clustered.bse.values()), errors_of(bread @ sums.T @ sums @ bread * factor), rtol=1e-6)
    with pytest.raises(fm.FamilyError, match="precision weights are not defined"):
        fm.fit("multinomial", (X, Y), weights=W, weight_kind="precision")


def test_every_way_to_read(tmp_path: Path) -> None:
    whole = fm.fit("multinomial", DATA, **NAMED, weights="w")
    np.testing.assert_allclose(whole.theta, fm.fit("multinomial", (X, Y), weights=W).theta, rtol=1e-10)
    DATA.write_parquet(tmp_path / "d.parquet", row_group_size=700)
    codes = {**NAMED, "target": "code"}

    def chunks() -> Iterator[Any]:
        yield from DATA.drop("y").iter_slices(77)

    for source, parts in ((DATA.to_dict(), NAMED), (str(tmp_path / "d.parquet"), NAMED), (chunks, codes)):
        for threads in (1, 2, 7):
            fit = fm.fit("multinomial", source, **parts, weights="w", threads=threads)
            assert np.array_equal(fit.theta, whole.theta) and np.array_equal(fit.cov, whole.cov) and fit.llf == whole.llf
    formula = fm.fit("multinomial", DATA, formula="y ~ a + b + c", weights="w")
    assert list(formula.params) == list(whole.params) and next(iter(formula.params)) == "bee:intercept"
    np.testing.assert_allclose(formula.theta, whole.theta, rtol=1e-10)
    for fit in (whole, formula):
        again = fm.Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
        assert again.summary() == fit.summary()
        np.testing.assert_array_equal(again.predict(DATA), fit.predict(DATA))
        np.testing.assert_allclose(again.residuals(DATA, "pearson"), fit.residuals(DATA, "pearson"))
    given = fm.fit("multinomial", DATA, **codes, classes=(3, 2, 1, 0))
    assert next(iter(given.params)) == "2:intercept" and given.n_passes < whole.n_passes + 2
    given = fm.fit("multinomial", DATA, formula="y ~ C(k) + a", classes=("dog", "cat", "bee", "ant"), base="cat")
    assert next(iter(given.params)) == "dog:intercept" and len(given.params) == 3 * 41


def test_held_coefficients_and_no_intercept() -> None:
    z = Z[:, 1:]
    held = fm.fit("multinomial", (z, Y), fixed={"2:x1": 0.5, "3:intercept": 0.0})
    assert held.params["2:x1"] == 0.5 and held.bse["2:x1"] == 0.0 and held.df_model == 10 and held.score_norm < 1e-6
    assert held.llf <= fm.fit("multinomial", (z, Y)).llf
    none = fm.fit("multinomial", (z, Y), intercept=False)
    np.testing.assert_allclose(none.theta, oracle(Y, z).params.T.ravel(), rtol=1e-8)
    two = fm.fit("multinomial", (z, (Y > 1) * 1))
    one = fm.fit("logistic", (z, (Y > 1) * 1.0))
    np.testing.assert_allclose(two.theta, one.theta, rtol=1e-9)
    np.testing.assert_allclose(list(two.bse.values()), list(one.bse.values()), rtol=1e-9)


def test_separation_and_empty_classes_are_said() -> None:
    fit = fm.fit("multinomial", (Z[:, 1:], np.digitize(Z[:, 1], [-0.5, 0.5])))
    assert fit.status == "separated" and "x0" in fit.message and np.isnan(fit.params["1:x0"]) and fit.n_passes < 25
    mark = (RNG.random(N) < 0.1) * 1.0
    fit = fm.fit("multinomial", (np.c_[Z[:, 1:], mark], np.where(mark == 1.0, 3, Y)))
    assert fit.status == "separated" and "3:x3" in fit.message and "x0" not in fit.message
    fit = fm.fit("multinomial", (Z[:, 1:], Y), classes=(0, 1, 2, 3, 4))
    assert fit.status == "separated" and "no row is of class 4" in fit.message


def test_what_is_wrong_is_named() -> None:
    z = Z[:, 1:]
    bad = Y.astype(float)
    bad[7] = 1.5
    holes = z.copy()
    holes[9, 2] = np.nan
    for call, words in (
        (lambda: fm.fit("multinomial", (z, bad)), "column 'y', row 7: the value is 1.5: classes are"),
        (lambda: fm.fit("multinomial", (z, Y), classes=(0, 1, 2)), r"column 'y', row \d+: the value is 3, not one of the classes 0,"),
        (lambda: fm.fit("multinomial", (holes, Y)), "column 'x2', row 9: the value is null"),
        (lambda: fm.fit("multinomial", (z, np.zeros(N))), "column 'y' has one class only: 0"),
        (lambda: fm.fit("multinomial", (z, np.arange(N))), "more than 256 values"),
        (lambda: fm.fit("multinomial", (z, Y), offset=np.zeros(N)), "offset= is not for multinomial"),
        (lambda: fm.fit("multinomial", (z, Y), base=9), "base=9 is none of the classes"),
        (lambda: fm.fit("multinomial", (z, Y), classes=(1, 1)), "given twice"),
        (lambda: fm.fit("multinomial", (z, Y), fixed={"x0": 1.0}), "got x0"),
        (lambda: fm.fit("multinomial", (z, Y), cov="HC3"), "cov is one of"),
        (lambda: fm.fit("multinomial", (np.c_[z, z[:, 0]], Y)), "'x3' is a linear combination of x0"),
        (lambda: fm.fit("multinomial", (np.c_[z, np.ones(N)], Y)), "'x3' is constant"),
        (lambda: fm.fit("multinomial", DATA, formula="I(code) ~ a"), "a column by itself"),
        (lambda: fm.fit("logistic", DATA, formula="y ~ a"), "the target y is a categorical"),
        (lambda: fm.fit("multinomial", (z, Y)).predict(z, interval="confidence"), "not offered"),
        (lambda: fm.fit("multinomial", (z, Y)).residuals((z, Y), "deviance"), "response or pearson"),
        (lambda: fm.suffstats("multinomial"), "several passes"),
    ):
        with pytest.raises((fm.DataError, fm.FamilyError), match=words):
            call()
    dropped = fm.fit("multinomial", (np.c_[z[:, :1], z], Y), rank_deficient="drop")
    assert dropped.dropped == ("x1",) and dropped.llf == pytest.approx(fm.fit("multinomial", (z, Y)).llf, rel=1e-13)
    kept = fm.fit("multinomial", (holes, Y), nulls="drop")
    assert kept.nobs_dropped == 1 and kept.nobs == N - 1
