"""Profile-likelihood intervals: from the sums alone where these serve at every parameter, else from a few more reads.

The end of an interval solves log L(θ) = target, ∂ log L/∂λ = 0 in all parameters λ but one: Newton's steps, a handful for
each end, and all ends of all parameters share each read. Source: D. Venzon & S. Moolgavkar, A method for computing
profile-likelihood-based confidence intervals, Applied Statistics 37 (1988). Where they do not settle, the profile itself
is bracketed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FamilyError
from .brackets import end_by_brackets
from .likelihood import Profile, profile_fall, profile_of
from .steps import End, end_by_newton, ends_in_step

if TYPE_CHECKING:
    from ..result import Fit

__all__ = ["Profile", "profile_fall", "profile_intervals", "profile_of"]


@np.errstate(all="ignore")
def profile_intervals(fit: Fit, level: float, data: Any = None, reading: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """By parameter, where twice the fall of the profile log-likelihood reaches the chi-square quantile, on both sides.

    A side on which it never does within the parameter space is the space's end. Fixed parameters: the value itself.
    """
    profile = profile_of(fit, level, data, reading or {})
    names = [p.name for p in fit.family.params]
    if list(fit.params) != names:
        raise FamilyError(f"profile intervals are for scalar parameters, not for {next(n for n in fit.params if n not in names)}")
    found: dict[str, Any] = dict.fromkeys(names, (math.nan, math.nan))
    ends: dict[tuple[int, int], End] = {}
    for j, name in enumerate(names):
        if name in fit.fixed:
            found[name] = (float(fit.theta[j]),) * 2
        elif fit.status in ("ok", "boundary") and not math.isnan(fit.theta[j]):
            ends |= {(j, side): end_by_newton(profile, j, side) for side in (-1, 1)}
    where = ends_in_step(profile, ends)
    for j, name in enumerate(names):
        if (j, 1) in ends:
            found[name] = tuple(w if (w := where[j, side]) is not None else end_by_brackets(profile, j, side) for side in (-1, 1))
    return found
