"""Safeguarded Newton steps towards a maximum of the likelihood; one evaluation is one pass, or none where sums serve.

Steps are taken in log θ for positive parameters and in logit θ for probabilities, so that no bound is met, and halved
until the likelihood does not fall. Source: J. Nocedal & S. Wright, Numerical Optimization (2006), ch. 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy

from .family import Family, Sums, Vector

MOST_STEPS = 100
MANY = 64  # parameters, from which on eigenvalues cost too much to be looked at first
SURE = 1e-4  # a pivot's root, from which on a matrix is plainly positive definite
LONGEST = 3.0  # a step in log θ, logit θ or in units
NEAR = 0.1  # the same, of a start from which Newton's steps are at their fastest
ROUNDED = "rounding to float64 allows no better point"


def all_finite(values: Vector) -> bool:
    """Of a few numbers without numpy, whose calls cost more than they do."""
    if values.size > MANY:
        return bool(np.isfinite(values).all())
    return all(map(math.isfinite, values.ravel().tolist()))


@dataclass
class Point:
    """The likelihood at θ: value, gradient and observed information in units, and the sums they came from."""

    theta: Vector
    sums: Sums
    llf: float
    score: Vector
    information: Vector
    units: Vector

    @classmethod
    def of(cls, family: Family, s: Sums, theta: Vector) -> Point:
        """The caller sees to it that numpy does not warn of what is not finite."""
        llf, units = float(family.loglik(s, theta)), family.units(theta)
        return cls(theta, s, llf, family.score(s, theta), family.information(s, theta), units)

    def norm(self, free: np.ndarray) -> float:
        """sqrt(gᵀ I⁻¹ g): how far θ is from the maximum, in standard errors."""
        if not free.any():
            return 0.0
        return math.sqrt(
            max(0.0, float(self.score[free] @ ascent(self.score[free], self.information[np.ix_(free, free)])))
        )

    def rounding(self, free: np.ndarray) -> float:
        """How many standard errors rounding to float64 may put between θ and the maximum."""
        with np.errstate(invalid="ignore"):
            ulp = np.spacing(np.abs(self.theta)) * np.sqrt(np.abs(np.diag(self.information)))
        return float(np.nansum((ulp / self.units)[free]))

    def peaked(self, free: np.ndarray) -> bool:
        """Whether the information is positive definite along the free parameters."""
        information = self.information[np.ix_(free, free)]
        scale = np.sqrt(np.abs(np.diag(information)))
        if not (np.diag(information) > 0.0).all():
            return False
        return bool(np.linalg.eigvalsh(information / np.outer(scale, scale))[0] > 0.0)

    def good(self, free: np.ndarray | None = None) -> bool:
        """Whether all is finite, along the free parameters."""
        if not math.isfinite(self.llf):
            return False
        score, information = self.score, self.information
        if free is not None and not all(free.tolist()):
            score, information = score[free], information[free][:, free]
        return all_finite(score) and all_finite(information)


class Step(NamedTuple):
    """Where a climb stood: θ, the log-likelihood (of regressions up to a constant), and its distance from the maximum."""

    theta: Vector
    llf: float
    norm: float  # in standard errors


@dataclass
class Climb:
    """Where the steps ended, the sentence for it, and the places on the way."""

    point: Point
    converged: bool
    message: str
    path: list[Step] = field(default_factory=list)


def ascent(g: Vector, information: Vector) -> Vector:
    """The step I⁻¹g; where I is not positive definite its eigenvalues are taken by their size."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    scaled = information / np.outer(scale, scale)
    with suppress(np.linalg.LinAlgError):
        if len(scale) > MANY:
            factor = scipy.linalg.cho_factor(scaled, check_finite=False)
            return np.asarray(scipy.linalg.cho_solve(factor, g / scale) / scale)
        if np.linalg.cholesky(scaled).diagonal().min(initial=1.0) > SURE:  # importing scipy.linalg takes longer than the fit
            return np.asarray(np.linalg.solve(scaled, g / scale) / scale)
    values, vectors = np.linalg.eigh(scaled)
    values = np.maximum(np.abs(values), 1e-14 * np.abs(values).max())
    step: Vector = vectors @ ((vectors.T @ (g / scale)) / values) / scale
    return step


def moved(family: Family, theta: Vector, units: Vector, step: Vector) -> Vector:
    """θ after a step in log θ, logit θ, or units, by domain."""
    out = theta.copy()
    for j, p in enumerate(family.params):
        if p.domain == "positive":
            out[j] = theta[j] * math.exp(step[j])
        elif p.domain == "unit":
            odds = theta[j] / (1.0 - theta[j]) * math.exp(step[j])
            out[j] = odds / (1.0 + odds)
        else:
            out[j] = theta[j] + units[j] * step[j]
    return out


def working(family: Family, point: Point) -> tuple[Vector, Vector]:
    """Gradient and information with respect to log θ, logit θ or θ/unit."""
    theta, units = point.theta, family.units(point.theta)
    domains = [p.domain for p in family.params]
    inner = np.array(
        [
            t if d == "positive" else t * (1 - t) if d == "unit" else u
            for d, t, u in zip(domains, theta, units, strict=True)
        ]
    )
    bend = np.array(
        [
            1.0 if d == "positive" else 1.0 - 2.0 * t if d == "unit" else 0.0
            for d, t in zip(domains, theta, strict=True)
        ]
    )
    with np.errstate(invalid="ignore"):
        ratio = np.where(inner == units, 1.0, inner / units)  # also of a parameter at infinity
    g = point.score * ratio
    return g, point.information * np.outer(ratio, ratio) - np.diag(g * bend)


def maximise(
    family: Family,
    evaluate: Callable[[Vector], Sums],
    start: Vector,
    free: np.ndarray,
    tolerance: float = 1e-10,
    most: int = MOST_STEPS,
    near: bool = False,
) -> Climb:
    """Climb from `start` along the free parameters until the score norm is within `tolerance` standard errors.

    The errors are those of rows of weight 1, whatever the unit of the weights. Also stops where rounding lets no step
    improve; the message says which. `near`: the start should be so near the maximum that each step brings it ten times
    nearer; where one does not, the climb ends there, without having converged.
    """
    point = Point.of(family, evaluate(start), start)
    evaluations, last = 1, math.inf
    path: list[Step] = []
    if not point.good():
        return Climb(point, False, "the likelihood is not finite at the start: values lie too far apart for float64")
    while True:
        each = point.sums.weight / point.sums.rows  # the weight of a row
        norm = point.norm(free) / math.sqrt(each)
        path.append(Step(point.theta, point.llf, norm))
        if norm <= tolerance:
            return Climb(point, True, "the score vanishes", path)
        limit = min(max(1e-6, point.rounding(free) / math.sqrt(each)), 1.0)  # a standard error is no rounding
        if norm < limit and norm > 0.25 * last:
            return Climb(point, True, ROUNDED, path)
        g, information = working(family, point)
        step = np.zeros_like(g)
        step[free] = ascent(g[free], information[np.ix_(free, free)])
        if near and norm > limit and (norm > 0.1 * last or np.abs(step).max() > NEAR):
            return Climb(point, False, "the start is not near the maximum", path)
        last = norm
        step *= min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
        new = point
        for _ in range(30):
            if evaluations >= most:
                return Climb(point, False, f"no maximum was reached in {most} evaluations", path)
            theta = moved(family, point.theta, point.units, step)
            if np.array_equal(theta, point.theta):
                return Climb(point, norm < limit, ROUNDED, path)
            if not family.valid(theta):  # rounded to 0 or to infinity
                step *= 0.5
                continue
            new = Point.of(family, evaluate(theta), theta)
            evaluations += 1
            if new.good() and new.llf >= point.llf - 1e-12 * abs(point.llf) - 1e-9 * norm * each:
                break
            step *= 0.5 if new.good() else 0.25
        else:
            return Climb(point, norm < limit, "no step along the ascent direction improves the likelihood", path)
        before, point = point, new
        if family.edge(point.theta, free) and not family.edge(before.theta, free):
            path.append(Step(point.theta, point.llf, 0.0))
            return Climb(point, True, "the edge of the parameter space is reached", path)
