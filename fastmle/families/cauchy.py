"""The Cauchy distribution: log p(x) = −log π − log σ − log(1 + z²), z = (x − μ)/σ.

For a held σ the likelihood may have several maxima, so steps begin at several quantiles; for both parameters free
there is one, unless a value has half of the weight. Source: J. B. Copas, On the unimodality of the likelihood for
the Cauchy distribution, Biometrika 62 (1975); Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, ch. 16.
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
    finite,
    row_function,
)
from ..family.heavy_tails import DROP, neighbourhoods, shrink, ties

LOG_PI = math.log(math.pi)


@row_function
def parts(z: float, less: float) -> SoftSlopes:
    """Of z and what it must be multiplied by, lest z² leave float64."""
    t = z * z
    q = 1.0 / (1.0 + t)
    e = 1.0 - q  # z²q
    far = less != 1.0
    y = (z * less) * (z * less) if far else 1.0 + t
    bend = 2.0 * q * (1.0 - 2.0 * e)
    curve = 2.0 * e * (1.0 - 2.0 * e)
    return SoftSlopes(DROP if far else 0.0, 2.0 * z * q, 2.0 * e, bend, z * bend, curve, y, 0.0 if far else t - (y - 1.0))


@row_function
def add(x: float, a: At) -> SoftSlopes:
    z = (x - a.mu) * a.per
    return parts(z, shrink(z))


@row_function
def add_near(x: float, a: At) -> SoftSlopes:
    return parts((x - a.mu) * a.per, 1.0)


@row_function
def height(x: float, a: At) -> SoftHeight:
    s = add(x, a)
    return SoftHeight(s.h, s.log)


@row_function
def height_near(x: float, a: At) -> SoftHeight:
    s = add_near(x, a)
    return SoftHeight(s.h, s.log)


@dataclass(frozen=True)
class Cauchy(LocationScale):
    """Cauchy(mu, sigma): median mu, half the interquartile range sigma > 0."""

    name: ClassVar[str] = "cauchy"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("sigma", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(
        SoftSlopes, add, finite, theta=At, kinds="ssssssle", quick=(add_near, finite)
    )
    loglik_terms: ClassVar[RowTerms] = RowTerms(
        SoftHeight, height, finite, theta=At, kinds="sf", quick=(height_near, finite)
    )
    collapses: ClassVar[bool] = True

    def heights(self, s: Sums) -> float:
        return float(s.h - s.weight * LOG_PI - s.log)

    def collapse(self, value: float, share: float, theta: Vector, free: np.ndarray, peak: bool) -> str:
        return ties(share, 1.0) if free[1] and (free[0] or value == theta[0]) else ""

    def start(self, x: Vector, w: Vector) -> Vector:
        return neighbourhoods(x, w)

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.cauchy(*theta)

    def entropy(self, theta: Vector) -> float:
        return math.log(4.0 * math.pi * theta[1])

    def kl(self, theta: Vector, other: Vector) -> float:
        """Source: F. Chyzak & F. Nielsen, arXiv 1905.10965 (2019)."""
        (m, a), (n, b) = theta, other
        r, shift = a / b, (m - n) / b
        return math.log1p(((r - 1.0) ** 2 + shift * shift) / (4.0 * r))
