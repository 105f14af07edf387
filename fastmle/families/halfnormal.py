"""The half-normal distribution: log p(x) = ½ log(2/π) − log σ − x²/2σ², for x >= 0. Maximum likelihood: σ̂² = Σx²/n.

Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 13 (the normal folded at 0).
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


class Squares(NamedTuple):
    uu: float  # (x·per)²


@row_function
def add(x: float, a: Scale) -> Squares:
    u = x * a.per
    return Squares(u * u)


TERMS = RowTerms(Squares, add, not_negative, "x >= 0", theta=Scale, anchor=scale_anchor(uu=2))


def standardised(s: Sums, theta: Vector) -> float:
    """Σ w z² with z = x/σ."""
    b = theta[0] * s.per
    return s.uu / b / b


@dataclass(frozen=True)
class HalfNormal(Family):
    """HalfNormal(sigma): the size of a normal with mean 0 and standard deviation sigma > 0."""

    name: ClassVar[str] = "halfnormal"
    params: ClassVar[tuple[Param, ...]] = (Param("sigma", "positive"),)
    terms: ClassVar[RowTerms] = TERMS

    def solve(self, s: Sums) -> Solution:
        if s.uu == 0.0:
            return Solution((0.0,), "degenerate", "every value is 0")
        return Solution((math.sqrt(s.uu / s.weight) / s.per,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return s.weight * (0.5 * math.log(2.0 / math.pi) - math.log(theta[0])) - 0.5 * standardised(s, theta)

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([standardised(s, theta) - s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.array([[3.0 * standardised(s, theta) - s.weight]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.halfnorm(scale=theta[0])

    def entropy(self, theta: Vector) -> float:
        return 0.5 * math.log(0.5 * math.pi) + math.log(theta[0]) + 0.5

    def kl(self, theta: Vector, other: Vector) -> float:
        ratio = theta[0] / other[0]
        return -0.5 * log_shortfall(ratio * ratio)
