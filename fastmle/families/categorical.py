"""The categorical distribution: log p(x) = log p_x, for the codes x = 0, ..., k − 1; the p_j add up to 1.

Maximum likelihood: the fractions of the codes. On the simplex their covariance is (diag p − p pᵀ)/n.
Source: Johnson, Kotz & Balakrishnan, Discrete Multivariate Distributions, ch. 35.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Solution, Sums, TableTerms, Vector
from ..family.categories import Categories


@dataclass(frozen=True)
class Categorical(Categories):
    """Categorical(p_0, ..., p_{k-1}): data are codes 0, ..., k − 1, bool (k = 2), or text, whose categories are found."""

    name: ClassVar[str] = "categorical"
    discrete: ClassVar[bool] = True

    @property
    def terms(self) -> TableTerms:
        return TableTerms(highest=self.k - 1.0, names=self.categories)

    def units(self, theta: Vector) -> Vector:
        return theta

    def constraint(self, theta: Vector) -> Vector:
        return theta

    def valid(self, theta: Vector) -> bool:
        return bool(((theta > 0.0) & (theta < 1.0)).all()) and abs(math.fsum(theta) - 1.0) < 1e-9

    def counts(self, s: Sums) -> Vector:
        counts = np.zeros(self.k)
        counts[s.values.astype(np.intp)] = s.weights
        return counts

    def solve(self, s: Sums) -> Solution:
        return self.solve_fixed(s, {})

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution:
        counts, p = self.counts(s), self.hold(fixed)
        free = np.isnan(p)
        rest = 1.0 - math.fsum(p[~free])
        if not ((p[~free] > 0.0).all() and rest > 0.0):
            raise FamilyError(f"categorical: {fixed} lies outside the parameter space")
        p[free] = rest * counts[free] / counts[free].sum() if counts[free].any() else np.nan
        if (counts[free] == 0.0).any():
            absent = ", ".join(str(j) for j in np.flatnonzero(free & (counts == 0.0)))
            return Solution(p, "boundary", f"no value is {absent}")
        return Solution(p)

    def best_beside(self, s: Sums, held: Vector) -> Vector:
        """What is left of 1 is shared as the counts are, equally where there are none; NaN if the held ones do not make 1."""
        free, counts = np.isnan(held), self.counts(s)
        if not free.any() and not math.isclose(held.sum(), 1.0, rel_tol=1e-15):
            return np.full_like(held, math.nan)
        shares = counts[free] if counts[free].any() else np.ones(int(free.sum()))
        p = held.copy()
        p[free] = (1.0 - held[~free].sum()) * (shares / shares.sum())
        return p

    def loglik(self, s: Sums, theta: Vector) -> float:
        """Of θ/Σθ, so that rounding of the sum does not count."""
        with np.errstate(divide="ignore"):
            logs = np.log(theta[s.values.astype(np.intp)])
        return math.fsum([*(s.weights * logs), -s.weight * math.log1p(math.fsum([*theta, -1.0]))])

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        """Less their mean, which the constraint takes away."""
        return (x == np.arange(self.k)[:, None]) - theta[:, None]

    def information(self, s: Sums, theta: Vector) -> Vector:
        return np.diag(self.counts(s))

    def dist(self, theta: Vector) -> Any:
        return scipy.stats.rv_discrete(name="categorical", values=(np.arange(self.k), theta))

    def entropy(self, theta: Vector) -> float:
        return math.fsum(scipy.special.entr(theta))

    def kl(self, theta: Vector, other: Vector) -> float:
        return math.fsum(scipy.special.rel_entr(theta, other))
