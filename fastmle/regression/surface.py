"""The likelihood of a linear model at any coefficients, from the sums alone."""

from __future__ import annotations

import decimal
import math
from typing import Any

import numpy as np

from ..errors import FamilyError
from ..family import Vector
from .least_squares import gram_of
from .linear import LinearRegression, fit_linear
from .solve import DIGITS, floats


def nll_surface(model: Any, state: Any, intercepts: Any, slopes: Any, feature: str | None) -> Vector:
    """−log-likelihood/n at each (intercept, slope), sigma and the other slopes at their estimates."""
    if not isinstance(model, LinearRegression):
        raise FamilyError("nll_surface is for linear models")
    names = list(model.features)
    feature = names[0] if feature is None else feature
    if feature not in names:
        raise FamilyError(f"no feature {feature!r}; there are {', '.join(names)}")
    fit = fit_linear(model, state, {})
    with decimal.localcontext(DIGITS):
        g, center, per = gram_of(state, model.intercept)
        gram = floats(g[:-1, :-1])
    at = names.index(feature)
    a, b = np.meshgrid(np.asarray(intercepts, float), np.asarray(slopes, float), indexing="ij")
    away = np.zeros((len(names) + 1, a.size))  # from the estimate, in the coordinates of the Gram matrix
    slope = b.ravel() - fit.params[feature]
    away[0] = a.ravel() - fit.params.get("intercept", 0.0) + slope * center[at]
    away[1 + at] = slope / per[at]
    s = state.sums()
    n = float(state.rows) if state.options.weight_kind == "sampling" else float(s.n)
    rss = fit.measures.deviance + np.einsum("ij,ij->j", away, gram @ away)
    divisor = float(s.weight) if state.options.weight_kind == "sampling" else n
    nll = 0.5 * (divisor * math.log(2.0 * math.pi * fit.measures.sigma**2) + rss / fit.measures.sigma**2 - s.log_weight)
    return np.asarray((nll / n).reshape(a.shape))

