"""The beta distribution: log p(x) = −log B(a, b) + (a − 1) log x + (b − 1) log(1 − x), for 0 < x < 1.

Maximum likelihood: ψ(â) − ψ(â + b̂) = (1/n)Σ log x and ψ(b̂) − ψ(â + b̂) = (1/n)Σ log(1 − x), by Newton's steps.
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 25.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    Family,
    Middle,
    Param,
    RowTerms,
    Solution,
    Sums,
    UnitLogs,
    Vector,
    add_unit_logs,
    between,
    unit_anchor,
    unit_gaps,
)
from ..kernels.vecmath.bregman import dirichlet_divergence, dirichlet_entropy
from ..kernels.vecmath.gaps import log_minus_digamma, stirling_error, trigamma_minus_inverse

TERMS = RowTerms(
    UnitLogs, add_unit_logs, between, "0 < x < 1", fill=0.5, theta=Middle, kinds="sllee", anchor=unit_anchor
)


def mean_logs(s: Sums, a: float, b: float) -> tuple[float, float]:
    """log(p/c) and log((1 − p)/(1 − c)) at p = a/(a + b), whose difference from c is taken exactly."""
    p = Fraction(a) / (Fraction(a) + Fraction(b))
    off = float(p - Fraction(s.c))
    return (
        math.log1p(off / s.c) if off > -0.5 * s.c else math.log(p) - math.log(s.c),
        math.log1p(-off / s.rest) if off < 0.5 * s.rest else math.log(1 - p) - math.log(s.rest),
    )


@dataclass(frozen=True)
class Beta(Family):
    """Beta(alpha, beta), both > 0; the mean is alpha/(alpha + beta)."""

    name: ClassVar[str] = "beta"
    params: ClassVar[tuple[Param, ...]] = (Param("alpha", "positive"), Param("beta", "positive"))
    terms: ClassVar[RowTerms] = TERMS

    def solve(self, s: Sums) -> Solution:
        """A start: the mean, and a sum from p·(gap of x) + (1 − p)·(gap of 1 − x), about 1/(2(a + b))."""
        gap, gap_rest = unit_gaps(s)
        p, rest = s.c + s.u / s.weight, s.rest - s.u / s.weight
        if gap <= 1e-15 and gap_rest <= 1e-15:
            return Solution((math.inf, math.inf), "degenerate", "all values are equal")
        total = 0.5 / float(p * gap + rest * gap_rest)
        return Solution((p * total, rest * total), approximate=True)

    def loglik(self, s: Sums, theta: Vector) -> float:
        a, b = theta
        p, rest = mean_logs(s, a, b)
        each = 0.5 * (math.log(a) + math.log(b) - math.log(a + b) - math.log(2.0 * math.pi))
        each -= stirling_error(a) + stirling_error(b) - stirling_error(a + b) + a * p + b * rest
        jacobian = math.log(s.c) + math.log1p(-s.c)
        return float(s.weight * (each - jacobian) + (a - 1.0) * s.log + (b - 1.0) * s.log_rest)

    def score(self, s: Sums, theta: Vector) -> Vector:
        a, b = theta
        p, rest = mean_logs(s, a, b)
        fall = log_minus_digamma(a + b)
        by_a = s.log - s.weight * (p - log_minus_digamma(a) + fall)
        by_b = s.log_rest - s.weight * (rest - log_minus_digamma(b) + fall)
        return np.array([a * by_a, b * by_b])

    def information(self, s: Sums, theta: Vector) -> Vector:
        a, b = theta
        both, harmonic = trigamma_minus_inverse(a + b), a * (b / (a + b))  # whose parts may leave float64
        aa = a * (trigamma_minus_inverse(a) - both) * a + harmonic
        bb = b * (trigamma_minus_inverse(b) - both) * b + harmonic
        ab = -a * both * b - harmonic
        return s.weight * np.array([[aa, ab], [ab, bb]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.beta(*theta)

    def entropy(self, theta: Vector) -> float:
        return dirichlet_entropy(theta)

    def kl(self, theta: Vector, other: Vector) -> float:
        return dirichlet_divergence(theta, other)
