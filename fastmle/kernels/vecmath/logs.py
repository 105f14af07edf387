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
NORMAL_BITS, INF_BITS = 0x0010000000000000, 0x7FF0000000000000  # of the smallest normal number, of inf
NEGATIVE_INF_BITS = -0x10000000000000
LEAST_NORMAL = 2.0**-1022
TWO_54, TWO_54_BELOW = 18014398509481984.0, 5.551115123125783e-17
HUGE = 1e300  # where a last bit more or less does not show in the logarithm
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
SIGN = -0x8000000000000000  # flipped, not added: the compiler takes it that sums do not overflow
SQRT_HALF = 0.7071067811865476
EXPONENT, MANTISSA = -0x10000000000000, 0xFFFFFFFFFFFFF  # the upper 12 and the lower 52 bits

# (log((1+s)/(1-s))/s - 2) / s^2 in s^2, |s| <= 3 - sqrt 8: minimax (Remez), error of the log 2^-58.6.
_LOG = (
    0.666666666666671,
    0.39999999999520824,
    0.2857142872910124,
    0.2222219910710543,
    0.18183570800453766,
    0.1531318131504354,
    0.1481036632404051,
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


def log_ratio(x, c):
    """log(x / c), accurate relative to itself even where x is next to c: for finite x > 0; nan if c is not a
    normal number > 0, and so has few digits itself.

    The power of two is chosen about c: x = 2^k m with m in [c/sqrt 2, c sqrt 2), so that m-c and m+c are what their
    names say but for one rounding, and log(m/c) = 2 artanh((m-c)/(m+c)). Source: DLMF 4.6.4.
    """
    if not LEAST_NORMAL <= c < INF:
        return NAN
    if 0.7 * c < x < 1.4 * c:
        return math.log1p((x - c) / c)
    ratio = x / c
    return math.log(ratio) if LEAST_NORMAL <= ratio < INF else math.log(x) - math.log(c)


def log_ratio_normal(x, c):
    """The same for normal numbers x, and cheaper: a subnormal one gives a wrong number."""
    return log_ratio(x, c)


def sqrt(x):
    """Square root; nan below zero."""
    return math.sqrt(x) if x >= 0.0 else NAN


@inlined
def split(x):
    """x = 2**k * m with m in [sqrt(1/2), sqrt 2), for finite x > 0, subnormal numbers included."""
    subnormal = bits(x) < NORMAL_BITS
    scaled = bits(where(subnormal, x * TWO_54, x))
    # 1024 is added to the exponent so that it stays positive when the 54 is taken off.
    moved = scaled + (ONE - SQRT_HALF_BITS + (1024 << 52)) - where(subnormal, 54 << 52, 0)
    k = from_bits(shift_right(moved, 52) | INT_BITS) - (TWO_52 + 2047.0)
    return k, from_bits((moved & MANTISSA) + SQRT_HALF_BITS)


@inlined
def split_normal(x):
    """The same for normal x, and 2**-k."""
    moved = bits(x) + (ONE - SQRT_HALF_BITS)
    k = from_bits(shift_right(moved, 52) | INT_BITS) - (TWO_52 + 1023.0)
    return k, from_bits((moved & MANTISSA) + SQRT_HALF_BITS), from_bits(2 * ONE - (moved & EXPONENT))


@inlined
def log_tail(k, f, d, special):
    """k log 2 + log(1+f) + special - (k LN2_HI + f), for 1+f in [sqrt(1/2), sqrt 2] and d = 2+f.

    With s = f/d, log(1+f) = 2 artanh s = f - s (f - s^2 P(s^2)): the error of s counts little.
    """
    s = f / d
    z = s * s
    return fma(-s, fma(-z, poly(z, _LOG), f), fma(k, LN2_LO, special))


@inlined
def log_of_parts(k, f, special):
    """k log 2 + log(1+f) + special."""
    return fma(k, LN2_HI, f) + log_tail(k, f, 2.0 + f, special)


@inlined
def log_of_sum(x, low):
    """log(x + low) for a normal x > 0 and a `low` that is small beside it."""
    k, m, scale = split_normal(x)
    return log_of_parts(k, fma(low, scale, m - 1.0), 0.0)


@inlined
def log_by_artanh(k, difference, total):
    """k log 2 + 2 artanh(difference/total), the quotient at most 3 - sqrt 8."""
    s = difference / total
    z = s * s
    return fma(k, LN2_HI, fma(z * poly(z, _LOG), s, s + s))


@inlined
def log_of_quotient(x, low, c, c_low):
    """log((x + low)/(c + c_low)), sharp near 0 too, for x from 2**-960 to 2**960, c from 1 to 2**16, both lows small.

    As log_ratio: the power of two is chosen about c.
    """
    least = bits(c * SQRT_HALF)
    moved = bits(x) + (ONE - least)
    k = from_bits(shift_right(moved, 52) | INT_BITS) - (TWO_52 + 1023.0)
    m = from_bits((moved & MANTISSA) + least)
    scale = from_bits(2 * ONE - (moved & EXPONENT))
    return log_by_artanh(k, (m - c) + fma(low, scale, -c_low), m + c)


@inlined
def log_of_normal(x):
    """log x for a normal x > 0."""
    k, m, _ = split_normal(x)
    return log_of_parts(k, m - 1.0, 0.0)


@inlined
def log_special(x):
    """What to add to a finite number to get log x of a special x: 0 where 0 < x < inf, else -inf, nan or inf.

    Adding it early costs less than selecting late; masks and integer comparisons go to ports that idle here.
    """
    infinite = where(bits(x) < INF_BITS, 0, bits(x))
    no_number = where(x >= 0.0, 0, -1)
    zero = where(x == 0.0, NEGATIVE_INF_BITS, 0)
    return from_bits(infinite | no_number | zero)


@inlined
def log_minus(x, constant):
    """log x - constant (0 or 1), rounded once."""
    k, m = split(x)
    f = m - 1.0
    return fma(k, LN2_HI, f - constant) + log_tail(k, f, m + 1.0, log_special(x))


@cpu(log)
def _log(x):
    return log_minus(x, 0.0)


@cpu(log1p)
def _log1p(x):
    u = 1.0 + x
    # What the addition lost, exactly; the larger term goes first. Nothing where 2**-k would leave the range.
    lost = where(x < 1.0, x - (u - 1.0), 1.0 - (u - x))
    k, m, scale = split_normal(u)
    value = log_of_parts(k, (m - 1.0) + where(x < HUGE, lost * scale, 0.0), log_special(u))
    return where(magnitude(x) > 1e-17, value, x)


@inlined
def about(c):
    """What depends on c alone, computed once a loop: c by 2**54 or 2**-54, so that neither it nor m + c leaves the range;
    the bits of the least m, and what to take from the exponent's bits."""
    large = c > 1.0
    c = where((c >= LEAST_NORMAL) & (c < INF), c, NAN) * where(large, TWO_54_BELOW, TWO_54)
    return c, bits(c * SQRT_HALF), TWO_52 + 2048.0 + where(large, 54.0, -54.0)


@cpu(log_ratio)
def _log_ratio(x, c):
    c, least, none = about(c)
    subnormal = bits(x) < NORMAL_BITS
    moved = bits(where(subnormal, x * TWO_54, x)) - least
    k = from_bits(shift_right(moved ^ SIGN, 52) | INT_BITS) - none
    k = where(subnormal, k - 54.0, k)
    m = from_bits((moved & MANTISSA) + least)
    return log_by_artanh(k, m - c, m + c)


@cpu(log_ratio_normal)
def _log_ratio_normal(x, c):
    c, least, none = about(c)
    moved = bits(x) - least
    k = from_bits(shift_right(moved ^ SIGN, 52) | INT_BITS) - none
    m = from_bits((moved & MANTISSA) + least)
    return log_by_artanh(k, m - c, m + c)


@cpu(sqrt)
def _sqrt(x):
    return square_root(x)
