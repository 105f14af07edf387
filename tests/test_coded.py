"""Categoricals of many levels, whose columns never exist: against statsmodels with the columns written out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import fastmle as fm

RNG = np.random.default_rng(8)
N = 8_000
G, H = RNG.integers(0, 60, N), RNG.integers(0, 40, N)
X = RNG.normal(size=N) + 0.1 * G
ETA = 0.3 * X + 0.5 * RNG.normal(size=60)[G] + 0.3 * RNG.normal(size=40)[H]
Z = pl.Series("g", [f"g{i:02d}" for i in G])
DATA = pl.DataFrame(
    {
        "y": ETA + RNG.normal(size=N), "b": (RNG.random(N) < 1 / (1 + np.exp(-0.3 * ETA))) * 1.0,
        "c": RNG.poisson(np.exp(0.2 * ETA)) * 1.0,
        "x": X, "g": Z, "h": H, "w": RNG.integers(0, 4, N) * 1.0, "o": 0.1 * RNG.normal(size=N), "k": RNG.integers(0, 50, N),
    }
)  # fmt: skip
FRAME = DATA.to_pandas()
RIGHT = "x + g + C(h)"


def agrees(fit: Any, oracle: Any, errors: Any = None) -> None:
    names = ["Intercept" if n == "intercept" else n for n in fit.params]
    np.testing.assert_allclose(list(fit.params.values()), oracle.params[names], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(list(fit.bse.values()), (oracle.bse if errors is None else errors)[names], rtol=1e-6)


@pytest.mark.parametrize("kind", ["model", "HC0", "HC1", "cluster"])
def test_linear(kind: str) -> None:
    cluster = {"cluster": "k"} if kind == "cluster" else {}
    fit = fm.fit("linear", DATA, formula=f"y ~ {RIGHT}", cov=kind, **cluster)
    groups = {"groups": DATA["k"].to_numpy()} if cluster else None
    options: dict[str, Any] = {} if kind == "model" else {"cov_type": kind, "cov_kwds": groups}
    oracle = smf.ols(f"y ~ {RIGHT}", FRAME).fit(**options)
    agrees(fit, oracle)
    assert fit.n_passes == 1 + (kind != "model") and fit.cov_type == kind and fit.score_norm < 1e-6
    np.testing.assert_allclose(fit.llf, oracle.llf, rtol=1e-10)
    np.testing.assert_allclose([fit.rsquared, fit.rsquared_adj], [oracle.rsquared, oracle.rsquared_adj], rtol=1e-9)
    if kind == "model":
        np.testing.assert_allclose([fit.fvalue, fit.sigma_unbiased**2], [oracle.fvalue, oracle.mse_resid], rtol=1e-9)
        frame = oracle.get_prediction(FRAME[:300]).summary_frame(alpha=0.1)
        got = fit.predict(DATA.head(300), interval="prediction", level=0.9)
        np.testing.assert_allclose(got.low, frame["obs_ci_lower"], rtol=1e-8)
        np.testing.assert_allclose(got.mean, frame["mean"], rtol=1e-8)
        np.testing.assert_allclose(fit.residuals(DATA), oracle.resid, atol=1e-9)


def test_weights() -> None:
    design, w = smf.ols(f"y ~ {RIGHT}", FRAME).exog, FRAME["w"].to_numpy()
    names = smf.ols(f"y ~ {RIGHT}", FRAME).exog_names
    many = smf.ols(f"y ~ {RIGHT}", FRAME.loc[FRAME.index.repeat(FRAME["w"].astype(int))]).fit()
    fit = fm.fit("linear", DATA, formula=f"y ~ {RIGHT}", weights="w")
    agrees(fit, many)
    assert fit.nobs == w.sum()
    np.testing.assert_allclose([fit.llf, fit.aic], [many.llf, many.aic + 2], rtol=1e-10)
    precise = fm.fit("linear", DATA.filter(pl.col("w") > 0), formula=f"y ~ {RIGHT}", weights="w", weight_kind="precision")
    weighted = smf.wls(f"y ~ {RIGHT}", FRAME[FRAME["w"] > 0], weights=FRAME["w"][FRAME["w"] > 0]).fit()
    agrees(precise, weighted)
    np.testing.assert_allclose(precise.llf, weighted.llf, rtol=1e-10)
    sample = fm.fit("linear", DATA, formula=f"y ~ {RIGHT}", weights="w", weight_kind="sampling")
    bread = np.linalg.inv(design.T @ (design * w[:, None]))
    scores = design * (w * (FRAME["y"].to_numpy() - design @ many.params))[:, None]
    naive = dict(zip(names, np.sqrt(np.diag(bread @ scores.T @ scores @ bread)), strict=True))
    for name, error in sample.bse.items():
        assert error == pytest.approx(naive["Intercept" if name == "intercept" else name], rel=1e-6)


@pytest.mark.parametrize(
    ("family", "target", "oracle"), [("logistic", "b", sm.families.Binomial()), ("poisson_regression", "c", sm.families.Poisson())]
)
def test_generalized(family: str, target: str, oracle: Any) -> None:
    for right in (RIGHT, f"{RIGHT} - 1"):
        formula = f"{target} ~ {right}"
        fit = fm.fit(family, DATA, formula=formula, offset="o", weights="w")
        model = smf.glm(formula, FRAME, family=oracle, offset=FRAME["o"], freq_weights=FRAME["w"]).fit(tol=1e-14)
        agrees(fit, model)
        assert fit.status == "ok" and fit.score_norm < 1e-6 and ("intercept" in fit.params) == (right == RIGHT)
        np.testing.assert_allclose([fit.llf, fit.deviance], [model.llf, model.deviance], rtol=1e-10)
        np.testing.assert_allclose(fit.predict(DATA, offset="o"), model.mu, rtol=1e-8)
    robust = fm.fit(family, DATA, formula=formula, offset="o", weights="w", cov="HC0")
    x, mu, w = model.model.exog, np.asarray(model.mu), FRAME["w"].to_numpy()
    spread = mu * (1 - mu) if family == "logistic" else mu
    bread = np.linalg.inv(x.T @ (x * (w * spread)[:, None]))
    meat = x.T @ (x * (w * (FRAME[target].to_numpy() - mu) ** 2)[:, None])
    errors = dict(zip(model.model.exog_names, np.sqrt(np.diag(bread @ meat @ bread)), strict=True))
    np.testing.assert_allclose(list(robust.bse.values()), [errors[n] for n in robust.bse], rtol=1e-6)


def test_the_same_bits_for_all_chunks_and_threads(tmp_path: Any) -> None:
    many = pl.concat([DATA] * 20)  # three places of 2^16 rows
    many.write_parquet(tmp_path / "d.parquet", row_group_size=9_999)

    def chunks() -> Iterator[pl.DataFrame]:
        yield from many.iter_slices(3_333)

    for family, formula in (("linear", f"y ~ {RIGHT}"), ("logistic", f"b ~ {RIGHT}")):
        whole = fm.fit(family, many, formula=formula, threads=1)
        for source, threads in ((many, 2), (chunks, 7), (str(tmp_path / "d.parquet"), 2)):
            fit = fm.fit(family, source, formula=formula, threads=threads)
            assert fit.theta.tobytes() == whole.theta.tobytes() and fit.cov.tobytes() == whole.cov.tobytes() and fit.llf == whole.llf


def test_ridge_held_coefficients_and_json() -> None:
    x = smf.ols("y ~ x + g", FRAME).exog
    held = fm.fit("linear", DATA, formula="y ~ x + g", fixed={"g[T.g05]": 0.25, "x": 0.3})
    keep = [i for i, n in enumerate(smf.ols("y ~ x + g", FRAME).exog_names) if n not in ("g[T.g05]", "x")]
    y = FRAME["y"].to_numpy() - 0.3 * X - 0.25 * (G == 5)
    rest = sm.OLS(y, x[:, keep]).fit()
    free = [n for n in held.params if n not in held.fixed]
    np.testing.assert_allclose([held.params[n] for n in free], rest.params, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose([held.bse[n] for n in free], rest.bse, rtol=1e-8)
    ridge = fm.fit("ridge", DATA, formula="y ~ x + g", alpha=3.0)
    z = x - np.r_[0.0, x[:, 1:].mean(axis=0)]
    beta = np.linalg.solve(z.T @ z + 3.0 * np.diag(np.r_[0.0, np.ones(60)]), z.T @ FRAME["y"].to_numpy())
    np.testing.assert_allclose([v for n, v in ridge.params.items() if n != "intercept"], beta[[60, *range(1, 60)]], rtol=1e-8)
    again = fm.Fit.from_dict(json.loads(json.dumps(held.to_dict())))
    np.testing.assert_array_equal(again.predict(DATA), held.predict(DATA))
    assert again.summary() == held.summary()


def test_what_is_wrong_is_named() -> None:
    holes = DATA.with_columns(g=pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("g"))
    with pytest.raises(fm.DataError, match="column 'g', row 5: the value is null"):
        fm.fit("linear", holes, formula="y ~ x + g")
    fit = fm.fit("linear", holes, formula="y ~ x + g", nulls="drop")
    other = fm.fit("linear", DATA.filter(pl.int_range(pl.len()) != 5), formula="y ~ x + g")
    assert fit.nobs_dropped == 1 and fit.nobs == N - 1
    np.testing.assert_allclose(fit.theta, other.theta, rtol=1e-11)
    with pytest.raises(fm.DataError, match="column 'g', row 1: the level 'g99' was not in the fit"):
        fit.predict(DATA.head(3).with_columns(g=pl.Series(["g00", "g99", "g01"])))
    with pytest.raises(fm.DataError, match="column 'x', row 3"):
        fm.fit("logistic", DATA.with_columns(x=pl.when(pl.int_range(pl.len()) == 3).then(np.inf).otherwise("x")), formula="b ~ x + g")
    with pytest.raises(fm.DataError, match=r"column 'b', row 4.*support"):
        fm.fit("logistic", DATA.with_columns(b=pl.when(pl.int_range(pl.len()) == 4).then(2.0).otherwise("b")), formula="b ~ x + g")
    with pytest.raises(fm.DataError, match="column 'i' has 8000 levels, at most 4096"):
        fm.fit("linear", DATA.with_columns(i=pl.int_range(pl.len())), formula="y ~ C(i)")
    with pytest.raises(fm.DataError, match="linear combination of"):
        fm.fit("linear", DATA.with_columns(z=pl.col("g").str.slice(1).cast(pl.Float64)), formula="y ~ g + z")
    dropped = fm.fit("linear", DATA.with_columns(g2=pl.col("g")), formula="y ~ x + g + g2", rank_deficient="drop")
    assert len(dropped.dropped) == 59 and dropped.llf == pytest.approx(fm.fit("linear", DATA, formula="y ~ x + g").llf)
    with pytest.raises(fm.FamilyError, match="HC3 is not offered"):
        fm.fit("linear", DATA, formula="y ~ x + g", cov="HC3")
    early = DATA.with_columns(b=pl.when(pl.col("g") == "g07").then(1.0).otherwise("b"))
    fit = fm.fit("logistic", early, formula="b ~ x + g")
    assert fit.status == "separated" and "g[T.g07]" in fit.message and np.isfinite(fit.params["g[T.g08]"])


@pytest.mark.filterwarnings("error")
def test_targets_that_the_levels_fit_without_error() -> None:
    number = pl.col("g").str.slice(1).cast(pl.Float64)
    for target in (number, number * 0.0, number * 0.0 + 3.0, number + 1e9):
        for right in ("g", "g - 1"):
            fit = fm.fit("linear", DATA.with_columns(y=target), formula=f"y ~ {right}")
            assert fit.status == "degenerate" and np.isnan(fit.llf) and fit.sigma == 0.0
            wanted = DATA.head(3).select(target.alias("y"))["y"].to_numpy()
            np.testing.assert_allclose(fit.predict(DATA.head(3)), wanted, rtol=1e-12, atol=1e-12)
