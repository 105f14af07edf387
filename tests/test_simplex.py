"""Rows that add up to one, beside their naive twin: any number of columns, by themselves or by rows, of any dtype."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmle.families import family_class
from fastmle.kernels.simplex import compile_simplex
from fastmle.kernels.tiles import TILE, addresses_of

ODD = st.sampled_from([0.0, -0.5, np.nan, np.inf, -np.inf, 1e308, 1e-320])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 20),
    k=st.integers(2, 11),
    rows=st.sampled_from([1, TILE - 1, TILE, TILE + 1, 3 * TILE + 57]),
    by_rows=st.booleans(),
    dtype=st.sampled_from(["f8", "f4"]),
    odd=st.lists(ODD),
)
def test_rows_are_told_and_laid_out(seed: int, k: int, rows: int, by_rows: bool, dtype: str, odd: list[float]) -> None:
    rng = np.random.default_rng(seed)
    x = rng.dirichlet(rng.uniform(0.3, 3.0, k), rows)
    x[rng.integers(0, rows, len(odd)), rng.integers(0, k, len(odd))] = odd
    x[rng.integers(0, rows, rows // 9)] *= 1.0 + rng.uniform(-2e-8, 2e-8)
    with np.errstate(over="ignore"):
        columns = tuple(x.T if by_rows else np.ascontiguousarray(x.T).astype(dtype))
    slack = 1e-8 if columns[0].itemsize > 4 else 1e-6
    out, good = np.full((k, rows), -1.0), np.empty(rows, np.bool_)
    simplex = compile_simplex(family_class("dirichlet")(k).terms.each.support)  # type: ignore[call-arg, attr-defined]
    bad = simplex(*addresses_of(columns), 0, rows, slack, out, good)
    assert np.array_equal(out, np.array(columns, np.float64), equal_nan=True)
    with np.errstate(invalid="ignore", over="ignore"):
        total = sum(c.astype(np.float64) for c in columns)
        naive = np.all([(c > 0.0) & (c < np.inf) for c in columns], axis=0) & (np.abs(total - 1.0) <= slack)
    assert good.tolist() == naive.tolist() and bad == (~naive).sum()


def test_a_part_of_the_rows_and_no_copy() -> None:
    x = np.random.default_rng(0).dirichlet([1.0, 2.0, 3.0], 1000)
    columns = tuple(np.ascontiguousarray(x.T))
    good = np.zeros(1000, np.bool_)
    simplex = compile_simplex(family_class("dirichlet")(3).terms.each.support)  # type: ignore[call-arg, attr-defined]
    assert simplex(*addresses_of(columns), 300, 500, 1e-8, np.empty((0, 1000)), good) == 0
    assert good.tolist() == [300 <= i < 800 for i in range(1000)]


@pytest.mark.parametrize("by_rows", [True, False])
def test_pieces_of_a_column_are_one_column(by_rows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import fastmle as fm
    import fastmle.states.columns as state

    x = np.random.default_rng(1).dirichlet([0.7, 2.0, 3.0], 200_000)
    data = x if by_rows else {f"x{j}": np.ascontiguousarray(x[:, j]) for j in range(3)}
    whole = fm.fit("dirichlet", data)
    monkeypatch.setattr(state, "PIECE", 3 * 7 * state.BLOCK)
    parts = fm.fit("dirichlet", data, threads=1)
    assert (parts.params, parts.llf) == (whole.params, whole.llf)
    x[123_456, 1] += 1e-4
    with pytest.raises(fm.DataError, match="row 123456"):
        fm.fit("dirichlet", data if by_rows else dict(data, x1=x[:, 1].copy()))
