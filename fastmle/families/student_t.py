"""Student's t: log p(x) = C(ν) − log σ − ½(ν + 1) log(1 + z²/ν), z = (x − μ)/σ; the normal at ν = ∞.

C(ν) = log Γ((ν + 1)/2) − log Γ(ν/2) − ½ log(νπ). The slots are free of ν → ∞, with i = 1/ν and q = 1/(1 + iz²); near
i = 0 the likelihood rises with i by ¼Σ(z⁴ − 2z² − 1). Source: K. Lange, R. Little & J. Taylor, JASA 84 (1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..family import Param, RowTerms, Sums, Vector, row_function
from ..family.heavy_tails import DROP, MOST, HeavyTails, shrink
from ..kernels.vecmath.gaps import half_step


class At(NamedTuple):
    i: float = 1.0  # 1/ν
    mu: float = 0.0
    per: float = 1.0  # 1/sigma


class Powers(NamedTuple):
    log: float  # 1 + iz² = 1/q, whose logarithm is summed
    a: float  # zq
    b: float  # z²q
    ab: float
    bb: float
    far: float  # 1 where z was shrunk
    slip: float  # what rounding took from 1 + iz²


class Height(NamedTuple):
    """Of these, for the log-likelihood; `b` counts at i = 0 alone, where q = 1."""

    log: float
    b: float
    far: float
    slip: float


class Spread(NamedTuple):
    z: float
    less: float  # what z must be multiplied by, lest z² leave float64
    y: float  # 1 + iz², of a z that is shrunk iz²
    slip: float


@row_function
def near(x: float, t: At) -> Spread:
    z = (x - t.mu) * t.per
    over = t.i * (z * z)
    y = 1.0 + over
    return Spread(z, 1.0, y, over - (y - 1.0))


@row_function
def anywhere(x: float, t: At) -> Spread:
    z = (x - t.mu) * t.per
    less = shrink(z) if t.i > 0.0 else 1.0
    one = 1.0 if less == 1.0 else 0.0
    z *= less
    over = t.i * (z * z)
    y = one + over
    return Spread(z, less, y, over - (y - one))


@row_function
def powers(s: Spread) -> Powers:
    q = 1.0 / s.y
    a, b = s.z * q * s.less, s.z * s.z * q
    return Powers(s.y, a, b, a * b, b * b, 0.0 if s.less == 1.0 else 1.0, s.slip)


@row_function
def heights(s: Spread) -> Height:
    return Height(s.y, s.z * s.z, 0.0 if s.less == 1.0 else 1.0, s.slip)


@row_function
def add(x: float, t: At) -> Powers:
    return powers(anywhere(x, t))


@row_function
def add_near(x: float, t: At) -> Powers:
    return powers(near(x, t))


@row_function
def height(x: float, t: At) -> Height:
    return heights(anywhere(x, t))


@row_function
def height_near(x: float, t: At) -> Height:
    return heights(near(x, t))


def distance(s: Sums, df: float) -> float:
    """Σ w ν log(1 + iz²), at i = 0 Σ w z²."""
    return df * (s.log - DROP * s.far) if df < math.inf else s.b


@dataclass(frozen=True)
class StudentT(HeavyTails):
    """StudentT(df, mu, sigma): df > 0 degrees of freedom, location mu, scale sigma > 0.

    At df = inf, an edge, there are no standard errors: those of mu and sigma beside the normal are a gaussian fit's.
    """

    name: ClassVar[str] = "student_t"
    params: ClassVar[tuple[Param, ...]] = (Param("df", "positive"), Param("mu"), Param("sigma", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(
        Powers, add, theta=At, kinds="lssssse", quick=(add_near, None)
    )
    loglik_terms: ClassVar[RowTerms] = RowTerms(
        Height, height, theta=At, kinds="lsse", quick=(height_near, None)
    )

    def row_theta(self, theta: Vector) -> At:
        return At(1.0 / theta[0], theta[1], 1.0 / theta[2])

    def elsewhere(self, s: Sums, theta: Vector) -> Vector | None:
        if MOST < theta[0] < math.inf:
            return np.array([math.inf, theta[1], theta[2]])
        rises = theta[0] == math.inf and s.bb - max(2.0 * s.b + s.weight, 3.0 * s.weight) > 1e-9 * s.weight
        return np.array([4.0 + 6.0 / (s.bb / s.weight - 3.0), theta[1], theta[2]]) if rises else None

    def loglik(self, s: Sums, theta: Vector) -> float:
        each = half_step(theta[0])[0] - 0.5 * math.log(2.0 * math.pi) - math.log(theta[2])
        return float(s.weight * each - 0.5 * (1.0 + 1.0 / theta[0]) * distance(s, theta[0]))

    def score(self, s: Sums, theta: Vector) -> Vector:
        i = 1.0 / theta[0]
        by_df = s.weight * half_step(theta[0])[1] + 0.5 * (s.b - distance(s, theta[0])) + 0.5 * i * s.b
        return np.array([by_df, (1.0 + i) * s.a, (1.0 + i) * s.b - s.weight])

    def information(self, s: Sums, theta: Vector) -> Vector:
        i, j = 1.0 / theta[0], 1.0 + 1.0 / theta[0]
        dd = i * s.b - 0.5 * i * j * s.bb - s.weight * half_step(theta[0])[2]
        dm, ds = i * s.a - i * j * s.ab, i * s.b - i * j * s.bb
        mm = j * (s.weight - 3.0 * i * s.b + 2.0 * i * i * s.bb)
        ms, ss = 2.0 * j * (s.a - i * s.ab), j * (3.0 * s.b - 2.0 * i * s.bb) - s.weight
        return np.array([[dd, dm, ds], [dm, mm, ms], [ds, ms, ss]])

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.t(*theta) if math.isfinite(theta[0]) else scipy.stats.norm(*theta[1:])

    def entropy(self, theta: Vector) -> float:
        """E log(1 + z²/ν) = ψ((ν + 1)/2) − ψ(ν/2) = (1 + 2νC'(ν))/ν."""
        constant, slope, _ = half_step(theta[0])
        each = 0.5 * math.log(2.0 * math.pi) - constant + math.log(theta[2])
        return float(each + (1.0 + 1.0 / theta[0]) * (0.5 + slope))
