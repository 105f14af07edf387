"""The gamma distribution: log p(x) = k log r − log Γ(k) + (k − 1) log x − r x, for x > 0.

Maximum likelihood: r̂ = k̂/x̄ and log k̂ − ψ(k̂) = log x̄ − (1/n)Σ log x. The sums are taken about an anchor c amid the
data, u = Σ w (x − c)/c and log = Σ w log(x/c), and k log k − k − log Γ(k) = ½ log(k/2π) − ε(k) with Stirling's ε, so that
nothing cancels for large k.
Source: T. Minka, Estimating a Gamma distribution (2002); Johnson, Kotz & Balakrishnan 1, ch. 17.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    TOO_CLOSE,
    Family,
    Param,
    RowTerms,
    Solution,
    Sums,
    Vector,
    center_mean,
    log_gap,
    log_terms,
)
from ..kernels.vecmath.bregman import gamma_divergence, gamma_entropy
from ..kernels.vecmath.gaps import (
    log_minus_digamma,
    log_shortfall,
    shape_of_gap,
    stirling_error,
    trigamma_minus_inverse,
)


@dataclass(frozen=True)
class Gamma(Family):
    """Gamma(shape, rate), both > 0; the mean is shape/rate."""

    name: ClassVar[str] = "gamma"
    params: ClassVar[tuple[Param, ...]] = (Param("shape", "positive"), Param("rate", "positive"))
    terms: ClassVar[RowTerms] = log_terms

    def solve(self, s: Sums) -> Solution:
        gap, mean = log_gap(s), center_mean(s)
        if math.isnan(mean):
            return Solution((math.nan, math.nan))
        if gap <= 1e-15:
            return Solution((math.inf, math.inf), "degenerate", TOO_CLOSE)
        shape = shape_of_gap(gap)
        return Solution((shape, shape / mean))

    def loglik(self, s: Sums, theta: Vector) -> float:
        k, rho = theta[0], theta[1] / theta[0] * s.c  # rho = rate·c/shape, about 1
        each = (
            0.5 * math.log(k / (2.0 * math.pi)) - stirling_error(k) + k * log_shortfall(rho) - math.log(s.c)
        )
        return float(s.weight * each + k * (s.log - rho * s.u) - s.log)

    def score(self, s: Sums, theta: Vector) -> Vector:
        k, rho = theta[0], theta[1] / theta[0] * s.c
        by_shape = s.weight * (log_minus_digamma(k) + math.log(rho)) + s.log
        return k * np.array([by_shape, s.weight * (1.0 - rho) - rho * s.u])

    def information(self, s: Sums, theta: Vector) -> Vector:
        k = theta[0]
        return s.weight * np.array([[k + k * k * trigamma_minus_inverse(k), -k], [-k, k]])

    def inverse_information(self, s: Sums, theta: Vector) -> Vector:
        """1/det = 1/(k³ (ψ'(k) − 1/k)), a difference that cancels in the matrix."""
        k = theta[0]
        both = 1.0 / (k * k * trigamma_minus_inverse(k))
        return np.array([[both, both], [both, both + 1.0 / k]]) / s.weight

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.gamma(theta[0], scale=1.0 / theta[1])

    def entropy(self, theta: Vector) -> float:
        """k − log r + log Γ(k) + (1 − k) ψ(k)."""
        return gamma_entropy(theta[0]) - math.log(theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        return gamma_divergence(*theta, *other)
