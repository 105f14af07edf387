"""Fisher scoring: each step is one pass, from a sample's estimate, halved until the objective does not fall.

Where the information met on the way is far from the expected one (a gamma model without intercept: twice as much), steps
go to and fro for ever. Then what the last steps met corrects the next ones, by BFGS from the expected information on.

Objective: −Σ w loss − ½ α Σ β² (the intercept free). A shape q (a negative binomial's theta) takes Newton steps in log q
beside β, to which it is orthogonal. Sources: McCullagh & Nelder (1989), ch. 2.5; J. Nocedal & S. Wright, Numerical
Optimization (2006), ch. 7.2.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..family import Sums, Vector
from ..newton import ascent

LONGEST_SHAPE = 1.5  # a step in log q
LONGEST_RISE = 5.0  # where one in 1/q promises so much
HUGE_SHAPE = 1e6  # times the root of the mean: beyond, rounding hides how the likelihood rises
ENDLESS = "the shape grows without bound"
SLOW = 0.1  # of the norm before: such a step corrects the next ones,
STILL = 0.1  # unless log q moved as much, as the gradient then fell for that too
NOISE = 1e-6  # standard errors: nearer, rounding is what is met
KEPT = 20  # of the last steps


@dataclass
class At:
    """The objective at β (in z) and q, from one pass."""

    beta: Vector
    shape: float
    sums: Sums
    objective: float
    gradient: Vector
    matrix: Vector  # expected information and penalty
    free: np.ndarray
    shape_free: bool
    taken: Vector | None = None  # the step, once it is known
    doubt: float = 0.0  # of the norm, in standard errors

    def good(self) -> bool:
        return math.isfinite(self.objective) and bool(np.isfinite(self.gradient).all() and np.isfinite(self.matrix).all())

    def step(self) -> Vector:
        if self.taken is None:
            self.taken = np.zeros_like(self.beta)
            f = self.free
            if f.any():
                self.taken[f] = ascent(self.gradient[f], self.matrix[np.ix_(f, f)])
        return self.taken

    def corrected(self, met: list[tuple[Vector, Vector]]) -> Vector:
        """The step under the information that earlier steps met, each with the fall of the gradient along it."""
        if not met:
            return self.step()
        met = [(step, fall) for step, fall in met if float(step @ fall) > 0.0]
        g, shares = self.gradient.copy(), []
        for step, fall in reversed(met):
            shares.append(float(step @ g) / float(step @ fall))
            g -= shares[-1] * fall
        f, out = self.free, np.zeros_like(self.beta)
        out[f] = ascent(g[f], self.matrix[np.ix_(f, f)])
        for step, fall in met:
            out += (shares.pop() - float(fall @ out) / float(step @ fall)) * step
        return out

    def shape_step(self) -> float:
        """In log q, towards the maximum: Newton's step in 1/q, of which the likelihood is nearer to a parabola, down to 0."""
        if not self.shape_free:
            return 0.0
        g = self.sums.u * self.shape
        h = self.sums.v * self.shape**2 - g
        if 0.0 < g < h:
            left = 1.0 - g / (h - g)  # of 1/q
            return -math.log(left) if left > math.exp(-LONGEST_RISE) else LONGEST_RISE
        return max(-LONGEST_SHAPE, min(LONGEST_SHAPE, g / h if h > 0.0 else math.copysign(LONGEST_SHAPE, g)))

    def square(self) -> float:
        """gᵀ I⁻¹ g of the coefficients."""
        return float(self.gradient @ self.step())

    def rounding(self) -> float:
        """The part of the norm that may be rounding: of a flat shape, what is lost of ψ(q), about log q, in each row."""
        if not self.shape_free or not self.sums.v:
            return 0.0
        lost = sys.float_info.epsilon * self.sums.rows * math.log1p(self.shape)
        return min(1e-3, lost / math.sqrt(abs(self.sums.v)))

    def norm(self, dispersion: float) -> float:
        """How far from the maximum, in standard errors."""
        square = self.square() / dispersion
        if self.shape_free:
            square += self.sums.u**2 / abs(self.sums.v) if self.sums.v else 0.0
        return math.sqrt(max(0.0, square)) + self.doubt


@dataclass
class Climb:
    at: At
    converged: bool
    message: str
    last_step: Vector = field(default_factory=lambda: np.empty(0))
    steps: int = 0
    path: list[At] = field(default_factory=list)  # the places on the way


def climb(
    evaluate: Callable[[Vector, float], At], beta: Vector, shape: float, tolerance: float, most: int,
    dispersion: Callable[[At], float], suspicious: Callable[[At, Vector, int], bool], newton: bool,
) -> Climb:  # fmt: skip
    """Up from β until the score is within `tolerance` standard errors, or rounding lets no step improve.

    `newton`: the observed information is the expected one, so that steps need no correction.
    """
    at, last, steps = evaluate(beta, shape), math.inf, 0
    met: list[tuple[Vector, Vector]] = []
    if not at.good():
        return Climb(at, False, "the likelihood is not finite at the start")
    path = []
    while True:
        path.append(at)
        norm = at.norm(dispersion(at))
        step, shape_step = at.corrected(met), at.shape_step()
        if suspicious(at, step, steps):
            return Climb(at, False, "separated", step, steps, path)
        noise = at.rounding()
        if norm <= max(tolerance, min(noise, 1e-6)):
            return Climb(at, True, "the score vanishes", steps=steps, path=path)
        if norm < max(1e-6, noise) and norm > 0.9 * last:
            return Climb(at, True, "rounding allows no better point", steps=steps, path=path)
        if at.shape_free and at.shape > HUGE_SHAPE * math.sqrt(max(1.0, at.sums.hits / at.sums.weight)):
            return Climb(at, False, ENDLESS, steps=steps, path=path)
        last = norm
        if steps >= most:
            return Climb(at, False, f"no maximum was reached in {most} steps", step, steps, path)
        length = 1.0
        for _ in range(30):
            new = evaluate(at.beta + length * step, at.shape * math.exp(length * shape_step))
            steps += 1
            slack = 1e-12 * abs(at.objective) + 1e-15 * abs(at.sums.loss) + 1e-9 * norm
            if new.good() and new.objective >= at.objective - slack:
                break
            length *= 0.5 if new.good() else 0.25
        else:
            return Climb(at, norm < 1e-6, "no step along the ascent direction improves the likelihood", step, steps, path)
        if not newton and norm > NOISE and new.square() > SLOW**2 * at.square():
            still = not at.shape_free or abs(math.log(new.shape / at.shape)) < STILL
            met = [*met, (new.beta - at.beta, at.gradient - new.gradient)][-KEPT:] if still else met
        at = new
