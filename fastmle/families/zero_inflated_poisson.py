"""The zero-inflated Poisson: p(0) = π + (1 − π) e^{−λ} and p(x) = (1 − π) e^{−λ} λ^x/x! for x = 1, 2, ...

Maximum likelihood: λ̂/(1 − e^{−λ̂}) is the mean of the positive values and p(0) the fraction of zeros; if that calls for
π < 0, the maximum is the Poisson at π = 0. Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions, ch. 4.10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..family import Family, Param, Solution, Sums, TableTerms, Vector, zero_inflated
from ..kernels.vecmath.gaps import poisson_log_pmf, truncated_rate


def log_pmf(x: Any, rate: float, pi: float) -> Any:
    with np.errstate(divide="ignore"):
        zero = np.log1p((1.0 - pi) * math.expm1(-rate))
        return np.where(x == 0.0, zero, np.log1p(-pi) + poisson_log_pmf(np.asarray(x, float), rate))


@dataclass(frozen=True)
class ZeroInflatedPoisson(Family):
    """ZeroInflatedPoisson(rate, pi): 0 with probability pi, else Poisson of mean rate > 0."""

    name: ClassVar[str] = "zero_inflated_poisson"
    params: ClassVar[tuple[Param, ...]] = (Param("rate", "positive"), Param("pi", "unit"))
    terms: ClassVar[TableTerms] = TableTerms()
    discrete: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[0], theta[1] * (1.0 - theta[1])])

    def solve(self, s: Sums) -> Solution:
        found = self.solve_fixed(s, {})
        assert found is not None
        return found

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution | None:
        some = s.values > 0.0
        positive, total = math.fsum(s.weights[some]), math.fsum(s.values * s.weights)
        if positive == 0.0:
            pi = 1.0 if "rate" in fixed else fixed.get("pi", math.nan)
            return Solution((fixed.get("rate", 0.0), pi), "boundary", "every value is 0")
        if "pi" in fixed:
            return None
        beyond = math.fsum((s.values * s.weights)[some] - s.weights[some]) / positive
        rate = fixed["rate"] if fixed else truncated_rate(beyond)
        pi = 1.0 - positive / s.weight / -math.expm1(-rate) if rate > 0.0 else 0.0
        if pi <= 0.0:
            rate = fixed.get("rate", total / s.weight)
            return Solution((rate, 0.0), "boundary", "no more zeros than a Poisson has: pi = 0")
        return Solution((rate, pi))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return 0.0 if theta[0] == 0.0 else math.fsum(s.weights * log_pmf(s.values, *theta))

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        rate, pi = theta
        none = math.exp(-rate)
        zero = pi + (1.0 - pi) * none
        by_rate = np.where(x == 0.0, -(1.0 - pi) * none / zero * rate, x - rate)
        by_pi = np.where(x == 0.0, -math.expm1(-rate) / zero * (1.0 - pi), -1.0)
        return np.array([by_rate, by_pi * pi])

    def information(self, s: Sums, theta: Vector) -> Vector:
        rate, pi = theta
        none, some = math.exp(-rate), s.values > 0.0
        zero, zeros = pi + (1.0 - pi) * none, math.fsum(s.weights[~some])
        part = (1.0 - pi) * none / zero  # of the zeros, those of the Poisson
        rr = math.fsum((s.values * s.weights)[some]) - zeros * part * (1.0 - part) * rate * rate
        rp = -zeros * none / zero / zero * rate * pi * (1.0 - pi)
        pp = math.fsum(s.weights[some]) * pi * pi + zeros * (math.expm1(-rate) / zero * pi * (1.0 - pi)) ** 2
        return np.array([[rr, rp], [rp, pp]])

    def kl(self, theta: Vector, other: Vector) -> float:
        (a, p), (b, q) = theta, other
        zero, zero_of_other = (r + (1.0 - r) * math.exp(-v) for v, r in ((a, p), (b, q)))
        if q == 1.0 or ((q > 0.0) < (p > 0.0) and zero_of_other == 0.0):
            return math.inf
        positive = -math.expm1(-a) * (math.log1p(-p) - math.log1p(-q) + b - a) + a * math.log(a / b)
        return zero * math.log(zero / zero_of_other) + (1.0 - p) * positive

    def dist(self, theta: Vector) -> Any:
        return zero_inflated(log_pmf)(*theta)
