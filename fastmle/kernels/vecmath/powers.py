"""x**y: a logarithm of 68 bits, then one exponential."""

import math

from .exps import at_least, at_most, exp_times
from .logs import INF, NAN, log_special, split
from .machine import cpu, floor, fma, inlined, magnitude, poly, where, with_sign_of

# log 2 in two pieces; the first has 42 bits, so that an exponent times it is exact.
LN2_HI42, LN2_LO42 = 0.6931471805598903, 5.497923018708371e-14
TWO_THIRDS_HI, TWO_THIRDS_LO = 0.6666666666666666, 3.700743415417188e-17

# (log((1+s)/(1-s))/s - 2 - 2 s^2/3) / s^4 in s^2, |s| <= 3 - sqrt(8): near-minimax, rel. error 2^-50.
_LOG_TAIL = (
    0.40000000000000024,
    0.2857142857133856,
    0.22222222271077688,
    0.1818180825156866,
    0.1538557450328144,
    0.13285967180066668,
    0.12913497226515772,
)


def pow(x, y):
    """x**y with every special case of C99 F.9.4.4: x**0 = 1**y = 1, nan for x < 0 and y not an integer."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -INF if x < 0.0 and y % 2.0 == 1.0 else INF
    except ValueError:
        if x != 0.0:
            return NAN
        return math.copysign(INF, x) if y % 2.0 == 1.0 else INF


@inlined
def log_in_two(x):
    """log x = high + low to about 2**-66 of itself, for x > 0; -inf at 0, inf at inf, nan for nan."""
    k, m = split(x)
    # s = f / (2+f), with its remainder.
    f = m - 1.0
    d = 2.0 + f
    d_low = f - (d - 2.0)
    inverse = 1.0 / d
    s = f * inverse
    s_low = inverse * (fma(-s, d, f) - s * d_low)
    # w = s^2 (2/3 + s^2 tail), log(1+f) = 2s + s w.
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    tail = z * poly(z, _LOG_TAIL)
    c = TWO_THIRDS_HI + tail
    c_low = tail - (c - TWO_THIRDS_HI) + TWO_THIRDS_LO
    w = z * c
    w_low = fma(z, c, -w) + (z * c_low + z_low * c)
    first = 2.0 * s
    second = s * w
    second_low = fma(s, w, -second) + (s * w_low + s_low * w)
    high = first + second
    low = (first - high) + second + (second_low + 2.0 * s_low)
    # Add k log 2, which is the larger term unless it is zero.
    exponent = k * LN2_HI42
    total = exponent + high
    return total + log_special(x), (exponent - total) + high + (low + k * LN2_LO42)


@cpu(pow)
def _pow(x, y):
    size = magnitude(x)
    high, low = log_in_two(size)
    # An infinite y is made finite, so that 1**y stays 1; the power still saturates.
    bounded = at_most(at_least(y, -1e300), 1e300)
    product = bounded * high
    product_low = where(magnitude(product) < 1000.0, fma(bounded, high, -product) + bounded * low, 0.0)
    value = exp_times(at_most(at_least(product, -746.0), 710.0), product_low, 1.0, 0.0)

    half = 0.5 * y
    whole = floor(y) == y
    odd = whole & (floor(half) != half)
    value = where((x < 0.0) & (size < INF) & (~whole), NAN, value)
    value = where(odd, with_sign_of(value, x), value)
    return where((x == 1.0) | (y == 0.0), 1.0, value)
