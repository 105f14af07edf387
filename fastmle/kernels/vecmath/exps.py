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
    poly_in_line,
    power_of_two,
    where,
    with_sign_of,
)

INV_LN2 = 1.4426950408889634
LN2_HI, LN2_LO = 0.6931471805599453, 2.3190468138462996e-17
LEAST_EXPONENT = -1021.0  # of which the power of two, and its half, are normal numbers
HALF_POWER = SHIFT + 1022.0  # adding it leaves the exponent of 2**(n-1) in the low bits
INF = math.inf

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


# 2 (2^r - 1) / r for |r| <= 1/2: minimax (Remez) of the error relative to 2 2^r, 2^-54.4 after rounding.
_EXP2 = (
    1.3862943611198915,
    0.48045301391820194,
    0.11100821732958079,
    0.019236258215214005,
    0.002666711630687993,
    0.0003080706088314426,
    3.0505454770387737e-05,
    2.6430885350659646e-06,
    2.0361295318468278e-07,
    1.4145140825628847e-08,
    8.156143859176674e-10,
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


def exp2_normal(x):
    """2**x, but 2**-1021 below -1021; inf from 1024 on. Cheaper than `exp`, for x minus a whole number is exact."""
    return 2.0**LEAST_EXPONENT if x < LEAST_EXPONENT else 2.0**x if not x >= 1024.0 else INF


def decay2(x):
    """2**-x for x >= 0, but 2**-1021 above 1021. Cheaper still."""
    return exp2_normal(-x)


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
def reduced(x):
    """n in the low bits of an integer, and r in two parts: x = n log 2 + r, |r| <= log(2)/2."""
    shifted = fma(x, INV_LN2, SHIFT)
    k = -(shifted - SHIFT)
    first = fma(k, LN2_HI, x)
    r = fma(k, LN2_LO, first)
    return bits(shifted), r, fma(k, LN2_LO, first - r)


@inlined
def scaled(n, p):
    """2**n * p, for n from -1130 to 1024 and p from 1e-100 to 2."""
    # Two steps: the first is exact, so that a subnormal result is rounded once. Multiplied, not added to
    # the exponent, because p may be nan.
    half = (n << 51) & EXPONENT
    return p * from_bits(half + ONE) * from_bits((n << 52) - half + ONE)


@inlined
def at_least(x, low):
    return where(x < low, low, x)


@inlined
def at_most(x, high):
    return where(x > high, high, x)


@inlined
def exp_times(x, low, factor, factor_low):
    """exp(x + low) (factor + factor_low), -780 < x < 710 and |low| < 1e-9, to little over half an ulp."""
    n, first, first_low = reduced(x)
    r = first + low
    r_low = low - (r - first) + first_low
    e = r + fma(r * r, poly(r, _EXP), r_low)
    return scaled(n, factor + fma(factor, e, factor_low))


@inlined
def exp_of_negative(x):
    """exp(x) for x <= 0."""
    n, r, _ = reduced(at_least(x, -746.0))
    return scaled(n, 1.0 + fma(r * r, poly(r, _EXP), r))


@cpu(exp)
def _exp(x):
    # Above 710 and below -746 the answer is inf or 0 anyway; between them each half of n is an exponent.
    n, r, _ = reduced(at_most(at_least(x, -746.0), 710.0))
    return scaled(n, 1.0 + fma(r * r, poly(r, _EXP), r))


@inlined
def exp2_between(x):
    """2**x, rounded once, -1021 <= x <= 1024 (there inf): 2**(n-1), put together in the low bits of a sum, times 2 2**r."""
    shifted = x + HALF_POWER
    r = x - (shifted - HALF_POWER)
    return from_bits(bits(shifted) << 52) * fma(r, poly_in_line(r, _EXP2), 2.0)


@cpu(exp2_normal)
def _exp2_normal(x):
    return exp2_between(at_most(at_least(x, LEAST_EXPONENT), 1024.0))


@cpu(decay2)
def _decay2(x):
    return exp2_between(at_least(-x, LEAST_EXPONENT))


@inlined
def expm1_normal(x):
    """expm1 of -708 < x < 710.5 or nan (the sign of zero and numbers below 1e-300 excepted)."""
    n, r, r_low = reduced(x)
    scale = power_of_two(n - 1)  # half of 2**n, which may be 2**1024
    rest = fma(r * r, poly(r, _EXP), r_low)
    # scale (1 + r + rest) - 1/2, the first sum in two parts.
    high = fma(scale, r, scale - 0.5)
    low = fma(scale, r, (scale - 0.5) - high)
    return 2.0 * (high + fma(scale, rest, low))


@cpu(expm1)
def _expm1(x):
    return where(magnitude(x) > 1e-17, expm1_normal(at_most(at_least(x, -60.0), 710.0)), x)


@cpu(tanh)
def _tanh(x):
    size = magnitude(x)
    e = expm1_normal(2.0 * at_most(size, 20.0))
    d = e + 2.0
    inverse = 1.0 / d
    value = e * inverse
    # Once more with what was lost, in d too.
    value = fma(fma(-value, e - (d - 2.0), fma(-value, d, e)), inverse, value)
    return where(size > 1e-17, with_sign_of(value, x), x)


@inlined
def log1p_of_tail(t):
    """log(1+t) for 0 <= t <= 1 (DLMF 4.6.4, s = t/(2+t) <= 1/3): no power of two to take out."""
    s = t / (2.0 + t)
    z = s * s
    return fma(-s, fma(-z, poly(z, _LOG1P_TAIL), t), t)


@cpu(softplus)
def _softplus(x):
    return where(x > 0.0, x, 0.0) + log1p_of_tail(exp_of_negative(-magnitude(x)))


@cpu(logistic)
def _logistic(x):
    tail = exp_of_negative(-magnitude(x))
    return where(x < 0.0, tail, 1.0) / (1.0 + tail)
