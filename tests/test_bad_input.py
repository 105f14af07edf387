"""What cannot be fitted says so, and where; never a number made up."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import CASES

import fastmle as fm

GOOD = np.random.default_rng(0).gamma(2.0, 3.0, 10_000)


@pytest.mark.parametrize("row", [0, 4095, 4096, 9_999])
@pytest.mark.parametrize(("bad", "said"), [(math.nan, "null"), (math.inf, "finite"), (-1.0, "outside the support")])
def test_a_bad_row_is_named(row: int, bad: float, said: str) -> None:
    x = GOOD.copy()
    x[row] = bad
    for data in (x, lambda: (x[a : a + 777] for a in range(0, x.size, 777))):
        with pytest.raises(fm.DataError, match=said) as error:
            fm.fit("gamma", data)
        assert (error.value.column, error.value.row) == ("x", row)


@pytest.mark.parametrize(("name", "bad"), [(n, v) for n, c in CASES.items() for v in c.outside])
def test_outside_the_support(name: str, bad: float) -> None:
    x = CASES[name].sample(np.random.default_rng(0), 100)
    fit = fm.fit(name, x)
    x[50] = bad
    with pytest.raises(fm.DataError, match="row 50"):
        fm.fit(name, x)
    assert fm.loglik(name, x, fit.params) == -math.inf


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (np.empty(0), {}, "no rows"),
        (np.full(5, np.nan), {"nulls": "drop"}, "are null"),
        (GOOD, {"weights": np.zeros(GOOD.size)}, "weights are zero"),
        (GOOD, {"weights": -np.ones(GOOD.size)}, "row 0"),
        (GOOD, {"weights": np.ones(3)}, "3"),
        ({"a": GOOD, "b": GOOD}, {"column": "c"}, "c"),
        ({"a": ["x", "y"]}, {"column": "a"}, "a"),
        ("nowhere.parquet", {}, "nowhere"),
    ],
)
def test_data_that_cannot_be(data: object, options: dict[str, object], said: str) -> None:
    with pytest.raises(fm.DataError, match=said):
        fm.fit("gaussian", data, **options)


def test_unknown_names() -> None:
    with pytest.raises(fm.FamilyError, match="gaussian"):
        fm.fit("gausian", GOOD)
    with pytest.raises(fm.FamilyError, match="wibble"):
        fm.fit("gaussian", GOOD, wibble=1)
    with pytest.raises(fm.FamilyError, match="sigma"):
        fm.loglik("gaussian", GOOD, mu=0.0, sigma=-1.0)
    with pytest.raises(fm.FamilyError, match="several passes"):
        fm.suffstats("weibull")
    with pytest.raises(fm.DataError, match="callable"):
        fm.fit("weibull", iter([GOOD]))


@pytest.mark.parametrize(
    ("name", "x", "status"),
    [
        ("gaussian", [2.0, 2.0, 2.0], "degenerate"),
        ("gaussian", [2.0], "degenerate"),
        ("gamma", [0.1] * 9, "degenerate"),
        ("weibull", [0.1] * 9, "degenerate"),
        ("uniform", [1.0, 1.0], "degenerate"),
        ("bernoulli", [0, 0, 0], "boundary"),
        ("bernoulli", [1, 1], "boundary"),
        ("poisson", [0, 0], "boundary"),
        ("negative_binomial", [1, 2, 3, 2, 2], "boundary"),
    ],
)
def test_status_says_what_is_wrong(name: str, x: list[float], status: str) -> None:
    fit = fm.fit(name, np.array(x))
    assert fit.status == status
    assert all(math.isnan(e) for e in fit.bse.values())
    with pytest.raises(fm.ConvergenceError):
        fm.fit(name, np.array(x), strict=True)


def test_a_failed_update_leaves_the_state_as_it_was() -> None:
    state = fm.suffstats("gamma").update(GOOD)
    before = state.to_bytes()
    for bad in (np.append(GOOD[:10], -1.0), np.append(GOOD, np.nan)):
        with pytest.raises(fm.DataError):
            state.update(bad)
        assert state.to_bytes() == before


def test_a_truncated_file(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "x.parquet"
    pl.DataFrame({"x": GOOD}).write_parquet(path)
    assert fm.fit("gamma", path).params == fm.fit("gamma", GOOD).params
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(fm.DataError, match=r"x\.parquet"):
        fm.fit("gamma", path)


def test_eight_threads_at_once() -> None:
    x = np.random.default_rng(0).gamma(2.0, 3.0, 300_000)
    expected = fm.fit("gamma", x).llf
    got: list[float] = []
    threads = [threading.Thread(target=lambda: got.append(fm.fit("gamma", x).llf)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected] * 8


def test_an_outlier_first_does_not_spoil_the_anchor() -> None:
    x = np.random.default_rng(0).normal(size=3_000_000)
    x[:4096] += 1e8
    fit = fm.fit("gaussian", x)
    assert fit.params.sigma == pytest.approx(float(np.std(x.astype(np.longdouble))), rel=1e-12)
