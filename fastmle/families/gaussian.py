"""The normal distribution: log p(x) = −½ log 2π − log σ − (x − μ)²/2σ².

Maximum likelihood: μ̂ = Σwx/Σw, σ̂² = Σw(x − μ̂)²/Σw (divisor n, not n − 1).
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import Family, Location, Param, RowTerms, Solution, Sums, Vector, moment_anchor, row_function
from ..kernels.vecmath.gaps import log_shortfall

LOG_2PI = math.log(2.0 * math.pi)


class Moments(NamedTuple):
    """About the anchor: u = (x − c)·per."""

    u: float
    uu: float


@row_function
def add(x: float, a: Location) -> Moments:
    u = x * a.per - a.c * a.per  # per is a power of two: the products are exact, the difference is rounded once
    return Moments(u, u * u)


TERMS = RowTerms(Moments, add, theta=Location, anchor=moment_anchor)


def standardised(s: Sums, theta: Sequence[float] | Vector) -> tuple[float, float]:
    """Σ w z and Σ w z², with z = (x − μ)/σ = (u − u0)/b."""
    mu, sigma = theta
    u0, b = (mu - s.c) * s.per, sigma * s.per
    return (s.u - s.weight * u0) / b, (s.uu - 2.0 * u0 * s.u + s.weight * u0 * u0) / b / b


@dataclass(frozen=True)
class Gaussian(Family):
    """N(mu, sigma²); `mu` real, `sigma` > 0 the standard deviation."""

    name: ClassVar[str] = "gaussian"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("sigma", "positive"))
    terms: ClassVar[RowTerms] = TERMS
    precision_weights: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[1], theta[1]])

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        mean = s.u / s.weight
        mu, squares = s.c + mean / s.per, s.uu - s.u * mean
        if "mu" in fixed:
            mu = fixed["mu"]
            _, squares = standardised(s, (mu, 1.0 / s.per))
        sigma = fixed["sigma"] if "sigma" in fixed else math.sqrt(max(squares, 0.0) / s.n) / s.per
        return Solution((mu, sigma)) if sigma != 0.0 else Solution((mu, sigma), "degenerate", "all values are equal")

    def loglik(self, s: Sums, theta: Vector) -> float:
        _, zz = standardised(s, theta)
        return -s.n * (0.5 * LOG_2PI + math.log(theta[1])) - 0.5 * zz

    def score(self, s: Sums, theta: Vector) -> Vector:
        z, zz = standardised(s, theta)
        return np.array([z, zz - s.n])

    def information(self, s: Sums, theta: Vector) -> Vector:
        z, zz = standardised(s, theta)
        return np.array([[s.weight, 2.0 * z], [2.0 * z, 3.0 * zz - s.n]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.norm(*theta)

    def entropy(self, theta: Vector) -> float:
        return 0.5 * (LOG_2PI + 1.0) + math.log(theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        ratio, shift = theta[1] / other[1], (theta[0] - other[0]) / other[1]
        return 0.5 * (shift * shift - log_shortfall(ratio * ratio))
