"""Every family of the table against maximum likelihood in 100 digits, written without fastmle (tests/oracle.py)."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy
from cases import CASES, Case
from oracle import Best, exactly

import fastmle as fm
from fastmle.families import REGISTRY, family_class
from fastmle.profile import profile_fall, profile_of

SETS = [(name, kind) for name, case in CASES.items() for kind in (*case.theta, *case.hard)]


def family(name: str) -> fm.Family:
    return family_class(name)(**CASES[name].constants)


def columns(name: str) -> tuple[str, ...]:
    x = CASES[name].sample(0, 2)
    return ("x",) if x.ndim == 1 else tuple(f"x{i}" for i in range(x.shape[1]))


def rows_of(name: str, kind: str, rows: int | None = None) -> tuple[np.ndarray, Any, Any]:
    """Values, weights and where the oracle starts."""
    case = CASES[name]
    if kind in case.hard:
        hard = case.hard[kind]
        return np.asarray(hard.x, float), hard.weights, hard.start
    return case.sample(11, rows or case.rows, kind), None, case.theta[kind]


@cache
def both(name: str, kind: str) -> tuple[fm.Fit, Best, np.ndarray, Any]:
    x, w, start = rows_of(name, kind)
    return fm.fit(family(name), x, weights=w), CASES[name].best(x, w, start), x, w


def errors(fit: fm.Fit) -> np.ndarray:
    return np.sqrt(np.diag(fit.cov)) * fit.units


def rounding(fit: fm.Fit, best: Best) -> float:
    """How many standard errors apart two neighbouring float64 values of a parameter lie: 1e-4 for 1e12 ± 1."""
    with np.errstate(invalid="ignore", divide="ignore"):  # parameters without an error
        return float(np.nanmax(np.append(np.spacing(np.abs(fit.theta)) / best.bse, 0.0)))


def relative(value: float, exact: Any) -> float:
    """The relative error; absolute where the exact value is 0."""
    return float(abs(mp.mpf(float(value)) - exact) / (abs(exact) or 1))


def test_every_family_is_in_the_table() -> None:
    assert list(REGISTRY) and set(REGISTRY) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_table_says_what_the_family_says(name: str) -> None:
    case, made = CASES[name], family_class(name)
    assert (case.one_pass, case.discrete) == (made.one_pass, made.discrete)
    assert case.nonregular == tuple(
        i for i, p in enumerate(family(name).bind(columns(name)).params) if not p.regular
    )
    assert (case.precision is not None) == made.precision_weights


@pytest.mark.parametrize(("name", "kind"), SETS)
def test_parameters(name: str, kind: str) -> None:
    fit, best, *_ = both(name, kind)
    assert fit.status == ("ok" if CASES[name].regular else "nonregular")
    assert fit.converged
    for ours, exact, error in zip(fit.theta, best.theta, best.bse, strict=True):
        # a location near 0 has digits only beside its spread
        off = abs(mp.mpf(float(ours)) - exact)
        assert off <= 1e-8 * abs(exact) or off <= 1e-8 * error


@pytest.mark.parametrize(("name", "kind"), SETS)
def test_log_likelihood(name: str, kind: str) -> None:
    fit, best, x, w = both(name, kind)
    assert relative(fit.llf, best.llf) <= 1e-12 + rounding(fit, best) ** 2 / abs(float(best.llf))
    assert fit.nll == pytest.approx(-fit.llf / fit.nobs, rel=1e-15)
    here = CASES[name].at(x, w, fit.theta)  # at the very numbers that the fit gives
    assert relative(fit.llf, here) <= 1e-12
    assert relative(fm.loglik(family(name), x, dict(fit.params), weights=w), here) <= 1e-12


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k in SETS if CASES[n].smooth or CASES[n].errors])
def test_standard_errors_and_score(name: str, kind: str) -> None:
    case = CASES[name]
    fit, best, *_ = both(name, kind)
    expected = best.bse
    expected[list(case.nonregular)] = np.nan
    np.testing.assert_allclose(errors(fit), expected, rtol=1e-6)
    assert list(fit.bse) == list(fit.params)
    if case.smooth:
        assert fit.score_norm <= 1e-6 + rounding(fit, best)
        sd, pairs = np.sqrt(np.diag(fit.cov)), list(itertools.combinations(range(len(expected)), 2))
        ours = [fit.cov[i, j] / sd[i] / sd[j] for i, j in pairs]
        exact = [float(best.exact_cov[i, j] / mp.mpf(best.bse[i]) / mp.mpf(best.bse[j])) for i, j in pairs]
        np.testing.assert_allclose(ours, exact, atol=2e-6 + rounding(fit, best))


@pytest.mark.parametrize(("name", "kind"), SETS)
def test_no_nearby_point_is_higher(name: str, kind: str) -> None:
    """All corners of boxes of 1e-3 and 1 standard errors (of 1e-6 and 1e-3 of itself where there is no error)."""
    fit, best, x, w = both(name, kind)
    made = fit.family
    steps = np.where(np.isfinite(best.bse), best.bse, 1e-3 * np.maximum(np.abs(fit.theta), 1e-300))
    tried = 0
    for size, signs in itertools.product((1e-3, 1.0), itertools.product((-1, 0, 1), repeat=len(steps))):
        theta = fit.theta + size * steps * np.array(signs)
        if not made.valid(theta) or np.array_equal(theta, fit.theta):
            continue
        tried += 1
        assert fm.loglik(made, x, made.pack(theta), weights=w) <= fit.llf + 1e-12 * abs(fit.llf)
    assert tried or kind not in CASES[name].theta or made.constraint(fit.theta) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ten_million_rows(name: str) -> None:
    """A hundred thousand times the same hundred rows."""
    case = CASES[name]
    x = case.sample(19, 100)
    best = case.best(x)
    fit = fm.fit(family(name), np.tile(x, (100_000, 1)[: x.ndim]))
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert relative(fit.llf, 100_000 * best.llf) <= 1e-12
    assert fit.nobs == 1e7
    if case.smooth or case.errors:
        free = [i for i in range(len(fit.theta)) if i not in case.nonregular]
        np.testing.assert_allclose(errors(fit)[free], best.bse[free] / math.sqrt(100_000), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.regular])
def test_wald_intervals_cover(name: str) -> None:
    """95 % intervals hold the true parameter in 93 to 97 % of samples of 200 rows."""
    case, made = CASES[name], family(name)
    truth = case.covered or case.usual
    rng = np.random.default_rng(2)
    inside = np.zeros(len(truth))
    for _ in range(case.tries):
        fit = fm.fit(made, case.draw(rng, 200, *truth), threads=1)
        inside += np.abs(fit.theta - truth) <= 1.9599639845400545 * errors(fit)
    share = inside / case.tries
    assert np.all((share >= 0.93) & (share <= 0.97)), share


@pytest.mark.parametrize(
    "name", ["gaussian", "lognormal", "gamma", "inverse_gamma", "inverse_gaussian", "pareto", "beta", "von_mises", "mvn"]
)
def test_rows_of_little_weight_cost_no_digits(name: str) -> None:
    """One row has nearly all the weight: all lie far from the mean in its unit but that one."""
    case = CASES[name]
    x, w = case.sample(5, 6), np.array([1e6, 1e-6, 3e-6, 2e-6, 1e-5, 1e-6])
    fit = fm.fit(family(name), x, weights=w)
    best = case.best(x, w, tuple(fit.theta.tolist()))
    assert fit.status in ("ok", "nonregular")
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-9)
    np.testing.assert_allclose(errors(fit)[~np.isnan(errors(fit))], best.bse[~np.isnan(errors(fit))], rtol=1e-4)  # shapes of 1e11


def test_a_beta_of_very_small_values_is_a_gamma() -> None:
    """Where 1 − x is 1: beyond 10^153 the squares of beta leave float64."""
    x = np.array([1e-300, 3e-250, 1e-218])
    fit, best = fm.fit("beta", x), CASES["gamma"].best(x, None, (3e-3, 1e216))
    assert fit.status == "ok" and fit.score_norm <= 1e-6
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-12)
    np.testing.assert_allclose(errors(fit), best.bse, rtol=1e-9)


# -- parameters held ---------------------------------------------------------------------------------------------------

HELD = [
    (name, held)
    for name, case in CASES.items()
    for held in (case.held if case.held is not None else family(name).bind(columns(name)).pack(case.usual))
    if len(case.usual) > 1
]


def places(case: Case, made: fm.Family, held: str, value: Any) -> dict[int, float]:
    flat = made.hold({held: value})
    return {i: float(v) for i, v in enumerate(flat) if not math.isnan(v)}


@pytest.mark.parametrize(("name", "held"), HELD)
def test_a_held_parameter(name: str, held: str) -> None:
    case = CASES[name]
    x = case.sample(5, case.rows)
    whole = fm.fit(family(name), x)
    value = case.hold_at(held, whole.params[held])
    fit = fm.fit(family(name), x, fixed={held: value})
    at = places(case, fit.family, held, value)
    best = case.best(x, None, tuple(whole.theta.tolist()), held=at)
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert relative(fit.llf, best.llf) <= 1e-12
    assert fit.df_model == len(fit.theta) - len(at)
    assert fit.aic == pytest.approx(2 * fit.df_model - 2 * fit.llf, rel=1e-14)
    np.testing.assert_allclose(errors(fit), best.bse, rtol=1e-6)
    assert fit.score_norm <= 1e-6 and fit.status == "ok"
    assert np.array_equal(np.asarray(fit.params[held]), np.asarray(value))


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.regular])
def test_all_parameters_held(name: str) -> None:
    case = CASES[name]
    x = case.sample(5, case.rows)
    values = fm.fit(family(name), case.sample(6, case.rows)).params
    fit = fm.fit(family(name), x, fixed=dict(values))
    assert relative(fit.llf, case.at(x, None, fit.theta)) <= 1e-12
    assert fit.df_model == 0
    assert (errors(fit) == 0.0).all()


FAR = {  # values far from what the data would say: as much as a user may hold
    "gaussian": {"mu": 1e6, "sigma": 1e-3},
    "lognormal": {"mu": -50.0, "sigma": 10.0},
    "gumbel": {"mu": 1e4, "scale": 1e-3},
    "logistic_dist": {"mu": -1e5, "scale": 1e3},
    "cauchy": {"mu": 1e8, "sigma": 1e-3},
    "student_t": {"df": 1e300, "sigma": 0.01},
    "weibull": {"shape": 1e4, "scale": 1e-10},
    "loglogistic": {"scale": 1e100, "shape": 1e-2},
    "von_mises": {"mu": 1.5, "kappa": 1e4},
    "negative_binomial": {"r": 1e5, "p": 1e-6},
    "zero_inflated_poisson": {"rate": 20.0, "pi": 0.999},
}


@pytest.mark.parametrize(("name", "held"), [(name, held) for name, values in FAR.items() for held in values])
def test_a_parameter_held_far_away(name: str, held: str) -> None:
    case, value = CASES[name], FAR[name][held]
    x = case.sample(5, 12)
    fit = fm.fit(name, x, fixed={held: value})
    assert fit.status == "ok" and fit.score_norm <= 1e-6, fit.message
    if value == 1e300:  # of a t the normal
        normal = fm.fit("gaussian", x)
        assert dict(fit.params) == pytest.approx({"df": 1e300, "mu": normal.params.mu, "sigma": normal.params.sigma})
        return
    best = case.best(x, None, tuple(fit.theta.tolist()), held=places(case, fit.family, held, value))
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert relative(fit.llf, best.llf) <= 1e-12
    np.testing.assert_allclose(errors(fit), best.bse, rtol=1e-6)


def test_a_number_of_successes_that_the_variance_does_not_call_for() -> None:
    x = [1.0, 2.0, 3.0, 2.0, 2.0]  # whose own maximum is a Poisson
    fit = fm.fit("negative_binomial", x, fixed={"r": 1.0})
    assert fit.params.p == pytest.approx(1.0 / 3.0) and fit.status == "ok"
    assert fit.llf == pytest.approx(scipy.stats.nbinom.logpmf(x, 1.0, 1.0 / 3.0).sum())


@pytest.mark.parametrize(
    ("name", "x", "fixed", "status", "free"),
    [
        ("gaussian", [3.0, 3.0], {"mu": 3.0}, "degenerate", 0.0),
        ("gaussian", [3.0, 3.0], {"mu": 4.0}, "ok", 1.0),
        ("gumbel", [3.0, 3.0], {"mu": 3.0}, "degenerate", math.nan),
        ("logistic_dist", [3.0, 3.0], {"mu": 3.0}, "degenerate", math.nan),
        ("cauchy", [3.0, 3.0], {"mu": 1.0}, "ok", 2.0),
        ("von_mises", [0.1, 0.2, 0.3], {"mu": 3.0}, "boundary", 0.0),
        ("von_mises", [0.1, 0.2, 0.3], {"mu": 0.2}, "ok", 150.37632202),
        ("zero_inflated_poisson", [1.0, 2.0, 3.0, 0.0, 2.0], {"rate": 0.1}, "boundary", 0.0),
        ("zero_inflated_poisson", [0.0, 0.0], {"pi": 0.3}, "boundary", 0.0),
        ("zero_inflated_poisson", [0.0, 0.0], {"rate": 0.3}, "boundary", 1.0),
        ("negative_binomial", [0.0, 0.0], {"r": 2.0}, "boundary", 1.0),
        ("negative_binomial", [0.0, 0.0], {"p": 0.3}, "boundary", 0.0),
    ],
)
def test_where_held_parameters_end(name: str, x: Any, fixed: Any, status: str, free: float) -> None:
    fit = fm.fit(name, x, fixed=fixed)
    assert fit.status == status, fit.message
    (value,) = (v for key, v in fit.params.items() if key not in fixed)
    assert value == pytest.approx(free, rel=1e-8, nan_ok=True)


def test_probabilities_beside_a_held_one() -> None:
    x = np.repeat([0, 1, 2, 3], [20, 30, 40, 10])
    fit = fm.fit("categorical", x, k=4, fixed={"p_1": 0.5})
    share = np.array([2.0, 4.0, 1.0]) / 7.0
    np.testing.assert_allclose(fit.theta[[0, 2, 3]], 0.5 * share, rtol=1e-15)
    np.testing.assert_allclose(errors(fit), np.insert(0.5 * np.sqrt(share * (1 - share) / 70.0), 1, 0.0), rtol=1e-12)
    assert fit.score_norm <= 1e-12


# -- intervals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.regular])
def test_wald_intervals(name: str) -> None:
    fit, *_ = both(name, "usual")
    for level, z in ((0.95, 1.9599639845400545), (0.5, 0.6744897501960817)):
        for parameter, (low, high) in fit.conf_int(level).items():
            np.testing.assert_allclose(
                high, fit.params[parameter] + z * np.asarray(fit.bse[parameter]), rtol=1e-13
            )
            np.testing.assert_allclose(
                low, fit.params[parameter] - z * np.asarray(fit.bse[parameter]), rtol=1e-12
            )


PROFILED = [
    (name, i) for name, c in CASES.items() if c.regular and c.smooth and c.held is None
    for i in range(len(c.usual))
]  # fmt: skip


@pytest.mark.parametrize(("name", "place"), PROFILED)
def test_profile_intervals(name: str, place: int) -> None:
    """The ends are where the oracle's own profile has fallen by half the chi-square quantile."""
    case = CASES[name]
    fit, best, x, w = both(name, "usual")
    parameter = fit.family.params[place].name
    data = {} if case.one_pass else {"data": x, "weights": w} if w is not None else {"data": x}
    low, high = fit.conf_int(0.9, method="profile", **data)[parameter]
    assert low < fit.params[parameter] < high
    start = tuple(fit.theta.tolist())
    for end in (low, high):
        fall = 2 * (best.llf - case.best(x, w, start, held={place: end}).llf)
        assert float(fall) == pytest.approx(2.705543454095404, rel=1e-7)


def test_profile_intervals_of_hundreds_of_powers_of_ten() -> None:
    x = [5e-306, 5e-306, 5e-306, 5e-306, 2.3e-5]
    fit = fm.fit("gamma", x)
    best = CASES["gamma"].best(x, None, tuple(fit.theta.tolist()))
    for end in fit.conf_int(0.9, method="profile")["rate"]:  # 1e-80 to 5e4
        fall = 2 * (best.llf - CASES["gamma"].best(x, None, tuple(fit.theta.tolist()), held={1: end}).llf)
        assert float(fall) == pytest.approx(2.705543454095404, rel=1e-7)


def test_profile_intervals_where_float64_has_no_more_digits() -> None:
    """Four rows a few units of the smallest float apart: the ends are such units too."""
    ends = fm.fit("gaussian", [5e-324, 1e-323, 1.5e-323, 1e-323]).conf_int(method="profile")
    for name, estimate in {"mu": 1e-323, "sigma": 5e-324}.items():
        low, high = ends[name]
        assert low <= estimate <= high <= estimate + 1e-322


def test_profile_intervals_without_an_end() -> None:
    """The likelihood at a Poisson is 0.23 below the highest."""
    x = [0.0, 3.0, 1.0, 2.0, 0.0, 5.0, 1.0, 1.0, 2.0, 4.0]
    found = fm.fit("negative_binomial", x).conf_int(method="profile")
    assert found["r"][1] == math.inf and found["p"][1] == 1.0


@pytest.mark.parametrize(
    ("name", "x", "open_above"),
    [
        ("negative_binomial", [0, 1, 1, 2, 1, 0, 1, 1, 2, 1], {"r": math.inf, "p": 1.0}),
        ("negative_binomial", [1e6, 1e6 + 3.0, 1e6 + 40.0], {"r": math.inf, "p": 1.0}),
        ("zero_inflated_poisson", [2, 3, 1, 0, 4, 2, 2, 3, 1, 2], {}),
        ("zero_inflated_poisson", [3, 3], {}),
    ],
)
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_profile_intervals_at_a_boundary(name: str, x: list[float], open_above: dict[str, float], level: float) -> None:
    """At each end a fit with the parameter held there is as much lower as it may be."""
    fit = fm.fit(name, x)
    assert fit.status == "boundary"
    if name == "negative_binomial":
        fall, *_, none = profile_fall(profile_of(fit, level), "p", np.array([0.9, 0.95, 1.0]))
        assert none == 0.0 and fall == pytest.approx(fit.llf - fm.fit(name, x, fixed={"p": 0.9}).llf, abs=1e-9)
    for key, (low, high) in fit.conf_int(level, method="profile").items():
        ends = {low, high} - {open_above.get(key, fit.params[key])}  # pi has its lower end at the estimate 0
        assert len(ends) == (1 if key in ("r", "p", "pi") else 2) and low <= fit.params[key] <= high
        for end in ends:
            fall = fit.llf - fm.fit(name, x, fixed={key: end}).llf
            assert fall == pytest.approx(0.5 * scipy.stats.chi2.ppf(level, 1), rel=1e-6)


def test_the_poisson_limit_of_the_negative_binomial_is_a_poisson() -> None:
    for x in ([0, 1, 1, 2, 1, 0, 1, 1, 2, 1], [0, 0]):
        fit, k = fm.fit("negative_binomial", x), np.arange(6)
        exact = scipy.stats.poisson(np.mean(x))
        assert fit.logpdf(k) == pytest.approx(exact.logpmf(k)) and fit.cdf(k) == pytest.approx(exact.cdf(k))
        assert fit.rvs(50_000, seed=1).mean() == pytest.approx(np.mean(x), abs=0.02)
        assert fm.entropy(fit) == pytest.approx(float(exact.entropy()), abs=1e-10)
        assert fm.kl(fit, fm.fit("poisson", x)) == 0.0
    fit = fm.fit("negative_binomial", [0, 1, 1, 2])
    stored = fm.Fit.from_dict(fit.to_dict())  # which holds no sums
    with pytest.raises(fm.FamilyError, match="fit poisson"):
        stored.rvs(3)


def test_the_normal_limit_of_student_t_is_a_normal() -> None:
    x = np.linspace(1.0, 7.0, 30)
    t, normal = fm.fit("student_t", x), fm.fit("gaussian", x)
    assert t.params.df == math.inf and t.status == "boundary" and np.isnan(list(t.bse.values())).all()
    assert fm.entropy(t) == pytest.approx(float(scipy.stats.norm(*normal.theta).entropy()), rel=1e-9)
    assert fm.kl(t, normal) == pytest.approx(0.0, abs=1e-12) and fm.kl(normal, t) == pytest.approx(0.0, abs=1e-12)
    low, high = t.conf_int(method="profile", data=x)["df"]
    assert high == math.inf
    assert t.llf - fm.fit("student_t", x, fixed={"df": low}).llf == pytest.approx(0.5 * scipy.stats.chi2.ppf(0.95, 1), rel=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("gaussian", "offset 1e12"), ("weibull", "shape 1e8"), ("student_t", "offset 1e8")])
def test_profile_intervals_far_from_zero(name: str, kind: str) -> None:
    """Of a location an interval is narrow beside the location itself."""
    case = CASES[name]
    x = case.sample(5, 8, kind) if name != "student_t" else 1e8 + np.array([0.55, 0.2, -0.88, 0.15, -0.03])
    fit = fm.fit(name, x)
    best = case.best(x, None, tuple(fit.theta.tolist()))
    place = [p.name for p in fit.family.params].index("scale" if name == "weibull" else "mu")
    for end in fit.conf_int(0.9, method="profile", **({} if case.one_pass else {"data": x}))[fit.family.params[place].name]:
        at = tuple(fit.theta.tolist())
        ulp = math.ulp(end) / abs(end - fit.theta[place])
        fall = 2 * (best.llf - case.best(x, None, at, held={place: end}).llf)
        assert float(fall) == pytest.approx(2.705543454095404, rel=max(1e-7, 10.0 * ulp))


# -- the fitted distribution -------------------------------------------------------------------------------------------

DISTRIBUTIONS = [n for n, c in CASES.items() if np.ndim(c.sample(0, 2)) == 1]


@pytest.mark.parametrize("name", CASES)
def test_logpdf_is_the_textbook_formula(name: str) -> None:
    case = CASES[name]
    fit, _, x, _ = both(name, "usual")
    for row in x[:7]:
        expected = float(case.at(row[None], None, fit.theta))
        assert float(np.ravel(fit.logpdf(row))[0]) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_cdf_ppf_and_rvs_belong_to_the_density(name: str) -> None:
    case = CASES[name]
    fit, _, x, _ = both(name, "usual")
    q = np.array([0.01, 0.2, 0.5, 0.8, 0.99])
    if case.discrete:
        k = np.arange(x.min(), x.max() + 1)
        np.testing.assert_allclose(
            np.diff(fit.cdf(np.append(k[0] - 1, k))), np.exp(fit.logpdf(k)), atol=1e-12
        )
        v = fit.ppf(q)
        assert (fit.cdf(v) >= q - 1e-12).all() and (fit.cdf(v - 1) < q + 1e-12).all()
    else:
        v = fit.ppf(q)
        np.testing.assert_allclose(fit.cdf(v), q, rtol=1e-9)
        for a, b in itertools.pairwise(v):
            area = scipy.integrate.quad(lambda t: math.exp(fit.logpdf(t)), a, b, epsabs=0, epsrel=1e-10)[0]
            assert fit.cdf(b) - fit.cdf(a) == pytest.approx(area, rel=1e-8)
    drawn = fit.rvs(4000, seed=3)
    assert np.array_equal(drawn, fit.rvs(4000, seed=3))
    if case.discrete:
        for value in np.unique(x):
            p = math.exp(fit.logpdf(value))
            assert np.mean(drawn == value) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / 4000) + 1e-9)
    else:
        assert scipy.stats.kstest(drawn, fit.cdf).pvalue > 1e-4
        again = fm.fit(family(name), drawn)
        assert np.all(np.abs(again.theta - fit.theta) < 6 * np.nan_to_num(errors(again), nan=1e9))


def expectation(case: Case, theta: Any, f: Any, x: np.ndarray) -> float:
    """E f(X) under the textbook density: a sum over the values, or quadrature between quantiles of a sample."""
    logp = case.logp(*theta)
    with mp.workdps(20):
        if case.discrete:
            low, high = case.support
            last = high if math.isfinite(high) else 40 + 12 * float(x.max())
            return math.fsum(math.exp(logp(k)) * f(k) for k in np.arange(low, last + 1))
        cuts = np.unique(
            [case.support[0], *np.quantile(x, [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]), case.support[1]]
        )

        def integrand(t: float) -> float:
            height = logp(t)
            return math.exp(height) * f(t) if height > -math.inf else 0.0

        return math.fsum(
            scipy.integrate.quad(integrand, a, b, epsabs=1e-12, epsrel=1e-10, limit=100)[0]
            for a, b in itertools.pairwise(cuts)
        )


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_entropy_and_divergence(name: str) -> None:
    case = CASES[name]
    a, _, x, _ = both(name, "usual")
    more = case.sample(23, case.rows) if case.regular else 1.5 * x[:30]  # a support that holds the other
    b = fm.fit(family(name), more if case.regular else np.append(x, more))
    p, q = case.logp(*a.theta), case.logp(*b.theta)
    with np.errstate(all="ignore"):
        ours, between = fm.entropy(a), fm.kl(a, b)
    assert ours == pytest.approx(expectation(case, a.theta, lambda t: -p(t), x), rel=1e-8, abs=1e-8)
    if math.isfinite(between):
        assert between == pytest.approx(
            expectation(case, a.theta, lambda t: p(t) - q(t), x), rel=1e-7, abs=1e-8
        )
    assert fm.kl(a, a) == pytest.approx(0.0, abs=1e-12)
    assert between >= 0.0
    assert ours.error >= 0.0 and ours.method


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.discrete])
def test_minimising_the_nll_is_minimising_the_divergence(name: str) -> None:
    """KL(p_data || p_θ̂) = Σ p̂ log p̂ + nll, exactly for counts."""
    fit, _, x, _ = both(name, "usual")
    if fit.family.table(fit.sums) is None:
        with pytest.raises(fm.FamilyError, match="histogram"):
            fit.kl_from_data()
        return
    p = np.unique_counts(x).counts / x.size
    divergence = fit.kl_from_data()
    assert divergence == pytest.approx(math.fsum(p * np.log(p)) + fit.nll, abs=1e-12)
    assert divergence >= 0.0


@pytest.mark.parametrize("name", [n for n in DISTRIBUTIONS if not CASES[n].discrete])
def test_divergence_of_the_data_by_bins(name: str) -> None:
    fit = fm.fit(family(name), CASES[name].sample(3, 20_000), keep="bins")
    divergence = fit.kl_from_data()
    assert "bins" in divergence.method
    assert abs(divergence - divergence.error) < 5.0 * math.sqrt(divergence.error / 10_000) + 1e-3


def test_categories_of_text(tmp_path: Any) -> None:
    """In any clothes, by name; codes of the same order give the same numbers."""
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    words = ["late", "early", None, "on time", "late", "late", "early"]
    w = [1.0, 2.0, 5.0, 0.5, 1.0, 3.0, 1.0]
    frame = pl.DataFrame({"state": words, "w": w})
    frame.write_parquet(tmp_path / "x.parquet")
    codes = {"early": 0.0, "late": 1.0, "on time": 2.0, None: math.nan}
    same = fm.fit("categorical", np.array([codes[v] for v in words]), k=3, weights=w, nulls="drop")
    table = frame.to_arrow()
    encoded = table.set_column(0, "state", pa.array(words).dictionary_encode())
    for data in (frame, frame.lazy(), frame.with_columns(pl.col("state").cast(pl.Categorical)), table, encoded,
                 frame.to_dict(as_series=False), tmp_path / "x.parquet", pd.DataFrame({"state": words, "w": w})):  # fmt: skip
        fit = fm.fit("categorical", data, column="state", weights="w", nulls="drop")
        assert list(fit.params) == ["p_early", "p_late", "p_on time"]
        assert (fit.theta == same.theta).all() and fit.llf == same.llf and fit.nobs_dropped == 1
        again = fm.Fit.from_dict(fit.to_dict())
        assert again.family == fit.family and list(again.params) == list(fit.params)
        best = fm.compare(data, ["categorical"], column="state", weights="w", nulls="drop")[0]
        assert best == fit == fm.compare(data, "all", column="state", weights="w", nulls="drop")[0]
        at = {"p_on time": 0.25, "p_early": 0.25, "p_late": 0.5}
        numbers = np.array([codes[v] for v in words])
        expected = fm.loglik("categorical", numbers, weights=w, nulls="drop", k=3, p_0=0.25, p_1=0.5, p_2=0.25)
        assert fm.loglik("categorical", data, at, column="state", weights="w", nulls="drop") == pytest.approx(expected, rel=1e-15)
    columns: list[Any] = [frame["state"], table["state"], pa.array(words), pa.array(words, pa.string_view()), np.array(words, object)]
    columns += [pd.Series(words), pd.Series(words, dtype=object), pd.Series(words, dtype="category"), pd.Index(words)]
    columns += [pa.array(words).dictionary_encode(), {"state": np.array(words, object)}, {0: words, "other": object()}]
    for column in columns:
        name = 0 if isinstance(column, dict) and 0 in column else None
        assert fm.fit("categorical", column, column=name, weights=w, nulls="drop").params == fit.params
    assert list(fm.fit("categorical", np.array(["b", "a", "b"])).params.values()) == [1 / 3, 2 / 3]
    few = {"p_late": 0.5, "p_early": 0.5}  # "on time" is impossible
    assert fm.loglik("categorical", frame, few, column="state", nulls="drop") == -math.inf
    assert fm.nll("categorical", np.array(["b", "a"]), p_a=0.25, p_b=0.75) == pytest.approx(-0.5 * math.log(3 / 16))
    with pytest.raises(fm.FamilyError, match="gamma takes numbers"):
        fm.compare(frame, ["categorical", "gamma"], column="state", nulls="drop")
    with pytest.raises(fm.DataError, match=r"'state', row 2.*null"):
        fm.fit("categorical", frame, column="state")
    with pytest.raises(fm.FamilyError, match="k ="):
        fm.fit("categorical", frame, column="state", k=4)
    with pytest.raises(fm.FamilyError, match="k="):
        fm.fit("categorical", [0, 1, 2])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.array([], "U1"), "'x' has no category"),
        ({"s": ["a", 1]}, "dict cannot be read"),
        ({"s": [None, None]}, "all 2 rows"),
        ({"s": ["a", "b"], "t": [1]}, None),
    ],
)
def test_text_that_cannot_be(data: Any, said: str | None) -> None:
    if said is None:
        assert dict(fm.fit("categorical", data, column="s").params) == {"p_a": 0.5, "p_b": 0.5}
        return
    with pytest.raises(fm.DataError, match=said):
        fm.fit("categorical", data, k=2, nulls="drop")


def test_a_query_of_text_that_fails() -> None:
    import polars as pl

    query = pl.LazyFrame({"s": ["a", "b"]})
    for bad in (query.select("t"), query.with_columns(s=pl.col("s").str.to_integer().cast(pl.String))):
        with pytest.raises(fm.DataError, match="LazyFrame cannot be read"):
            fm.fit("categorical", bad)


def test_states_of_text(tmp_path: Any) -> None:
    """The categories are told at birth, so that states merge; any chunk of text is then taken."""
    import polars as pl

    words = np.array(["late", "early", "on time", "late", "late", "early"])
    made = fm.Categorical(categories=["early", "late", "on time"])
    state = fm.suffstats("categorical", categories=["early", "late", "on time"], column="state")
    state.update({"state": words[:2]}, weights=[1.0, 2.0]).update(pl.DataFrame({"state": words[2:4]}))
    other = fm.suffstats(made, column="state").update({"state": words[4:].tolist()})
    fit = (state + other).fit()
    assert fit == fm.fit(made, pl.DataFrame({"state": words, "w": [1.0, 2.0, 1.0, 1.0, 1.0, 1.0]}), column="state", weights="w")
    assert list(fit.params) == ["p_early", "p_late", "p_on time"]
    plain = fm.suffstats(made).update(words).update(words[:1]).update([2, 0])  # codes are as good
    assert dict(plain.fit().params) == {"p_early": 3 / 9, "p_late": 4 / 9, "p_on time": 2 / 9}
    plain.save(tmp_path / "state")
    assert fm.load(tmp_path / "state") == plain and fm.load(tmp_path / "state").family == made
    before = plain.to_bytes()
    with pytest.raises(fm.DataError, match=r"row 1.*outside the support"):
        plain.update(np.array(["late", "never"]))
    with pytest.raises(fm.FamilyError, match="merge"):
        plain + fm.suffstats("categorical", categories=["early", "late", "never"]).update(np.array(["never"]))
    assert plain.to_bytes() == before
    with pytest.raises(fm.FamilyError, match="categories="):
        fm.suffstats("categorical").update(words)


def test_probabilities_and_densities_are_ranked_apart() -> None:
    rng = np.random.default_rng(1)
    fits = fm.compare(rng.poisson(20.0, 3000) * 1.0, ["gamma", "gaussian", "poisson", "negative_binomial"])
    assert [f.family.discrete for f in fits] == [True, True, False, False]
    deltas = [row["delta_aic"] for row in fits.table]
    assert deltas[0] == deltas[2] == 0.0 and min(deltas) == 0.0
    assert "other units" in repr(fits) and "other units" in fits._repr_html_()
    assert "other units" not in repr(fm.compare(rng.gamma(2.0, 1.0, 500), ["gamma", "gaussian"]))
    bits = fm.compare((rng.random(999) < 0.3) * 1.0, "all")  # no density is for 0 and 1
    assert all(f.family.discrete for f in bits) and bits[0].family.name == "bernoulli"
    assert fm.compare((rng.random(999) < 0.3) * 1.0, ["cauchy", "bernoulli"])[-1].status == "degenerate"  # unless it is named


def test_comparisons_share_one_read() -> None:
    reads = 0
    x = np.random.default_rng(1).gamma(2.0, 30.0, 4000)

    def chunks() -> Any:
        nonlocal reads
        reads += 1
        yield x

    one = fm.compare(chunks, ["gamma", "lognormal", "gaussian", "exponential", "inverse_gamma", "pareto"])
    assert len(one) == 6 and reads <= 2  # one opens the source and learns its columns
    opened, reads = reads - 1, 0
    fits = fm.compare(chunks, "all")
    several = [f.n_passes + 1 for f in fits if not f.family.one_pass]  # and a pilot each
    assert len(several) >= 6 and reads <= 1 + opened + sum(several)


def test_comparisons_of_everything() -> None:
    """Ranked by AIC; circles off the line, families of several columns and those without a maximum do not win."""
    rng = np.random.default_rng(1)
    for x, best in ((rng.negative_binomial(3, 0.2, 4000), "negative_binomial"), (rng.gamma(2.0, 30.0, 4000), "gamma"),
                    (rng.standard_t(3, 4000) * 9, "student_t"), (rng.beta(2.0, 5.0, 4000), "beta"),
                    (rng.vonmises(0.5, 2.0, 4000), "von_mises")):  # fmt: skip
        fits = fm.compare(x.astype(float), "all")  # one dtype: each is a kernel of its own
        assert fits[0].family.name == best
        assert "mvn" not in [f.family.name for f in fits]
        ranked = [(not f.family.discrete, f.aic) for f in fits if f.converged]
        assert ranked == sorted(ranked) and all(not f.converged for f in fits[len(ranked) :])
        assert ("von_mises" in [f.family.name for f in fits]) == (np.ptp(x) <= 2 * np.pi)
    assert fm.compare(rng.dirichlet([1, 2, 3], 500), "all")[0].family.name == "dirichlet"


def test_several_columns_in_closed_form() -> None:
    """Entropy and divergence of the multivariate normal by those of independent normals, rotated."""
    turn = scipy.stats.special_ortho_group.rvs(3, random_state=1)
    z = np.random.default_rng(1).normal(size=(200, 3))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T  # exactly standard
    sd, mean = np.array([1.0, 2.0, 0.5]), np.array([1.0, -2.0, 3.0])
    a, b = fm.fit("mvn", (z * sd) @ turn.T), fm.fit("mvn", (z + mean) @ turn.T)
    assert fm.entropy(a) == pytest.approx(np.sum(0.5 * np.log(2 * np.pi * np.e * sd**2)), rel=1e-10)
    assert fm.kl(a, b) == pytest.approx(np.sum(0.5 * (sd**2 + mean**2 - 1) - np.log(sd)), rel=1e-10)


def fitted(name: str, *theta: float) -> fm.Fit:
    k = len(theta)
    return fm.Fit(family(name), np.array(theta), np.zeros((k, k)), np.ones(k), 0.0, 1.0)


def test_divergence_of_tails_like_powers() -> None:
    """Quantiles a hundred powers of ten apart; where the other's tail is lighter, the mean may not exist."""
    a, b = fitted("loglogistic", 0.05, 1.0), fitted("loglogistic", 0.06, 2.0)
    scale = math.log(2.0) * 0.06
    with mp.workdps(30):  # of log x, with z = 0.05 log x
        log_ratio = lambda z: (  # noqa: E731
            mp.log(0.05) - mp.log(0.06) + z - 2 * mp.log1p(mp.exp(z)) - (1.2 * z - scale) + 2 * mp.log1p(mp.exp(1.2 * z - scale))
        )
        exact = mp.quad(lambda z: mp.exp(-z) / (1 + mp.exp(-z)) ** 2 * log_ratio(z), [-80, -20, -5, 0, 5, 20, 80])
    assert fm.kl(a, b) == pytest.approx(float(exact), rel=1e-10)
    cauchy, normal = fitted("cauchy", 0.0, 1.0), fitted("gaussian", 0.0, 1.0)
    for heavy, light in ((cauchy, normal), (fitted("student_t", 2.0, 0.0, 1.0), normal), (cauchy, fitted("logistic_dist", 0.0, 1.0))):
        assert fm.kl(heavy, light) == math.inf
    t = fitted("student_t", 3.0, 0.0, 1.0)  # its mean of |x| is 2√3/π
    exact = -fm.entropy(t) + 2.0 * math.sqrt(3.0) / math.pi + math.log(2.0)
    assert fm.kl(t, fitted("laplace", 0.0, 1.0)) == pytest.approx(exact, rel=1e-12)
    both = fitted("beta", 0.5, 0.7)
    assert fm.kl(both, fitted("uniform", 0.0, 1.0)) == pytest.approx(-fm.entropy(both), rel=1e-6)


def test_divergence_heeds_the_supports() -> None:
    """Infinite where weight lies outside; on a circle the support is any one turn."""
    half, turn = fitted("halfnormal", 1.0), fitted("von_mises", 0.5, 0.1)
    for a, b in (
        (half, fitted("uniform", 0.1, 2.0)),
        (half, fitted("pareto", 2.0, 0.1)),
        (fitted("uniform", 0.1, 2.0), fitted("pareto", 2.0, 0.2)),
        (fitted("uniform", 0.1, 2.0), fitted("beta", 2.0, 3.0)),
        (fitted("gaussian", 0.0, 10.0), turn),
        (fitted("uniform", -3.0, 3.5), turn),
        (turn, fitted("uniform", -2.0, 4.0)),
        (fitted("poisson", 1.0), fm.fit("binomial", [1, 2, 0, 4], n=30)),
    ):
        assert fm.kl(a, b) == math.inf
    for a, b, low, high in (
        (fitted("uniform", 0.1, 2.0), fitted("pareto", 2.0, 0.1), 0.1, 2.0),
        (fitted("uniform", 0.1, 0.5), fitted("beta", 2.0, 3.0), 0.1, 0.5),
        (fitted("uniform", 2.0, 8.0), turn, 2.0, 8.0),
        (turn, fitted("uniform", -4.0, 4.0), 0.5 - math.pi, 0.5 + math.pi),
        (turn, fitted("gaussian", 0.0, 10.0), 0.5 - math.pi, 0.5 + math.pi),
    ):
        p, q = a.dist().logpdf, b.dist().logpdf
        exact = scipy.integrate.quad(lambda x: math.exp(p(x)) * (p(x) - q(x)), low, high, epsabs=1e-12)[0]  # noqa: B023
        assert fm.kl(a, b) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "theta", "values"),
    [
        ("laplace", (0.0, 1.0), [800.0, -1e200]),
        ("loglogistic", (2.0, 1.0), [1e-200, 1e-300, 1e300]),
        ("pareto", (2.0, 1.0), [1e150, 1e300]),
    ],
)
def test_logpdf_where_the_density_leaves_float64(name: str, theta: Any, values: Any) -> None:
    log_p = CASES[name].logp(*theta)
    np.testing.assert_allclose(fitted(name, *theta).logpdf(values), [log_p(x) for x in values], rtol=1e-14)


SHAPES = (1e-3, 0.7, 15.9, 300.0, 1e8)


@pytest.mark.parametrize("factor", [1.0 + 1e-12, 1.0 + 3e-7, 1.3, 1e-3])
def test_entropy_and_divergence_of_gamma_functions(factor: float) -> None:
    """Shapes from 1e-3 to 1e8, near each other and apart, against the formulas of ln Γ and ψ in 60 digits."""
    digamma, loggamma = cache(mp.digamma), cache(mp.loggamma)

    def gamma_kl(k: Any, r: Any, j: Any, q: Any) -> Any:
        return (k - j) * digamma(k) - loggamma(k) + loggamma(j) + j * mp.log(r / q) + k * (q / r - 1)

    def log_beta(a: Any) -> Any:
        return mp.fsum(map(loggamma, a)) - loggamma(mp.fsum(a))

    def dirichlet_kl(a: Any, b: Any) -> Any:
        falls = [(u - v) * (digamma(u) - digamma(mp.fsum(a))) for u, v in zip(a, b, strict=True)]
        return log_beta(b) - log_beta(a) + mp.fsum(falls)

    def dirichlet_entropy(a: Any) -> Any:
        s = mp.fsum(a)
        return log_beta(a) + (s - len(a)) * digamma(s) - mp.fsum((v - 1) * digamma(v) for v in a)

    with mp.workdps(60):
        for k in map(mp.mpf, SHAPES):
            at = np.array([float(k), 3.0])
            gamma, inverse = k - mp.log(3) + loggamma(k) + (1 - k) * digamma(k), k + mp.log(3) + loggamma(k) - (1 + k) * digamma(k)
            for made, entropy in ((fm.Gamma(), gamma), (fm.InverseGamma(), inverse)):
                assert abs(float(made.entropy(at) - entropy)) <= 1e-14 * max(30.0, abs(float(entropy)))
                for other in (at * [factor, 1.0], at * factor, at * [1.0, factor]):
                    assert relative(made.kl(at, other), gamma_kl(k, mp.mpf(3), *exactly(other))) <= 2e-13
        for pair in itertools.product(SHAPES, SHAPES):
            for made, alpha in ((fm.Beta(), np.array(pair)), (fm.Dirichlet(k=3), np.array([*pair, 2.5]))):
                entropy = dirichlet_entropy(exactly(alpha))
                assert abs(float(made.entropy(alpha) - entropy)) <= 1e-14 * max(30.0, abs(float(entropy)))
                for moved in ([factor, 1.0, 1.0], [factor] * 3):
                    other = alpha * moved[: alpha.size]
                    assert relative(made.kl(alpha, other), dirichlet_kl(exactly(alpha), exactly(other))) <= 2e-10


def test_mvn_of_columns_of_any_scale_is_a_density_and_is_drawn_from() -> None:
    x = np.random.default_rng(0).multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], 300) * [1e-12, 1e12]
    fit = fm.fit("mvn", x)
    assert math.fsum(fit.logpdf(x)) == pytest.approx(float(CASES["mvn"].at(x, None, fit.theta)), rel=1e-12)
    drawn = fit.rvs(4000, seed=1) / [1e-12, 1e12]
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(x.T / [[1e-12], [1e12]]), atol=0.15)
    assert fit.rvs(1, seed=1).shape == (1, 2) and fit.rvs(0).shape == (0, 2)
    assert fit.logpdf(x[:1]).shape == fit.cdf(x[:1]).shape == (1,) and np.shape(fit.logpdf(x[0])) == ()


@pytest.mark.parametrize("frame", [dict, "pandas", "polars", "pyarrow"])
def test_a_fit_is_asked_by_the_names_of_its_columns(frame: Any) -> None:
    x = np.random.default_rng(0).normal([0.0, 5.0], 1.0, (50, 2))
    columns = {"b": x[:, 1], "other": x[:, 0] + 9.0, "a": x[:, 0]}
    if isinstance(frame, str):
        module = pytest.importorskip(frame)
        columns = getattr(module, "table" if frame == "pyarrow" else "DataFrame")(columns)
    fit, one = fm.fit("mvn", columns, columns=["a", "b"]), fm.fit("gaussian", columns, column="b")
    np.testing.assert_array_equal(fit.logpdf(columns), fit.logpdf(x))
    np.testing.assert_allclose(one.cdf(columns), scipy.stats.norm.cdf(x[:, 1], *one.theta), rtol=1e-14)
    with pytest.raises(fm.DataError, match="no column 'a'"):
        fit.logpdf({"b": x[:, 1]})


def test_what_cannot_be_asked_of_a_fit_is_said() -> None:
    x = np.random.default_rng(0).dirichlet([1.0, 2.0, 3.0], 50)
    normal, shares = fm.fit("gaussian", x[:, 0], keep="bins"), fm.fit("dirichlet", x, keep="bins")
    masked = np.ma.masked_array([0.1, 0.2], [True, False])
    assert np.isnan(normal.logpdf(masked)).tolist() == np.isnan(normal.logpdf([None, 0.2])).tolist() == [True, False]
    for ask in (normal.logpdf, normal.cdf, normal.ppf):
        with pytest.raises(fm.DataError, match="no numbers"):
            ask("a")
    for wrong in (2.0, -1, True):
        with pytest.raises(fm.FamilyError, match="number of rows"):
            normal.rvs(wrong)
    with pytest.raises(fm.DataError, match="3 columns"):
        shares.logpdf(0.5)
    for say in (lambda: shares.cdf(x), shares.gof, shares.kl_from_data):
        with pytest.raises(fm.FamilyError):
            say()
    flat = np.outer(np.arange(9.0), [1.0, 2.0])
    for fit in (fm.fit("mvn", flat), fm.fit("weibull", [2.0])):
        with pytest.raises(fm.FamilyError, match="degenerate"):
            fit.rvs(2)


@pytest.mark.parametrize("x", [[0] * 5 + [1] * 3 + [2] * 4, [0] * 5 + [2] * 3, [3]])
def test_profile_intervals_of_categories_are_those_of_each_beside_the_rest(x: list[int]) -> None:
    fit, n = fm.fit("categorical", x, k=max(x) + 1), len(x)
    fall = scipy.special.chdtri(1, 0.1) / 2
    found = fit.conf_int(0.9, method="profile")
    for j in range(max(x) + 1):
        k = x.count(j)

        def log_p(p: float, k: int = k) -> float:
            return float(scipy.special.xlogy(k, p) + scipy.special.xlog1py(n - k, -p))

        def off(p: float, k: int = k, log_p: Any = log_p) -> float:
            return log_p(p) - log_p(k / n) + fall

        low = 0.0 if k == 0 else scipy.optimize.brentq(off, 1e-12, k / n, xtol=1e-14)
        high = 1.0 if k == n else scipy.optimize.brentq(off, k / n, 1 - 1e-12, xtol=1e-14)
        assert found[f"p_{j}"] == pytest.approx((low, high), rel=1e-8, abs=1e-12)


def test_profile_intervals_of_categories_beside_held_ones() -> None:
    x = [0] * 5 + [1] * 3 + [2] * 4
    pair = fm.fit("categorical", x, k=3, fixed={"p_0": 0.5}).conf_int(0.9, method="profile")
    share = fm.fit("categorical", [0] * 3 + [1] * 4, k=2).conf_int(0.9, method="profile")
    assert pair["p_0"] == (0.5, 0.5) and pair["p_1"] == pytest.approx([0.5 * end for end in share["p_0"]], rel=1e-8)
    alone = fm.fit("categorical", x, k=3, fixed={"p_0": 0.5, "p_1": 0.2}).conf_int(0.9, method="profile")
    assert alone["p_2"] == pytest.approx((0.3, 0.3), rel=1e-12)


@pytest.mark.parametrize("name", ["gamma", "inverse_gamma"])
@pytest.mark.parametrize("spread", [1.0, 1e-4, 1e-7])
def test_errors_of_a_large_shape_keep_their_digits(name: str, spread: float) -> None:
    """The information of a shape k in (log k, log rate) is k ((kψ'(k), −1), (−1, 1)), whose determinant is some 1/2k of that."""
    x = np.exp(spread * np.random.default_rng(5).normal(size=400))
    fit = fm.fit(name, x)
    with mp.workdps(60):
        k = mp.mpf(float(fit.theta[0]))
        covariance = (len(x) * k * mp.matrix([[k * mp.psi(1, k), -1], [-1, 1]])) ** -1
        exact = [float(covariance[i, j]) for i in range(2) for j in range(2)]
    assert fit.status == "ok" and fit.cov.ravel() == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", ["gamma", "inverse_gamma"])
def test_nearly_equal_values_are_not_said_to_be_equal(name: str) -> None:
    for x in (1e9 + np.array([0.0, 1.0, 3.0, -2.0, 5.0]), np.full(5, 3.0)):
        fit = fm.fit(name, x)
        assert fit.status == "degenerate" and fit.message.startswith("all values are equal, or closer to each other than 5e-8")
