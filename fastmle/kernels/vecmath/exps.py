"""exp, expm1, tanh, and the two logistic functions."""

import math

from .logs import log_of_parts, split
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
    shift_right,
    where,
    with_sign_of,
)

INV_LN2 = 1.4426950408889634
LN2_HI, LN2_LO = 0.6931471805599453, 2.3190468138462996e-17

# (exp(r) - 1 - r - r^2/2) / r^3 for |r| <= log(2)/2: near-minimax, relative error 2^-52.8.
_EXP = (
    0.16666666666666669,
    0.041666666666666664,
    0.008333333333330065,
    0.0013888888888886554,
    0.0001984126986304067,
    2.4801587317135252e-05,
    2.7557268480116333e-06,
    2.7557282983917557e-07,
    2.5100375924709717e-08,
    2.0911229795563617e-09,
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
def exp_of_sum(x, low):
    """exp(x + low), |low| < 1e-9, without loss from x's own rounding."""
    # Beyond these bounds the answer is inf or 0 anyway; inside them k fits two powers of two.
    x = where(x > 710.0, 710.0, where(x < -746.0, -746.0, x))
    _, n, r = reduce(x)
    r += low
    square = r * r
    p = 1.0 + (r + square * fma(r, poly(r, _EXP), 0.5))
    # Two steps: the first is exact, so that a subnormal result is rounded once.
    half = shift_right(n, 1)
    return p * power_of_two(half) * power_of_two(n - half)


@cpu(exp)
def _exp(x):
    return exp_of_sum(x, 0.0)


@inlined
def expm1_normal(x):
    """expm1 of -708 < x < 1000 or nan (the sign of zero and numbers below 1e-300 excepted)."""
    _, n, r = reduce(x)
    scale = power_of_two(n - 1)  # half of 2**k, which may be 2**1024
    rest = r * r * fma(r, poly(r, _EXP), 0.5)
    return 2.0 * fma(scale, rest, fma(scale, r, scale - 0.5))


@cpu(expm1)
def _expm1(x):
    bounded = where(x > 710.0, 710.0, where(x < -60.0, -60.0, x))
    return where(magnitude(x) > 1e-17, expm1_normal(bounded), x)


@cpu(tanh)
def _tanh(x):
    size = magnitude(x)
    e = expm1_normal(2.0 * where(size > 20.0, 20.0, size))
    return where(size > 1e-17, with_sign_of(e / (e + 2.0), x), x)


@inlined
def log1p_of_tail(tail):
    """log(1 + tail) for 0 <= tail <= 1."""
    u = 1.0 + tail
    k, m, scale = split(u)
    return log_of_parts(k, (m - 1.0) + (tail - (u - 1.0)) * from_bits(ONE - scale))


@cpu(softplus)
def _softplus(x):
    return where(x > 0.0, x, 0.0) + log1p_of_tail(exp_of_sum(-magnitude(x), 0.0))


@cpu(logistic)
def _logistic(x):
    tail = exp_of_sum(-magnitude(x), 0.0)
    return where(x < 0.0, tail, 1.0) / (1.0 + tail)
