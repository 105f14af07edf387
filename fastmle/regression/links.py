"""Link functions: η = g(μ). For kernels `at(eta) -> (μ, dμ/dη)`; for the host, forward, inverse and its slope on arrays.

Source: P. McCullagh & J. A. Nelder, Generalized Linear Models (1989), ch. 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy

from ..family import row_function
from ..kernels.vecmath import exp, log_ndtr, logistic, sqrt

ROOT_2PI = math.sqrt(2.0 * math.pi)
TINY = 1e-300


class Link(NamedTuple):
    at: Callable[..., Any]
    forward: Callable[..., Any]
    inverse: Callable[..., Any]
    slope: Callable[..., Any]
    turn: float | None = None  # the mean at η = 0, where it is not monotone there


@row_function
def identity(eta: float) -> Any:
    return eta, 1.0


@row_function
def log_link(eta: float) -> Any:
    mu = exp(eta)
    return mu, mu


@row_function
def logit(eta: float) -> Any:
    mu = logistic(eta)
    return mu, mu * logistic(-eta)


@row_function
def probit(eta: float) -> Any:
    return exp(log_ndtr(eta)), exp(-0.5 * eta * eta) / ROOT_2PI


@row_function
def cloglog(eta: float) -> Any:
    h = exp(eta)
    return 1.0 - exp(-h), h * exp(-h)


@row_function
def cauchit(eta: float) -> Any:
    return 0.5 + math.atan(eta) / math.pi, 1.0 / (math.pi * (1.0 + eta * eta))


@row_function
def inverse(eta: float) -> Any:
    mu = 1.0 / eta
    return mu, -mu * mu


@row_function
def inverse_squared(eta: float) -> Any:
    mu = 1.0 / sqrt(eta)
    return mu, -0.5 * mu / eta


@row_function
def square_root(eta: float) -> Any:
    return eta * eta, 2.0 * eta


def _cauchit(eta: Any) -> Any:
    return np.where(eta < -1.0, -np.arctan(1.0 / np.minimum(eta, -1.0)) / np.pi, 0.5 + np.arctan(eta) / np.pi)


LINKS: dict[str, Link] = {
    "identity": Link(identity, lambda m: m, lambda e: e, np.ones_like),
    "log": Link(log_link, np.log, np.exp, np.exp),
    "logit": Link(logit, scipy.special.logit, scipy.special.expit, lambda e: scipy.special.expit(e) * scipy.special.expit(-e)),
    "probit": Link(probit, scipy.special.ndtri, scipy.special.ndtr, lambda e: np.exp(-0.5 * e * e) / ROOT_2PI),
    "cloglog": Link(
        cloglog, lambda m: np.log(-np.log1p(-m)), lambda e: -np.expm1(-np.exp(e)), lambda e: np.exp(e - np.exp(e))
    ),
    "cauchit": Link(
        cauchit, lambda m: np.tan(np.pi * (m - 0.5)), _cauchit, lambda e: 1.0 / (np.pi * (1.0 + e * e))
    ),
    "inverse": Link(inverse, lambda m: 1.0 / m, lambda e: 1.0 / e, lambda e: -1.0 / (e * e), math.inf),
    "inverse_squared": Link(inverse_squared, lambda m: 1.0 / m**2, lambda e: e**-0.5, lambda e: -0.5 * e**-1.5, math.inf),
    "sqrt": Link(square_root, np.sqrt, np.square, lambda e: 2.0 * e, 0.0),
}  # fmt: skip


def image(link: Link, low: Any, high: Any) -> tuple[Any, Any]:
    """The least and the largest mean that the predictors from `low` to `high` have.

    Across η = 0, μ = η² falls to 0; μ = 1/η and 1/√η, which are means where η > 0, have no upper bound.
    """
    with np.errstate(all="ignore"):
        left, right = link.inverse(low), link.inverse(high)
    least, largest = np.minimum(left, right), np.maximum(left, right)
    across = (low <= 0.0) & (high >= 0.0)
    if link.turn == 0.0:
        return np.where(across, 0.0, least), largest
    if link.turn == math.inf:
        return np.where(across, right, least), np.where(across, math.inf, largest)
    return least, largest
