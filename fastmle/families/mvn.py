"""The multivariate normal: log p(x) = −½ [k log 2π + log |Σ| + (x − μ)ᵀ Σ⁻¹ (x − μ)], x with k entries.

Maximum likelihood: μ̂ the means, Σ̂ the covariance with divisor n.
Source: K. V. Mardia, J. T. Kent & J. M. Bibby, Multivariate Analysis, ch. 4; information: Magnus & Neudecker, ch. 15.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import GramTerms, LocationMatrix, Solution, Sums, Vector


@dataclass(frozen=True)
class MVN(LocationMatrix):
    """MVN: mu (k), cov (k, k). The flat order of cov_params() is mu, then the lower triangle of cov by rows."""

    name: ClassVar[str] = "mvn"

    @property
    def terms(self) -> GramTerms:
        return GramTerms(self.k)

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
        pairs = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
        block = 0.25 * np.outer(twice, twice) * pairs
        full = np.zeros((k + len(i), k + len(i)))
        full[:k, :k], full[k:, k:] = inverse, block
        return s.weight * full

    def inverse_information(self, s: Sums, theta: Vector) -> Vector:
        """Var μ̂ = Σ/n and Cov(Σ̂_ij, Σ̂_kl) = (Σ_ik Σ_jl + Σ_il Σ_jk)/n, of the correlations."""
        corr = self.standard(s, theta)[2]
        (i, j), k = self.lower, self.k
        full = np.zeros((k + len(i), k + len(i)))
        full[:k, :k] = corr
        full[k:, k:] = corr[np.ix_(i, i)] * corr[np.ix_(j, j)] + corr[np.ix_(i, j)] * corr[np.ix_(j, i)]
        return full / s.weight

    def dist(self, theta: Vector) -> Any:
        mu, cov = self.split(theta)
        sd = np.sqrt(np.diag(cov))  # of columns of any scale the correlation alone says whether there is a density
        root = sd[:, None] * np.linalg.cholesky(cov / np.outer(sd, sd))
        return scipy.stats.multivariate_normal(mu, scipy.stats.Covariance.from_cholesky(root))

    def entropy(self, theta: Vector) -> float:
        return 0.5 * (
            self.k * (math.log(2.0 * math.pi) + 1.0) + float(np.linalg.slogdet(self.split(theta)[1])[1])
        )

    def kl(self, theta: Vector, other: Vector) -> float:
        (m, a), (n, b) = self.split(theta), self.split(other)
        d = n - m
        quadratic = float(np.trace(np.linalg.solve(b, a)) + d @ np.linalg.solve(b, d))
        return 0.5 * (quadratic - self.k + float(np.linalg.slogdet(b)[1] - np.linalg.slogdet(a)[1]))
