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

from ..family import Family, Param, RowTerms, Sums, Vector, finite, mean_and_sd, quantiles, row_function
from ..kernels.vecmath.gaps import half_step, log_beta, log_minus_digamma

MOST = 1e6  # ν from which a t is no longer told from a normal
FAR, BACK = 2.0**400, 2.0**-600


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


@row_function
def add(x: float, t: At) -> Powers:
    z = (x - t.mu) * t.per
    far = (abs(z) > FAR) & (t.i > 0.0)  # there 1 + iz² = iz² may leave float64, so z is shrunk
    shrunk = BACK if far else 1.0
    z *= shrunk
    zz = z * z
    over = t.i * zz
    y = over if far else 1.0 + over
    q = 1.0 / y
    a, b = z * q * shrunk, zz * q
    return Powers(y, a, b, a * b, b * b, 1.0 if far else 0.0, 0.0 if far else over - (y - 1.0))


def distance(s: Sums, df: float) -> float:
    """Σ w ν log(1 + iz²), at i = 0 Σ w z²."""
    return df * (s.log - 2.0 * math.log(BACK) * s.far) if df < math.inf else s.b


@dataclass(frozen=True)
class StudentT(Family):
    """StudentT(df, mu, sigma): df > 0 degrees of freedom, location mu, scale sigma > 0."""

    name: ClassVar[str] = "student_t"
    params: ClassVar[tuple[Param, ...]] = (Param("df", "positive"), Param("mu"), Param("sigma", "positive"))
    terms: ClassVar[RowTerms] = RowTerms(Powers, add, finite, theta=At, kinds="lssssse")
    one_pass: ClassVar[bool] = False
    collapses: ClassVar[bool] = True

    def units(self, theta: Vector) -> Vector:
        return np.array([theta[0], theta[2], theta[2]])

    def valid(self, theta: Vector) -> bool:
        return bool(theta[0] > 0.0 and abs(theta[1]) < math.inf and 0.0 < theta[2] < math.inf)

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        return np.asarray((x - theta[1]) / theta[2])

    def row_theta(self, theta: Vector) -> At:
        return At(1.0 / theta[0], theta[1], 1.0 / theta[2])

    def start(self, x: Vector, w: Vector) -> Vector:
        """The normal, the middle, and the neighbourhoods of some quantiles, for the sake of other maxima."""
        mean, sd = mean_and_sd(x, w)
        q = quantiles(x, w, [0.02, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9, 0.98])
        wide = 0.7 * (q[7] - q[3]) or sd
        at, across = q[[1, 3, 5, 7, 9]], q[[2, 4, 6, 8, 10]] - q[[0, 2, 4, 6, 8]]
        half = np.where(across > 0.0, 0.5 * across, wide)
        return np.array([[math.inf, mean, sd], [5.0, q[5], wide], *zip([1.0] * 5, at, half, strict=True)])

    def collapse(self, value: float, share: float, theta: Vector, free: np.ndarray, peak: bool) -> str:
        """As σ → 0 a share s of equal values leaves ((1 − s) ν − s) log σ of the mean log-likelihood."""
        if (free[0] and peak) or not free[2] or not (free[1] or value == theta[1]) or share * (1.0 + 1.0 / theta[0]) < 1.0:
            return ""
        return f"one value has {share:.0%} of the weight: about it the likelihood does not fall as sigma -> 0"

    def edge(self, theta: Vector) -> str:
        return "df -> infinity: no heavier tails than the normal's" if theta[0] > MOST else ""

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
        v = theta[0]
        fall = math.log1p(1.0 / v) - log_minus_digamma(0.5 * v + 0.5) + log_minus_digamma(0.5 * v)
        return float(0.5 * (v + 1.0) * fall + 0.5 * math.log(v) + log_beta(0.5 * v, 0.5) + math.log(theta[2]))
