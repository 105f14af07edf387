"""Expectations under a distribution on the line, by quadrature over its quantiles.

E f(X) = ∫ e^{−s} [f(Q(e^{−s})) + f(Q'(e^{−s}))] ds from s = log 2, Q the quantile function and Q' that of the upper tail: in s
neither tails like powers nor a density that grows without bound at an end of the support are steep.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .family import Vector

COARSE, FINE = np.polynomial.legendre.leggauss(10), np.polynomial.legendre.leggauss(20)
FIRST, LAST = math.log(2.0), 60.0
PIECES = np.array([0.0, 1.0, 3.0, 8.0, 20.0, 40.0, 80.0, 150.0, 300.0, 600.0]) / 600.0
HALVINGS, MOST = 40, 400  # of pieces, and pieces in all

Function = Callable[[Vector], Vector]


def expectation(dist: Any, f: Function) -> tuple[float, float]:
    """E f(X) and a bound on its error; infinite where it does not exist. The caller silences numpy."""
    tails = [_tail(dist, f, dist.ppf, dist.cdf, 1.0), _tail(dist, f, dist.isf, dist.sf, -1.0)]
    total, error = (sum(parts) for parts in zip(*tails, strict=True))
    return total, 10.0 * error if math.isfinite(total) else 0.0  # where quantiles are rough the two rules err alike


def _tail(dist: Any, f: Function, quantile: Function, share: Function, sign: float) -> tuple[float, float]:
    """The half of the integral below (sign 1) or above (−1) the median."""
    low, high = dist.support()
    median = float(dist.ppf(0.5))

    def height(s: Vector) -> Vector:
        """f at the quantile, which one step of Newton's brings nearer: some have fewer digits than their distribution functions."""
        p = np.exp(-s)
        x = quantile(p)
        step = sign * (p - share(x)) / dist.pdf(x)
        near = np.abs(step) < 0.01 * np.minimum(np.minimum(x - low, high - x), np.abs(x - median))
        found: Vector = np.asarray(f(np.where(near, x + step, x)), float)
        return np.where(np.isnan(found), 0.0, found)

    end = _reach(quantile, low, high)
    if end == FIRST:
        return math.nan, math.nan
    total, error = _integral(lambda s: np.exp(-s) * height(s), FIRST + (end - FIRST) * PIECES)
    # further out f goes on as a line in s, as logarithms do; where e^{-s} f does not fall there is no expectation
    step = 0.1 * (end - FIRST)
    *_, half, two, one, last = height(np.array([0.5 * end, end - 2.0 * step, end - step, end])).tolist()
    if end == LAST and abs(last) * math.exp(-0.5 * end) >= 0.999 * abs(half) > 0.0:
        return math.copysign(math.inf, last), 0.0
    slope, before = (last - one) / step, (one - two) / step
    return total + math.exp(-end) * (last + slope), error + math.exp(-end) * abs(slope - before) + 1e-14 * abs(total)


def _reach(quantile: Function, low: float, high: float) -> float:
    """Up to which s float64 tells the quantiles from the ends of the support."""

    low, high = low + max(1e-307, 1e-14 * abs(low)), high - max(1e-307, 1e-14 * abs(high))

    def inside(s: float) -> bool:
        try:
            x = float(quantile(np.exp(-np.array([s])))[0])
        except OverflowError:  # of scipy's own root finding
            return False
        return math.isfinite(x) and not x < low and not x > high  # of an infinite end NaN

    a, b = FIRST, LAST
    if inside(b):
        return b
    if not inside(a):
        return a
    while b - a > 1e-3:
        a, b = (0.5 * (a + b), b) if inside(0.5 * (a + b)) else (a, 0.5 * (a + b))
    return a


def _integral(g: Function, edges: Vector) -> tuple[float, float]:
    """By Gauss's rule of 20 points beside that of 10, halving the pieces where these differ."""
    a, b = edges[:-1], edges[1:]
    parts: list[float] = []
    errors: list[float] = []
    pieces, size = 0, 0.0
    for halving in range(HALVINGS):
        middle, half = 0.5 * (a + b)[:, None], 0.5 * (b - a)[:, None]
        few, many = ((half * g((middle + half * x).ravel()).reshape(a.size, -1)) @ w for x, w in (COARSE, FINE))
        pieces, size = pieces + a.size, max(size, float(np.abs(many).sum()))
        off = np.abs(many - few)
        done = ~(off > 1e-13 * max(size, 1e-3)) | (halving == HALVINGS - 1) | (pieces > MOST)
        parts += many[done].tolist()
        errors += off[done].tolist()
        if done.all() or not np.isfinite(many).all():
            parts += many[~done].tolist()
            break
        a, middle, b = a[~done], middle[~done, 0], b[~done]
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
    return sum(parts), sum(errors)
