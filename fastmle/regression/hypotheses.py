"""Tests of hypotheses about the coefficients of a regression: the likelihood ratio, and Wald's."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from .result import RegressionFit
from .solve import correlation_of, inverse


def likelihood_ratio(larger: RegressionFit, smaller: Any) -> tuple[float, float, int]:
    """See `RegressionFit.lr_test`."""
    if not isinstance(smaller, RegressionFit) or larger.model.target != smaller.model.target:
        raise FamilyError("the smaller model is a fit of a regression of the same target")
    _check_nested(larger, smaller)
    df = larger.df_model - smaller.df_model
    if df <= 0 or larger.nobs != smaller.nobs:
        raise FamilyError("the smaller model must have fewer parameters and the same rows")
    statistic = 2.0 * (larger.llf - smaller.llf)
    return statistic, float(scipy.special.chdtrc(df, max(statistic, 0.0))), df


def wald(fit: RegressionFit, names: Any) -> tuple[float, float, int]:
    """See `RegressionFit.wald_test`."""
    every, left_out = list(fit.model.names), {*fit.model.intercepts, *fit.model.reserved, *fit.fixed}
    given = [n for n in every if n not in left_out] if names is None else [names] if isinstance(names, str) else names
    chosen = list(dict.fromkeys(given))
    if not chosen:
        raise FamilyError("there is no coefficient to test")
    for name in chosen:
        if name not in every or name in fit.fixed:
            raise FamilyError(f"{name!r} is no estimated parameter of {', '.join(every[:12])}")
    at = [every.index(n) for n in chosen]
    t, (correlation, scale) = fit.theta[at], correlation_of(fit.cov[np.ix_(at, at)])
    with np.errstate(all="ignore"):
        t = t / (scale * fit.units[at])
    statistic = float(t @ inverse(correlation) @ t)
    return statistic, float(scipy.special.chdtrc(len(at), statistic)), len(at)


def _check_nested(larger: RegressionFit, smaller: RegressionFit) -> None:
    """Raise FamilyError where the difference of two log-likelihoods is no likelihood-ratio test."""
    for fit in (larger, smaller):
        if fit.weight_kind == "sampling":
            raise FamilyError("sampling weights have no likelihood to compare: use wald_test")
        if fit.model.alpha:
            raise FamilyError("a likelihood-ratio test compares maxima of the likelihood: fit without penalty")
    if larger.model.likelihood != smaller.model.likelihood:
        names = " and ".join(" of link ".join(fit.model.likelihood) for fit in (larger, smaller))
        raise FamilyError(f"the smaller model is one inside the larger, with fewer columns, not {names}")
    if (larger.weight_kind == "precision") != (smaller.weight_kind == "precision"):
        raise FamilyError("the smaller model is a fit under the same weights")
