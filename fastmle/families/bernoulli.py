"""The Bernoulli distribution: p(1) = p, p(0) = 1 − p. Maximum likelihood: p̂ is the fraction of ones.

Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions, ch. 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import Family, NoTheta, Param, RowTerms, Solution, Sums, Vector, row_function


class Ones(NamedTuple):
    ones: float


@row_function
def add(x: float, _: NoTheta) -> Ones:
    return Ones(x)


@row_function
def zero_or_one(x: float, _: NoTheta) -> bool:
    return (x == 0.0) | (x == 1.0)


def xlogy(x: float, y: float) -> float:
    return 0.0 if x == 0.0 else x * (math.log(y) if y > 0.0 else -math.inf)


def xlog1my(x: float, y: float) -> float:
    """x log(1 − y), for small y too."""
    return 0.0 if x == 0.0 else x * (math.log1p(-y) if y < 1.0 else -math.inf)


@dataclass(frozen=True)
class Bernoulli(Family):
    """Bernoulli(p): data are 0 and 1 (or bool)."""

    name: ClassVar[str] = "bernoulli"
    params: ClassVar[tuple[Param, ...]] = (Param("p", "unit"),)
    terms: ClassVar[RowTerms] = RowTerms(Ones, add, zero_or_one, "0 or 1")
    discrete: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        (p,) = theta
        return np.array([p * (1.0 - p)])

    def solve(self, s: Sums) -> Solution:
        if s.ones in (0.0, s.weight):
            return Solution((s.ones / s.weight,), "boundary", f"every value is {int(s.ones > 0)}")
        return Solution((s.ones / s.weight,))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return xlogy(s.ones, theta[0]) + xlog1my(s.weight - s.ones, theta[0])

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.ones - s.weight * theta[0]])

    def information(self, s: Sums, theta: Vector) -> Vector:
        p = theta[0]
        return np.array([[s.ones * (1.0 - p) ** 2 + (s.weight - s.ones) * p * p]])

    def table(self, s: Sums) -> tuple[Vector, Vector]:
        return np.array([0.0, 1.0]), np.array([s.weight - s.ones, s.ones])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.bernoulli(theta[0])

    def entropy(self, theta: Vector) -> float:
        p = theta[0]
        return -xlogy(p, p) - xlog1my(1.0 - p, p)

    def kl(self, theta: Vector, other: Vector) -> float:
        p, q = theta[0], other[0]
        return xlogy(p, p) - xlogy(p, q) + xlog1my(1.0 - p, p) - xlog1my(1.0 - p, q)
