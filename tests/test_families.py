"""Laws over the registry of families, and their numbers against estimates made without fastmle."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from conftest import CASES

import fastmle as fm
from fastmle.families import REGISTRY
from fastmle.result import Fit

FAMILIES = sorted(CASES)
ONE_PASS = [name for name in FAMILIES if name != "weibull"]
N = 150_007


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    return {name: case.sample(np.random.default_rng(7), N) for name, case in CASES.items()}


def bits(fit: Fit) -> tuple[tuple[float, ...], float]:
    return tuple(fit.theta.tolist()), fit.llf


def close(a: Fit, b: Fit, tolerance: float = 1e-13) -> None:
    np.testing.assert_allclose(a.theta, b.theta, rtol=tolerance, atol=1e-15)
    np.testing.assert_allclose(a.llf, b.llf, rtol=max(tolerance, 1e-12))


def test_every_family_is_in_the_table() -> None:
    assert set(REGISTRY) == set(CASES)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n", [30, 1000])
def test_estimates_agree_with_independent_ones(name: str, n: int) -> None:
    x = CASES[name].sample(np.random.default_rng(n), n)
    theta, llf = CASES[name].estimate(x)
    fit = fm.fit(name, x)
    np.testing.assert_allclose(fit.theta, [float(t) for t in theta], rtol=1e-8)
    assert fit.llf == pytest.approx(float(llf), rel=1e-12)
    assert fit.status == ("nonregular" if name == "uniform" else "ok")


@pytest.mark.parametrize("name", [f for f in FAMILIES if f not in ("uniform", "mvn")])
def test_errors_are_the_inverse_of_the_curvature(name: str) -> None:
    """The Hessian of Σ log p by central differences of scipy's density, with Richardson's extrapolation."""
    x = CASES[name].sample(np.random.default_rng(3), 400)
    fit = fm.fit(name, x)

    def llf(theta: np.ndarray) -> float:
        dist = fit.family.dist(theta)
        return math.fsum(dist.logpmf(x) if fit.family.discrete else dist.logpdf(x))

    def hessian(relative: float) -> np.ndarray:
        k, h = len(fit.theta), relative * np.array(list(fit.bse.values()))
        e = np.diag(h)
        out = np.empty((k, k))
        for i in range(k):
            for j in range(k):
                corners = [llf(fit.theta + a * e[i] + b * e[j]) * a * b for a in (-1, 1) for b in (-1, 1)]
                out[i, j] = math.fsum(corners) / (4 * h[i] * h[j])
        return out

    curvature = (4.0 * hessian(0.05) - hessian(0.1)) / 3.0
    expected = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    np.testing.assert_allclose(list(fit.bse.values()), expected, rtol=2e-5)
    assert fit.score_norm <= 1e-6


@pytest.mark.parametrize("name", [f for f in FAMILIES if f != "mvn"])
def test_no_nearby_point_is_higher(name: str, data: dict[str, np.ndarray]) -> None:
    x = data[name][:2000]
    fit = fm.fit(name, x)
    for parameter, value in fit.params.items():
        for step in (-1e-3, 1e-3):
            other = dict(fit.params) | {parameter: value * (1.0 + step)}
            if fit.family.valid(fit.family.unpack(other)):
                assert fm.loglik(name, x, other) < fit.llf


@pytest.mark.parametrize("name", FAMILIES)
def test_threads_and_chunks_do_not_show(name: str, data: dict[str, np.ndarray]) -> None:
    x = data[name]
    whole = bits(fm.fit(name, x))
    for threads in (1, 2, 7):
        assert bits(fm.fit(name, x, threads=threads)) == whole
    cuts = [0, 1, 4095, 4097, 70_000, 70_001, N]
    assert bits(fm.fit(name, lambda: (x[a:b] for a, b in pairwise(cuts)))) == whole


@pytest.mark.parametrize("name", ONE_PASS)
def test_states_merge_and_survive(name: str, data: dict[str, np.ndarray]) -> None:
    x = data[name]
    whole = fm.fit(name, x)
    a, b, c = (fm.suffstats(name).update(part) for part in (x[:10], x[10:99_999], x[99_999:]))
    left, right = (a + b) + c, a + (b + c)
    for state in (left, right, c + a + b, fm.suffstats(name) + left, left + fm.suffstats(name)):
        close(state.fit(), whole)
    assert fm.SufficientStats.from_bytes(left.to_bytes()) == left
    assert bits(fm.SufficientStats.from_bytes(left.to_bytes()).fit()) == bits(left.fit())
    assert left.loglik(whole.params) == pytest.approx(whole.llf, rel=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_repeat_rows_and_drops_remove_them(name: str, data: dict[str, np.ndarray]) -> None:
    x = data[name][:20_000]
    w = np.random.default_rng(1).integers(0, 4, len(x))
    repeated = fm.fit(name, np.repeat(x, w, axis=0))
    weighted = fm.fit(name, x, weights=w)
    close(weighted, repeated, 1e-12)
    np.testing.assert_allclose(weighted.cov_params(), repeated.cov_params(), rtol=1e-9, atol=1e-15)
    assert weighted.nobs == repeated.nobs
    holes = x.copy()
    holes[::7] = np.nan
    kept = np.delete(x, np.s_[::7], axis=0)
    dropped = fm.fit(name, holes, nulls="drop")
    close(dropped, fm.fit(name, kept), 1e-12)
    assert dropped.nobs_dropped == len(x) - len(kept)


@pytest.mark.parametrize("name", [f for f in FAMILIES if f not in ("uniform", "mvn")])
def test_sampling_weights_give_the_sandwich(name: str, data: dict[str, np.ndarray]) -> None:
    x = data[name][:500]
    w = np.random.default_rng(2).uniform(0.5, 2.0, x.size)
    fit = fm.fit(name, x, weights=w, weight_kind="sampling")
    frequency = fm.fit(name, x, weights=w)
    close(fit, frequency, 1e-9)
    h = 1e-5 * np.abs(fit.theta)

    def log_p(theta: np.ndarray) -> np.ndarray:
        dist = fit.family.dist(theta)
        return dist.logpmf(x) if fit.family.discrete else dist.logpdf(x)

    scores = np.array([(log_p(fit.theta + e) - log_p(fit.theta - e)) / (2 * e.sum()) for e in np.diag(h)])
    bread = frequency.cov_params()
    expected = bread @ ((scores * w**2) @ scores.T) @ bread
    np.testing.assert_allclose(fit.cov_params(), expected, rtol=1e-6)
    assert fit.aic is None and fit.nobs == 500


def test_precision_weights_are_known_ratios_of_variances(data: dict[str, np.ndarray]) -> None:
    x, w = data["gaussian"][:500], np.random.default_rng(2).uniform(0.5, 2.0, 500)
    fit = fm.fit("gaussian", x, weights=w, weight_kind="precision")
    mu = np.average(x, weights=w)
    sigma = math.sqrt(np.sum(w * (x - mu) ** 2) / 500)
    np.testing.assert_allclose(fit.theta, [mu, sigma], rtol=1e-13)
    llf = np.sum(-0.5 * np.log(2 * np.pi * sigma**2 / w) - w * (x - mu) ** 2 / (2 * sigma**2))
    assert fit.llf == pytest.approx(llf, rel=1e-12)
    np.testing.assert_allclose(list(fit.bse.values()), [sigma / math.sqrt(w.sum()), sigma / math.sqrt(1000)], rtol=1e-12)
    with pytest.raises(fm.FamilyError, match="precision"):
        fm.fit("gamma", x, weights=w, weight_kind="precision")


@pytest.mark.parametrize("dtype", ["f4", "i4", "i8", "u2", ">f8", ">i4", "f2", "?"])
def test_any_dtype_is_its_values(dtype: str) -> None:
    x = np.random.default_rng(5).poisson(4.0, 5000).astype(dtype)
    close(fm.fit("gaussian", x), fm.fit("gaussian", x.astype(float)))


def test_strided_and_read_only() -> None:
    x = np.random.default_rng(5).normal(size=20_000)
    whole = fm.fit("gaussian", x[::3].copy())
    view = x[::3]
    view.flags.writeable = False
    close(fm.fit("gaussian", view), whole)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fit_survives_json(name: str, data: dict[str, np.ndarray]) -> None:
    stored = fm.fit(name, data[name][:1000]).to_dict()
    assert Fit.from_dict(json.loads(json.dumps(stored, allow_nan=False))).to_dict() == stored


@pytest.mark.parametrize("shape", [1e-3, 1e8])
@pytest.mark.parametrize("n", [10, 300])
def test_gamma_of_extreme_shape(shape: float, n: int) -> None:
    x = np.random.default_rng(4).gamma(shape, 1 / 7.0, 4 * n)
    x = x[x > 0][:n]
    (k, rate), llf = CASES["gamma"].estimate(x)
    fit = fm.fit("gamma", x)
    np.testing.assert_allclose(fit.theta, [float(k), float(rate)], rtol=1e-8)
    assert fit.llf == pytest.approx(float(llf), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_data_at_the_ends_of_float64(scale: float) -> None:
    x = np.random.default_rng(4).normal(3.0, 1.0, 1000) * scale
    fit = fm.fit("gaussian", x)
    (mu, sigma), llf = CASES["gaussian"].estimate(x)
    np.testing.assert_allclose(fit.theta, [float(mu), float(sigma)], rtol=1e-13)
    assert fit.llf == pytest.approx(float(llf), rel=1e-12)
    assert fit.bse.mu == pytest.approx(float(sigma / mp.sqrt(1000)), rel=1e-12)


@pytest.mark.parametrize("offset", [1e8, 1e12])
def test_a_large_offset_costs_no_digits(offset: float) -> None:
    x = np.random.default_rng(4).normal(0.0, 1.0, 50_000) + offset
    for values in (x, np.sort(x), np.concatenate([[0.0], x])[1:]):
        fit = fm.fit("gaussian", values)
        exact = np.std((values - offset).astype(np.longdouble))
        assert fit.params.sigma == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("pieces", ["whole", "seven", "rows"])
@pytest.mark.parametrize(
    ("base", "first", "low", "high", "mean", "sd", "digits"),
    [  # NIST StRD NumAcc2-4: 1001 values, an odd one and then two that alternate
        (1.2, 1.2, 1.1, 1.3, 1.2, 0.1, 14),
        (1000000.2, 1000000.2, 1000000.1, 1000000.3, 1000000.2, 0.1, 9),
        (10000000.2, 10000000.2, 10000000.1, 10000000.3, 10000000.2, 0.1, 7.8),
    ],
)
def test_nist_univariate(
    pieces: str, base: float, first: float, low: float, high: float, mean: float, sd: float, digits: float
) -> None:
    x = np.array([first, *[low, high] * 500])
    cuts = {"whole": [0, 1001], "seven": [*range(0, 1001, 143), 1001], "rows": [*range(1002)]}[pieces]
    state = fm.suffstats("gaussian")
    for a, b in pairwise(cuts):
        state.update(x[a:b])
    fit = state.fit()
    assert fit.params.mu == pytest.approx(mean, rel=1e-14)
    assert fit.params.sigma * math.sqrt(1001 / 1000) == pytest.approx(sd, rel=10.0**-digits)


def test_minimising_the_nll_is_minimising_the_divergence_from_the_data() -> None:
    x = np.random.default_rng(1).poisson(3.0, 2000)
    fit = fm.fit("poisson", x)
    p = np.bincount(x) / x.size
    direct = sum(q * (math.log(q) - fit.logpdf(v)) for v, q in enumerate(p) if q > 0)
    assert fit.kl_from_data() == pytest.approx(direct, abs=1e-12)
    y = np.random.default_rng(1).normal(size=50_000)
    assert 0.0 <= fm.fit("gaussian", y, keep="bins").kl_from_data() < 0.05


@pytest.mark.parametrize("name", ["gaussian", "gamma", "poisson", "weibull", "bernoulli"])
def test_divergences_agree_with_quadrature(name: str, data: dict[str, np.ndarray]) -> None:
    from fastmle.divergence import _expect

    a, b = fm.fit(name, data[name][:500]), fm.fit(name, data[name][500:700])
    numeric = _expect(a, lambda x: np.asarray(a.logpdf(x)) - np.asarray(b.logpdf(x)))
    assert fm.kl(a, b) == pytest.approx(numeric, rel=1e-7, abs=1e-9)
    assert fm.entropy(a) == pytest.approx(_expect(a, lambda x: -np.asarray(a.logpdf(x))), rel=1e-8)


def test_fixed_parameters() -> None:
    x = np.random.default_rng(1).gamma(2.0, 3.0, 1000)
    fit = fm.fit("gamma", x, fixed={"shape": 2.0})
    assert fit.params.rate == pytest.approx(2.0 / x.mean(), rel=1e-10)
    assert fit.params.shape == 2.0 and fit.bse.shape == 0.0
    assert fm.fit("gaussian", x, fixed={"mu": 0.0}).params.sigma == pytest.approx(math.sqrt(np.mean(x**2)), rel=1e-10)


def test_profile_interval_of_a_proportion() -> None:
    fit = fm.fit("bernoulli", np.repeat([0.0, 1.0], [70, 30]))
    low, high = fit.conf_int(0.95, method="profile")["p"]
    for end in (low, high):
        fall = fit.llf - fm.loglik("bernoulli", np.repeat([0.0, 1.0], [70, 30]), p=end)
        assert 2.0 * fall == pytest.approx(3.841458820694124, rel=1e-8)


def test_comparison_is_ordered_by_aic() -> None:
    x = np.random.default_rng(1).gamma(2.0, 3.0, 3000)
    ranked = fm.compare(x, ["gaussian", "gamma", "weibull"])
    assert ranked[0].family.name == "gamma"
    assert [f.aic for f in ranked] == sorted(f.aic for f in ranked)
    assert "ΔAIC" in repr(ranked)
