"""The estimate of a family that needs several passes: a pilot in memory, then Newton's steps over all rows.

The pilot is made of the first rows. Where the first look at all rows says that it misled (they were sorted, or lack the
tails), one more read digests them into weighted points, and the steps begin again from the maximum of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .digest import digest
from .errors import FamilyError
from .family import Family, Solution, Sums, Vector
from .family.checks import check_derivatives
from .memory import FEW, Memory
from .newton import Climb, Step, maximise
from .passes import Passes
from .request import check_reopenable
from .run import Found, Run

PILOT = 1 << 18  # rows in memory from which an iterative fit starts
DOUBT = 50.0  # log-likelihoods of a sample nearer than this times √rows may have the other order over all rows
ALIKE = 1e-9  # of a log-likelihood
DIGESTS = 3  # at most
RESTARTS = 4  # off an edge of the parameter space, or onto it


@dataclass
class Search:
    """What the estimate is sought with: the family, all rows, and which parameters are free."""

    family: Family
    run: Run
    free: np.ndarray
    held: Vector

    def go(self) -> Found:
        passes, run = self.run.passes, self.run
        memory = Memory.of(*passes.pilot(self.family.terms, PILOT))  # type: ignore[arg-type]
        top, sure = self.peak(memory, [])
        if top is None:
            s = run.sums(None)  # raises for what is wrong with the data
            if not self.free.any():
                raise FamilyError(f"{self.family.name}: {self.family.pack(self.held)} lies outside the parameter space")
            if memory.whole:
                return self.degenerate(s, "all values are equal")
        else:
            sentence = self.collapsed(memory, top)
            if sentence:
                return self.degenerate(run.evaluate(top.point.theta), sentence)
            if sure:
                climb = self.climb(run, top.point.theta, near=not memory.whole)
                if climb.converged or memory.whole:
                    return self.ended(climb, top.path if memory.whole else [])
        return self.from_digest(None if top is None else top.point.theta)

    def from_digest(self, theta: Vector | None) -> Found:
        """The steps begun from a digest of all rows, taken again where it turns out to be too coarse."""
        run, fine, looks = self.run, False, 0
        while not fine:
            made = digest(self.family, run.passes, theta)
            points = {"weighted": True, "weight_kind": "frequency", "nulls": "raise", "device": "cpu"}
            memory = Memory.of(run.passes.over(made.points(), **points), False, made)
            top, _ = self.peak(memory, [] if theta is None else [theta])
            if top is None:
                return self.degenerate(run.sums(None), "all values are equal")
            theta = top.point.theta
            sentence = self.collapsed(memory, top)
            if sentence:
                return self.degenerate(run.evaluate(theta), sentence)
            looks += 1
            fine = looks == DIGESTS or not made.coarse(theta)
        assert theta is not None
        return self.ended(self.climb(run, theta), [])

    def peak(self, memory: Memory, more: list[Vector]) -> tuple[Climb | None, bool]:
        """The highest maximum over rows in memory, from all starts (None without any), and whether it is beyond doubt which
        one that is over all rows."""
        starts = self.starts(memory) + more
        if not starts:
            return None, True
        run = Run(self.family, memory.passes)
        if len(starts) > 1 and memory.digest is None and memory.x.size > 2 * FEW:
            starts = self.highest(Run(self.family, memory.part()), starts)
        if len(starts) > 1:
            starts = self.highest(run, starts)
        exact = memory.whole or memory.digest is not None
        return self.climb(run, starts[0], None if exact else 1e-3), exact or len(starts) == 1

    def highest(self, run: Run, starts: list[Vector]) -> list[Vector]:
        """Where the maxima lie that steps from these starts lead to, the highest first, and no others than it may be."""
        climbs = [self.climb(run, t, 1e-3) for t in starts]
        sound = [c for c in climbs if c.converged and c.point.good(self.free)] or climbs
        best = max(map(_height, sound))
        s = sound[0].point.sums
        doubt, alike = DOUBT * s.weight / math.sqrt(s.rows), ALIKE * abs(best)
        apart: list[Climb] = []
        for c in sound:  # the first of those alike, so that rounding does not decide
            if _height(c) >= best - doubt and all(abs(_height(c) - _height(other)) > alike for other in apart):
                apart.append(c)
        return [c.point.theta for c in sorted(apart, key=_height, reverse=True)]

    def starts(self, memory: Memory) -> list[Vector]:
        """The starts that lie in the parameter space, with the held parameters in place."""
        family = self.family
        if not self.free.any():
            rows = self.held[None]
        elif memory.differ():
            rows = np.atleast_2d(family.start_beside(memory.x, memory.w, self.held))
        elif memory.x.size:  # one row says as much, and its deviation is 0, not 1e-17
            rows = np.atleast_2d(family.start_beside(memory.x[:1], memory.w[:1], self.held))
        else:
            return []
        found = [t for t in np.unique(rows, axis=0) if not np.isnan(t).any() and family.valid(t)]
        plain = np.where(self.free, 1.0, self.held)
        return found or ([plain] if memory.differ() and family.valid(plain) else [])

    def climb(self, run: Run, start: Vector, tolerance: float | None = None, near: bool = False) -> Climb:
        """To the top, by way of other places where the family knows of them."""
        family, free = self.family, self.free
        if tolerance is None:
            rows = run.states[id(run.evaluate(start))].rows
            tolerance = min(1e-7, 1e-10 * math.sqrt(max(1, rows)))
        path: list[Step] = []
        check_derivatives(family, run.evaluate(start), start)
        for _ in range(RESTARTS + 1):
            climb = maximise(family, run.evaluate, start, free, tolerance, near=near)
            climb.path[:0] = path
            other = family.elsewhere(climb.point.sums, climb.point.theta) if free.any() else None
            start = climb.point.theta if other is None else np.where(free, other, climb.point.theta)
            if np.array_equal(start, climb.point.theta):
                break
            if near:
                return replace(climb, converged=False, message="the maximum lies elsewhere")
            path = climb.path
        return climb

    def collapsed(self, memory: Memory, top: Climb) -> str:
        """The sentence if equal values leave the likelihood without a maximum; counted over all rows where these rows are a
        part of them."""
        family, theta = self.family, top.point.theta
        if not family.collapses or not self.free.any():
            return ""
        value, share, exact = memory.commonest()
        peak = top.converged and top.point.good(self.free) and top.point.peaked(self.free)
        sentence = family.collapse(value, share, theta, self.free, peak)
        if not sentence or exact:
            return sentence
        return family.collapse(value, self.run.passes.share(value), theta, self.free, peak)

    def ended(self, climb: Climb, path: list[Step]) -> Found:
        sentence = self.family.edge(climb.point.theta, self.free)
        status = "boundary" if sentence else "ok" if climb.converged else "not_converged"
        message = sentence or ("" if climb.converged else climb.message)
        return self.run.found(climb.point.sums, Solution(climb.point.theta, status, message), path=path + climb.path)

    def degenerate(self, s: Sums, sentence: str) -> Found:
        return self.run.found(s, Solution(np.where(self.free, np.nan, self.held), "degenerate", sentence), "none")


@np.errstate(all="ignore")
def search(family: Family, passes: Passes, fixed: dict[str, Any], free: np.ndarray, held: Vector) -> Found:
    """The maximum of the likelihood along the free parameters."""
    check_reopenable(family.name, passes.source)
    run = Run(family, passes)
    own = family.estimate(run, fixed)
    if own is not None:
        return run.found(*own, "order statistics")
    return Search(family, run, free, held).go()


def _height(climb: Climb) -> float:
    return climb.point.llf if climb.point.good() else -math.inf
