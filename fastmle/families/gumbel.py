"""The Gumbel distribution (of maxima): log p(x) = −log β − z − e^{−z}, z = (x − μ)/β.

No sums free of β decide the fit, so each Newton step is one pass at the present (μ, β).
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 22.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import (
    At,
    Height,
    LocationScale,
    Param,
    RowTerms,
    Slopes,
    Vector,
    mean_and_sd,
    row_function,
    slopes,
)
from ..kernels.vecmath import exp_normal


@row_function
def add(x: float, a: At) -> Slopes:
    z = (x - a.mu) * a.per
    t = exp_normal(-z)
    return slopes(z, -z - t, 1.0 - t, t)


@row_function
def height(x: float, a: At) -> Height:
    return Height(add(x, a).g)


@dataclass(frozen=True)
class Gumbel(LocationScale):
    """Gumbel(mu, scale): mode mu, scale > 0."""

    name: ClassVar[str] = "gumbel"
    params: ClassVar[tuple[Param, ...]] = (Param("mu"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(Slopes, add, theta=At)
    loglik_terms: ClassVar[RowTerms] = RowTerms(Height, height, theta=At)

    def start(self, x: Vector, w: Vector) -> Vector:
        """From the mean μ + γβ and the standard deviation πβ/√6; at the maximum e^{−z} <= n."""
        mean, sd = mean_and_sd(x, w)
        most = math.log(w.sum() / w[np.argmin(x)]) + 1.0
        scale = max(math.sqrt(6.0) / math.pi * sd, (mean - x.min()) / most)
        return np.array([mean - np.euler_gamma * scale, scale])

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
