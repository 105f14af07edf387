"""Entropies and divergences that are made of ln Γ, with no digits lost for large, small or nearly equal shapes; for the host.

The Bregman divergence of ln Γ is G(b, a) = ln Γ(b) − ln Γ(a) − (b − a) ψ(a) >= 0. With Stirling's ln Γ(x) =
x ln x − x − ½ ln x + ½ ln 2π + ε(x) it has three parts, of x ln x, of −½ ln x and of ε, each of which is a sum of
positive terms; below 16, ln Γ(x) = ln Γ(x + 16) − Σ ln(x + i). Sources: DLMF 5.5.1, 5.11.1; L. Bregman (1967).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from .gaps import log1p_minus, log_minus_digamma, stirling_error

_LARGE = 16
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)  # of x^−1, x^−3, ...


def less_x_log_x(a: float, b: float, d: float) -> float:
    """The Bregman divergence from a to b of ln Γ(x) − x ln x + x: ~ d²/4a² for large a and small d.

    Here as below d is b − a, which rounding must not take from the sums.
    """
    if min(a, b) < _LARGE:
        shifts = [of_minus_log(a + i, b + i, d) for i in range(_LARGE)]
        far = a + _LARGE, b + _LARGE, d
        return math.fsum([less_x_log_x(*far), of_x_log_x(*far), *shifts, -of_x_log_x(a, b, d)])
    return 0.5 * of_minus_log(a, b, d) + _of_stirling_error(a, b, d)


def of_minus_log(a: float, b: float, d: float) -> float:
    """d/a − ln(b/a), the Bregman divergence of −ln x."""
    t = d / a
    if abs(t) < 0.25:
        return -float(log1p_minus(t))
    return t - (math.log(b / a) if 1e-300 < b / a < 1e300 else math.log(b) - math.log(a))


def of_x_log_x(a: float, b: float, d: float) -> float:
    """b ln(b/a) − d, the Bregman divergence of x ln x."""
    return b * of_minus_log(b, a, -d)


def _of_stirling_error(a: float, b: float, d: float) -> float:
    """The Bregman divergence of ε, a >= 16: of each x^−p it is a^−p (1 − u)²/u Σ_l (p − l) u^l, with u = a/b."""
    t = d / a
    if abs(t) > 0.5:
        return stirling_error(b) - stirling_error(a) + d * (log_minus_digamma(a) - 0.5 / a)
    u, total = a / b, 0.0
    for j, c in enumerate(_STIRLING):
        p = 2 * j + 1
        total += c / a**p * math.fsum((p - i) * u**i for i in range(p))
    return total * t * t * u


def gamma_divergence(shape: float, rate: float, other_shape: float, other_rate: float) -> float:
    """KL between gamma distributions, with m and m' their means: j (m/m' − 1 − log(m/m')) + what the shapes k, j differ by."""
    k, r, j, q = map(Fraction, (shape, rate, other_shape, other_rate))
    return -other_shape * _log_shortfall_of(q * k - r * j, r * j) + less_x_log_x(shape, other_shape, other_shape - shape)


def dirichlet_entropy(alpha: Any) -> float:
    """log B(α) + (s − k) ψ(s) − Σ (α_j − 1) ψ(α_j), s = Σ α_j: the terms α log α are gone."""
    k, s = len(alpha), math.fsum(alpha)
    parts = [0.5 * math.log(a) + stirling_error(a) + (a - 1.0) * log_minus_digamma(a) for a in map(float, alpha)]
    total = (0.5 - k) * math.log(s) - stirling_error(s) - (s - k) * log_minus_digamma(s)
    return math.fsum([*parts, total, (k - 1) * _HALF_LOG_2PI])


def dirichlet_divergence(alpha: Any, other: Any) -> float:
    """KL between Dirichlet distributions: s' times that of their means, and what the size of the α differs by."""
    a, b = [float(v) for v in alpha], [float(v) for v in other]
    s = math.fsum(a)
    exact, exact_other = sum(map(Fraction, a)), sum(map(Fraction, b))
    means = [
        -v * _log_shortfall_of(Fraction(u) * exact_other - Fraction(v) * exact, Fraction(v) * exact)
        for u, v in zip(a, b, strict=True)
    ]
    sizes = [less_x_log_x(u, v, v - u) for u, v in zip(a, b, strict=True)]
    return math.fsum([*means, *sizes, -less_x_log_x(s, math.fsum(b), float(exact_other - exact))])


def _log_shortfall_of(gap: Fraction, unit: Fraction) -> float:
    """log(1 + x) − x with x = gap/unit."""
    x = gap / unit
    if abs(x) < 0.25:
        return float(log1p_minus(float(x)))
    if x > 1e300:
        return -math.inf
    ratio = 1 + x
    log = math.log(ratio) if ratio > 1e-300 else math.log(ratio.numerator) - math.log(ratio.denominator)
    return log - float(x)


def gamma_entropy(shape: float) -> float:
    """k + ln Γ(k) + (1 − k) ψ(k), of rate 1."""
    return _HALF_LOG_2PI + 0.5 * math.log(shape) + stirling_error(shape) + (shape - 1.0) * log_minus_digamma(shape)


def inverse_gamma_entropy(shape: float) -> float:
    """a + ln Γ(a) − (1 + a) ψ(a), of scale 1."""
    return _HALF_LOG_2PI - 1.5 * math.log(shape) + stirling_error(shape) + (shape + 1.0) * log_minus_digamma(shape)
