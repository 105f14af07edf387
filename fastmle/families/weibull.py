"""The Weibull distribution: log p(x) = log k − log λ + (k − 1) z − e^{kz}, z = log(x/λ), for x > 0.

No sums free of k decide the fit, so each Newton step is one pass at the present (k, λ).
Source: Johnson, Kotz & Balakrishnan 1, ch. 21.
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
    Sums,
    Vector,
    log_distance,
    mean_and_sd,
    normal,
    positive,
    row_function,
)
from ..kernels.vecmath import exp2_normal, log_ratio, log_ratio_normal

LOG2_E = 1.0 / math.log(2.0)


class At(NamedTuple):
    """The parameters of a pass."""

    shape: float = 1.0
    scale: float = 1.0


class Powers(NamedTuple):
    z: float
    t: float  # e^{kz}
    zt: float
    zzt: float


@row_function
def powers(z: float, shape: float) -> Powers:
    t = exp2_normal(shape * LOG2_E * z)
    return Powers(z, t, z * t, z * z * t)


@row_function
def add(x: float, a: At) -> Powers:
    return powers(log_ratio(x, a.scale), a.shape)


@row_function
def add_normal(x: float, a: At) -> Powers:
    return powers(log_ratio_normal(x, a.scale), a.shape)


@dataclass(frozen=True)
class Weibull(Family):
    """Weibull(shape, scale), both > 0."""

    name: ClassVar[str] = "weibull"
    params: ClassVar[tuple[Param, ...]] = (Param("shape", "positive"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(
        Powers, add, positive, "x > 0", fill=1.0, theta=At, quick=(add_normal, normal)
    )
    one_pass: ClassVar[bool] = False

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        return log_distance(x, theta[1]) * theta[0]

    def row_theta(self, theta: Vector) -> At:
        return At(theta[0], theta[1])

    def start(self, x: Vector, w: Vector) -> Vector:
        """From the mean and variance of log x: sd = π/(k√6), mean = log λ − γ/k; at the maximum (x/λ)^k <= n."""
        logs = np.log(x)
        mean, sd = mean_and_sd(logs, w)
        most = math.log(w.sum() / w[np.argmax(x)]) + 1.0
        shape = min(math.pi / math.sqrt(6.0) / sd, most / (logs.max() - mean)) if sd > 0.0 else math.inf
        return np.array([shape, math.exp(mean + np.euler_gamma / shape)])

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        """Of a held shape the maximum over the sample, λ^k the mean of x^k; of a held scale as far as log x is from it."""
        shape, scale = self.start(x, w)
        if not math.isnan(held[0]):
            most, logs = float(np.log(x.max())), np.log(x)
            scale = math.exp(most + math.log(np.average(np.exp(held[0] * (logs - most)), weights=w)) / held[0])
        elif not math.isnan(held[1]):
            shape = 1.0 / np.hypot(1.0 / shape, math.log(scale) - math.log(held[1]))
        return np.where(np.isnan(held), np.array([shape, scale]), held)

    def loglik(self, s: Sums, theta: Vector) -> float:
        return float(s.weight * (math.log(theta[0]) - math.log(theta[1])) + (theta[0] - 1.0) * s.z - s.t)

    def score(self, s: Sums, theta: Vector) -> Vector:
        k = theta[0]
        return np.array([s.weight + k * (s.z - s.zt), k * (s.t - s.weight)])

    def information(self, s: Sums, theta: Vector) -> Vector:
        k = theta[0]
        cross = -k * (s.t - s.weight + k * s.zt)
        return np.array([[s.weight + k * k * s.zzt, cross], [cross, k * ((k + 1.0) * s.t - s.weight)]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.weibull_min(theta[0], scale=theta[1])

    def entropy(self, theta: Vector) -> float:
        return float(np.euler_gamma * (1.0 - 1.0 / theta[0]) + math.log(theta[1] / theta[0]) + 1.0)

    def kl(self, theta: Vector, other: Vector) -> float:
        (k, a), (j, b) = theta, other
        moment = math.exp(j * math.log(a / b) + math.lgamma(1.0 + j / k))
        return float(math.log(k / j) + j * math.log(b / a) + (k - j) * (-np.euler_gamma / k) + moment - 1.0)
