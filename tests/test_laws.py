"""Laws that hold for every family of the table: bits where `==` is said, else 1e-13."""

from __future__ import annotations

import copy
import json
import math
import pickle
from functools import cache, reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import exactly, sandwich

import fastmle as fm
from fastmle.families import family_class
from fastmle.kernels.ones import ONES, STRANGE, compile_ones
from fastmle.kernels.sharing import DONE, new_board
from fastmle.pool import share

N = 30_011  # rows: some blocks of 4096 and a rest
MANY = 150_007  # enough for threads
ONE_PASS = [name for name, case in CASES.items() if case.one_pass]
FEW = settings(max_examples=5, deadline=None)


def family(name: str) -> fm.Family:
    return family_class(name)(**CASES[name].constants)


@cache
def sample(name: str, n: int = N, seed: int = 7) -> np.ndarray:
    x = CASES[name].sample(seed, n)
    x.flags.writeable = False
    return x


@cache
def whole(name: str, n: int = N) -> fm.Fit:
    return fm.fit(family(name), sample(name, n))


def bits_of(fit: fm.Fit) -> tuple[Any, ...]:
    """All numbers of a fit, NaN equal to NaN."""
    return tuple(
        np.append(fit.theta, [*fit.cov.ravel(), fit.llf, fit.nobs]).view(np.int64).tolist()
    ), fit.status


def close(a: fm.Fit, b: fm.Fit, tolerance: float = 1e-13) -> None:
    """Parameters within `tolerance` of themselves or of the family's unit, and so the likelihood and the errors."""
    assert a.status == b.status
    assert a.nobs == pytest.approx(b.nobs, rel=tolerance)
    scale = np.maximum(np.abs(b.theta), np.abs(b.family.units(b.theta)))
    assert np.all(np.abs(a.theta - b.theta) <= tolerance * scale)
    assert abs(a.llf - b.llf) <= tolerance * max(abs(b.llf), 1.0)
    np.testing.assert_allclose(np.diag(a.cov) * a.units**2, np.diag(b.cov) * b.units**2, rtol=20 * tolerance)


def frame(x: np.ndarray, w: Any = None) -> dict[str, np.ndarray]:
    columns = {"x": x} if x.ndim == 1 else {f"x{i}": x[:, i].copy() for i in range(x.shape[1])}
    return columns if w is None else columns | {"w": w}


def named(x: np.ndarray) -> dict[str, Any]:
    """Which columns of `frame(x)` are the data."""
    return {"column": "x"} if x.ndim == 1 else {"columns": list(frame(x[:1]))}


# -- chunks and threads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@FEW
@given(cuts=st.lists(st.integers(0, N), max_size=12))
def test_chunks_do_not_show(name: str, cuts: list[int]) -> None:
    x = sample(name)
    edges = [0, *sorted(cuts), N]
    assert bits_of(fm.fit(family(name), lambda: (x[a:b] for a, b in pairwise(edges)))) == bits_of(whole(name))


@pytest.mark.parametrize("name", CASES)
@FEW
@given(rows=st.integers(1, 3 * 4096))
def test_equal_chunks_do_not_show(name: str, rows: int) -> None:
    x = sample(name)[: 3 * 4096 + 5]
    expected = bits_of(fm.fit(family(name), x))
    assert bits_of(fm.fit(family(name), x, chunk_rows=max(rows, 50))) == expected
    if CASES[name].one_pass:
        one_shot = iter([x[a : a + max(rows, 50)] for a in range(0, len(x), max(rows, 50))])
        assert bits_of(fm.fit(family(name), one_shot)) == expected


@pytest.mark.parametrize("name", CASES)
@FEW
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8), seed=st.integers(0, 99))
def test_chunks_of_weighted_rows_do_not_show(name: str, cuts: list[int], seed: int) -> None:
    x = sample(name)[:20_000]
    w = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], len(x))
    edges = [0, *sorted(cuts), len(x)]

    def chunks() -> Any:
        return (frame(x[a:b], w[a:b]) for a, b in pairwise(edges) if b > a)

    in_chunks = fm.fit(family(name), chunks, weights="w", **named(x))
    assert bits_of(in_chunks) == bits_of(fm.fit(family(name), x, weights=w))


@pytest.mark.parametrize("name", CASES)
def test_threads_do_not_show(name: str) -> None:
    x = sample(name, MANY)
    one, two, seven = (fm.fit(family(name), x, threads=k) for k in (1, 2, 7))
    assert bits_of(one) == bits_of(two) == bits_of(seven)
    at = dict(one.params)
    assert len({fm.loglik(family(name), x, at, threads=k) for k in (1, 2, 7)}) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_closed_form_of_the_inverse_information_is_its_inverse(name: str) -> None:
    r = whole(name)
    inverse = r.family.inverse_information(r.sums, r.theta)
    assert (inverse is not None) == (name in ("mvn", "gamma", "inverse_gamma"))
    if inverse is not None:
        assert np.allclose(r.family.information(r.sums, r.theta) @ inverse, np.eye(len(r.theta)), atol=1e-11)


@pytest.mark.parametrize("name", ["gaussian", "gamma", "mvn"])
def test_an_anchor_that_moves_does_not_show(name: str) -> None:
    """The first block lies a million deviations away: the sums move to another anchor on the way."""
    rng = np.random.default_rng(1)
    x = rng.normal(1e6, 1.0, 700_003)
    x[:4096] = rng.normal(10.0, 0.001, 4096)
    if name == "mvn":
        x = np.stack([x, x[::-1] * 0.5 + rng.normal(size=x.size)], axis=1)
    fit = fm.fit(name, x)
    cuts = [0, 1, 5000, 300_001, 600_000, len(x)]
    for other in (
        fm.fit(name, lambda: (x[a:b] for a, b in pairwise(cuts))),
        fm.fit(name, x, threads=7),
        fm.fit(name, x, threads=1),
    ):
        assert bits_of(other) == bits_of(fit)
    states = [fm.suffstats(name).update(x[a:b]) for a, b in pairwise(cuts)]
    for merged in (reduce(lambda a, b: a + b, states), reduce(lambda a, b: b + a, states)):
        close(merged.fit(), fit)
    exact = x.astype(np.longdouble)
    if name == "gaussian":
        assert fit.params.mu == pytest.approx(float(exact.mean()), rel=1e-15)
        assert fit.params.sigma == pytest.approx(float(exact.std()), rel=1e-14)


# -- states ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ONE_PASS)
@FEW
@given(cuts=st.tuples(st.integers(0, N), st.integers(0, N)).map(sorted))
def test_states_add_up(name: str, cuts: list[int]) -> None:
    x = sample(name)
    edges = [0, *cuts, N]
    a, b, c = (fm.suffstats(family(name)).update(x[lo:hi]) for lo, hi in pairwise(edges))
    left, right, other = (a + b) + c, a + (b + c), c + a + b
    for merged in (left, right, other):
        close(merged.fit(), whole(name))
        assert merged.nobs == N
    close(left.fit(), right.fit())
    assert left.loglik(whole(name).params) == pytest.approx(whole(name).llf, rel=1e-13)


@pytest.mark.parametrize("name", ONE_PASS)
def test_merging_leaves_its_parts_alone(name: str) -> None:
    x = sample(name)
    a, b = fm.suffstats(family(name)).update(x[:100]), fm.suffstats(family(name)).update(x[100:900])
    before = a.to_bytes(), b.to_bytes()
    merged = a + b
    merged.update(x[900:1000])
    assert (a.to_bytes(), b.to_bytes()) == before
    a.update(x[:50])
    close(merged.fit(), fm.fit(family(name), x[:1000]))


@pytest.mark.parametrize("name", ONE_PASS)
def test_the_empty_state_is_neutral(name: str) -> None:
    state = fm.suffstats(family(name)).update(sample(name))
    empty = fm.suffstats(family(name))
    for merged in (state + empty, empty + state, empty + state + empty):
        assert merged == state
        assert bits_of(merged.fit()) == bits_of(state.fit())
    assert (empty + empty).nobs == 0.0
    with pytest.raises(fm.DataError, match="no rows"):
        (empty + empty).fit()


@pytest.mark.parametrize("name", ONE_PASS)
@FEW
@given(cuts=st.lists(st.integers(0, 6000), max_size=30), seed=st.integers(0, 99))
def test_updates_in_chunks_of_any_size_and_order(name: str, cuts: list[int], seed: int) -> None:
    x = sample(name)[:6000]
    parts = [x[a:b] for a, b in pairwise([0, *sorted(cuts), len(x)])]
    expected = fm.fit(family(name), x)
    state = reduce(lambda s, part: s.update(part), parts, fm.suffstats(family(name)))
    close(state.fit(), expected)
    np.random.default_rng(seed).shuffle(parts)
    close(reduce(lambda s, part: s.update(part), parts, fm.suffstats(family(name))).fit(), expected)


@pytest.mark.parametrize("name", ONE_PASS)
def test_updates_row_by_row(name: str) -> None:
    x = sample(name)[:1500]
    state = fm.suffstats(family(name))
    for i in range(len(x)):
        assert state.update(x[i : i + 1]) is state
    close(state.fit(), fm.fit(family(name), x))


@pytest.mark.parametrize("name", ONE_PASS)
@pytest.mark.parametrize("weight_kind", ["frequency", "sampling"])
def test_a_state_survives_being_kept(name: str, weight_kind: str, tmp_path: Path) -> None:
    x = sample(name)[:5000]
    w = np.random.default_rng(1).uniform(0.5, 2.0, len(x))
    state = fm.suffstats(family(name), weight_kind=weight_kind).update(x, weights=w)
    state.save(tmp_path / "state")
    stored = state.to_bytes()
    for again in (fm.load(tmp_path / "state"), pickle.loads(pickle.dumps(state)), fm.SufficientStats.from_bytes(stored)):
        assert again == state
        assert again.to_bytes() == state.to_bytes()
        assert bits_of(again.fit()) == bits_of(state.fit())
        more = fm.suffstats(family(name), weight_kind=weight_kind).update(x[:9], weights=w[:9])
        assert bits_of((again + more).fit()) == bits_of((state + more).fit())
    again.update(x[:77], weights=w[:77])
    assert bits_of(again.fit()) == bits_of(state.update(x[:77], weights=w[:77]).fit())
    json.dumps(state.to_dict(), allow_nan=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize("name", ONE_PASS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_damaged_state_is_refused(name: str, data: st.DataObject) -> None:
    """Unless it says the same in other words: another blank, 18e0 for 18.0."""
    state = fm.suffstats(family(name)).update(sample(name)[:500])
    stored = bytearray(state.to_bytes())
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 127))
    try:
        same_words = json.loads(stored) == json.loads(state.to_bytes())
    except ValueError:
        same_words = False
    if same_words:
        assert fm.SufficientStats.from_bytes(bytes(stored)) == state
    else:
        with pytest.raises(fm.DataError, match="this is no fastmle-state"):
            fm.SufficientStats.from_bytes(bytes(stored))


@pytest.mark.parametrize("name", ONE_PASS)
def test_states_are_added_by_sum(name: str) -> None:
    x = sample(name)[:3000]
    parts = [fm.suffstats(family(name)).update(piece) for piece in np.array_split(x, 3)]
    before = [part.to_dict() for part in parts]
    close(sum(parts).fit(), fm.fit(family(name), x))
    sum(parts[:1]).update(x)
    assert [part.to_dict() for part in parts] == before


@pytest.mark.parametrize("name", CASES)
def test_a_fit_survives_json(name: str) -> None:
    for x in (sample(name)[:500], *(np.asarray(x, float) for x, _ in CASES[name].ends.values())):
        stored = fm.fit(family(name), x).to_dict()
        text = json.dumps(stored, allow_nan=False)
        again = fm.Fit.from_dict(json.loads(text))
        assert again.to_dict() == stored
        assert again == fm.fit(family(name), x) == pickle.loads(pickle.dumps(again))
        assert json.dumps(again.to_dict(), allow_nan=False) == text
        assert repr(again) == repr(fm.fit(family(name), x))
        assert again.family == fm.fit(family(name), x).family


def test_parameters_survive_pickle_and_copies() -> None:
    params = fm.fit("gamma", sample("gamma")[:500]).params
    for again in (pickle.loads(pickle.dumps(params)), copy.deepcopy(params), copy.copy(params)):
        assert again == params and again.shape == params["shape"]
    with pytest.raises(AttributeError, match="there are shape, rate"):
        _ = params.scale


def test_a_damaged_fit() -> None:
    stored = fm.fit("gamma", sample("gamma")[:500]).to_dict()
    for key, value in (("params", "?"), ("nobs", "?"), ("fixed", None), ("cov_in_units", "?"), ("format", 2), ("family", "?")):
        with pytest.raises(fm.FamilyError):
            fm.Fit.from_dict({**stored, key: value})


@pytest.mark.parametrize("name", ONE_PASS)
def test_weights_and_none_mix_in_a_state(name: str) -> None:
    x = sample(name)[:4000]
    state = fm.suffstats(family(name)).update(x[:1000]).update(x[1000:2000], weights=np.full(1000, 2.0))
    other = fm.suffstats(family(name)).update(x[2000:])
    w = np.repeat([1.0, 2.0, 1.0], [1000, 1000, 2000])
    for merged in (state + other, other + state):
        close(merged.fit(), fm.fit(family(name), x, weights=w))


# -- weights and nulls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_weight_of_two_is_the_row_twice(name: str) -> None:
    x = sample(name)
    close(
        fm.fit(family(name), x, weights=np.full(len(x), 2.0)), fm.fit(family(name), np.repeat(x, 2, axis=0))
    )
    w = np.random.default_rng(1).integers(0, 5, len(x))
    close(fm.fit(family(name), x, weights=w), fm.fit(family(name), np.repeat(x, w, axis=0)))


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-20, 2.0**900])
@pytest.mark.parametrize("name", CASES)
def test_the_unit_of_weights_does_not_show(name: str, unit: float) -> None:
    x = sample(name)[:3000]
    fit, base = fm.fit(family(name), x, weights=np.full(len(x), unit)), fm.fit(family(name), x)
    assert fit.status == base.status
    assert np.all(np.abs(fit.theta - base.theta) <= 1e-12 * np.maximum(np.abs(base.theta), base.family.units(base.theta)))
    assert fit.llf == pytest.approx(unit * base.llf, rel=1e-12)
    np.testing.assert_allclose(flat(fit), flat(base) / math.sqrt(unit), rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_weight_zero_is_absent(name: str) -> None:
    """Even if nothing of it is possible."""
    x, w = sample(name).copy(), np.random.default_rng(2).uniform(0.5, 2.0, N)
    gone = np.random.default_rng(3).random(N) < 0.2
    w[gone] = 0.0
    expected = fm.fit(family(name), x[~gone], weights=w[~gone])
    close(fm.fit(family(name), x, weights=w), expected)
    for bad in (np.nan, np.inf, *CASES[name].outside):
        x[gone] = bad
        fit = fm.fit(family(name), x, weights=w)
        close(fit, expected)
        assert fit.nobs_dropped == 0


@pytest.mark.parametrize("name", CASES)
def test_dropping_nulls_is_removing_them_by_hand(name: str) -> None:
    x = sample(name).copy()
    gone = np.random.default_rng(4).random(N) < 0.1
    gone[[0, N - 1]] = True
    x[gone] = np.nan
    fit = fm.fit(family(name), x, nulls="drop")
    close(fit, fm.fit(family(name), sample(name)[~gone]))
    assert fit.nobs_dropped == gone.sum()
    assert fm.loglik(family(name), x, fit.params, nulls="drop") == pytest.approx(fit.llf, rel=1e-13)
    if CASES[name].one_pass:
        state = fm.suffstats(family(name), nulls="drop").update(x[:777]).update(x[777:])
        close(state.fit(), fit)
        assert state.fit().nobs_dropped == gone.sum()


@pytest.mark.parametrize("name", ["gaussian", "gamma", "weibull"])
def test_nulls_in_several_buffers_are_nan_in_one(name: str) -> None:
    """To the bit, whatever the buffers, the chunks that end within a block, and the threads."""
    pl = pytest.importorskip("polars")
    x, gone = sample(name, MANY).copy(), np.random.default_rng(4).random(MANY) < 0.05
    gone[100_000:103_000] = False
    series = pl.Series(x).scatter(np.flatnonzero(gone), None)
    cuts = [0, 5, 40_001, 70_000, 100_000, 103_000, MANY]
    split = pl.concat([series.slice(a, b - a) for a, b in pairwise(cuts)], rechunk=False)
    assert split.n_chunks() == len(cuts) - 1
    mixed = [x[:5].tolist(), split.slice(5, 95_000), np.where(gone, np.nan, x)[95_005:110_000], split.slice(110_000)]
    mixed[0] = [None if null else v for v, null in zip(mixed[0], gone, strict=False)]
    x[gone] = np.nan
    expected = fm.fit(family(name), x, nulls="drop")
    for data in (split, pl.LazyFrame({"x": split}), lambda: iter(mixed)):
        for threads in (1, 2, 7):
            fit = fm.fit(family(name), data, nulls="drop", threads=threads)
            assert bits_of(fit) == bits_of(expected)
            assert fit.nobs_dropped == gone.sum()
    row = int(np.flatnonzero(gone)[0])
    with pytest.raises(fm.DataError, match=f"row {row}: the value is null"):
        fm.fit(family(name), split)
    bad = split.scatter(101_234, np.inf)
    with pytest.raises(fm.DataError, match="row 101234: the value is inf"):
        fm.fit(family(name), bad, nulls="drop")


@pytest.mark.parametrize("name", ["gaussian", "mvn", "poisson"])  # one of each kind of state, whose frame leaves rows out
def test_a_null_weight_is_dropped_with_its_row(name: str) -> None:
    x, w = sample(name).copy(), np.random.default_rng(2).uniform(0.5, 2.0, N)
    x[::10] = np.nan
    w[5::10] = np.nan
    keep = ~(np.isnan(w) | np.isnan(x.reshape(N, -1)).any(axis=1))
    fit = fm.fit(family(name), x, weights=w, nulls="drop")
    close(fit, fm.fit(family(name), x[keep], weights=w[keep]))
    assert fit.nobs_dropped == N - keep.sum()


def rows_and_weights(name: str) -> tuple[np.ndarray, np.ndarray]:
    x = CASES[name].sample(21, CASES[name].rows)
    return x, np.random.default_rng(9).uniform(0.3, 3.0, len(x))


@pytest.mark.parametrize("name", CASES)
def test_frequency_weights_of_any_size(name: str) -> None:
    x, w = rows_and_weights(name)
    fit, best = fm.fit(family(name), x, weights=w), CASES[name].best(x, w)
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert fit.llf == pytest.approx(float(best.llf), rel=1e-12)
    assert fit.nobs == pytest.approx(w.sum(), rel=1e-14)
    if CASES[name].smooth:
        np.testing.assert_allclose(list(flat(fit)), best.bse, rtol=1e-6)
    assert fit.bic == pytest.approx(fit.df_model * math.log(w.sum()) - 2 * fit.llf, rel=1e-13)
    assert fm.loglik(family(name), x, fit.params, weights=w) == pytest.approx(fit.llf, rel=1e-13)


def flat(fit: fm.Fit) -> np.ndarray:
    return np.sqrt(np.diag(fit.cov)) * fit.units


@pytest.mark.parametrize("name", CASES)
def test_sampling_weights_give_the_sandwich(name: str) -> None:
    case = CASES[name]
    x, w = rows_and_weights(name)
    best = case.best(x, w)
    fit = fm.fit(family(name), x, weights=w, weight_kind="sampling")
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert fit.llf == pytest.approx(float(best.llf), rel=1e-12)
    assert fit.nobs == len(x)
    assert fit.aic is None and fit.bic is None
    if case.smooth:
        expected = sandwich(case.loglik, case.space, exactly(x), exactly(w), best)
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        np.testing.assert_allclose(fit.cov_params() / scale, expected / scale, rtol=1e-6, atol=1e-8)
        # as if the weights were in other units
        tenfold = fm.fit(family(name), x, weights=10.0 * w, weight_kind="sampling")
        np.testing.assert_allclose(flat(tenfold), flat(fit), rtol=1e-10)
    if case.one_pass:
        state = fm.suffstats(family(name), weight_kind="sampling")
        for a, b in pairwise([0, 7, 50, len(x)]):
            state.update(x[a:b], weights=w[a:b])
        close(state.fit(), fit)
        np.testing.assert_allclose(state.fit().cov_params(), fit.cov_params(), rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_precision_weights_are_known_ratios_of_variances(name: str) -> None:
    case = CASES[name]
    x, w = rows_and_weights(name)
    if case.precision is None:
        with pytest.raises(fm.FamilyError, match="precision"):
            fm.fit(family(name), x, weights=w, weight_kind="precision")
        with pytest.raises(fm.FamilyError, match="precision"):
            fm.loglik(family(name), x, fm.fit(family(name), x).params, weights=w, weight_kind="precision")
        return
    fit, best = (
        fm.fit(family(name), x, weights=w, weight_kind="precision"),
        case.best(x, w, loglik=case.precision),
    )
    np.testing.assert_allclose(fit.theta, [float(t) for t in best.theta], rtol=1e-8)
    assert fit.llf == pytest.approx(float(best.llf), rel=1e-12)
    np.testing.assert_allclose(flat(fit), best.bse, rtol=1e-6)
    assert fit.nobs == len(x)
    assert fit.bic == pytest.approx(fit.df_model * math.log(len(x)) - 2 * fit.llf, rel=1e-13)
    at = fm.loglik(family(name), x, fit.params, weights=w, weight_kind="precision")
    assert at == pytest.approx(fit.llf, rel=1e-13)
    state = fm.suffstats(family(name), weight_kind="precision").update(x[:9], weights=w[:9])
    other = fm.suffstats(family(name), weight_kind="precision").update(x[9:], weights=w[9:])
    close((state + other).fit(), fit)


def test_kinds_of_weights_do_not_mix() -> None:
    frequency, sampling = fm.suffstats("gaussian"), fm.suffstats("gaussian", weight_kind="sampling")
    for pair in ((frequency, sampling), (frequency.update([1.0, 2.0]), sampling.update([1.0, 2.0]))):
        with pytest.raises(fm.FamilyError, match="merge"):
            pair[0] + pair[1]
    with pytest.raises(fm.FamilyError, match="merge"):
        fm.suffstats("gaussian") + fm.suffstats("gamma")
    with pytest.raises(fm.FamilyError, match="merge"):
        fm.suffstats("gaussian") + fm.suffstats("gaussian", nulls="drop")


# -- the same values in other clothes ----------------------------------------------------------------------------------------

WHOLE = ("int64", "int32", "uint8", "bool")


@pytest.mark.parametrize("name", CASES)
def test_any_dtype_is_its_values(name: str) -> None:
    """float32 and one kind of whole numbers a family, in turn: each is a kernel of its own."""
    case = CASES[name]
    x = sample(name)[:9000].astype(np.float32)
    if case.rounds:
        close(fm.fit(family(name), x), fm.fit(family(name), x.astype(np.float64)))
    else:  # as float32 they are, within its rounding
        a, b = fm.fit(family(name), x), fm.fit(family(name), sample(name)[:9000])
        np.testing.assert_allclose(a.theta, b.theta, rtol=1e-5)
    if case.whole is not None:
        k = case.whole(np.random.default_rng(3), 9000)
        dtype = WHOLE[list(CASES).index(name) % 3] if case.column != "bool" else "bool"
        close(fm.fit(family(name), k.astype(dtype)), fm.fit(family(name), k.astype(np.float64)))


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", ">f4", ">f8", "i1", "i2", "i4", "i8", ">i4", ">i8", "u1", "u2", "u4", "u8", "?"]
)
@pytest.mark.parametrize("name", ["gaussian", "poisson", "bernoulli"])
def test_all_dtypes(name: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    x = (rng.random(9000) < 0.4 if dtype == "?" or name == "bernoulli" else rng.poisson(4.0, 9000)).astype(
        dtype
    )
    close(fm.fit(name, x), fm.fit(name, x.astype(np.float64)))
    close(fm.suffstats(name).update(x).fit(), fm.fit(name, x.astype(np.float64)))


@pytest.mark.parametrize("size", [1, 7, 8, 4095, 4097, (1 << 18) + 3, (3 << 18) - 1])
def test_ones_are_counted(size: int) -> None:
    x = (np.random.default_rng(size).random(size) < 0.3).view(np.uint8)
    board = new_board()
    assert compile_ones()(x, board, True)
    assert (board[ONES], board[STRANGE]) == (sum(x.tolist()), 0)
    for place in {0, size // 2, size - 1}:
        for other in (2, 3, 128, 255):
            strange = x.copy()
            strange[place] = other
            board = new_board()
            assert compile_ones()(strange, board, True)
            assert board[STRANGE] == 1


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_ones_are_counted_by_threads_together(threads: int) -> None:
    """None is counted twice or left out; of other numbers at least one piece is found, and none is waited for in vain."""
    x = (np.random.default_rng(threads).random((5 << 18) + 3) < 0.3).view(np.uint8)
    strange = x.copy()
    strange[[400_000, 900_000]] = 2
    kernel = compile_ones()
    for _ in range(50):
        board, other = new_board(), new_board()
        share(lambda leads, board=board: kernel(x, board, leads), threads)
        assert (board[ONES], board[STRANGE], board[DONE]) == (sum(x.tolist()), 0, x.size)
        share(lambda leads, board=other: kernel(strange, board, leads), threads)
        assert other[STRANGE] >= 1 and other[DONE] == x.size


@pytest.mark.parametrize("name", ["bernoulli", "exponential"])
def test_zeros_and_ones_in_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted is what would be added: the same bits however rows come, and as whole numbers of eight bytes."""
    x = np.random.default_rng(6).random(700_001) < 0.3
    whole = fm.fit(name, x)
    expected = bits_of(whole)
    assert whole.sums.weight == x.size
    assert bits_of(fm.fit(name, x.astype(float))) == expected
    assert bits_of(fm.fit(name, x, chunk_rows=1003)) == expected
    monkeypatch.setattr("fastmle.states.rows.FEW_BYTES", 1)
    for threads in (1, 2, 7):
        assert bits_of(fm.fit(name, x, threads=threads)) == expected
    mixed = fm.suffstats(name).update(x[:300_000]).update(x[300_000:].astype(float))
    assert bits_of(mixed.fit()) == expected
    high = x.view(np.uint8).copy()
    high[600_000] = 2
    if name == "bernoulli":
        with pytest.raises(fm.DataError, match="row 600000: the value is 2"):
            fm.fit(name, high)
    else:
        assert bits_of(fm.fit(name, high)) == bits_of(fm.fit(name, high.astype(float)))


@pytest.mark.parametrize("name", CASES)
def test_strides_byte_order_and_flags_do_not_show(name: str, tmp_path: Path) -> None:
    x = sample(name)[:9000]
    expected = bits_of(fm.fit(family(name), x))
    wide = np.repeat(x, 3, axis=0)
    read_only = x.copy()
    read_only.flags.writeable = False
    np.save(tmp_path / "x.npy", x)
    for same in (
        wide[::3],
        x[::-1].copy()[::-1],
        np.asfortranarray(x),
        x.astype(">f8"),
        read_only,
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        tmp_path / "x.npy",
        x.tolist(),
    ):
        assert bits_of(fm.fit(family(name), same)) == expected


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_its_rows(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From Parquet of several row groups as from the array, to the bit; and so says `fastmle fit`, as JSON."""
    import polars as pl

    from fastmle.cli import main

    x = sample(name)
    pl.DataFrame(frame(x)).write_parquet(tmp_path / "x.parquet", row_group_size=7001)
    fit = fm.fit(family(name), tmp_path / "x.parquet", **named(x))
    assert bits_of(fit) == bits_of(whole(name)) and fit.n_passes == whole(name).n_passes
    role, value = next(iter(named(x).items()))
    columns = value if isinstance(value, str) else ",".join(value)
    constants = [part for key, v in CASES[name].constants.items() for part in (f"--{key}", str(v))]
    assert main(["fit", name, str(tmp_path / "x.parquet"), f"--{role}", columns, *constants, "--json"]) == 0
    assert fm.Fit.from_dict(json.loads(capsys.readouterr().out)) == fit


# -- other units -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2.0**-300, 2.0**-7, 2.0**40, 2.0**300])
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.scale])
def test_scale(name: str, factor: float) -> None:
    case, x = CASES[name], sample(name)
    fit, base = fm.fit(family(name), x * factor), whole(name)
    expected = np.array(case.scale(base.theta, factor), float)
    units = fit.family.units(fit.theta)
    there = np.isfinite(expected) & (np.abs(expected) > 1e-300)  # variances of such data may leave float64
    assert np.all(np.abs(fit.theta - expected)[there] <= 1e-13 * np.maximum(np.abs(expected), units)[there])
    columns = 1 if x.ndim == 1 else x.shape[1]
    assert fit.llf == pytest.approx(base.llf - N * columns * math.log(factor), rel=1e-12)
    assert fit.status == base.status
    np.testing.assert_allclose((flat(fit) / units)[there], (flat(base) / base.family.units(base.theta))[there], rtol=1e-11)


@pytest.mark.parametrize("offset", [-3.0, 1000.0, 2.0**20])
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.shift])
def test_shift(name: str, offset: float) -> None:
    case = CASES[name]
    x = np.round(sample(name) * 2.0**20) / 2.0**20  # so that the shift rounds nothing
    assert np.array_equal(x + offset - offset, x)
    fit, base = fm.fit(family(name), x + offset), fm.fit(family(name), x)
    expected = np.array(case.shift(base.theta, offset), float)
    scale = np.maximum(np.abs(expected), np.abs(base.family.units(base.theta)))
    assert np.all(np.abs(fit.theta - expected) <= 1e-13 * scale)
    assert fit.llf == pytest.approx(base.llf, rel=1e-12)
    np.testing.assert_allclose(flat(fit), flat(base), rtol=1e-9)
