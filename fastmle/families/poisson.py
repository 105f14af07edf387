"""The Poisson distribution: log p(x) = x log λ − λ − log x!, for x = 0, 1, 2, ... Maximum likelihood: λ̂ = x̄.

Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions, ch. 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import Family, Param, Solution, Sums, TableTerms, Vector
from ..kernels.vecmath.gaps import log_ratio_shortfall, poisson_log_pmf


@dataclass(frozen=True)
class Poisson(Family):
    """Poisson(rate), rate > 0 the mean count; data are 0, 1, 2, ..."""

    name: ClassVar[str] = "poisson"
    params: ClassVar[tuple[Param, ...]] = (Param("rate", "positive"),)
    terms: ClassVar[TableTerms] = TableTerms()
    discrete: ClassVar[bool] = True

    def solve(self, s: Sums) -> Solution:
        total = math.fsum(s.values * s.weights)
        if total == 0.0:
            return Solution((0.0,), "boundary", "every value is 0")
        return Solution((total / s.weight,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return math.fsum(s.weights * poisson_log_pmf(s.values, theta[0]))

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        return np.array([x - theta[0]])

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.array([[math.fsum(s.values * s.weights)]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.poisson(theta[0])

    def kl(self, theta: Vector, other: Vector) -> float:
        a, b = theta[0], other[0]
        if a == 0.0:
            return float(b)
        return float(-a * log_ratio_shortfall(b, a))
