"""The Dirichlet: log p(x) = log Γ(s) + Σ_j [(α_j − 1) log x_j − log Γ(α_j)], s = Σα_j, for x_j > 0 that add up to 1.

Maximum likelihood: ψ(α̂_j) − ψ(ŝ) = (1/n)Σ log x_j for each column, by Newton's steps.
Source: T. Minka, Estimating a Dirichlet distribution (2000); Kotz, Balakrishnan & Johnson, ch. 49.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import (
    ColumnTerms,
    Family,
    Param,
    RowsFirst,
    Solution,
    Sums,
    Vector,
    log_gap,
    log_shares,
    log_terms,
)
from ..kernels.vecmath.bregman import dirichlet_divergence, dirichlet_entropy
from ..kernels.vecmath.gaps import log_minus_digamma, stirling_error, trigamma_minus_inverse


def row_scores(theta: Vector) -> Vector:
    """The score of a row in units, linear in (1, log x_0, ...)."""
    falls = scipy.special.digamma(theta.sum()) - scipy.special.digamma(theta)
    return np.vstack([theta * falls, np.diag(theta)])


@dataclass(frozen=True)
class Dirichlet(Family):
    """Dirichlet(alpha_0, ..., alpha_{k-1}), all > 0; data are k columns."""

    k: int = 0  # columns; 0 until the data say

    name: ClassVar[str] = "dirichlet"

    def bind(self, columns: tuple[str, ...]) -> Dirichlet:
        if len(columns) < 2 or self.k not in (0, len(columns)):
            raise FamilyError(
                f"dirichlet takes {self.k or 'at least 2'} columns, not {len(columns)}: say columns="
            )
        return Dirichlet(len(columns))

    @property
    def params(self) -> tuple[Param, ...]:
        return tuple(Param(f"alpha_{j}", "positive") for j in range(self.k))

    @property
    def terms(self) -> ColumnTerms:
        return ColumnTerms(log_terms, self.k, row_scores)

    def solve(self, s: Sums) -> Solution:
        """A start: the means, and s from Σ p_j (gap of column j), about (k − 1)/2s."""
        gaps = np.array([log_gap(x) for x in s.columns])
        means = np.array([x.c * (1.0 + x.u / x.weight) for x in s.columns])
        if (gaps <= 1e-15).all():
            return Solution(np.full(self.k, math.inf), "degenerate", "all rows are equal")
        return Solution(means * (0.5 * (self.k - 1) / float(means @ gaps)), approximate=True)

    def loglik(self, s: Sums, theta: Vector) -> float:
        logs, centers = np.array([x.log for x in s.columns]), np.log([x.c for x in s.columns])
        each = 0.5 * np.log(theta / (2.0 * math.pi)) - stirling_error(theta) - theta * log_shares(s.columns, theta)
        total = stirling_error(float(theta.sum())) - 0.5 * math.log(theta.sum() / (2.0 * math.pi))
        return float(s.weight * (total + math.fsum(each - centers)) + math.fsum((theta - 1.0) * logs))

    def score(self, s: Sums, theta: Vector) -> Vector:
        falls = log_shares(s.columns, theta) - log_minus_digamma(theta) + log_minus_digamma(float(theta.sum()))
        return theta * (np.array([x.log for x in s.columns]) - s.weight * falls)

    def information(self, s: Sums, theta: Vector) -> Vector:
        total = float(theta.sum())
        part = theta / total
        across = trigamma_minus_inverse(total) * np.outer(theta, theta) + np.outer(theta, part)
        own = theta * theta * trigamma_minus_inverse(theta) + theta
        return s.weight * (np.diag(own) - across)

    def dist(self, theta: Vector) -> Any:
        return RowsFirst(scipy.stats.dirichlet(theta))

    def entropy(self, theta: Vector) -> float:
        return dirichlet_entropy(theta)

    def kl(self, theta: Vector, other: Vector) -> float:
        return dirichlet_divergence(theta, other)
