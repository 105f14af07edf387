"""The negative binomial: p(x) = Γ(x + r)/(x! Γ(r)) p^r (1 − p)^x, for x = 0, 1, 2, ..., r > 0 real.

Maximum likelihood: p̂ = r̂/(r̂ + x̄), and r̂ is the root of Σ ψ(x + r) − nψ(r) + n log(r/(r + x̄)), which exists if and
only if the variance (divisor n) exceeds the mean; otherwise the likelihood rises to the Poisson limit r = ∞.
Source: Johnson, Kemp & Kotz, ch. 5; W. Simonsen, Scand. Actuarial J. (1976) 220-235 (uniqueness of the root).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Family, Param, Solution, Sums, TableTerms, Vector
from ..kernels.vecmath.counts import digamma_excess, digamma_rise, log_binomial, trigamma_fall
from ..kernels.vecmath.gaps import poisson_log_pmf
from ..kernels.vecmath.roots import root_between


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """NegativeBinomial(r, p) as in scipy: the number of failures before the r-th success of probability p."""

    name: ClassVar[str] = "negative_binomial"
    params: ClassVar[tuple[Param, ...]] = (Param("r", "positive"), Param("p", "unit"))
    terms: ClassVar[TableTerms] = TableTerms()
    discrete: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[0], theta[1] * (1.0 - theta[1])])

    def solve(self, s: Sums) -> Solution:
        share = s.weights / s.weight
        mean = math.fsum(share * s.values)
        variance = math.fsum(share * (s.values - mean) ** 2)
        if not math.isfinite(variance):
            return Solution((math.nan, math.nan))
        if mean == 0.0:
            return Solution((math.nan, 1.0), "boundary", "every value is 0: p = 1 for any r")
        if variance <= mean * (1.0 + 1e-14):
            return Solution((math.inf, 1.0), "boundary", "the variance does not exceed the mean: the limit is a Poisson")

        def profile(log_r: float) -> float:
            r = math.exp(log_r)
            return r * r / mean * digamma_excess(s.values, share, mean, r)

        at = math.log(mean * mean / (variance - mean))
        low, high = at - 1.0, at + 1.0
        while profile(low) < 0.0:
            low -= 2.0
        while profile(high) > 0.0:
            high += 2.0
        r = math.exp(root_between(profile, low, high, xtol=1e-15))
        return Solution((r, r / (r + mean)))

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        mean = math.fsum(s.values * s.weights) / s.weight
        if "r" in fixed:
            r = fixed["r"]
            return Solution((r, r / (r + mean))) if mean > 0.0 else Solution((r, 1.0), "boundary", "every value is 0: p = 1")
        p = fixed["p"]
        if mean == 0.0:
            return Solution((0.0, p), "boundary", "every value is 0: r = 0")
        return Solution((mean * p / (1.0 - p), p), approximate=True)

    def loglik(self, s: Sums, theta: Vector) -> float:
        r, p = theta
        if not math.isfinite(r):
            mean = math.fsum(s.weights * s.values) / s.weight
            return math.fsum(s.weights * poisson_log_pmf(s.values, mean))
        each = log_binomial(s.values, r) + r * math.log(p)
        some = s.values > 0.0  # 0 log 0 = 0
        each[some] += s.values[some] * (math.log1p(-p) if p < 1.0 else -math.inf)
        return math.fsum(s.weights * each)

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        r, p = theta
        return np.array([r * (digamma_rise(x, r) + math.log(p)), r * (1.0 - p) - x * p])

    def information(self, s: Sums, theta: Vector) -> Vector:
        r, p = theta
        fall = trigamma_fall(s.values, r)
        total, cross = math.fsum(s.weights * s.values), -s.weight * r * (1.0 - p)
        pp = s.weight * r * (1.0 - p) ** 2 + total * p * p
        return np.array([[r * r * math.fsum(s.weights * fall), cross], [cross, pp]])

    def dist(self, theta: Vector) -> Any:
        if theta[0] == math.inf:
            raise FamilyError("negative_binomial: the limit r = inf is a Poisson distribution: fit poisson")
        return scipy.stats.nbinom(*theta)

    def limit_dist(self, s: Sums, theta: Vector) -> Any:
        return None if math.isfinite(theta[0]) else scipy.stats.poisson(math.fsum(s.weights * s.values) / s.weight)
