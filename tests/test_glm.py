"""Generalized linear models against statsmodels, and against direct maximisation where its numbers are others."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy
import statsmodels.api as sm
from test_linear import GROUPS as TENTHS
from test_linear import exact_sandwich, nearly_equal

import fastmle as fm
from fastmle.regression.kinds import NegativeBinomialRegression

RNG = np.random.default_rng(11)
N = 2000
X = np.abs(RNG.normal(size=(N, 3))) * [1.0, 0.5, 0.4]
DESIGN = sm.add_constant(X)
ETA = 1.0 + X @ [0.3, 0.2, -0.1]
OFFSET = RNG.normal(size=N) * 0.05
W = RNG.integers(0, 4, N).astype(float)
GROUPS = RNG.integers(0, 30, N)
L = sm.families.links
LINKS: dict[str, tuple[Any, Any]] = {
    "identity": (L.Identity(), lambda e: e),
    "log": (L.Log(), lambda e: np.exp(e)),
    "logit": (L.Logit(), scipy.special.expit),
    "probit": (L.Probit(), scipy.special.ndtr),
    "cloglog": (L.CLogLog(), lambda e: -np.expm1(-np.exp(e))),
    "cauchit": (L.Cauchy(), lambda e: 0.5 + np.arctan(e) / np.pi),
    "inverse": (L.InversePower(), lambda e: 1 / e),
    "inverse_squared": (L.InverseSquared(), lambda e: e**-0.5),
    "sqrt": (L.Sqrt(), np.square),
}
B, P = sm.families.Binomial, sm.families.Poisson
G, I = sm.families.Gamma, sm.families.InverseGaussian  # noqa: E741
CASES = [
    *(("logistic", B, link) for link in ("logit", "probit", "cloglog", "cauchit", "log", "identity")),
    *(("poisson_regression", P, link) for link in ("log", "identity", "sqrt")),
    *(("gamma_regression", G, link) for link in ("log", "inverse", "identity")),
    *(("inverse_gaussian_regression", I, link) for link in ("log", "inverse_squared", "inverse", "identity")),
]


def sample(family: str, link: str) -> np.ndarray:
    eta = ETA - 3.0 if family == "logistic" and link == "log" else 0.3 * ETA if family == "logistic" else ETA
    mu = LINKS[link][1](eta + OFFSET)
    if family == "logistic":
        return (RNG.random(N) < mu).astype(float)
    if family == "poisson_regression":
        return RNG.poisson(mu).astype(float)
    return RNG.gamma(3.0, mu / 3.0) if family == "gamma_regression" else RNG.wald(mu, 4.0)


def values(params: Any) -> np.ndarray:
    return np.array(list(params.values()))


def close(got: Any, wanted: Any, tolerance: float) -> None:
    np.testing.assert_allclose(got, wanted, rtol=tolerance)


def near(got: Any, wanted: Any) -> None:
    """Residuals near 0 are roots of differences, of which rounding leaves 1e-8."""
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-7)


def joint_maximum(family: str, fit: fm.Fit, y: np.ndarray, mu: np.ndarray, w: np.ndarray) -> float:
    """The log-likelihood at μ, maximised over the dispersion: what statsmodels does not put in."""
    if family == "inverse_gaussian_regression":
        phi = np.sum(w * (y - mu) ** 2 / (mu**2 * y)) / w.sum()
        return float(np.sum(w * (-0.5 * np.log(2 * np.pi * phi * y**3) - (y - mu) ** 2 / (2 * phi * mu**2 * y))))

    def loss(t: float) -> float:
        return -float(np.sum(w * scipy.stats.gamma.logpdf(y, np.exp(t), scale=mu / np.exp(t))))

    best = scipy.optimize.minimize_scalar(loss, bracket=(0.0, 2.0), tol=1e-12)
    assert np.exp(-best.x) == pytest.approx(fit.dispersion_ml, rel=1e-5)
    return -float(best.fun)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("family", "oracle", "link"), CASES)
def test_every_family_and_link(family: str, oracle: Any, link: str, weighted: bool) -> None:
    y = sample(family, link)
    w = W if weighted else np.ones(N)
    fit = fm.fit(family, (X, y), link=link, offset=OFFSET, weights=W if weighted else None)
    assert fit.status == "ok" and fit.score_norm < 1e-6
    m = sm.GLM(y, DESIGN, family=oracle(LINKS[link][0]), offset=OFFSET, freq_weights=w).fit(
        tol=1e-15, maxiter=500, tol_criterion="params", start_params=fit.theta * 1.001
    )
    np.testing.assert_allclose(fit.theta, m.params, rtol=1e-8, atol=1e-9)
    close(values(fit.bse), m.bse, 1e-6)
    close([fit.deviance, fit.pearson_chi2, fit.df_resid], [m.deviance, m.pearson_chi2, m.df_resid], 1e-9)
    mu = m.mu
    dispersed = family in ("gamma_regression", "inverse_gaussian_regression")
    close(fit.llf, joint_maximum(family, fit, y, mu, w) if dispersed else m.llf, 1e-10)
    close(fit.dispersion, m.scale, 1e-8)
    assert fit.use_t == dispersed and fit.df_model == 4 + dispersed
    predicted = fit.predict(X, offset=OFFSET)
    close(predicted, mu, 1e-8)
    close(fit.residuals((X, y), "pearson", offset=OFFSET), (y - mu) / np.sqrt(m.family.variance(mu)), 1e-6)
    if not weighted:
        close(fit.residuals((X, y), "deviance", offset=OFFSET), m.resid_deviance, 1e-6)


@pytest.mark.parametrize(("family", "oracle", "link"), CASES[:1] + CASES[6:7] + CASES[9:10] + CASES[12:13])
def test_robust_errors_by_naive_formulas(family: str, oracle: Any, link: str) -> None:
    y = sample(family, link)
    for weighted, kind in ((False, "frequency"), (True, "frequency"), (True, "sampling")):
        w = W if weighted else np.ones(N)
        options: dict[str, Any] = {"weights": w, "weight_kind": kind} if weighted else {}
        plain = fm.fit(family, (X, y), **options)
        m = sm.GLM(y, DESIGN, family=oracle(LINKS[link][0]), freq_weights=w).fit(tol=1e-14)
        mu = m.mu
        slope = 1.0 / m.family.link.deriv(mu)
        r = (y - mu) * slope / m.family.variance(mu)
        bread = np.linalg.inv(DESIGN.T @ (DESIGN * (w * slope**2 / m.family.variance(mu))[:, None]))
        n = w.sum() if kind == "frequency" else float((w > 0).sum())
        meat = DESIGN.T @ (DESIGN * (w * r**2 if kind == "frequency" else w**2 * r**2)[:, None])
        sandwich = bread @ meat @ bread
        if kind == "sampling":
            close(values(plain.bse), np.sqrt(np.diag(sandwich)), 1e-7)
            assert plain.cov_type == "sandwich" and plain.aic is None and plain.nobs == n
            continue
        close(values(fm.fit(family, (X, y), cov="HC0", **options).bse), np.sqrt(np.diag(sandwich)), 1e-7)
        close(values(fm.fit(family, (X, y), cov="HC1", **options).bse), np.sqrt(np.diag(sandwich) * n / (n - 4)), 1e-7)
        sums = np.array([(DESIGN * (w * r)[:, None])[g == GROUPS].sum(axis=0) for g in range(30)])
        clustered = bread @ sums.T @ sums @ bread * 30 / 29 * (n - 1) / (n - 4)
        fit = fm.fit(family, (X, y), cov="cluster", cluster=GROUPS, **options)
        close(values(fit.bse), np.sqrt(np.diag(clustered)), 1e-7)


@mp.workdps(60)
@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster", "sampling"])
@pytest.mark.parametrize("apart", [1e-2, 1e-4, 1e-5])
def test_robust_errors_of_nearly_equal_columns(apart: float, kind: str) -> None:
    """Poisson regression at the estimate of 60 digits; the errors there are those of linear scores."""
    columns, counts, w = nearly_equal(apart), np.random.default_rng(2).poisson(2.0, 40), np.arange(40) % 4 + 1.0
    design, y, beta = mp.matrix(sm.add_constant(columns).tolist()), mp.matrix(counts.tolist()), mp.zeros(3, 1)
    beta[0] = mp.log(2)
    times = w if kind in ("sampling", "HC1") else np.ones(40)
    for _ in range(12):
        mu = [mp.exp(v) for v in design * beta]
        slope = design.T * mp.matrix([t * (y[i] - mu[i]) for i, t in enumerate(times)])
        beta += (design.T * mp.diag([t * m for t, m in zip(times, mu, strict=True)]) * design) ** -1 * slope
    power = times if kind == "sampling" else np.sqrt(times)  # w rows of one score each, or one of w times the score
    score = [mp.mpf(power[i]) * (y[i] - mu[i]) for i in range(40)]
    cov = exact_sandwich(design, kind, score, [t * m for t, m in zip(times, mu, strict=True)], TENTHS)
    n = times.sum()
    options: dict[str, Any] = {"cluster": {"cluster": TENTHS}, "HC1": {"weights": w}}.get(kind, {})
    options = {"weights": w, "weight_kind": "sampling"} if kind == "sampling" else options | {"cov": kind}
    fit = fm.fit("poisson_regression", (columns, counts.astype(float)), **options)
    factor = n / (n - 3) if kind == "HC1" else 1.0
    close(values(fit.bse), [float(mp.sqrt(factor * cov[j, j])) for j in range(3)], 1e-7)
    half = [float(mp.sqrt(factor * (design[i, :] * cov * design[i, :].T)[0])) for i in range(40)]
    at = fit.predict(columns, interval="confidence")
    close(np.log(at.high / at.low) / (2.0 * fit._quantile(0.95)), half, 1e-7)


@pytest.mark.parametrize("family", ["linear", "poisson_regression", "multinomial"])
def test_rows_without_a_cluster(family: str) -> None:
    """They are null rows: left out of the estimate as of its errors, or an error that names the row."""
    y = RNG.poisson(1.0, N).clip(max=2).astype(float)
    groups = GROUPS.astype(float)
    groups[[3, 1700]] = np.nan
    kept = np.isfinite(groups)
    fit = fm.fit(family, (X, y), cov="cluster", cluster=groups, nulls="drop")
    rest = fm.fit(family, (X[kept], y[kept]), cov="cluster", cluster=groups[kept])
    assert fit.nobs_dropped == 2 and fit.nobs == N - 2
    close(fit.theta, rest.theta, 1e-9)
    close(fit.cov_params(), rest.cov_params(), 1e-9)
    with pytest.raises(fm.DataError, match="column 'cluster', row 3: the cluster is null"):
        fm.fit(family, (X, y), cov="cluster", cluster=groups)
    if family == "linear":
        oracle = sm.OLS(y[kept], DESIGN[kept]).fit(cov_type="cluster", cov_kwds={"groups": groups[kept]})
        close(values(fit.bse), oracle.bse, 1e-8)


def test_trials_and_exposure() -> None:
    trials = RNG.integers(1, 9, N).astype(float)
    y = RNG.binomial(trials.astype(int), scipy.special.expit(ETA - 1.5)) / trials
    fit = fm.fit("logistic", (X, y), trials=trials)
    m = sm.GLM(np.c_[y * trials, trials - y * trials], DESIGN, family=B()).fit(tol=1e-14)
    close(fit.theta, m.params, 1e-8)
    close([fit.llf, fit.deviance, fit.null_deviance], [m.llf, m.deviance, m.null_deviance], 1e-10)
    count = RNG.poisson(np.exp(ETA + OFFSET)).astype(float)
    one = fm.fit("poisson_regression", (X, count), exposure=np.exp(OFFSET))
    close(one.theta, fm.fit("poisson_regression", (X, count), offset=OFFSET).theta, 1e-11)
    for kind, theirs in (("pearson", m.resid_pearson), ("deviance", m.resid_deviance), ("working", (y - m.mu) / (m.mu * (1 - m.mu)))):
        near(fit.residuals((X, y), kind, trials=trials), theirs)
    with pytest.raises(fm.DataError, match="row 3"):
        fm.fit("poisson_regression", (X, count), exposure=np.where(np.arange(N) == 3, 0.0, 1.0))
    with pytest.raises(fm.FamilyError, match="trials"):
        fm.fit("poisson_regression", (X, count), trials=trials)


def test_null_deviance_and_intercept() -> None:
    y = sample("poisson_regression", "log")
    fit, m = fm.fit("poisson_regression", (X, y)), sm.GLM(y, DESIGN, family=P()).fit()
    close([fit.null_deviance, fit.llf_null], [m.null_deviance, m.llnull], 1e-11)
    for family, oracle, link in (CASES[0], CASES[6], CASES[9], CASES[12]):
        y = sample(family, link)
        fit, model = fm.fit(family, (X, y), intercept=False), sm.GLM(y, X, family=oracle(LINKS[link][0]))
        m = model.fit(tol=1e-15, tol_criterion="params", maxiter=300)
        close(fit.theta, m.params, 1e-8)
        close(values(fit.bse), m.bse, 1e-6)


def test_negative_binomial() -> None:
    mu = np.exp(ETA)
    y = RNG.negative_binomial(2.0, 2.0 / (2.0 + mu)).astype(float)
    fit = fm.fit("negative_binomial_regression", (X, y))
    m = sm.NegativeBinomial(y, DESIGN).fit(disp=0, method="newton", tol=1e-14, maxiter=200)
    close(fit.theta[:4], m.params[:4], 1e-8)
    close(fit.params["theta"], 1.0 / m.params[4], 1e-8)
    close(fit.llf, m.llf, 1e-11)
    held = sm.GLM(y, DESIGN, family=sm.families.NegativeBinomial(alpha=m.params[4])).fit(tol=1e-14)
    close(values(fit.bse)[:4], held.bse, 1e-6)
    assert fit.theta_bse == fit.bse["theta"] > 0.0
    assert list(fit.params)[-1] == "theta" and fit.df_model == 5
    near(fit.residuals((X, y), "pearson"), held.resid_pearson)
    near(fit.residuals((X, y), "deviance"), held.resid_deviance)
    fixed = fm.fit("negative_binomial_regression", (X, y), fixed={"theta": 1.5})
    close(fixed.theta[:4], sm.GLM(y, DESIGN, family=sm.families.NegativeBinomial(alpha=1 / 1.5)).fit(tol=1e-14).params, 1e-8)
    under = fm.fit("negative_binomial_regression", (X, RNG.binomial(8, 0.5, N).astype(float)))
    assert under.status == "boundary" and under.params["theta"] == np.inf


@pytest.mark.parametrize("mean", [0.4, 3.0, 1e6])
def test_the_constant_model_has_a_theta_of_its_own(mean: float) -> None:
    """Against the likelihood of scipy, maximised, and repeated rows in statsmodels."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, 1))
    w = rng.integers(1, 4, 300)
    mu = mean * np.exp(0.8 * x[:, 0])
    y = rng.negative_binomial(3.0, 3.0 / (3.0 + mu)).astype(float)
    centre = np.average(y, weights=w)

    def loss(log_q: float) -> float:
        q = math.exp(log_q)
        return -float(w @ scipy.stats.nbinom.logpmf(y, q, q / (q + centre)))

    q = math.exp(scipy.optimize.minimize_scalar(loss, bounds=(-3, 5), method="bounded", options={"xatol": 1e-9}).x)
    with mp.workdps(40):  # the likelihood there, to all digits
        each = [mp.loggamma(v + q) - mp.loggamma(q) - mp.loggamma(v + 1) + v * mp.log(centre / (q + centre)) for v in map(mp.mpf, y)]
        wanted = float(sum(int(k) * v for k, v in zip(w, each, strict=True)) + int(w.sum()) * q * mp.log(q / (q + mp.mpf(centre))))
    fit = fm.fit("negative_binomial_regression", (x, y), weights=w.astype(float))
    close(fit.llf_null, wanted, 1e-11)
    if mean < 10.0:
        model = sm.NegativeBinomial(np.repeat(y, w), sm.add_constant(np.repeat(x, w, axis=0)))
        close(fit.llf_null, model.fit(disp=False, maxiter=200).llnull, 1e-8)
    held = fm.fit("negative_binomial_regression", (x, y), fixed={"theta": 2.0})
    close(held.llf_null, scipy.stats.nbinom.logpmf(y, 2.0, 2.0 / (2.0 + y.mean())).sum(), 1e-11)
    high = x[:, 0] > 0.5
    counts = rng.binomial(40, np.where(high, 0.5, 0.05)) * 1.0  # with the feature no more than Poisson counts, without it more
    bounded = fm.fit("negative_binomial_regression", (high * 1.0, counts.copy()))
    constant = fm.fit("negative_binomial", counts)
    assert bounded.status == "boundary" and constant.status == "ok"
    close(bounded.llf_null, constant.llf, 1e-12)


def test_counts_that_vary_less_than_poisson_counts_are_fitted_as_these() -> None:
    rng = np.random.default_rng(3)
    x = 0.1 * rng.normal(size=(3000, 1))
    y = np.round(1e4 * np.exp(x[:, 0]))
    under, poisson = fm.fit("negative_binomial_regression", (x, y)), fm.fit("poisson_regression", (x, y))
    oracle = sm.GLM(y, sm.add_constant(x), family=P()).fit(tol=1e-14)
    assert under.status == "boundary" and under.params["theta"] == np.inf and np.isnan(under.bse["theta"])
    close(under.theta[:2], oracle.params, 1e-11)
    close(values(under.bse)[:2], oracle.bse, 1e-8)
    close(under.llf, oracle.llf, 1e-11)
    assert under.df_model == poisson.df_model + 1 and fm.Fit.from_dict(under.to_dict()).summary() == under.summary()
    over = fm.fit("negative_binomial_regression", (x, rng.poisson(1e7 * np.exp(x[:, 0]) * rng.gamma(1e8, 1e-8, 3000)).astype(float)))
    assert over.status != "boundary"  # a tenth more than Poisson counts


@pytest.mark.parametrize("seed", range(6))
def test_counts_that_are_nearly_poisson_take_few_reads(seed: int) -> None:
    """Where the likelihood is flat in theta: its maximum, or its Poisson limit, in a few reads."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60_000, 2))
    y = rng.poisson(np.exp(0.3 + x @ [0.5, -0.2])).astype(float)
    fit = fm.fit("negative_binomial_regression", (x, y))
    limit = fm.fit("poisson_regression", (x, y)).llf
    assert fit.n_passes <= 15
    if fit.status == "boundary":
        assert fit.llf == pytest.approx(limit, abs=1e-6)
        assert fm.fit("negative_binomial_regression", (x, y), fixed={"theta": 1e5}).llf < limit
    else:
        assert fit.status == "ok" and fit.llf > limit
        for theta in (0.8 * fit.params["theta"], 1.25 * fit.params["theta"]):
            assert fm.fit("negative_binomial_regression", (x, y), fixed={"theta": theta}).llf < fit.llf


@pytest.mark.parametrize("family", ["linear", "gamma_regression", "negative_binomial_regression"])
def test_intervals_of_means_at_any_scale_and_offset(family: str) -> None:
    """Against the same model of standardised columns."""
    rng = np.random.default_rng(4)
    z, new = rng.normal(size=(200, 2)), rng.normal(size=(6, 2))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    eta = 1.0 + z @ [0.3, -0.2]
    y = {"linear": eta + rng.normal(size=200), "gamma_regression": rng.gamma(2.0, np.exp(eta))}.get(family)
    y = rng.negative_binomial(2, 2.0 / (2.0 + np.exp(eta))).astype(float) if y is None else y
    known = fm.fit(family, (z, y))
    for scale, offset in (([1e-12, 1e12], [0.0, 0.0]), ([1e-6, 1e3], [1e-3, -1e8]), ([1.0, 1.0], [1e9, 0.0])):
        fit = fm.fit(family, (z * scale + offset, y))
        for got in (fit, fm.Fit.from_dict(json.loads(json.dumps(fit.to_dict())))):
            at = got.predict(new * scale + offset, interval="confidence")
            close(np.array(at), np.array(known.predict(new, interval="confidence")), 2e-6)
    x = sm.add_constant(new)
    cov = known.cov_params()[:3, :3]
    half = known._quantile(0.95) * np.sqrt(np.einsum("ij,jk,ik->i", x, cov, x))
    ends = x @ known.theta[:3] + half
    close(known.predict(new, interval="confidence").high, ends if family == "linear" else np.exp(ends), 1e-9)


@pytest.mark.parametrize(
    ("family", "link"),
    [("poisson_regression", "sqrt"), ("gamma_regression", "inverse"), ("inverse_gaussian_regression", "inverse_squared")],
)
def test_intervals_of_means_across_zero(family: str, link: str) -> None:
    """The interval holds every mean of the predictors between its ends, which statsmodels gives."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0.0, 1.0, size=(40, 1))
    y = {"poisson_regression": rng.poisson(0.3, 40) * 1.0}.get(family, rng.gamma(2.0, 1.0 / (0.3 + x[:, 0])))
    fit = fm.fit(family, (x, y), link=link)
    kind = {"poisson_regression": P, "gamma_regression": G, "inverse_gaussian_regression": I}[family]
    m = sm.GLM(y, sm.add_constant(x), family=kind(LINKS[link][0])).fit(tol=1e-14, maxiter=200, start_params=fit.theta)
    new = np.linspace(-3.0, 3.0, 25).reshape(-1, 1)
    new = new[sm.add_constant(new) @ m.params > 0.0]
    design = sm.add_constant(new)
    eta, half = design @ m.params, fit._quantile(0.95) * np.sqrt(np.einsum("ij,jk,ik->i", design, m.cov_params(), design))
    got, across = fit.predict(new, interval="confidence"), 0
    for i in range(len(eta)):
        ends = np.array([eta[i] - half[i], eta[i] + half[i]])
        inside = ends[0] <= 0.0
        across += inside
        high = LINKS[link][1](ends[1] if link == "sqrt" else ends[0]) if link == "sqrt" or not inside else math.inf
        high = max(high, ends[0] ** 2) if link == "sqrt" else high
        low = (0.0 if inside else ends[0] ** 2) if link == "sqrt" else LINKS[link][1](ends[1])
        close([got.low[i], got.high[i]], [low, high], 1e-5)
        assert got.low[i] <= got.mean[i] <= got.high[i]
    assert across


@pytest.mark.parametrize("intercept", [False, True])
def test_information_met_far_from_the_expected_one(intercept: bool) -> None:
    """Without an intercept, or with a variance that depends on x, plain scoring goes to and fro for ever."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    z = sm.add_constant(x) if intercept else x
    for family, y in (
        ("gamma_regression", rng.gamma(2.0, np.exp(x[:, 0] ** 2))),
        ("inverse_gaussian_regression", rng.wald(2.0, 3.0, 200) * np.exp(0.5 * x[:, 0] ** 2)),
    ):

        def loss(beta: np.ndarray, y: np.ndarray = y, gamma: bool = family == "gamma_regression") -> float:
            mu = np.exp(z @ beta)
            return float(np.sum(y / mu + np.log(mu) if gamma else (y - mu) ** 2 / (2.0 * mu**2 * y)))

        fit = fm.fit(family, (x, y), intercept=intercept)
        assert fit.status == "ok" and fit.score_norm < 1e-6, fit.message
        found = scipy.optimize.minimize(loss, fit.theta * 0.9, method="BFGS", options={"gtol": 1e-9})
        assert loss(fit.theta) <= found.fun * (1.0 + 1e-14)
        close(fit.theta, found.x, 1e-5)
    y = rng.poisson(rng.gamma(1.0, 3.0, 200) * np.exp(0.5 * x[:, 0] ** 2)).astype(float)
    counts = fm.fit("negative_binomial_regression", (x, y), intercept=intercept)
    start = [*counts.theta[:-1] * 0.9, 1.0]
    oracle = sm.NegativeBinomial(y, z).fit(disp=0, method="newton", tol=1e-14, maxiter=200, start_params=start)
    assert counts.status == "ok"
    close(counts.llf, oracle.llf, 1e-11)
    close(counts.theta[:-1], oracle.params[:-1], 1e-7)


def test_the_scale_of_sampling_weights_says_nothing() -> None:
    rng = np.random.default_rng(6)
    w = rng.gamma(2.0, 1.0, N)
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(ETA))).astype(float)
    for family, target in (("poisson_regression", y), ("logistic", (y > 2) * 1.0), ("multinomial", y.clip(max=2.0)),
                           ("negative_binomial_regression", y), ("gamma_regression", y + 0.5)):  # fmt: skip
        known = fm.fit(family, (X, target), weights=w, weight_kind="sampling")
        for scale in (1e-12, 1e-4, 1e6):
            fit = fm.fit(family, (X, target), weights=w * scale, weight_kind="sampling")
            assert fit.status == "ok"
            close(fit.theta, known.theta, 2e-6)
            close(fit.cov_params(), known.cov_params(), 2e-5)
    fit = fm.fit("negative_binomial_regression", (X, y), weights=w, weight_kind="sampling")
    beta, q = fit.theta[:-1], fit.params["theta"]

    def loglik(q: float) -> np.ndarray:
        return np.asarray(scipy.stats.nbinom.logpmf(y, q, q / (q + np.exp(DESIGN @ beta))))

    h = 1e-4 * q
    u = (loglik(q + h) - loglik(q - h)) / (2.0 * h)
    v = -float(w @ (loglik(q + h) - 2.0 * loglik(q) + loglik(q - h))) / h**2
    close(fit.bse["theta"], np.sqrt(np.sum((w * u) ** 2)) / v, 1e-4)
    assert fit.theta_bse == fit.bse["theta"]


def test_nothing_left_for_the_dispersion() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(30, 2))
    for family in ("linear", "gamma_regression", "inverse_gaussian_regression"):
        for scale in (1e-6, 1.0, 1e6):
            same = fm.fit(family, (x, np.full(30, scale)))
            few = fm.fit(family, (x[:3], scale * rng.gamma(2.0, 1.0, 3)))
            for fit in (same, few):
                assert fit.status == "degenerate" and np.isnan(fit.llf) and "without error" in fit.message
            some = fm.fit(family, (x[:3], scale * rng.gamma(2.0, 1.0, 3)), alpha=1.0 if family != "linear" else 0.1)
            assert some.status == "degenerate" and "as many parameters as rows" in some.message and np.isnan(values(some.bse)).all()
        assert fm.fit(family, (x, rng.gamma(2.0, 1.0, 30))).status == "ok"


def test_features_near_the_ends_of_float64() -> None:
    y = RNG.poisson(np.exp(0.3 * X[:, 0])).astype(float)
    known = fm.fit("poisson_regression", (X[:, :1], y))
    for scale in (1e-200, 1e200):
        fit = fm.fit("poisson_regression", (X[:, :1] * scale, y))
        close(fit.params["x0"] * scale, known.params["x0"], 1e-9)
        close(fit.llf, known.llf, 1e-12)


def test_ridge_and_held_coefficients() -> None:
    y = sample("logistic", "logit")
    fit = fm.fit("logistic", (X, y), alpha=5.0)

    def loss(beta: np.ndarray) -> float:
        eta = DESIGN @ beta
        return float(np.logaddexp(0.0, eta).sum() - y @ eta + 2.5 * beta[1:] @ beta[1:])

    def slope(beta: np.ndarray) -> np.ndarray:
        return DESIGN.T @ (scipy.special.expit(DESIGN @ beta) - y) + 5.0 * np.r_[0.0, beta[1:]]

    assert np.abs(slope(fit.theta)).max() < 1e-8
    assert loss(fit.theta) <= loss(fit.theta + 1e-4)
    held = fm.fit("logistic", (X, y), fixed={"x1": 0.2, "intercept": 0.1})
    m = sm.GLM(y, X[:, [0, 2]], family=B(), offset=0.1 + 0.2 * X[:, 1]).fit(tol=1e-14)
    close([held.params["x0"], held.params["x2"]], m.params, 1e-8)
    close([held.bse["x0"], held.bse["x2"]], m.bse, 1e-6)


def test_separation_is_said() -> None:
    y = (X[:, 0] > 0.7).astype(float)
    fit = fm.fit("logistic", (X, y))
    assert fit.status == "separated" and "x0" in fit.message and np.isnan(fit.params["x0"])
    assert fit.n_passes < 25
    rare = (RNG.random(N) < 0.1).astype(float)
    quasi = np.where(rare == 1.0, 1.0, RNG.random(N) < 0.5)
    for link in ("logit", "probit"):
        fit = fm.fit("logistic", (np.c_[X, rare], quasi), link=link)
        assert fit.status == "separated" and "x3" in fit.message and "x0" not in fit.message
    counts = np.where(rare == 1.0, 0.0, RNG.poisson(2.0, N))
    assert fm.fit("poisson_regression", (np.c_[X, rare], counts)).status == "separated"
    assert fm.fit("logistic", (np.c_[X, rare], quasi), alpha=1.0).status == "ok"
    with pytest.raises(fm.ConvergenceError, match="separates"):
        fm.fit("logistic", (X, y), strict=True)


def test_separation_by_a_feature_far_from_zero() -> None:
    """The constant of x moves a billion times as much as the feature's coefficient; both are infinite."""
    x = np.linspace(-1.0, 1.0, 200)
    y = (x > 0.1).astype(float)
    other = RNG.normal(size=200)
    for family in ("logistic", "multinomial"):
        fit = fm.fit(family, (np.column_stack([x + 1e9, other + 1e9]), y))
        found = np.isnan(fit.theta)
        assert fit.status == "separated" and found[0] and found[1] and not found[2], fit.message
    group = (np.arange(200) % 4 == 0).astype(float)
    fit = fm.fit("logistic", (np.column_stack([group, other + 1e9]), np.where(group == 1.0, 1.0, (other > RNG.normal(size=200)) * 1.0)))
    assert np.isnan(fit.theta).tolist() == [False, True, False]


def test_every_way_to_read(tmp_path: Path) -> None:
    import polars as pl

    y = sample("logistic", "logit")
    data = {"x0": X[:, 0].copy(), "x1": X[:, 1].copy(), "x2": X[:, 2].copy(), "y": y, "w": W, "o": OFFSET}
    pl.DataFrame(data).write_parquet(tmp_path / "d.parquet", row_group_size=300)
    named: dict[str, Any] = {"target": "y", "features": ["x0", "x1", "x2"], "weights": "w", "offset": "o"}

    def chunks() -> Any:
        for lo in range(0, N, 77):
            yield {k: v[lo : lo + 77] for k, v in data.items()}

    for family in ("logistic", "poisson_regression"):
        whole = fm.fit(family, data, **named)
        close(whole.theta, fm.fit(family, (X, y), weights=W, offset=OFFSET).theta, 1e-12)
        for source in (pl.DataFrame(data), str(tmp_path / "d.parquet"), chunks):
            for threads in (1, 2, 7):
                fit = fm.fit(family, source, **named, threads=threads)
                assert np.array_equal(fit.theta, whole.theta) and np.array_equal(fit.cov, whole.cov) and fit.llf == whole.llf
        again = fm.Fit.from_dict(json.loads(json.dumps(whole.to_dict())))
        assert again.summary() == whole.summary()
        close(again.predict(data, offset="o"), whole.predict(data, offset="o"), 0)
    with pytest.raises(fm.DataError, match="read only once"):
        fm.fit("logistic", chunks(), **named)


def test_many_rows_and_other_types() -> None:
    n = 1_100_000
    x = RNG.integers(-3, 4, (n, 2)).astype(np.int32)
    y = RNG.random(n) < scipy.special.expit(0.2 + x @ [0.5, -0.3])
    fit = fm.fit("logistic", (x, y))
    assert fit.n_passes <= 4
    design = np.c_[np.ones(n), x]
    gradient = design.T @ (y - scipy.special.expit(design @ fit.theta))
    assert fit.score_norm < 1e-6 and np.abs(gradient).max() < 1e-2
    close(fm.fit("logistic", (x.astype(np.float32), y)).theta, fit.theta, 1e-12)
    for threads in (1, 7):
        assert np.array_equal(fm.fit("logistic", (x, y), threads=threads).theta, fit.theta)


def test_bad_input() -> None:
    y = sample("logistic", "logit")
    bad = X.copy()
    bad[9, 2] = np.nan
    fit = fm.fit("logistic", (bad, y), nulls="drop")
    close(fit.theta, fm.fit("logistic", (np.delete(X, 9, 0), np.delete(y, 9))).theta, 1e-9)
    assert fit.nobs_dropped == 1
    for call, words in (
        (lambda: fm.fit("logistic", (bad, y)), "'x2', row 9"),
        (lambda: fm.fit("logistic", (X, np.where(np.arange(N) == 4, 2.0, y))), "'y', row 4: the value is 2"),
        (lambda: fm.fit("gamma_regression", (X, y)), "outside the support"),
        (lambda: fm.fit("poisson_regression", (X, y - 1.0)), "outside the support"),
        (lambda: fm.fit("logistic", (np.c_[X, X[:, 0] + X[:, 1]], y)), "'x3' is a linear combination of"),
        (lambda: fm.fit("logistic", (np.c_[X, np.ones(N)], y)), "'x3' is constant"),
        (lambda: fm.fit("logistic", (X, y), link="sqrt"), "link is one of"),
        (lambda: fm.fit("logistic", (X, y), weights=W, weight_kind="precision"), "precision weights"),
        (lambda: fm.fit("logistic", (X, y), cov="HC3"), "cov is one of"),
        (lambda: fm.fit("logistic", (X, y), fixed={"nobody": 1.0}), "got nobody"),
        (lambda: fm.fit("logistic", (X, y), alpha=-1.0), "alpha"),
        (lambda: fm.fit("logistic", (X[:0], y[:0])), "no rows"),
    ):
        with pytest.raises((fm.DataError, fm.FamilyError), match=words):
            call()
    fit = fm.fit("logistic", (np.c_[X, X[:, 0] + X[:, 1]], y), rank_deficient="drop")
    assert fit.dropped == ("x3",)
    close(values(fit.params), values(fm.fit("logistic", (X, y)).params), 1e-9)


@pytest.mark.parametrize("family", ["logistic", "gamma_regression"])
def test_places_between_passes_are_what_a_pass_finds(family: str) -> None:
    """The last step of many rows is taken without a pass: the score, the errors and the sums are those of its end."""
    n = 300_000
    x = RNG.normal(size=(n, 3)) * [1.0, 2.0, 0.5] + [0.0, 5.0, 0.0]
    eta = 0.3 + x @ [0.4, -0.2, 0.1]
    logit = family == "logistic"
    y = (RNG.random(n) < scipy.special.expit(eta)).astype(float) if logit else RNG.gamma(2.0, np.exp(eta) / 2.0)
    fit = fm.fit(family, (x, y))
    design = np.c_[np.ones(n), x]
    mu = scipy.special.expit(design @ fit.theta) if logit else np.exp(design @ fit.theta)
    variance, slope = (mu * (1 - mu),) * 2 if logit else (mu**2, mu)
    information = (design * (slope**2 / variance)[:, None]).T @ design
    score = design.T @ ((y - mu) * slope / variance)
    norm = np.sqrt(score @ np.linalg.solve(information, score) / fit.dispersion)
    assert norm < 1.1 * fit.score_norm + 1e-10 and fit.score_norm < 3e-7 and fit.n_passes <= 5
    close(values(fit.bse), np.sqrt(np.diag(np.linalg.inv(information)) * (1.0 if logit else fit.dispersion)), 3e-7)
    close(fit.pearson_chi2, np.sum((y - mu) ** 2 / variance), 1e-6)
    if logit:
        close(fit.llf, np.sum(y * np.log(mu) + (1 - y) * np.log1p(-mu)), 1e-12)
    columns = {f"x{j}": np.asfortranarray(x)[:, j] for j in range(3)}
    same = fm.fit(family, (np.asfortranarray(x), y), threads=1)
    assert np.array_equal(same.theta, fit.theta) and np.array_equal(same.cov, fit.cov) and same.llf == fit.llf
    order = np.argsort(y + x[:, 0])  # the head of the stream says nothing about the rest

    def chunks() -> Any:
        for lo in range(0, n, 50_000):
            yield {**{k: c[order][lo : lo + 50_000] for k, c in columns.items()}, "y": y[order][lo : lo + 50_000]}

    stream = fm.fit(family, chunks, target="y", features=list(columns))
    assert stream.status == "ok" and stream.score_norm < 3e-7
    np.testing.assert_allclose(stream.theta, fit.theta, rtol=1e-8, atol=1e-9)
    close(values(stream.bse), values(fit.bse), 3e-7)


@pytest.mark.parametrize("theta", [1e-6, 0.7, 300.0, 1e9, 1e15, math.inf])
def test_negative_binomial_deviance_at_any_theta(theta: float) -> None:
    y, mu = np.array([0.0, 1.0, 7.0, 5.0, 400.0]), np.array([2.5, 1.25, 3.0, 5.0, 30.0])
    found = NegativeBinomialRegression().unit_deviance(y, mu, theta)
    with mp.workdps(50):
        for at, v, m in zip(found, map(mp.mpf, y), map(mp.mpf, mu), strict=True):
            apart = v - m if theta == math.inf else (v + theta) * mp.log((theta + v) / (theta + m))
            exact = 2 * ((v * mp.log(v / m) if v else 0) - apart)
            assert at == pytest.approx(float(exact), rel=1e-12, abs=1e-13)


def test_residuals_of_a_negative_binomial_that_ends_as_a_poisson_model() -> None:
    x = np.linspace(-1.0, 1.0, 60)
    data = {"x": x, "y": np.round(np.exp(1.0 + x))}
    fit = fm.fit("negative_binomial_regression", data, target="y", features=["x"])
    poisson = fm.fit("poisson_regression", data, target="y", features=["x"])
    assert fit.status == "boundary"
    np.testing.assert_allclose(fit.residuals(data, "deviance"), poisson.residuals(data, "deviance"), rtol=1e-7, atol=1e-9)
    assert fit.residuals({"x": x[:0], "y": x[:0]}).shape == (0,)


def test_wald_test_of_one_name_of_one_twice_and_of_none() -> None:
    x = np.random.default_rng(0).normal(size=(80, 2))
    fit = fm.fit("linear", {"age": x[:, 0], "y": x.sum(axis=1) ** 3}, target="y", features=["age"])
    z = fit.params.age / fit.bse.age
    for names in ("age", ["age"], ["age", "age"]):
        assert fit.wald_test(names)[0::2] == (pytest.approx(z * z, rel=1e-12), 1)
    with pytest.raises(fm.FamilyError, match="no coefficient"):
        fit.wald_test([])
