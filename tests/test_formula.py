"""Formulas: against statsmodels on the shipped flights, levels, and what is wrong with a formula."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf

import fastmle as fm
from fastmle.data import flights

DATA = pl.read_parquet(flights()).select("arr_delay", "dep_delay", "distance", "hour", "carrier", "origin")
HEAD = DATA.drop_nulls().head(20_000)
FORMULA = "arr_delay ~ dep_delay + distance + hour + carrier"


def in_order(fit: fm.Fit, oracle: Any) -> np.ndarray:
    names = {"intercept": "Intercept"}
    return np.array([oracle.params[names.get(n, n)] for n in fit.params])


def test_flights() -> None:
    fit = fm.fit("linear", str(flights()), formula=FORMULA, nulls="drop")
    oracle = smf.ols(FORMULA, DATA.to_pandas()).fit()
    np.testing.assert_allclose(list(fit.params.values()), in_order(fit, oracle), rtol=1e-8)
    assert fit.llf == pytest.approx(oracle.llf, rel=1e-12)
    assert fit.nobs_dropped == 9_430
    np.testing.assert_allclose(fit.predict(HEAD)[:50], oracle.predict(HEAD.to_pandas())[:50], rtol=1e-8)


def test_logistic_with_interactions_in_chunks() -> None:
    formula = "I(arr_delay > 15) ~ dep_delay * C(origin) - 1"
    fit = fm.fit("logistic", HEAD, formula=formula)
    assert "intercept" not in fit.params and len(fit.params) == 6

    def chunks() -> Iterator[pl.DataFrame]:
        yield from HEAD.iter_slices(3_000)

    for data in (chunks, HEAD.to_pandas(), HEAD.to_dict(as_series=False), HEAD.lazy()):
        other = fm.fit("logistic", data, formula=formula)
        np.testing.assert_allclose(other.theta, fit.theta, rtol=1e-12)
    again = fm.Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    np.testing.assert_array_equal(again.predict(HEAD), fit.predict(HEAD))
    assert np.isfinite(fit.residuals(HEAD, "deviance")).all()


def test_nulls_are_nulls() -> None:
    holes = HEAD.with_columns(carrier=pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("carrier"))
    assert fm.fit("linear", holes, formula=FORMULA, nulls="drop").nobs_dropped == 1
    with pytest.raises(fm.DataError, match="row 5"):
        fm.fit("linear", holes, formula=FORMULA)


def test_mistakes() -> None:
    fit = fm.fit("linear", HEAD, formula=FORMULA)
    with pytest.raises(fm.DataError, match="the level 'QQ' was not in the fit"):
        fit.predict(HEAD.head(2).with_columns(carrier=pl.lit("QQ")))
    with pytest.raises(fm.DataError, match="the level 'QQ' was not in the fit"):  # and no warning of pandas
        fit.predict({name: ["QQ"] if name == "carrier" else HEAD[name][:1].to_numpy() for name in HEAD.columns})
    for formula, words in (
        ("arr_delay ~ nobody", "no column 'nobody'"),
        ("arr_delay + ~", "cannot be read"),
        ("arr_delay ~ ((", r"cannot be read: [^\x1b\n]*$"),
        ("arr_delay ~ hour | carrier", "several parts"),
        ("dep_delay", "no target"),
        ("arr_delay ~ dep_delay + I(2 * dep_delay)", "linear combination of dep_delay"),
        ("arr_delay ~ poly(distance, 2)", "poly.*needs all rows at once"),
        ("arr_delay ~ dep_delay:scale(distance)", "scale.*needs all rows at once"),
        ("arr_delay + dep_delay ~ distance", "makes 2 columns"),
        ("carrier ~ distance", "is a categorical"),
        ("arr_delay ~ carrier:C(hour):origin", "columns, at most 500"),
    ):
        with pytest.raises((fm.DataError, fm.FamilyError), match=words):
            fm.fit("linear", HEAD, formula=formula)
    with pytest.raises(fm.FamilyError, match="not both"):
        fm.fit("linear", HEAD, formula=FORMULA, target="arr_delay")


def test_levels_of_rows_that_do_not_count_have_no_column() -> None:
    """Flights of hour 1 were all cancelled: their delay is null."""
    fit = fm.fit("linear", DATA, formula="arr_delay ~ dep_delay + C(hour)", nulls="drop")
    oracle = smf.ols("arr_delay ~ dep_delay + C(hour)", DATA.drop_nulls().to_pandas()).fit()
    np.testing.assert_allclose(list(fit.params.values()), in_order(fit, oracle), rtol=1e-8)
    weights = (DATA["hour"] != 5).cast(pl.Float64)
    fit = fm.fit("linear", DATA.with_columns(w=weights), formula="arr_delay ~ dep_delay + C(hour)", nulls="drop", weights="w")
    rest = fm.fit("linear", DATA.filter(pl.col("hour") != 5), formula="arr_delay ~ dep_delay + C(hour)", nulls="drop")
    assert list(fit.params) == list(rest.params) and "C(hour)[T.6]" not in fit.params
    np.testing.assert_allclose(fit.theta, rest.theta, rtol=1e-10)
    for same in (DATA.to_pandas(), DATA.to_dict(), DATA.lazy()):
        other = fm.fit("linear", same, formula="arr_delay ~ dep_delay + C(hour)", nulls="drop")
        assert len(other.params) == len(rest.params) + 1
    empty = HEAD.head(40).with_columns(carrier=pl.lit(None, pl.String))
    with pytest.raises(fm.DataError, match="'carrier': no row without a null"):
        fm.fit("linear", empty, formula="arr_delay ~ dep_delay + C(carrier)", nulls="drop")


def test_more_mistakes() -> None:
    few = HEAD.head(200)
    for call, words in (
        (lambda: fm.fit("linear", few.filter(pl.col("origin") == "JFK"), formula="arr_delay ~ origin"), "origin has one level only"),
        (lambda: fm.fit("poisson_regression", few, formula="hour ~ distance", offset=np.zeros(50)), "offset has 50 rows"),
        (lambda: fm.fit("poisson_regression", few, formula="hour ~ distance", offset=np.zeros(250)), "offset has 250 rows.*200"),
        (lambda: fm.fit("linear", few, formula="arr_delay ~ distance", weights="carrier"), "column 'carrier' has type.*number"),
        (lambda: fm.fit("linear", "/nowhere/at/all.parquet", formula="y ~ x"), "not found"),
        (lambda: fm.suffstats("linear", formula="arr_delay ~ distance"), "not a formula"),
    ):
        with pytest.raises((fm.DataError, fm.FamilyError), match=words):
            call()
    fit = fm.fit("linear", few, formula="arr_delay ~ distance")
    assert np.isnan(fit.predict({"distance": [500.0, None]})).tolist() == [False, True]
    with pytest.raises(fm.DataError, match="other columns of these data"):
        fit.predict({"distance": ["far", "near"]})


def test_clusters_of_text() -> None:
    for formula in ("arr_delay ~ dep_delay + hour", "arr_delay ~ dep_delay + C(hour)"):
        fit = fm.fit("linear", HEAD, formula=formula, cov="cluster", cluster="carrier")
        oracle = smf.ols(formula, HEAD.to_pandas()).fit(cov_type="cluster", cov_kwds={"groups": HEAD["carrier"].to_numpy()})
        np.testing.assert_allclose(fit.bse["dep_delay"], oracle.bse["dep_delay"], rtol=1e-8)


def test_a_name_that_begins_another() -> None:
    """C(ab) makes no categorical of a."""
    rng = np.random.default_rng(1)
    data = {"a": rng.normal(size=300), "ab": np.repeat([0.0, 1.0, 2.0], 100)}
    data["y"] = data["a"] + data["ab"] ** 2 + rng.normal(size=300)
    for formula in ("y ~ a + C(ab)", "y ~ a * C( ab )"):
        fit, oracle = fm.fit("linear", data, formula=formula), smf.ols(formula, pl.DataFrame(data).to_pandas()).fit()
        assert len(fit.params) == len(oracle.params)
        np.testing.assert_allclose(fit.llf, oracle.llf, rtol=1e-12)
        np.testing.assert_allclose(fit.params["a"], oracle.params["a"], rtol=1e-9)


@pytest.mark.filterwarnings("error")
def test_terms_that_chunks_would_change_are_refused() -> None:
    rng = np.random.default_rng(2)
    data = {"g": np.r_[np.arange(100) % 2, np.arange(100) % 3] + 0.0, "x": rng.normal(size=200), "y": rng.normal(size=200)}
    for right, words in (
        ("I(x - x.mean())", r"I\(x - x.mean\(\)\) needs all rows"),
        ("I(x.cumsum())", "needs all rows"),
        ("np.sin(x - np.max(x))", "needs all rows"),
        ("C(np.floor(g))", "C.. takes a column by itself"),
        ("C(g > 1)", "C.. takes a column by itself"),
        ("g:x + C(g)", "both in C.g. and a number"),
        ("x | g", "has several parts"),
    ):
        with pytest.raises((fm.FamilyError, fm.DataError), match=words):
            fm.fit("linear", data, formula=f"y ~ {right}")
    with pytest.raises(fm.FamilyError, match="needs all rows"):
        fm.fit("linear", data, formula="I(y / y.max()) ~ x")
    with pytest.raises(fm.DataError, match=r"row [0-9]+.*null"):
        fm.fit("linear", data, formula="y ~ np.log(x)")  # and numpy does not warn
    with pytest.raises(fm.DataError, match="several types"):
        fm.fit("linear", {**data, "s": np.array(["a", 1] * 100, object)}, formula="y ~ s")
    with pytest.raises(fm.FamilyError, match="cannot be called 'Intercept'"):
        fm.fit("linear", {"Intercept": data["x"], "y": data["y"]}, formula="y ~ Intercept")
    fit = fm.fit("linear", data, formula="y ~ C(`g`)")
    assert list(fit.params) == ["intercept", "C(`g`)[T.1.0]", "C(`g`)[T.2.0]"]


@pytest.mark.filterwarnings("error")
def test_truth_values_with_nulls() -> None:
    rng = np.random.default_rng(3)
    yes = [None if i in (5, 70) else bool(i % 3) for i in range(200)]
    x, y = rng.normal(size=200), rng.normal(size=200)
    frame = pl.DataFrame({"x": x, "y": y, "yes": yes})
    kept = frame.drop_nulls().with_columns(pl.col("yes").cast(pl.Float64)).to_pandas()
    oracle = smf.ols("y ~ x * yes", kept).fit()
    pandas = frame.to_pandas().astype({"yes": "boolean"})
    for data in (frame, frame.lazy(), frame.to_dict(as_series=False), pandas):
        fit = fm.fit("linear", data, formula="y ~ x * yes", nulls="drop")
        assert fit.nobs_dropped == 2
        np.testing.assert_allclose(list(fit.params.values()), in_order(fit, oracle), rtol=1e-9)
    with pytest.raises(fm.DataError, match="'s' has type Decimal"):
        fm.fit("linear", frame.with_columns(s=pl.col("x").cast(pl.Decimal(10, 3))), formula="y ~ s")


def test_a_model_without_intercept_wants_a_formula_without() -> None:
    d = {"y": np.arange(20.0) ** 1.1, "a": np.arange(20.0)}
    for model in (fm.LinearRegression(intercept=False), fm.RidgeRegression(alpha=1.0, intercept=False)):
        with pytest.raises(fm.FamilyError, match="'- 1'"):
            fm.fit(model, d, formula="y ~ a")
        without = fm.fit(model, d, formula="y ~ a - 1").params
        assert without == fm.fit(model, d, target="y", features=["a"]).params
    with pytest.raises(fm.FamilyError, match="'- 1'"):
        fm.fit("poisson_regression", d, formula="y ~ a", intercept=False)


@pytest.mark.parametrize("name", ["logistic", "probit", "poisson_regression", "gamma_regression"])
def test_rows_left_out_are_counted_whatever_the_way_to_the_maximum(name: str) -> None:
    rng, n = np.random.default_rng(3), 400_000
    a = rng.normal(size=n)
    y = {"logistic": a + rng.logistic(size=n) > 0, "probit": a + rng.normal(size=n) > 0}.get(name)
    y = rng.gamma(2.0, np.exp(0.3 * a)) + 1e-3 if name == "gamma_regression" else rng.poisson(np.exp(0.3 * a)) if y is None else y
    a[::7] = np.nan
    d = {"y": np.asarray(y, float), "a": a}
    for options in ({"formula": "y ~ a"}, {"target": "y", "features": ["a"]}):
        fit = fm.fit(name, d, nulls="drop", **options)
        assert (fit.nobs, fit.nobs_dropped) == (n - len(a[::7]), len(a[::7]))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": np.arange(20.0), "y": np.arange(5.0)}, "column 'y' has 5 rows, others have more"),
        ({"a": np.arange(5.0), "y": np.arange(20.0)}, "column 'a' has 5 rows, others have more"),
        ({"a": np.ones((20, 2)), "y": np.arange(20.0)}, "column 'a' has 2 dimensions"),
        ({"a": 3.0, "y": np.arange(20.0)}, "column 'a' has 0 dimensions"),
        ({"a": [[1], [1, 2]], "y": np.arange(2.0)}, "column 'a': .*inhomogeneous"),
    ],
)
def test_columns_of_a_mapping_that_are_none(columns: Any, said: str) -> None:
    with pytest.raises(fm.DataError, match=said):
        fm.fit("linear", columns, formula="y ~ a")


def test_a_short_column_that_is_not_wanted_loses_no_rows() -> None:
    n = 200_000
    d = {"short": np.arange(3.0), "a": np.arange(n, dtype=float), "y": np.arange(n) ** 1.1}
    assert fm.fit("linear", d, formula="y ~ a").nobs == n


def test_times_are_no_numbers_but_may_be_levels() -> None:
    days = [date(2020, 1, 1 + i // 10) for i in range(40)]
    frame = pl.DataFrame({"d": days, "y": np.arange(40.0)})
    for data in (frame, frame.lazy(), frame.to_pandas().assign(d=lambda f: f["d"].astype("datetime64[ns]"))):
        with pytest.raises(fm.DataError, match=r"column 'd' has type (Date|datetime).*C\(d\)"):
            fm.fit("linear", data, formula="y ~ d")
        assert list(fm.fit("linear", data, formula="y ~ C(d)").params.values())[:4] == pytest.approx([4.5, 10.0, 20.0, 30.0])
