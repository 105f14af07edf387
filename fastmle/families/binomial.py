"""The binomial distribution: log p(x) = log C(n, x) + x log p + (n − x) log(1 − p), for x = 0, ..., n.

Maximum likelihood: p̂ = x̄/n. Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions, ch. 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Family, Param, Solution, Sums, TableTerms, Vector, is_count
from ..kernels.vecmath.gaps import binomial_log_pmf


@dataclass(frozen=True)
class Binomial(Family):
    """Binomial(p): the number of successes in n trials, each of probability p."""

    n: int

    name: ClassVar[str] = "binomial"
    params: ClassVar[tuple[Param, ...]] = (Param("p", "unit"),)
    discrete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not is_count(self.n) or self.n < 1:
            raise FamilyError(f"binomial: n is a number of trials, not {self.n!r}")

    @property
    def terms(self) -> TableTerms:
        return TableTerms(highest=float(self.n))

    def units(self, theta: Vector) -> Vector:
        return theta * (1.0 - theta)

    def solve(self, s: Sums) -> Solution:
        if s.values[0] == s.values[-1] in (0.0, self.n):
            return Solution((float(s.values[0] > 0.0),), "boundary", f"every value is {s.values[0]:.0f}")
        return Solution((math.fsum(s.values * s.weights) / s.weight / self.n,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return math.fsum(s.weights * binomial_log_pmf(s.values, self.n, theta[0]))

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        p = theta[0]
        return np.array([x * (1.0 - p) - (self.n - x) * p])

    def information(self, s: Sums, theta: Vector) -> Vector:
        p, x = theta[0], s.values
        return np.array([[math.fsum(s.weights * (x * (1.0 - p) ** 2 + (self.n - x) * p * p))]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.binom(self.n, theta[0])

    def kl(self, theta: Vector, other: Vector) -> float:
        p, q = theta[0], other[0]
        with np.errstate(all="ignore"):
            return float(self.n * (scipy.special.rel_entr(p, q) + scipy.special.rel_entr(1.0 - p, 1.0 - q)))
