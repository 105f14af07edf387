"""Profile-likelihood intervals of coefficients: from the fit alone where it is linear, else by fits that hold one of them.

The root of the fall of twice the log-likelihood is nearly a straight line in the coefficient, so that a few secant steps
find where it reaches the quantile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from ..request import check_level
from .linear import LinearRegression
from .result import RegressionFit

STEPS = 30
CLOSE = 1e-9  # of the quantile
LONGEST = 4.0  # times the step before
NARROW = 1e-12  # of the first bracket
ROUNDING = 1e-10  # of the log-likelihood
LARGEST_LOG = 600.0  # of a theta that can be held
SHAPE = "theta"


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
    plain: Any = replace(model, features=(), dropped=(), levels=None)

    def refit(values: dict[str, float]) -> RegressionFit:
        held_now = held | values
        endless = math.isinf(held_now.get(SHAPE, 0.0)) and SHAPE in model.reserved
        own = {name: value for name, value in held_now.items() if not endless or name != SHAPE}
        with np.errstate(all="ignore"):  # far from the estimate a likelihood may be 0, which leaves no root
            found: Any = anew(plain.limit() if endless else plain, data, fixed=own, **parts)
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
    shape = name == SHAPE and name in fit.model.reserved
    if not _settled(fit):
        return math.nan, math.nan
    if shape:
        return _shape_ends(fit, quantile, refit)
    if not error > 0.0:
        return math.nan, math.nan

    def root(t: float) -> float:
        return _root(fit, refit({name: t}))

    return _end(root, best, -error, quantile), _end(root, best, error, quantile)


def _shape_ends(
    fit: RegressionFit, quantile: float, refit: Callable[[dict[str, float]], RegressionFit]
) -> tuple[float, float]:
    """Those of a negative binomial's theta, in its logarithm; the upper one is inf where Poisson counts are not rejected."""
    best, error = fit.params[SHAPE], fit.bse[SHAPE]

    def root(t: float) -> float:
        return _root(fit, refit({SHAPE: math.exp(t)})) if abs(t) < LARGEST_LOG else math.nan

    finite = math.isfinite(best)
    middle, size = (math.log(best), error / best) if finite and error > 0.0 else (math.log(fit.nobs), 1.0)
    endless = not finite or _root(fit, refit({SHAPE: math.inf})) <= quantile
    if not finite:
        middle = next((t for k in range(STEPS) if root(t := middle + k * math.log(4.0)) < quantile), math.nan)
    high = math.inf if endless else math.exp(_end(root, middle, size, quantile))
    return math.exp(_end(root, middle, -size, quantile, 0.0 if finite else root(middle))), high


def _settled(fit: RegressionFit) -> bool:
    """Whether the log-likelihood is a maximum: a theta without bound leaves that of Poisson counts."""
    return fit.status == "ok" or (fit.status == "boundary" and SHAPE in fit.model.reserved)


def _root(fit: RegressionFit, held: RegressionFit) -> float:
    """√(2 fall) of the log-likelihood; NaN where it is no maximum, or above that of the fit."""
    fall = 2.0 * (fit.llf - held.llf)
    if not _settled(held) or not fall >= -ROUNDING * (1.0 + abs(fit.llf)):
        return math.nan
    return math.sqrt(max(0.0, fall))


def _end(root: Callable[[float], float], best: float, error: float, quantile: float, below: float = 0.0) -> float:
    """Where the root, `below` at the estimate, reaches the quantile on the side of `error`; NaN where that is not found.

    Steps go outwards, by the secant and no more than `LONGEST` times as far as before, to a place above the quantile or short
    of one that cannot be evaluated; then the secant between the last places below and above it is cut as by Illinois.
    Source: M. Dowell & P. Jarratt, BIT 11 (1971) 168-174.
    """
    inner, outer, wall, above = best, best + quantile * error, math.nan, math.nan
    for _ in range(STEPS):
        above = root(outer)
        if math.isnan(above):
            wall, outer = outer, 0.5 * (inner + outer)
        elif abs(above - quantile) <= CLOSE * quantile:
            return outer
        elif above > quantile:
            return _between(root, (inner, below), (outer, above), quantile)
        else:
            step = outer - inner
            rise = (quantile - above) / (above - below) if above > below else LONGEST
            inner, below, outer = outer, above, outer + min(rise * 1.01, LONGEST) * step
            if not math.isnan(wall) and abs(outer - best) >= abs(wall - best):
                outer = 0.5 * (inner + wall)
        if outer == inner:
            break
    return math.nan


def _between(root: Callable[[float], float], low: tuple[float, float], high: tuple[float, float], quantile: float) -> float:
    """The place between one where the root is less than the quantile and one where it is more."""
    (a, below), (b, above) = (low[0], low[1] - quantile), (high[0], high[1] - quantile)
    for _ in range(STEPS):
        t = a - below * (b - a) / (above - below)
        at = root(t) - quantile
        if abs(at) <= CLOSE * quantile or abs(b - a) <= NARROW * abs(high[0] - low[0]):
            return t
        if math.isnan(at):
            break
        if at < 0.0:
            a, below, above = t, at, 0.5 * above
        else:
            b, above, below = t, at, 0.5 * below
    return math.nan
