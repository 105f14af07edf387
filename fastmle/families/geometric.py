"""The geometric distribution: log p(x) = log p + (x − 1) log(1 − p), for x = 1, 2, ... Maximum likelihood: p̂ = 1/x̄.

Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions, ch. 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import LARGEST, Family, NoTheta, Param, RowTerms, Solution, Sums, Vector, row_function, whole


class Failures(NamedTuple):
    before: float  # x − 1, the failures before the success


@row_function
def add(x: float, _: NoTheta) -> Failures:
    return Failures(x - 1.0)


@row_function
def counting(x: float, _: NoTheta) -> bool:
    return (x >= 1.0) & (x <= LARGEST) & whole(x)


@dataclass(frozen=True)
class Geometric(Family):
    """Geometric(p): the number of trials up to the first success, each of probability p."""

    name: ClassVar[str] = "geometric"
    params: ClassVar[tuple[Param, ...]] = (Param("p", "unit"),)
    terms: ClassVar[RowTerms] = RowTerms(Failures, add, counting, "whole numbers from 1", fill=1.0)
    discrete: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return theta * (1.0 - theta)

    def solve(self, s: Sums) -> Solution:
        if s.before == 0.0:
            return Solution((1.0,), "boundary", "every value is 1")
        return Solution((s.weight / (s.weight + s.before),))

    def loglik(self, s: Sums, theta: Vector) -> float:
        p = theta[0]
        return s.weight * math.log(p) + (s.before * math.log1p(-p) if s.before else 0.0)

    def score(self, s: Sums, theta: Vector) -> Vector:
        p = theta[0]
        return np.array([s.weight * (1.0 - p) - s.before * p])

    def information(self, s: Sums, theta: Vector) -> Vector:
        p = theta[0]
        return np.array([[s.weight * (1.0 - p) ** 2 + s.before * p * p]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.geom(theta[0])

    def entropy(self, theta: Vector) -> float:
        p = theta[0]
        return -math.log(p) - (1.0 - p) / p * math.log1p(-p) if p < 1.0 else 0.0

    def kl(self, theta: Vector, other: Vector) -> float | None:
        p, q = theta[0], other[0]
        if p == 1.0 or q == 1.0:
            return -math.log(q) if p == 1.0 else math.inf
        return math.log(p / q) + (1.0 - p) / p * (math.log1p(-p) - math.log1p(-q))
