"""Location-scale families, log p(x) = g(z) − log σ with z = (x − μ)/σ: their row slots, and what follows from them."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np

from .anchors import binary_scale
from .base import Family
from .terms import Sums, Vector, row_function


class At(NamedTuple):
    """The parameters of a pass."""

    mu: float = 0.0
    scale: float = 1.0
    per: float = 1.0  # 1/scale


class SoftSlopes(NamedTuple):
    """Of g = h − k log y, with 1 + t = y for some t >= 0: d = −g' and c = −g'' at z, times powers of z; kinds "ssssssle"."""

    h: float
    d: float
    zd: float
    c: float
    zc: float
    zzc: float
    log: float  # y, whose logarithm is summed
    slip: float  # what rounding took from 1 + t


class SoftHeight(NamedTuple):
    """Of these, for the log-likelihood: kinds "sf", for every row adds about 1 or more to what is summed."""

    h: float
    log: float


@row_function
def soft_slopes(z: float, h: float, d: float, c: float, t: float) -> SoftSlopes:
    y = 1.0 + t
    return SoftSlopes(h, d, z * d, c, z * c, z * z * c, y, t - (y - 1.0))


class LocationScale(Family):
    """A family of a location and a positive scale, the parameters in this order, whose row function adds `SoftSlopes`,
    or which has a score and an information of its own."""

    one_pass = False

    @abstractmethod
    def heights(self, s: Sums) -> float:
        """Σ w g(z)."""

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[1], theta[1]])

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        return np.asarray((x - theta[0]) / theta[1])

    def row_theta(self, theta: Vector) -> At:
        return At(theta[0], theta[1], 1.0 / theta[1])

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        return np.where(np.isnan(held), widened(self.start(x, w), 0, held[0]), held)

    def loglik(self, s: Sums, theta: Vector) -> float:
        return float(self.heights(s) - s.weight * math.log(theta[1]))

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.d, s.zd - s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        cross = s.d + s.zc
        return np.array([[s.c, cross], [cross, 2.0 * s.zd + s.zzc - s.weight]])


def widened(start: Vector, at: int, mu: float) -> Vector:
    """Starts whose scale, the parameter after the location, reaches as far as where the location is held, if it is."""
    out = np.array(np.atleast_2d(start), float)
    if not math.isnan(mu):
        out[:, at + 1] = np.hypot(out[:, at + 1], out[:, at] - mu)
    return out


def mean_and_sd(x: Vector, w: Vector) -> tuple[float, float]:
    """Of a sample, also where squares would leave float64; exact for equal values."""
    if x.min() == x.max():
        return float(x[0]), 0.0
    scale = binary_scale(float(np.abs(x).max()))
    mean = float(np.average(x / scale, weights=w))
    return mean * scale, math.sqrt(float(np.average((x / scale - mean) ** 2, weights=w))) * scale


def log_distance(x: Vector, c: float) -> Vector:
    """log(x/c), sharp near c and for quotients of any size."""
    near = np.abs(x - c) < 0.5 * c
    return np.where(near, np.log1p((x - c) / c), np.log(x) - math.log(c))


def in_order(x: Vector, w: Vector) -> tuple[Vector, Vector]:
    """The values of a sample from the least to the greatest, and the running weight."""
    if w.min() == w.max():
        return np.sort(x), np.arange(1.0, x.size + 1.0) * w[0]
    order = np.argsort(x)
    return x[order], np.cumsum(w[order])


def quantiles(x: Vector, w: Vector, q: Any) -> Vector:
    """Of a sample: the values at which the running weight passes q."""
    values, running = in_order(x, w)
    at = np.searchsorted(running, np.asarray(q) * running[-1])
    return np.asarray(values[np.minimum(at, x.size - 1)])
