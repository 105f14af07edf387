"""The Pareto distribution: log p(x) = log α + α log xm − (α + 1) log x, for x >= xm > 0.

Maximum likelihood: xm̂ is the least value, on which the support depends, so that it has no standard error;
α̂ = n/Σ log(x/xm). Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 20.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import DataError
from ..family import (
    Anchor,
    Center,
    Family,
    Param,
    RowTerms,
    Solution,
    Sums,
    Vector,
    center_at,
    center_of,
    log_of_ratio,
    positive,
    row_function,
    with_log_pdf,
)


class Terms(NamedTuple):
    log: float  # x, of which log(x/c) is summed
    minus_least: float  # a maximum


@row_function
def add(x: float, a: Center) -> Terms:
    return Terms(x, -x)


@row_function
def drift(s: Sums) -> float:
    """The mean of log(x/c) beside that of log(x/xm), which is its deviation too; wide data do not care where c is."""
    mean = s.log / s.weight
    deviation = mean - math.log(-s.minus_least / s.c)
    return abs(mean) / max(deviation, 0.0) if deviation < 1.0 else 0.0


ANCHOR = Anchor(
    of_block=center_of,
    rebase=lambda s, old, new: (s.log + s.weight * log_of_ratio(old.c, new.c), 0),
    drift=drift,
    of_sums=lambda s: center_at(s.c * math.exp(s.log / s.weight)),
)
TERMS = RowTerms(Terms, add, positive, "x > 0", fill=1.0, theta=Center, kinds="qm", anchor=ANCHOR)


def excess(s: Sums, xm: float) -> float:
    """Σ w log(x/xm)."""
    return s.log + s.weight * log_of_ratio(s.c, xm)


def log_pdf(x: Vector, alpha: Vector) -> Vector:
    return np.asarray(np.log(alpha) - (alpha + 1.0) * np.log(x))


@dataclass(frozen=True)
class Pareto(Family):
    """Pareto(alpha, xm), both > 0: the tail of a power alpha above xm."""

    name: ClassVar[str] = "pareto"
    params: ClassVar[tuple[Param, ...]] = (Param("alpha", "positive"), Param("xm", "positive", regular=False))
    terms: ClassVar[RowTerms] = TERMS

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        xm = fixed.get("xm", -s.minus_least)
        if xm > -s.minus_least:
            raise DataError(f"pareto: the value {-s.minus_least:.17g} lies below xm = {xm:.17g}")
        if "alpha" not in fixed and excess(s, xm) <= 1e-15 * s.weight:
            return Solution((math.inf, xm), "degenerate", "all values are equal")
        alpha = fixed["alpha"] if "alpha" in fixed else s.weight / excess(s, xm)
        if "xm" in fixed:
            return Solution((alpha, xm))
        return Solution((alpha, xm), "nonregular", "xm has no standard error: it is within O(1/n)")

    def loglik(self, s: Sums, theta: Vector) -> float:
        alpha, xm = theta
        if xm > -s.minus_least:
            return -math.inf
        return s.weight * (math.log(alpha) - math.log(xm)) - (alpha + 1.0) * excess(s, xm)

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.weight - theta[0] * excess(s, theta[1]), theta[0] * s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        alpha = theta[0]
        return s.weight * np.array([[1.0, -alpha], [-alpha, alpha]])

    def dist(self, theta: Vector) -> Any:
        return with_log_pdf("pareto", log_pdf)(theta[0], scale=theta[1])

    def entropy(self, theta: Vector) -> float:
        return math.log(theta[1]) - math.log(theta[0]) + 1.0 / theta[0] + 1.0

    def kl(self, theta: Vector, other: Vector) -> float:
        (a, m), (b, n) = theta, other
        return math.inf if n > m else math.log(a / b) + b / a - 1.0 + b * log_of_ratio(m, n)
