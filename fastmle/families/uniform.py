"""The uniform distribution: p(x) = 1/(high − low) for low <= x <= high.

Maximum likelihood: the extremes of the data. The support depends on the parameters, so the likelihood is not
regular: errors of order 1/n, no standard errors. Source: Johnson, Kotz & Balakrishnan 2, ch. 26.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import Family, Param, RowTerms, Solution, Sums, Vector, ends_terms


def log_width(low: float, high: float) -> float:
    """log(high − low), also where the width itself exceeds float64."""
    width = high - low
    return math.log(width) if math.isfinite(width) else math.log(0.5 * high - 0.5 * low) + math.log(2.0)


@dataclass(frozen=True)
class Uniform(Family):
    """Uniform(low, high), low < high."""

    name: ClassVar[str] = "uniform"
    params: ClassVar[tuple[Param, ...]] = (Param("low", regular=False), Param("high", regular=False))
    terms: ClassVar[RowTerms] = ends_terms

    def valid(self, theta: Vector) -> bool:
        return bool(theta[0] < theta[1])

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        low, high = fixed.get("low", -s.minus_low), fixed.get("high", s.high)
        if low == high:
            return Solution((low, high), "degenerate", "all values are equal")
        return Solution((low, high), "nonregular", "the ends have no standard errors: they are within O(1/n)")

    def loglik(self, s: Sums, theta: Vector) -> float:
        if theta[0] > -s.minus_low or theta[1] < s.high:
            return -math.inf
        return -s.weight * log_width(*theta.tolist())

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.full(2, np.nan)

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.full((2, 2), np.nan)

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.uniform(theta[0], theta[1] - theta[0])

    def entropy(self, theta: Vector) -> float:
        return log_width(*theta.tolist())

    def kl(self, theta: Vector, other: Vector) -> float:
        if other[0] > theta[0] or other[1] < theta[1]:
            return math.inf
        return log_width(*other.tolist()) - log_width(*theta.tolist())
