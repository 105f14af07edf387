"""Profile-likelihood intervals of coefficients: from the fit alone where it is linear, else by fits that hold one of them.

The root of the fall of twice the log-likelihood is nearly a straight line in the coefficient, so that a few secant steps
find where it reaches the quantile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import scipy

from ..errors import FamilyError
from ..request import check_level
from .linear import LinearRegression
from .result import RegressionFit

STEPS = 30
CLOSE = 1e-9  # of the quantile


def profile_intervals(fit: RegressionFit, level: float, data: Any, reading: dict[str, Any]) -> dict[str, tuple[float, float]]:
    check_level(level)
    if fit.weight_kind == "sampling":
        raise FamilyError("sampling weights have no likelihood to profile: use method='wald'")
    if fit.cov_type != "model" or fit.model.alpha:
        raise FamilyError("profile intervals are of the likelihood: fit without penalty, with cov='model'")
    quantile = math.sqrt(float(scipy.special.chdtri(1.0, 1.0 - level)))
    if isinstance(fit.model, LinearRegression):
        return {name: _linear(fit, name, quantile) for name in fit.params}
    if data is None:
        raise FamilyError(f"profile intervals of {fit.model.name} need the data at other coefficients: pass data=")
    refit = _refitter(fit, data, reading)
    return {name: _ends(fit, name, quantile, refit) for name in fit.params}


def _linear(fit: RegressionFit, name: str, quantile: float) -> tuple[float, float]:
    """n log(RSS(b)/RSS) = χ², and RSS(b) is a parabola."""
    half = fit.bse[name] * math.sqrt(fit.measures.df_resid * math.expm1(quantile**2 / fit.nobs))
    return fit.params[name] - half, fit.params[name] + half


def _refitter(fit: RegressionFit, data: Any, reading: dict[str, Any]) -> Callable[[dict[str, float]], RegressionFit]:
    """A function that fits the same model to `data` with coefficients held."""
    from ..api import fit as anew

    model = fit.model
    parts: dict[str, Any] = dict(reading)
    if fit.weight_kind is not None:
        parts.setdefault("weight_kind", fit.weight_kind)
    if model.formula is not None:
        parts["formula"] = model.formula
    elif not isinstance(data, tuple):
        parts = {"target": model.target, "features": list(model.features)} | parts
    held = {name: fit.params[name] for name in fit.fixed}
    plain = replace(model, features=(), dropped=(), levels=None)

    def refit(values: dict[str, float]) -> RegressionFit:
        found: Any = anew(plain, data, fixed=held | values, **parts)
        assert isinstance(found, RegressionFit)
        if found.nobs != fit.nobs:
            raise FamilyError(f"these are other data: {found.nobs:,.12g} observations, not {fit.nobs:,.12g}")
        return found

    return refit


def _ends(
    fit: RegressionFit, name: str, quantile: float, refit: Callable[[dict[str, float]], RegressionFit]
) -> tuple[float, float]:
    best, error = fit.params[name], fit.bse[name]
    if name in fit.fixed:
        return best, best
    if fit.status != "ok" or not error > 0.0:
        return math.nan, math.nan
    positive = name == "theta" and name in fit.model.reserved

    def root(t: float) -> float:
        """√(2 fall) at a place t: the coefficient, or the logarithm of theta."""
        found = refit({name: math.exp(t) if positive else t})
        return math.sqrt(max(0.0, 2.0 * (fit.llf - found.llf))) if found.status == "ok" else math.nan

    middle, size = (math.log(best), error / best) if positive else (best, error)
    low, high = (_end(root, middle, side * size, quantile) for side in (-1.0, 1.0))
    return (math.exp(low), math.exp(high)) if positive else (low, high)


def _end(root: Callable[[float], float], best: float, error: float, quantile: float) -> float:
    """Where the root reaches the quantile on the side of `error`; NaN where it cannot be evaluated before."""
    inner, below, outer = best, 0.0, best + quantile * error
    for _ in range(STEPS):
        at = root(outer)
        if math.isnan(at):
            outer = 0.5 * (inner + outer)
            continue
        if abs(at - quantile) <= CLOSE * quantile:
            return outer
        if at == below:
            break
        step = (quantile - at) * (outer - inner) / (at - below)
        inner, below, outer = outer, at, outer + step
        if abs(step) <= 1e-10 * abs(error):
            return outer
    return math.nan
