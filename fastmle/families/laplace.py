"""The Laplace distribution: log p(x) = −log 2b − |x − μ|/b.

Maximum likelihood: μ̂ a median (the midpoint of all of them), b̂ the mean of |x − μ̂|. The likelihood has a corner at
the median, so errors come from the expected information, diag(1, 1)/b² a row.
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 24.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..family import (
    Family,
    Param,
    RowTerms,
    Run,
    Solution,
    Sums,
    Vector,
    binary_scale,
    finite,
    row_function,
    with_log_pdf,
)


class At(NamedTuple):
    mu: float = 0.0
    per: float = 1.0  # 1/b, or of its size


class Sides(NamedTuple):
    far: float  # |x − μ|·per
    side: float  # the sign of x − μ
    here: float  # 1 if x = μ


@row_function
def add(x: float, a: At) -> Sides:
    z = (x - a.mu) * a.per
    side = (1.0 if x > a.mu else 0.0) - (1.0 if x < a.mu else 0.0)
    return Sides(abs(z), side, 1.0 if x == a.mu else 0.0)


def log_pdf(x: Vector) -> Vector:
    return np.asarray(-np.abs(x) - math.log(2.0))


@dataclass(frozen=True)
class Laplace(Family):
    """Laplace(mu, b): median mu, mean distance from it b > 0."""

    name: ClassVar[str] = "laplace"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("b", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(Sides, add, finite, theta=At)
    one_pass: ClassVar[bool] = False

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[1], theta[1]])

    def row_theta(self, theta: Vector) -> At:
        return At(theta[0], 1.0 / theta[1])

    def estimate(self, run: Run, fixed: dict[str, float]) -> tuple[Sums, Solution]:
        mu = fixed.get("mu", math.nan)
        if "mu" not in fixed:
            low, high = run.median()
            mu = 0.5 * low + 0.5 * high if low < high else low
        s = run.sums(At(mu, 1.0 / binary_scale(abs(mu))))
        b = fixed.get("b", s.far / s.weight / s.per)
        if b == 0.0:
            return s, Solution((mu, b), "degenerate", "all values are equal")
        return s, Solution((mu, b))

    def loglik(self, s: Sums, theta: Vector) -> float:
        return float(-s.weight * math.log(2.0 * theta[1]) - s.far / (s.per * theta[1]))

    def score(self, s: Sums, theta: Vector) -> Vector:
        """For μ the least slope at the corner, 0 at a median."""
        slope = math.copysign(max(abs(s.side) - s.here, 0.0), s.side)
        return np.array([slope, s.far / (s.per * theta[1]) - s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        return s.weight * np.eye(2)

    def dist(self, theta: Vector) -> Any:
        return with_log_pdf("laplace", log_pdf)(*theta)

    def entropy(self, theta: Vector) -> float:
        return 1.0 + math.log(2.0 * theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, a), (n, b) = theta, other
        far = abs(m - n) / a
        return a / b * (far + math.exp(-far)) - 1.0 - math.log(a / b)
