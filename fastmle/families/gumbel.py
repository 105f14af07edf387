"""The Gumbel distribution (of maxima): log p(x) = −log β − z − e^{−z}, z = (x − μ)/β.

No sums free of β decide the fit, so each Newton step is one pass at the present (μ, β). In powers of two, which are the
cheaper ones, v = −z log₂ e and e^{−z} = 2^v.
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 22.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import At, LocationScale, Param, RowTerms, Sums, Vector, mean_and_sd, row_function
from ..kernels.vecmath import exp2_normal

LOG_2 = math.log(2.0)


class Powers(NamedTuple):
    v: float  # −z/log 2
    t: float  # e^{−z}
    vt: float
    vvt: float


class Height(NamedTuple):
    """Of these, for the log-likelihood."""

    v: float
    t: float


@row_function
def add(x: float, a: At) -> Powers:
    v = (a.mu - x) * (a.per / LOG_2)
    t = exp2_normal(v)
    return Powers(v, t, v * t, v * v * t)


@row_function
def height(x: float, a: At) -> Height:
    s = add(x, a)
    return Height(s.v, s.t)


@dataclass(frozen=True)
class Gumbel(LocationScale):
    """Gumbel(mu, scale): mode mu, scale > 0."""

    name: ClassVar[str] = "gumbel"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(Powers, add, theta=At)
    loglik_terms: ClassVar[RowTerms] = RowTerms(Height, height, theta=At)

    def start(self, x: Vector, w: Vector) -> Vector:
        """From the mean μ + γβ and the standard deviation πβ/√6; at the maximum e^{−z} <= n."""
        mean, sd = mean_and_sd(x, w)
        most = math.log(w.sum() / w[np.argmin(x)]) + 1.0
        scale = max(math.sqrt(6.0) / math.pi * sd, (mean - x.min()) / most)
        return np.array([mean - np.euler_gamma * scale, scale])

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        """Of a held scale the maximum over the sample: e^{−μ/β} is the mean of e^{−x/β}."""
        if math.isnan(held[1]):
            return super().start_beside(x, w, held)
        low = float(x.min())
        mu = low - held[1] * math.log(np.average(np.exp((low - x) / held[1]), weights=w))
        return np.where(np.isnan(held), np.array([mu, held[1]]), held)

    def heights(self, s: Sums) -> float:
        return float(LOG_2 * s.v - s.t)

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.weight - s.t, LOG_2 * (s.vt - s.v) - s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        zt, zzt = -LOG_2 * s.vt, LOG_2 * LOG_2 * s.vvt
        cross = s.weight - s.t + zt
        return np.array([[s.t, cross], [cross, -2.0 * (LOG_2 * s.v + zt) + zzt - s.weight]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.gumbel_r(*theta)

    def entropy(self, theta: Vector) -> float:
        return math.log(theta[1]) + np.euler_gamma + 1.0

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, b), (n, c) = theta, other
        r, shift = b / c, (n - m) / c
        return float(
            -math.log(r) + np.euler_gamma * (r - 1.0) - shift + math.exp(shift + math.lgamma(1.0 + r)) - 1.0
        )
