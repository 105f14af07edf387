"""The inverse gamma distribution: log p(x) = a log b − log Γ(a) − (a + 1) log x − b/x, for x > 0.

1/x has a gamma distribution of shape a and rate b. Maximum likelihood: b̂ = ân/Σ(1/x) and
log â − ψ(â) = log((1/n)Σ 1/x) + (1/n)Σ log x. Source: Johnson, Kotz & Balakrishnan 1, ch. 17.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    TOO_CLOSE,
    Center,
    Family,
    Logs,
    Param,
    RowTerms,
    Solution,
    Sums,
    Vector,
    add_logs_of_inverse,
    inverse_log_anchor,
    inverse_log_gap,
    positive,
)
from ..kernels.vecmath.bregman import gamma_divergence, inverse_gamma_entropy
from ..kernels.vecmath.gaps import (
    log_minus_digamma,
    log_shortfall,
    shape_of_gap,
    stirling_error,
    trigamma_minus_inverse,
)

TERMS = RowTerms(
    Logs,
    add_logs_of_inverse,
    positive,
    "x > 0",
    fill=1.0,
    theta=Center,
    kinds="sq",
    anchor=inverse_log_anchor,
)


@dataclass(frozen=True)
class InverseGamma(Family):
    """InverseGamma(shape, scale), both > 0; the mean is scale/(shape − 1) where shape > 1."""

    name: ClassVar[str] = "inverse_gamma"
    params: ClassVar[tuple[Param, ...]] = (Param("shape", "positive"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = TERMS

    def solve(self, s: Sums) -> Solution:
        gap = inverse_log_gap(s)
        if gap <= 1e-15:
            return Solution((math.inf, math.inf), "degenerate", TOO_CLOSE)
        shape = shape_of_gap(gap)
        return Solution((shape, shape / (1.0 + s.u / s.weight) * s.c))

    def loglik(self, s: Sums, theta: Vector) -> float:
        a, rho = theta[0], theta[1] / theta[0] / s.c  # rho = scale/(shape·c), about 1
        each = (
            0.5 * math.log(a / (2.0 * math.pi)) - stirling_error(a) + a * log_shortfall(rho) - math.log(s.c)
        )
        return float(s.weight * each - a * (s.log + rho * s.u) - s.log)

    def score(self, s: Sums, theta: Vector) -> Vector:
        a, rho = theta[0], theta[1] / theta[0] / s.c
        by_shape = s.weight * (log_minus_digamma(a) + math.log(rho)) - s.log
        return a * np.array([by_shape, s.weight * (1.0 - rho) - rho * s.u])

    def information(self, s: Sums, theta: Vector) -> Vector:
        a = theta[0]
        return s.weight * np.array([[a + a * a * trigamma_minus_inverse(a), -a], [-a, a]])

    def inverse_information(self, s: Sums, theta: Vector) -> Vector:
        """1/det = 1/(a³ (ψ'(a) − 1/a)), a difference that cancels in the matrix."""
        a = theta[0]
        both = 1.0 / (a * a * trigamma_minus_inverse(a))
        return np.array([[both, both], [both, both + 1.0 / a]]) / s.weight

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.invgamma(theta[0], scale=theta[1])

    def entropy(self, theta: Vector) -> float:
        """a + log b + log Γ(a) − (1 + a) ψ(a)."""
        return inverse_gamma_entropy(theta[0]) + math.log(theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        """That of the gamma distributions of 1/x."""
        return gamma_divergence(*theta, *other)
