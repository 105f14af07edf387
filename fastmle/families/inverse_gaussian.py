"""The inverse Gaussian: log p(x) = ½ log(λ/2π) − 1.5 log x − λ (x − μ)²/(2μ²x), for x > 0.

Maximum likelihood: μ̂ = x̄ and 1/λ̂ = (1/n)Σ 1/x − 1/x̄, whose difference is taken about an anchor c amid the data:
sums are of u = (x − c)/c, h = (c − x)/x, v = u + h = (x − c)²/(cx) and log(x/c).
Source: R. Chhikara & L. Folks, The Inverse Gaussian Distribution (1989), ch. 2, 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import Family, Param, RowTerms, Solution, Sums, Vector, center_mean, harmonic_terms
from ..kernels.vecmath.gaps import log_shortfall


def spread(s: Sums, mu: float) -> float:
    """c Σ w (x − μ)²/(μ²x), with t = 1 − c/μ; where μ is far from c the first form would cancel."""
    t = (mu - s.c) / mu
    if abs(mu - s.c) < s.c:
        return s.weight * t * t - s.u * t * (2.0 - t) + s.v
    return s.u * (s.c / mu) ** 2 + s.weight * t * t + s.h


@dataclass(frozen=True)
class InverseGaussian(Family):
    """InverseGaussian(mu, lam): mean mu > 0, variance mu³/lam."""

    name: ClassVar[str] = "inverse_gaussian"
    params: ClassVar[tuple[Param, ...]] = (Param("mu", "positive"), Param("lam", "positive"))
    terms: ClassVar[RowTerms] = harmonic_terms

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        mu = fixed.get("mu", center_mean(s))
        if spread(s, mu) <= 0.0 and "lam" not in fixed:
            return Solution((mu, math.inf), "degenerate", "all values are equal")
        return Solution((mu, fixed["lam"] if "lam" in fixed else s.weight / spread(s, mu) * s.c))

    def loglik(self, s: Sums, theta: Vector) -> float:
        each = 0.5 * math.log(theta[1] / s.c / (2.0 * math.pi)) - math.log(s.c)
        return float(s.weight * each - 1.5 * s.log - 0.5 * (theta[1] / s.c) * spread(s, theta[0]))

    def score(self, s: Sums, theta: Vector) -> Vector:
        mu, lam = theta
        off = s.u * (s.c / mu) - s.weight * (mu - s.c) / mu  # Σ w (x − μ)/μ
        return np.array([lam / mu * off, 0.5 * (s.weight - lam / s.c * spread(s, mu))])

    def information(self, s: Sums, theta: Vector) -> Vector:
        mu, lam = theta
        off = s.u * (s.c / mu) - s.weight * (mu - s.c) / mu
        cross = -lam / mu * off
        return np.array([[lam / mu * s.weight - 3.0 * cross, cross], [cross, 0.5 * s.weight]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.invgauss(theta[0] / theta[1], scale=theta[1])

    def entropy(self, theta: Vector) -> float:
        """With E log X = log μ − e^z E1(z), z = 2λ/μ."""
        mu, lam = theta
        logs = math.log(mu) - float(scipy.special.hyperu(1.0, 1.0, 2.0 * lam / mu))
        return 0.5 * math.log(2.0 * math.pi / lam) + 1.5 * logs + 0.5

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, a), (n, b) = theta, other
        shift = (m - n) / n
        return 0.5 * (b / m * shift * shift - log_shortfall(b / a))
