"""The estimate of a family that needs several passes: a pilot, Newton's steps over the whole data, edges, restarts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import DataError, FamilyError
from .family import Family, Sums, Vector
from .newton import Climb, Step, maximise
from .passes import Passes
from .selection import median_interval
from .states import State

PILOT = 1 << 18  # rows of the sample from which an iterative fit starts
UNDECIDED = 8.0  # log-likelihoods of the sample, for rows of weight 1
ALIKE = 1e-9  # of a log-likelihood
RESTARTS = 4  # off an edge of the parameter space, or onto it


@dataclass
class Found:
    """The estimate, and the state and sums at it."""

    theta: Vector
    sums: Sums
    state: State
    status: str = "ok"
    message: str = ""
    how: str = "newton"
    path: list[Step] = field(default_factory=list)


class Run:
    """Passes over a source as a family sees them; the state of the last one is kept."""

    state: State

    def __init__(self, family: Family, passes: Passes) -> None:
        self.family, self.passes = family, passes
        self.states: dict[int, State] = {}  # by the identity of their sums
        self._done: dict[bytes, Sums] = {}  # by θ

    def sums(self, theta: Any) -> Sums:
        state = self.passes.run(self.family.terms, theta)
        s = state.sums()
        self.states[id(s)] = state
        return s

    def evaluate(self, theta: Vector) -> Sums:
        key = theta.tobytes()
        if key not in self._done:
            with np.errstate(all="ignore"):  # 1/σ of subnormal data
                constants = self.family.row_theta(theta)
            self._done[key] = self.sums(constants)
        return self._done[key]

    def median(self) -> tuple[float, float]:
        return median_interval(self.passes)


@np.errstate(all="ignore")
def search(family: Family, passes: Passes, fixed: dict[str, Any], free: np.ndarray, held: Vector) -> Found:
    """The maximum of the likelihood along the free parameters."""
    if not passes.source.reopenable:
        raise DataError(
            f"{family.name} needs several passes, and {passes.source.description} can be read only once: "
            "pass a callable that returns a fresh iterator of chunks"
        )
    run = Run(family, passes)
    own = family.estimate(run, fixed)
    if own is not None:
        s, solution = own
        theta = np.array(solution.theta, float)
        return Found(theta, s, run.states[id(s)], solution.status, solution.message, "order statistics")
    sample, whole = passes.pilot(family.terms, PILOT)  # type: ignore[arg-type]
    starts = _starts(family, sample, free, held)
    if not starts:  # no row, or all rows of the sample equal
        s = run.sums(None)  # raises for what is wrong with the data
        if not free.any():
            raise FamilyError(f"{family.name}: {fixed} lies outside the parameter space")
        if whole or _all_equal(passes):
            theta = np.where(free, np.nan, held)
            return Found(theta, s, run.states[id(s)], "degenerate", "all values are equal", "none")
        starts = [np.where(free, 1.0, held)]
    start = starts[0]
    if free.any() and (len(starts) > 1 or not whole):
        pilot = Run(family, sample)
        climbs = [maximise(family, pilot.evaluate, t, free, tolerance=1e-3) for t in starts]
        top = max(map(_height, climbs))
        # an edge that the sample does not rule out comes first: from inside, it is many steps away
        close = UNDECIDED * climbs[0].point.sums.weight / climbs[0].point.sums.rows
        likely = [c for c in climbs if family.edge(c.point.theta) and _height(c) > top - close]
        best = max(map(_height, likely or climbs))
        alike = [c for c in likely or climbs if _height(c) >= best - ALIKE * abs(best)]
        start = alike[0].point.theta  # the first, so that rounding does not decide
    climb = _climb(family, run, start, free)
    point = climb.point
    sentence = family.edge(point.theta) if free.any() else ""
    status = "boundary" if sentence else "ok" if climb.converged else "not_converged"
    message = sentence or ("" if climb.converged else climb.message)
    return Found(point.theta, point.sums, run.states[id(point.sums)], status, message, path=climb.path)


def _all_equal(passes: Passes) -> bool:
    """Whether all rows that count have one value: asked where a sample of them has."""
    first = math.nan
    for column, *w in passes.source.host_chunks():
        x = column[np.isfinite(column) & ((w[0] > 0.0) if passes.options.weighted else True)]
        if x.size:
            first = x[0] if math.isnan(first) else first
            if (x != first).any():
                return False
    return True


def _starts(family: Family, sample: Passes, free: np.ndarray, held: Vector) -> list[Vector]:
    """The starts that lie in the parameter space, with the held parameters in place."""
    columns = next(iter(sample.source.chunks()))
    x = columns[0].astype(np.float64)
    w = columns[1].astype(np.float64) if sample.options.weighted else np.ones(x.size)
    if not free.any():
        rows = held[None]
    elif x.size:
        if x.min() == x.max():  # one row says as much, and its deviation is 0, not 1e-17
            x, w = x[:1], w[:1]
        with np.errstate(all="ignore"):
            rows = np.where(free, np.atleast_2d(family.start(x, w)), held)
    else:
        return []
    return [t for t in np.unique(rows, axis=0) if not np.isnan(t).any() and family.valid(t)]


def _height(climb: Climb) -> float:
    return climb.point.llf if climb.point.good() else -math.inf


def _climb(family: Family, run: Run, start: Vector, free: np.ndarray) -> Climb:
    """To the top over the whole data, by way of other places where the family knows of them."""
    n = run.states[id(run.evaluate(start))].rows
    tolerance = min(1e-7, 1e-10 * math.sqrt(max(1, n)))
    climb = maximise(family, run.evaluate, start, free, tolerance)
    for _ in range(RESTARTS):
        other = family.elsewhere(climb.point.sums, climb.point.theta) if free.any() else None
        if other is None or np.array_equal(np.where(free, other, climb.point.theta), climb.point.theta):
            break
        before = climb.path
        climb = maximise(family, run.evaluate, np.where(free, other, climb.point.theta), free, tolerance)
        climb.path[:0] = before
    return climb
