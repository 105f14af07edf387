"""Linear regression against statsmodels and naive formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import statsmodels.api as sm

import fastmle as fm

RNG = np.random.default_rng(5)
N = 2500
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [0.0, 1e3, 5.0]
Y = 2.0 + X @ [1.0, -0.5, 3.0] + RNG.normal(size=N) * (0.5 + np.abs(X[:, 0]))
W = RNG.integers(0, 4, N).astype(float)
NAMES = ["x0", "x1", "x2"]
DESIGN = sm.add_constant(X)


def values(params: Any) -> np.ndarray:
    return np.array(list(params.values()))


def close(got: Any, wanted: Any, tolerance: float) -> None:
    np.testing.assert_allclose(got, wanted, rtol=tolerance)


def centred(x: np.ndarray = X) -> np.ndarray:
    """With the columns of statsmodels' own digits in mind: offsets cost it some."""
    return sm.add_constant(x - x.mean(axis=0))


def agrees(fit: fm.Fit, oracle: Any) -> None:
    close(values(fit.params)[1:], oracle.params[1:], 1e-9)
    close(values(fit.params)[0], oracle.params[0] - X.mean(axis=0) @ oracle.params[1:], 1e-8)
    close(values(fit.bse)[1:], oracle.bse[1:], 1e-9)


@pytest.mark.parametrize("kind", ["model", "HC0", "HC1", "HC2", "HC3"])
def test_against_statsmodels(kind: str) -> None:
    fit = fm.fit("linear", (X, Y), cov=kind)
    oracle = sm.OLS(Y, centred()).fit()
    agrees(fit, oracle if kind == "model" else oracle.get_robustcov_results(kind))
    assert fit.cov_type == kind
    close(fit.llf, oracle.llf, 1e-11)
    close([fit.rsquared, fit.rsquared_adj, fit.fvalue], [oracle.rsquared, oracle.rsquared_adj, oracle.fvalue], 1e-10)
    close(fit.sigma_unbiased**2, oracle.mse_resid, 1e-11)
    close(fit.sigma**2, oracle.ssr / N, 1e-11)
    assert fit.aic == pytest.approx(2 * 5 - 2 * oracle.llf)
    assert fit.score_norm < 1e-6
    assert fit.df_resid == N - 4


def test_tests_and_intervals() -> None:
    fit, oracle = fm.fit("linear", (X, Y)), sm.OLS(Y, DESIGN).fit()
    close(values(fit.tvalues), oracle.tvalues, 1e-6)
    close(values(fit.pvalues)[2:], oracle.pvalues[2:], 1e-5)
    close([list(v) for v in fit.conf_int(0.9).values()], oracle.conf_int(0.1), 1e-6)
    close(fit.wald_test(["x0", "x2"])[0], float(oracle.wald_test("x1 = 0, x3 = 0", scalar=True, use_f=False).statistic), 1e-6)
    held = fm.fit("linear", (X, Y), fixed={"x1": 0.5})
    assert held.wald_test() == held.wald_test(["x0", "x2"])
    counts = fm.fit("negative_binomial_regression", (X, np.random.default_rng(0).negative_binomial(2, 0.3, N)))
    assert counts.wald_test() == counts.wald_test(["x0", "x1", "x2"])  # not theta
    for names, words in ((["nobody"], "'nobody' is no estimated"), (["x1"], "'x1' is no estimated")):
        with pytest.raises(fm.FamilyError, match=words):
            held.wald_test(names)
    scaled = fm.fit("linear", (X * [1e-100, 1.0, 1e100], Y))
    close(scaled.wald_test()[0], fit.wald_test()[0], 1e-9)
    small = fm.fit("linear", (X[:, 1:], Y))
    assert fit.lr_test(small)[0] == pytest.approx(2 * (oracle.llf - sm.OLS(Y, sm.add_constant(X[:, 1:])).fit().llf))
    for text in (fit.summary(), repr(fit), fit._repr_html_()):
        assert "intercept" in text


def test_frequency_weights_are_repeated_rows() -> None:
    again = np.repeat(np.arange(N), W.astype(int))
    for kind in ("model", "HC0", "HC1", "HC2", "HC3"):
        fit, oracle = fm.fit("linear", (X, Y), weights=W, cov=kind), fm.fit("linear", (X[again], Y[again]), cov=kind)
        close(fit.theta, oracle.theta, 1e-11)
        close(values(fit.bse), values(oracle.bse), 1e-10)
        close([fit.llf, fit.nobs, fit.aic, fit.rsquared], [oracle.llf, oracle.nobs, oracle.aic, oracle.rsquared], 1e-12)


def test_precision_weights() -> None:
    w = W + 0.5
    for kind in ("model", "HC0", "HC1", "HC2", "HC3"):
        fit, oracle = fm.fit("linear", (X, Y), weights=w, weight_kind="precision", cov=kind), sm.WLS(Y, centred(), weights=w).fit()
        agrees(fit, oracle if kind == "model" else oracle.get_robustcov_results(kind))
        close(fit.llf, oracle.llf, 1e-11)
    assert fit.nobs == N


def test_likelihood_of_the_constant_under_precision_weights() -> None:
    w = W + 0.5
    null = sm.WLS(Y, np.ones(N), weights=w).fit().llf
    close(fm.fit("linear", (X, Y), weights=w, weight_kind="precision").llf_null, null, 1e-12)
    levels = {"y": Y, "c": np.arange(N) % 50, "w": w}
    close(fm.fit("linear", levels, formula="y ~ C(c)", weights="w", weight_kind="precision").llf_null, null, 1e-12)


def test_sampling_weights() -> None:
    w = W + 0.5
    fit = fm.fit("linear", (X, Y), weights=w, weight_kind="sampling")
    beta = np.linalg.solve(DESIGN.T @ (DESIGN * w[:, None]), DESIGN.T @ (w * Y))
    bread = np.linalg.inv(DESIGN.T @ (DESIGN * w[:, None]))
    scores = DESIGN * (w * (Y - DESIGN @ beta))[:, None]
    close(fit.theta, beta, 1e-6)
    close(values(fit.bse), np.sqrt(np.diag(bread @ scores.T @ scores @ bread)), 1e-6)
    assert fit.aic is None and fit.nobs == N
    stream = fm.suffstats("linear", weight_kind="sampling").update((X, Y), weights=w).fit()
    close(stream.theta, fit.theta, 1e-12)
    close(values(stream.bse), values(fit.bse), 1e-8)


def test_clusters() -> None:
    groups = RNG.integers(0, 40, N)
    fit = fm.fit("linear", (X, Y), cov="cluster", cluster=groups)
    oracle = sm.OLS(Y, centred()).fit(cov_type="cluster", cov_kwds={"groups": groups})
    agrees(fit, oracle)


def test_degrees_of_freedom_of_clusters() -> None:
    groups = RNG.integers(0, 6, N)
    oracle = sm.OLS(Y, centred()).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    fit = fm.fit("linear", (X - X.mean(axis=0), Y), cov="cluster", cluster=groups)
    for got in (fit, fm.Fit.from_dict(json.loads(json.dumps(fit.to_dict())))):
        close(values(got.pvalues), oracle.pvalues, 1e-6)
        close(list(got.conf_int(0.9).values()), oracle.conf_int(0.1), 1e-7)
        ends = oracle.t_test(centred()[:20]).conf_int(alpha=0.05)  # its get_prediction() keeps n - p
        close(got.predict((X - X.mean(axis=0))[:20], interval="confidence").high, ends[:, 1], 1e-7)
        assert got.df_inference == 5 and got.df_resid == N - 4 and "t of 5 degrees of freedom" in got.summary()
    levels = {"y": Y, "c": np.arange(N) % 40, "g": groups}
    design = (levels["c"][:, None] == np.arange(40)) * 1.0
    wanted = sm.OLS(Y, design).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    coded = fm.fit("linear", levels, formula="y ~ C(c) - 1", cov="cluster", cluster="g")
    close(list(coded.conf_int().values()), wanted.conf_int(), 1e-7)


def test_no_intercept_and_held_parameters() -> None:
    fit, oracle = fm.fit("linear", (X, Y), intercept=False), sm.OLS(Y, X).fit()
    close(fit.theta, oracle.params, 1e-10)
    close(values(fit.bse), oracle.bse, 1e-10)
    close([fit.llf, fit.rsquared, fit.fvalue], [oracle.llf, oracle.rsquared, oracle.fvalue], 1e-10)
    robust = fm.fit("linear", (X, Y), intercept=False, cov="HC3")
    close(values(robust.bse), oracle.get_robustcov_results("HC3").bse, 1e-9)
    held = fm.fit("linear", (X, Y), fixed={"x1": -0.5, "intercept": 2.0})
    rest = sm.OLS(Y - 2.0 + 0.5 * X[:, 1], X[:, [0, 2]]).fit()
    close([held.params["x0"], held.params["x2"]], rest.params, 1e-10)
    close([held.bse["x0"], held.bse["x2"], held.bse["x1"] + 1.0], [*rest.bse, 1.0], 1e-10)
    close(held.llf, rest.llf, 1e-12)


def test_ridge() -> None:
    z = X - X.mean(axis=0)
    for alpha in (0.0, 3.0, 1e4):
        fit = fm.fit("ridge", (X, Y), alpha=alpha)
        beta = np.linalg.solve(z.T @ z + alpha * np.eye(3), z.T @ Y)
        close(fit.theta[1:], beta, 1e-9)
        close(fit.theta[0], Y.mean() - X.mean(axis=0) @ beta, 1e-9)
    assert list(fm.fit("ridge", (X, Y)).params) == ["intercept", *NAMES]


def test_predictions_and_residuals() -> None:
    fit, oracle = fm.fit("linear", (X, Y)), sm.OLS(Y, centred()).fit()
    frame = oracle.get_prediction(centred()[:50]).summary_frame(alpha=0.1)
    for interval, low, high in (("confidence", "mean_ci_lower", "mean_ci_upper"), ("prediction", "obs_ci_lower", "obs_ci_upper")):
        got = fit.predict(X[:50], interval=interval, level=0.9)
        close(got.mean, frame["mean"], 1e-9)
        close(got.low, frame[low], 1e-9)
        close(got.high, frame[high], 1e-9)
    np.testing.assert_allclose(fit.residuals((X, Y)), oracle.resid, atol=1e-8)
    assert [part.size for part in fit.predict(X[:0], interval="confidence")] == [0, 0, 0]
    for call in (lambda: fit.predict(X, trials=X[:, 0]), lambda: fit.residuals((X, Y), weights=Y)):
        with pytest.raises(fm.FamilyError, match=r"unknown option [tw]"):
            call()
    own = (np.arange(50) == 7).astype(float)
    for kind in ("HC2", "HC3"):  # a row that fits itself
        alone = fm.fit("linear", (np.column_stack([X[:50, 0], own]), Y[:50]), cov=kind)
        assert np.isnan(values(alone.bse)).all() and f"leverage 1 leaves {kind}" in alone.message
    data = {**dict(zip(NAMES, X.T, strict=True)), "y": Y}
    close(fit.predict(data), fit.predict(X), 1e-15)
    np.testing.assert_array_equal(fit.residuals(data), fit.residuals((X, Y)))


def test_every_way_to_read(tmp_path: Path) -> None:
    import polars as pl

    whole = fm.fit("linear", (X, Y), weights=W)
    data = {**dict(zip(NAMES, X.T.copy(), strict=True)), "y": Y, "w": W}
    frame = pl.DataFrame(data)
    frame.write_parquet(tmp_path / "d.parquet", row_group_size=700)
    named: dict[str, Any] = {"target": "y", "features": NAMES, "weights": "w"}

    def chunks() -> Any:
        for lo in range(0, N, 333):
            yield {k: v[lo : lo + 333] for k, v in data.items()}

    for source in (data, frame, str(tmp_path / "d.parquet"), chunks):
        for threads in (1, 2, 7):
            fit = fm.fit("linear", source, **named, threads=threads)
            assert np.array_equal(fit.theta, whole.theta) and np.array_equal(fit.cov, whole.cov) and fit.llf == whole.llf
    halves = fm.suffstats("linear", **{k: named[k] for k in ("target", "features")})
    other = fm.suffstats("linear", **{k: named[k] for k in ("target", "features")})
    first, second = ({k: v[s] for k, v in data.items()} for s in (slice(0, 1200), slice(1200, N)))
    merged = halves.update(first, weights=first["w"]) + other.update(second, weights=second["w"])
    close(merged.fit().theta, whole.theta, 1e-13)
    close(merged.fit().cov, whole.cov, 1e-11)
    close(merged.fit().llf, whole.llf, 1e-13)
    again = fm.Fit.from_dict(json.loads(json.dumps(whole.to_dict())))
    assert again.summary() == whole.summary() and again.predict(X[:3]).tolist() == whole.predict(X[:3]).tolist()


def test_types_and_offsets() -> None:
    ints = RNG.integers(-50, 50, (N, 2))
    y = ints @ [1.0, 2.0] + RNG.normal(size=N)
    for dtype in (np.float32, np.int64, np.int32, np.float64):
        columns = ints.astype(dtype)
        close(fm.fit("linear", (columns, y)).theta, sm.OLS(y, sm.add_constant(ints.astype(float))).fit().params, 1e-10)
    far = fm.fit("linear", (X + 1e9, Y))
    close(far.theta[1:], fm.fit("linear", ((X + 1e9) - 1e9, Y)).theta[1:], 1e-12)
    tiny = fm.fit("linear", (X * 1e-100, Y * 1e150))
    close(tiny.theta[1:] / 1e250, fm.fit("linear", (X, Y)).theta[1:], 1e-11)


def test_many_rows_in_float64_and_then_double_double() -> None:
    n = 60_000
    x = RNG.normal(size=(n, 20))
    y = x @ np.arange(20.0) + RNG.normal(size=n)
    fit, oracle = fm.fit("linear", (x, y)), sm.OLS(y, sm.add_constant(x)).fit()
    close(fit.theta[1:], oracle.params[1:], 1e-9)
    close(values(fit.bse), oracle.bse, 1e-10)
    near = x.copy()
    near[:, 1] = near[:, 0] + 1e-7 * near[:, 1]
    fit = fm.fit("linear", (near, y))
    assert fit.n_passes == 2
    z = near.copy()
    z[:, 1] = near[:, 1] - near[:, 0]  # exact
    rest = sm.OLS(y, sm.add_constant(z / np.array([1.0, 1e-7, *np.ones(18)]))).fit()
    close(fit.params["x1"], rest.params[2] * 1e7, 1e-8)


def test_surface() -> None:
    state = fm.suffstats("linear").update((X[:, :1], Y))
    fit = state.fit()
    grid = state.nll_surface([fit.params["intercept"], 0.0], [fit.params["x0"], 1.0, 5.0])
    assert grid.shape == (2, 3)
    assert grid[0, 0] == pytest.approx(fit.nll, rel=1e-13)
    rss = ((Y - 5.0 * X[:, 0]) ** 2).sum()
    assert grid[1, 2] == pytest.approx((N * np.log(2 * np.pi * fit.sigma**2) + rss / fit.sigma**2) / 2 / N, rel=1e-12)


@mpmath.workdps(50)
def test_errors_of_nearly_equal_columns() -> None:
    """The variance of the constant is what is left of terms of 1e18."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=60), rng.normal(size=60)
    for apart in (1e-4, 1e-7, 1e-9):
        columns = np.column_stack([x, x + apart * rng.normal(size=60)])
        a, b = mpmath.matrix(sm.add_constant(columns).tolist()), mpmath.matrix(y.tolist())
        for alpha in (0.0, 1e-19):
            ridge = mpmath.diag([0, alpha, alpha])
            inverse = (a.T * a + ridge) ** -1
            beta = inverse * (a.T * b)
            rest = b - a * beta
            cov = inverse * a.T * a * inverse * (rest.T * rest)[0] / 57
            fit = fm.fit("ridge" if alpha else "linear", (columns, y), **({"alpha": alpha} if alpha else {}))
            close(fit.theta, [float(v) for v in beta], 1e-9)
            close(values(fit.bse), [float(mpmath.sqrt(cov[j, j])) for j in range(3)], 1e-8)


@mpmath.workdps(60)
def exact_sandwich(design: Any, kind: str, score: Any, information: Any, groups: Any = None) -> Any:
    """B M B in 60 digits; `score` and `information` of a row are those at a fitted mean."""
    n, p = design.rows, design.cols
    turned = design.copy()
    for i in range(n):
        for j in range(p):
            turned[i, j] *= information[i]
    bread = (design.T * turned) ** -1
    rows = [design[i, :] * score[i] for i in range(n)]
    if kind == "HC3":
        leverage = [(design[i, :] * bread * design[i, :].T)[0] * information[i] for i in range(n)]
        rows = [row / (1 - h) for row, h in zip(rows, leverage, strict=True)]
    factor = mpmath.mpf(1)
    if kind == "cluster":
        rows = [sum((rows[i] for i in np.flatnonzero(groups == g)), mpmath.zeros(1, p)) for g in np.unique(groups)]
        factor = mpmath.mpf(len(rows)) / (len(rows) - 1) * (n - 1) / (n - p)
    meat = mpmath.zeros(p)
    for row in rows:
        meat += row.T * row
    return bread * meat * bread * factor


def nearly_equal(apart: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    return np.column_stack([x, x + apart * rng.normal(size=40)])


YEARS = np.arange(1980.0, 2020.0)
GROUPS = np.arange(40) // 5


@mpmath.workdps(60)
@pytest.mark.parametrize("kind", ["HC0", "HC3", "cluster"])
@pytest.mark.parametrize("columns", [nearly_equal(1e-4), nearly_equal(1e-6), np.column_stack([YEARS, YEARS**2, YEARS**3])])
def test_robust_errors_of_nearly_equal_columns(columns: np.ndarray, kind: str) -> None:
    """The product B M B would lose twice the digits that the covariance of the model does; half-widths of means as well."""
    y = 1.0 + np.random.default_rng(3).normal(size=40)
    design = mpmath.matrix(sm.add_constant(columns).tolist())
    target = mpmath.matrix(y.tolist())
    rest = target - design * ((design.T * design) ** -1 * (design.T * target))
    cov = exact_sandwich(design, kind, list(rest), [mpmath.mpf(1)] * 40, GROUPS)
    fit = fm.fit("linear", (columns, y), cov=kind, **({"cluster": GROUPS} if kind == "cluster" else {}))
    close(values(fit.bse), [float(mpmath.sqrt(cov[j, j])) for j in range(cov.rows)], 1e-8)
    half = [float(mpmath.sqrt((design[i, :] * cov * design[i, :].T)[0])) for i in range(40)]
    for got in (fit, fm.Fit.from_dict(json.loads(json.dumps(fit.to_dict())))):
        at = got.predict(columns, interval="confidence")
        close((at.high - at.low) / (2.0 * got._quantile(0.95)), half, 1e-7)


def test_repeated_columns() -> None:
    twice = np.column_stack([X, X[:, 0] - 2.0 * X[:, 1]])
    with pytest.raises(fm.DataError, match=r"'x3' is a linear combination of .*x0, x1"):
        fm.fit("linear", (twice, Y))
    with pytest.raises(fm.DataError, match=r"'x3' is constant"):
        fm.fit("linear", (np.column_stack([X, np.full(N, 3.0)]), Y))
    fit = fm.fit("linear", (np.column_stack([X[:, :1], X]), Y), rank_deficient="drop")
    assert fit.dropped == ("x1",) and "x1" in fit.summary() and "x1" not in fit.params
    close(values(fit.params), values(fm.fit("linear", (X, Y)).params), 1e-12)
    close(fit.predict(np.column_stack([X[:, :1], X])), fm.fit("linear", (X, Y)).predict(X), 1e-12)
    robust = fm.fit("linear", (np.column_stack([X[:, :1], X]), Y), rank_deficient="drop", cov="HC1")
    close(values(robust.bse), values(fm.fit("linear", (X, Y), cov="HC1").bse), 1e-11)


def test_degenerate() -> None:
    fit = fm.fit("linear", (X[:4], Y[:4]))
    assert fit.status == "degenerate" and np.isnan(fit.bse["x0"])
    fit = fm.fit("linear", (X, 3.0 + X[:, 0]))
    assert fit.status == "degenerate" and fit.sigma < 1e-12
    with pytest.raises(fm.DataError, match=r"linear combination|constant"):
        fm.fit("linear", (X[:2], Y[:2]))


def test_bad_input() -> None:
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(fm.DataError, match="'x1', row 7"):
        fm.fit("linear", (bad, Y))
    fit = fm.fit("linear", (bad, Y), nulls="drop", cov="HC0")
    close(fit.theta, fm.fit("linear", (np.delete(X, 7, 0), np.delete(Y, 7))).theta, 1e-12)
    assert fit.nobs_dropped == 1
    bad[7, 1] = np.inf
    with pytest.raises(fm.DataError, match="'x1', row 7"):
        fm.fit("linear", (bad, Y))
    for call, words in (
        (lambda: fm.fit("linear", X), "target="),
        (lambda: fm.fit("linear", (X, Y[:-1])), "rows"),
        (lambda: fm.fit("linear", {"a": X[:, 0], "y": Y}, target="y", features=["b"]), "no column 'b'"),
        (lambda: fm.fit("linear", (X, Y), cov="HC9"), "cov is one of"),
        (lambda: fm.fit("linear", (X, Y), cov="cluster"), "cluster"),
        (lambda: fm.fit("linear", (X, Y), link="log"), "unknown option link"),
        (lambda: fm.fit("gaussian", Y, target="y"), "target= is for regressions"),
        (lambda: fm.fit("linear", (X, Y), fixed={"q": 1.0}), "got q"),
        (lambda: fm.fit("linear", (X, Y), precision="more"), "precision"),
        (lambda: fm.fit("linear", (X, Y), column="x0"), "target="),
        (lambda: fm.fit("linear", (X, Y), weights=np.zeros(N)), "all weights are zero"),
        (lambda: fm.fit("linear", (X, Y), weights=-W - 1), "row 0"),
        (lambda: fm.suffstats("linear", target="y"), "belong together"),
        (lambda: fm.suffstats("logistic"), "several passes"),
    ):
        with pytest.raises((fm.DataError, fm.FamilyError), match=words):
            call()
