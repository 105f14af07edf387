"""Medians in a few reads beside sorted columns: with first rows that mislead, ties, weights, and numbers of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmle.selection as selection
from fastmle.families import family_of
from fastmle.request import passes_over
from fastmle.selection import median_interval

DRAWS: dict[str, Any] = {
    "normal": lambda rng, n: rng.normal(3.0, 2.0, n),
    "sorted": lambda rng, n: np.sort(rng.normal(3.0, 2.0, n)),
    "the far ones first": lambda rng, n: np.concatenate([rng.normal(1e6, 1.0, n // 4), rng.normal(0.0, 1.0, n - n // 4)]),
    "ties": lambda rng, n: rng.integers(-3, 4, n).astype(float),
    "halves of two values": lambda rng, n: np.repeat([2.0, 5.0], n // 2),
    "one value": lambda rng, n: np.full(n, -7.25),
    "of any size": lambda rng, n: rng.normal(size=n) * 10.0 ** rng.uniform(-300, 300, n),
    "zeros of both signs": lambda rng, n: rng.choice([-0.0, 0.0, 1e-320, -1e-320], n),
    "negative": lambda rng, n: -rng.exponential(1.0, n),
}


def naive(x: Any, w: Any) -> tuple[float, float]:
    """From sorted rows, in whole numbers of weight."""
    order = np.argsort(x, kind="stable")
    running = np.cumsum(w[order])
    half = running[-1] / 2
    return float(x[order][running >= half][0]), float(x[order][running > half][0])


def interval(x: Any, w: Any = None, **options: Any) -> tuple[float, float]:
    family, passes = passes_over(family_of("laplace"), x, weights=w, **options)
    found = median_interval(passes, family.terms)
    assert passes.count <= 4
    return found


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [7, 300_000])
def test_a_median_is_that_of_the_sorted_rows(draw: str, weighted: bool, rows: int) -> None:
    rng = np.random.default_rng(3)
    x = DRAWS[draw](rng, rows)
    w = rng.integers(0, 4, x.size).astype(float) if weighted else np.ones(x.size)
    assert interval(x, w if weighted else None) == naive(x, w)


@pytest.mark.parametrize("draw", ["normal", "sorted", "ties", "of any size"])
def test_windows_are_narrowed_where_too_many_rows_are_left_to_gather(draw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "GATHER", 2)
    x = DRAWS[draw](np.random.default_rng(5), 200_000)
    family, passes = passes_over(family_of("laplace"), x)
    assert median_interval(passes, family.terms) == naive(x, np.ones(x.size))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_any_numbers_in_any_order(values: list[float], data: st.DataObject) -> None:
    x = np.array(values)
    w = np.array(data.draw(st.lists(st.integers(0, 3), min_size=x.size, max_size=x.size)), float)
    few, selection.FEW = selection.FEW, data.draw(st.sampled_from([2, 1 << 10]))
    try:
        assert interval(x) == naive(x, np.ones(x.size))
        if w.any():
            assert interval(x, w) == naive(x, w)
    finally:
        selection.FEW = few


def test_the_last_bin_of_a_window_may_end_behind_the_greatest_float(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "FEW", 2)
    for x in (np.array([129.0, 1.79e308]), np.array([-1.79e308, -129.0]), np.array([-1.79e308, 1.79e308])):
        assert interval(x) == naive(x, np.ones(2))


def test_chunks_threads_and_dtypes_do_not_show() -> None:
    x = np.random.default_rng(6).integers(-1000, 1000, 300_000)
    expected = naive(x.astype(float), np.ones(x.size))
    for dtype in (np.int64, np.int32, np.float32, np.float64):
        for options in ({"threads": 1}, {"threads": 3}):
            assert interval(x.astype(dtype), **options) == expected
    pieces = np.array_split(x.astype(float), 37)
    assert interval(lambda: iter(pieces)) == expected


def test_the_families_that_use_it_name_bad_rows() -> None:
    import fastmle as fm

    x = np.random.default_rng(7).normal(size=200_000)
    x[150_000] = np.inf
    with pytest.raises(fm.DataError, match=r"150,?000"):
        fm.fit(family_of("laplace"), x)
