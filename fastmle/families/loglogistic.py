"""The log-logistic distribution: log p(x) = log k − log x + z − 2 log(1 + e^z), z = k log(x/α), for x > 0.

No sums free of k decide the fit, so each Newton step is one pass at the present (k, α).
Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, ch. 23.
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
    Sums,
    Vector,
    log_distance,
    mean_and_sd,
    normal,
    positive,
    row_function,
    with_log_pdf,
)
from ..kernels.vecmath import decay2, log_ratio, log_ratio_normal

LOG2_E = 1.0 / math.log(2.0)


class At(NamedTuple):
    """The parameters of a pass."""

    shape: float = 1.0
    scale: float = 1.0


class Slopes(NamedTuple):
    """Of g = −|z| − 2 log(1 + t), t = e^{−|z|}: d = −g', c = −g''."""

    z: float
    size: float  # |z|
    d: float
    zd: float
    c: float
    zc: float
    zzc: float
    log: float  # 1 + t, whose logarithm is summed
    slip: float  # what rounding took from it


class Height(NamedTuple):
    """Of these, for the log-likelihood."""

    z: float
    size: float
    log: float


@row_function
def slopes(z: float) -> Slopes:
    t = decay2(abs(z) * LOG2_E)
    y = 1.0 + t
    q = 1.0 / y
    half = (1.0 - t) * q  # tanh(|z|/2)
    d, c = half if z > 0.0 else -half, 2.0 * t * q * q
    return Slopes(z, abs(z), d, z * d, c, z * c, z * z * c, y, t - (y - 1.0))


@row_function
def add(x: float, a: At) -> Slopes:
    return slopes(a.shape * log_ratio(x, a.scale))


@row_function
def add_normal(x: float, a: At) -> Slopes:
    return slopes(a.shape * log_ratio_normal(x, a.scale))


@row_function
def height(x: float, a: At) -> Height:
    s = add(x, a)
    return Height(s.z, s.size, s.log)


@row_function
def height_normal(x: float, a: At) -> Height:
    s = add_normal(x, a)
    return Height(s.z, s.size, s.log)


def log_pdf(x: Vector, shape: Vector) -> Vector:
    z = np.log(x)
    return np.asarray(np.log(shape) - z - np.abs(shape * z) - 2.0 * np.log1p(np.exp(-np.abs(shape * z))))


@dataclass(frozen=True)
class LogLogistic(Family):
    """LogLogistic(shape, scale), both > 0; the median is the scale."""

    name: ClassVar[str] = "loglogistic"
    params: ClassVar[tuple[Param, ...]] = (Param("shape", "positive"), Param("scale", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(
        Slopes, add, positive, "x > 0", fill=1.0, theta=At, kinds="sssssssle", quick=(add_normal, normal)
    )
    loglik_terms: ClassVar[RowTerms] = RowTerms(
        Height, height, positive, "x > 0", fill=1.0, theta=At, kinds="ssf", quick=(height_normal, normal)
    )
    one_pass: ClassVar[bool] = False

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        return log_distance(x, theta[1]) * theta[0]

    def row_theta(self, theta: Vector) -> At:
        return At(theta[0], theta[1])

    def start(self, x: Vector, w: Vector) -> Vector:
        """log x is logistic with mean log α and standard deviation π/(k√3)."""
        mean, sd = mean_and_sd(np.log(x), w)
        return np.array([math.pi / math.sqrt(3.0) / sd if sd > 0.0 else math.inf, math.exp(mean)])

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        """Of a held scale as far as log x is from it."""
        shape, scale = self.start(x, w)
        if not math.isnan(held[1]):
            shape = 1.0 / np.hypot(1.0 / shape, math.log(scale) - math.log(held[1]))
        return np.where(np.isnan(held), np.array([shape, scale]), held)

    def loglik(self, s: Sums, theta: Vector) -> float:
        k, scale = theta
        return float(s.weight * (math.log(k) - math.log(scale)) - s.z / k - s.size - 2.0 * s.log)

    def score(self, s: Sums, theta: Vector) -> Vector:
        return np.array([s.weight - s.zd, theta[0] * s.d])

    def information(self, s: Sums, theta: Vector) -> Vector:
        k = theta[0]
        cross = -k * (s.d + s.zc)
        return np.array([[s.weight + s.zzc, cross], [cross, k * (s.d + k * s.c)]])

    def dist(self, theta: Vector) -> Any:
        return with_log_pdf("fisk", log_pdf)(theta[0], scale=theta[1])

    def entropy(self, theta: Vector) -> float:
        return 2.0 + math.log(theta[1]) - math.log(theta[0])
