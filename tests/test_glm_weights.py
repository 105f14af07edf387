"""Every family and link under precision and sampling weights, negative binomials of every link: against naive formulas,
and scores by finite differences of the log-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
import statsmodels.api as sm
from test_glm import CASES, DESIGN, ETA, LINKS, OFFSET, N, X, sample

import fastmle as fm

RNG = np.random.default_rng(17)
W = RNG.random(N) + 0.5
VARIANCE: dict[str, Any] = {
    "logistic": lambda m: m * (1 - m),
    "poisson_regression": lambda m: m,
    "gamma_regression": np.square,
    "inverse_gaussian_regression": lambda m: m**3,
}
DISPERSED = ("gamma_regression", "inverse_gaussian_regression")


def log_density(family: str, y: np.ndarray, mu: np.ndarray, phi: Any) -> np.ndarray:
    """log p(y) with mean mu and dispersion phi, one a row."""
    if family == "logistic":
        return np.where(y == 1.0, np.log(mu), np.log1p(-mu))
    if family == "poisson_regression":
        return scipy.stats.poisson.logpmf(y, mu)
    if family == "gamma_regression":
        return scipy.stats.gamma.logpdf(y, 1 / phi, scale=mu * phi)
    return -0.5 * np.log(2 * np.pi * phi * y**3) - (y - mu) ** 2 / (2 * phi * mu**2 * y)


def check(family: str, link: str, kind: str) -> None:
    y = sample(family, link)
    fit = fm.fit(family, (X, y), link=link, offset=OFFSET, weights=W, weight_kind=kind)
    assert fit.status == "ok" and fit.score_norm < 1e-6 and fit.nobs == N
    mu = LINKS[link][1](DESIGN @ fit.theta + OFFSET)
    step = 1e-6
    slope = (LINKS[link][1](DESIGN @ fit.theta + OFFSET + step) - LINKS[link][1](DESIGN @ fit.theta + OFFSET - step)) / (2 * step)
    v = VARIANCE[family](mu)
    r = (y - mu) * slope / v
    information = DESIGN.T @ (DESIGN * (W * slope**2 / v)[:, None])
    bread = np.linalg.inv(information)
    # the estimate: one more Fisher step moves it by less than 1e-8 of its errors' size
    move = bread @ (DESIGN.T @ (W * r))
    assert np.abs(move / np.sqrt(np.diag(bread))).max() < 1e-6
    np.testing.assert_allclose(move, 0.0, atol=1e-8 * np.abs(fit.theta).max())
    dispersion = (W * (y - mu) ** 2 / v).sum() / (N - 4) if family in DISPERSED else 1.0
    if kind == "sampling":
        meat = DESIGN.T @ (DESIGN * ((W * r) ** 2)[:, None])
        wanted = np.sqrt(np.diag(bread @ meat @ bread))
        assert fit.aic is None and fit.cov_type == "sandwich"
    else:
        wanted = np.sqrt(np.diag(bread) * dispersion)
        assert fit.dispersion == pytest.approx(dispersion, rel=1e-8)
    np.testing.assert_allclose(list(fit.bse.values()), wanted, rtol=1e-6)

    def llf(phi: float) -> float:
        if kind == "precision":  # the dispersion of row i is phi/w_i
            return float(log_density(family, y, mu, phi / W).sum())
        return float((W * log_density(family, y, mu, phi)).sum())

    if family in DISPERSED:
        best = scipy.optimize.minimize_scalar(lambda t: -llf(np.exp(t)), bracket=(-3.0, 0.0), tol=1e-12)
        assert fit.dispersion_ml == pytest.approx(np.exp(best.x), rel=1e-5)
        assert fit.llf == pytest.approx(-best.fun, rel=1e-10)
    else:
        assert fit.llf == pytest.approx(llf(1.0), rel=1e-10)


@pytest.mark.parametrize(("family", "oracle", "link"), CASES)
def test_sampling_weights(family: str, oracle: Any, link: str) -> None:
    check(family, link, "sampling")


@pytest.mark.parametrize(("family", "oracle", "link"), CASES)
def test_precision_weights(family: str, oracle: Any, link: str) -> None:
    if family in DISPERSED:
        check(family, link, "precision")
        return
    with pytest.raises(fm.FamilyError, match="precision weights are not defined"):
        fm.fit(family, (X, sample(family, link)), link=link, weights=W, weight_kind="precision")


@pytest.mark.parametrize("link", ["log", "identity", "sqrt"])
def test_negative_binomial_of_every_link(link: str) -> None:
    mu = LINKS[link][1](ETA + OFFSET)
    y = RNG.negative_binomial(3.0, 3.0 / (3.0 + mu)).astype(float)
    whole = RNG.integers(0, 4, N).astype(float)
    for w, kind in ((np.ones(N), "frequency"), (whole, "frequency"), (W, "sampling")):
        fit = fm.fit("negative_binomial_regression", (X, y), link=link, offset=OFFSET, weights=w, weight_kind=kind)
        assert fit.status == "ok" and fit.score_norm < 1e-6
        theta = fit.params["theta"]
        family = sm.families.NegativeBinomial(link=LINKS[link][0], alpha=1 / theta)
        held = sm.GLM(y, DESIGN, family=family, offset=OFFSET, freq_weights=w)
        m = held.fit(start_params=fit.theta[:4] * 1.001, tol=1e-15, tol_criterion="params", maxiter=300)
        np.testing.assert_allclose(fit.theta[:4], m.params, rtol=1e-8)

        def llf(q: float, w: np.ndarray = w, mu: np.ndarray = m.mu) -> float:
            return float((w * scipy.stats.nbinom.logpmf(y, q, q / (q + mu))).sum())

        assert fit.llf == pytest.approx(llf(theta), rel=1e-10)
        best = scipy.optimize.minimize_scalar(lambda t: -llf(np.exp(t)), bracket=(0.5, 1.5), tol=1e-14)
        assert theta == pytest.approx(np.exp(best.x), rel=1e-6) and fit.llf >= -best.fun - 1e-8
        if kind == "frequency":
            np.testing.assert_allclose(list(fit.bse.values())[:4], m.bse, rtol=1e-6)
        else:
            slope = 1.0 / family.link.deriv(m.mu)
            r, curve = (y - m.mu) * slope / family.variance(m.mu), slope**2 / family.variance(m.mu)
            bread = np.linalg.inv(DESIGN.T @ (DESIGN * (w * curve)[:, None]))
            meat = DESIGN.T @ (DESIGN * ((w * r) ** 2)[:, None])
            np.testing.assert_allclose(list(fit.bse.values())[:4], np.sqrt(np.diag(bread @ meat @ bread)), rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "oracle"), [("gamma_regression", sm.families.Gamma(sm.families.links.Log())), ("linear", sm.families.Gaussian())]
)
def test_residuals_under_precision_weights(family: str, oracle: Any) -> None:
    rng = np.random.default_rng(9)
    x, w = rng.normal(size=(200, 2)), rng.uniform(0.2, 3.0, 200)
    y = rng.gamma(3.0, np.exp(0.3 * x[:, 0]))
    fit = fm.fit(family, (x, y), weights=w, weight_kind="precision")
    m = sm.GLM(y, sm.add_constant(x), family=oracle, var_weights=w).fit(tol=1e-14)
    for kind, theirs, total in (("pearson", m.resid_pearson, fit.pearson_chi2), ("deviance", m.resid_deviance, fit.deviance)):
        found = fit.residuals((x, y), kind, weights=w)
        np.testing.assert_allclose(found, theirs, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(np.square(found).sum(), total, rtol=1e-9)
        with pytest.raises(fm.FamilyError, match="pass weights="):
            fit.residuals((x, y), kind)
    np.testing.assert_allclose(fit.residuals((x, y), weights=w), y - m.mu, atol=1e-8)
    data = {"y": y, "a": x[:, 0], "w": w}
    named = fm.fit(family, data, formula="y ~ a", weights="w", weight_kind="precision")
    np.testing.assert_allclose(np.square(named.residuals(data, "pearson", weights="w")).sum(), named.pearson_chi2, rtol=1e-9)
