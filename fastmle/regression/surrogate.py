"""Fewer and cheaper passes: between two of them a sample tells how the score of all rows changes.

About a place β₀ where all rows were read, with d = β − β₀ and r the weight of all rows over that of the sample S,

    g(β) = g(β₀) − H₀ d + r [g_S(β) − g_S(β₀) + H_S(β₀) d]

but for the sample's error in what is not linear. H₀ is the information of all rows or, where a pass left it out, r H_S. The root
of g is the next place: each pass brings the score down by a hundred times, whether it summed a matrix or not.
Source: M. I. Jordan, J. D. Lee & Y. Yang, J. Am. Stat. Assoc. 114 (2019) 668-681.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..family import Vector
from ..kernels.glm import INFORMATION, NOTHING
from ..passes import Passes
from ..states.glm import Place
from .scoring import At, Climb
from .solve import correlation_of, full_rank

NEAR = 1e-2  # standard errors from the maximum, or closer: there the matrix is summed, and the last step is short
ENOUGH = 0.2  # of the sample's error: closer to the root of its guess is no closer to the maximum
SLOW = 0.25  # of the norm before: then the sample is no guide
PASSES, ROUNDS = 8, 8
CHANGE = 2e-7  # of the information, unaccounted for by the sample
SINGULAR = 1e-9  # what is left of a column beside others
CARRIED = ("pearson", "u", "v", "a", "b")  # sums that move as the sample's do


class Surrogate:
    """All rows beside a sample of them, from a place near the sample's estimate on."""

    def __init__(self, fitting: Any, passes: Passes, small: Passes, begun: At) -> None:
        self.fitting = fitting
        self.all, self.few = fitting.evaluator(passes), fitting.evaluator(small)
        self.error = 2.0 * math.sqrt(len(begun.beta) / max(1, begun.sums.rows))  # of the sample's information, relative
        self.same = fitting.model.newton  # information, observed and expected
        self.least = NOTHING if passes.options.device == "cpu" else INFORMATION
        self.sparing = passes.source.in_memory and self.least == NOTHING
        self.path: list[At] = []
        self.begun = self.base = begun  # the last sample with a matrix, and that of the present place
        next_one = self.few(begun.beta + begun.step(), begun.shape * math.exp(begun.shape_step()), self.least)
        if next_one.good() and next_one.objective >= begun.objective:
            self.base = next_one
        self.beta, self.shape = self.base.beta, self.base.shape

    def climb(self, tolerance_of: Callable[[float], float]) -> Climb | None:
        """The maximum; None where the sample is no guide to it: then the last place of the path is a start."""
        matrix, norm, last, tolerance = self.begun, math.inf, math.inf, 0.0
        for _ in range(PASSES):
            ahead = norm * (norm / last if math.isfinite(last) else self.error)  # the norm at this place, as far as is known
            bare = self.sparing and not ahead <= (NEAR if self.same else min(NEAR, 0.5 * tolerance / self.error))
            at = self.all(self.beta, self.shape, NOTHING if bare else INFORMATION)
            state = next(iter(self.fitting.states.values()))
            if not at.good() or (self.path and at.objective < self.path[-1].objective - 1e-9 * abs(at.objective)):
                return None
            ratio = at.sums.weight / matrix.sums.weight
            if bare:
                at.matrix = ratio * matrix.sums.matrix + np.diag(self.fitting.penalty)
                at.sums.__dict__.update(matrix=ratio * matrix.sums.matrix, pearson=ratio * matrix.sums.pearson)
                self.base.sums.__dict__["matrix"] = matrix.sums.matrix
            elif self.base is not matrix:
                self.base = matrix = self.few(self.beta, self.shape)
            self.path.append(at)
            norm, last, tolerance = self.norm(at), norm, tolerance_of(at.sums.n)
            if not bare and (norm <= tolerance or SLOW * last < norm < 1e-6):
                return Climb(at, True, "the score vanishes, or rounding allows no better point", path=self.path)
            if norm > SLOW * last:
                return None
            found = self.root(at, ratio, ENOUGH * self.error * norm if bare else 0.1 * tolerance)
            if found is None:
                return None
            here, miss = found
            doubt = self.error * (miss if self.same else norm)
            if not bare and doubt <= 0.8 * tolerance:
                end = self.moved(at, self.few(here.beta, here.shape), ratio)
                if end is not None:
                    end.doubt = doubt
                    self.fitting.states = {id(end.sums): state}
                    state.theta = Place(end.beta, state.theta.center, state.theta.per, end.shape)
                    return Climb(end, True, "the score vanishes", path=[*self.path, end])
            self.base, self.beta, self.shape = here, here.beta, here.shape
        return None

    def norm(self, at: At) -> float:
        return at.norm(self.fitting.dispersion(at))

    def scores(self, at: At, here: At, ratio: float) -> tuple[Vector, float]:
        """The score of all rows at another place, and its slope in log q there."""
        d, base = here.beta - at.beta, self.base
        score = at.sums.score - at.sums.matrix @ d + ratio * (here.sums.score - base.sums.score + base.sums.matrix @ d)
        if not at.shape_free:
            return score, 0.0
        turn = math.log(here.shape / at.shape)
        slope = _shape(at)[0] - _shape(at)[1] * turn + ratio * (_shape(here)[0] - _shape(base)[0] + _shape(base)[1] * turn)
        return score, slope

    def gradient(self, score: Vector, beta: Vector) -> Vector:
        return np.where(self.fitting.free, score - self.fitting.penalty * beta, 0.0)

    def root(self, at: At, ratio: float, goal: float) -> tuple[At, float] | None:
        """The sample where the score of all rows should vanish, and how far the first step missed, in standard errors."""
        if at.shape_free and not (_shape(at)[1] > 0.0 and _shape(self.base)[1] > 0.0):
            return None
        guess, miss, dispersion = at, math.inf, self.fitting.dispersion(at)
        curve, slope = (_shape(at)[1], _shape(at)[0]) if at.shape_free else (1.0, 0.0)
        for _ in range(ROUNDS):
            if abs(slope) > curve:
                return None
            here: At = self.few(guess.beta + guess.step(), guess.shape * math.exp(slope / curve), self.least)
            if not here.good():
                return None
            score, slope = self.scores(at, here, ratio)
            guess = At(here.beta, here.shape, at.sums, 0.0, self.gradient(score, here.beta), at.matrix, at.free, False)
            norm = math.hypot(guess.norm(dispersion), slope / math.sqrt(curve))
            miss = min(miss, norm) if math.isinf(miss) else miss
            if norm <= goal:
                return here, miss
        return None

    def moved(self, at: At, here: At, ratio: float) -> At | None:
        """What a pass at the sample's place would have found; None where the sample cannot say so to 1e-7."""
        matrix = at.sums.matrix + ratio * (here.sums.matrix - self.base.sums.matrix)
        scale = np.sqrt(np.diag(at.sums.matrix))
        if not np.abs((matrix - at.sums.matrix) / np.outer(scale, scale)).max() * self.error <= CHANGE:
            return None
        score, slope = self.scores(at, here, ratio)
        s = copy(at.sums)
        for name in CARRIED:
            s.__dict__[name] = getattr(s, name) + ratio * (getattr(here.sums, name) - getattr(self.base.sums, name))
        if at.shape_free:
            s.__dict__["u"] = slope / here.shape
        rise = 0.5 * (float((at.sums.score + score) @ (here.beta - at.beta)) + (at.sums.u + s.u) * (here.shape - at.shape))
        s.__dict__.update(score=score, matrix=matrix, loss=at.sums.loss + (s.a - at.sums.a) - rise)
        end: At = self.fitting.at(s, here.beta, here.shape, self.fitting.penalty)
        return end


def _shape(at: At) -> tuple[float, float]:
    """The slope of the log-likelihood in log q, and minus its second derivative."""
    slope = at.sums.u * at.shape
    return slope, at.sums.v * at.shape**2 - slope


def regular(at: At) -> bool:
    """Whether the sample's information has full rank, with digits to spare."""
    free = np.flatnonzero(at.free)
    return full_rank(correlation_of(at.matrix[np.ix_(free, free)])[0], SINGULAR)
