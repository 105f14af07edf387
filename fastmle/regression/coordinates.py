"""The coordinates in which a generalized linear model is fitted, and what one pass over the rows gives there."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from ..family import Sums, Vector
from ..kernels.glm import INFORMATION, NOTHING
from ..newton import Step
from ..passes import Passes
from ..sources import Held
from ..states.coded import CodedState
from ..states.glm import GlmState, GlmTerms, Place
from .blocks import slices_of
from .design import Merged
from .glm import GeneralizedLinear
from .scoring import At
from .separation import separating

FAR = 1e-3  # of the loss at one place, left at another


class Fitting:
    """The coordinates of a fit, (1, u..) with u = (x − center) · per, and passes at any coefficients."""

    def __init__(self, model: GeneralizedLinear, source: Merged, sample: Held, fixed: dict[str, float]) -> None:
        names = ["intercept", *model.features]
        self.model = model
        self.shape_free = model.shaped and "theta" not in fixed
        held = [names.index(n) for n in fixed if n != "theta"]
        self.free = np.ones(len(names), bool)
        self.free[held] = False
        self.free[0] &= model.intercept
        self.blocks = source.blocks
        self.by_sample = not self.blocks  # a sample may lack levels
        chunk = next(iter(sample.chunks()))
        columns, rows = chunk[: len(source.names) - len(self.blocks)], chunk[0].size
        self.terms: GlmTerms = replace(model.glm_terms(source.offset, "trials" in source.roles), k=1 + len(columns))
        columns = tuple(c[:: max(1, rows >> 14)] for c in columns)
        self.center = np.array([float(c.mean()) if rows and self.free[0] else 0.0 for c in columns])
        both = zip(columns, self.center, strict=True)
        spread = np.array([_spread(c - m) if rows else 1.0 for c, m in both])
        spread[~((spread > 0.0) & np.isfinite(spread))] = 1.0
        self.per = np.exp2(-np.rint(np.log2(spread)))
        scale = np.append(self.per, np.ones(len(model.features) - len(self.per)))  # of dense columns, then of blocks
        self.penalty = np.array([0.0, *(model.alpha * scale * scale)])
        self.prior = np.r_[np.zeros(1 + len(self.per)), np.ones(len(scale) - len(self.per))]  # a sample may lack levels
        self.start = np.zeros(len(names))
        for n, value in fixed.items():
            if n != "theta":
                j = names.index(n)
                self.start[j] = value / scale[j - 1] if j else value
        self.jacobian = np.diag([1.0, *scale])
        self.jacobian[0, 1 : 1 + len(self.per)] = -self.center * self.per
        self.states: dict[int, Any] = {}
        self.dropped = 0  # rows with nulls, of all rows: a sample has none
        self.lost: list[int] = []  # columns whose coefficients are infinite

    def evaluator(self, passes: Passes, prior: bool = False) -> Any:
        penalty = self.penalty + self.prior if prior else self.penalty

        def evaluate(beta: Vector, shape: float, matrix: int = INFORMATION) -> At:
            state = self.run(passes, beta, shape, matrix)
            s = state.sums()
            self.states = {id(s): state}
            self.dropped = max(self.dropped, state.dropped)
            return self.at(s, beta, shape, penalty)

        return evaluate

    def at(self, s: Sums, beta: Vector, shape: float, penalty: Vector) -> At:
        objective = -s.loss + (s.a if self.model.shaped else 0.0) - 0.5 * float(penalty @ beta**2)
        matrix = s.matrix + np.diag(penalty)
        gradient = np.where(self.free, s.score - penalty * beta, 0.0)
        return At(beta, shape, s, objective, gradient, matrix, self.free, self.shape_free)

    def from_one(self, first: At, evaluate: Any) -> Any:
        """The evaluator of a quadratic objective known at one place; it reads rows only where digits would be lost."""

        def anywhere(beta: Vector, shape: float) -> At:
            step = beta - first.beta
            image = first.sums.matrix @ step
            loss = first.sums.loss - step @ (first.sums.score - 0.5 * image)
            if not loss > FAR * first.sums.loss:
                at: At = evaluate(beta, shape)
                return at
            s = copy(first.sums)
            s.__dict__.update(loss=loss, pearson=2.0 * loss, score=first.sums.score - image)
            return self.at(s, beta, shape, self.penalty)

        return anywhere

    def run(self, passes: Passes, beta: Vector, shape: float, matrix: int) -> Any:
        terms = replace(self.terms, matrix=matrix, constants_too=matrix != NOTHING or self.model.shaped)
        place = Place(beta, self.center, self.per, float(shape))
        if self.blocks:
            levels = tuple(len(block.columns) for block in self.blocks)
            state: Any = CodedState(terms, levels, passes.options, place)
        else:
            state = GlmState(terms, passes.options, place)
        passes.run_all([state])
        return state

    def dispersion(self, at: At) -> float:
        if not self.model.dispersed:
            return at.sums.weight / at.sums.n  # 1, but for sampling weights, whose scale says nothing
        return float(max(at.sums.pearson / max(at.sums.n - self.free.sum(), 1.0), 1e-300))

    def first(self, passes: Passes, shape: float) -> Vector:
        """The constant model, or least squares on the link's scale where there is no intercept to be had."""
        s = self.run(passes, self.start, shape, 0).sums()
        beta = self.start.copy()
        if self.free[0]:
            mean = self.model.first_mean(s)
            low = 0.5 / (s.trials + 1.0)
            high = 1.0 - low if self.model.takes_trials else math.inf
            beta[0] = float(self.model.link_functions.forward(np.float64(min(max(mean, low), high))))
            if self.terms.offset:
                beta[0] -= self._mean_offset(passes)
            return beta
        full = [at for at, block in zip(slices_of(self.blocks, 1 + len(self.per)), self.blocks, strict=True) if block.full]
        if full and self.free[full[0]].all():
            beta[full[0]] = float(self.model.link_functions.forward(np.float64(self.model.first_mean(s))))
            return beta
        chunk = next(iter(passes.source.chunks()))
        k = len(passes.source.names)
        y, mean = chunk[k], self.model.first_mean(s)
        middle = (y + 0.5) / 2.0 if self.model.takes_trials else np.clip(0.5 * (y + mean), 1e-3 * mean, None)
        eta = self.model.link_functions.forward(middle)
        z = np.stack([np.ones(y.size), *((c - m) * p for c, m, p in zip(chunk, self.center, self.per, strict=False))], axis=1)
        own = np.flatnonzero(self.free[: z.shape[1]])
        target = eta - z @ beta[: z.shape[1]] - (chunk[k + 1] if self.terms.offset else 0.0)
        beta[own] = np.linalg.lstsq(z[:, own], target, rcond=None)[0]
        return beta

    def _mean_offset(self, passes: Passes) -> float:
        chunk = next(iter(passes.source.chunks()))
        return float(np.mean(chunk[len(passes.source.names) + 1]))

    def in_x(self, beta: Vector) -> Vector:
        """Coefficients of (1, x..)."""
        return np.asarray(self.jacobian @ beta)

    def columns_of(self, at: At) -> tuple[Vector, np.ndarray]:
        """A matrix that is singular where columns repeat others, and which columns count."""
        return at.matrix, self.free

    def leave_out(self, columns: list[int]) -> None:
        self.free[columns] = False

    def separated_by(self, passes: Passes, at: At, step: Vector) -> list[int]:
        return separating(self, passes, at, step)

    def steps(self, path: list[At], model: Any) -> list[Step]:
        shown = model.shown
        shape = [1] * model.shaped
        return [
            Step(np.append(self.in_x(at.beta)[shown], [at.shape for _ in shape]), at.objective, at.norm(self.dispersion(at)))
            for at in path
        ]


def _spread(away: Vector) -> float:
    """The root of the mean square, whatever the scale."""
    largest = float(np.abs(away).max())
    return largest * float(np.sqrt(np.mean(np.square(away / largest)))) if largest > 0.0 else 0.0
