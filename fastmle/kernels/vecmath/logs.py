"""log, log1p, log_ratio and the square root."""

import math

from .machine import (
    INT_BITS,
    ONE,
    TWO_52,
    bits,
    cpu,
    fma,
    from_bits,
    inlined,
    magnitude,
    poly,
    shift_right,
    square_root,
    where,
)

INF, NAN = math.inf, math.nan
LN2_HI, LN2_LO = 0.6931471805599453, 2.3190468138462996e-17
TINY = 2.2250738585072014e-308  # the smallest normal number
ONE_LESS_SQRT_HALF = ONE - 0x3FE6A09E667F3BCD

# (log((1+s)/(1-s))/s - 2) / s^2 in s^2, |s| <= 3 - sqrt(8): near-minimax
# (interpolation at Chebyshev nodes), relative error 2^-54.
_LOG = (
    0.6666666666666666,
    0.4000000000000088,
    0.2857142857080361,
    0.22222222391714744,
    0.18181795640044723,
    0.15386239707611124,
    0.13268773010203216,
    0.13086627491197242,
)


def log(x):
    """Natural logarithm; log(0) = -inf, nan below.

    log x = k log 2 + log(1+f) with 1+f in [sqrt(1/2), sqrt 2], and log(1+f) = 2 artanh(f/(2+f)).
    Source: DLMF 4.6.4.
    """
    if x > 0.0:
        return math.log(x)
    return -INF if x == 0.0 else NAN


def log1p(x):
    """log(1 + x), accurate for small x; log1p(-1) = -inf, nan below."""
    if x > -1.0:
        return math.log1p(x)
    return -INF if x == -1.0 else NAN


def log_ratio(x, c, inv_c):
    """log(x / c) given inv_c = 1/c, accurate relative to itself even where x is next to c.

    x, c > 0, and c, 1/c and x/c normal numbers. Near c it is log1p((x-c)/c), where x-c is exact.
    """
    if 0.7 * c < x < 1.4 * c:
        return math.log1p((x - c) / c)
    return log(x / c) if c > 0.0 else NAN


def sqrt(x):
    """Square root; nan below zero."""
    return math.sqrt(x) if x >= 0.0 else NAN


@inlined
def split(x):
    """x = 2**k * m with m in [sqrt(1/2), sqrt 2), for normal x > 0; also the bits of 2**k, less ONE."""
    exponent = (bits(x) + ONE_LESS_SQRT_HALF) & -0x10000000000000
    k = from_bits(shift_right(exponent, 52) | INT_BITS) - (TWO_52 + 1023.0)
    scale = exponent - ONE
    return k, from_bits(bits(x) - scale), scale


@inlined
def log_of_parts(k, f):
    """k log 2 + log(1+f), |f| < 0.42."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    return fma(k, LN2_HI, f - (half - fma(s, half + z * poly(z, _LOG), k * LN2_LO)))


@inlined
def log_positive(x):
    """log x for finite x > 0, subnormal numbers included."""
    subnormal = x < TINY
    k, m, _ = split(where(subnormal, x * 18014398509481984.0, x))
    return log_of_parts(where(subnormal, k - 54.0, k), m - 1.0)


@inlined
def log_special(x, value):
    """`value` where 0 < x < inf, else what the C standard says of log x."""
    value = where(x < INF, value, x)
    return where(x > 0.0, value, where(x == 0.0, -INF, NAN))


@cpu(log)
def _log(x):
    return log_special(x, log_positive(x))


@cpu(log1p)
def _log1p(x):
    u = 1.0 + x
    # What the addition lost, exactly; the larger term goes first.
    lost = where(magnitude(x) < 1.0, x - (u - 1.0), 1.0 - (u - x))
    k, m, scale = split(u)
    f = (m - 1.0) + lost * from_bits(ONE - scale)
    value = log_special(u, log_of_parts(k, f))
    return where(magnitude(x) > 1e-17, value, x)


@cpu(log_ratio)
def _log_ratio(x, c, inv_c):
    y = x * inv_c
    k, m, scale = split(y)
    inv_c_error = fma(-c, inv_c, 1.0)  # inv_c = (1 - this) / c
    lost = fma(x, inv_c, -y) * from_bits(ONE - scale)
    near = scale == 0
    f = where(near, (x - c) * inv_c, (m - 1.0) + lost)
    f = fma(inv_c_error, where(near, f, 1.0 + f), f)
    return log_special(y, log_of_parts(k, f))


@cpu(sqrt)
def _sqrt(x):
    return square_root(x)
