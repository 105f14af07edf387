"""What cannot be fitted says so, and where; never a number made up, never an error that is not ours."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmle as fm
from fastmle.families import ELSEWHERE, family_class

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

GOOD = np.random.default_rng(0).gamma(2.0, 3.0, 10_000)
PAIRS = GOOD.reshape(-1, 2)
OUTSIDE = [(name, value) for name, case in CASES.items() for value in case.outside]
ENDS = [(name, end) for name, case in CASES.items() for end in case.ends]


def family(name: str) -> fm.Family:
    return family_class(name)(**CASES[name].constants)


def labels(x: np.ndarray) -> tuple[str, ...]:
    return ("x",) if x.ndim == 1 else tuple(f"x{i}" for i in range(x.shape[1]))


# -- which row -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_the_first_bad_row_is_named_wherever_it_lies(name: str, data: st.DataObject) -> None:
    """In any block, chunk and thread's slice; further bad rows after it do not matter."""
    rows = 110_000
    x = CASES[name].sample(1, rows)
    row = data.draw(st.integers(0, rows - 1), label="row")
    bad = data.draw(st.sampled_from([math.nan, math.inf, -math.inf, *CASES[name].outside]), label="value")
    column = data.draw(st.integers(0, len(labels(x)) - 1), label="column")
    if x.ndim == 1:
        x[row] = bad
    else:
        x[row, column] = bad
    for later in data.draw(st.lists(st.integers(row + 1, rows), max_size=3), label="later"):
        x[later : later + 1] = math.nan
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, rows), max_size=5), label="cuts")), rows]
    for source, threads in ((x, 1), (x, 7), (lambda: (x[a:b] for a, b in pairwise(cuts)), 2)):
        with pytest.raises(fm.DataError) as error:
            fm.fit(family(name), source, threads=threads)
        where = error.value.row, error.value.column
        assert where == (row, labels(x)[column]) or (x.ndim > 1 and where[0] == row)
        assert f"row {row}" in str(error.value) and repr(where[1]) in str(error.value)
    if CASES[name].one_pass:
        state = fm.suffstats(family(name))
        before = [(a, b) for a, b in pairwise(cuts) if b <= row]
        for a, b in before:
            state.update(x[a:b])
        with pytest.raises(fm.DataError, match=f"row {row}"):
            state.update(x[cuts[len(before)] :])


@pytest.mark.parametrize(
    ("bad", "said"), [(math.nan, "null"), (math.inf, "finite"), (-math.inf, "finite"), (-1.0, "outside")]
)
@pytest.mark.parametrize("row", [0, 4095, 4096, 9_999])
def test_the_message_says_what_is_wrong(row: int, bad: float, said: str) -> None:
    x = GOOD.copy()
    x[row] = bad
    for name in ("gamma", "weibull"):
        with pytest.raises(fm.DataError, match=said) as error:
            fm.fit(name, {"waiting": x, "other": GOOD}, column="waiting")
        assert (error.value.column, error.value.row) == ("waiting", row)


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
@pytest.mark.parametrize("name", CASES)
def test_infinities_are_no_nulls(name: str, bad: float) -> None:
    x = CASES[name].sample(1, 5000)
    x[4321] = bad
    with pytest.raises(fm.DataError, match="row 4321"):
        fm.fit(family(name), x, nulls="drop")


@pytest.mark.parametrize(("name", "bad"), OUTSIDE)
def test_outside_the_support(name: str, bad: float) -> None:
    x = CASES[name].sample(0, 5000)
    fit = fm.fit(family(name), x)
    x[4500] = bad
    with pytest.raises(fm.DataError, match=r"row 4500.*outside the support"):
        fm.fit(family(name), x)
    assert fm.loglik(family(name), x, fit.params) == -math.inf


def test_arrow_nulls_have_rows_too() -> None:
    import polars as pl

    frame = pl.DataFrame({"a": [1.0, 2.0, None, 4.0], "b": [1, None, 3, 4]})
    with pytest.raises(fm.DataError, match=r"'a', row 2.*null"):
        fm.fit("gaussian", frame, column="a")
    with pytest.raises(fm.DataError, match=r"'b', row 1.*null"):
        fm.fit("poisson", frame, column="b")
    dropped = fm.fit("gaussian", frame, column="a", weights="b", nulls="drop")
    assert (dropped.nobs, dropped.nobs_dropped) == (5.0, 2)


# -- nothing to fit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_no_rows(name: str) -> None:
    empty = CASES[name].sample(0, 3)[:0]
    for nothing in (empty, lambda: iter([empty]), lambda: iter([empty, empty])):
        with pytest.raises(fm.DataError, match="no rows"):
            fm.fit(family(name), nothing)
    with pytest.raises(fm.DataError, match="no rows"):
        fm.loglik(family(name), empty, family(name).bind(labels(empty)).pack(CASES[name].usual))


@pytest.mark.parametrize("name", CASES)
def test_all_null(name: str) -> None:
    x = np.full_like(CASES[name].sample(0, 5000), math.nan)
    with pytest.raises(fm.DataError, match=r"row 0.*null"):
        fm.fit(family(name), x)
    with pytest.raises(fm.DataError, match=r"all 5000 rows .* null"):
        fm.fit(family(name), x, nulls="drop")


@pytest.mark.parametrize("name", CASES)
def test_all_weights_zero(name: str) -> None:
    x = CASES[name].sample(0, 5000)
    with pytest.raises(fm.DataError, match="weights are zero"):
        fm.fit(family(name), x, weights=np.zeros(5000))


def test_states_without_rows() -> None:
    state = fm.suffstats("gaussian")
    for empty in (
        state,
        state.update([]),
        fm.suffstats("gaussian", nulls="drop").update([math.nan, math.nan]),
    ):
        with pytest.raises(fm.DataError, match="no rows"):
            empty.fit()
        with pytest.raises(fm.DataError, match="no rows"):
            empty.loglik(mu=0.0, sigma=1.0)
        assert empty.nobs == 0.0
    assert state.update([1.0, 2.0]).fit().nobs == 2.0


# -- weights -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gaussian", "gamma", "poisson", "weibull", "mvn"])
@pytest.mark.parametrize("bad", [-1.0, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("row", [0, 4096, 4999])
def test_a_weight_that_cannot_be(name: str, bad: float, row: int) -> None:
    x, w = CASES[name].sample(0, 5000), np.ones(5000)
    w[row] = bad
    with pytest.raises(fm.DataError, match=f"'weights', row {row}.*(null.*drop|negative)") as error:
        fm.fit(name, x, weights=w)
    assert error.value.row == row
    named = {f"c{i}": c for i, c in enumerate(x.reshape(5000, -1).T)} | {"load": w}
    with pytest.raises(fm.DataError, match=f"'load', row {row}"):
        fm.fit(name, named, columns=[c for c in named if c != "load"], weights="load")


def test_files_that_differ(tmp_path: Path) -> None:
    for name, columns in (("m1", {"x": GOOD, "y": GOOD}), ("m2", {"y": GOOD})):
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(fm.DataError, match=r"m2\.parquet, which lacks the column 'x' of .*m1\.parquet, cannot be read"):
        fm.fit("gaussian", tmp_path / "m*.parquet", column="x")
    pl.DataFrame({"x": ["a", "b"], "y": [1.0, 2.0]}).write_parquet(tmp_path / "m2.parquet")
    with pytest.raises(fm.DataError, match=r"m2\.parquet, whose column 'x' has type String, in .*m1\.parquet Float64, cannot be read"):
        fm.fit("gaussian", tmp_path / "m*.parquet", column="x")


def test_categories_that_are_none() -> None:
    for text, said in ((["a", None, "a"], "one category only, 'a'"), ([None, None, None], "no (category|numeric)")):
        with pytest.raises(fm.DataError, match=said):
            fm.fit("categorical", pl.DataFrame({"g": pl.Series(text, dtype=pl.String)}))
    with pytest.raises(fm.DataError, match=r"row 1: .* of the categories a, b; any other text is -1"):
        fm.suffstats("categorical", categories=["a", "b"]).update(np.array(["a", "zz"]))


def test_names_of_families_elsewhere_are_understood() -> None:
    for name, meant in ELSEWHERE.items():
        with pytest.raises(fm.FamilyError, match=f"did you mean '{meant}'"):
            fm.fit(name, GOOD)
        assert family_class(meant).name == meant


def test_numbers_of_trials() -> None:
    d = {"y": np.array([0.0, 1.0] * 10), "a": np.arange(20.0), "t": np.ones(20)}
    d["t"][13] = -2.0
    with pytest.raises(fm.DataError, match="column 't', row 13: the value is -2, a number of trials is at least 0"):
        fm.fit("logistic", d, target="y", features=["a"], trials="t")
    with pytest.raises(fm.DataError, match="trials: there are none"):
        fm.fit("logistic", d | {"t": np.zeros(20)}, target="y", features=["a"], trials="t")


def test_lengths_of_weights() -> None:
    for weights in (np.ones(3), np.ones(10_001), [], np.ones((10_000, 2))):
        with pytest.raises(fm.DataError):
            fm.fit("gaussian", GOOD, weights=weights)
    with pytest.raises(fm.DataError, match="3"):
        fm.suffstats("gaussian").update(GOOD, weights=np.ones(3))
    with pytest.raises(fm.DataError, match=r"^weights: its type is <U1, a number is wanted"):
        fm.fit("gaussian", GOOD, weights=["a"] * 10_000)


# -- names and options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fm.fit("gausian", GOOD), "did you mean 'gaussian'"),
        (lambda: fm.fit("negative-binomial", GOOD), "did you mean 'negative_binomial'"),
        (lambda: fm.fit("zzz", GOOD), "there are .*gaussian"),
        (lambda: fm.fit(3, GOOD), "name or a family object"),
        (lambda: fm.fit("gaussian", GOOD, wibble=1), "wibble"),
        (lambda: fm.fit(fm.Gaussian(), GOOD, wibble=1), "wibble"),
        (lambda: fm.fit("gaussian", GOOD, weight_kind="freq"), "weight_kind.*frequency.*'freq'"),
        (lambda: fm.fit("gaussian", GOOD, nulls="ignore"), "nulls.*drop.*'ignore'"),
        (lambda: fm.fit("gaussian", GOOD, threads=0), "threads"),
        (lambda: fm.fit("gaussian", GOOD, threads=1.5), "threads"),
        (lambda: fm.fit("gaussian", GOOD, threads=True), "threads"),
        (lambda: fm.fit("gaussian", GOOD, device="tpu"), "device"),
        (lambda: fm.fit("gaussian", GOOD, keep="rows"), "keep"),
        (lambda: fm.fit("gaussian", GOOD, progress=5), "progress.*function.*5"),
        (lambda: fm.compare(GOOD, ["gaussian"], progress="yes"), "progress.*function.*yes"),
        (lambda: fm.fit("gaussian", GOOD, fixed="mu"), "fixed takes values by the names"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"mu": 1j}), "mu is one number"),
        (lambda: fm.suffstats("gaussian").update(GOOD).fit(fixed=["mu"]), "fixed takes values by the names"),
        (lambda: fm.suffstats("gaussian").update(GOOD).loglik([0.0, 1.0]), "params takes values by the names"),
        (lambda: fm.loglik("gaussian", GOOD, [0.0, 1.0]), "params takes values by the names"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"nu": 1.0}), "mu, sigma"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"mu": math.nan}), "mu"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"sigma": -1.0}), "sigma|parameter space"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"mu": "a"}), "mu is one number"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"mu": [1.0, 2.0]}), "mu is one number"),
        (lambda: fm.fit("gaussian", GOOD, fixed={"mu": None}), "mu is one number"),
        (lambda: fm.loglik("gaussian", GOOD, mu="a", sigma=1.0), "mu is one number"),
        (lambda: fm.fit("mvn", PAIRS, fixed={"cov": [[1.0, 2.0], [2.0, 1.0]]}), "parameter space"),
        (lambda: fm.fit("mvn", PAIRS, fixed={"cov": [[1.0, 0.5], [0.2, 1.0]]}), "symmetric"),
        (lambda: fm.fit("mvn", PAIRS, fixed={"mu": [1.0, 2.0, 3.0]}), "shape"),
        (lambda: fm.loglik("mvn", PAIRS, mu=[0.0, 0.0], cov=1.0), "shape"),
        (lambda: fm.fit("gamma", GOOD, fixed={"shape": 0.0}), "shape|parameter space"),
        (lambda: fm.fit("weibull", GOOD, fixed={"shape": -2.0}), "shape|parameter space"),
        (lambda: fm.fit("weibull", GOOD, fixed={"shape": -2.0, "scale": 1.0}), "shape|parameter space"),
        (lambda: fm.loglik("gaussian", GOOD, mu=0.0, sigma=-1.0), "sigma = -1.*parameter space"),
        (lambda: fm.loglik("gaussian", GOOD, mu=0.0), "mu, sigma"),
        (lambda: fm.loglik("gaussian", GOOD, mu=0.0, sigma=1.0, tau=2.0), "mu, sigma"),
        (lambda: fm.loglik("gaussian", GOOD, mu=math.inf, sigma=1.0), "parameter space"),
        (lambda: fm.fit("gaussian", {"a": GOOD, "b": GOOD}, columns=["a", "b"]), "one column"),
        (lambda: fm.fit("gaussian", {"a": GOOD, "b": GOOD}), "one column, not 2.*column="),
        (lambda: fm.fit("gaussian", {"a": GOOD}, column="a", columns=["a"]), "not both"),
        (lambda: fm.suffstats("weibull"), "several passes"),
        (lambda: fm.suffstats("gamma", weight_kind="precision").update(GOOD, weights=GOOD), "precision"),
        (lambda: fm.fit("gaussian", GOOD).conf_int(1.5), "level"),
        (lambda: fm.fit("gaussian", GOOD).conf_int(method="bayes"), "method"),
        (lambda: fm.fit("weibull", GOOD).conf_int(method="profile"), "pass data=.*wald"),
        (lambda: fm.fit("weibull", GOOD).conf_int(method="profile", data=GOOD, weights=GOOD), "weights=.*had weights"),
        (lambda: fm.fit("weibull", GOOD).conf_int(data=GOOD), "profile"),
        (lambda: fm.compare(GOOD, []), "at least one"),
        (lambda: fm.compare(GOOD, ["gamma", "gausian"]), "gaussian"),
        (lambda: fm.kl(fm.fit("gamma", GOOD), fm.fit("poisson", [1, 2, 3])), "same space"),
        (lambda: fm.kl(fm.fit("gamma", GOOD), fm.fit("mvn", np.eye(3)[:, :2])), "mvn has several columns"),
        (lambda: fm.fit("gaussian", GOOD).kl_from_data(), "bins"),
        (lambda: fm.Fit.from_dict({}), "format"),
        (lambda: fm.Fit.from_dict(3), "format"),
        (lambda: fm.fit("gaussian", GOOD, weigths="w"), "did you mean 'weights'"),
        (lambda: fm.suffstats("gaussian", colum="a"), "did you mean 'column'"),
        (lambda: fm.fit(fm.Gamma, GOOD), r"write Gamma\(\)"),
        (lambda: fm.loglik(fm.Gamma, GOOD, shape=1.0, rate=1.0), "name or a family object"),
        (lambda: fm.loglik("gamma", GOOD, [1.0, 2.0]), "params takes values by the names"),
        (lambda: fm.loglik("gamma", GOOD, shape=1j, rate=1.0), "shape is one number"),
        (lambda: fm.loglik("gamma", GOOD, shape=10**400, rate=1.0), "shape is one number"),
        (lambda: fm.suffstats("gamma").update(GOOD).loglik("shape"), "params takes"),
        (lambda: fm.fit("gamma", GOOD, fixed=["shape"]), "fixed takes values by the names"),
        (lambda: fm.fit("gamma", GOOD, nulls=np.ones(3)), "nulls is one of"),
        (lambda: fm.fit("gamma", GOOD, progress="yes"), "progress is True or a function"),
        (lambda: fm.fit("gamma", GOOD).conf_int("0.9"), "level must lie"),
        (lambda: fm.fit("linear", (PAIRS, PAIRS[:, 0])).conf_int("0.9"), "level must lie"),
        (lambda: fm.fit("gamma", GOOD).rvs(-1), "n is a number of rows"),
        (lambda: fm.fit("gamma", GOOD, fixed={1: 2.0}), "by the names of parameters"),
        (lambda: fm.Fit.from_dict(fm.fit("gamma", GOOD).to_dict() | {"n_passes": math.inf}), "no fit"),
        (lambda: fm.fit("gamma", GOOD).rvs(3, seed="a"), "seed is a whole number.*'a'"),
        (lambda: fm.fit("gamma", GOOD).gof(seed=-1), "seed is a whole number.*-1"),
        (lambda: fm.compare(GOOD, 3), "families are names"),
        (lambda: fm.compare(GOOD, ["linear"]), "linear is a regression"),
        (lambda: fm.kl(fm.fit("gamma", GOOD), None), "a fit is wanted"),
        (lambda: fm.entropy(fm.Gamma()), "a fit is wanted"),
        (lambda: fm.explore(3), "a fit or a state is wanted"),
        (lambda: fm.fit("linear", (PAIRS, GOOD[:5000]), intercept=1), "intercept is True or False"),
        (lambda: fm.fit("linear", (PAIRS, GOOD[:5000])).lr_test(fm.fit("gamma", GOOD[:5000])), "of a regression"),
        (lambda: fm.suffstats("linear", target="y", features=3), "belong together"),
        (lambda: fm.Binomial(n="a"), "n is a number of trials"),
        (lambda: fm.Binomial(n=math.nan), "n is a number of trials"),
        (lambda: fm.Categorical(k="a"), "k is a number of categories"),
        (lambda: fm.Categorical(k=10**9), "from 2 to 65,536"),
        (lambda: fm.Categorical(categories=["a", "a"]), "different names"),
        (lambda: fm.Categorical(categories="ab"), "different names"),
    ],
)  # fmt: skip
def test_unknown_families_and_options(call: Any, said: str) -> None:
    with pytest.raises(fm.FamilyError, match=said):
        call()


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ({"a": GOOD, "b": GOOD}, {"column": "c"}, "'c'.*'a', 'b'"),
        ({"a": GOOD, "bb": GOOD}, {"column": "bbb"}, "bb"),
        ({"a": ["x", "y"]}, {"column": "a"}, "'a'"),
        ({"a": GOOD, "b": GOOD[:-1]}, {"column": "a", "weights": "b"}, "b"),
        (np.array(["x", "y"]), {}, "(?i)text|str|numeric|number"),
        (np.array([1 + 2j]), {}, "(?i)complex"),
        (np.array(["2020-01-01"], "M8[D]"), {}, "(?i)date"),
        (np.array([object(), 3], dtype=object), {}, "(?i)object"),
        (np.zeros((2, 2, 2)), {}, "(?i)dimension|shape|2"),
        ("nowhere.parquet", {}, "nowhere.parquet"),
        ("nowhere*.parquet", {}, "nowhere"),
        (np.array([1.0, None], dtype=object), {}, "astype"),
        (scipy.sparse.csr_matrix(PAIRS), {}, "toarray"),
        (scipy.sparse.coo_array(PAIRS), {}, "toarray"),
        (GOOD, {"chunk_rows": "10"}, "chunk_rows"),
        (GOOD, {"chunk_rows": 10.5}, "chunk_rows"),
        (None, {}, "None"),
        (object(), {}, "object"),
        (3.5, {}, "float"),
        ([[1.0, 2.0], [3.0]], {}, "list"),
        ({}, {}, "column"),
    ],
)
def test_data_that_cannot_be(data: object, options: dict[str, object], said: str) -> None:
    with pytest.raises(fm.DataError, match=said):
        fm.fit("gaussian", data, **options)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if not c.one_pass])
def test_a_one_shot_iterator_cannot_be_read_twice(name: str) -> None:
    with pytest.raises(fm.DataError, match="callable"):
        fm.fit(family(name), iter([CASES[name].sample(0, 100)]))
    with pytest.raises(fm.FamilyError, match="several passes"):
        fm.suffstats(family(name))


def test_damaged_files(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "x.parquet"
    pl.DataFrame({"x": GOOD}).write_parquet(path)
    assert fm.fit("gamma", path).params == fm.fit("gamma", GOOD).params
    whole = path.read_bytes()
    for keep in (len(whole) - 200, len(whole) // 2, 10, 0):
        path.write_bytes(whole[:keep])
        for name in ("gamma", "weibull"):
            with pytest.raises(fm.DataError, match=r"x\.parquet"):
                fm.fit(name, path)
    (tmp_path / "state").write_bytes(fm.suffstats("gamma").update(GOOD).to_bytes()[:-30])
    with pytest.raises(fm.DataError, match="fastmle-state"):
        fm.load(tmp_path / "state")
    with pytest.raises(OSError, match=tmp_path.name):
        fm.suffstats("gamma").save(tmp_path)
    assert not list(tmp_path.parent.glob("*.part"))
    with pytest.raises(FileNotFoundError, match=r"nowhere.state'$"):
        fm.suffstats("gamma").save(tmp_path / "nowhere" / "state")
    for damaged in (b"", b"{}", b"[1]", b"\xff", b"null", b"[" * 100_000):
        with pytest.raises(fm.DataError):
            fm.SufficientStats.from_bytes(damaged)


# -- statuses ------------------------------------------------------------------------------------------------------------


def undefined(fit: fm.Fit) -> None:
    """Nothing made up: no errors, no certainty, and a sentence that says why."""
    assert np.isnan(fit.cov_params()).all() and np.isnan(fit.score_norm)
    assert fit.message
    stored = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert all(np.isnan(np.array(value, float)).all() for value in stored["bse"].values())  # null


@pytest.mark.parametrize(("name", "end"), ENDS)
def test_the_ends_of_the_table(name: str, end: str) -> None:
    x, status = CASES[name].ends[end]
    x = np.asarray(x, float)
    fit = fm.fit(family(name), x)
    assert fit.status == status, fit.message
    if status in ("ok", "nonregular"):
        assert fm.fit(family(name), x, strict=True).status == status
        return
    undefined(fit)
    with pytest.raises(fm.ConvergenceError, match=status):
        fm.fit(family(name), x, strict=True)
    if CASES[name].one_pass:
        with pytest.raises(fm.ConvergenceError, match=status):
            fm.suffstats(family(name)).update(x).fit(strict=True)
    assert fit.converged == (status == "boundary")


@pytest.mark.parametrize("rows", [1, 2, 9, 5000])
@pytest.mark.parametrize("name", CASES)
def test_all_values_equal(name: str, rows: int) -> None:
    x = np.repeat(CASES[name].sample(4, 1), rows, axis=0)
    fit = fm.fit(family(name), x)
    assert fit.status == CASES[name].equal
    if fit.status not in ("ok", "nonregular"):
        undefined(fit)
    repeated = fm.fit(family(name), x[:1], weights=[float(rows)])
    assert repeated.status == fit.status
    assert not math.isinf(fit.llf) or fit.status != "ok"


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.equal == "degenerate"])
def test_what_is_undefined_is_nan(name: str) -> None:
    x = CASES[name].sample(4, 30)
    none, some = fm.fit(family(name), np.repeat(x[:1], 5, axis=0)), fm.fit(family(name), x)
    assert math.isnan(fm.entropy(none)) and math.isnan(fm.kl(none, some)) and math.isnan(fm.kl(some, none))
    assert math.isnan(none.llf) and math.isnan(none.nll)
    assert none.summary() and repr(none) and none._repr_html_()


@pytest.mark.parametrize(("name", "bad"), OUTSIDE)
def test_the_mean_nll_of_the_impossible_is_infinite(name: str, bad: float) -> None:
    x = CASES[name].sample(4, 30)
    at = fm.fit(family(name), x).params
    x[3] = bad
    assert fm.nll(family(name), x, at) == math.inf


# -- hard but sound ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_sorted_input(name: str) -> None:
    x = CASES[name].sample(5, 30_000)
    x = x[np.lexsort(np.atleast_2d(x.T))]
    fit, shuffled = fm.fit(family(name), x), fm.fit(family(name), np.random.default_rng(1).permutation(x))
    scale = np.maximum(np.abs(fit.theta), fit.family.units(fit.theta))
    for other in (shuffled, fm.fit(family(name), x[::-1])):
        assert np.all(np.abs(other.theta - fit.theta) <= 1e-13 * scale)
        assert other.llf == pytest.approx(fit.llf, rel=1e-13)


@pytest.mark.parametrize("factor", [1e-8, 1e8])
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.scale and c.smooth])
def test_a_first_block_from_elsewhere(name: str, factor: float) -> None:
    """The sums do not remember where they were anchored."""
    x = CASES[name].sample(5, 3 * 4096)
    x[:4096] *= factor
    fit, other = fm.fit(family(name), x), fm.fit(family(name), x[::-1])
    assert fit.status == other.status
    scale = np.maximum(np.abs(fit.theta), fit.family.units(fit.theta))
    assert np.all(np.abs(other.theta - fit.theta) <= 1e-12 * scale)
    assert other.llf == pytest.approx(fit.llf, rel=1e-12)


def test_an_outlier_first_does_not_spoil_the_anchor() -> None:
    x = np.random.default_rng(0).normal(size=3_000_000)
    x[:4096] += 1e8
    fit = fm.fit("gaussian", x)
    assert fit.params.sigma == pytest.approx(float(np.std(x.astype(np.longdouble))), rel=1e-12)


@pytest.mark.parametrize("offset", [1e8, 1e12])
def test_a_large_offset_costs_no_digits(offset: float) -> None:
    x = np.random.default_rng(4).normal(0.0, 1.0, 50_000) + offset
    for values in (x, np.sort(x), np.append([0.0], x)[1:]):
        exact = np.std((values - offset).astype(np.longdouble))  # the difference is exact
        assert fm.fit("gaussian", values).params.sigma == pytest.approx(float(exact), rel=1e-13)


def test_the_largest_numbers() -> None:
    x = np.array([1.7e308, -1.7e308, 1e308, 3.0])
    fit, same = fm.fit("gaussian", x), fm.fit("gaussian", np.ldexp(x, -100))
    np.testing.assert_allclose(fit.theta, np.ldexp(same.theta, 100), rtol=1e-14)
    np.testing.assert_allclose(list(fit.bse.values()), np.ldexp(list(same.bse.values()), 100), rtol=1e-13)
    assert fit.llf == pytest.approx(same.llf - 4 * 100 * math.log(2.0), rel=1e-13)
    assert fm.fit("uniform", x).llf == pytest.approx(-4 * (math.log(1.7e308) + math.log(2.0)), rel=1e-14)
    y = np.array([1.7e308, 1e308, 0.3e308])
    for name in ("gamma", "weibull"):
        fit, same = fm.fit(name, y), fm.fit(name, np.ldexp(y, -100))
        assert fit.params.shape == pytest.approx(same.params.shape, rel=1e-12)
        assert fit.bse.shape == pytest.approx(same.bse.shape, rel=1e-10)
        assert fit.status == "ok" and np.isfinite(list(fit.bse.values())).all()


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.scale])
def test_subnormal_values(name: str) -> None:
    """Estimates that float64 holds are right; those that it cannot are not given."""
    case = CASES[name]
    k = np.random.default_rng(8).integers(1, 2000, (200, len(labels(case.sample(0, 1)))))
    x = np.ldexp(np.squeeze(k.astype(float)), -1074)
    fit, same = fm.fit(family(name), x), fm.fit(family(name), np.squeeze(k.astype(float)))
    with np.errstate(all="ignore"):
        expected = np.array(case.scale(same.theta, 2.0**-1074), float)
    if fit.status in ("ok", "nonregular"):
        spacing = np.spacing(np.maximum(np.abs(expected), 5e-324))
        assert np.all(np.abs(fit.theta - expected) <= 1e-12 * np.abs(expected) + 2 * spacing)
    else:
        assert fit.status == "not_converged"
        assert "float64" in fit.message or "finite" in fit.message


# -- states stay as they were --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.one_pass])
def test_a_failed_update_leaves_the_state_as_it_was(name: str) -> None:
    x = CASES[name].sample(3, 20_000)
    bad, late = x[:10].copy(), x.copy()
    bad[9] = late[-1] = math.nan
    keep = "bins" if x.ndim == 1 else None
    for first in (x[:5000], x[:0]):
        state = fm.suffstats(family(name), keep=keep).update(first)
        before = state.to_bytes()
        for wrong, weights in (
            (bad, None),
            (late, None),
            (iter([x[:100], bad]), None),
            (x[:10], -np.ones(10)),
            (x[:10], np.ones(9)),
            ("nowhere.parquet", None),
        ):
            with pytest.raises(fm.DataError):
                state.update(wrong, weights=weights)
            assert state.to_bytes() == before
        state.update(x[5000:5100])
        assert state.nobs == len(first) + 100


def test_a_state_takes_one_set_of_columns() -> None:
    state = fm.suffstats("mvn").update(np.eye(2))
    for other in (np.eye(3), np.ones(3)):
        with pytest.raises(fm.FastmleError):
            state.update(other)
    assert state.nobs == 2.0


def test_reads_must_give_the_same_rows() -> None:
    x = np.random.default_rng(0).weibull(2.0, 600_000)
    shorter = iter(range(x.size, 0, -1))
    with pytest.raises(fm.DataError, match=r"gave \d+ rows in one read and \d+ in another"):
        fm.fit("weibull", lambda: iter([x[: next(shorter)]]))


def test_columns_of_a_state_go_by_their_names() -> None:
    x = np.random.default_rng(0).normal([[0.0], [9.0]], size=(2, 5000))
    a, b = x
    expected = fm.suffstats("mvn").update(x.T).update(x.T)
    chunks = [{"a": a, "b": b}, {"b": b, "a": a}]
    for options in ({}, {"columns": ["a", "b"]}):
        state = fm.suffstats("mvn", **options)
        for chunk in chunks:
            state.update(chunk)
        assert state.fit().params["mu"].tolist() == expected.fit().params["mu"].tolist()
    weighted = fm.suffstats("mvn")
    for chunk in chunks:
        weighted.update(chunk, weights=np.ones(5000))
    assert weighted.fit().params["mu"].tolist() == expected.fit().params["mu"].tolist()
    numbered = fm.suffstats("mvn").update(chunks[0]).update(x.T)  # an array has no names
    assert numbered.fit().params["mu"].tolist() == expected.fit().params["mu"].tolist()
    assert (numbered + expected).nobs == 20_000
    with pytest.raises(fm.DataError, match="columns are c, d, and were a, b"):
        weighted.update({"c": a, "d": b})
    with pytest.raises(fm.FamilyError, match="do not merge"):
        state + fm.suffstats("mvn").update(chunks[1])
    with pytest.raises(fm.FamilyError, match="a, b and c, d do not merge"):
        state + fm.suffstats("mvn").update({"c": a, "d": b})
    assert state.nobs == 10_000


def test_counts_whose_squares_leave_float64() -> None:
    fit = fm.fit("negative_binomial", [1e300, 2e300, 1e299])
    assert fit.status == "not_converged" and np.isnan(fit.theta).all()


def test_values_that_are_no_numbers() -> None:
    fit = fm.fit("gamma", GOOD)
    for ask in (fit.logpdf, fit.cdf, fit.ppf):
        for wrong in ("a", 1j, np.zeros(2, "M8[s]")):
            with pytest.raises(fm.DataError, match="these are no numbers"):
                ask(wrong)


def test_one_feature_of_a_state_by_its_name() -> None:
    state = fm.suffstats("linear", target="y", features="fare").update({"fare": GOOD, "y": GOOD**2})
    assert list(state.fit().params) == ["intercept", "fare"]


def test_one_family_object_to_compare_and_numpy_numbers_of_threads() -> None:
    assert fm.compare(GOOD, fm.Gamma())[0] == fm.fit("gamma", GOOD, threads=np.int64(2))


def test_a_misspelt_column_of_a_formula() -> None:
    with pytest.raises(fm.DataError, match="did you mean 'fare'"):
        fm.fit("linear", {"fare": GOOD, "y": GOOD}, formula="y ~ far")


def test_a_fit_of_another_family_is_not_read() -> None:
    stored = fm.fit("gamma", GOOD).to_dict()
    assert fm.Fit.from_dict(stored, fm.Gamma()) == fm.Fit.from_dict(stored)
    with pytest.raises(fm.FamilyError, match="a fit of gamma"):
        fm.Fit.from_dict(stored, fm.Weibull())
