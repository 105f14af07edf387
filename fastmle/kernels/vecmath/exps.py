"""exp, expm1, tanh, and the two logistic functions."""

import math

from .logs import EXPONENT
from .machine import (
    ONE,
    SHIFT,
    bits,
    cpu,
    fma,
    from_bits,
    inlined,
    magnitude,
    poly,
    power_of_two,
    where,
    with_sign_of,
)

INV_LN2 = 1.4426950408889634
LN2_HI, LN2_LO = 0.6931471805599453, 2.3190468138462996e-17

# (exp(r) - 1 - r) / r^2 for |r| <= log(2)/2: minimax (Remez), relative error of exp(r) - 1 2^-54.9.
_EXP = (
    0.5000000000000007,
    0.16666666666666696,
    0.04166666666656249,
    0.008333333333293263,
    0.0013888888936152708,
    0.00019841269986806104,
    2.4801499785617584e-05,
    2.7557117013104318e-06,
    2.7628217195771477e-07,
    2.5161328616011803e-08,
)


# (log((1+s)/(1-s))/s - 2) / s^2 in s^2, 0 <= s <= 1/3: minimax (Remez), error of the log 2^-58.3.
_LOG1P_TAIL = (
    0.666666666666665,
    0.40000000000103036,
    0.2857142855304335,
    0.22222223733443347,
    0.18181749701718977,
    0.15386482512344388,
    0.13301484184805817,
    0.12105435673075067,
    0.08330352778604465,
    0.17056574502947028,
)


def exp(x):
    """e**x; 0 below -745.14, inf above 709.79.

    exp x = 2**k exp(r), |r| <= log(2)/2 (Tang 1989, without his table).
    """
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def expm1(x):
    """exp(x) - 1, accurate for small x."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def tanh(x):
    """Hyperbolic tangent = expm1(2x) / (expm1(2x) + 2)."""
    return math.tanh(x)


def softplus(x):
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)); never overflows."""
    return max(0.0, x) + math.log1p(math.exp(-abs(x)))


def logistic(x):
    """1 / (1 + exp(-x)); never overflows."""
    tail = math.exp(-abs(x))
    return (tail if x < 0.0 else 1.0) / (1.0 + tail)


@inlined
def reduce(x):
    """x = k log 2 + r, |r| <= log(2)/2; k as a number, k in the low bits of an integer, and r."""
    shifted = fma(x, INV_LN2, SHIFT)
    k = shifted - SHIFT
    return k, bits(shifted), fma(-k, LN2_LO, fma(-k, LN2_HI, x))


@inlined
def bounded(x, low, high):
    """x between low and high; nan stays."""
    x = where(x < low, low, x)
    return where(x > high, high, x)


@inlined
def exp_of_reduced(n, r):
    """2**n exp(r), n from -1076 to 1024."""
    p = 1.0 + fma(r * r, poly(r, _EXP), r)
    # Two steps: the first, an addition to the exponent, is exact, so that a subnormal result is rounded once.
    half = (n << 51) & EXPONENT
    return from_bits(bits(p) + half) * from_bits((n << 52) - half + ONE)


@inlined
def exp_any(x):
    # Beyond these bounds the answer is inf or 0 anyway; inside them each half of n is an exponent.
    _, n, r = reduce(bounded(x, -746.0, 710.0))
    return exp_of_reduced(n, r)


@inlined
def exp_of_sum(x, low):
    """exp(x + low), |low| < 1e-9, without loss from x's own rounding."""
    _, n, r = reduce(bounded(x, -746.0, 710.0))
    return exp_of_reduced(n, r + low)


@cpu(exp)
def _exp(x):
    return exp_any(x)


@inlined
def expm1_normal(x):
    """expm1 of -708 < x < 1000 or nan (the sign of zero and numbers below 1e-300 excepted)."""
    _, n, r = reduce(x)
    scale = power_of_two(n - 1)  # half of 2**n, which may be 2**1024
    return 2.0 * fma(scale, r * r * poly(r, _EXP), fma(scale, r, scale - 0.5))


@cpu(expm1)
def _expm1(x):
    return where(magnitude(x) > 1e-17, expm1_normal(bounded(x, -60.0, 710.0)), x)


@cpu(tanh)
def _tanh(x):
    size = magnitude(x)
    e = expm1_normal(2.0 * where(size > 20.0, 20.0, size))
    return where(size > 1e-17, with_sign_of(e / (e + 2.0), x), x)


@inlined
def log1p_of_tail(t):
    """log(1+t) for 0 <= t <= 1 (DLMF 4.6.4, s = t/(2+t) <= 1/3): no power of two to take out."""
    s = t / (2.0 + t)
    z = s * s
    return fma(-s, fma(-z, poly(z, _LOG1P_TAIL), t), t)


@cpu(softplus)
def _softplus(x):
    return where(x > 0.0, x, 0.0) + log1p_of_tail(exp_any(-magnitude(x)))


@cpu(logistic)
def _logistic(x):
    tail = exp_any(-magnitude(x))
    return where(x < 0.0, tail, 1.0) / (1.0 + tail)
