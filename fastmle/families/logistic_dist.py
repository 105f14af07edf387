"""The logistic distribution: log p(x) = −log s − z − 2 log(1 + e^{−z}), z = (x − μ)/s.

No sums free of s decide the fit, so each Newton step is one pass at the present (μ, s). With w = |z| log₂ e the slots
h sum −w, and e^{−|z|} is 2^{−w}.
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 23.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    At,
    LocationScale,
    Param,
    RowTerms,
    SoftHeight,
    SoftSlopes,
    Sums,
    Vector,
    mean_and_sd,
    row_function,
    soft_slopes,
)
from ..kernels.vecmath import decay2

LOG_2 = math.log(2.0)


@row_function
def add(x: float, a: At) -> SoftSlopes:
    z, w = (x - a.mu) * a.per, abs(x - a.mu) * (a.per / LOG_2)
    t = decay2(w)
    q = 1.0 / (1.0 + t)
    d = (1.0 - t) * q  # tanh(|z|/2)
    return soft_slopes(z, -w, d if z > 0.0 else -d, 2.0 * t * q * q, t)


@row_function
def height(x: float, a: At) -> SoftHeight:
    s = add(x, a)
    return SoftHeight(s.h, s.log)


@dataclass(frozen=True)
class LogisticDist(LocationScale):
    """LogisticDist(mu, scale): mean mu, scale > 0; the standard deviation is π·scale/√3."""

    name: ClassVar[str] = "logistic_dist"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(SoftSlopes, add, theta=At, kinds="ssssssle")
    loglik_terms: ClassVar[RowTerms] = RowTerms(SoftHeight, height, theta=At, kinds="sf")

    def heights(self, s: Sums) -> float:
        return float(LOG_2 * s.h - 2.0 * s.log)

    def start(self, x: Vector, w: Vector) -> Vector:
        mean, sd = mean_and_sd(x, w)
        return np.array([mean, math.sqrt(3.0) / math.pi * sd])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.logistic(*theta)

    def entropy(self, theta: Vector) -> float:
        return math.log(theta[1]) + 2.0
