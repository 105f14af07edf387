"""The von Mises distribution: log p(x) = κ cos(x − μ) − log(2π I0(κ)), for angles x, in radians.

Maximum likelihood: μ̂ the mean direction, and I1(κ̂)/I0(κ̂) = R, its length. Sums are of sin(x − c) and 1 − cos(x − c) about
an anchor c; i0e(κ) = I0(κ) e^{−κ}. Source: K. V. Mardia & P. E. Jupp, Directional Statistics (2000), ch. 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    Direction,
    Family,
    Param,
    RowTerms,
    Solution,
    Sums,
    Turns,
    Vector,
    add_turns,
    angle,
    direction_of,
    turn_anchor,
    turned,
)
from ..kernels.vecmath.gaps import bessel_gap

TERMS = RowTerms(Turns, add_turns, angle, "angles up to ±2^20", theta=Direction, anchor=turn_anchor)


def kappa_of(length: float, gap: float) -> float:
    """The root of I1/I0 = length = 1 − gap, by Newton in log κ. Start: N. I. Fisher, Circular Data (1993), 4.5.5."""
    k = length * (2.0 + length**2 + 5.0 / 6.0 * length**4) if length < 0.53 else 0.5 / gap + 0.25
    for _ in range(50):
        lack, slope = bessel_gap(k)
        step = max(-1.0, min(1.0, (lack - gap) / (k * slope)))
        k *= math.exp(step)
        if abs(step) < 1e-15:
            break
    return k


@dataclass(frozen=True)
class VonMises(Family):
    """VonMises(mu, kappa): mean direction mu in (−π, π], concentration kappa > 0."""

    name: ClassVar[str] = "von_mises"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("kappa", "positive"))
    terms: ClassVar[RowTerms] = TERMS

    def units(self, theta: Vector) -> Vector:
        return np.array([1.0 / math.sqrt(max(1.0, theta[1])), theta[1]])

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        sine, versine = s.sine / s.weight, s.versine / s.weight
        length = math.hypot(sine, 1.0 - versine)
        if length < 1e-15 and "mu" not in fixed:
            return Solution((math.nan, fixed.get("kappa", 0.0)), "boundary", "the angles balance: there is no mean direction")
        mu, gap = direction_of(s), (2.0 * versine - versine**2 - sine**2) / (1.0 + length)
        if "mu" in fixed:  # then only what points along it counts
            mu, gap = fixed["mu"], turned(s, fixed["mu"])[1] / s.weight
            length = 1.0 - gap
        if "kappa" in fixed:
            return Solution((mu, fixed["kappa"]))
        if gap <= 0.0:
            return Solution((mu, math.inf), "degenerate", "all angles are equal")
        if length <= 0.0:
            return Solution((mu, 0.0), "boundary", "the angles point away from mu: kappa = 0")
        return Solution((mu, kappa_of(length, gap)))

    def on_the_line(self, low: float, high: float) -> bool:
        return high - low <= 2.0 * math.pi

    def loglik(self, s: Sums, theta: Vector) -> float:
        mu, kappa = theta
        versine = turned(s, mu)[1] if kappa > 0.0 else 0.0
        return float(-kappa * versine - s.weight * math.log(2.0 * math.pi * scipy.special.i0e(kappa)))

    def score(self, s: Sums, theta: Vector) -> Vector:
        sine, versine = turned(s, theta[0])
        gap, _ = bessel_gap(theta[1])
        return theta[1] * np.array([self.units(theta)[0] * sine, s.weight * gap - versine])

    def information(self, s: Sums, theta: Vector) -> Vector:
        sine, versine = turned(s, theta[0])
        unit, kappa = self.units(theta)
        direction, cross = (s.weight - versine) * unit * unit, -sine * unit
        return kappa * np.array([[direction, cross], [cross, kappa * s.weight * bessel_gap(kappa)[1]]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.vonmises(theta[1], loc=theta[0])

    def entropy(self, theta: Vector) -> float:
        kappa = theta[1]
        return float(math.log(2.0 * math.pi * scipy.special.i0e(kappa)) + kappa * bessel_gap(kappa)[0])

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, k), (n, j) = theta, other
        ratio = math.log(scipy.special.i0e(j) / scipy.special.i0e(k))
        turn, gap = 2.0 * math.sin(0.5 * (m - n)) ** 2, bessel_gap(k)[0]
        return float(ratio + j * turn + (j * (1.0 - turn) - k) * gap)
