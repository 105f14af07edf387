"""Tests of fit from what one pass has left: Kolmogorov-Smirnov and Anderson-Darling from bins, chi-square from counts.

Bins leave the empirical distribution open between their edges, so that a statistic is known between two bounds only; both
are given. Where parameters were estimated, √n (F_n − F) tends to a Brownian bridge less its projection on the scores
(J. Durbin, Annals of Statistics 1, 1973): p-values come from paths of that process, or from a parametric bootstrap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FamilyError
from ..request import generator_of
from ..result import Fit
from .bins import bin_tests
from .counts import count_tests
from .tests import Test, Tests

__all__ = ["Test", "Tests", "goodness_of_fit"]


@np.errstate(all="ignore")
def goodness_of_fit(fit: Fit, bootstrap: int = 0, seed: Any = 0) -> Tests:
    """The tests that suit the data; see `Fit.gof`."""
    if fit.weight_kind in ("precision", "sampling"):
        raise FamilyError(f"{fit.weight_kind} weights count no rows: there is no test of fit")
    if len(fit.columns) > 1:
        raise FamilyError(f"{fit.family.name} has several columns: there is no test of fit")
    if fit.status not in ("ok", "nonregular", "boundary") or not np.isfinite(fit.theta).all():
        raise FamilyError(f"there is no distribution to test: {fit.status}: {fit.message}")
    rng = generator_of(seed)
    return Tests(count_tests(fit, bootstrap, rng) if fit.family.discrete else bin_tests(fit, bootstrap, rng))
