"""The generalized linear models by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..family import Sums, Vector
from ..kernels.vecmath.gaps import shape_of_gap, stirling_error
from . import responses as r
from .gamma_shape import weighted_gamma
from .glm import GeneralizedLinear, logs, xlogy


@dataclass(frozen=True)
class LogisticRegression(GeneralizedLinear):
    """Binary targets (0 or 1), or proportions with `trials=`: P = g⁻¹(Xβ)."""

    name: ClassVar[str] = "logistic"
    discrete: ClassVar[bool] = True
    known_links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog", "cauchit", "log", "identity")
    canonical: ClassVar[str] = "logit"
    response = staticmethod(r.binomial)
    special: ClassVar[dict[str, Callable[..., Any]]] = {
        "logit": r.bernoulli_logit,
        "probit": r.bernoulli_probit,
        "cloglog": r.bernoulli_cloglog,
        "cauchit": r.bernoulli_cauchit,
    }
    where: ClassVar[str] = "0 or 1; with trials=, proportions from 0 to 1"
    takes_trials: ClassVar[bool] = True

    def functions(self, trials: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
        return (r.proportion, r.binomial_constants) if trials else (r.zero_or_one, r.no_constants)

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        return s.a - s.loss, 1.0

    def null_loss(self, s: Sums) -> float:
        p = self.first_mean(s)
        return -xlogy(s.hits, p) - xlogy(s.trials - s.hits, 1.0 - p)

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        return mu * (1.0 - mu)

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        return 2.0 * (scipy.special.rel_entr(y, mu) + scipy.special.rel_entr(1.0 - y, 1.0 - mu))


@dataclass(frozen=True)
class ProbitRegression(LogisticRegression):
    """Binary targets with the probit link."""

    distribution: ClassVar[str] = "logistic"

    link: str | None = "probit"
    name: ClassVar[str] = "probit"


@dataclass(frozen=True)
class CloglogRegression(LogisticRegression):
    """Binary targets with the complementary log-log link."""

    distribution: ClassVar[str] = "logistic"

    link: str | None = "cloglog"
    name: ClassVar[str] = "cloglog"


@dataclass(frozen=True)
class PoissonRegression(GeneralizedLinear):
    """Counts whose variance is their mean."""

    name: ClassVar[str] = "poisson_regression"
    discrete: ClassVar[bool] = True
    known_links: ClassVar[tuple[str, ...]] = ("log", "identity", "sqrt")
    canonical: ClassVar[str] = "log"
    response = staticmethod(r.poisson)
    special: ClassVar[dict[str, Callable[..., Any]]] = {"log": r.poisson_log}
    constants_of = staticmethod(r.poisson_constants)
    support = staticmethod(r.count)
    where: ClassVar[str] = "y >= 0"

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        return s.a - s.loss, 1.0

    def null_loss(self, s: Sums) -> float:
        return s.hits - xlogy(s.hits, self.first_mean(s))

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        return mu

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        return 2.0 * (scipy.special.xlogy(y, y / mu) - (y - mu))


@dataclass(frozen=True)
class NegativeBinomialRegression(GeneralizedLinear):
    """Counts with variance μ + μ²/θ; θ is estimated, the last parameter, "theta"."""

    name: ClassVar[str] = "negative_binomial_regression"
    discrete: ClassVar[bool] = True
    known_links: ClassVar[tuple[str, ...]] = ("log", "identity", "sqrt")
    response = staticmethod(r.negative_binomial)
    constants_of = staticmethod(r.negative_binomial_constants)
    support = staticmethod(r.count)
    where: ClassVar[str] = "y >= 0"
    shaped: ClassVar[bool] = True
    reserved: ClassVar[tuple[str, ...]] = ("intercept", "theta")

    @property
    def names(self) -> tuple[str, ...]:
        kept = tuple(f for f in self.features if f not in self.dropped)
        return (("intercept",) if self.intercept else ()) + kept + ("theta",)

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        return s.a - s.loss, 1.0

    def null_loss(self, s: Sums) -> float:
        mu, q = self.first_mean(s), s.shape
        return (s.hits + q * s.weight) * math.log1p(mu / q) - xlogy(s.hits, mu / q)

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        """2 [y log(y/μ) − (y + θ) log((θ + y)/(θ + μ))], at θ = ∞ Poisson's."""
        gap = (y - mu) / (shape + mu)
        with np.errstate(all="ignore"):
            near = scipy.special.xlogy(y, y / mu) - (y - mu) * np.where(gap == 0.0, 1.0, (1.0 + gap) * np.log1p(gap) / gap)
            apart = scipy.special.xlog1py(y, shape / (shape + y) * (y - mu) / mu) - shape * (np.log1p(y / shape) - np.log1p(mu / shape))
        return np.asarray(2.0 * np.where(np.abs(gap) < 0.5, near, apart))

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        return np.asarray(mu + mu * mu / shape)

    def limit(self) -> GeneralizedLinear:
        return PoissonRegression(intercept=self.intercept, alpha=self.alpha, rank_deficient=self.rank_deficient, link=self.link)


@dataclass(frozen=True)
class GammaRegression(GeneralizedLinear):
    """Positive targets with a constant coefficient of variation."""

    name: ClassVar[str] = "gamma_regression"
    known_links: ClassVar[tuple[str, ...]] = ("log", "inverse", "identity")
    canonical: ClassVar[str] = "inverse"
    response = staticmethod(r.gamma)
    constants_of = staticmethod(r.gamma_constants)
    support = staticmethod(r.above_zero)
    where: ClassVar[str] = "y > 0"
    dispersed: ClassVar[bool] = True
    precision_weights: ClassVar[bool] = True
    shape_by_rows: ClassVar[Any] = staticmethod(weighted_gamma)

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        """The shape ν = 1/φ solves log ν − ψ(ν) = D/2n."""
        half = (s.loss - s.b) / s.weight
        if not half > 0.0:
            return math.nan, math.nan
        nu = shape_of_gap(half)
        inner = 0.5 * math.log(nu / (2.0 * math.pi)) - stirling_error(nu)
        return s.weight * (inner - nu * half) - s.c, 1.0 / nu

    def null_loss(self, s: Sums) -> float:
        return s.weight * (1.0 + math.log(self.first_mean(s)))

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        return np.square(mu)

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        return 2.0 * ((y - mu) / mu - np.log(y / mu))


@dataclass(frozen=True)
class InverseGaussianRegression(GeneralizedLinear):
    """Positive targets with variance φ μ³."""

    name: ClassVar[str] = "inverse_gaussian_regression"
    known_links: ClassVar[tuple[str, ...]] = ("log", "inverse_squared", "inverse", "identity")
    canonical: ClassVar[str] = "inverse_squared"
    response = staticmethod(r.inverse_gaussian)
    constants_of = staticmethod(r.inverse_gaussian_constants)
    support = staticmethod(r.above_zero)
    where: ClassVar[str] = "y > 0"
    dispersed: ClassVar[bool] = True
    precision_weights: ClassVar[bool] = True

    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        """λ = 1/φ = n/D."""
        if not s.loss > 0.0:
            return math.nan, math.nan
        phi = 2.0 * s.loss / n
        return -0.5 * n * (math.log(2.0 * math.pi * phi) + 1.0) - 1.5 * s.c + logs(s, n), phi

    def null_loss(self, s: Sums) -> float:
        return 0.5 * s.d - 0.5 * s.weight / self.first_mean(s)

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        return np.asarray(mu**3)

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        return np.square(y - mu) / (np.square(mu) * y)
