"""Families with tails like |z|^−(ν + 1): where steps begin, and when equal values leave the likelihood without a maximum."""

from __future__ import annotations

import math

import numpy as np

from .base import Family
from .location_scale import mean_and_sd, quantiles, widened
from .terms import Vector, row_function

FAR, BACK = 2.0**480, 2.0**-540  # so that z² lies within 2^-120 and 2^968
DROP = 2.0 * math.log(BACK)  # of log z² where z is shrunk
MOST = 1e6  # ν from which a t is no longer told from a normal


@row_function
def shrink(z: float) -> float:
    """What z is multiplied by, lest z² leave float64."""
    return BACK if abs(z) > FAR else 1.0


def neighbourhoods(x: Vector, w: Vector) -> Vector:
    """(μ, σ) at five quantiles of a sample, with the spread about each: there may be a maximum near any of them."""
    q = quantiles(x, w, [0.02, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9, 0.98])
    wide = 0.7 * (q[7] - q[3]) or 0.5 * (x.max() - x.min())
    across = q[[2, 4, 6, 8, 10]] - q[[0, 2, 4, 6, 8]]
    return np.column_stack([q[[1, 3, 5, 7, 9]], np.where(across > 0.0, 0.5 * across, wide)])


def ties(share: float, df: float) -> str:
    """What a share s of equal values does to the likelihood as σ → 0 about them, as a sentence: the mean of its logarithm is
    then ((1 − s) ν − s) log σ and a constant."""
    slope = (1.0 - share) * df - share
    if slope > 0.0:
        return ""
    if slope == 0.0:
        return f"{share:.0%} of the values are equal: the likelihood has no single maximum with sigma > 0"
    return f"{share:.1%} of the values are equal: the likelihood grows without bound as sigma -> 0"


class HeavyTails(Family):
    """A family of degrees of freedom ν, a location and a scale, the parameters in this order; at ν = ∞ the normal."""

    one_pass = False
    collapses = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[0], theta[2], theta[2]])

    def valid(self, theta: Vector) -> bool:
        return bool(theta[0] > 0.0 and abs(theta[1]) < math.inf and 0.0 < theta[2] < math.inf)

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        return np.asarray((x - theta[1]) / theta[2])

    def start(self, x: Vector, w: Vector) -> Vector:
        """A Cauchy at several places, for the sake of other maxima; lighter tails; the normal."""
        near = neighbourhoods(x, w)
        mean, sd = mean_and_sd(x, w)
        return np.array([*((1.0, *at) for at in near), (5.0, near[2][0], sd), (math.inf, mean, sd)])

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        return np.where(np.isnan(held), widened(self.start(x, w), 1, held[1]), held)

    def collapse(self, value: float, share: float, theta: Vector, free: np.ndarray, peak: bool) -> str:
        """With ν free, σ → 0 and ν → 0 have no bound for any data: a peak inside is then the estimate."""
        about = free[2] and (free[1] or value == theta[1]) and not (free[0] and peak)
        return ties(share, theta[0]) if about else ""

    def edge(self, theta: Vector, free: np.ndarray) -> str:
        return "df -> infinity: no heavier tails than the normal's" if free[0] and theta[0] > MOST else ""
