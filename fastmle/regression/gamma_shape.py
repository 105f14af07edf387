"""The shape of a gamma model under precision weights: row i has the shape w_i ν, and no sums of fixed size tell ν.

ν solves Σ w [log wν − ψ(wν)] = D/2, by Newton's steps in log ν, each of which reads the weights once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import scipy

from ..family import Sums, Vector
from ..kernels.vecmath.gaps import shape_of_gap
from ..passes import Passes
from .design import usable

LARGE = 30.0  # from where on the series are exact
STEPS = 20


def gap(x: Vector) -> Vector:
    """log x − ψ(x)."""
    z = 1.0 / np.maximum(x, LARGE) ** 2
    series = 0.5 / np.maximum(x, LARGE) + z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))))
    return np.where(x > LARGE, series, np.log(x) - scipy.special.digamma(x))


def gap_slope(x: Vector) -> Vector:
    """x d/dx of it: 1 − x ψ'(x)."""
    z = 1.0 / np.maximum(x, LARGE) ** 2
    series = -0.5 / np.maximum(x, LARGE) - z * (1 / 6 - z * (1 / 30 - z * (1 / 42 - z / 30)))
    return np.where(x > LARGE, series, 1.0 - x * scipy.special.polygamma(1, x))


def stirling(x: Vector) -> Vector:
    """x log x − x − log Γ(x)."""
    z = np.maximum(x, LARGE)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / z**2) / z**2) / z**2) / z
    return np.asarray(np.where(x > LARGE, 0.5 * np.log(z / (2.0 * math.pi)) - series, x * np.log(x) - x - scipy.special.gammaln(x)))


def weighted_gamma(s: Sums, passes: Passes) -> tuple[float, float]:
    """(log-likelihood, dispersion) at the maximum over ν, from the sums at the coefficients."""
    half = s.loss - s.b
    if not half > 0.0:
        return math.nan, math.nan
    mean = half / s.weight
    t = math.log(shape_of_gap(mean))
    t -= math.log(s.weight / s.rows)
    height = math.nan
    for _ in range(STEPS):
        nu = math.exp(t)
        f = slope = height = 0.0
        for w in _weights(passes):
            f += float(w @ gap(w * nu))
            slope += float(w @ gap_slope(w * nu))
            height += float(stirling(w * nu).sum())
        step = (math.log(half) - math.log(f)) * f / slope
        if abs(step) < 1e-7:  # the likelihood is flat here, and the last step is quadratic
            nu *= math.exp(step)
            break
        t += step
    return height - math.exp(t) * half - s.c, 1.0 / nu


def _weights(passes: Passes) -> Iterator[Vector]:
    passes.count += 1
    for chunk in passes.source.host_chunks():
        yield np.asarray(chunk[-1], float)[usable(chunk, passes.options)]
