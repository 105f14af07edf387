"""The exponential distribution: log p(x) = log r − r x, for x >= 0. Maximum likelihood: r̂ = 1/x̄.

Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 19.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import (
    Family,
    Param,
    RowTerms,
    Scale,
    Solution,
    Sums,
    Vector,
    not_negative,
    row_function,
    scale_anchor,
)
from ..kernels.vecmath.gaps import log_shortfall


class Total(NamedTuple):
    u: float  # x·per


@row_function
def add(x: float, a: Scale) -> Total:
    return Total(x * a.per)


@dataclass(frozen=True)
class Exponential(Family):
    """Exponential(rate), rate > 0; the mean is 1/rate."""

    name: ClassVar[str] = "exponential"
    params: ClassVar[tuple[Param, ...]] = (Param("rate", "positive"),)
    terms: ClassVar[RowTerms] = RowTerms(
        Total, add, not_negative, "x >= 0", theta=Scale, anchor=scale_anchor(u=1)
    )

    def solve(self, s: Sums) -> Solution:
        if s.u == 0.0:
            return Solution((math.inf,), "degenerate", "every value is 0")
        return Solution((s.weight / s.u * s.per,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return s.weight * math.log(theta[0]) - theta[0] / s.per * s.u

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.weight - theta[0] / s.per * s.u])

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.array([[s.weight]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.expon(scale=1.0 / theta[0])

    def entropy(self, theta: Vector) -> float:
        return 1.0 - math.log(theta[0])

    def kl(self, theta: Vector, other: Vector) -> float:
        ratio = other[0] / theta[0]
        return -log_shortfall(ratio)
