"""Both ends of all intervals at once, by Newton's steps."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TypeAlias

import numpy as np

from ..family import Vector
from ..newton import Point, ascent, moved, working
from .likelihood import Profile

End: TypeAlias = Generator[Vector, Point, "float | None"]  # yields θ, receives the point there, returns the end or None
SETTLED = 1e-6  # of the first step: the next would be its square
FAR, FARTHEST = 20.0, 700.0  # in log θ or logit θ: where slopes are looked at, and where float64 ends
MOST = 40


def ends_in_step(profile: Profile, ends: dict[tuple[int, int], End]) -> dict[tuple[int, int], float | None]:
    """Runs the searches side by side, so that each read serves all of them."""
    found: dict[tuple[int, int], float | None] = {}
    asked: dict[tuple[int, int], Vector] = {}

    def advance(key: tuple[int, int], point: Point | None) -> None:
        try:
            asked[key] = next(ends[key]) if point is None else ends[key].send(point)
        except StopIteration as stop:
            found[key] = stop.value

    for key in ends:
        advance(key, None)
    while asked:
        keys, thetas = list(asked), list(asked.values())
        asked.clear()
        for key, theta, s in zip(keys, thetas, profile.at(thetas), strict=True):
            advance(key, Point.of(profile.family, s, theta))
    return found


def end_by_newton(profile: Profile, j: int, side: int) -> End:
    """One end of one interval."""
    family, fit = profile.family, profile.fit
    free = profile.free()
    rest = np.flatnonzero(free) != j
    at = int(np.flatnonzero(~rest)[0])
    assert fit.sums is not None
    point = Point.of(family, fit.sums, fit.theta)
    target, first, travelled = point.llf - profile.fall, math.nan, 0.0
    if fit.status != "ok" or profile.bound or not point.good(free):
        return None
    for _ in range(MOST):
        g, information = working(family, point)
        flat = abs(travelled) > FAR and abs(float(g[j])) * FARTHEST < point.llf - target  # never falls so far
        if family.params[j].domain != "real" and (flat or abs(travelled) > FARTHEST):
            return family.params[j].ends[side > 0]
        found = _step(g[free], information[np.ix_(free, free)], at, rest, point.llf - target, side)
        if found is None:
            return None
        step = np.zeros_like(g)
        step[free] = found
        size = float(np.abs(step[j]))
        step *= min(1.0, (2.0 * first if first > 0.0 else math.inf) / max(float(np.abs(step).max()), 1e-300))
        first = first if first > 0.0 else size
        units, theta = family.units(point.theta), point.theta
        for _ in range(30):
            theta = moved(family, point.theta, units, step)
            if float(np.abs(step).max()) <= SETTLED * first:
                return float(theta[j])
            if family.valid(theta):
                new = yield theta
                if new.good(free):
                    break
            step *= 0.25
        else:
            return None
        point, travelled = new, travelled + float(step[j])
    return None


def _step(g: Vector, information: Vector, at: int, rest: np.ndarray, above: float, side: int) -> Vector | None:
    """To where the parabola through here, along its ridge in the other parameters, meets the target on this side.

    On the ridge the others move by H⁻¹(g − h δ) and log L is l + ½ gᵀH⁻¹g + b δ − ½ D δ².
    """
    h, curve = information[rest, at], information[np.ix_(rest, rest)]
    toward = ascent(g[rest], curve) if rest.any() else g[rest]
    along = ascent(h, curve) if rest.any() else h
    curvature, slope = float(information[at, at] - h @ along), float(g[at] - h @ toward)
    above += 0.5 * float(g[rest] @ toward)
    if not curvature > 0.0:
        if not slope * side < 0.0:
            return None
        move = -above / slope
    else:
        move = (slope + side * math.sqrt(max(0.0, slope**2 + 2.0 * curvature * above))) / curvature
    step = np.empty_like(g)
    step[at], step[rest] = move, toward - along * move
    return step if np.isfinite(step).all() else None
