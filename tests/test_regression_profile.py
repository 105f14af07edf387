"""Profile intervals of coefficients, residuals by chunks, and regressions on the command line."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy
import statsmodels.api as sm
from test_published import BUDWORMS

import fastmle as fm
from fastmle.data import flights

RNG = np.random.default_rng(4)
N = 400
X = RNG.normal(size=(N, 2))
Y = 1.0 + X @ [0.5, -0.3] + RNG.normal(size=N)
W = RNG.integers(1, 4, N).astype(float)


def test_linear_from_the_fit_alone() -> None:
    fit = fm.fit("linear", (X, Y), weights=W)
    for name, ends in fit.conf_int(0.9, method="profile").items():
        for end in ends:
            held = fm.fit("linear", (X, Y), weights=W, fixed={name: end})
            assert 2 * (fit.llf - held.llf) == pytest.approx(scipy.stats.chi2.ppf(0.9, 1), rel=1e-9)


@pytest.mark.parametrize(
    ("family", "y"),
    [
        ("logistic", (RNG.random(N) < 0.4) * 1.0), ("poisson_regression", RNG.poisson(2.0, N) * 1.0),
        ("gamma_regression", RNG.gamma(2.0, 1.0, N)), ("negative_binomial_regression", RNG.negative_binomial(2, 0.4, N) * 1.0),
        ("multinomial", RNG.integers(0, 3, N)),
    ],
)  # fmt: skip
def test_others_with_the_data(family: str, y: np.ndarray) -> None:
    data = {"a": X[:, 0], "b": X[:, 1], "y": y, "w": W}
    fit = fm.fit(family, data, target="y", features=["a", "b"], weights="w")
    intervals = fit.conf_int(0.95, method="profile", data=data, weights="w")
    assert list(intervals) == list(fit.params)
    for name in list(intervals)[-2:]:
        for end in intervals[name]:
            held = fm.fit(family, data, target="y", features=["a", "b"], weights="w", fixed={name: end})
            assert 2 * (fit.llf - held.llf) == pytest.approx(scipy.stats.chi2.ppf(0.95, 1), rel=1e-6)


def test_budworms_as_published() -> None:
    """The 95 % interval of ldose in Venables & Ripley's model is asymmetric; by brute force here."""
    fit = fm.fit("logistic", BUDWORMS, formula="p ~ sex + dose", trials="n")
    low, high = fit.conf_int(0.95, method="profile", data=BUDWORMS, trials="n")["dose"]
    dead, dose, sex = BUDWORMS["p"] * 20, np.array(BUDWORMS["dose"]), np.array([s == "M" for s in BUDWORMS["sex"]])

    def fall(slope: float) -> float:
        model = sm.GLM(np.c_[dead, 20 - dead], np.c_[np.ones(12), sex], family=sm.families.Binomial(), offset=slope * dose)
        return 2 * (fit.llf - model.fit(tol=1e-14).llf) - scipy.stats.chi2.ppf(0.95, 1)

    assert low == pytest.approx(scipy.optimize.brentq(fall, 0.3, 1.06), rel=1e-7)
    assert high == pytest.approx(scipy.optimize.brentq(fall, 1.07, 2.0), rel=1e-7)


COUNTS = np.array([0, 1, 3, 0, 2, 5, 1, 0, 2, 1, 4, 0.0])  # with a theta, which Poisson counts would not need
EVEN = np.array([1, 1, 2, 2, 3, 1, 2, 2, 1, 3, 2, 2.0])  # without


def largest(y: np.ndarray, x: np.ndarray, slope: float | None = None, theta: float | None = None) -> float:
    """The largest negative-binomial likelihood, by scipy; from there on Poisson's."""

    def loss(v: np.ndarray) -> float:
        q = theta or math.exp(min(v[2], 12.0))
        mu = np.exp(v[0] + (v[1] if slope is None else slope) * x)
        return -float(scipy.stats.nbinom.logpmf(y, q, q / (q + mu)).sum())

    def poisson(v: np.ndarray) -> float:
        return -float(scipy.stats.poisson.logpmf(y, np.exp(v[0] + (v[1] if slope is None else slope) * x)).sum())

    how = {"method": "Nelder-Mead", "options": {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000, "maxfev": 4000}}
    start = [math.log(y.mean()), 0.0, 0.5]
    free = -scipy.optimize.minimize(loss, start, **how).fun
    return free if theta is not None else max(free, -scipy.optimize.minimize(poisson, start, **how).fun)


@pytest.mark.parametrize("y", [COUNTS, EVEN])
def test_a_theta_that_may_be_infinite(y: np.ndarray) -> None:
    x, half = np.arange(12.0), 0.5 * scipy.stats.chi2.ppf(0.95, 1)
    fit = fm.fit("negative_binomial_regression", (x, y))
    assert fit.status == ("ok" if y is COUNTS else "boundary")
    intervals = fit.conf_int(method="profile", data=(x, y))
    top = largest(y, x)
    assert fit.llf == pytest.approx(top, abs=1e-8)
    assert intervals["theta"][1] == math.inf  # no theta above is rejected
    assert top - largest(y, x, theta=intervals["theta"][0]) == pytest.approx(half, rel=1e-6)
    for end in intervals["x0"]:
        assert top - largest(y, x, slope=end) == pytest.approx(half, rel=1e-6)
    assert intervals["x0"][0] < fit.params["x0"] < intervals["x0"][1]


def test_ends_lie_on_their_sides_of_the_estimate() -> None:
    """This likelihood falls above the estimate by less than the quantile, and then rises for ever: there is no upper end."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=30)
    y = rng.gamma(2, np.exp(0.5 + 0.2 * x) / 2)
    fit = fm.fit("inverse_gaussian_regression", (x, y))

    def fall(slope: float) -> float:
        def loss(a: float) -> float:
            mu = np.exp(a + slope * x)
            return 15.0 * math.log(np.mean((y - mu) ** 2 / (mu**2 * y)))

        top = 15.0 * math.log(np.mean((y - (mu := fit.predict(x))) ** 2 / (mu**2 * y)))
        return 2.0 * (scipy.optimize.minimize_scalar(loss, bracket=(0.5, 1.0), tol=1e-12).fun - top)

    low, high = fit.conf_int(method="profile", data=(x, y))["x0"]
    quantile = scipy.stats.chi2.ppf(0.95, 1)
    assert low == pytest.approx(scipy.optimize.brentq(lambda b: fall(b) - quantile, 0.0, 0.75), rel=1e-7)
    assert max(fall(b) for b in np.linspace(1.1, 3.0, 20)) < quantile and fall(3.0) < 0.0
    assert math.isnan(high)


def test_what_has_no_profile() -> None:
    y = (RNG.random(N) < 0.4) * 1.0
    fit = fm.fit("logistic", (X, y))
    for made, options, words in (
        (fit, {}, "pass data="),
        (fit, {"data": (X[:9], y[:9])}, "these are other data"),
        (fm.fit("linear", (X, Y), cov="HC0"), {}, "without penalty, with cov='model'"),
        (fm.fit("ridge", (X, Y)), {}, "without penalty"),
        (fm.fit("logistic", (X, y), weights=W, weight_kind="sampling"), {"data": (X, y)}, "no likelihood to profile"),
    ):
        with pytest.raises(fm.FamilyError, match=words):
            made.conf_int(method="profile", **options)
    with pytest.raises(fm.FamilyError, match="are for method='profile'"):
        fit.conf_int(data=(X, y))
    held = fm.fit("logistic", (X, y), fixed={"x0": 0.1})
    assert held.conf_int(method="profile", data=(X, y))["x0"] == (0.1, 0.1)


def test_likelihood_ratios_of_what_has_them() -> None:
    y, counts = (RNG.random(N) < 0.4) * 1.0, RNG.poisson(2.0, N) * 1.0
    larger, smaller = fm.fit("probit", (X, y)), fm.fit("logistic", (X[:, :1], y), link="probit")
    oracle = [sm.Probit(y, sm.add_constant(x)).fit(disp=False) for x in (X, X[:, :1])]
    assert larger.lr_test(smaller)[0] == pytest.approx(2.0 * (oracle[0].llf - oracle[1].llf), rel=1e-6)
    least = fm.fit("linear", (X, counts))
    assert least.lr_test(fm.fit("ridge", (X[:, :1], counts), alpha=0.0))[2] == 1
    precision = fm.fit("linear", (X, counts), weights=W, weight_kind="precision")
    sampling: Any = {"weights": W, "weight_kind": "sampling"}
    for one, other, words in (
        (larger, fm.fit("logistic", (X[:, :1], y)), "probit and logistic of link logit"),
        (least, fm.fit("poisson_regression", (X[:, :1], counts)), "not linear and poisson_regression of link log"),
        (fm.fit("negative_binomial_regression", (X, counts)), fm.fit("poisson_regression", (X, counts)), "inside the larger"),
        (least, fm.fit("ridge", (X[:, :1], counts)), "without penalty"),
        (fm.fit("linear", (X, counts), **sampling), fm.fit("linear", (X[:, :1], counts), **sampling), "no likelihood to compare"),
        (precision, fm.fit("linear", (X[:, :1], counts)), "the same weights"),
    ):
        with pytest.raises(fm.FamilyError, match=words):
            one.lr_test(other)


def test_residuals_by_chunks() -> None:
    frame = pl.read_parquet(flights()).select("arr_delay", "dep_delay", "distance").drop_nulls().head(5_000)
    fit = fm.fit("linear", frame, target="arr_delay", features=["dep_delay", "distance"])
    pieces: Any = list(fit.residual_chunks(lambda: frame.iter_slices(700)))
    assert [len(p) for p in pieces] == [700] * 7 + [100]
    np.testing.assert_array_equal(np.concatenate(pieces), fit.residuals(frame))


def test_command_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from fastmle.cli import main

    path = str(flights())
    calls = (
        (["multinomial", "--formula", "origin ~ distance + hour", "--base", "JFK"], "EWR:distance"),
        (["logistic", "--formula", "I(arr_delay > 15) ~ dep_delay + C(hour)"], "dep_delay"),
        (["linear", "--target", "arr_delay", "--features", "dep_delay,distance", "--cov", "HC1"], "distance"),
        (["gamma_regression", "--formula", "air_time ~ distance", "--link", "identity"], "distance"),
    )
    for arguments, name in calls:
        for extra in ([], ["--json"]):
            code: Any = main(["fit", arguments[0], path, *arguments[1:], "--nulls", "drop", *extra])
            shown = capsys.readouterr().out
            assert code == 0 and name in shown
        stored = json.loads(shown)
        assert name in fm.Fit.from_dict(stored).params and stored["status"] == "ok"
    assert main(["fit", "multinomial", path, "--target", "origin", "--features", "nobody", "--nulls", "drop"]) == 1
    assert "nobody" in capsys.readouterr().err
