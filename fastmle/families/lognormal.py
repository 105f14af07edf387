"""The lognormal distribution: log p(x) = −½ log 2π − log σ − log x − (log x − μ)²/2σ², for x > 0.

Maximum likelihood: the mean and the standard deviation (divisor n) of log x, taken about the anchor c.
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 14.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import (
    Family,
    LogCenter,
    Param,
    RowTerms,
    Solution,
    Sums,
    Vector,
    log_moment_anchor,
    normal,
    positive,
    row_function,
)
from ..kernels.vecmath import log_ratio, log_ratio_normal
from ..kernels.vecmath.gaps import log_shortfall

LOG_2PI = math.log(2.0 * math.pi)


class Moments(NamedTuple):
    """Of logarithms about the anchor: u = log(x/c)."""

    u: float
    uu: float
    log: float  # log x, a sum over rows: each has a density of its own


@row_function
def moments(u: float, a: LogCenter) -> Moments:
    return Moments(u, u * u, u + a.log_c)


@row_function
def add(x: float, a: LogCenter) -> Moments:
    return moments(log_ratio(x, a.c), a)


@row_function
def add_normal(x: float, a: LogCenter) -> Moments:
    return moments(log_ratio_normal(x, a.c), a)


TERMS = RowTerms(
    Moments,
    add,
    positive,
    "x > 0",
    fill=1.0,
    theta=LogCenter,
    kinds="ssr",
    anchor=log_moment_anchor,
    quick=(add_normal, normal),
)


def standardised(s: Sums, theta: Sequence[float] | Vector) -> tuple[float, float]:
    """Σ w z and Σ w z², with z = (log x − μ)/σ."""
    u0, sigma = theta[0] - s.log_c, theta[1]
    return (s.u - s.weight * u0) / sigma, (s.uu - 2.0 * u0 * s.u + s.weight * u0 * u0) / sigma / sigma


@dataclass(frozen=True)
class LogNormal(Family):
    """LogNormal(mu, sigma): log x has mean mu and standard deviation sigma > 0."""

    name: ClassVar[str] = "lognormal"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("sigma", "positive"))
    terms: ClassVar[RowTerms] = TERMS
    precision_weights: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[1], theta[1]])

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        mean = s.u / s.weight
        mu, squares = s.log_c + mean, s.uu - s.u * mean
        if "mu" in fixed:
            mu = fixed["mu"]
            _, squares = standardised(s, (mu, 1.0))
        sigma = fixed["sigma"] if "sigma" in fixed else math.sqrt(max(squares, 0.0) / s.n)
        return Solution((mu, sigma)) if sigma != 0.0 else Solution((mu, sigma), "degenerate", "all values are equal")

    def loglik(self, s: Sums, theta: Vector) -> float:
        _, zz = standardised(s, theta)
        return -s.n * (0.5 * LOG_2PI + math.log(theta[1])) - s.log - 0.5 * zz

    def score(self, s: Sums, theta: Vector) -> Vector:
        z, zz = standardised(s, theta)
        return np.array([z, zz - s.n])

    def information(self, s: Sums, theta: Vector) -> Vector:
        z, zz = standardised(s, theta)
        return np.array([[s.weight, 2.0 * z], [2.0 * z, 3.0 * zz - s.n]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.lognorm(theta[1], scale=math.exp(theta[0]))

    def entropy(self, theta: Vector) -> float:
        return 0.5 * (LOG_2PI + 1.0) + theta[0] + math.log(theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        ratio, shift = theta[1] / other[1], (theta[0] - other[0]) / other[1]
        return 0.5 * (shift * shift - log_shortfall(ratio * ratio))
