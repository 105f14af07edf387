"""The Rayleigh distribution: log p(x) = log x − 2 log σ − x²/2σ², for x > 0. Maximum likelihood: σ̂² = Σx²/2n.

Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 18.
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
    positive,
    row_function,
    scale_anchor,
)
from ..kernels.vecmath.gaps import log_shortfall


class Squares(NamedTuple):
    uu: float  # (x·per)²
    log: float  # x·per, whose logarithm is summed


@row_function
def add(x: float, a: Scale) -> Squares:
    u = x * a.per
    return Squares(u * u, u)


ANCHOR = scale_anchor(uu=2, log=0)
TERMS = RowTerms(Squares, add, positive, "x > 0", fill=1.0, theta=Scale, kinds="sl", anchor=ANCHOR)


def standardised(s: Sums, theta: Vector) -> float:
    """Σ w z² with z = x/σ."""
    b = theta[0] * s.per
    return s.uu / b / b


@dataclass(frozen=True)
class Rayleigh(Family):
    """Rayleigh(sigma): the length of a vector of two normals with mean 0 and standard deviation sigma > 0."""

    name: ClassVar[str] = "rayleigh"
    params: ClassVar[tuple[Param, ...]] = (Param("sigma", "positive"),)
    terms: ClassVar[RowTerms] = TERMS

    def solve(self, s: Sums) -> Solution:
        return Solution((math.sqrt(0.5 * s.uu / s.weight) / s.per,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        logs = s.log - s.weight * (math.log(s.per) + 2.0 * math.log(theta[0]))
        return logs - 0.5 * standardised(s, theta)

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([standardised(s, theta) - 2.0 * s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.array([[3.0 * standardised(s, theta) - 2.0 * s.weight]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.rayleigh(scale=theta[0])

    def entropy(self, theta: Vector) -> float:
        return 1.0 + math.log(theta[0] / math.sqrt(2.0)) + 0.5 * np.euler_gamma

    def kl(self, theta: Vector, other: Vector) -> float:
        ratio = theta[0] / other[0]
        return -log_shortfall(ratio * ratio)
