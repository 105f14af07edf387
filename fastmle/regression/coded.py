"""The linear model with categoricals of many levels: one pass about a sample's estimate, of which the step is exact.

Least squares as the generalized linear model with identity link, so that all sums, tests and sandwiches are those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from ..errors import FamilyError
from ..family import Sums, row_function
from .design import Roles
from .fitting import fit_glm
from .glm import GeneralizedLinear, logs
from .responses import LARGEST
from .result import RegressionFit

ALMOST = 1e-24  # residual sum of squares over that of the target: below, the fit has no error


@row_function
def normal(eta: float, y: float, m: float, q: float) -> Any:
    away = y - eta
    return 0.5 * away * away, away, 1.0, away * away, 0.0, 0.0


@row_function
def normal_constants(y: float, m: float, q: float) -> Any:
    """About q, so that the squares about the mean do not cancel."""
    return y - q, 0.0, 0.0, (y - q) * (y - q)


@row_function
def finite(y: float, m: float) -> bool:
    return abs(y) <= LARGEST


@dataclass(frozen=True)
class Normal(GeneralizedLinear):
    """Targets with one variance."""

    name: ClassVar[str] = "linear"
    known_links: ClassVar[tuple[str, ...]] = ("identity",)
    canonical: ClassVar[str] = "identity"
    response = staticmethod(normal)
    special: ClassVar[dict[str, Any]] = {"identity": normal}
    constants_of = staticmethod(normal_constants)
    support = staticmethod(finite)
    where: ClassVar[str] = "every finite number"
    dispersed: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    precision_weights: ClassVar[bool] = True

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        variance = 2.0 * s.loss / n
        return (-0.5 * n * (math.log(2.0 * math.pi * variance) + 1.0) + logs(s, n) if variance > 0.0 else math.nan), variance

    def null_loss(self, s: Sums) -> float:
        return 0.5 * float(s.d - s.a**2 / s.weight if self.intercept else s.d + s.shape * (2.0 * s.a + s.shape * s.weight))


def fit_coded(model: Any, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
    """The fit of a linear or ridge model whose formula has blocks."""
    from .linear import measures_of

    if roles.cov in ("HC2", "HC3"):
        raise FamilyError(f"{roles.cov} is not offered with categoricals of many levels: use HC1")
    if model.precision is not None:
        raise FamilyError("sums in double-double are not for categoricals of many levels")
    shared = {name: getattr(model, name) for name in ("intercept", "alpha", "rank_deficient")}
    fit = fit_glm(Normal(**shared), data, roles, fixed)
    found, s = fit.model, fit.measures
    own = {name: getattr(found, name) for name in ("features", "target", "intercept", "dropped", "formula", "levels")}
    fit.family = replace(model, **own)
    rank = round(fit.nobs - s.df_resid)
    free = np.array([found.intercept and "intercept" not in fixed])
    least: Any = SimpleNamespace(rss=s.deviance, tss=s.null_deviance, rank=rank, free=free)
    divisor = s.deviance / s.dispersion_ml if s.dispersion_ml > 0.0 else fit.nobs
    fit.measures, llf = measures_of(least, fit.nobs, divisor, found.intercept)
    fit.measures.df_inference = s.df_inference
    if fit.weight_kind == "precision":
        fit.measures.llf_null += fit.llf - llf  # ½ Σ log w
    if not s.deviance > ALMOST * s.null_deviance:
        fit.degenerate(True)
    return fit
