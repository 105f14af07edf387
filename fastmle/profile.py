"""Profile-likelihood intervals, from the sums alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from .errors import FamilyError
from .family import Vector
from .newton import maximise

if TYPE_CHECKING:
    from .result import Fit


def profile_interval(fit: Fit, name: str, level: float) -> tuple[float, float]:
    """Where twice the fall of the profile log-likelihood reaches the chi-square quantile, on both sides.

    A side on which it never does within the parameter space is the space's end. Fixed parameters: the value itself.
    """
    family, s = fit.family, fit.sums
    if s is None or not family.one_pass:
        raise FamilyError(
            f"profile intervals of {family.name} need the data at other parameters: use method='wald'"
        )
    if fit.weight_kind == "sampling":
        raise FamilyError("sampling weights have no likelihood to profile: use method='wald'")
    names = [p.name for p in family.params]
    if name not in names:
        raise FamilyError(f"profile intervals are for scalar parameters, not for {name}")
    j = names.index(name)
    best = float(fit.theta[j])
    if name in fit.fixed:
        return best, best
    if fit.status not in ("ok", "boundary") or not math.isfinite(best):
        return math.nan, math.nan
    domain = family.params[j].domain
    ends = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "unit": (0.0, 1.0)}[domain]
    fall = float(scipy.special.chdtri(1.0, 1.0 - level)) / 2.0
    top = float(family.loglik(s, fit.theta))
    error = float(np.sqrt(max(fit.cov[j, j], 0.0)) * fit.units[j])
    if not error > 0.0:  # a boundary: the width that a likelihood of 1/n scale suggests
        error = 1.0 / s.weight if domain == "unit" else max(abs(best), 1.0) / s.weight

    def excess(value: float, near: Vector) -> tuple[float, Vector]:
        height, theta = _profile(fit, j, value, near)
        return top - height - fall, theta

    return _side(excess, fit.theta, best, error, ends[0], -1), _side(
        excess, fit.theta, best, error, ends[1], 1
    )


def _profile(fit: Fit, j: int, value: float, near: Vector) -> tuple[float, Vector]:
    """The largest log-likelihood with parameter j at this value, and where it is; the search begins near a θ."""
    family, s, theta = fit.family, fit.sums, near.copy()
    assert s is not None
    theta[j] = value
    free = np.array([p.name not in fit.fixed and i != j for i, p in enumerate(family.params)])
    if free.any():
        theta = maximise(family, lambda _: s, theta, free, tolerance=1e-9).point.theta
    return float(family.loglik(s, theta)), theta


def profile_fall(fit: Fit, name: str, values: Vector) -> list[float]:
    """How far the profile log-likelihood lies below its maximum at each value, from the estimate outwards."""
    j = [p.name for p in fit.family.params].index(name)
    assert fit.sums is not None
    top, found = float(fit.family.loglik(fit.sums, fit.theta)), [0.0] * len(values)
    best = fit.theta[j]
    for side in (values >= best, values < best):
        near = fit.theta
        for i in sorted(np.flatnonzero(side).tolist(), key=lambda i: abs(values[i] - best)):
            height, near = _profile(fit, j, float(values[i]), near)
            found[i] = top - height
    return found


def _side(excess: Any, theta: Vector, best: float, error: float, end: float, sign: int) -> float:
    if best == end:
        return end
    inner, near, step = best, theta, 2.0 * error
    for _ in range(200):
        outer = inner + sign * step
        if sign * (outer - end) >= 0.0:
            outer = (inner + end) / 2.0
        height, near = excess(outer, near)
        if height > 0.0:
            break
        inner, step = outer, step * 1.6
        if outer == inner and (outer == end or abs(outer - end) < 1e-300):
            return end
    else:
        return end
    root: float = scipy.optimize.brentq(
        lambda v: excess(v, near)[0], inner, outer, xtol=1e-12 * abs(outer), rtol=1e-12
    )
    return root
