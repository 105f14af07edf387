"""The multivariate normal: log p(x) = −½ [k log 2π + log |Σ| + (x − μ)ᵀ Σ⁻¹ (x − μ)], x with k entries.

Maximum likelihood: μ̂ the means, Σ̂ the covariance with divisor n.
Source: K. V. Mardia, J. T. Kent & J. M. Bibby, Multivariate Analysis, ch. 4; information: Magnus & Neudecker, ch. 15.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Family, GramTerms, Param, Solution, Sums, Vector


@dataclass(frozen=True)
class MVN(Family):
    """MVN: mu (k), cov (k, k). The flat order of cov_params() is mu, then the lower triangle of cov by rows."""

    k: int = 0  # columns; 0 until the data say

    name: ClassVar[str] = "mvn"

    def bind(self, columns: tuple[str, ...]) -> MVN:
        return MVN(len(columns))

    @property
    def params(self) -> tuple[Param, ...]:
        rows, cols = self.lower
        mu = tuple(Param(f"mu[{i}]") for i in range(self.k))
        return mu + tuple(Param(f"cov[{i},{j}]") for i, j in zip(rows, cols, strict=True))

    @property
    def terms(self) -> GramTerms:
        return GramTerms(self.k)

    @property
    def lower(self) -> tuple[Any, Any]:
        return np.tril_indices(self.k)

    def split(self, theta: Vector) -> tuple[Vector, Vector]:
        """(mu, cov) of a flat vector."""
        cov = np.zeros((self.k, self.k))
        cov[self.lower] = cov.T[self.lower] = theta[self.k :]
        return theta[: self.k], cov

    def join(self, mu: Any, cov: Any) -> Vector:
        return np.concatenate([np.asarray(mu, float), np.asarray(cov, float)[self.lower]])

    def pack(self, vector: Sequence[Any] | Vector) -> dict[str, Any]:
        mu, cov = self.split(np.asarray(vector, float))
        return {"mu": mu.copy(), "cov": cov}

    def unpack(self, mapping: dict[str, Any]) -> Vector:
        if set(mapping) != {"mu", "cov"}:
            raise FamilyError(f"mvn: its parameters are mu, cov, not {', '.join(mapping) or 'none'}")
        try:
            mu, cov = np.asarray(mapping["mu"], float), np.asarray(mapping["cov"], float)
        except (TypeError, ValueError) as error:
            raise FamilyError(f"mvn: mu and cov are arrays of numbers: {error}") from error
        if mu.shape != (self.k,) or cov.shape != (self.k, self.k):
            raise FamilyError(
                f"mvn: mu has the shape ({self.k},) and cov ({self.k}, {self.k}), not {mu.shape}, {cov.shape}"
            )
        if not np.allclose(cov, cov.T, rtol=1e-12, atol=0.0, equal_nan=True):
            raise FamilyError("mvn: cov is not symmetric")
        return self.join(mu, cov)

    def hold(self, fixed: dict[str, Any]) -> Vector:
        blank = {"mu": np.full(self.k, np.nan), "cov": np.full((self.k, self.k), np.nan)}
        return self.unpack(blank | fixed)

    def valid(self, theta: Vector) -> bool:
        cov = self.split(theta)[1]
        variances = np.diag(cov)
        if not (np.isfinite(cov).all() and (variances > 0.0).all()):
            return False
        sd = np.sqrt(variances)
        return bool(
            np.linalg.eigvalsh(cov / sd / sd[:, None])[0] > 0.0
        )  # of the correlations: any scales may meet

    def units(self, theta: Vector) -> Vector:
        sd = np.sqrt(np.diag(self.split(theta)[1]))
        return self.join(sd, np.outer(sd, sd))

    def spread(self, s: Sums, mu: Vector) -> Vector:
        """Σ w (x − μ)(x − μ)ᵀ, each column divided by its scale."""
        at = (mu - s.center) * s.per
        cross = np.outer(s.first, at)
        return s.second - cross - cross.T + s.weight * np.outer(at, at)

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, Any]) -> Solution:
        mu = np.asarray(fixed.get("mu", s.center + s.first / s.weight / s.per), float)
        scaled = self.spread(s, mu) / s.weight
        cov = np.asarray(fixed.get("cov", scaled / s.per[:, None] / s.per), float)
        sd = np.sqrt(np.maximum(np.diag(scaled), 0.0))
        with np.errstate(all="ignore"):
            flat = (
                not (sd > 0.0).all() or np.linalg.eigvalsh(scaled / np.outer(sd, sd))[0] < 1e-14
            )  # of a correlation
        if flat and "cov" not in fixed:
            return Solution(
                self.join(mu, cov), "degenerate", "the columns span less than their number of dimensions"
            )
        return Solution(self.join(mu, cov))

    def standard(self, s: Sums, theta: Vector) -> tuple[Vector, Vector, Vector]:
        """Σ w z, Σ w z zᵀ with z = (x − μ)/sd, and the correlation matrix."""
        mu, cov = self.split(theta)
        sd = np.sqrt(np.diag(cov)) * s.per
        first = s.first - s.weight * (mu - s.center) * s.per
        scale = np.sqrt(np.diag(cov))
        return first / sd, self.spread(s, mu) / np.outer(sd, sd), cov / np.outer(scale, scale)

    def loglik(self, s: Sums, theta: Vector) -> float:
        _, zz, corr = self.standard(s, theta)
        root = np.linalg.cholesky(corr)
        log_det = 2.0 * float(np.log(np.diag(root)).sum() + 0.5 * np.log(np.diag(self.split(theta)[1])).sum())
        quadratic = float(np.trace(np.linalg.solve(corr, zz)))
        return -0.5 * (s.weight * (self.k * math.log(2.0 * math.pi) + log_det) + quadratic)

    def score(self, s: Sums, theta: Vector) -> Vector:
        z, zz, corr = self.standard(s, theta)
        inverse = np.linalg.inv(corr)
        g = 0.5 * (inverse @ zz @ inverse - s.weight * inverse)
        return self.join(inverse @ z, g * (2.0 - np.eye(self.k)))

    def information(self, s: Sums, theta: Vector) -> Vector:
        """At the maximum, where observed and expected information agree."""
        inverse = np.linalg.inv(self.standard(s, theta)[2])
        (i, j), k = self.lower, self.k
        twice = np.where(i == j, 1.0, 2.0)
        block = (
            0.25
            * np.outer(twice, twice)
            * (inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)])
        )
        full = np.zeros((k + len(i), k + len(i)))
        full[:k, :k], full[k:, k:] = inverse, block
        return s.weight * full

    def dist(self, theta: Vector) -> Any:
        mu, cov = self.split(theta)
        return scipy.stats.multivariate_normal(mu, cov)

    def entropy(self, theta: Vector) -> float:
        return 0.5 * (
            self.k * (math.log(2.0 * math.pi) + 1.0) + float(np.linalg.slogdet(self.split(theta)[1])[1])
        )

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, a), (n, b) = self.split(theta), self.split(other)
        d = n - m
        quadratic = float(np.trace(np.linalg.solve(b, a)) + d @ np.linalg.solve(b, d))
        return 0.5 * (quadratic - self.k + float(np.linalg.slogdet(b)[1] - np.linalg.slogdet(a)[1]))
