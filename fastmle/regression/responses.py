"""Distributions of the target: what one row adds given its mean, with no dispersion; see kernels/glm.py for the tuples.

Source: P. McCullagh & J. A. Nelder, Generalized Linear Models (1989), tables 2.1, 8.1; negative binomial: J. M. Hilbe (2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from ..family import row_function
from ..kernels.vecmath import digamma, exp, expm1, lgamma, log, log1p, log_ndtr, logistic, softplus, trigamma

LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
LARGEST = 1.7976931348623157e308


# -- binomial: y a proportion of m ----------------------------------------------------------------------------------


@row_function
def proportion(y: float, m: float) -> bool:
    return (y >= 0.0) & (y <= 1.0) & (m >= 0.0) & (m <= LARGEST)


@row_function
def zero_or_one(y: float, m: float) -> bool:
    return (y == 0.0) | (y == 1.0)


@row_function
def binomial_constants(y: float, m: float, q: float) -> Any:
    hits, misses = m * y, m * (1.0 - y)
    ways = lgamma(m + 1.0) - lgamma(hits + 1.0) - lgamma(misses + 1.0)
    saturated = -(hits * log(y) if y > 0.0 else 0.0) - (misses * log1p(-y) if y < 1.0 else 0.0)
    return ways, saturated, 0.0, 0.0


@row_function
def no_constants(y: float, m: float, q: float) -> Any:
    return 0.0, 0.0, 0.0, 0.0


@row_function
def from_tails(y: float, m: float, log_p: float, log_q: float, slope_p: float, slope_q: float) -> Any:
    """From log p, log(1 − p) and their slopes dp/dη/p, dp/dη/(1 − p): nothing overflows in the tails."""
    p, n = exp(log_p), exp(log_q)
    loss = -m * (y * log_p + (1.0 - y) * log_q)
    away = y * n - (1.0 - y) * p
    return loss, m * (y * slope_p - (1.0 - y) * slope_q), m * slope_p * slope_q, m * (away / p) * (away / n), 0.0, 0.0


@row_function
def bernoulli_logit(eta: float, y: float, m: float, q: float) -> Any:
    mu = logistic(eta)
    spread = mu * (1.0 - mu)
    away = y - mu
    return m * (softplus(eta) - y * eta), m * away, m * spread, m * (away * away) / spread, 0.0, 0.0


@row_function
def bernoulli_probit(eta: float, y: float, m: float, q: float) -> Any:
    log_p, log_q = log_ndtr(eta), log_ndtr(-eta)
    log_density = -0.5 * eta * eta - LOG_ROOT_2PI
    return from_tails(y, m, log_p, log_q, exp(log_density - log_p), exp(log_density - log_q))


@row_function
def bernoulli_cloglog(eta: float, y: float, m: float, q: float) -> Any:
    h = exp(eta)
    p = -expm1(-h)
    return from_tails(y, m, log(p), -h, h * exp(-h) / p, h)


@row_function
def bernoulli_cauchit(eta: float, y: float, m: float, q: float) -> Any:
    far = math.atan(1.0 / eta) / math.pi if abs(eta) > 1.0 else 0.0
    p = (-far if eta < -1.0 else 1.0 - far) if abs(eta) > 1.0 else 0.5 + math.atan(eta) / math.pi
    n = (1.0 + far if eta < -1.0 else far) if abs(eta) > 1.0 else 0.5 - math.atan(eta) / math.pi
    slope = 1.0 / (math.pi * (1.0 + eta * eta))
    return from_tails(y, m, log(p), log(n), slope / p, slope / n)


@row_function
def binomial(mu: float, slope: float, y: float, m: float, q: float) -> Any:
    return from_tails(y, m, log(mu), log1p(-mu), slope / mu, slope / (1.0 - mu))


# -- counts -----------------------------------------------------------------------------------------------------------


@row_function
def count(y: float, m: float) -> bool:
    return (y >= 0.0) & (y <= LARGEST)


@row_function
def poisson_log(eta: float, y: float, m: float, q: float) -> Any:
    mu = exp(eta)
    return mu - y * eta, y - mu, mu, (y - mu) * (y - mu) / mu, 0.0, 0.0


@row_function
def poisson(mu: float, slope: float, y: float, m: float, q: float) -> Any:
    loss = mu - (y * log(mu) if y > 0.0 else 0.0)
    return loss if mu > 0.0 else math.nan, (y - mu) * slope / mu, slope * slope / mu, (y - mu) * (y - mu) / mu, 0.0, 0.0


@row_function
def poisson_constants(y: float, m: float, q: float) -> Any:
    return -lgamma(y + 1.0), y - (y * log(y) if y > 0.0 else 0.0), 0.0, 0.0


@row_function
def negative_binomial(mu: float, slope: float, y: float, m: float, q: float) -> Any:
    t = mu / q
    spread = mu * (1.0 + t)
    total = mu + q
    u = digamma(y + q) - digamma(q) - log1p(t) + (mu - y) / total
    v = trigamma(q) - trigamma(y + q) - mu / (q * total) + (mu - y) / (total * total)
    loss = (y + q) * log1p(t) - (y * log(t) if y > 0.0 else 0.0)
    away = y - mu
    return loss if mu > 0.0 else math.nan, away * slope / spread, slope * slope / spread, away * away / spread, u, v


@row_function
def negative_binomial_constants(y: float, m: float, q: float) -> Any:
    t = y / q
    saturated = (y + q) * log1p(t) - (y * log(t) if y > 0.0 else 0.0)
    return lgamma(y + q) - lgamma(q) - lgamma(y + 1.0), saturated, 0.0, 0.0


# -- positive ---------------------------------------------------------------------------------------------------------


@row_function
def above_zero(y: float, m: float) -> bool:
    return (y > 0.0) & (y <= LARGEST)


@row_function
def gamma(mu: float, slope: float, y: float, m: float, q: float) -> Any:
    ratio, bend = y / mu, slope / mu
    away = ratio - 1.0
    return ratio + log(mu), away * bend, bend * bend, away * away, 0.0, 0.0


@row_function
def gamma_constants(y: float, m: float, q: float) -> Any:
    return 0.0, 1.0 + log(y), log(y), 0.0


@row_function
def inverse_gaussian(mu: float, slope: float, y: float, m: float, q: float) -> Any:
    cube = mu * mu * mu
    away = y - mu
    loss = 0.5 * away * away / (mu * mu * y)
    return loss if mu > 0.0 else math.nan, away * slope / cube, slope * slope / cube, away * away / cube, 0.0, 0.0


@row_function
def inverse_gaussian_constants(y: float, m: float, q: float) -> Any:
    return 0.0, 0.0, log(y), 1.0 / y


@cache
def composed(response: Callable[..., Any], link: Callable[..., Any]) -> Callable[..., Any]:
    """The row function of a response under a link."""

    @row_function
    def row(eta: float, y: float, m: float, q: float) -> Any:
        mu, slope = link(eta)
        return response(mu, slope, y, m, q)

    return row
