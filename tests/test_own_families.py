"""Families of one's own: what is wrong with them is said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import fastmle as fm
from fastmle.family import Family, Param, RowTerms, Solution, Sums, Vector, positive, row_function

X = np.random.default_rng(1).exponential(2.0, 1000)


class Total(NamedTuple):
    x: float


@row_function
def add(x: float, _: Any) -> Total:
    return Total(x)


@dataclass(frozen=True)
class Exponential(Family):
    """That of the README."""

    name: ClassVar[str] = "mine"
    params: ClassVar[tuple[Param, ...]] = (Param("rate", "positive"),)
    terms: ClassVar[Any] = RowTerms(Total, add, positive, "x > 0", fill=1.0)

    def solve(self, s: Sums) -> Any:
        return Solution((s.weight / s.x,))

    def loglik(self, s: Sums, theta: Vector) -> Any:
        return s.weight * math.log(theta[0]) - theta[0] * s.x

    def score(self, s: Sums, theta: Vector) -> Any:
        return np.array([s.weight - theta[0] * s.x])

    def information(self, s: Sums, theta: Vector) -> Any:
        return np.array([[s.weight]])


class OtherSolution(Exponential):
    def solve(self, s: Sums) -> Any:
        return Solution((1.02 * s.weight / s.x,))


class OtherScore(Exponential):
    def score(self, s: Sums, theta: Vector) -> Any:
        return np.array([1.02 * s.weight - theta[0] * s.x])


def test_a_sound_family_is_fitted() -> None:
    fit = fm.fit(Exponential(), X)
    assert fit.status == "ok" and fit.params.rate == pytest.approx(1.0 / X.mean(), rel=1e-14)


@pytest.mark.parametrize("family", [OtherSolution(), OtherScore()])
@pytest.mark.parametrize("weight", [None, 1e-9, 1e9])
def test_a_solution_that_is_no_maximum_is_no_fit(family: Family, weight: float | None) -> None:
    """Off by 2 %, which of 1,000 rows is 0.6 standard errors, whatever the unit of the weights."""
    fit = fm.fit(family, X, weights=None if weight is None else np.full(X.size, weight))
    assert fit.status == "not_converged" and "solve and score of mine disagree" in fit.message


@pytest.mark.parametrize("weight", [None, 1e15])
def test_rounding_is_no_disagreement(weight: float | None) -> None:
    """At 1e12 ± 1 a float64 is 1e-4 apart; so are a million rows' means and the errors of these a tenth."""
    x = 1e12 + np.random.default_rng(2).normal(size=1_000_000)
    for data in (x, X.astype(np.float32), 1e12 + np.repeat([0.0, 1e-3, 2e-3], 100_000)):
        weights = None if weight is None else np.full(data.size, weight)
        fit = fm.fit("gaussian", data, weights=weights)
        assert fit.status == ("ok" if np.ptp(data) > 0.0 else "degenerate")
