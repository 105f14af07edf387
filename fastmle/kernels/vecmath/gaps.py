"""Differences that cancel if they are taken literally; for the host, on floats or NumPy arrays.

Sources: DLMF 5.11 (asymptotic series of ln Γ, ψ and ψ'), DLMF 4.6.1 (series of the logarithm).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import scipy

from .roots import root_between

_LARGE = 16.0
_HUGE = 1e308  # of whose logarithm infinity takes nothing
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _series(t: Any, coefficients: tuple[float, ...]) -> Any:
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * t + c
    return total


def _from_above(x: Any, fall: Any, large: Any) -> Any:
    """f(x) = fall(x) + fall(x + 1) + ... + f(x + m) of a positive f, which is large(x) from 16 on: nothing cancels."""
    if isinstance(x, float) and x > 0.0:
        x, total = float(x), 0.0
        while x < _LARGE:
            total += fall(x)
            x += 1.0
        return total + large(x)
    at = np.array(x, np.float64)
    with np.errstate(all="ignore"):
        total = np.zeros_like(at)
        while (low := at < _LARGE).any():
            total[low] += fall(at[low])
            at[low] += 1.0
        total += large(at)
    return total if total.ndim else float(total)


def log_minus_digamma(x: Any) -> Any:
    """log x − ψ(x), x > 0, to full relative precision: ~ 1/(2x) for large x. DLMF 5.5.2, 5.11.2."""
    bernoulli = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    return _from_above(
        x, lambda v: -log1p_minus(1.0 / v), lambda v: 0.5 / v + _series(1.0 / (v * v), bernoulli) / (v * v)
    )


def trigamma_minus_inverse(x: Any) -> Any:
    """ψ'(x) − 1/x, x > 0, to full relative precision: ~ 1/(2x²) for large x. DLMF 5.15.5, 5.15.8."""
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    return _from_above(
        x,
        lambda v: 1.0 / v / v / (v + 1.0),
        lambda v: 0.5 / (v * v) + _series(1.0 / (v * v), bernoulli) / (v * v * v),
    )


def shape_of_gap(gap: float) -> float:
    """The root k of log k − ψ(k) = gap > 0, by Newton in log k. Start: T. Minka, Estimating a Gamma distribution (2002)."""
    root = math.hypot(gap - 3.0, math.sqrt(24.0 * gap))
    k = (3.0 - gap + root) / (12.0 * gap) if gap < 3.0 else 2.0 / (gap - 3.0 + root)
    for _ in range(50):
        step = (log_minus_digamma(k) - gap) / (k * trigamma_minus_inverse(k))
        k *= math.exp(max(-2.0, min(2.0, step)))
        if abs(step) < 1e-15:
            break
    return k


def stirling_error(x: Any) -> Any:
    """ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), x > 0, to full relative precision: ~ 1/(12x). DLMF 5.5.1, 5.11.1."""
    bernoulli = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
    return _from_above(x, _stirling_fall, lambda v: _series(1.0 / (v * v), bernoulli) / v)


def _stirling_fall(x: Any) -> Any:
    """(x + ½) log(1 + 1/x) − 1 = artanh(z)/z − 1, z = 1/(2x + 1)."""
    z = 1.0 / (2.0 * x + 1.0)
    near = z * z * _series(z * z, tuple(1.0 / (2 * j + 3) for j in range(18)))  # for z <= 1/3
    if isinstance(x, float):
        return near if x >= 1.0 else (x + 0.5) * (math.log1p(x) - math.log(x)) - 1.0
    return np.where(x >= 1.0, near, (x + 0.5) * (np.log1p(x) - np.log(x)) - 1.0)


def log1p_minus(x: Any) -> Any:
    """log(1 + x) − x, x > −1, to full relative precision: ~ −x²/2 near 0."""
    if isinstance(x, float) and x > -1.0:
        x = float(x)
        return _log1p_minus_near(x) if abs(x) < 0.25 else math.log1p(min(x, _HUGE)) - x
    x = np.asarray(x, np.float64)
    near = np.abs(x) < 0.25
    with np.errstate(all="ignore"):
        value = np.where(near, _log1p_minus_near(np.where(near, x, 0.0)), np.log1p(np.minimum(x, _HUGE)) - x)
    return value if value.ndim else float(value)


def _log1p_minus_near(x: Any) -> Any:
    """With z = x/(2 + x): log(1 + x) = 2 artanh z, and 2z − x = −xz, so that nothing cancels."""
    z = x / (2.0 + x)
    return z * z * z * _series(z * z, tuple(2.0 / (2 * j + 3) for j in range(10))) - x * z


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
    return root_between(lack, excess, 2.0 * excess, xtol=1e-300)


def log_beta(a: Any, b: Any) -> Any:
    """ln Γ(a) + ln Γ(b) − ln Γ(a + b), by Stirling's formula without the terms that cancel. DLMF 5.11.1."""
    low, high, total = np.minimum(a, b), np.maximum(a, b), np.asarray(a + b)
    large = low * np.log(low / total) + high * np.log1p(-low / total)
    half = 0.5 * np.log(total / low / high) + _HALF_LOG_2PI
    return large + half + stirling_error(low) + stirling_error(high) - stirling_error(total)
