"""An end of an interval by bracketing the profile: many evaluations, and no derivative across it."""

from __future__ import annotations

import math

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
    for _ in range(200):
        outer = inner + side * step
        if side * (outer - end) >= 0.0:
            outer = (inner + end) / 2.0
            if end and abs(outer - end) <= 8.0 * math.ulp(end):  # nothing of 1 - p is left
                return end
            if outer == end:  # no float between
                return end
        height, near = profile.best(j, outer, near)
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
    return root_between(lambda v: top - profile.best(j, v, near)[0] - profile.fall, inner, outer, xtol)
