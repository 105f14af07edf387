"""An end of an interval by bracketing the profile: many evaluations, and no derivative across it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..kernels.vecmath.roots import root_between
from .likelihood import Profile


def end_by_brackets(profile: Profile, j: int, side: int) -> float:
    """Where the profile has fallen as far as it may on one side (−1 or 1) of parameter j."""
    fit, domain = profile.fit, profile.family.params[j].domain
    best, end = float(fit.theta[j]), profile.family.params[j].ends[side > 0]
    assert fit.sums is not None
    top = float(profile.family.loglik(fit.sums, fit.theta))
    if best == end:
        return end
    error = float(np.sqrt(max(fit.cov[j, j], 0.0)) * fit.units[j])
    if fit.cov[j, j] > 0.0:
        error = max(error, 5e-324)  # which may have underflowed
    if not error > 0.0:  # a boundary: the width that a likelihood of 1/n scale suggests
        error = (1.0 if domain == "unit" else max(abs(best), 1.0)) / fit.sums.weight
    inner, near, step = best, fit.theta, 2.0 * error

    def beyond(value: float) -> float:
        """How much further than it may the profile has fallen."""
        return top - profile.best(j, value, near)[0] - profile.fall

    if best == math.inf:
        return _below_infinity(beyond)
    for _ in range(200):
        outer = inner + side * step
        if side * (outer - end) >= 0.0:
            outer = (inner + end) / 2.0
            if end and abs(outer - end) <= 8.0 * math.ulp(end):  # nothing of 1 - p is left
                return end
            if outer == end:  # no float between
                return end
        height, near = profile.best(j, outer, near)
        if math.isnan(height):
            return math.nan
        if height == -math.inf:  # beyond what is possible
            end = outer
            continue
        if top - height > profile.fall:
            break
        inner, step = outer, step * 1.6
        if outer == inner and (outer == end or abs(outer - end) < 1e-300):
            return end
    else:
        return end
    xtol = max(1e-12 * abs(outer - inner), 1e-322)  # half of which is not 0
    return root_between(beyond, inner, outer, xtol)


def _below_infinity(beyond: Callable[[float], float]) -> float:
    """The lower end of the interval of a positive parameter that is largest at infinity: from 1 by powers of 2."""
    fallen = beyond(1.0) > 0.0
    for k in range(1000):
        one, other = math.ldexp(1.0, k if fallen else -k), math.ldexp(1.0, k + 1 if fallen else -k - 1)
        if (beyond(other) > 0.0) != fallen:
            return root_between(beyond, one, other, 0.0, 1e-12)
    return math.nan if fallen else 0.0
