"""Differences that cancel if they are taken literally; for the host, on floats or NumPy arrays.

Sources: DLMF 5.11 (asymptotic series of ln Γ, ψ and ψ'), DLMF 4.6.1 (series of the logarithm).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import scipy

_LARGE = 16.0
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _series(t: Any, coefficients: tuple[float, ...]) -> Any:
    total = np.zeros_like(t)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def _split(x: Any, near: Any, large: Any) -> Any:
    """near(x) where x < 16, large(x) elsewhere; a float for a float."""
    x = np.asarray(x, np.float64)
    small = x < _LARGE
    with np.errstate(all="ignore"):
        value = np.where(small, near(np.where(small, x, 1.0)), large(np.where(small, _LARGE, x)))
    return value if value.ndim else float(value)


def log_minus_digamma(x: Any) -> Any:
    """log x − ψ(x), x > 0, to full relative precision: ~ 1/(2x) for large x. DLMF 5.11.2."""
    bernoulli = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    return _split(
        x,
        lambda v: np.log(v) - scipy.special.digamma(v),
        lambda v: 0.5 / v + _series(1.0 / (v * v), bernoulli) / (v * v),
    )


def trigamma_minus_inverse(x: Any) -> Any:
    """ψ'(x) − 1/x, x > 0, to full relative precision: ~ 1/(2x²) for large x. DLMF 5.15.8."""
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    return _split(
        x,
        lambda v: scipy.special.polygamma(1, v) - 1.0 / v,
        lambda v: 0.5 / (v * v) + _series(1.0 / (v * v), bernoulli) / (v * v * v),
    )


def shape_of_gap(gap: float) -> float:
    """The root k of log k − ψ(k) = gap > 0, by Newton in log k. Start: T. Minka, Estimating a Gamma distribution (2002)."""
    k = (3.0 - gap + math.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap)
    for _ in range(50):
        step = (log_minus_digamma(k) - gap) / (k * trigamma_minus_inverse(k))
        k *= math.exp(max(-2.0, min(2.0, step)))
        if abs(step) < 1e-15:
            break
    return k


def stirling_error(x: Any) -> Any:
    """ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), x > 0: ~ 1/(12x). DLMF 5.11.1."""
    bernoulli = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
    return _split(
        x,
        lambda v: scipy.special.gammaln(v) - ((v - 0.5) * np.log(v) - v + _HALF_LOG_2PI),
        lambda v: _series(1.0 / (v * v), bernoulli) / v,
    )


def log1p_minus(x: Any) -> Any:
    """log(1 + x) − x, x > −1, to full relative precision: ~ −x²/2 near 0.

    With z = x/(2 + x): log(1 + x) = 2 artanh z, and 2z − x = −xz, so that nothing cancels.
    """
    x = np.asarray(x, np.float64)
    near = np.abs(x) < 0.25
    v = np.where(near, x, 0.0)
    z = v / (2.0 + v)
    odd = tuple(2.0 / (2 * j + 3) for j in range(10))
    with np.errstate(all="ignore"):
        value = np.where(near, z * z * z * _series(z * z, odd) - v * z, np.log1p(x) - x)
    return value if value.ndim else float(value)


def log_shortfall(rho: float) -> float:
    """log ρ − (ρ − 1) <= 0, to full relative precision near ρ = 1 and down to the smallest ρ."""
    return float(log1p_minus(rho - 1.0)) if abs(rho - 1.0) < 0.25 else math.log(rho) - (rho - 1.0)


def log_ratio_shortfall(b: Any, a: Any) -> Any:
    """log(b/a) − (b − a)/a <= 0 for a, b > 0: to full relative precision near a = b, and for b/a of any size."""
    gap = (b - a) / a
    with np.errstate(all="ignore"):
        return np.where(np.abs(gap) < 0.25, log1p_minus(gap), np.log(b / a) - gap)


def poisson_log_pmf(x: Any, rate: float) -> Any:
    """x log λ − λ − log x! for whole x >= 0, in saddle-point form, which loses no digits for large means.

    Source: C. Loader, Fast and accurate computation of binomial probabilities (2000).
    """
    if rate == 0.0:
        return np.where(x == 0.0, 0.0, -math.inf)
    v = np.where(x > 0.0, x, 1.0)
    deviance = -v * log_ratio_shortfall(rate, v)  # x log(x/λ) + λ − x
    return np.where(x > 0.0, -deviance - stirling_error(v) - 0.5 * np.log(2.0 * math.pi * v), -rate)


def binomial_log_pmf(x: Any, n: int, p: float) -> Any:
    """log C(n, x) + x log p + (n − x) log(1 − p) for whole 0 <= x <= n, in saddle-point form. Source: Loader, as above."""
    if p in (0.0, 1.0):
        return np.where(x == n * p, 0.0, -math.inf)
    inner = (x > 0.0) & (x < n)
    v = np.where(inner, x, 0.5 * n)
    rest = n - v
    deviance = -v * log_ratio_shortfall(n * p, v) - rest * log_ratio_shortfall(n * (1.0 - p), rest)
    errors = stirling_error(float(n)) - stirling_error(v) - stirling_error(rest)
    saddle = errors - deviance - 0.5 * np.log(2.0 * math.pi * v * (rest / n))
    return np.where(inner, saddle, np.where(x > 0.0, n * math.log(p), n * math.log1p(-p)))


@lru_cache(maxsize=64)  # value, score and information ask for the same ν
def half_step(nu: float) -> tuple[float, float, float]:
    """C(ν) = log Γ((ν + 1)/2) − log Γ(ν/2) − ½ log(ν/2), νC'(ν) and ν²C''(ν); all 0 at ν = ∞. DLMF 5.11."""
    if nu == math.inf:
        return 0.0, 0.0, 0.0
    x, up = 0.5 * nu, 0.5 * nu + 0.5
    value = x * log1p_minus(1.0 / nu) + stirling_error(up) - stirling_error(x)
    first = x * (log1p_minus(1.0 / nu) + log_minus_digamma(x) - log_minus_digamma(up))
    second = 0.5 / (nu + 1.0) + x * (trigamma_minus_inverse(up) - trigamma_minus_inverse(x)) * x
    return float(value), float(first), float(second)


def bessel_gap(kappa: float) -> tuple[float, float]:
    """1 − A(κ) and A'(κ) of A = I1/I0, κ > 0, where neither cancels for large κ. DLMF 10.40.1 (series of the ratio)."""
    if kappa < 1000.0:
        ratio = float(scipy.special.ive(1, kappa) / scipy.special.ive(0, kappa))
        return 1.0 - ratio, 1.0 - ratio / kappa - ratio * ratio
    terms = (1 / 2, 1 / 8, 1 / 8, 25 / 128, 13 / 32, 1073 / 1024)
    gap = sum(a / kappa ** (j + 1) for j, a in enumerate(terms))
    return gap, sum((j + 1) * a / kappa ** (j + 2) for j, a in enumerate(terms))


def truncated_rate(excess: float) -> float:
    """The root λ of λ/(1 − e^{−λ}) − 1 = excess >= 0, the mean of a Poisson without zeros less 1; DLMF 24.2.1 near 0."""

    def lack(rate: float) -> float:
        if rate > 0.1:
            return rate / -math.expm1(-rate) - 1.0 - excess
        return rate / 2.0 + rate**2 / 12.0 - rate**4 / 720.0 + rate**6 / 30240.0 - excess

    if excess <= 0.0:
        return 0.0
    return float(scipy.optimize.brentq(lack, excess, 2.0 * excess, xtol=1e-300, rtol=1e-15))


def log_beta(a: Any, b: Any) -> Any:
    """ln Γ(a) + ln Γ(b) − ln Γ(a + b), by Stirling's formula without the terms that cancel. DLMF 5.11.1."""
    low, high, total = np.minimum(a, b), np.maximum(a, b), np.asarray(a + b)
    large = low * np.log(low / total) + high * np.log1p(-low / total)
    half = 0.5 * np.log(total / low / high) + _HALF_LOG_2PI
    return large + half + stirling_error(low) + stirling_error(high) - stirling_error(total)
