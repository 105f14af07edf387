"""Tests of fit from bins against the exact statistics of the rows, and p-values against Monte Carlo of others."""

from __future__ import annotations

import math
import warnings
from inspect import signature

import numpy as np
import pytest
import scipy
from statsmodels.stats.diagnostic import lilliefors

import fastmle as fm

RNG = np.random.default_rng(6)
SETS = {"gamma": RNG.gamma(2.0, 3.0, 3000), "gaussian": RNG.normal(5.0, 2.0, 400), "weibull": RNG.weibull(1.5, 1000)}


@pytest.mark.parametrize("family", ["gaussian", "gamma", "weibull", "exponential"])
@pytest.mark.parametrize("name", SETS)
def test_the_bounds_hold_the_statistics_of_the_rows(name: str, family: str) -> None:
    x = np.abs(SETS[name])
    fit = fm.fit(family, x, keep="bins")
    tests, dist = fit.gof(), fit.dist()
    ks = scipy.stats.kstest(x, dist.cdf).statistic
    ordered, i = np.sort(x), np.arange(1, x.size + 1)
    ad = -x.size - np.mean((2 * i - 1) * (dist.logcdf(ordered) + dist.logsf(ordered[::-1])))
    for test, exact in ((tests["ks"], ks), (tests["ad"], ad)):
        assert test.low - 1e-9 <= exact <= test.high + 1e-9
        assert test.low <= test.statistic <= test.high and test.pvalue_low <= test.pvalue <= test.pvalue_high
        assert test.statistic == pytest.approx(exact, rel=0.1, abs=0.05 if test.name == "ad" else 0.004)


def test_anderson_and_lilliefors_of_a_normal() -> None:
    x = SETS["gaussian"]
    tests = fm.fit("gaussian", x, keep="bins").gof()
    newer = {"method": "interpolate"} if "method" in signature(scipy.stats.anderson).parameters else {}  # scipy 1.17
    with np.errstate(all="ignore"):
        published = scipy.stats.anderson(x, "norm", **newer)
    assert tests["ad"].low <= published.statistic + 0.02 and published.statistic - 0.02 <= tests["ad"].high  # divisor n − 1 there
    assert tests["ks"].statistic == pytest.approx(lilliefors(x, pvalmethod="approx")[0], abs=0.003)


@pytest.mark.parametrize(("family", "twin"), [("gaussian", scipy.stats.norm), ("exponential", scipy.stats.expon)])
def test_p_values_account_for_estimated_parameters(family: str, twin: object) -> None:
    """The quantiles of published tables (M. Stephens, JASA 69, 1974) have their levels."""
    from fastmle.gof.bins import _paths

    fit = fm.fit(family, twin.rvs(size=2000, random_state=3), keep="bins")  # type: ignore[attr-defined]
    sup, area = _paths(fit, np.random.default_rng(1))
    table = {
        "gaussian": ({0.10: 0.819, 0.05: 0.895, 0.01: 1.035}, {0.10: 0.631, 0.05: 0.752, 0.01: 1.035}),
        "exponential": ({0.10: 0.990, 0.05: 1.094, 0.01: 1.308}, {0.10: 1.062, 0.05: 1.321, 0.01: 1.959}),
    }[family]
    for drawn, levels in zip((sup, area), table, strict=True):
        for level, value in levels.items():
            assert np.mean(drawn >= value) == pytest.approx(level, abs=0.08 * level + 4.0 * np.sqrt(level / drawn.size))


def test_known_parameters_have_kolmogorovs_law() -> None:
    x = RNG.normal(0.0, 1.0, 4000)
    tests = fm.fit("gaussian", x, fixed={"mu": 0.0, "sigma": 1.0}, keep="bins").gof()
    assert tests["ks"].pvalue == pytest.approx(scipy.special.kolmogorov(tests["ks"].statistic * np.sqrt(x.size)), abs=0.02)
    assert "given" in tests["ks"].method


def test_bootstrap_agrees_with_scipys_and_with_the_asymptotic_law() -> None:
    x = RNG.normal(3.0, 2.0, 150)
    fit = fm.fit("gaussian", x, keep="bins")
    quick, slow = fit.gof(), fit.gof(bootstrap=400)
    for name in ("ks", "ad"):
        oracle = scipy.stats.goodness_of_fit(scipy.stats.norm, x, statistic=name, n_mc_samples=500, rng=1).pvalue
        assert slow[name].pvalue_low - 0.08 <= oracle <= slow[name].pvalue_high + 0.08
        assert quick[name].pvalue == pytest.approx(slow[name].pvalue, abs=0.1)


def test_chi_square_of_counts() -> None:
    x = RNG.poisson(3.0, 5000)
    fit = fm.fit("poisson", x)
    test = fit.gof()["chi2"]
    counts = np.bincount(x)
    cells = [(k, k + 1) for k in range(9)] + [(9, 10)]
    observed = [counts[a:b].sum() for a, b in cells] + [counts[10:].sum()]
    upper = fit.dist().cdf([b - 1 for _, b in cells])
    expected = x.size * np.diff([0.0, *upper, 1.0])
    assert (expected >= 5.0).all()
    assert test.statistic == pytest.approx(scipy.stats.chisquare(observed, expected).statistic, rel=1e-9)
    assert test.pvalue == pytest.approx(scipy.stats.chisquare(observed, expected, ddof=1).pvalue, rel=1e-9)
    assert fit.gof(bootstrap=200)["chi2"].pvalue == pytest.approx(test.pvalue, abs=0.12)
    wrong = fm.fit("poisson", RNG.negative_binomial(3, 0.5, 5000)).gof()["chi2"]
    assert wrong.pvalue < 1e-10
    levels = [fm.fit("poisson", RNG.poisson(3.0, 1000)).gof()["chi2"].pvalue for _ in range(200)]
    assert scipy.stats.kstest(levels, "uniform").pvalue > 1e-3


def test_weights_and_states_say_the_same_as_rows() -> None:
    x = np.round(SETS["gamma"], 1) + 0.05
    values, counts = np.unique(x, return_counts=True)
    rows = fm.fit("gamma", x, keep="bins").gof()
    state = fm.suffstats("gamma", keep="bins").update(values[:40], counts[:40]) + fm.suffstats("gamma", keep="bins").update(
        values[40:], counts[40:]
    )
    for test, other in zip(rows, state.fit().gof(), strict=True):
        assert test.low <= other.high and other.low <= test.high
    assert "ks" in repr(rows) and "<table>" in rows._repr_html_()


def test_what_cannot_be_tested_is_said() -> None:
    x = SETS["gamma"]
    for act, what in (
        (lambda: fm.fit("gamma", x).gof(), "keep='bins'"),
        (lambda: fm.fit("bernoulli", x > 5.0).gof(), "degree of freedom"),
        (lambda: fm.fit("gamma", x, weights=x, weight_kind="sampling", keep="bins").gof(), "count no rows"),
        (lambda: fm.fit("gaussian", np.ones(5), keep="bins").gof(), "degenerate"),
    ):
        with pytest.raises(fm.FamilyError, match=what):
            act()


def test_counts_without_a_table_diverge_by_their_bins() -> None:
    x = np.random.default_rng(3).geometric(0.3, 500).astype(float)
    fit = fm.fit("geometric", x, keep="bins")
    share = np.unique(x, return_counts=True)[1] / x.size
    assert fit.kl_from_data() == pytest.approx(float(share @ np.log(share)) + fit.nll, rel=1e-10)


def test_angles_are_tested_within_half_a_turn_of_their_mean() -> None:
    x = np.random.default_rng(3).vonmises(0.5, 2.0, 500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(fm.FamilyError, match="half a turn"):
            fm.fit("von_mises", x, keep="bins").gof()
        mu = fm.fit("von_mises", x).params.mu
        found = fm.fit("von_mises", mu + np.remainder(x - mu + np.pi, 2.0 * np.pi) - np.pi, keep="bins").gof()
    assert all(math.isfinite(v) for test in found for v in test[1:7]) and found["ks"].pvalue > 0.01


def test_counts_of_too_few_rows_are_not_tested() -> None:
    for x in ([1, 1, 2, 2, 2], [0, 1, 3]):
        with pytest.raises(fm.FamilyError, match="too few"):
            fm.fit("zero_inflated_poisson", x, keep="bins").gof()


@pytest.mark.parametrize("family", ["uniform", "pareto"])
def test_where_the_support_ends_at_the_least_value_there_is_kolmogorov_smirnov(family: str) -> None:
    """There A² is infinite, as F = 0 at a value. p-values: by samples drawn and fitted here."""
    rng, n = np.random.default_rng(3), 200

    def draw() -> np.ndarray:
        return rng.uniform(2.0, 5.0, n) if family == "uniform" else 2.0 * (1.0 + rng.pareto(1.5, n))

    def statistic(x: np.ndarray) -> float:
        low, high = x.min(), x.max()
        if family == "uniform":
            return float(scipy.stats.kstest(x, scipy.stats.uniform(low, high - low).cdf).statistic)
        return float(scipy.stats.kstest(x, scipy.stats.pareto(n / np.log(x / low).sum(), scale=low).cdf).statistic)

    x = np.minimum(draw(), 20.0 + rng.uniform(size=n))  # few bins, and so narrow bounds
    fit = fm.fit(family, x, keep="bins")
    drawn = np.array([statistic(draw()) for _ in range(1500)])
    for tests in (fit.gof(), fit.gof(bootstrap=150)):
        ks, ad = tests["ks"], tests["ad"]
        assert ks.low - 1e-12 <= statistic(x) <= ks.high + 1e-12
        for value, p in ((ks.low, ks.pvalue_high), (ks.high, ks.pvalue_low)):
            assert p == pytest.approx(np.mean(drawn >= value), abs=0.12)
        assert "given" not in ks.method and ad.statistic == math.inf and math.isnan(ad.pvalue)
        assert family in ad.method and "least value" in ad.method
