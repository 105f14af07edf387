"""Differences that would cancel, against mpmath, for floats and for arrays."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.optimize
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from fastmle.kernels.vecmath import counts, gaps
from fastmle.kernels.vecmath.roots import root_between

POINTS = np.concatenate([
    np.arange(1.0, 40.0), np.linspace(0.01, 25.0, 400), np.geomspace(1e-300, 1e150, 300), [5e-324, np.nextafter(16.0, 0.0), 16.0]
])  # fmt: skip
EXACT: dict[str, Any] = {
    "log_minus_digamma": lambda x: mp.log(x) - mp.digamma(x),
    "trigamma_minus_inverse": lambda x: mp.polygamma(1, x) - 1 / x,
    "stirling_error": lambda x: mp.loggamma(x) - ((x - 0.5) * mp.log(x) - x + mp.log(2 * mp.pi) / 2),
    "log1p_minus": lambda x: mp.log1p(x) - x,
}


@pytest.mark.parametrize("name", EXACT)
def test_to_full_relative_precision(name: str) -> None:
    function = getattr(gaps, name)
    x = np.concatenate([POINTS, -POINTS[POINTS < 1.0]]) if name == "log1p_minus" else POINTS
    if name == "trigamma_minus_inverse":
        x = x[x > 1e-150]  # below, it leaves float64
    with mp.workdps(400):  # of which 300 cancel at 1e150
        exact = np.array([float(EXACT[name](mp.mpf(v))) for v in x.tolist()])
    np.testing.assert_allclose(function(x), exact, rtol=4e-15)
    np.testing.assert_allclose([function(v) for v in x.tolist()], exact, rtol=4e-15)
    assert all(type(function(v)) is float for v in (2.0, np.float64(2.0), np.array(2.0)))


@pytest.mark.parametrize("name", list(EXACT)[:3])
def test_ends_of_the_half_line(name: str) -> None:
    function = getattr(gaps, name)
    assert function(np.inf) == 0.0 and np.isnan(function(np.nan))
    assert np.isposinf(function(0.0)) and np.isposinf(function(np.zeros(2))).all()
    np.testing.assert_array_equal(function(np.array([np.inf, np.nan])), [0.0, np.nan])


@pytest.mark.parametrize("gap", [*np.geomspace(1e-150, 1e300, 46).tolist(), 2.999999, 3.0, 3.000001])
def test_the_shape_of_a_gap(gap: float) -> None:
    k = gaps.shape_of_gap(gap)
    slope = k * gaps.trigamma_minus_inverse(k)  # of the gap, per unit of log k
    assert abs(gaps.log_minus_digamma(k) - gap) <= 1e-14 * slope


@pytest.mark.parametrize("r", [1e-3, 0.7, 30.0, 1e9])
@pytest.mark.parametrize("most", [0.0, 3.0, 2e5, 3e6])
def test_the_fall_of_trigamma(r: float, most: float) -> None:
    x = np.array([0.0, 1.0, 2.0, most])
    with mp.workdps(60):
        exact = [float(mp.polygamma(1, r) - mp.polygamma(1, mp.mpf(r) + mp.mpf(v))) for v in x.tolist()]
    np.testing.assert_allclose(counts.trigamma_fall(x, r), exact, rtol=1e-14)
    assert counts.trigamma_fall(x, r)[0] == 0.0


# -- roots -----------------------------------------------------------------------------------------------------------------

CURVES: dict[str, Any] = {
    "line": lambda x: x,
    "cube": lambda x: x * x * x,
    "steep": lambda x: np.expm1(10.0 * x),
    "flat": lambda x: np.arctan(1e3 * x),
    "jump": lambda x: 1.0 if x >= 0.0 else -1.0,
    "infinite": lambda x: -np.inf if x < -0.1 else x,
}


@given(st.sampled_from(list(CURVES)), st.floats(-3.0, 3.0), st.floats(0.01, 50.0), st.floats(0.01, 50.0), st.booleans())
def test_a_root_between_two_points(name: str, at: float, left: float, right: float, falls: bool) -> None:
    asked: list[float] = []

    def f(x: float) -> float:
        asked.append(x)
        return float(CURVES[name](x - at)) * (-1.0 if falls else 1.0)

    low, high = at - left, at + right
    assert abs(root_between(f, low, high, xtol=1e-13) - at) <= 1e-12
    assert all(low <= x <= high for x in asked) and len(asked) <= 120


def test_a_root_needs_few_steps() -> None:
    for f in (np.cos, lambda x: np.exp(x) - 9.0, lambda x: x**3 - 2.0 * x - 5.0):
        asked: list[float] = []
        found = root_between(lambda x, f=f, asked=asked: asked.append(x) or float(f(x)), 1.0, 3.0, xtol=1e-15)
        assert found == pytest.approx(scipy.optimize.brentq(f, 1.0, 3.0, xtol=1e-15), rel=1e-14)
        assert len(asked) <= 13


def test_ends_of_a_root() -> None:
    assert root_between(lambda x: x, 0.0, 3.0, xtol=1e-9) == 0.0
    assert root_between(lambda x: x, -3.0, 0.0, xtol=1e-9) == 0.0
    with pytest.raises(ValueError, match="change of sign"):
        root_between(lambda x: 1.0 + x * x, -1.0, 1.0, xtol=1e-9)
