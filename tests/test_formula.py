"""Formulas: against statsmodels on the shipped flights, levels, and what is wrong with a formula."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
