"""What a page needs of a fit, family by family: parameters with their ranges, sums, a picture of the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import FamilyError
from ..families.bernoulli import Bernoulli
from ..families.exponential import Exponential
from ..families.gamma import Gamma
from ..families.gaussian import Gaussian
from ..families.poisson import Poisson
from ..family import center_mean
from ..regression.kinds import LogisticRegression
from ..regression.linear import LinearRegression
from ..result import Fit
from . import pictures
from .regressions import linear, logistic

WIDE = 0.2, 2.6  # a positive parameter over its estimate
NEAR = 5.0  # standard errors


def parameter(fit: Fit, j: int, wide: tuple[float, float] | None = None) -> dict[str, Any]:
    """A slider: name, estimate and error, and its two ranges."""
    param, best = fit.family.params[j], float(fit.theta[j])
    error = float(np.sqrt(np.diag(fit.cov))[j] * fit.units[j])
    ends = param.ends
    if wide is None:
        wide = (0.005, 0.995) if param.domain == "unit" else (WIDE[0] * best, WIDE[1] * best)
    low = best - NEAR * error if best - NEAR * error > ends[0] else (best + (ends[0])) / 2.0
    high = best + NEAR * error if best + NEAR * error < ends[1] else (best + ends[1]) / 2.0
    return {"name": param.name, "domain": param.domain, "best": best, "error": error, "wide": wide, "near": (low, high)}


def page(fit: Fit, kind: str, sums: dict[str, float], picture: Any, wide: Any = None) -> dict[str, Any]:
    """The page of a distribution."""
    if fit.sums is None or fit.fixed:
        why = f"{', '.join(fit.fixed)} is held" if fit.fixed else "it holds no sums"
        raise FamilyError(f"this fit cannot be explored: {why}")
    s = fit.sums
    try:
        divergence = fit.kl_from_data()
    except FamilyError:
        divergence = None
    shift = -0.5 * s.log_weight / fit.nobs if fit.weight_kind == "precision" else 0.0
    column = fit.columns[0]
    return {
        "kind": kind,
        "title": column,
        "what": f"{fit.family.name} distribution",
        "x": column,
        "n": fit.nobs,
        "params": [parameter(fit, j, (wide or {}).get(j)) for j in range(len(fit.theta))],
        "cov": fit.cov_params(),
        "sums": sums | {"factor": s.n / fit.nobs, "shift": shift, "nll": fit.nll},
        "picture": picture,
        "beside": None
        if divergence is None or not math.isfinite(divergence)
        else {"offset": float(divergence) - fit.nll, "exact": divergence.method.startswith("exact"), "method": divergence.method},
    }


def gaussian(fit: Fit, _: str | None) -> dict[str, Any]:
    mu, sigma = fit.theta
    sums = {"mean": mu, "variance": sigma * sigma, "ratio": fit.sums.weight / fit.sums.n if fit.sums else 1.0}
    wide = {0: (mu - 2.5 * sigma, mu + 2.5 * sigma)}
    return page(fit, "gaussian", sums, pictures.histogram(fit.bins), wide)


def exponential(fit: Fit, _: str | None) -> dict[str, Any]:
    return page(fit, "exponential", {"mean": 1.0 / fit.theta[0]}, pictures.histogram(fit.bins))


def gamma(fit: Fit, _: str | None) -> dict[str, Any]:
    s = fit.sums
    sums = {} if s is None else {"c": s.c, "u": s.u / s.weight, "log": s.log / s.weight, "mean": center_mean(s)}
    return page(fit, "gamma", sums, pictures.histogram(fit.bins))


def poisson(fit: Fit, _: str | None) -> dict[str, Any]:
    table = None if fit.sums is None else pictures.counted(fit.sums.values, fit.sums.weights)
    return page(fit, "poisson", {"mean": float(fit.theta[0])}, table)


def bernoulli(fit: Fit, _: str | None) -> dict[str, Any]:
    p = float(fit.theta[0])
    table = {"start": -0.5, "width": 1.0, "heights": [1.0 - p, p], "outside": 0.0, "counted": True, "names": ["0 · tails", "1 · heads"]}
    return page(fit, "bernoulli", {"mean": p}, table)


PAGES: dict[type[Any], Callable[[Any, str | None], dict[str, Any]]] = {
    LinearRegression: linear,
    LogisticRegression: logistic,
    Gaussian: gaussian,
    Bernoulli: bernoulli,
    Poisson: poisson,
    Exponential: exponential,
    Gamma: gamma,
}
