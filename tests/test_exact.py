"""Exact addition against rational arithmetic, and the order of a comparison."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import fastmle as fm
from fastmle.kernels import exact
from fastmle.states import expansions

SUMS = np.array([False, False])


def totals_of(columns: list[list[float]]) -> np.ndarray:
    totals = exact.empty_totals("ss")
    exact.add_blocks()(totals, SUMS, np.ascontiguousarray(np.array(columns).T))
    return totals


@pytest.mark.parametrize("seed", range(40))
def test_sums_of_few_bits_far_apart_keep_within_their_room(seed: int) -> None:
    """Components that do not overlap may be of one bit each, hundreds of them: in rows of a few hundred binary orders."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 600))
    exponents = rng.integers(-1000, 1000, n) if seed % 2 else np.arange(n) * 7 % 2000 - 1000
    values = np.ldexp(rng.choice([-1.0, 1.0], n) if seed % 4 < 2 else rng.normal(size=n), exponents)
    if seed % 3 == 0:
        values[1::2] = -values[: n // 2 * 2 : 2] * (1.0 + 2.0**-50)
    totals = totals_of([values.tolist(), (-values[::-1]).tolist()])
    halves = [totals_of([values[part].tolist()] * 2) for part in (slice(0, n // 2), slice(n // 2, n))]
    exact.merge_totals()(halves[0], SUMS, halves[1])
    whole = sum(map(Fraction, values.tolist()))
    assert [expansions.exact_value(t) for t in (*totals, *halves[0])] == [whole, -whole, whole, whole]
    out = np.empty(2)
    exact.read_totals()(totals, SUMS, out)
    assert out.tolist() == [float(whole), -float(whole)]
    assert max(totals[:, 1]) <= exact.ROOM


@pytest.mark.parametrize("width", [0, 20, 60, 100, 110, 130, 300])
@pytest.mark.parametrize("seed", range(10))
def test_many_sums_at_once(seed: int, width: int) -> None:
    """Whether three floats hold all the sums or not: over powers of two from `width` bits, with zeros and what cancels."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3000, 2)) * 2.0 ** rng.integers(-width // 2, width // 2 + 1, (3000, 2))
    values[rng.random((3000, 2)) < 0.1] = 0.0
    values[1::7] = -values[: 7 * len(values[1::7]) : 7]
    totals = totals_of([[5.0, -1e-300], [0.0, 2.0**500]])
    exact.add_blocks()(totals, SUMS, values)
    for total, column, before in zip(totals, values.T.tolist(), ([5.0, -1e-300], [2.0**500]), strict=True):
        assert expansions.exact_value(total) == sum(map(Fraction, before + column))


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 1.7e308])
@pytest.mark.parametrize("place", [0, 11, 49])
def test_many_sums_of_which_some_leave_the_range(odd: float, place: int) -> None:
    """Each is added as if alone: what is not finite goes into its own slot, the others are still exact."""
    values = np.random.default_rng(place).normal(size=(50, 2))
    values[[place, (place + 20) % 50], 0] = odd
    totals = totals_of([[1.0], [2.0]])
    alone = totals.copy()
    exact.add_blocks()(totals, SUMS, values)
    for row in values:
        exact.add_blocks()(alone, SUMS, row[None].copy())
    np.testing.assert_array_equal(totals[:, 0], alone[:, 0])
    assert not np.isfinite(totals[0, 0]) and totals[1, 0] == 0.0
    assert [expansions.exact_value(t) for t in totals] == [expansions.exact_value(t) for t in alone]  # of what is finite


def test_merging_totals_of_unequal_length() -> None:
    """A long expansion that has become short leaves components behind, which a longer neighbour must not wake."""
    short = [1e300, 1.0, 1e-300, -1e300, -1e-300]
    long = [1e300, 1.0, 1e-300, 1e200, 1e100]
    merged = totals_of([[3.0], [5.0]])
    exact.merge_totals()(merged, SUMS, totals_of([short + [0.0] * 2, long + [0.0] * 2]))
    assert expansions.exact_value(merged[0]) == 3 + sum(map(Fraction, short))
    assert expansions.exact_value(merged[1]) == 5 + sum(map(Fraction, long))


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_merges_is_the_rational_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(2, 60)) * 10.0 ** rng.integers(-200, 200, (2, 60))
    values[0, 1::2] = -values[0, ::2]  # a column that cancels altogether beside one that does not
    merged = exact.empty_totals("ss")
    for part in rng.permutation(12):
        exact.merge_totals()(merged, SUMS, totals_of(values[:, part * 5 : part * 5 + 5].tolist()))
    for total, column in zip(merged, values.tolist(), strict=True):
        assert expansions.exact_value(total) == sum(map(Fraction, column))


def test_a_comparison_is_ordered_by_aic() -> None:
    ranked = fm.compare(np.random.default_rng(1).gamma(2.0, 3.0, 3000), ["gaussian", "gamma", "weibull"])
    assert ranked[0].family.name == "gamma"
    assert [f.aic for f in ranked] == sorted(f.aic for f in ranked)
    assert "ΔAIC" in repr(ranked)


def test_rows_of_a_hundred_sizes_far_apart() -> None:
    rows = [2.0**e for e in np.random.default_rng(0).permutation(np.arange(-1000, 400, 13)).tolist()]
    state = fm.suffstats("exponential")
    for x in rows:
        state.update([x])
    rate = len(rows) / sum(map(Fraction, rows))
    assert state.fit().params["rate"] == pytest.approx(float(rate), rel=1e-15)


def test_a_fit_keeps_its_pictures_when_the_state_goes_on() -> None:
    state = fm.suffstats("gaussian", keep="bins", points=5).update(np.arange(100.0))
    fit = state.fit()
    before, tests = fit.kept.to_dict(), repr(fit.gof())
    state.update(np.arange(1000.0, 2000.0))
    assert fit.kept.to_dict() == before and repr(fit.gof()) == tests


@pytest.mark.parametrize("name", ["exponential", "geometric", "uniform", "bernoulli"])
def test_states_about_one_anchor_are_equal_in_whatever_order_they_were_added(name: str) -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0.1, 0.9, 900)
    x = {"geometric": rng.geometric(0.3, 900), "bernoulli": rng.random(900) < p}.get(name, p)
    parts = [fm.suffstats(name).update(x[lo : lo + 90], weights=p[lo : lo + 90]) for lo in range(0, 900, 90)]
    first = sum(parts)
    for _ in range(5):
        order = rng.permutation(10).tolist()
        left = sum(parts[i] for i in order[:4])
        again = sum(parts[i] for i in order[4:]) + left
        assert again == first and again.to_bytes() == first.to_bytes()
        assert fm.SufficientStats.from_bytes(again.to_bytes()) == first


@pytest.mark.parametrize("seed", range(20))
def test_a_stored_total_is_the_same_sum_in_its_one_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.ldexp(rng.normal(size=(70, 1)), rng.integers(-1074, 900, (70, 1)))
    forms = []
    for _ in range(3):
        total = exact.empty_totals("s")
        exact.add_blocks()(total, SUMS[:1], values[rng.permutation(70)])
        forms.append(expansions.stored(total[0]))
    assert forms[0] == forms[1] == forms[2] and forms[0][:2] == [0.0, len(forms[0]) - 2.0]
    assert sum(map(Fraction, forms[0][2:])) == sum(map(Fraction, values[:, 0].tolist()))


@pytest.mark.parametrize(
    ("x", "w"),
    [(np.full(10, 1e308), None), (np.arange(1.0, 11.0), np.full(10, 1e-310)), (np.arange(10.0) * 1e10, np.full(10, 1e300))],
)
@pytest.mark.filterwarnings("error")
def test_pictures_of_extremes_are_written(x: np.ndarray, w: np.ndarray | None) -> None:
    state = fm.suffstats("gaussian", keep="bins", points=3).update(x, weights=w)
    again = fm.SufficientStats.from_bytes(state.to_bytes())
    assert again == state and again.kept.bins[0].weights.sum() == state.kept.bins[0].weights.sum()
    np.testing.assert_array_equal(again.kept.bins[0].sums, state.kept.bins[0].sums)
    assert (again + state).nobs == 2 * state.nobs
    counts = fm.suffstats("poisson", keep="bins").update([1, 2, 3]).update([2**70])
    assert counts.kept.bins[0].weights.tolist()[0] == 3.0 and counts.kept.bins[0].weights.sum() == 4.0


@pytest.mark.parametrize("columns", [("a", "b"), np.array(["a", "b"]), np.array([0, 1])])
def test_columns_may_be_chosen_by_any_sequence(columns: object) -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    data = x if np.asarray(columns).dtype.kind == "i" else {"a": x[:, 0], "b": x[:, 1]}
    state = fm.suffstats("mvn", columns=columns).update(data)
    assert fm.SufficientStats.from_bytes(state.to_bytes()) == state


def test_numbers_of_numpy_are_numbers_and_no_bytes_are_no_state() -> None:
    x = np.arange(10.0)
    assert fm.fit("gaussian", x, threads=np.int64(2)).params.mu == 4.5
    assert fm.suffstats("gaussian", keep="bins", points=np.int32(3)).update(x).kept.points.waits.size == 3
    for rows in (0, True, 1.5, "2"):
        with pytest.raises(fm.DataError, match="chunk_rows is a number of rows"):
            fm.fit("gaussian", x, chunk_rows=rows)
    for stored in (None, 5):
        with pytest.raises(fm.DataError, match="this is no fastmle-state"):
            fm.SufficientStats.from_bytes(stored)


@pytest.mark.parametrize("name", ["gaussian", "lognormal"])
def test_weights_beyond_float64_are_not_called_equal_values(name: str) -> None:
    x = np.arange(1.0, 11.0) * 1e10
    fit = fm.fit(name, x if name == "gaussian" else np.exp(x / 1e9), weights=np.full(10, 1e307))
    assert fit.status == "not_converged" and np.isnan([*fit.params.values()]).all()


@pytest.mark.parametrize("name", ["gaussian", "poisson", "dirichlet"])
def test_a_bad_weight_is_named_by_its_column(name: str) -> None:
    columns = ["a", "b"] if name == "dirichlet" else ["a"]
    data = {"a": [1.0, 2.0, 3.0], "w": [1.0, -1.0, 2.0], "b": [1.0, 2.0, 3.0]}
    if name == "dirichlet":
        data |= {"a": [0.5, 0.2, 0.4], "b": [0.5, 0.8, 0.6]}
    state = fm.suffstats(name, columns=columns)
    for first in (0, 3):
        with pytest.raises(fm.DataError, match=f"column 'w', row {first + 1}") as caught:
            state.update(data, weights="w")
        assert caught.value.column == "w" and state.nobs == first
        if not first:
            state.update(data, weights=np.ones(3))
